#include "vocabulary/names.hpp"
#include "vocabulary/time.hpp"
#include "wire/limits.hpp"
#include "wire/messages.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <cstring>
#include <functional>

namespace credlease::wire {
namespace {

namespace json = boost::json;
using Code = json::error_code;
using Text = json::string_view;

constexpr std::size_t text_most = vocabulary::label_bytes_most;
/// The longest scope prefix and name; an id is shorter.
constexpr std::size_t credential_most = std::string_view("organization:").size() + vocabulary::name_bytes_most;

enum class Member : std::uint8_t {
    none,
    credential,
    workspace,
    ttl,
    fields,
    purpose,
    bind,
    min_valid,
    workflow,
    run,
    node,
};

struct Row {
    std::string_view name;
    Member member;
};
constexpr std::array<Row, 7> outer = {{{"credential", Member::credential},
                                       {"workspace", Member::workspace},
                                       {"ttl", Member::ttl},
                                       {"fields", Member::fields},
                                       {"purpose", Member::purpose},
                                       {"bind", Member::bind},
                                       {"min_valid", Member::min_valid}}};
constexpr std::array<Row, 3> inner = {{{"workflow", Member::workflow}, {"run", Member::run}, {"node", Member::node}}};

std::string_view name_of(Member member) {
    for (const Row& row : outer) {
        if (row.member == member) return row.name;
    }
    switch (member) {
    case Member::workflow:
        return "purpose.workflow";
    case Member::run:
        return "purpose.run";
    case Member::node:
        return "purpose.node";
    default:
        return {};
    }
}

/// Puts each text of the request where it belongs in the view; refuses whatever does not belong there.
struct Filler {
    static constexpr std::size_t max_object_size = 16;
    static constexpr std::size_t max_array_size = IssueLeaseView::fields_most;
    static constexpr std::size_t max_key_size = 64;
    static constexpr std::size_t max_string_size = credential_most;

    IssueLeaseView* out = nullptr;
    std::string_view body{};
    std::optional<result::Error> refused{};
    Member member = Member::none; ///< whose value comes next
    bool in_purpose = false;
    bool in_fields = false;
    bool begun = false;
    std::uint32_t seen = 0;  ///< one bit a member
    std::size_t kept = 0;    ///< bytes of `out->unescaped` in use
    std::size_t partial = 0; ///< of them, those of the text that is being read

    bool fail(Code& code, result::StaticText sentence) { return fail(code, name_of(member), sentence); }
    bool fail(Code& code, std::string_view field, result::StaticText sentence) {
        refused = result::invalid(field, sentence);
        code = json::error::syntax;
        return false;
    }

    /// The text whose last piece is `piece`: in place, or gathered in `unescaped` where it had an escape (the parser
    /// decodes those on the stack).
    bool finish(Text piece, Code& code, std::string_view& text) {
        const std::less<const char*> before;
        const bool is_in_body = !before(piece.data(), body.data()) && before(piece.data(), body.data() + body.size());
        if (partial == 0 && is_in_body) {
            text = {piece.data(), piece.size()};
        } else {
            if (!keep(piece, code)) return false;
            text = {out->unescaped.data() + (kept - partial), partial};
            partial = 0;
        }
        if (text.find('\0') != std::string_view::npos) return fail(code, "This member must not hold U+0000.");
        return true;
    }
    bool keep(Text piece, Code& code) {
        if (piece.size() > out->unescaped.size() - kept) return fail(code, "This member is too long.");
        std::memcpy(out->unescaped.data() + kept, piece.data(), piece.size());
        kept += piece.size();
        partial += piece.size();
        return true;
    }

