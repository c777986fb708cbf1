#include "support/daemon/durable_memory.hpp"

#include <algorithm>
#include <array>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace credlease::tests {
namespace {

constexpr std::size_t page_size = 4096;

/// A descriptor of its own.
class Opened {
  public:
    explicit Opened(int number) : number_(number) {}
    ~Opened() {
        if (number_ >= 0) ::close(number_);
    }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;
    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] bool is_open() const { return number_ >= 0; }

  private:
    int number_;
};

struct Inode {
    std::string key;
    mode_t mode = 0;
};

std::optional<Inode> inode_at(int folder, const char* name) {
    struct statx shown{};
    const int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
    if (::statx(folder, name, flags, STATX_BASIC_STATS | STATX_BTIME, &shown) != 0) return std::nullopt;
    return Inode{.key = std::to_string(shown.stx_ino) + "-" + std::to_string(shown.stx_btime.tv_sec) + "." +
                        std::to_string(shown.stx_btime.tv_nsec),
                 .mode = shown.stx_mode};
}

using Entries = std::map<std::string, Inode>; ///< by name

/// Files and folders: sockets and the like are nothing that a disk keeps.
Entries entries_of(int folder) {
    Entries entries;
    const int again = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const listing = again < 0 ? nullptr : ::fdopendir(again);
    if (listing == nullptr) return entries;
    while (const auto* entry = ::readdir(listing)) {
        const std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        const auto inode = inode_at(folder, name.c_str());
        if (inode && (S_ISREG(inode->mode) || S_ISDIR(inode->mode))) entries.emplace(name, *inode);
    }
    ::closedir(listing);
    return entries;
}

std::string as_text(const Entries& entries) {
    std::string text;
    for (const auto& [name, inode] : entries) text += inode.key + " " + std::to_string(inode.mode) + " " + name + "\n";
    return text;
}

std::string bytes_of(int file) {
    std::string bytes;
    std::array<char, 65536> room{};
    for (off_t at = 0;;) {
        const auto size = ::pread(file, room.data(), room.size(), at);
        if (size <= 0) return bytes;
        bytes.append(room.data(), static_cast<std::size_t>(size));
        at += size;
    }
}

std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Entries entries_in(const std::filesystem::path& written) {
    Entries entries;
    std::ifstream in(written);
    for (std::string key, name; in >> key;) {
        mode_t mode = 0;
        in >> mode;
        std::getline(in.ignore(1), name);
        entries.emplace(name, Inode{.key = key, .mode = mode});
    }
    return entries;
}

/// What the kernel showed when the power went.
struct Shown {
    std::map<std::string, std::string> files; ///< by key
    std::map<std::string, Entries> folders;

    void look(int folder) {
        const auto self = inode_at(folder, "");
        auto entries = entries_of(folder);
        for (const auto& [name, inode] : entries) {
            const Opened opened(::openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC));
            if (!opened.is_open()) continue;
            if (S_ISDIR(inode.mode))
                look(opened.number());
            else
                files.emplace(inode.key, bytes_of(opened.number()));
        }
        folders.emplace(self->key, std::move(entries));
    }
};

/// One power loss.
class Loss {
  public:
    Loss(const std::filesystem::path& memory, Shown shown, DurableMemory::Rest rest, std::mt19937& random)
        : memory_(memory), shown_(std::move(shown)), rest_(rest), random_(random) {}

    void make_folder(const std::string& key, const std::filesystem::path& path) {
        for (const auto& [name, inode] : entries_after(key)) {
            const auto place = path / name;
            if (S_ISDIR(inode.mode)) {
                std::filesystem::create_directory(place);
                make_folder(inode.key, place);
            } else {
                std::ofstream(place, std::ios::binary) << file_after(inode.key);
            }
            ::chmod(place.c_str(), inode.mode & 07777U);
        }
    }

  private:
    bool by_chance() { return rest_ == DurableMemory::Rest::by_chance && random_() % 2 == 0; }

    Entries entries_after(const std::string& key) {
        const auto synced = entries_in(memory_ / key);
        const auto& last = shown_.folders[key];
        std::set<std::string> names;
        for (const auto& [name, inode] : synced) names.insert(name);
        for (const auto& [name, inode] : last) names.insert(name);
        Entries after;
        for (const auto& name : names) {
            const auto& from = by_chance() ? last : synced;
            if (const auto found = from.find(name); found != from.end()) after.insert(*found);
        }
        return after;
    }

    std::string file_after(const std::string& key) {
        const auto synced = bytes_of(memory_ / key);
        const auto& last = shown_.files.contains(key) ? shown_.files[key] : synced;
        std::string after = synced;
        for (std::size_t at = 0; at < std::min(synced.size(), last.size()); at += page_size) {
            if (!by_chance()) continue;
            const auto size = std::min({page_size, synced.size() - at, last.size() - at});
            after.replace(at, size, last, at, size);
        }
        if (last.size() > synced.size() && by_chance()) {
            after.append(last, synced.size(), random_() % (last.size() - synced.size() + 1));
        }
        return after;
    }

    const std::filesystem::path& memory_;
    Shown shown_;
    DurableMemory::Rest rest_;
    std::mt19937& random_;
};

} // namespace

bool DurableMemory::note_sync(int descriptor) const {
    const auto inode = inode_at(descriptor, "");
    if (!inode) return false;
    std::string bytes;
    if (S_ISDIR(inode->mode)) {
        bytes = as_text(entries_of(descriptor));
    } else {
        const Opened readable(::open(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), O_RDONLY | O_CLOEXEC));
        if (!readable.is_open()) return false;
        bytes = bytes_of(readable.number());
    }
    const auto next = folder_ / (inode->key + "." + std::to_string(::gettid()));
    std::ofstream out(next, std::ios::binary);
    out << bytes;
    out.close();
    std::error_code failed;
    std::filesystem::rename(next, folder_ / inode->key, failed);
    return out.good() && !failed;
}

bool DurableMemory::note_all(const std::filesystem::path& path) const {
    const Opened opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened.is_open() || !note_sync(opened.number())) return false;
    if (!std::filesystem::is_directory(path)) return true;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
        if ((entry.is_directory() || entry.is_regular_file()) && !note_all(entry.path())) return false;
    }
    return true;
}

void DurableMemory::lose_power(const std::filesystem::path& path, Rest rest, std::mt19937& random) const {
    const auto after = path.native() + ".after";
    {
        const Opened top(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        const auto inode = inode_at(top.number(), "");
        if (!inode) throw std::runtime_error("No folder: " + path.native());
        Shown shown;
        shown.look(top.number());
        std::filesystem::create_directory(after);
        ::chmod(after.c_str(), inode->mode & 07777U);
        Loss(folder_, std::move(shown), rest, random).make_folder(inode->key, after);
    }
    std::filesystem::remove_all(path);
    std::filesystem::rename(after, path);
}

} // namespace credlease::tests
