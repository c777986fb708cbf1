#include "settings/surroundings.hpp"

#include "settings/warnings.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace credlease::settings {
namespace {

using std::filesystem::path;

result::Error no_place_for_head(result::StaticText sentence, result::StaticText next_step, const path& folder) {
    return {.code = result::ErrorCode::configuration,
            .sentence = sentence,
            .next_step = next_step,
            .about = result::PublicText::of(folder.native() + ": " + std::strerror(errno))};
}

/// Keeps the folder this uid out, going by owner and mode? A folder that is not there is made for the broker alone.
bool is_closed_to(std::uint32_t uid, const path& folder) {
    constexpr mode_t group_or_others_enter = 011;
    struct stat found{};
    if (::stat(folder.c_str(), &found) != 0) return errno == ENOENT;
    return found.st_uid != uid && (found.st_mode & group_or_others_enter) == 0;
}

/// The folder that keeps it out, on the way to the sockets; empty: none does.
path closed_folder(std::uint32_t uid, const path& runtime) {
    path at;
    for (const auto& part : runtime) {
        at /= part;
        if (is_closed_to(uid, at)) return at;
    }
    return {};
}

} // namespace

std::optional<result::Error> find_head_fault(const Settings& settings) {
    const auto folder = settings.audit.head_file.parent_path();
    struct stat found{};
    if (::stat(folder.c_str(), &found) != 0) {
        const bool is_made = settings.seal.may_make_key && folder == settings.seal.key_file.parent_path();
        if (errno == ENOENT && is_made) return std::nullopt;
        return no_place_for_head("The folder of the audit head does not exist.",
                                 "Make it, owned by the broker's account, or name another in [audit] head_file.",
                                 folder);
    }
    if (!S_ISDIR(found.st_mode)) errno = ENOTDIR;
    if (S_ISDIR(found.st_mode) && ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0)
        return std::nullopt;
    return no_place_for_head("The folder of the audit head can't be written to.",
                             "Give it to the broker's account, or name another in [audit] head_file.", folder);
}

std::vector<std::string> find_unreachable_workers(const Settings& settings) {
    std::vector<std::string> warnings;
    for (const auto& worker : settings.workers) {
        if (worker.uid == 0 || worker.uid == ::geteuid()) continue;
        const auto closed = closed_folder(worker.uid, settings.places.runtime);
        if (closed.empty()) continue;
        warnings.push_back(rule("worker", worker.name) + " is for uid " + std::to_string(worker.uid) +
                           ", which cannot reach the sockets: " + closed.native() +
                           " is closed to it. Workers of other uids need the system's broker.");
    }
    return warnings;
}

} // namespace credlease::settings
