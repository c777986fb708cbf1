#include "broker/token_exchange.hpp"

#include "broker/send_in_share.hpp"
#include "broker/wall_watch.hpp"
#include "runtime/crash_point.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <charconv>

namespace credlease::broker {
namespace {

using catalog::OAuth;
using vocabulary::Time;
using vocabulary::TokenState;

constexpr int looks_most = 200; ///< five seconds: before anything is sent, or for what is too large for tokens
constexpr std::chrono::milliseconds between_looks{25}; ///< for room in the arena, for an answer that has come

const TokenState* find_slot(const vocabulary::OAuthState& state, std::string_view name) {
    const auto found = std::ranges::find(state.tokens, name, &TokenState::slot);
    return found == state.tokens.end() ? nullptr : &*found;
}

/// A refresh token is there, or none is needed.
bool can_refresh(const TokenClient& client, bool has_refresh_token) {
    return has_refresh_token || is_automatic(client.terms().flow);
}

std::optional<Time> earlier(std::optional<Time> one, std::optional<Time> other) {
    if (!one || !other) return one ? one : other;
    return std::min(*one, *other);
}

vault::NewToken new_token(const TokenClient& client, oauth::SlotTokens made, const oauth::Clocks& clocks) {
    return {.slot = client.rules().slots[made.slot].name,
            .access_token = std::move(made.access_token).take(),
            .refresh_token = std::move(made.refresh_token).take(),
            .token_type = std::move(made.token_type),
            .scopes = std::move(made.scopes),
            .access_ends_at = clocks.access_ends,
            .refresh_idle_ends_at = clocks.refresh_idle_ends,
            .refresh_ends_at = clocks.refresh_absolute_ends};
}

/// It may be the only copy of a token: a stop waits until it is read.
class UnreadAnswer {
  public:
    explicit UnreadAnswer(Unsealed& house) : house_(house) { ++house_.unkept_tokens; }
    ~UnreadAnswer() { --house_.unkept_tokens; }
    UnreadAnswer(const UnreadAnswer&) = delete;
    UnreadAnswer& operator=(const UnreadAnswer&) = delete;

