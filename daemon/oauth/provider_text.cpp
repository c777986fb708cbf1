#include "oauth/provider_text.hpp"

#include "oauth/form.hpp"
#include "secret/wipe.hpp"

#include <algorithm>
#include <array>
#include <bitset>

namespace credlease::oauth {
namespace {

constexpr std::size_t run = 8;
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

/// Which characters of the words are part of a secret.
using Mask = std::bitset<longest_looked_at>;

void mark(Mask& mask, std::string_view words, const Decoded& decoded, std::string_view secret) {
    if (secret.size() < run) return;
    for (std::size_t at = 0; at + run <= words.size(); ++at) {
        if (!secret.contains(words.substr(at, run))) continue;
        for (std::size_t i = at; i < at + run; ++i) mask.set(i);
    }
    const std::string_view text = decoded.text();
    for (std::size_t at = 0; at + run <= text.size(); ++at) {
        if (!secret.contains(text.substr(at, run))) continue;
        for (std::size_t i = decoded.from(at); i < decoded.from(at + run); ++i) mask.set(i);
    }
}

void for_each(const Secrets& secrets, std::span<const std::string_view> views, const auto& use) {
    for (const secret::SecretBuffer& each : secrets) {
        each.expose([&](std::span<const std::byte> bytes) { use(secret::as_text(bytes)); });
    }
    for (const std::string_view each : views) use(each);
}

} // namespace

result::PublicText clean(std::string_view words, std::size_t most, const Secrets& secrets,
                         std::span<const std::string_view> views) {
    words = words.substr(0, longest_looked_at);
    Mask mask;
    {
        const Decoded decoded(words);
        for_each(secrets, views, [&](std::string_view secret) { mark(mask, words, decoded, secret); });
    }
    std::string shown;
    for (std::size_t at = 0; at < words.size() && shown.size() < most; ++at) {
        const bool is_printable = words[at] >= 0x20 && words[at] < 0x7f;
        shown += mask.test(at) ? '*' : is_printable ? words[at] : '?';
    }
    return result::PublicText::of(shown);
}

bool repeats_a_secret(std::string_view value, const Secrets& secrets, std::span<const std::string_view> views) {
    constexpr std::size_t enough = 16;
    bool repeats = false;
    for_each(secrets, views, [&](std::string_view secret) {
        const std::size_t window = std::min(enough, secret.size());
        if (secret.size() < run) return;
        for (std::size_t at = 0; at + window <= value.size(); ++at) {
            repeats |= secret.contains(value.substr(at, window));
        }
    });
    return repeats;
}

} // namespace credlease::oauth
