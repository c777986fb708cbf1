#include "attestation/executable_hashes.hpp"

#include "attestation/process.hpp"
#include "runtime/behind_leases.hpp"

#include <sodium/crypto_hash_sha256.h>

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace credlease::attestation {
namespace {

constexpr std::size_t block_size = std::size_t{16} << 10; ///< about forty microseconds
constexpr std::size_t part_size = std::size_t{4} << 20;   ///< about ten milliseconds

std::optional<ExecutableHashes::File> file_of(const Peer& peer) {
    const auto executable = executable_of(peer);
    struct stat info{};
    if (!executable || ::stat(ProcPath(peer.pid, "exe").text(), &info) != 0) return std::nullopt;
    const ExecutableHashes::File file{.executable = {.device = info.st_dev, .inode = info.st_ino},
                                      .size = info.st_size,
                                      .changed_seconds = info.st_ctim.tv_sec,
                                      .changed_nanoseconds = info.st_ctim.tv_nsec};
    if (file.executable != *executable) return std::nullopt;
    return file;
}

} // namespace

std::optional<ExecutableHashes::Hash> ExecutableHashes::find(const Peer& peer) const {
    const auto file = file_of(peer);
    const auto known = file ? known_.find(*file) : known_.end();
    return known == known_.end() ? std::nullopt : std::optional(known->second);
}

struct ExecutableHashes::Making::State {
    std::shared_ptr<const Peer> peer;
    std::optional<File> file{};
    Descriptor open_file{};
    crypto_hash_sha256_state hashing{};
    std::optional<Hash> hash{};

    bool open();
};

bool ExecutableHashes::Making::State::open() {
    file = file_of(*peer);
    if (!file || file->size > largest) return false;
    open_file = open_executable(*peer);
    crypto_hash_sha256_init(&hashing);
    return open_file.open();
}

ExecutableHashes::Making::Making(std::shared_ptr<const Peer> peer)
    : state_(std::make_unique<State>(State{.peer = std::move(peer)})) {}
ExecutableHashes::Making::~Making() = default;

bool ExecutableHashes::Making::read_part() {
    if (!state_->open_file.open() && !state_->open()) return false;
    std::array<unsigned char, block_size> block; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read(2)
    for (std::size_t read = 0; read < part_size;) {
        const ssize_t got = ::read(state_->open_file.number(), block.data(), block.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        if (got == 0) {
            crypto_hash_sha256_final(&state_->hashing, state_->hash.emplace().data());
            return false;
        }
        crypto_hash_sha256_update(&state_->hashing, block.data(), static_cast<unsigned long long>(got));
        read += static_cast<std::size_t>(got);
        runtime::give_way();
    }
    return state_->peer->is_alive();
}

std::optional<ExecutableHashes::Hashed> ExecutableHashes::Making::made() const {
    if (!state_->hash || file_of(*state_->peer) != state_->file) return std::nullopt;
    return Hashed{.file = *state_->file, .hash = *state_->hash};
}

void ExecutableHashes::keep(const Hashed& hashed) {
    if (known_.size() >= most) known_.clear();
    known_[hashed.file] = hashed.hash;
}

} // namespace credlease::attestation
