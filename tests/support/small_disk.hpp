#pragma once

#include "support/temporary_folder.hpp"

#include <string>
#include <sys/mount.h>

namespace credlease::test {

/// A file system of its own in memory, so that it can be full or read-only. Needs root; `mounted()` tells.
class SmallDisk {
  public:
    explicit SmallDisk(std::size_t bytes) {
        const std::string size = "size=" + std::to_string(bytes);
        mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, size.c_str()) == 0;
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk() {
        if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
    }

    [[nodiscard]] bool mounted() const { return mounted_; }
    [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }

  private:
    TemporaryFolder folder_;
    bool mounted_ = false;
};

} // namespace credlease::test
