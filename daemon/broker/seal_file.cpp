#include "broker/seal_file.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sodium.h>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace credlease::broker {
namespace {

namespace json = boost::json;
constexpr int format_here = 1;

template <std::size_t N> std::string hex_of(const std::array<std::uint8_t, N>& bytes) {
    std::string text(N * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), bytes.data(), N);
    text.pop_back();
    return text;
}

template <std::size_t N> bool read_hex(const json::value* value, std::array<std::uint8_t, N>& out) {
    if (value == nullptr || !value->is_string()) return false;
    const auto& text = value->get_string();
    std::size_t size = 0;
    return sodium_hex2bin(out.data(), N, text.data(), text.size(), nullptr, &size, nullptr) == 0 && size == N;
}

bool read_number(const json::value* value, std::uint64_t& out) {
    if (value == nullptr || !value->is_int64() || value->get_int64() <= 0) return false;
    out = static_cast<std::uint64_t>(value->get_int64());
    return true;
}

result::Failure damaged(const std::filesystem::path& file) {
    return result::refuse(
        {.code = result::ErrorCode::damaged,
         .sentence = "The file that says how the store is sealed cannot be read.",
         .next_step = "Put it back from a copy of the data folder; without it the store stays closed.",
         .about = result::PublicText::of(file.native())});
}

result::Failure not_written(const std::filesystem::path& file) {
    return result::refuse({.code = result::ErrorCode::store_unavailable,
                           .sentence = "The seal file could not be written.",
                           .next_step = "See that the data folder is writable and not full.",
                           .about = result::PublicText::of(file.native())});
}

result::Result<SealFile> read_members(const json::object& object, const std::filesystem::path& file) {
    const auto* method = object.if_contains("method");
    SealFile seal;
    if (method == nullptr || !method->is_string() || !read_hex(object.if_contains("check"), seal.check))
        return damaged(file);
    if (method->get_string() == settings::name_of(settings::SealMethod::key_file)) return seal;
    seal.method = settings::SealMethod::passphrase;
    if (method->get_string() != settings::name_of(seal.method) ||
        !read_hex(object.if_contains("salt"), seal.passphrase.salt) ||
        !read_number(object.if_contains("memory_bytes"), seal.passphrase.memory_bytes) ||
        !read_number(object.if_contains("passes"), seal.passphrase.passes)) {
        return damaged(file);
    }
    return seal;
}

bool write_synced(const std::filesystem::path& file, std::string_view text) {
    const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (out < 0) return false;
    const bool written =
        ::write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(out) == 0;
    return ::close(out) == 0 && written;
}

bool sync_folder(const std::filesystem::path& folder) {
    const int in = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (in < 0) return false;
    const bool synced = ::fsync(in) == 0;
    ::close(in);
    return synced;
}

} // namespace

std::filesystem::path seal_file_in(const std::filesystem::path& data) { return data / "seal"; }

result::Result<std::optional<SealFile>> read_seal_file(const std::filesystem::path& data) {
    const auto file = seal_file_in(data);
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        std::error_code failed;
        if (!std::filesystem::exists(file, failed) && !failed) return std::optional<SealFile>();
        return damaged(file);
    }
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    boost::system::error_code failed;
    const auto value = json::parse(text, failed);
    if (failed || !value.is_object()) return damaged(file);
    const auto* format = value.get_object().if_contains("format");
    if (format == nullptr || !format->is_int64()) return damaged(file);
    if (format->get_int64() > format_here) {
        return result::refuse({.code = result::ErrorCode::configuration,
                               .sentence = "The store was written by a newer version of Credlease.",
                               .next_step = "Start that version, or a later one.",
                               .about = result::PublicText::of(file.native())});
    }
    auto seal = read_members(value.get_object(), file);
    if (!seal) return result::refuse(std::move(seal.error()));
    return std::optional<SealFile>(std::move(*seal));
}

result::Result<> write_seal_file(const std::filesystem::path& data, const SealFile& seal) {
    json::object object;
    object["format"] = format_here;
    object["method"] = settings::name_of(seal.method);
    object["check"] = hex_of(seal.check);
    if (seal.method == settings::SealMethod::passphrase) {
        object["salt"] = hex_of(seal.passphrase.salt);
        object["memory_bytes"] = seal.passphrase.memory_bytes;
        object["passes"] = seal.passphrase.passes;
    }
    const auto file = seal_file_in(data);
    const auto fresh = data / "seal.new";
    if (!write_synced(fresh, json::serialize(object) + "\n")) return not_written(fresh);
    if (::rename(fresh.c_str(), file.c_str()) != 0 || !sync_folder(data)) return not_written(file);
    return {};
}

} // namespace credlease::broker
