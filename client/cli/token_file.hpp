#pragma once

#include "credlease/client.hpp"

#include <optional>
#include <string>
#include <sys/types.h>

namespace credlease::cli {

/// The file that a token is to go into: mode 0600, made beside its place before there is a token, so that what forbids
/// it is known in time, and put in its place whole or not at all. What is there already is never replaced.
class TokenFile {
  public:
    /// `reader`: whose processes are to read it; root hands the file to that account.
    [[nodiscard]] static Result<TokenFile> make(const std::string& path, std::optional<uid_t> reader);
    ~TokenFile();
    TokenFile(TokenFile&& other) noexcept;
    TokenFile& operator=(TokenFile&&) = delete;

    /// Writes the token and a newline, and puts the file in its place.
    Result<void> publish(const SecretText& token) const;
    /// False where only this account can read it, and `reader` is another.
    [[nodiscard]] bool is_readable_as_wanted() const { return is_readable_; }

  private:
    TokenFile(std::string path, std::string beside, int descriptor)
        : path_(std::move(path)), beside_(std::move(beside)), descriptor_(descriptor) {}

    std::string path_;
    std::string beside_;
    int descriptor_;
    bool is_readable_ = true;
};

} // namespace credlease::cli
