#include "audit/sealed_log.hpp"

#include "audit/encoding.hpp"
#include "audit/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace credlease::audit {
namespace {

// One letter an event, appended: whatever happens in between, an event is there whole or not at all.
constexpr char start = 's';
constexpr char stop = 'e';
constexpr char refused_unseal = 'r';

/// Beyond this it stops to count: whoever tries to unseal waits longer each time, so this is years.
constexpr std::uint64_t size_most = std::uint64_t{16} << 20;

void note(const std::filesystem::path& path, char event) {
    const auto file = File::open(path, O_RDWR | O_CREAT);
    const auto size = file ? file->size() : std::nullopt;
    if (!size || *size >= size_most) return;
    // A log that can't be written is no reason to stay sealed.
    static_cast<void>(file->write_at(std::as_bytes(std::span(&event, 1)), *size));
}

} // namespace

void SealedLog::note_start() { note(file_, start); }
void SealedLog::note_stop() { note(file_, stop); }
void SealedLog::note_refused_unseal() { note(file_, refused_unseal); }

SealedLog::Counts SealedLog::read() const {
    Counts counts;
    const auto file = File::open(file_, O_RDONLY);
    if (!file) return counts;
    Buffer events(static_cast<std::size_t>(std::min(file->size().value_or(0), size_most)));
    events.resize(file->read_at(events, 0).value_or(0));
    for (const auto event : events) {
        counts.starts += event == std::byte{start} ? 1 : 0;
        counts.stops += event == std::byte{stop} ? 1 : 0;
        counts.refused_unseals += event == std::byte{refused_unseal} ? 1 : 0;
    }
    return counts;
}

void SealedLog::clear() {
    if (const auto file = File::open(file_, O_RDWR)) static_cast<void>(file->cut(0));
}

} // namespace credlease::audit
