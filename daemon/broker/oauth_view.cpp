#include "broker/oauth_view.hpp"

#include "broker/authorizations.hpp"
#include "broker/clock_warnings.hpp"
#include "broker/refresher.hpp"
#include "broker/wall_watch.hpp"

namespace credlease::broker {
namespace {

void write_texts(wire::JsonWriter& writer, std::string_view name, const std::vector<std::string>& texts) {
    writer.key(name).array();
    for (const auto& text : texts) writer.value(text);
    writer.close();
}

void write_slot(wire::JsonWriter& writer, const vocabulary::TokenState& token) {
    writer.object().member("slot", token.slot);
    write_texts(writer, "scopes", token.scopes);
    write_texts(writer, "lost_scopes", token.lost_scopes);
    writer.member("token_expires_at", token.access_ends_at).member("refreshable", token.has_refresh_token);
    writer.member("refresh_idle_ends_at", token.refresh_idle_ends_at).member("refresh_ends_at", token.refresh_ends_at);
    writer.close();
}

/// The clocks that people are warned of by now.
void write_endings(wire::JsonWriter& writer, const Unsealed& house, const vault::Entry& entry) {
    const auto write = [&](const oauth::RunningClock& clock, std::string_view slot) {
        if (!oauth::last_warning(clock, house.wall())) return;
        writer.object().member("clock", oauth::name_of(clock.clock)).member_or_null("slot", slot);
        writer.member("at", clock.ends).close();
    };
    writer.key("ending").array();
    for (const auto& [clock, slot] : clocks_of_grant(house, entry)) write(clock, slot);
    if (entry.tokens->state.terms.client == vocabulary::ClientOwner::organization) {
        const auto end = client_secret_end(house, entry);
        if (end) write({.clock = oauth::ClockKind::client_secret, .ends = *end}, {});
    }
    writer.close();
}

void write_durations(wire::JsonWriter& writer, std::string_view name, const Durations& times) {
    writer.key(name).object().member("count", times.count()).member("last_ms", times.last().count());
    writer.member("p50_ms", times.quantile(0.5).count()).member("p99_ms", times.quantile(0.99).count());
    writer.member("max_ms", times.most().count()).close();
}

/// When a refresh was begun whose answer nobody knows: a crash, or a connection, took it.
std::optional<vocabulary::Time> in_doubt_since(const Unsealed& house, const vocabulary::CredentialId& id) {
    const auto* intent = house.vault->find_intent(id);
    return intent == nullptr || house.refresher->is_asking(id) ? std::nullopt : std::optional(intent->started_at);
}

/// What is revoked, or a grant that has ended, is not asked for again by itself.
std::optional<vocabulary::Time> next_refresh(const vault::Entry& entry) {
    const auto status = entry.credential.status;
    const bool is_over =
        status == vocabulary::CredentialStatus::revoked || status == vocabulary::CredentialStatus::expired;
    return is_over ? std::nullopt : entry.tokens->state.refresh_at;
}

/// It failed, and the credential has been connected by another way since.
bool is_over(const Authorization& failed, const vault::Entry& entry) {
    const vocabulary::Time begun{std::chrono::milliseconds(failed.id.value().milliseconds())};
    return failed.state == Authorization::State::failed && entry.tokens && entry.tokens->state.connected_at > begun;
}

} // namespace

void write_oauth(wire::JsonWriter& writer, const Unsealed& house, const vault::Entry& entry) {
    const auto& state = entry.tokens->state;
    writer.key("oauth").object().member_or_null("account", state.account);
    if (!state.tokens.empty()) { // these two are the first slot's
        write_texts(writer, "scopes", state.tokens.front().scopes);
        writer.member("token_expires_at", state.tokens.front().access_ends_at);
    }
    writer.member("connected_at", state.connected_at).member("refreshed_at", state.refreshed_at);
    writer.member("refresh_at", next_refresh(entry))
        .member("in_doubt_since", in_doubt_since(house, entry.credential.id));
    writer.member("failures", state.failures);
    writer.member_or_null("last_failure", state.last_failure).member("client_id", state.terms.client_id);
    writer.member("client_secret_ends_at", client_secret_end(house, entry));
    if (state.may_be_refused_for.count() > 0) {
        writer.member("may_be_refused_for", vocabulary::text_of(state.may_be_refused_for));
    }
    write_endings(writer, house, entry);
    writer.key("tokens").array();
    for (const auto& token : state.tokens) write_slot(writer, token);
    writer.close().close();
}

void write_authorization(wire::JsonWriter& writer, const Unsealed& house, const vault::Entry& entry) {
    const auto last = house.authorizations->find_last(entry.credential.id);
    if (!last || last->state == Authorization::State::connected || last->scope != entry.credential.scope) return;
    if (is_over(*last, entry)) return;
    writer.key("authorization").object().member("state", name_of(last->state));
    if (last->state == Authorization::State::pending) {
        writer.member("expires_at", vocabulary::Time(last->ends_at.time_since_epoch() + house.wall_watch->offset()));
    }
    writer.member_or_null("error", last->error).close();
}

void write_oauth_status(wire::JsonWriter& writer, const Unsealed& house) {
    writer.key("oauth").object().member("ending", std::uint64_t{house.clock_warnings->ending()});
    if (const auto& first = house.clock_warnings->first_ending()) {
        writer.key("first_ending").object().member("clock", oauth::name_of(first->clock.clock));
        writer.member("at", first->clock.ends).member("service", first->service);
        writer.member_or_null("credential", first->credential).member_or_null("name", first->name).close();
    }
    writer.key("providers").object();
    for (const auto& [service, times] : house.token_times.by_service()) {
        writer.key(service).object();
        write_durations(writer, "until_durable", times.until_durable);
        if (times.refused.count() > 0) write_durations(writer, "may_be_refused", times.refused);
        writer.close();
    }
    writer.close().close();
}

} // namespace credlease::broker
