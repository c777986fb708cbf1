#include "vault/template_writer.hpp"

#include "catalog/url.hpp"
#include "wire/encoders.hpp"

#include <algorithm>

namespace credlease::vault {
namespace {

using catalog::Encoder;
using catalog::Template;
using wire::Base64Writer;
using wire::SecretJsonWriter;

/// In lower case (RFC 3986 §3.2.2). A host needs no escape.
void write_host(SecretJsonWriter& writer, std::string_view url) {
    const std::string_view host = catalog::find_host(url).value_or("");
    if (char* out = writer.take(host.size())) {
        std::ranges::transform(host, out, [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    }
}

/// Calls `write` with each field's text, and with the colons between them.
void for_each_text(const Template::Part& part, const FieldValues& values, const auto& write) {
    for (std::size_t i = 0; i < part.fields.size(); ++i) {
        if (i != 0) write(":");
        write(ValueText(values, part.fields[i]).text());
    }
}

void write_part(SecretJsonWriter& writer, const Template::Part& part, const FieldValues& values) {
    switch (part.encoder) {
    case Encoder::none:
        for_each_text(part, values, [&](std::string_view text) { writer.escaped(text); });
        break;
    case Encoder::base64: {
        Base64Writer base64(writer);
        for_each_text(part, values, [&](std::string_view text) { base64.add(text); });
        base64.finish();
        break;
    }
    case Encoder::urlencode:
        for_each_text(part, values, [&](std::string_view text) { wire::write_url_encoded(writer, text); });
        break;
    case Encoder::host:
        for_each_text(part, values, [&](std::string_view text) { write_host(writer, text); });
        break;
    }
}

} // namespace

void write_template(SecretJsonWriter& writer, const Template& filled, const FieldValues& values) {
    for (const Template::Part& part : filled.parts) {
        if (part.fields.empty()) {
            writer.escaped(part.literal);
        } else {
            write_part(writer, part, values);
        }
    }
}

} // namespace credlease::vault
