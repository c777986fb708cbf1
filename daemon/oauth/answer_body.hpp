#pragma once

#include "catalog/oauth.hpp"
#include "outbound/outbound.hpp"
#include "result/result.hpp"
#include "vocabulary/time.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace credlease::oauth {

/// A provider's answer as one JSON object or list in the arena; a form-encoded one has its parameters as members. What
/// it shows are views of the arena that die with it.
class AnswerBody {
  public:
    /// Looks at the bytes, not at what the content type claims, except that a form must be called one (or plain text).
    /// nullopt for what is neither; `overloaded` where the arena has no room now: the answer can be read again.
    [[nodiscard]] static result::Result<std::optional<AnswerBody>> read(const outbound::Answer& answer,
                                                                        secret::Arena& arena);

    [[nodiscard]] bool is_list() const { return root_.is_array(); }
    /// A member's text; empty where it is none.
    [[nodiscard]] std::string_view text(const catalog::Pointer& at) const;
    /// A whole number or boolean as text: for codes that are none. Empty for a text.
    [[nodiscard]] std::string word(const catalog::Pointer& at) const;
    [[nodiscard]] bool is_false(const catalog::Pointer& at) const;
    /// A whole number, or the digits of one in a text; a fraction is cut off.
    [[nodiscard]] std::optional<std::int64_t> number(const catalog::Pointer& at) const;
    /// RFC 3339, or the seconds (milliseconds, if it is that large) since 1970.
    [[nodiscard]] std::optional<vocabulary::Time> time(const catalog::Pointer& at) const;
    /// A text's words, or the texts of a list.
    [[nodiscard]] std::optional<std::vector<std::string_view>> words(const catalog::Pointer& at) const;

  private:
    explicit AnswerBody(boost::json::value root) : root_(std::move(root)) {}
    [[nodiscard]] const boost::json::value* find(const catalog::Pointer& at) const;

    boost::json::value root_;
};

} // namespace credlease::oauth
