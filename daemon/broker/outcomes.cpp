#include "broker/outcomes.hpp"

#include "store/bytes.hpp"
#include "wire/limits.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

constexpr std::uint8_t format_here = 1;
constexpr std::size_t dropped_at_a_time = 4;

using store::ByteReader;
using store::ByteWriter;

void put_text(ByteWriter<std::string>& writer, std::string_view text) {
    writer.u64(text.size());
    writer.raw(text);
}

std::string encoded(const Outcomes::Outcome& outcome) {
    std::string bytes;
    ByteWriter writer(bytes);
    writer.u8(format_here);
    writer.raw({reinterpret_cast<const char*>(outcome.body_digest.data()), outcome.body_digest.size()});
    writer.i64(outcome.at.time_since_epoch().count());
    writer.u64(outcome.status);
    writer.u64(outcome.revision);
    put_text(writer, outcome.location);
    put_text(writer, outcome.body);
    return bytes;
}

std::optional<Outcomes::Outcome> decoded(std::string_view value) {
    ByteReader reader(value);
    if (reader.u8() != format_here) return std::nullopt;
    Outcomes::Outcome outcome;
    std::ranges::copy(reader.raw(outcome.body_digest.size()), outcome.body_digest.begin());
    outcome.at = vocabulary::Time(vocabulary::Duration(reader.i64()));
    outcome.status = static_cast<unsigned>(reader.u64());
    outcome.revision = reader.u64();
    outcome.location = reader.raw(reader.u64());
    outcome.body = reader.raw(reader.u64());
    return reader.is_whole() ? std::optional(std::move(outcome)) : std::nullopt;
}

} // namespace

result::Failure sent_before_with_another_request() {
    return result::refuse({.code = result::ErrorCode::idempotency_mismatch,
                           .sentence = "This Idempotency-Key was sent before with another request.",
                           .next_step = "Use a new key for a new request."});
}

std::string Outcomes::key_of(const Asker& asker) {
    // The principal of a user behind an engine is the user's: two actors of one engine never share a key.
    return asker.caller->principal + '\n' + asker.caller->on_behalf_of + '\n' + asker.idempotency_key;
}

std::optional<std::string> Outcomes::find_key(const Asker& asker) const {
    if (asker.idempotency_key.empty()) return std::nullopt;
    auto key = key_of(asker);
    return known_.contains(key) ? std::optional(std::move(key)) : std::nullopt;
}

result::Result<Outcomes::Outcome> Outcomes::read(const store::Store& store, const std::string& key,
                                                 const Asker& asker) {
    std::optional<Outcome> found;
    auto scanned = store.scan(store::Table::idempotency, key, [&](const store::Record& record) {
        if (record.key == key) found = decoded(record.value);
        return false;
    });
    if (!scanned) return result::refuse(std::move(scanned.error()));
    if (!found) {
        return result::refuse({.code = result::ErrorCode::damaged,
                               .sentence = "The stored outcome of this Idempotency-Key cannot be read.",
                               .next_step = "Look whether the change was made, and send it with a new key if not."});
    }
    if (found->body_digest != asker.body_digest) return sent_before_with_another_request();
    return std::move(*found);
}

void Outcomes::stage(const Asker& asker, const Outcome& outcome, store::Batch& batch) {
    if (asker.idempotency_key.empty()) return;
    const auto key = key_of(asker);
    const auto held = known_.find(key);
    batch.put(store::Table::idempotency, key, held == known_.end() ? 1 : held->second + 1, encoded(outcome));
    const auto old = outcome.at - wire::limits::idempotency_kept;
    for (std::size_t i = 0; i < dropped_at_a_time && !oldest_first_.empty(); ++i) {
        const auto first = oldest_first_.begin();
        if (first->first >= old) break;
        const auto oldest = known_.find(first->second);
        if (oldest != known_.end()) {
            batch.erase(store::Table::idempotency, oldest->first, oldest->second);
            known_.erase(oldest);
        }
        oldest_first_.erase(first);
    }
}

void Outcomes::apply(const Asker& asker, vocabulary::Time at) {
    if (asker.idempotency_key.empty()) return;
    auto key = key_of(asker);
    if (++known_[key] == 1) oldest_first_.emplace(at, std::move(key));
}

result::Result<> Outcomes::accept(const store::Record& record) {
    const auto outcome = decoded(record.value);
    if (!outcome) {
        return result::refuse(
            {.code = result::ErrorCode::damaged, .sentence = "A stored outcome of an Idempotency-Key cannot be read."});
    }
    known_.emplace(std::string(record.key), record.revision);
    oldest_first_.emplace(outcome->at, std::string(record.key));
    return {};
}

} // namespace credlease::broker
