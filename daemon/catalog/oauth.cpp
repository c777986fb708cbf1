#include "catalog/oauth.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace credlease::catalog {
namespace {

template <class Value, std::size_t count> using Words = std::array<std::pair<Value, std::string_view>, count>;

template <class Value> struct WordsOf;
template <> struct WordsOf<RefreshClass> {
    static constexpr Words<RefreshClass, 6> all{{{RefreshClass::fixed, "static"},
                                                 {RefreshClass::rotating, "rotating"},
                                                 {RefreshClass::single_use, "single_use"},
                                                 {RefreshClass::single_use_grace, "single_use_grace"},
                                                 {RefreshClass::kills_access_token, "kills_access_token"},
                                                 {RefreshClass::none, "none"}}};
};
template <> struct WordsOf<ClientAuth> {
    static constexpr Words<ClientAuth, 3> all{
        {{ClientAuth::basic, "basic"}, {ClientAuth::post, "post"}, {ClientAuth::none, "none"}}};
};
template <> struct WordsOf<Flow> {
    static constexpr Words<Flow, 5> all{{{Flow::authorization_code, "authorization_code"},
                                         {Flow::device, "device"},
                                         {Flow::client_credentials, "client_credentials"},
                                         {Flow::jwt_bearer, "jwt_bearer"},
                                         {Flow::refresh_token, "refresh_token"}}};
};
template <> struct WordsOf<Meaning> {
    static constexpr Words<Meaning, 5> all{{{Meaning::definitive, "definitive"},
                                            {Meaning::client, "client"},
                                            {Meaning::transient, "transient"},
                                            {Meaning::rate_limited, "rate_limited"},
                                            {Meaning::too_early, "too_early"}}};
};
template <> struct WordsOf<BodyFormat> {
    static constexpr Words<BodyFormat, 2> all{{{BodyFormat::form, "form"}, {BodyFormat::json, "json"}}};
};

template <class Value> std::string_view word_of(Value value) {
    for (const auto& [known, word] : WordsOf<Value>::all) {
        if (known == value) return word;
    }
    std::unreachable();
}

} // namespace

Pointer place_in_refresh(const TokenSlot& slot, const Pointer& at) {
    return at.starts_with(slot.nested_in) ? at.substr(slot.nested_in.size()) : at;
}

std::string_view name_of(RefreshClass value) { return word_of(value); }
std::string_view name_of(ClientAuth value) { return word_of(value); }
std::string_view name_of(Flow value) { return word_of(value); }
std::string_view name_of(Meaning value) { return word_of(value); }
std::string_view name_of(BodyFormat value) { return word_of(value); }

template <class Value> std::optional<Value> find_value(std::string_view name) {
    for (const auto& [value, word] : WordsOf<Value>::all) {
        if (word == name) return value;
    }
    return std::nullopt;
}
template std::optional<RefreshClass> find_value(std::string_view name);
template std::optional<ClientAuth> find_value(std::string_view name);
template std::optional<Flow> find_value(std::string_view name);
template std::optional<Meaning> find_value(std::string_view name);
template std::optional<BodyFormat> find_value(std::string_view name);

} // namespace credlease::catalog
