#include "oauth/values.hpp"

#include "catalog/url.hpp"
#include "oauth/form.hpp"
#include "wire/encoders.hpp"

#include <algorithm>

namespace credlease::oauth {
namespace {

using catalog::Encoder;
using catalog::Template;
using wire::SecretJsonWriter;

constexpr std::size_t longest_url = 2048;

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

/// An upper bound of what `write` writes: an encoder makes three characters of one at most.
std::size_t bound_of(const Template& filled, const Values& values) {
    std::size_t size = 4;
    for (const Template::Part& part : filled.parts) {
        size += part.literal.size();
        for (const std::size_t field : part.fields) size += 3 * values.text(field).size() + 5;
    }
    return size;
}

void write_part(SecretJsonWriter& writer, const Template::Part& part, const Values& values) {
    wire::Base64Writer base64(writer);
    for (std::size_t i = 0; i < part.fields.size(); ++i) {
        const auto write = [&](std::string_view text) {
            if (part.encoder == Encoder::base64) base64.add(text);
            if (part.encoder == Encoder::urlencode) wire::write_url_encoded(writer, text);
            if (part.encoder == Encoder::none) writer.raw(text);
            if (part.encoder == Encoder::host) writer.raw(catalog::find_host(text).value_or(""));
        };
        if (i != 0) write(":");
        write(values.text(part.fields[i]));
    }
    base64.finish();
}

std::size_t write(std::span<char> out, const Template& filled, const Values& values) {
    SecretJsonWriter writer(out.data(), out.size());
    for (const Template::Part& part : filled.parts) {
        if (part.fields.empty()) {
            writer.raw(part.literal);
        } else {
            write_part(writer, part, values);
        }
    }
    return writer.size();
}

/// A field's own text may decide of a URL's host only where the whole beginning of the URL is that field.
bool keeps_the_form_of(const Template& filled, const Values& values) {
    for (std::size_t i = 0; i < filled.parts.size(); ++i) {
        const Template::Part& part = filled.parts[i];
        if (i == 0 || part.encoder != Encoder::none) continue;
        for (const std::size_t field : part.fields) {
            const std::string_view text = values.text(field);
            if (text.empty() || !std::ranges::all_of(text, is_unreserved)) return false;
        }
    }
    return true;
}

} // namespace

Values::Values(const catalog::AuthType& auth, const vocabulary::PublicFields& fields) : values_(auth.fields.size()) {
    for (const auto& [name, value] : fields) {
        if (const auto field = auth.find_field(name)) set_public(*field, value);
    }
}

void Values::set_public(std::size_t field, const vocabulary::PublicValue& value) {
    Value made;
    if (const auto* text = std::get_if<std::string>(&value)) made.shown = *text;
    if (const auto* number = std::get_if<std::int64_t>(&value)) made.shown = std::to_string(*number);
    if (const auto* flag = std::get_if<bool>(&value)) made.shown = *flag ? "true" : "false";
    if (const auto* items = std::get_if<std::vector<std::string>>(&value)) made.items = *items;
    place_of(field) = std::move(made);
    present_ |= std::uint32_t{1} << field;
    secret_ &= ~(std::uint32_t{1} << field);
}

void Values::set_secret(std::size_t field, std::string_view text) {
    place_of(field) = {.shown = {}, .secret = text, .items = {}};
    present_ |= std::uint32_t{1} << field;
    secret_ |= std::uint32_t{1} << field;
}

Values::Value& Values::place_of(std::size_t field) {
    if (field >= values_.size()) values_.resize(field + 1);
    return values_[field];
}

std::string_view Values::text(std::size_t field) const {
    if (!has(field)) return {};
    const Value& value = values_[field];
    return (secret_ >> field & 1) != 0 ? value.secret : std::string_view(value.shown);
}

std::vector<std::string> Values::words(std::size_t field) const {
    if (!has(field)) return {};
    if (!values_[field].items.empty()) return values_[field].items;
    const auto words = split(values_[field].shown);
    return {words.begin(), words.end()};
}

std::optional<std::string> fill_public(const Template& filled, const Values& values) {
    if ((filled.needs & ~values.present()) != 0 || (filled.needs & values.secret()) != 0) return std::nullopt;
    std::string made(bound_of(filled, values), '\0');
    made.resize(write(made, filled, values));
    return made;
}

std::optional<std::string> fill_url(const Template& filled, const Values& values) {
    auto url = fill_public(filled, values);
    if (!url || !keeps_the_form_of(filled, values) || !is_endpoint(*url)) return std::nullopt;
    return url;
}

result::Result<secret::SecretBuffer> fill(const Template& filled, const Values& values, secret::Arena& arena) {
    auto made = secret::SecretBuffer::make(arena, bound_of(filled, values), secret::Share::tokens);
    if (!made) return made;
    const std::size_t size = made->expose_to_write([&](std::span<std::byte> out) {
        return write({reinterpret_cast<char*>(out.data()), out.size()}, filled, values);
    });
    made->shrink(size);
    return made;
}

bool is_endpoint(std::string_view url) {
    const std::size_t mark = std::min(url.find('?'), url.size());
    const auto host = catalog::find_host(url.substr(0, mark));
    if (!host || url.size() > longest_url) return false;
    const auto is_out_of_place = [](char c) {
        return c <= ' ' || c >= 0x7f || std::string_view("\"<>\\^`{|}#").contains(c);
    };
    if (std::ranges::any_of(url.substr(mark), is_out_of_place)) return false;
    const bool is_loopback = *host == "localhost" || *host == "127.0.0.1" || *host == "[::1]";
    return is_loopback || url[4] == 's' || url[4] == 'S';
}

} // namespace credlease::oauth
