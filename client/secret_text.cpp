#include "client/secret_text.hpp"

#include "client/memory.hpp"
#include "client/refusal.hpp"
#include "client/secret_reading.hpp"

#include <algorithm>

namespace credlease {
namespace {

constexpr std::size_t text_most = std::size_t{64} << 10;

Result<SecretText> made_of(Result<client::GrowingSecret> read) {
    if (!read) return read.error();
    return Access::make(std::move(read).value().take());
}

} // namespace

SecretText::SecretText() = default;
SecretText::~SecretText() {
    if (state_ && state_->process != client::this_process()) client::abandon(state_);
}
SecretText::SecretText(SecretText&&) noexcept = default;
SecretText& SecretText::operator=(SecretText&& other) noexcept {
    const SecretText old(std::move(*this));
    state_ = std::move(other.state_);
    return *this;
}

Result<SecretText> SecretText::copy_of(std::string_view text) {
    return filled(text.size(), [&](std::span<char> room) { std::ranges::copy(text, room.begin()); });
}

Result<SecretText> SecretText::read_from(int descriptor) {
    return client::at_the_boundary([&] { return made_of(client::read_all(descriptor, text_most)); });
}

Result<SecretText> SecretText::read_line(int descriptor) {
    return client::at_the_boundary([&] { return made_of(client::read_one_line(descriptor, text_most)); });
}

Result<SecretText> SecretText::filled(std::size_t size, const std::function<void(std::span<char>)>& fill) {
    return client::at_the_boundary([&]() -> Result<SecretText> {
        auto room = client::Memory::of_this_process().make(size, secret::Share::leases);
        if (!room) return room.error();
        room->expose_to_write(
            [&](std::span<std::byte> bytes) { fill({reinterpret_cast<char*>(bytes.data()), bytes.size()}); });
        return Access::make(std::move(*room));
    });
}

void SecretText::cut_newline() {
    std::string_view kept = view();
    if (!kept.ends_with('\n')) return;
    kept.remove_suffix(kept.ends_with("\r\n") ? 2 : 1);
    state_->bytes.shrink(kept.size());
}

std::size_t SecretText::size() const { return view().size(); }

std::string_view SecretText::view() const {
    if (!state_ || state_->process != client::this_process()) return {};
    return state_->bytes.expose([](std::span<const std::byte> bytes) { return secret::as_text(bytes); });
}

} // namespace credlease
