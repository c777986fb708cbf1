#include "vault/record_bytes.hpp"

namespace credlease::vault {

std::vector<std::string> read_texts(ByteReader& reader) {
    std::vector<std::string> texts;
    for (std::uint32_t left = reader.u32(); left > 0 && !reader.is_broken(); --left) texts.emplace_back(reader.text());
    return texts;
}

std::map<std::string, std::string> read_map(ByteReader& reader) {
    std::map<std::string, std::string> texts;
    for (std::uint32_t left = reader.u32(); left > 0 && !reader.is_broken(); --left) {
        std::string key(reader.text());
        texts.emplace(std::move(key), std::string(reader.text()));
    }
    return texts;
}

std::optional<std::int64_t> read_maybe(ByteReader& reader) {
    return reader.u8() == 0 ? std::nullopt : std::optional(reader.i64());
}

std::optional<vocabulary::Time> read_maybe_time(ByteReader& reader) {
    const auto number = read_maybe(reader);
    return number ? std::optional(time_of(*number)) : std::nullopt;
}

vocabulary::Scope read_scope(ByteReader& reader) {
    auto scope = vocabulary::Scope::find(reader.text());
    if (!scope) reader.give_up();
    return std::move(scope).value_or(vocabulary::Scope{});
}

ByteReader open_format(std::string_view value, std::uint8_t format) {
    ByteReader reader(value);
    if (reader.u8() != format) reader.give_up();
    return reader;
}

result::Failure damaged_record(std::string_view key) {
    return result::refuse({.code = result::ErrorCode::damaged,
                           .sentence = "A stored record is not in a form that this version of the broker knows.",
                           .next_step = "Start the version that wrote it, or restore a backup.",
                           .about = result::PublicText::of(key)});
}

} // namespace credlease::vault
