#include "store/store.hpp"

#include "store/layout.hpp"
#include "store/state.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace credlease::store {
namespace {

namespace fs = std::filesystem;
using result::PublicText;
using result::refuse;
using result::Result;

result::Error unreadable(const fs::path& path) {
    return {.code = result::ErrorCode::configuration,
            .sentence = "The data directory can't be used.",
            .next_step = "It must belong to the broker's account and be writable.",
            .about = PublicText::of(path.string() + ": " + std::strerror(errno))};
}

/// 0700; its name is durable when this returns.
Result<> make_directory(const fs::path& directory) {
    if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) return refuse(unreadable(directory));
    const int parent = ::open(directory.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) return refuse(unreadable(directory.parent_path()));
    const bool synced = ::fsync(parent) == 0;
    ::close(parent);
    if (!synced) return refuse(unreadable(directory.parent_path()));
    return {};
}

} // namespace

Result<Lock> Lock::take(const fs::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (descriptor < 0) return refuse(unreadable(file));
    Lock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        return refuse({.code = result::ErrorCode::configuration,
                       .sentence = "Another broker is using this data directory.",
                       .next_step =
                           "Stop it first, or give this one a --data-dir, and a key_file and head_file of its own in "
                           "a --config.",
                       .about = PublicText::of(file.parent_path().string())});
    }
    return lock;
}

Lock::~Lock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const fs::path& data) {
    if (auto made = make_directory(data); !made) return refuse(std::move(made.error()));
    auto lock = Lock::take(data / "lock");
    if (!lock) return refuse(std::move(lock.error()));
    if (auto made = make_directory(data / "store"); !made) return refuse(std::move(made.error()));
    auto rocks = Rocks::open(data / "store");
    if (!rocks) return refuse(std::move(rocks.error()));
    auto state = std::make_unique<State>(std::move(*lock), std::move(*rocks));
    return std::unique_ptr<Store>(new Store(std::move(state)));
}

bool Store::is_empty() const {
    bool empty = true;
    const auto behind_headers = std::string(1, header_prefix + 1);
    const auto read =
        state_->rocks->read_from(behind_headers, [&](std::string_view, std::string_view) { return empty = false; });
    return read.has_value() && empty;
}

Result<std::optional<std::string>> Store::read_header(std::string_view name) const {
    return state_->rocks->get(header_key(name));
}

Result<> Store::write_headers(const std::vector<std::pair<std::string, std::string>>& values) {
    rocksdb::WriteBatch batch;
    for (const auto& [name, value] : values) batch.Put(header_key(name), value);
    if (auto written = state_->rocks->write(batch); !written) return written;
    return state_->rocks->sync();
}

const std::vector<DamagedRecord>& Store::damaged() const { return state_->damaged; }
const mac::SetHash& Store::set_hash() const { return state_->set; }
std::size_t Store::records() const { return state_->live.size(); }

Result<> Store::sync() { return state_->rocks->sync(); }

void Store::unload() {
    state_->keys.reset();
    state_->live = {};
    state_->set = {};
    state_->damaged.clear();
    state_->damaged_keys.clear();
}

} // namespace credlease::store
