#pragma once

#include "result/result.hpp"
#include "vocabulary/time.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::catalog {

/// What is wrong with an entry: the first thing found, with its file and member ("acme.json: auth[0].fields[2].type").
class EntryProblem {
  public:
    explicit EntryProblem(std::string_view file) : file_(file) {}

    void note(std::string_view member, result::StaticText sentence);
    [[nodiscard]] const std::optional<result::Error>& error() const { return error_; }

  private:
    std::string file_;
    std::optional<result::Error> error_;
};

/// One object of an entry, read strictly. What is not as it must be goes to the problem and reads as empty, so that a
/// reader says what it expects and no more.
class EntryNode {
  public:
    struct Members {
        std::initializer_list<std::string_view> required;
        std::initializer_list<std::string_view> optional;
    };
    EntryNode(const boost::json::value& value, std::string path, EntryProblem& problem, const Members& members);

    [[nodiscard]] const boost::json::value* find(std::string_view member) const;
    /// 1–256 characters without control characters; "" when absent.
    [[nodiscard]] std::string line(std::string_view member) const;
    /// `[a-z][a-z0-9_]{0,63}`; "" when absent.
    [[nodiscard]] std::string identifier(std::string_view member) const;
    [[nodiscard]] bool flag(std::string_view member) const;
    /// nullopt when absent.
    [[nodiscard]] std::optional<vocabulary::Duration> duration(std::string_view member) const;
    [[nodiscard]] std::optional<std::uint32_t> number(std::string_view member, std::uint32_t least,
                                                      std::uint32_t most) const;
    /// Empty when absent.
    [[nodiscard]] const boost::json::array& list(std::string_view member, std::size_t least, std::size_t most) const;

    /// Texts as of `line`.
    [[nodiscard]] std::vector<std::string> lines(std::string_view member, std::size_t most) const;

    [[nodiscard]] std::string path_of(std::string_view member) const;
    [[nodiscard]] std::string path_of(std::string_view member, std::size_t index) const;
    void refuse(std::string_view member, result::StaticText sentence) const;
    [[nodiscard]] EntryProblem& problem() const { return problem_; }

  private:
    const boost::json::object* object_ = nullptr;
    std::string path_;
    EntryProblem& problem_;
};

/// A text's length in characters, not bytes.
[[nodiscard]] std::size_t characters_of(std::string_view text);
[[nodiscard]] bool has_control_characters(std::string_view text);

} // namespace credlease::catalog
