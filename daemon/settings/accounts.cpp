#include "settings/accounts.hpp"

#include <cerrno>
#include <grp.h>
#include <pwd.h>
#include <vector>

namespace credlease::settings {
namespace {

/// Calls one of the reentrant look-ups, with more room as long as it asks for it; `take` reads what was found.
template <class Record, class Look, class Take>
auto look_up(Look look, Take take) -> std::optional<decltype(take(Record{}))> {
    constexpr std::size_t most = std::size_t{1} << 20;
    Record record{};
    Record* found = nullptr;
    for (std::size_t size = 4096; size <= most; size *= 2) {
        std::vector<char> room(size);
        const int failure = look(&record, room.data(), room.size(), &found);
        if (failure == 0 && found != nullptr) return take(record);
        if (failure != ERANGE) break;
    }
    return std::nullopt;
}

} // namespace

std::optional<std::uint32_t> find_uid(const std::string& user) {
    return look_up<passwd>([&](auto... into) { return ::getpwnam_r(user.c_str(), into...); },
                           [](const passwd& account) { return std::uint32_t{account.pw_uid}; });
}

std::optional<std::uint32_t> find_gid(const std::string& group) {
    return look_up<::group>([&](auto... into) { return ::getgrnam_r(group.c_str(), into...); },
                            [](const ::group& account) { return std::uint32_t{account.gr_gid}; });
}

std::optional<std::filesystem::path> find_home(std::uint32_t uid) {
    return look_up<passwd>([&](auto... into) { return ::getpwuid_r(uid, into...); },
                           [](const passwd& account) { return std::filesystem::path(account.pw_dir); });
}

} // namespace credlease::settings
