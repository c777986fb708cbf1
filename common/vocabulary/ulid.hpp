#pragma once

#include "result/result.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace credlease::vocabulary {

/// 48 bits of milliseconds since 1970, then 80 random bits; 26 lower-case characters of Crockford's base 32.
struct Ulid {
    static constexpr std::size_t text_size = 26;

    std::uint64_t high = 0;
    std::uint64_t low = 0;

    auto operator<=>(const Ulid&) const = default;
    [[nodiscard]] std::uint64_t milliseconds() const { return high >> 16; }

    /// Writes 26 characters to `out`.
    void write_text(char* out) const;
    /// Lower or upper case; nullopt for anything that is not a ULID.
    [[nodiscard]] static std::optional<Ulid> find(std::string_view text);
};

/// Makes ULIDs that ascend within one process. Owned by the loop thread; `now` is in milliseconds since 1970.
class UlidSource {
  public:
    [[nodiscard]] Ulid next(std::uint64_t now);

  private:
    std::array<std::uint8_t, 640> pool_{};
    std::size_t used_ = sizeof pool_;
    Ulid last_{};
};

/// A ULID that names one kind of thing: `cred_…`, `lease_…`.
template <class Kind> class Id {
  public:
    static constexpr std::string_view prefix = Kind::prefix;
    static constexpr std::size_t text_size = prefix.size() + Ulid::text_size;

    constexpr Id() = default;
    constexpr explicit Id(Ulid value) : value_(value) {}

    [[nodiscard]] const Ulid& value() const { return value_; }
    [[nodiscard]] std::string text() const {
        std::string made(text_size, '\0');
        write_text(made.data());
        return made;
    }
    /// Writes `text_size` characters to `out`.
    void write_text(char* out) const {
        prefix.copy(out, prefix.size());
        value_.write_text(out + prefix.size());
    }
    [[nodiscard]] static std::optional<Id> find(std::string_view text) {
        if (!text.starts_with(prefix)) return std::nullopt;
        const auto value = Ulid::find(text.substr(prefix.size()));
        return value ? std::optional<Id>(Id(*value)) : std::nullopt;
    }
    auto operator<=>(const Id&) const = default;

  private:
    Ulid value_{};
};

struct CredentialKind {
    static constexpr std::string_view prefix = "cred_";
};
struct LeaseKind {
    static constexpr std::string_view prefix = "lease_";
};
struct GrantKind {
    static constexpr std::string_view prefix = "grant_";
};
struct RequestKind {
    static constexpr std::string_view prefix = "req_";
};
using CredentialId = Id<CredentialKind>;
using LeaseId = Id<LeaseKind>;
using GrantId = Id<GrantKind>;
using RequestId = Id<RequestKind>;

} // namespace credlease::vocabulary

template <> struct std::hash<credlease::vocabulary::Ulid> {
    std::size_t operator()(const credlease::vocabulary::Ulid& id) const noexcept {
        std::uint64_t mixed = (id.high ^ 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;
        mixed ^= (id.low ^ (mixed >> 32)) * 0xc4ceb9fe1a85ec53ULL;
        return static_cast<std::size_t>(mixed ^ (mixed >> 29));
    }
};
template <class Kind> struct std::hash<credlease::vocabulary::Id<Kind>> {
    std::size_t operator()(const credlease::vocabulary::Id<Kind>& id) const noexcept {
        return std::hash<credlease::vocabulary::Ulid>{}(id.value());
    }
};