  private:
    Unsealed& house_;
};

Exchanged begin(const Unsealed& house) {
    Exchanged made;
    made.sent_at = house.wall();
    made.begun = house.parts.clock.boot();
    return made;
}

/// What came for `begun`.
runtime::Task<Exchanged> read(Unsealed& house, const TokenClient& client, oauth::Asked asked, outbound::Outcome answer,
                              Exchanged begun) {
    auto made = std::move(begun);
    made.came = house.parts.clock.boot();
    const UnreadAnswer unread(house);
    co_await runtime::give_way(house.parts.loop);                          // answers come in crowds
    made.sent_at = house.wall() - (house.parts.clock.boot() - made.begun); // by the wall clock of now: it can be set
    asked.sent_at = made.sent_at;
    if (!answer) {
        made.outcome = oauth::refusal_of(answer.error());
        made.was_sent = answer.error().was_sent;
        made.found_no_room = !made.was_sent && answer.error().error.code == result::ErrorCode::overloaded;
        co_return made;
    }
    auto read = oauth::read_answer(client.rules(), asked, *answer, house.parts.arena);
    const bool is_usual = answer->body.size() <= wire::limits::usual_answer;
    for (int looks = 0; !read && (is_usual || looks < looks_most); ++looks) { // outbound leaves room for reading one
        co_await house.parts.clock.sleep_until(house.parts.clock.boot() + between_looks);
        read = oauth::read_answer(client.rules(), asked, *answer, house.parts.arena);
    }
    if (!read) {
        oauth::Refusal refusal;
        refusal.may_be_done = true;
        made.outcome = std::move(refusal);
        co_return made;
    }
    runtime::crash_point("answer read");
    made.outcome = std::move(*read);
    co_return made;
}

} // namespace

std::string words_of(const oauth::Refusal& refusal) {
    if (refusal.status == 0) return refusal.text.empty() ? "no answer came" : refusal.text.text();
    if (refusal.is_unread) return "its answer is not a JSON object, status " + std::to_string(refusal.status);
    auto text = refusal.code.empty() ? "status " + std::to_string(refusal.status) : refusal.code.text();
    if (!refusal.text.empty()) text += " (" + refusal.text.text() + ")";
    return text;
}

runtime::Task<Exchanged> exchange(Unsealed& house, const TokenClient& client, oauth::Prepared prepared,
                                  std::optional<std::size_t> slot) {
    auto made = begin(house);
    const oauth::Asked asked{.secrets = prepared.secrets, .slot = slot, .sent_at = made.sent_at};
    auto answer = co_await send_in_share(house, client.owner(), std::move(prepared.request));
    co_return co_await read(house, client, asked, std::move(answer), std::move(made));
}

runtime::Task<Exchanged> exchange_in_turn(Unsealed& house, const TokenClient& client, oauth::Prepared prepared,
                                          std::optional<std::size_t> slot) {
    for (int looks = 0; looks < looks_most && !house.parts.outbound.has_room(); ++looks) {
        co_await house.parts.clock.sleep_until(house.parts.clock.boot() + between_looks);
    }
    auto made = begin(house);
    const oauth::Asked asked{.secrets = prepared.secrets, .slot = slot, .sent_at = made.sent_at};
    prepared.request.on_behalf_of = client.owner();
    auto answer = co_await house.parts.outbound.send(std::move(prepared.request));
    co_return co_await read(house, client, asked, std::move(answer), std::move(made));
}

vocabulary::PublicFields public_fields(const TokenClient& client, const std::vector<oauth::FieldText>& texts) {
    vocabulary::PublicFields fields;
    for (const auto& [index, text] : texts) {
        const auto& field = client.auth().fields[index];
        std::int64_t number = 0;
        const auto* end = text.data() + text.size();
        const bool is_number = field.type == vocabulary::FieldType::integer &&
                               std::from_chars(text.data(), end, number).ptr == end && !text.empty();
        fields[field.name] = is_number ? vocabulary::PublicValue(number) : vocabulary::PublicValue(text);
    }
    return fields;
}

oauth::Clocks clocks_of(const TokenClient& client, const vocabulary::OAuthState& state, const TokenState& token) {
    oauth::Clocks clocks;
    clocks.got_at = vocabulary::got_at(state, token);
    clocks.access_ends = token.access_ends_at;
    clocks.refresh_idle_ends = token.refresh_idle_ends_at;
    clocks.refresh_absolute_ends = token.refresh_ends_at;
    clocks.can_refresh = can_refresh(client, token.has_refresh_token);
    clocks.margin = client.rules().clocks.margin;
    clocks.access_after_refresh = client.rules().clocks.access_after_refresh;
    return clocks;
}

std::optional<std::size_t> slot_to_refresh(const TokenClient& client, const vocabulary::OAuthState& state) {
    const auto& slots = client.rules().slots;
    std::optional<std::size_t> first;
    std::optional<Time> first_ends;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        const auto* token = find_slot(state, slots[i].name);
        if (token == nullptr || !can_refresh(client, token->has_refresh_token)) continue;
        const bool ends_first = token->access_ends_at && (!first_ends || *token->access_ends_at < *first_ends);
        if (first && !ends_first) continue;
        first = i;
        first_ends = token->access_ends_at;
    }
    return first;
}

vault::NewTokens to_store(const TokenClient& client, oauth::TokenSet made, Time sent_at,
                          const vocabulary::OAuthState* before, Unsealed& house, std::uint64_t seed) {
    vault::NewTokens stored;
    stored.told_at = house.wall_watch->offset();
    const auto now = house.wall();
    stored.now = now;
    stored.account = std::move(made.account);
    stored.answer_fields = public_fields(client, made.fields);
    const auto refresh = client.terms().refresh_class;
    for (auto& slot : made.slots) {
        const auto* held = before ? find_slot(*before, client.rules().slots[slot.slot].name) : nullptr;
        const bool has_token = !slot.refresh_token.empty() || (held && held->has_refresh_token);
        std::optional<oauth::Clocks> earlier_ones;
        if (held) earlier_ones = clocks_of(client, *before, *held);
        const auto clocks = oauth::clocks_after(client.rules(), refresh, can_refresh(client, has_token), slot, sent_at,
                                                earlier_ones ? &*earlier_ones : nullptr);
        stored.refresh_at = earlier(stored.refresh_at, oauth::refresh_at(clocks, refresh, now, seed));
        stored.tokens.push_back(new_token(client, std::move(slot), clocks));
    }
    if (!before) return stored;
    for (const auto& token : before->tokens) { // slots that this answer leaves as they are
        if (std::ranges::find(stored.tokens, token.slot, &vault::NewToken::slot) != stored.tokens.end()) continue;
        const auto clocks = clocks_of(client, *before, token);
        stored.refresh_at = earlier(stored.refresh_at, oauth::refresh_at(clocks, refresh, now, seed));
    }
    return stored;
}

} // namespace credlease::broker
