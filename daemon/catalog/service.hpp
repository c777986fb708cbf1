#pragma once

#include "catalog/oauth.hpp"
#include "catalog/template.hpp"
#include "result/result.hpp"
#include "vocabulary/credential.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::catalog {

/// What a value must look like beyond its type. `url`: see find_host. `host`: see is_host_name. `port`: 1–65535.
enum class Format : std::uint8_t { any, url, host, port };

/// Who fills a field: the person who stores the credential, or the provider's token answers.
enum class Source : std::uint8_t { person, tokens, answer };

struct Field {
    std::string name;
    vocabulary::FieldType type = vocabulary::FieldType::string;
    Format format = Format::any;
    bool secret = false;
    bool required = false;
    Source source = Source::person;
    bool leased = true;       ///< false: no lease ever holds it (an OAuth client's secret, a private key)
    bool destination = false; ///< decides where a secret goes: to change it, every secret must be given anew
    std::string label;
    std::string help;
    std::optional<vocabulary::PublicValue> default_value; ///< what a new credential gets when it leaves the field out
    std::vector<std::string> choices;                     ///< empty: any
    std::uint32_t order = 0;                              ///< a digest of the names up to this field's, in their order

    // Where the auth type's templates put it, and so what it must not hold (see problem_with_text).
    bool in_header = false;      ///< in a header's value as it is
    bool is_header_name = false; ///< the name of a header
    bool before_colon = false;   ///< joined with what follows by ':' (RFC 7617 §2)
};

/// How a lease's `http` part is made. An entry whose template needs a field that is not set is left out.
struct HttpRules {
    struct Entry {
        Template name;
        Template value;
        std::optional<std::size_t> when_field{}; ///< only where this public field …
        std::string when_value{};                ///< … has this value
    };
    std::vector<Entry> headers;
    std::vector<Entry> query;
    std::optional<std::size_t> headers_from{}; ///< a map field: each entry a header
    std::optional<Template> base_url;
    std::vector<Template> allowed_hosts;
};

struct AuthType {
    std::string name; ///< "bearer"
    std::string label;
    std::vector<Field> fields;                      ///< at most wire::limits::fields; the order is the field mask's
    std::vector<std::vector<std::string>> together; ///< fields that change together (a key pair, user and password)
    std::optional<HttpRules> http;                  ///< none: signed or spoken otherwise
    std::optional<OAuth> oauth{};                   ///< its tokens are got and kept fresh by the broker

    [[nodiscard]] std::optional<std::size_t> find_field(std::string_view name) const;
    /// What tells a field mask of this entry from one of an entry whose fields had another order: a digest of the names
    /// up to the mask's last. A field that is added behind them changes nothing.
    [[nodiscard]] std::uint32_t order_of(std::uint32_t mask) const;
};

/// One entry of the catalog.
struct Service {
    vocabulary::ServiceId id;
    std::string name;
    std::string docs;                     ///< a public URL
    std::string verified_on;              ///< the day its facts were checked
    std::vector<std::string> sources;     ///< public URLs that its facts are from
    std::vector<std::string> unconfirmed; ///< sentences: what it rests on without such a source
    std::vector<AuthType> auth_types;     ///< the first is the default
    std::string json;                     ///< the entry as it was read, on one line, for GET /v1/services/{id}

    [[nodiscard]] const AuthType* find_auth(std::string_view name) const;
};

/// "string", "text", …: a field's type in the catalog's files.
[[nodiscard]] std::string_view name_of(vocabulary::FieldType type);

} // namespace credlease::catalog
