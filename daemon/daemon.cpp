#include "daemon.hpp"

#include "check_config.hpp"
#include "running.hpp"
#include "supervisor/hardening.hpp"

#include <cstdio>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace credlease {
namespace {

using result::ErrorCode;
using result::Result;

secret::ArenaOptions arena_options(const settings::Settings& settings) {
    secret::ArenaOptions options{.size = settings.memory.size};
    if (settings.memory.arena == settings::ArenaChoice::memfd_secret) {
        options.choice = secret::ArenaOptions::Choice::memfd_secret;
    }
    if (settings.memory.arena == settings::ArenaChoice::mlock) options.choice = secret::ArenaOptions::Choice::mlock;
    return options;
}

Result<> make_folder(const std::filesystem::path& folder, ::mode_t mode, result::StaticText sentence) {
    std::error_code failed;
    const bool is_new = std::filesystem::create_directories(folder, failed);
    if (!failed && is_new && ::chmod(folder.c_str(), mode) != 0) failed.assign(errno, std::system_category());
    if (!failed && std::filesystem::is_directory(folder, failed)) return {};
    return result::refuse({.code = ErrorCode::configuration,
                           .sentence = sentence,
                           .next_step = "Make it, or name another place; it must be writable for the broker's account.",
                           .about = result::PublicText::of(folder.native())});
}

/// Who can enter the data folder can copy the store: nobody but its owner may.
Result<> check_data_folder(const std::filesystem::path& folder) {
    struct ::stat found{};
    if (::stat(folder.c_str(), &found) == 0 && found.st_uid == ::geteuid() && (found.st_mode & 077) == 0) return {};
    return result::refuse({.code = ErrorCode::configuration,
                           .sentence = "The data folder is not the broker's own, or others may enter it.",
                           .next_step = "Give it to the broker's account with mode 0700.",
                           .about = result::PublicText::of(folder.native())});
}

Result<> make_folders(const settings::Settings& settings) {
    const auto& places = settings.places;
    if (auto made = make_folder(places.data, 0700, "The data folder cannot be made."); !made) return made;
    if (auto checked = check_data_folder(places.data); !checked) return checked;
    return make_folder(places.runtime, settings.system ? 0755 : 0700, "The folder of the sockets cannot be made.");
}

Result<Doors> open_doors(const settings::Settings& settings) {
    const auto& sockets = settings.sockets;
    const api::SocketPlace lease{
        .path = settings.places.runtime / "lease.sock", .mode = sockets.lease_mode, .group = sockets.lease_group};
    const api::SocketPlace admin{
        .path = settings.places.runtime / "admin.sock", .mode = sockets.admin_mode, .group = sockets.admin_group};
    auto passed = supervisor::passed_sockets();
    if (!passed) return std::unexpected(std::move(passed.error()));
    Doors doors;
    if (*passed) {
        doors.passed = true;
        doors.lease = attestation::Descriptor((*passed)->lease);
        doors.admin = attestation::Descriptor((*passed)->admin);
        if (auto fits = api::check_passed_socket(doors.lease.number(), lease); !fits)
            return std::unexpected(fits.error());
        if (auto fits = api::check_passed_socket(doors.admin.number(), admin); !fits)
            return std::unexpected(fits.error());
        return doors;
    }
    auto lease_socket = api::listen_at(lease);
    if (!lease_socket) return std::unexpected(std::move(lease_socket.error()));
    auto admin_socket = api::listen_at(admin);
    if (!admin_socket) return std::unexpected(std::move(admin_socket.error()));
    doors.lease = std::move(*lease_socket);
    doors.admin = std::move(*admin_socket);
    return doors;
}

int refused(const result::Error& error, int status) {
    std::fprintf(stderr, "credleased: %s\n",
                 (logs::is_read_by_a_person() ? logs::lines_of(error) : error.detail()).c_str());
    return status;
}

void tell_surroundings(logs::Log& log, const settings::Settings& settings, const secret::Arena& arena,
                       const supervisor::Hardening& hardening) {
    log.info("Keys lie in locked memory.", {{"arena", result::PublicText::of(secret::name_of(arena.backing()))},
                                            {"bytes", std::uint64_t{arena.size()}}});
    if (!hardening.filters_calls) log.warn("The system call filter could not be set.");
    if (!attestation::can_read_executables()) {
        log.warn("Executables of other users cannot be read (no CAP_SYS_PTRACE): rules with exe never match.");
    }
    if (settings.sockets.own_uid_only) {
        log.warn("XDG_RUNTIME_DIR is not set: the sockets lie in the data folder, for this uid only.",
                 {{"place", result::PublicText::of(settings.places.runtime.native())}});
    }
}

int serve(const settings::Flags& flags, settings::Settings read) {
    const auto settings = std::make_shared<const settings::Settings>(std::move(read));
    logs::Log log(settings->log.level, settings->log.json ? logs::Log::Format::json : logs::Log::Format::text);
    const auto stop_with = [&log](const result::Error& error) {
        log.refuse(error);
        return 1;
    };
    ::umask(0077);
    auto arena = secret::Arena::make(arena_options(*settings));
    if (!arena) return stop_with(arena.error());
    if (auto made = make_folders(*settings); !made) return stop_with(made.error());
    auto doors = open_doors(*settings);
    if (!doors) return stop_with(doors.error());
    auto hardening = supervisor::drop_privileges();
    if (!hardening) return stop_with(hardening.error());
    tell_surroundings(log, *settings, **arena, *hardening);
    Running running(flags, settings, std::move(*arena), log);
    return running.run(std::move(*doors));
}

} // namespace

int run_daemon(int count, const char* const* arguments) {
    if (auto hidden = supervisor::refuse_inspection(); !hidden) return refused(hidden.error(), 1);
    auto flags = settings::read_flags(count, arguments);
    if (!flags) return refused(flags.error(), 2);
    if (flags->help) {
        std::fputs(settings::usage().c_str(), stdout);
        return 0;
    }
    if (flags->version) {
        std::puts("credleased " CREDLEASE_VERSION);
        return 0;
    }
    auto settings = settings::read_settings(*flags);
    if (!settings) return refused(settings.error(), 1);
    if (!flags->check_config) return serve(*flags, std::move(*settings));
    const auto checked = check_config(*settings);
    return checked ? 0 : refused(checked.error(), 1);
}

} // namespace credlease
