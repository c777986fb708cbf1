#include "catalog/check_value.hpp"
#include "vault/encode.hpp"
#include "vault/field_set.hpp"
#include "wire/limits.hpp"

#include <limits>

namespace credlease::vault {
namespace {

namespace json = boost::json;
using catalog::Field;
using result::StaticText;
using vocabulary::FieldType;
using vocabulary::PublicValue;
using Problem = std::optional<StaticText>;

constexpr std::size_t key_most = 1024; // bytes of a map's key

std::uint32_t bit(std::size_t index) { return std::uint32_t{1} << index; }

result::Failure refuse_field(std::string_view name, StaticText sentence) {
    return result::refuse(result::invalid("fields." + std::string(name), sentence));
}

/// Whether a value is one of its field's type and allowed there. Looks at the arena's bytes in place.
class Check {
  public:
    Check(const catalog::AuthType& auth, std::size_t index)
        : field_(auth.fields[index]), is_header_map_(auth.http && auth.http->headers_from == index) {}

    [[nodiscard]] Problem problem_with(const json::value& value) const {
        switch (field_.type) {
        case FieldType::string:
        case FieldType::text:
            if (!value.is_string()) return StaticText{"It must be a text."};
            return catalog::problem_with_text(field_, value.get_string());
        case FieldType::integer:
            if (!value.is_int64()) return StaticText{"It must be a whole number."};
            return catalog::problem_with_number(field_, value.get_int64());
        case FieldType::boolean:
            return value.is_bool() ? Problem{} : StaticText{"It must be true or false."};
        case FieldType::list:
            return problem_with_list(value.if_array());
        case FieldType::map:
            return problem_with_map(value.if_object());
        }
        std::unreachable();
    }

  private:
    [[nodiscard]] Problem problem_with_size(std::size_t entries) const {
        if (entries > wire::limits::map_entries) return StaticText{"It has more than 64 entries."};
        if (field_.required && entries == 0) return StaticText{"It must not be empty."};
        return std::nullopt;
    }

    [[nodiscard]] Problem problem_with_list(const json::array* list) const {
        if (!list) return StaticText{"It must be a list of texts."};
        for (const json::value& item : *list) {
            if (!item.is_string()) return StaticText{"It must be a list of texts."};
            if (item.get_string().size() > wire::limits::field_value) return too_long;
        }
        return problem_with_size(list->size());
    }

    [[nodiscard]] Problem problem_with_map(const json::object* map) const {
        if (!map) return StaticText{"It must be an object whose values are texts."};
        for (const auto& [key, item] : *map) {
            if (!item.is_string()) return StaticText{"It must be an object whose values are texts."};
            if (key.empty() || key.size() > key_most) return StaticText{"A name in it is empty or longer than 1 KiB."};
            if (item.get_string().size() > wire::limits::field_value) return too_long;
            if (!is_header_map_) continue;
            if (const Problem problem = catalog::problem_with_header(key, item.get_string())) return problem;
        }
        return problem_with_size(map->size());
    }

    static constexpr StaticText too_long{"An entry in it is longer than 64 KiB."};

    const Field& field_;
    bool is_header_map_;
};

template <class Out> void write_entry(ByteWriter<Out>& writer, std::string_view key, const json::value& value) {
    writer.u16(static_cast<std::uint16_t>(key.size()));
    writer.raw(key);
    writer.text(value.get_string());
}

/// The bytes of a checked value, without their length.
template <class Out> void write_bytes(Out& out, const json::value& value) {
    ByteWriter writer(out);
    if (const auto* text = value.if_string()) writer.raw(*text);
    if (const auto* number = value.if_int64()) writer.i64(*number);
    if (const auto* flag = value.if_bool()) writer.u8(*flag ? 1 : 0);
    if (const auto* list = value.if_array()) {
        for (const json::value& item : *list) write_entry(writer, {}, item);
    }
    if (const auto* map = value.if_object()) {
        for (const auto& [key, item] : *map) write_entry(writer, key, item);
    }
}

template <class Out> void write_value(Out& out, const Field& field, const json::value& value) {
    ByteWriter writer(out);
    writer.u8(static_cast<std::uint8_t>(field.name.size()));
    writer.raw(field.name);
    writer.u8(static_cast<std::uint8_t>(field.type));
    Count count;
    write_bytes(count, value);
    writer.u32(static_cast<std::uint32_t>(count.size));
    write_bytes(out, value);
}

PublicValue public_value(const json::value& value) {
    if (const auto* text = value.if_string()) return std::string(*text);
    if (const auto* number = value.if_int64()) return *number;
    if (const auto* flag = value.if_bool()) return *flag;
    if (const auto* list = value.if_array()) {
        std::vector<std::string> made;
        for (const json::value& item : *list) made.emplace_back(item.get_string());
        return made;
    }
    std::map<std::string, std::string> made;
    for (const auto& [key, item] : value.get_object()) made.emplace(std::string(key), std::string(item.get_string()));
    return made;
}

/// Only a name that could be a field's is shown: anything else may be a value that slipped into its place.
result::Result<> refuse_unknown(const catalog::AuthType& auth, const json::object& members) {
    for (const auto& member : members) {
        const std::string_view name(member.key());
        if (auth.find_field(name)) continue;
        if (vocabulary::FieldName::read(name)) return refuse_field(name, "The service has no field of this name.");
        return result::refuse(result::invalid("fields", "The service has no field of one of these names."));
    }
    return {};
}

result::Result<FieldSet> encode_secrets(const catalog::AuthType& auth, const json::object& members,
                                        std::uint32_t secrets, secret::Arena& arena) {
    const auto write_all = [&](auto& out) {
        for (std::size_t i = 0; i < auth.fields.size(); ++i) {
            if ((secrets & bit(i)) != 0) write_value(out, auth.fields[i], members.at(auth.fields[i].name));
        }
    };
    auto encoded = vault::encode(arena, secret::Share::work, write_all);
    if (!encoded) return result::refuse(std::move(encoded.error()));
    return FieldSet(std::move(*encoded));
}

} // namespace

result::Result<GivenFields> read_fields(const catalog::AuthType& auth, const json::value& fields,
                                        secret::Arena& arena) {
    const json::object* members = fields.if_object();
    if (!members) return result::refuse(result::invalid("fields", "It must be an object of the service's fields."));
    if (auto known = refuse_unknown(auth, *members); !known) return result::refuse(std::move(known.error()));
    GivenFields given;
    std::uint32_t secrets = 0;
    for (std::size_t i = 0; i < auth.fields.size(); ++i) {
        const Field& field = auth.fields[i];
        const json::value* value = members->if_contains(field.name);
        if (!value) continue;
        if (field.source != catalog::Source::person) {
            return refuse_field(field.name, "This field is filled by the service's answers.");
        }
        if (value->is_null()) {
            if (field.required) return refuse_field(field.name, "The service needs this field: it cannot be cleared.");
            given.cleared |= bit(i);
            continue;
        }
        if (const Problem problem = Check(auth, i).problem_with(*value)) return refuse_field(field.name, *problem);
        given.given |= bit(i);
        if (field.secret) {
            secrets |= bit(i);
        } else {
            given.public_fields.emplace(field.name, public_value(*value));
        }
    }
    auto encoded = encode_secrets(auth, *members, secrets, arena);
    if (!encoded) return result::refuse(std::move(encoded.error()));
    given.secret_fields = std::move(*encoded);
    return given;
}

} // namespace credlease::vault
