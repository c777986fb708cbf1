#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

namespace credlease::broker {

/// An OAuth client at a provider. Whose it is counts: who names a client of others slows down only itself.
struct ClientKey {
    std::string owner{}; ///< a scope, or the organization for one service
    std::string host{};
    std::string client_id{};
};

/// Stands for a ClientKey in 16 bytes, however long that is.
struct ClientMark {
    std::array<std::uint64_t, 2> words{};
    auto operator<=>(const ClientMark&) const = default;
    struct Hash {
        std::size_t operator()(const ClientMark& mark) const noexcept { return mark.words[0]; }
    };
};

/// Makes marks under a key of its own (BLAKE2b, RFC 7693), so that nobody can look for two clients that share one.
class ClientMarks {
  public:
    ClientMarks();
    [[nodiscard]] ClientMark of(const ClientKey& client) const;

  private:
    std::array<unsigned char, 32> key_{};
};

} // namespace credlease::broker
