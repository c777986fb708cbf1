#pragma once

#include "credlease/client.hpp"

#include <span>
#include <string_view>
#include <utility>

namespace credlease::cli {

/// A descriptor that a command inherits; closed with this object.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    [[nodiscard]] int number() const { return number_; }

  private:
    int number_;
};

/// A file in memory (memfd_create(2)) that a command reads by its descriptor and cannot change: nobody can, or, where
/// it is to be told of new secrets, this program alone.
class SecretFile {
  public:
    enum class Kind { sealed, replaceable };
    [[nodiscard]] static Result<SecretFile> make(Kind kind);
    ~SecretFile();
    SecretFile(SecretFile&& other) noexcept;
    SecretFile& operator=(SecretFile&&) = delete;

    /// Writes the text: of a sealed file once.
    [[nodiscard]] Result<void> put(std::string_view text);
    [[nodiscard]] int number() const { return shown_.number(); } ///< the command's

  private:
    SecretFile(Kind kind, Descriptor own, Descriptor shown)
        : kind_(kind), own_(std::move(own)), shown_(std::move(shown)) {}
    [[nodiscard]] Result<void> seal(std::string_view text);
    [[nodiscard]] Result<void> map();

    Kind kind_;
    Descriptor own_; ///< of a replaceable file, closed on exec
    Descriptor shown_;
    std::span<char> mapped_{};
};

} // namespace credlease::cli
