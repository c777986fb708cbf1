#include "cli/secret_file.hpp"

#include "cli/invocation.hpp"
#include "cli/terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U // Linux 6.3, newer than Debian 12's headers
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 // Linux 5.1
#endif

namespace credlease::cli {
namespace {

constexpr std::size_t most = std::size_t{256} * 1024; ///< four times the largest field

Error no_memory_file() { return usage(std::string("No sealed memory can be made: ") + std::strerror(errno) + "."); }

int make_memory(unsigned flags) {
    const int number = memfd_create("credlease", MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | flags);
    return number < 0 && errno == EINVAL ? memfd_create("credlease", MFD_ALLOW_SEALING | flags) : number;
}

} // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) close(number_);
}

SecretFile::SecretFile(SecretFile&& other) noexcept
    : kind_(other.kind_), own_(std::move(other.own_)), shown_(std::move(other.shown_)),
      mapped_(std::exchange(other.mapped_, {})) {}

SecretFile::~SecretFile() {
    if (!mapped_.empty()) munmap(mapped_.data(), mapped_.size());
}

Result<SecretFile> SecretFile::make(Kind kind) {
    Descriptor memory(make_memory(kind == Kind::sealed ? 0 : MFD_CLOEXEC));
    if (memory.number() < 0) return no_memory_file();
    if (kind == Kind::sealed) return SecretFile(kind, Descriptor(-1), std::move(memory));
    if (fchmod(memory.number(), 0400) != 0) return no_memory_file();
    // The command gets a descriptor that only reads: by the other one it could cut the file short.
    Descriptor shown(open(("/proc/self/fd/" + std::to_string(memory.number())).c_str(), O_RDONLY));
    if (shown.number() < 0) return no_memory_file();
    SecretFile made(kind, std::move(memory), std::move(shown));
    if (auto mapped = made.map(); !mapped) return mapped.error();
    return made;
}

/// What is mapped before the seal stays writable here, and nowhere else (fcntl(2), F_SEAL_FUTURE_WRITE).
Result<void> SecretFile::map() {
    void* const memory = mmap(nullptr, most, PROT_READ | PROT_WRITE, MAP_SHARED, own_.number(), 0);
    if (memory == MAP_FAILED) return no_memory_file();
    mapped_ = {static_cast<char*>(memory), most};
    if (fcntl(own_.number(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0) return no_memory_file();
    return {};
}

Result<void> SecretFile::put(std::string_view text) {
    if (kind_ == Kind::sealed) return seal(text);
    if (text.size() > most || ftruncate(own_.number(), static_cast<off_t>(text.size())) != 0) return no_memory_file();
    std::ranges::copy(text, mapped_.begin());
    return {};
}

Result<void> SecretFile::seal(std::string_view text) {
    constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    const int number = shown_.number();
    const bool written = write_all(number, text) && lseek(number, 0, SEEK_SET) == 0;
    if (!written || fchmod(number, 0400) != 0 || fcntl(number, F_ADD_SEALS, seals) != 0) return no_memory_file();
    return {};
}

} // namespace credlease::cli