    bool on_document_begin(Code&) { return true; }
    bool on_document_end(Code&) { return true; }
    bool on_object_begin(Code& code) {
        if (!begun) return begun = true;
        if (member != Member::purpose || in_purpose) return fail(code, "This member must not be an object.");
        return in_purpose = true;
    }
    bool on_object_end(std::size_t, Code&) {
        in_purpose = false;
        member = Member::none;
        return true;
    }
    bool on_array_begin(Code& code) {
        if (member != Member::fields || in_fields) return fail(code, "This member must not be a list.");
        out->fields_given = true;
        return in_fields = true;
    }
    bool on_array_end(std::size_t, Code&) {
        in_fields = false;
        return true;
    }
    bool on_key_part(Text piece, std::size_t, Code& code) { return keep(piece, code); }
    bool on_key(Text piece, std::size_t, Code& code);
    bool on_string_part(Text piece, std::size_t, Code& code) { return keep(piece, code); }
    bool on_string(Text piece, std::size_t, Code& code);
    bool take(std::string_view text, Code& code);
    bool take_label(std::string_view text, std::string_view& into, Code& code);
    bool take_duration(std::string_view text, std::optional<vocabulary::Duration>& into, Code& code);
    bool on_number_part(Text, Code&) { return true; }
    bool on_int64(std::int64_t, Text, Code& code) { return wrong_type(code); }
    bool on_uint64(std::uint64_t, Text, Code& code) { return wrong_type(code); }
    bool on_double(double, Text, Code& code) { return wrong_type(code); }
    bool on_bool(bool, Code& code) { return wrong_type(code); }
    bool on_null(Code& code) { return wrong_type(code); }
    bool wrong_type(Code& code) {
        if (member == Member::none) return fail(code, "The body must be a JSON object.");
        if (in_fields) return fail(code, "This member must hold field names only.");
        if (member == Member::fields) return fail(code, "This member must be a list of field names.");
        if (member == Member::purpose) return fail(code, "This member must be an object.");
        return fail(code, "This member must be a string.");
    }
    bool on_comment_part(Text, Code&) { return true; }
    bool on_comment(Text, Code&) { return true; }
};

bool Filler::on_key(Text piece, std::size_t, Code& code) {
    member = Member::none;
    std::string_view name;
    if (!finish(piece, code, name)) return false;
    const auto find = [name](const auto& rows) {
        for (const Row& row : rows) {
            if (row.name == name) return row.member;
        }
        return Member::none;
    };
    const Member found = in_purpose ? find(inner) : find(outer);
    if (found == Member::none) return fail(code, name, "This member is not a member of a lease request.");
    const std::uint32_t bit = 1U << static_cast<unsigned>(found);
    if ((seen & bit) != 0) return fail(code, name, "This member is given twice.");
    seen |= bit;
    member = found;
    return true;
}

bool Filler::on_string(Text piece, std::size_t, Code& code) {
    if (!begun) return fail(code, "The body must be a JSON object.");
    std::string_view text;
    if (!finish(piece, code, text)) return false;
    if (text.empty()) return fail(code, "This member must not be empty.");
    if (text.size() > text_most && member != Member::credential)
        return fail(code, "This member is too long (at most 128 bytes).");
    return take(text, code);
}

bool Filler::take(std::string_view text, Code& code) {
    switch (member) {
    case Member::credential:
        out->credential = text;
        return true;
    case Member::workspace:
        out->workspace = text;
        return true;
    case Member::workflow:
        return take_label(text, out->workflow, code);
    case Member::run:
        return take_label(text, out->run, code);
    case Member::node:
        return take_label(text, out->node, code);
    case Member::ttl:
        return take_duration(text, out->ttl, code);
    case Member::min_valid:
        return take_duration(text, out->min_valid, code);
    case Member::bind:
        out->bind = vocabulary::find_binding(text);
        return out->bind.has_value() || fail(code, "This member must be \"process\" or \"none\".");
    case Member::fields:
        if (!in_fields) return fail(code, "This member must be a list of field names.");
        if (out->field_count == out->field_names.size())
            return fail(code, "This member names too many fields (at most 32).");
        out->field_names[out->field_count++] = text;
        return true;
    default:
        return fail(code, "This member must be an object.");
    }
}

bool Filler::take_label(std::string_view text, std::string_view& into, Code& code) {
    if (!vocabulary::is_label(text)) return fail(code, "This member has a control or format character.");
    into = text;
    return true;
}

bool Filler::take_duration(std::string_view text, std::optional<vocabulary::Duration>& into, Code& code) {
    const auto duration = vocabulary::read_duration(text);
    if (!duration)
        return fail(code, "This member must be a duration such as \"90s\", \"15m\" or \"1h\", at most 10 years.");
    into = *duration;
    return true;
}

result::Error unread(const Code& code, const Filler& filler) {
    if (filler.refused) return *filler.refused;
    if (code == json::error::string_too_large || code == json::error::array_too_large) {
        return result::invalid(name_of(filler.member), "This member is too long.");
    }
    if (code == json::error::key_too_large) {
        return result::invalid("", "The body has a member that a lease request does not have.");
    }
    return {.code = result::ErrorCode::invalid_request,
            .sentence = "The body is not well-formed JSON text.",
            .next_step = "Send one JSON object in UTF-8 (RFC 8259)."};
}

} // namespace

result::Result<> read_issue_lease(std::string_view body, IssueLeaseView& out) {
    json::parse_options options;
    options.max_depth = 4;
    json::basic_parser<Filler> parser(options);
    parser.handler().out = &out;
    parser.handler().body = body;
    Code code;
    const std::size_t used = parser.write_some(false, body.data(), body.size(), code);
    if (!code && used != body.size()) code = json::error::extra_data;
    if (code) return result::refuse(unread(code, parser.handler()));
    if (!parser.handler().begun) return result::refuse(unread(json::error::syntax, parser.handler()));
    if (out.credential.empty()) return result::refuse(result::invalid("credential", "This member is required."));
    return {};
}

} // namespace credlease::wire
