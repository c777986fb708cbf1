#pragma once

#include <filesystem>
#include <string>

namespace credlease::tests {

struct HttpsAnswer {
    unsigned status = 0;
    std::string body;
};

/// Posts a form to a server on loopback over TLS, on a connection of its own; throws when no answer comes.
[[nodiscard]] HttpsAnswer https_post(const std::string& origin, const std::string& path, const std::string& form,
                                     const std::filesystem::path& ca_file);

} // namespace credlease::tests
