#include "broker/cursor.hpp"

#include "wire/limits.hpp"

#include <sodium.h>

#include <cstring>

namespace credlease::broker {
namespace {

constexpr int encoding = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

mac::Digest digest_of(const mac::CursorMac& mac, const Asker& asker, std::string_view filters,
                      std::string_view payload) {
    return mac.of({mac::bytes_of(asker.caller->principal), mac::bytes_of(asker.caller->on_behalf_of),
                   mac::bytes_of(filters), mac::bytes_of(payload)});
}

result::Failure bad_cursor() {
    return result::refuse(
        result::invalid("cursor", "The cursor is not of this list, or older than an hour. Begin anew without one."));
}

} // namespace

std::string make_cursor(const mac::CursorMac& mac, const Asker& asker, std::string_view filters,
                        std::string_view position, vocabulary::Time now) {
    const std::int64_t made = now.time_since_epoch().count();
    std::string bytes(sizeof made, '\0');
    std::memcpy(bytes.data(), &made, sizeof made);
    bytes.append(position);
    const auto digest = digest_of(mac, asker, filters, bytes);
    bytes.append(reinterpret_cast<const char*>(digest.data()), digest.size());
    std::string text(sodium_base64_encoded_len(bytes.size(), encoding), '\0');
    sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                      encoding);
    text.pop_back();
    return text;
}

result::Result<std::string> read_cursor(const mac::CursorMac& mac, const Asker& asker, std::string_view filters,
                                        std::string_view cursor, vocabulary::Time now) {
    std::string bytes(cursor.size(), '\0');
    std::size_t size = 0;
    mac::Digest digest;
    std::int64_t made = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), cursor.data(), cursor.size(),
                          nullptr, &size, nullptr, encoding) != 0 ||
        size < sizeof made + digest.size()) {
        return bad_cursor();
    }
    bytes.resize(size);
    std::memcpy(digest.data(), bytes.data() + size - digest.size(), digest.size());
    bytes.resize(size - digest.size());
    const auto expected = digest_of(mac, asker, filters, bytes);
    if (!mac::equal_in_constant_time(mac::bytes_of(expected), mac::bytes_of(digest))) return bad_cursor();
    std::memcpy(&made, bytes.data(), sizeof made);
    if (now - vocabulary::Time(vocabulary::Duration(made)) > wire::limits::cursor_kept) return bad_cursor();
    return bytes.substr(sizeof made);
}

} // namespace credlease::broker
