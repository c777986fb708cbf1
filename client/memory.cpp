#include "client/memory.hpp"

#include "client/process.hpp"
#include "client/refusal.hpp"
#include "wire/json_reader.hpp"

#include <boost/json/serializer.hpp>
#include <boost/json/static_resource.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace credlease::client {
namespace {

constexpr std::size_t first_arena = std::size_t{256} << 10;
constexpr std::size_t next_arena = std::size_t{1} << 20;
constexpr std::size_t arenas_most = 32;
constexpr std::size_t largest_json = std::size_t{4} << 20;

Result<std::unique_ptr<secret::Arena>> open_arena(std::size_t size) {
    auto made =
        secret::Arena::make({.choice = secret::ArenaOptions::Choice::mlock, .size = size, .allow_unlocked = true});
    if (!made) return from(made.error());
    return std::move(*made);
}

Error all_taken() {
    return misconfigured("The library's memory for secrets is full.",
                         "Let go of leases and secrets that are done with.");
}

} // namespace

Memory& Memory::of_this_process() {
    struct Owned {
        ProcessMark process = this_process();
        Memory memory;
    };
    // Never destroyed: leases in static storage may outlive whatever is.
    static std::atomic<Owned*> owned{new Owned};
    Owned* current = owned.load();
    if (current->process == this_process()) return current->memory;
    auto fresh = std::make_unique<Owned>();
    if (owned.compare_exchange_strong(current, fresh.get())) current = fresh.release();
    return current->memory;
}

Result<secret::SecretBuffer> Memory::make(std::size_t size, secret::Share share) {
    const std::lock_guard alone(lock_);
    for (const auto& arena : arenas_) {
        if (auto made = secret::SecretBuffer::make(*arena, size, share)) return std::move(*made);
    }
    if (arenas_.size() == arenas_most) return all_taken();
    constexpr std::size_t smallest_share = 8; // a share is at least an eighth of its arena
    const std::size_t wanted = secret::Arena::slot_size(size) * smallest_share;
    auto arena = open_arena(std::max(arenas_.empty() ? first_arena : next_arena, wanted));
    if (!arena) return arena.error();
    arenas_.push_back(std::move(*arena));
    auto made = secret::SecretBuffer::make(*arenas_.back(), size, share);
    if (!made) return from(made.error());
    return std::move(*made);
}

Result<void> GrowingSecret::reserve(std::size_t size) {
    if (size > most_ - std::min(size_, most_)) {
        return not_sent("", "The text is too long: at most " + std::to_string(most_) + " bytes.");
    }
    const std::size_t needed = size_ + size;
    if (needed <= buffer_.size()) return {};
    auto larger = Memory::of_this_process().make(secret::Arena::slot_size(needed), secret::Share::leases);
    if (!larger) return larger.error();
    buffer_.expose([&](std::span<const std::byte> old) {
        larger->expose_to_write([&](std::span<std::byte> room) { std::copy_n(old.begin(), size_, room.begin()); });
    });
    buffer_ = std::move(*larger);
    return {};
}

Result<void> GrowingSecret::append(std::string_view bytes) {
    if (auto reserved = reserve(bytes.size()); !reserved) return reserved;
    fill([&](char* room, std::size_t) {
        std::copy(bytes.begin(), bytes.end(), room);
        return static_cast<ssize_t>(bytes.size());
    });
    return {};
}

void GrowingSecret::drop_front(std::size_t size) {
    buffer_.expose_to_write([&](std::span<std::byte> bytes) {
        const auto kept = bytes.first(size_).subspan(size);
        std::memmove(bytes.data(), kept.data(), kept.size());
        secret::wipe(bytes.first(size_).last(size));
    });
    size_ -= size;
}

void GrowingSecret::cut_newline() {
    const std::size_t kept = expose([](std::string_view text) {
        if (text.ends_with('\n')) text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
        return text.size();
    });
    buffer_.expose_to_write([&](std::span<std::byte> bytes) { secret::wipe(bytes.first(size_).subspan(kept)); });
    size_ = kept;
}

secret::SecretBuffer GrowingSecret::take() && {
    buffer_.shrink(size_);
    return std::move(buffer_);
}

Result<void> with_json(std::string_view text, const std::function<Result<void>(const boost::json::value&)>& use) {
    for (std::size_t size = std::max<std::size_t>(4096, text.size() * 4); size <= largest_json; size *= 2) {
        auto memory = Memory::of_this_process().make(size, secret::Share::work);
        if (!memory) return memory.error();
        std::optional<Result<void>> used;
        std::optional<result::Error> failed;
        memory->expose_to_write([&](std::span<std::byte> bytes) {
            boost::json::static_resource resource(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size());
            auto value = wire::read_json(text, &resource);
            if (value) {
                used = use(*value);
            } else {
                failed = std::move(value.error());
            }
        });
        if (used) return *used;
        if (failed->code != result::ErrorCode::payload_too_large) return from(*failed);
    }
    return unexpected("The JSON text is too large.");
}

Result<void> show_value(const boost::json::value& value, const std::function<void(std::string_view)>& use) {
    if (const auto* text = value.if_string()) {
        use(*text);
        return {};
    }
    GrowingSecret written(largest_json);
    boost::json::serializer serializer;
    serializer.reset(&value);
    while (!serializer.done()) {
        if (auto reserved = written.reserve(1024); !reserved) return reserved;
        written.fill(
            [&](char* room, std::size_t size) { return static_cast<ssize_t>(serializer.read(room, size).size()); });
    }
    written.expose(use);
    return {};
}

} // namespace credlease::client
