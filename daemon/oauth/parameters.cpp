#include "oauth/parameters.hpp"

#include "wire/encoders.hpp"

#include <algorithm>

namespace credlease::oauth {

using result::Result;
using secret::SecretBuffer;
using wire::SecretJsonWriter;

namespace {

/// A buffer of at most `most` bytes as `write` fills it.
template <class Write> Result<SecretBuffer> written(secret::Arena& arena, std::size_t most, const Write& write) {
    auto made = SecretBuffer::make(arena, most, secret::Share::tokens);
    if (!made) return made;
    const std::size_t size = made->expose_to_write([&](std::span<std::byte> out) {
        SecretJsonWriter writer(reinterpret_cast<char*>(out.data()), out.size());
        write(writer);
        return writer.size();
    });
    made->shrink(size);
    return made;
}

} // namespace

void Parameters::set(std::string_view name, std::string_view value) {
    put(name, SecretBuffer::copy(arena_, value, secret::Share::tokens), false);
}

void Parameters::set(std::string_view name, const SecretBuffer& value) {
    put(name, value.expose([&](std::span<const std::byte> bytes) {
        return SecretBuffer::copy(arena_, bytes, secret::Share::tokens);
    }),
        true);
}

void Parameters::set(const std::vector<catalog::Parameter>& parameters, const Values& values) {
    for (const catalog::Parameter& each : parameters) {
        if ((each.value.needs & ~values.present()) != 0) continue;
        put(each.name, fill(each.value, values, arena_), (each.value.needs & values.secret()) != 0);
    }
}

bool Parameters::has(std::string_view name) const {
    return std::ranges::find(items_, name, &Item::name) != items_.end();
}

void Parameters::put(std::string_view name, Result<SecretBuffer> value, bool is_secret) {
    if (!value) {
        failure_ = std::move(value.error());
        return;
    }
    const auto found = std::ranges::find(items_, name, &Item::name);
    Item& item = found != items_.end() ? *found : items_.emplace_back();
    item = {.name = std::string(name), .value = std::move(*value), .is_secret = is_secret};
}

/// An upper bound of both forms: JSON makes six characters of one at most, and puts six around a member.
std::size_t Parameters::size() const {
    std::size_t size = 2;
    for (const Item& item : items_) size += 6 * (item.name.size() + item.value.size() + 1);
    return size;
}

Result<SecretBuffer> Parameters::as_form() const { return write_form(""); }

Result<SecretBuffer> Parameters::behind(std::string_view url) const {
    std::string before(url);
    if (!items_.empty()) before += url.contains('?') ? '&' : '?';
    return write_form(before);
}

Result<SecretBuffer> Parameters::write_form(std::string_view before) const {
    if (failure_) return result::refuse(*failure_);
    return written(arena_, before.size() + size(), [&](SecretJsonWriter& writer) {
        writer.raw(before);
        for (const Item& item : items_) {
            if (&item != &items_.front()) writer.raw("&");
            wire::write_url_encoded(writer, item.name);
            writer.raw("=");
            item.value.expose(
                [&](std::span<const std::byte> bytes) { wire::write_url_encoded(writer, secret::as_text(bytes)); });
        }
    });
}

Result<SecretBuffer> Parameters::as_json() const {
    if (failure_) return result::refuse(*failure_);
    return written(arena_, size(), [&](SecretJsonWriter& writer) {
        writer.raw("{");
        for (const Item& item : items_) {
            if (&item != &items_.front()) writer.raw(",");
            writer.quoted(item.name);
            writer.raw(":");
            item.value.expose([&](std::span<const std::byte> bytes) { writer.quoted(secret::as_text(bytes)); });
        }
        writer.raw("}");
    });
}

Secrets Parameters::take_secrets() {
    Secrets taken;
    for (Item& item : items_) {
        if (item.is_secret) taken.push_back(std::move(item.value));
    }
    items_.clear();
    return taken;
}

} // namespace credlease::oauth
