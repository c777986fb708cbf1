#include "wire/mapping.hpp"

#include "vocabulary/time.hpp"
#include "wire/json_writer.hpp"

#include <boost/describe.hpp>
#include <boost/json/serialize.hpp>
#include <boost/mp11/algorithm.hpp>

#include <concepts>
#include <limits>
#include <memory>
#include <type_traits>

namespace credlease::wire {
namespace {

namespace json = boost::json;
using result::Result;
using result::StaticText;

template <class T> using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
template <class T>
concept Described = boost::describe::has_describe_members<T>::value;

template <class T> struct is_optional : std::false_type {};
template <class T> struct is_optional<std::optional<T>> : std::true_type {};

result::Failure wrong(StaticText sentence) { return result::refuse(result::invalid("", sentence)); }

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

// --- reading: each `read` fills `out`, or says what the value should have been; the caller adds the member's name

Result<> read(std::string& out, const json::value& value, Unknown) {
    const auto* text = value.if_string();
    if (text == nullptr) return wrong("This member must be a string.");
    out.assign(text->data(), text->size());
    return {};
}

Result<> read(bool& out, const json::value& value, Unknown) {
    const auto* flag = value.if_bool();
    if (flag == nullptr) return wrong("This member must be true or false.");
    out = *flag;
    return {};
}

template <std::integral Number> Result<> read(Number& out, const json::value& value, Unknown) {
    json::error_code code;
    const auto number = value.to_number<Number>(code);
    if (code || value.is_double()) return wrong("This member must be a whole number that is not too large.");
    out = number;
    return {};
}

Result<> read(vocabulary::Time& out, const json::value& value, Unknown) {
    const auto* text = value.if_string();
    if (text == nullptr) return wrong("This member must be a string.");
    const auto time = vocabulary::read_time(view(*text));
    if (!time) return wrong("This member must be a time such as \"2026-11-22T10:00:00Z\" (RFC 3339).");
    out = *time;
    return {};
}

Result<> read(vocabulary::Duration& out, const json::value& value, Unknown) {
    const auto* text = value.if_string();
    if (text == nullptr) return wrong("This member must be a string.");
    const auto duration = vocabulary::read_duration(view(*text));
    if (!duration) {
        return wrong("This member must be a duration such as \"90s\", \"15m\" or \"1h\", at most 10 years.");
    }
    out = *duration;
    return {};
}

/// A copy in the memory of the source. Assigning would copy into the memory of `out`; and a short text would lie inside
/// the value itself, wherever that is, if it were not given room of its own.
Result<> read(json::value& out, const json::value& value, Unknown) {
    std::destroy_at(&out);
    if (const auto* text = value.if_string()) {
        json::string copy(value.storage());
        copy.reserve(std::max<std::size_t>(text->size(), 64));
        copy.append(*text);
        std::construct_at(&out, std::move(copy));
    } else {
        std::construct_at(&out, value, value.storage());
    }
    return {};
}

Result<> read(std::vector<std::string>& out, const json::value& value, Unknown unknown) {
    const auto* array = value.if_array();
    if (array == nullptr) return wrong("This member must be a list of strings.");
    out.clear();
    out.reserve(array->size());
    for (const auto& element : *array) {
        if (!read(out.emplace_back(), element, unknown)) return wrong("This member must be a list of strings.");
    }
    return {};
}

template <Described T> Result<> read(T& out, const json::value& value, Unknown unknown);

template <class T> Result<> read(std::optional<T>& out, const json::value& value, Unknown unknown) {
    return read(out.emplace(), value, unknown);
}

/// "scope" and "kind" make "scope.kind".
result::Error within(std::string_view member, result::Error error) {
    std::string field(member);
    if (!error.field.empty()) field += "." + error.field.text();
    error.field = result::PublicText::of(field);
    return error;
}

template <class T> Result<> read_member(T& out, std::string_view name, const json::object& object, Unknown unknown) {
    const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
    if (value == nullptr || (unknown == Unknown::ignore && is_optional<T>::value && value->is_null())) {
        if (is_optional<T>::value) return {};
        return result::refuse(result::invalid(name, "This member is required."));
    }
    auto done = read(out, *value, unknown);
    if (!done) return result::refuse(within(name, std::move(done.error())));
    return done;
}

template <class T> Result<> refuse_unknown(const json::object& object) {
    for (const auto& member : object) {
        bool known = false;
        boost::mp11::mp_for_each<Members<T>>([&](auto described) { known = known || member.key() == described.name; });
        if (!known) return result::refuse(result::invalid(member.key(), "This member is not known here."));
    }
    return {};
}

template <Described T> Result<> read(T& out, const json::value& value, Unknown unknown) {
    const auto* object = value.if_object();
    if (object == nullptr) return wrong("A JSON object is needed here.");
    Result<> done;
    if (unknown == Unknown::refuse) done = refuse_unknown<T>(*object);
    boost::mp11::mp_for_each<Members<T>>([&](auto described) {
        if (done) done = read_member(out.*described.pointer, described.name, *object, unknown);
    });
    return done;
}

// --- writing

void write(JsonWriter& writer, const std::string& text) { writer.value(text); }
void write(JsonWriter& writer, bool flag) { writer.value(flag); }
template <std::integral Number> void write(JsonWriter& writer, Number number) { writer.value(number); }
void write(JsonWriter& writer, vocabulary::Time time) { writer.value(time); }
void write(JsonWriter& writer, vocabulary::Duration duration) { writer.value(vocabulary::text_of(duration)); }
void write(JsonWriter& writer, const json::value& value) { writer.raw(json::serialize(value)); }

void write(JsonWriter& writer, const std::vector<std::string>& texts) {
    writer.array();
    for (const auto& text : texts) writer.value(text);
    writer.close();
}

template <Described T> void write(JsonWriter& writer, const T& message);

template <class T> void write_member(JsonWriter& writer, std::string_view name, const T& what) {
    if constexpr (is_optional<T>::value) {
        if (what) write_member(writer, name, *what);
    } else {
        writer.key(name);
        write(writer, what);
    }
}

template <Described T> void write(JsonWriter& writer, const T& message) {
    writer.object();
    boost::mp11::mp_for_each<Members<T>>(
        [&](auto described) { write_member(writer, described.name, message.*described.pointer); });
    writer.close();
}

} // namespace

template <class Message> Result<Message> read_message(const json::value& value, Unknown unknown) {
    Message message{};
    auto done = read(message, value, unknown);
    if (!done) return result::refuse(std::move(done.error()));
    return message;
}

template <class Message> std::string write_message(const Message& message) {
    std::string text;
    JsonWriter writer(text);
    write(writer, message);
    return text;
}

template Result<ScopeMessage> read_message(const json::value&, Unknown);
template Result<PurposeMessage> read_message(const json::value&, Unknown);
template Result<IssueLease> read_message(const json::value&, Unknown);
template Result<RenewLease> read_message(const json::value&, Unknown);
template Result<CreateCredential> read_message(const json::value&, Unknown);
template Result<EditCredential> read_message(const json::value&, Unknown);
template Result<RevokeCredential> read_message(const json::value&, Unknown);
template Result<RestoreCredential> read_message(const json::value&, Unknown);
template Result<BeginAuthorization> read_message(const json::value&, Unknown);
template Result<CompleteAuthorization> read_message(const json::value&, Unknown);
template Result<RefreshCredential> read_message(const json::value&, Unknown);
template Result<MintGrant> read_message(const json::value&, Unknown);
template Result<Seal> read_message(const json::value&, Unknown);
template Result<Unseal> read_message(const json::value&, Unknown);
template Result<PutMember> read_message(const json::value&, Unknown);
template Result<PutWorkspace> read_message(const json::value&, Unknown);
template Result<PutOAuthClient> read_message(const json::value&, Unknown);
template Result<EditOAuthClient> read_message(const json::value&, Unknown);

template std::string write_message(const ScopeMessage&);
template std::string write_message(const PurposeMessage&);
template std::string write_message(const IssueLease&);
template std::string write_message(const RenewLease&);
template std::string write_message(const CreateCredential&);
template std::string write_message(const EditCredential&);
template std::string write_message(const RevokeCredential&);
template std::string write_message(const RestoreCredential&);
template std::string write_message(const RefreshCredential&);
template std::string write_message(const MintGrant&);
template std::string write_message(const Seal&);
template std::string write_message(const Unseal&);
template std::string write_message(const PutMember&);
template std::string write_message(const PutWorkspace&);
template std::string write_message(const PutOAuthClient&);

} // namespace credlease::wire
