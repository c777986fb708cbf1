#include "oauth/provider_text.hpp"

#include "oauth/form.hpp"
#include "secret/wipe.hpp"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <bitset>

namespace credlease::oauth {
namespace {

constexpr std::size_t run = 8;
constexpr std::size_t enough = 16;
constexpr std::size_t longest_looked_at = 3 * (longest_text + run);

/// The words with percent-encoding undone, and where each character came from. It may hold secrets: on the stack,
/// wiped.
class Decoded {
  public:
    explicit Decoded(std::string_view words) {
        for (std::size_t at = 0; at < words.size() && size_ < text_.size(); ++size_) {
            const int high = at + 2 < words.size() && words[at] == '%' ? hex_digit(words[at + 1]) : -1;
            const int low = high >= 0 ? hex_digit(words[at + 2]) : -1;
            text_[size_] = low >= 0 ? static_cast<char>(high * 16 + low) : words[at];
            from_[size_] = at;
            at += low >= 0 ? 3 : 1;
        }
        from_[size_] = words.size();
    }
    ~Decoded() { secret::wipe(std::as_writable_bytes(std::span(text_))); }
    Decoded(const Decoded&) = delete;
    Decoded& operator=(const Decoded&) = delete;

    [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }
    [[nodiscard]] std::size_t from(std::size_t at) const { return from_[at]; }

  private:
    std::array<char, longest_looked_at> text_{};
    std::array<std::size_t, longest_looked_at + 1> from_{};
    std::size_t size_ = 0;
};

void for_each(const Secrets& secrets, std::span<const std::string_view> views, const auto& use) {
    for (const secret::SecretBuffer& each : secrets) {
        each.expose([&](std::span<const std::byte> bytes) { use(secret::as_text(bytes)); });
    }
    for (const std::string_view each : views) use(each);
}

/// Which characters of the words are part of a secret.
using Mask = std::bitset<longest_looked_at>;

void mark(Mask& mask, std::string_view words, const Decoded& decoded, const Runs& runs) {
    for (std::size_t at = 0; at + run <= words.size(); ++at) {
        if (!runs.hold(words.substr(at, run))) continue;
        for (std::size_t i = at; i < at + run; ++i) mask.set(i);
    }
    const std::string_view text = decoded.text();
    for (std::size_t at = 0; at + run <= text.size(); ++at) {
        if (!runs.hold(text.substr(at, run))) continue;
        for (std::size_t i = decoded.from(at); i < decoded.from(at + run); ++i) mask.set(i);
    }
}

} // namespace

result::PublicText clean(std::string_view words, std::size_t most, const Secrets& secrets,
                         std::span<const std::string_view> views) {
    words = words.substr(0, longest_looked_at);
    Mask mask;
    {
        const Decoded decoded(words);
        mark(mask, words, decoded, Runs(run, secrets, views));
    }
    std::string shown;
    for (std::size_t at = 0; at < words.size() && shown.size() < most; ++at) {
        const bool is_printable = words[at] >= 0x20 && words[at] < 0x7f;
        shown += mask.test(at) ? '*' : is_printable ? words[at] : '?';
    }
    return result::PublicText::of(shown);
}

Runs::Runs(std::size_t size, const Secrets& secrets, std::span<const std::string_view> views) : size_(size) {
    constexpr std::size_t marks_of_one = 64; // so many for a run that few are there by chance
    crypto_shorthash_keygen(key_.data());
    std::size_t count = 0;
    for_each(secrets, views, [&](std::string_view secret) { count += secret.size(); });
    marks_.resize(std::bit_ceil(count * marks_of_one + 1));
    for_each(secrets, views, [&](std::string_view secret) {
        for (std::size_t at = 0; at + size_ <= secret.size(); ++at) {
            for (const std::size_t place : places_of(secret.substr(at, size_))) marks_[place] = true;
        }
    });
    secret::wipe_traces();
}

bool Runs::hold(std::string_view text) const {
    return std::ranges::all_of(places_of(text), [&](std::size_t place) { return marks_[place]; });
}

std::array<std::size_t, 3> Runs::places_of(std::string_view text) const {
    std::array<unsigned char, crypto_shorthash_BYTES> hash{};
    crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size(), key_.data());
    const auto number = std::bit_cast<std::uint64_t>(hash);
    const std::size_t mask = marks_.size() - 1;
    return {number & mask, number >> 21 & mask, number >> 42 & mask};
}

Repeats::Repeats(const Secrets& secrets, std::span<const std::string_view> views) : secrets_(secrets), views_(views) {}

bool Repeats::are_in(std::string_view value) const {
    if (hold(value)) return true;
    if (!value.contains('%')) return false;
    constexpr std::size_t across = 3 * enough; // what a piece has of the next one
    for (std::size_t at = 0; at < value.size(); at += longest_looked_at - across) {
        if (hold(Decoded(value.substr(at, longest_looked_at)).text())) return true;
    }
    return false;
}

bool Repeats::hold_a_run_of(std::string_view text) const {
    if (text.size() < enough) return false;
    if (!runs_) runs_.emplace(enough, secrets_, views_);
    for (std::size_t at = 0; at + enough <= text.size(); ++at) {
        if (runs_->hold(text.substr(at, enough))) return true;
    }
    return false;
}

bool Repeats::hold(std::string_view text) const {
    bool found = hold_a_run_of(text);
    for_each(secrets_, views_, [&](std::string_view secret) {
        const bool is_short = secret.size() >= run && secret.size() < enough;
        found |= is_short && text.contains(secret);
    });
    return found;
}

} // namespace credlease::oauth
