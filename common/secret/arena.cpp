#include "secret/arena.hpp"

#include "secret/region.hpp"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <sys/resource.h>
#include <utility>

namespace credlease::secret {
namespace {

using result::ErrorCode;
using result::PublicText;
using Choice = ArenaOptions::Choice;
using Mapped = std::expected<LockedMapping, MappingFailure>;

constexpr std::size_t smallest_arena = std::size_t{256} << 10;

/// Each share's part of the arena: 1/N. The larger come first, so that each lies at a multiple of its size.
struct Part {
    Share share;
    std::size_t one_in;
};
constexpr std::array<Part, share_count> parts = {
    {{Share::bodies, 4}, {Share::work, 4}, {Share::leases, 4}, {Share::tokens, 8}, {Share::keys, 8}}};
static_assert([] {
    std::size_t eighths = 0;
    for (const Part& part : parts) eighths += 8 / part.one_in;
    return eighths == 8;
}());

std::size_t index_of(Share share) { return static_cast<std::size_t>(share); }

std::string kib(std::size_t bytes) { return std::to_string(bytes >> 10) + " KiB"; }

result::Failure refuse_limit(std::size_t needed) {
    rlimit limit{};
    const bool known = getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    const std::string allowed = known ? kib(limit.rlim_cur) + " allowed" : "limit unknown";
    return result::refuse({.code = ErrorCode::configuration,
                           .sentence = "The memory for keys and secrets cannot be locked: RLIMIT_MEMLOCK is too low.",
                           .next_step = "Raise it (LimitMEMLOCK= in the systemd unit, or ulimit -l).",
                           .about = PublicText::of(kib(needed) + " needed, " + allowed)});
}

result::Failure refuse(const MappingFailure& failure, std::size_t size) {
    using Kind = MappingFailure::Kind;
    if (failure.kind == Kind::over_limit) return refuse_limit(size);
    const auto why = PublicText::of(std::strerror(failure.error));
    if (failure.kind == Kind::unavailable) {
        return result::refuse({.code = ErrorCode::configuration,
                               .sentence = "This kernel, or the system call filter, does not give memfd_secret memory.",
                               .next_step = "Choose arena = \"auto\" or \"mlock\", or start the kernel with "
                                            "secretmem.enable=1.",
                               .about = why});
    }
    return result::refuse({.code = ErrorCode::configuration,
                           .sentence = "The memory for keys and secrets cannot be set up.",
                           .next_step = "Free memory or file descriptors, then start again.",
                           .about = why});
}

/// memfd_secret where it is to be had, else mlock.
Mapped map_best(std::size_t size) {
    auto mapped = LockedMapping::make(size, Backing::memfd_secret);
    const bool try_next = !mapped && mapped.error().kind == MappingFailure::Kind::unavailable;
    return try_next ? LockedMapping::make(size, Backing::mlock) : std::move(mapped);
}

/// The largest of `size`, `size`/2, … that the limit allows.
Mapped map_what_fits(std::size_t size) {
    auto mapped = map_best(size);
    while (!mapped && mapped.error().kind == MappingFailure::Kind::over_limit && size > smallest_arena) {
        size /= 2;
        mapped = map_best(size);
    }
    return mapped;
}

Mapped map_as_chosen(const ArenaOptions& options) {
    switch (options.choice) {
    case Choice::automatic:
        return map_what_fits(options.size);
    case Choice::memfd_secret:
        return LockedMapping::make(options.size, Backing::memfd_secret);
    case Choice::mlock:
        return LockedMapping::make(options.size, Backing::mlock);
    }
    std::unreachable();
}

} // namespace

Arena::Arena(LockedMapping mapping) : mapping_(std::move(mapping)) {
    std::size_t at = 0;
    for (const Part& part : parts) {
        const std::size_t size = mapping_.size() / part.one_in;
        regions_[index_of(part.share)] = std::make_unique<Region>(std::span(mapping_.data() + at, size));
        at += size;
    }
}

Arena::~Arena() = default;

result::Result<std::unique_ptr<Arena>> Arena::make(const ArenaOptions& options) {
    if (options.size < smallest_arena || !std::has_single_bit(options.size)) {
        return result::refuse({.code = ErrorCode::configuration,
                               .sentence = "The arena's size must be a power of two of at least 256 KiB.",
                               .next_step = "Set [memory] size to \"4MiB\".",
                               .about = PublicText::of(kib(options.size))});
    }
    if (sodium_init() < 0) {
        return result::refuse({.code = ErrorCode::configuration,
                               .sentence = "libsodium cannot start: the kernel gives no random numbers.",
                               .next_step = "Make /dev/urandom readable."});
    }
    auto mapped = map_as_chosen(options);
    const bool unlocked = !mapped && options.allow_unlocked;
    if (unlocked) mapped = LockedMapping::make(options.size, Backing::unlocked);
    if (!mapped) {
        const std::size_t needed = options.choice == Choice::automatic ? smallest_arena : options.size;
        return refuse(mapped.error(), needed);
    }
    return std::unique_ptr<Arena>(new Arena(std::move(*mapped)));
}

std::span<std::byte> Arena::allocate(std::size_t size, Share share) noexcept {
    if (!mapping_.is_ours()) return {};
    return regions_[index_of(share)]->allocate(size);
}

void Arena::release(std::span<std::byte> slot) noexcept {
    if (slot.empty() || !mapping_.is_ours()) return;
    const auto region = std::ranges::find_if(regions_, [&](const auto& each) { return each->contains(slot.data()); });
    if (region == regions_.end()) std::abort();
    (*region)->release(slot);
}

std::size_t Arena::share_size(Share share) const { return regions_[index_of(share)]->size(); }

std::size_t Arena::used(Share share) const { return regions_[index_of(share)]->used(); }

bool Arena::contains(const void* address) const {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    const auto begin = reinterpret_cast<std::uintptr_t>(mapping_.data());
    return at >= begin && at - begin < mapping_.size();
}

std::size_t Arena::slot_size(std::size_t size) {
    constexpr std::size_t largest = std::numeric_limits<std::size_t>::max() / 2 + 1;
    return size > largest ? size : std::bit_ceil(std::max(size, smallest_slot));
}

} // namespace credlease::secret
