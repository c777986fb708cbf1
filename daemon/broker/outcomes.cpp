#include "broker/outcomes.hpp"

#include "wire/limits.hpp"

#include <cstring>

namespace credlease::broker {
namespace {

constexpr char format_here = 1;
constexpr std::size_t dropped_at_a_time = 4;

void put_number(std::string& out, std::uint64_t number) {
    for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(number >> (8 * i)));
}

void put_text(std::string& out, std::string_view text) {
    put_number(out, text.size());
    out.append(text);
}

class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}
    bool number(std::uint64_t& out) {
        if (rest_.size() < 8) return false;
        out = 0;
        for (std::size_t i = 0; i < 8; ++i) out |= std::uint64_t{static_cast<std::uint8_t>(rest_[i])} << (8 * i);
        rest_.remove_prefix(8);
        return true;
    }
    bool text(std::string& out) {
        std::uint64_t size = 0;
        if (!number(size) || rest_.size() < size) return false;
        out = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
    }
    bool bytes(void* out, std::size_t size) {
        if (rest_.size() < size) return false;
        std::memcpy(out, rest_.data(), size);
        rest_.remove_prefix(size);
        return true;
    }

  private:
    std::string_view rest_;
};

std::string encoded(const Outcomes::Outcome& outcome) {
    std::string out(1, format_here);
    out.append(reinterpret_cast<const char*>(outcome.body_digest.data()), outcome.body_digest.size());
    put_number(out, static_cast<std::uint64_t>(outcome.at.time_since_epoch().count()));
    put_number(out, outcome.status);
    put_number(out, outcome.revision);
    put_text(out, outcome.location);
    put_text(out, outcome.body);
    return out;
}

std::optional<Outcomes::Outcome> decoded(std::string_view value) {
    if (value.empty() || value[0] != format_here) return std::nullopt;
    Reader reader(value.substr(1));
    Outcomes::Outcome outcome;
    std::uint64_t at = 0;
    std::uint64_t status = 0;
    if (!reader.bytes(outcome.body_digest.data(), outcome.body_digest.size()) || !reader.number(at) ||
        !reader.number(status) || !reader.number(outcome.revision) || !reader.text(outcome.location) ||
        !reader.text(outcome.body)) {
        return std::nullopt;
    }
    outcome.at = vocabulary::Time(vocabulary::Duration(static_cast<std::int64_t>(at)));
    outcome.status = static_cast<unsigned>(status);
    return outcome;
}

} // namespace

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
    if (found->body_digest != asker.body_digest) {
        return result::refuse({.code = result::ErrorCode::idempotency_mismatch,
                               .sentence = "This Idempotency-Key was sent before with another request.",
                               .next_step = "Use a new key for a new request."});
    }
    return std::move(*found);
}

void Outcomes::stage(const Asker& asker, const Outcome& outcome, store::Batch& batch) {
    if (asker.idempotency_key.empty()) return;
    batch.put(store::Table::idempotency, key_of(asker), 1, encoded(outcome));
    const auto old = outcome.at - wire::limits::idempotency_kept;
    for (std::size_t i = 0; i < dropped_at_a_time && !oldest_first_.empty(); ++i) {
        const auto first = oldest_first_.begin();
        if (first->first >= old) break;
        batch.erase(store::Table::idempotency, first->second, 1);
        known_.erase(first->second);
        oldest_first_.erase(first);
    }
}

void Outcomes::apply(const Asker& asker, vocabulary::Time at) {
    if (asker.idempotency_key.empty()) return;
    auto key = key_of(asker);
    oldest_first_.emplace(at, key);
    known_.emplace(std::move(key), at);
}

result::Result<> Outcomes::accept(const store::Record& record) {
    const auto outcome = decoded(record.value);
    if (!outcome) {
        return result::refuse(
            {.code = result::ErrorCode::damaged, .sentence = "A stored outcome of an Idempotency-Key cannot be read."});
    }
    known_.emplace(std::string(record.key), outcome->at);
    oldest_first_.emplace(outcome->at, std::string(record.key));
    return {};
}

} // namespace credlease::broker
