#include "vault/template_writer.hpp"

#include "catalog/url.hpp"

#include <algorithm>

namespace credlease::vault {
namespace {

using catalog::Encoder;
using catalog::Template;
using wire::SecretJsonWriter;

/// RFC 4648 §4, over several texts as if they were one.
class Base64Writer {
  public:
    explicit Base64Writer(SecretJsonWriter& writer) : writer_(writer) {}
    ~Base64Writer() { secret::wipe(std::as_writable_bytes(std::span(&bits_, 1))); }
    Base64Writer(const Base64Writer&) = delete;
    Base64Writer& operator=(const Base64Writer&) = delete;

    void add(std::string_view text) {
        for (const char c : text) {
            bits_ = bits_ << 8 | static_cast<unsigned char>(c);
            if (++held_ == 3) flush(4);
        }
    }
    void finish() {
        if (held_ == 0) return;
        const std::size_t characters = held_ + 1;
        bits_ <<= 8 * (3 - held_);
        flush(characters);
        writer_.raw(std::string_view("==").substr(0, 4 - characters));
    }

  private:
    void flush(std::size_t characters) {
        static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        if (char* out = writer_.take(characters)) {
            for (std::size_t i = 0; i < characters; ++i) out[i] = alphabet[bits_ >> (18 - 6 * i) & 63];
        }
        bits_ = 0;
        held_ = 0;
    }

    SecretJsonWriter& writer_;
    std::uint32_t bits_ = 0;
    std::size_t held_ = 0; ///< bytes in `bits_`
};

/// RFC 3986 §2.1: all but unreserved characters become %XX.
void write_url_encoded(SecretJsonWriter& writer, std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        const bool is_unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                   c == '-' || c == '.' || c == '_' || c == '~';
        char* out = writer.take(is_unreserved ? 1 : 3);
        if (!out) return;
        if (is_unreserved) {
            *out = c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out[0] = '%';
            out[1] = digits[byte >> 4];
            out[2] = digits[byte & 15];
        }
    }
}

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
        for_each_text(part, values, [&](std::string_view text) { write_url_encoded(writer, text); });
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
