#pragma once

#include "outbound/outbound.hpp"
#include "support/temporary_folder.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <sys/types.h>

namespace credlease::outbound::test {

/// provider.py in a process of its own: its memory is not this one's. One for all tests of the program.
class Provider {
  public:
    static const Provider& get();
    Provider(const Provider&) = delete;
    Provider& operator=(const Provider&) = delete;
    ~Provider();

    [[nodiscard]] std::string url(const std::string& listener, const std::string& path,
                                  const std::string& host = "127.0.0.1") const;
    [[nodiscard]] std::filesystem::path ca_file() const { return folder_.path() / "ca.pem"; }

  private:
    Provider();
    credlease::test::TemporaryFolder folder_;
    std::map<std::string, std::uint16_t> ports_;
    pid_t pid_ = -1;
    int alive_ = -1; ///< the provider ends when this is closed
};

} // namespace credlease::outbound::test
