#include "vault/lease_text.hpp"

#include "vault/field_values.hpp"
#include "vault/template_writer.hpp"

#include <bit>

namespace credlease::vault {
namespace {

using catalog::AuthType;
using catalog::HttpRules;
using catalog::Template;
using vocabulary::FieldType;
using vocabulary::PublicValue;
using wire::SecretJsonWriter;

template <class... Ts> struct Overloaded : Ts... {
    using Ts::operator()...;
};

/// The members of an object, or the items of a list, with their commas.
class Items {
  public:
    explicit Items(SecretJsonWriter& writer) : writer_(writer) {}

    void next() {
        if (!first_) writer_.raw(",");
        first_ = false;
    }
    void member(std::string_view key) {
        next();
        writer_.quoted(key);
        writer_.raw(":");
    }

  private:
    SecretJsonWriter& writer_;
    bool first_ = true;
};

void write_public(SecretJsonWriter& writer, const PublicValue& value) {
    Items items(writer);
    std::visit(Overloaded{[&](const std::string& text) { writer.quoted(text); },
                          [&](std::int64_t number) { writer.number(number); },
                          [&](bool flag) { writer.raw(flag ? "true" : "false"); },
                          [&](const std::vector<std::string>& list) {
                              writer.raw("[");
                              for (const std::string& item : list) {
                                  items.next();
                                  writer.quoted(item);
                              }
                              writer.raw("]");
                          },
                          [&](const std::map<std::string, std::string>& map) {
                              writer.raw("{");
                              for (const auto& [key, item] : map) {
                                  items.member(key);
                                  writer.quoted(item);
                              }
                              writer.raw("}");
                          }},
               value);
}

void write_entries(SecretJsonWriter& writer, Items& items, std::string_view bytes, bool with_keys) {
    SecretEntries entries(bytes);
    while (const auto entry = entries.next()) {
        with_keys ? items.member(entry->key) : items.next();
        writer.quoted(entry->value);
    }
}

void write_secret(SecretJsonWriter& writer, const FieldValues& values, std::size_t field) {
    const SecretValue& value = values.secret_value(field);
    Items items(writer);
    switch (value.type) {
    case FieldType::string:
    case FieldType::text:
        writer.quoted(value.bytes);
        break;
    case FieldType::integer:
    case FieldType::boolean:
        writer.raw(ValueText(values, field).text());
        break;
    case FieldType::list:
        writer.raw("[");
        write_entries(writer, items, value.bytes, false);
        writer.raw("]");
        break;
    case FieldType::map:
        writer.raw("{");
        write_entries(writer, items, value.bytes, true);
        writer.raw("}");
        break;
    }
}

/// Calls `see` with each field of a bit set.
void for_each_field(std::uint32_t fields, const auto& see) {
    for (; fields != 0; fields &= fields - 1) see(static_cast<std::size_t>(std::countr_zero(fields)));
}

/// Bit set of the fields that no lease ever holds.
std::uint32_t never_leased(const AuthType& auth) {
    std::uint32_t fields = 0;
    for (std::size_t i = 0; i < auth.fields.size(); ++i) {
        if (!auth.fields[i].leased) fields |= std::uint32_t{1} << i;
    }
    return fields;
}

/// The `http` part of one lease.
class HttpPart {
  public:
    HttpPart(const HttpRules& rules, const FieldValues& values) : rules_(rules), values_(values) {}

    /// Bit set of the fields that it is made from.
    [[nodiscard]] std::uint32_t fields() const {
        std::uint32_t used = 0;
        const auto use = [&](std::uint32_t needs) {
            if (can_be_made(needs)) used |= needs;
        };
        for (const HttpRules::Entry& entry : rules_.headers) use(needs_of(entry));
        for (const HttpRules::Entry& entry : rules_.query) use(needs_of(entry));
        if (rules_.headers_from) use(std::uint32_t{1} << *rules_.headers_from);
        if (rules_.base_url) use(rules_.base_url->needs);
        for (const Template& host : rules_.allowed_hosts) use(host.needs);
        return used;
    }

