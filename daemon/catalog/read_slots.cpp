#include "catalog/read_slots.hpp"

#include "catalog/read_endpoint.hpp"

#include <algorithm>
#include <array>

namespace credlease::catalog {
namespace {

using vocabulary::FieldType;

constexpr std::size_t answer_fields_most = 16;

constexpr OAuthFields::Kind of_tokens{.type = FieldType::string,
                                      .secret = true,
                                      .source = Source::tokens,
                                      .otherwise = "It must be a secret field with \"source\": \"tokens\"."};
constexpr OAuthFields::Kind of_answers{.type = FieldType::string,
                                       .secret = false,
                                       .source = Source::answer,
                                       .otherwise = "It must be a public field with \"source\": \"answer\"."};

struct Place {
    std::string_view member;
    Pointer TokenSlot::* at;
};
constexpr std::array places{Place{"access_token_at", &TokenSlot::access_token_at},
                            Place{"token_type_at", &TokenSlot::token_type_at},
                            Place{"refresh_token_at", &TokenSlot::refresh_token_at},
                            Place{"expires_in_at", &TokenSlot::expires_in_at},
                            Place{"expires_at_at", &TokenSlot::expires_at_at},
                            Place{"scope_at", &TokenSlot::scope_at},
                            Place{"refresh_expires_in_at", &TokenSlot::refresh_expires_in_at}};

class SlotsReader {
  public:
    SlotsReader(const OAuthFields& fields, OAuth& oauth) : fields_(fields), oauth_(oauth) {}

    void read(const EntryNode& node) {
        const boost::json::array& slots = node.list("slots", 1, slots_most);
        for (std::size_t i = 0; i < slots.size(); ++i) read_slot(slots[i], node.path_of("slots", i));
        const boost::json::array& answers = node.list("answer_fields", 0, answer_fields_most);
        for (std::size_t i = 0; i < answers.size(); ++i) {
            read_answer_field(answers[i], node.path_of("answer_fields", i));
        }
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            if (fields_[i].source == Source::person || (filled_ >> i & 1) != 0) continue;
            node.refuse("slots", "A field that no person gives is filled by no slot and no answer field.");
        }
    }

  private:
    void read_slot(const boost::json::value& value, const std::string& path) {
        const EntryNode node(value, path, fields_.problem(),
                             {.required = {"name", "access_token", "access_token_at"},
                              .optional = {"token_type", "token_type_at", "refresh_token_at", "expires_in_at",
                                           "expires_at_at", "scope_at", "refresh_expires_in_at", "nested_in"}});
        TokenSlot slot;
        slot.name = node.identifier("name");
        if (std::ranges::find(oauth_.slots, slot.name, &TokenSlot::name) != oauth_.slots.end()) {
            node.refuse("name", "Two slots have this name.");
        }
        slot.access_token = fill(node, "access_token", of_tokens).value_or(0);
        slot.token_type = fill(node, "token_type", of_tokens);
        slot.nested_in = read_pointer(node, "nested_in");
        for (const Place& place : places) {
            slot.*place.at = read_pointer(node, place.member);
            if ((slot.*place.at).empty() || (slot.*place.at).starts_with(slot.nested_in + "/")) continue;
            node.refuse(place.member, "It must lie in the object that nested_in names.");
        }
        if (slot.token_type && slot.token_type_at.empty()) node.refuse("token_type", "It needs token_type_at.");
        oauth_.slots.push_back(std::move(slot));
    }

    void read_answer_field(const boost::json::value& value, const std::string& path) {
        const EntryNode node(value, path, fields_.problem(),
                             {.required = {"field"}, .optional = {"at", "parameter", "url"}});
        AnswerField made;
        made.field = fill(node, "field", of_answers).value_or(0);
        made.at = read_pointer(node, "at");
        made.parameter = node.line("parameter");
        if ((node.find("at") != nullptr) == (node.find("parameter") != nullptr)) {
            node.refuse("at", "Either at or parameter says where the field comes from.");
        }
        if (const auto url = read_endpoint(node, "url", fields_)) {
            made.url = url->url;
            oauth_.has_chosen_host |= url->has_chosen_host;
            if (made.at.empty()) node.refuse("url", "What lies in its answer is named by at.");
        }
        oauth_.answer_fields.push_back(std::move(made));
    }

    /// A field has one source.
    std::optional<std::size_t> fill(const EntryNode& node, std::string_view member, const OAuthFields::Kind& kind) {
        const auto field = fields_.find(node, member, kind);
        if (!field) return std::nullopt;
        if ((filled_ >> *field & 1) != 0) node.refuse(member, "The field is filled twice.");
        filled_ |= std::uint32_t{1} << *field;
        return field;
    }

    const OAuthFields& fields_;
    OAuth& oauth_;
    std::uint32_t filled_ = 0;
};

} // namespace

Pointer read_pointer(const EntryNode& node, std::string_view member) {
    const std::string text = node.line(member);
    if (text.empty()) return {};
    bool is_pointer = text.front() == '/';
    for (std::size_t at = text.find('~'); at != text.npos; at = text.find('~', at + 1)) {
        is_pointer &= at + 1 < text.size() && (text[at + 1] == '0' || text[at + 1] == '1');
    }
    if (!is_pointer) node.refuse(member, "It must be a JSON pointer (RFC 6901) such as /access_token.");
    return text;
}

void read_slots(const EntryNode& node, const OAuthFields& fields, OAuth& oauth) {
    SlotsReader(fields, oauth).read(node);
}

} // namespace credlease::catalog
