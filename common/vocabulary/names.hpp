#pragma once

#include "result/result.hpp"

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace credlease::vocabulary {

/// Workspace, user and engine ids: `[A-Za-z0-9][A-Za-z0-9._@-]{0,63}`.
[[nodiscard]] bool is_plain_id(std::string_view text);

/// A string of one meaning, valid by construction; `Rule::read` is the only way to make one from outside.
template <class Rule> class Name {
  public:
    Name() = default;
    /// `invalid_request` with the rule's sentence.
    [[nodiscard]] static result::Result<Name> read(std::string_view text) {
        auto checked = Rule::check(text);
        if (!checked) return result::refuse(std::move(checked.error()));
        Name made;
        made.text_ = std::move(*checked);
        return made;
    }
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] bool empty() const { return text_.empty(); }
    auto operator<=>(const Name&) const = default;

  private:
    std::string text_;
};

inline constexpr std::size_t name_characters_most = 128;
inline constexpr std::size_t name_bytes_most = 4 * name_characters_most; ///< UTF-8
inline constexpr std::size_t label_bytes_most = 128; ///< in a grant as in a lease, whose record holds it

// Each `check` returns the text in its normal form.
struct PlainIdRule {
    static result::Result<std::string> check(std::string_view text);
};
struct CredentialNameRule { ///< 1–128 characters, NFC, none that is not seen, no `cred_`, no scope prefix
    static result::Result<std::string> check(std::string_view text);
};
struct ServiceIdRule { ///< `[a-z0-9][a-z0-9-]{0,63}`
    static result::Result<std::string> check(std::string_view text);
};
struct FieldNameRule { ///< `[a-z][a-z0-9_]{0,63}`
    static result::Result<std::string> check(std::string_view text);
};
struct LabelRule { ///< workflow, run, node: as is_label
    static result::Result<std::string> check(std::string_view text);
};
struct WorkspaceRule : PlainIdRule {};
struct EngineRule : PlainIdRule {};
using WorkspaceId = Name<WorkspaceRule>;
using EngineId = Name<EngineRule>;
using CredentialName = Name<CredentialNameRule>;
using ServiceId = Name<ServiceIdRule>;
using FieldName = Name<FieldNameRule>;
using Label = Name<LabelRule>;

/// What makes two names the same within a scope: NFC, case-folded (Unicode, full folding by utf8proc).
[[nodiscard]] std::string folded(const CredentialName& name);
/// The same of any clean UTF-8, for searching.
[[nodiscard]] std::string folded(std::string_view text);

/// A user of one engine's directory: "flows/alice", on the wire "user:flows/alice".
struct UserId {
    EngineId directory;
    Name<PlainIdRule> name;

    auto operator<=>(const UserId&) const = default;
    [[nodiscard]] std::string text() const; ///< "user:flows/alice"
    [[nodiscard]] static result::Result<UserId> read(std::string_view text);
};

/// One character of UTF-8 or more, all of them seen: no control or format character.
[[nodiscard]] bool is_line(std::string_view text);

/// A line of 1–128 bytes.
[[nodiscard]] bool is_label(std::string_view text);

/// True for well-formed UTF-8 (RFC 3629) without NUL.
[[nodiscard]] bool is_clean_utf8(std::string_view text);

} // namespace credlease::vocabulary