    void write(SecretJsonWriter& writer) const {
        writer.raw(R"({"headers":{)");
        Items headers(writer);
        write_all(writer, headers, rules_.headers);
        if (rules_.headers_from && values_.has(*rules_.headers_from)) write_map(writer, headers, *rules_.headers_from);
        writer.raw(R"(},"query":{)");
        Items query(writer);
        write_all(writer, query, rules_.query);
        writer.raw(R"(},"base_url":)");
        if (rules_.base_url && can_be_made(rules_.base_url->needs)) {
            write_placed(writer, *rules_.base_url);
        } else {
            writer.raw("null");
        }
        writer.raw(R"(,"allowed_hosts":[)");
        Items hosts(writer);
        for (const Template& host : rules_.allowed_hosts) {
            if (!can_be_made(host.needs)) continue;
            hosts.next();
            write_placed(writer, host);
        }
        writer.raw("]}");
    }

  private:
    [[nodiscard]] bool can_be_made(std::uint32_t needs) const { return (needs & ~values_.present()) == 0; }

    [[nodiscard]] bool holds(const HttpRules::Entry& entry) const {
        if (!entry.when_field) return true;
        const PublicValue* value = values_.public_value(*entry.when_field);
        const auto* text = value ? std::get_if<std::string>(value) : nullptr;
        return text && *text == entry.when_value;
    }

    [[nodiscard]] std::uint32_t needs_of(const HttpRules::Entry& entry) const {
        return holds(entry) ? entry.name.needs | entry.value.needs : 0;
    }

    void write_placed(SecretJsonWriter& writer, const Template& placed) const {
        writer.raw("\"");
        write_template(writer, placed, values_);
        writer.raw("\"");
    }

    void write_all(SecretJsonWriter& writer, Items& items, const std::vector<HttpRules::Entry>& entries) const {
        for (const HttpRules::Entry& entry : entries) {
            if (!holds(entry) || !can_be_made(entry.name.needs | entry.value.needs)) continue;
            items.next();
            write_placed(writer, entry.name);
            writer.raw(":");
            write_placed(writer, entry.value);
        }
    }

    void write_map(SecretJsonWriter& writer, Items& items, std::size_t field) const {
        if (values_.is_secret(field)) return write_entries(writer, items, values_.secret_value(field).bytes, true);
        const auto& map = std::get<std::map<std::string, std::string>>(*values_.public_value(field));
        for (const auto& [key, item] : map) {
            items.member(key);
            writer.quoted(item);
        }
    }

    const HttpRules& rules_;
    const FieldValues& values_;
};

} // namespace

bool write_lease_members(SecretJsonWriter& writer, const AuthType& auth, const Entry& entry,
                         std::span<const std::byte> plaintext, std::uint32_t wanted) {
    const FieldValues values(auth, entry, plaintext);
    if (values.is_broken()) return false;
    const std::uint32_t never = never_leased(auth);
    const std::uint32_t shown = values.present() & wanted & ~never;
    writer.raw(R"(,"fields":{)");
    Items fields(writer);
    for_each_field(shown & ~values.secret(), [&](std::size_t field) {
        fields.member(auth.fields[field].name);
        write_public(writer, *values.public_value(field));
    });
    writer.raw(R"(},"secret":{)");
    Items secrets(writer);
    for_each_field(shown & values.secret(), [&](std::size_t field) {
        secrets.member(auth.fields[field].name);
        write_secret(writer, values, field);
    });
    writer.raw("}");
    if (!auth.http) return true;
    const HttpPart http(*auth.http, values);
    if ((http.fields() & ((values.secret() & ~wanted) | never)) != 0) return true;
    writer.raw(R"(,"http":)");
    http.write(writer);
    return true;
}

} // namespace credlease::vault
