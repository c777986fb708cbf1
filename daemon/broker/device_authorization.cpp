#include "broker/device_authorization.hpp"

#include "broker/authorization_outcome.hpp"
#include "broker/find_credential.hpp"
#include "broker/send_in_share.hpp"

namespace credlease::broker {
namespace {

using result::refuse;
using State = Authorization::State;

constexpr std::chrono::seconds slower_by{5}; // RFC 8628 §3.5

result::Failure refused(const oauth::Refusal& refusal) {
    return refuse({.code = result::ErrorCode::upstream_failed,
                   .sentence = "The provider gave no code for a device.",
                   .next_step = "Authorize the credential in a browser instead, or look at the client's settings.",
                   .about = refusal.is_unread ? result::PublicText::of(words_of(refusal)) : refusal.code});
}

/// Until then, or until it has ended or the broker closes.
runtime::Task<> sleep_until(Unsealed& house, AuthorizationRef one, runtime::BootTime until) {
    auto& clock = house.parts.clock;
    auto start = [&clock, one, until](runtime::Resume resume) {
        one->wake = std::move(resume);
        one->poll_call = clock.call_at(until, [one] {
            one->poll_call = 0;
            std::exchange(one->wake, nullptr)();
        });
    };
    co_await runtime::suspend(house.parts.loop, std::move(start));
}

/// The client of one under way, while who began it may still change the credential.
result::Result<TokenClient> client_of(Unsealed& house, Asker& asker, const Authorization& one) {
    if (auto still = look_again(house, asker); !still) return refuse(std::move(still.error()));
    const auto entry = find_viewed(house, *asker.caller, access::Operation::edit, one.credential.text());
    if (!entry) return refuse(entry.error());
    return TokenClient::open_again(house, **entry, one.asked);
}

/// nullopt: nobody has decided yet, or it has ended. Else why it failed, or nothing.
runtime::Task<std::optional<std::string>> poll(Unsealed& house, Asker& asker, Authorization& one) {
    auto client = client_of(house, asker, one);
    if (!client) co_return std::string(client.error().sentence.view());
    auto prepared = oauth::device_poll_request(client->client(house.parts.arena), one.device->device_code);
    if (!prepared) co_return std::string(prepared.error().sentence.view());
    auto got = co_await exchange(house, *client, std::move(*prepared), std::nullopt);
    if (one.state != State::pending) co_return std::nullopt; // given up meanwhile: what came is nobody's
    const auto* refusal = std::get_if<oauth::Refusal>(&got.outcome);
    if (refusal == nullptr) {
        one.is_used = true; // where the store refuses its tokens that takes long, and it ends by that alone
        co_return co_await keep_answer(house, asker, one, *client, std::move(got), nullptr);
    }
    switch (oauth::poll_of(*refusal)) {
    case oauth::Poll::slow_down:
        one.device->interval += slower_by;
        break;
    case oauth::Poll::pending:
        break;
    case oauth::Poll::denied:
        co_return "The person said no.";
    case oauth::Poll::expired:
        co_return "It expired: nobody came within the time for it.";
    case oauth::Poll::failed:
        co_return describe(*refusal);
    }
    co_return std::nullopt;
}

} // namespace

runtime::Task<result::Result<oauth::DeviceGrant>> ask_for_device(Unsealed& house, const TokenClient& client) {
    auto prepared = oauth::device_request(client.client(house.parts.arena));
    if (!prepared) co_return refuse(std::move(prepared.error()));
    const auto begun = house.parts.clock.boot();
    auto answer = co_await send_in_share(house, client.owner(), std::move(prepared->request));
    if (!answer) co_return refuse(std::move(answer.error().error));
    const auto sent_at = house.wall() - (house.parts.clock.boot() - begun); // by the wall clock of now: it can be set
    const oauth::Asked asked{.secrets = prepared->secrets, .slot = std::nullopt, .sent_at = sent_at};
    auto read = oauth::read_device_answer(client.rules(), asked, *answer, house.parts.arena);
    if (!read) co_return refuse(std::move(read.error()));
    if (const auto* refusal = std::get_if<oauth::Refusal>(&*read)) co_return refused(*refusal);
    co_return std::move(std::get<oauth::DeviceGrant>(*read));
}

runtime::Task<> wait_for_device(Unsealed& house, Asker asker, AuthorizationRef one) {
    while (!house.is_closing) {
        const auto until = house.parts.clock.boot() + one->device->interval;
        co_await sleep_until(house, one, until);
        if (house.is_closing || one->state != State::pending) co_return;
        auto outcome = co_await poll(house, asker, *one);
        if (one->state != State::pending) co_return;
        if (!outcome) continue;
        const auto state = outcome->empty() ? State::connected : State::failed;
        house.authorizations->end(*one, state, std::move(*outcome), &asker);
        co_return;
    }
}

} // namespace credlease::broker
