#include "client/client_state.hpp"
#include "client/memory.hpp"
#include "client/refusal.hpp"
#include "client/secret_body.hpp"
#include "client/secret_text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace credlease {
namespace {

using client::Reply;

Result<Answer> answer_of(Result<Reply> reply) {
    if (!reply) return reply.error();
    return Answer{.status = reply->status,
                  .json = std::move(reply->text),
                  .etag = std::move(reply->etag),
                  .request_id = std::move(reply->request_id)};
}

/// Takes the secret member out of an answer; the rest is not secret.
Result<std::pair<Answer, SecretText>> part(Reply reply, std::string_view member) {
    SecretText secret;
    std::string rest;
    const auto read = [&](const boost::json::value& value) -> Result<void> {
        const auto* object = value.if_object();
        const auto* found = object == nullptr ? nullptr : object->if_contains(member);
        const auto* text = found == nullptr ? nullptr : found->if_string();
        if (text == nullptr) {
            return client::unexpected("The broker's answer has no \"" + std::string(member) + "\".");
        }
        auto copied = SecretText::copy_of(*text);
        if (!copied) return copied.error();
        secret = std::move(*copied);
        boost::json::object others;
        for (const auto& [name, each] : *object) {
            if (name != boost::json::string_view(member)) others[name] = each;
        }
        rest = boost::json::serialize(others);
        return {};
    };
    if (auto parted = reply.expose([&](std::string_view body) { return client::with_json(body, read); }); !parted) {
        return parted.error();
    }
    reply.text = std::move(rest);
    return std::pair(*answer_of(std::move(reply)), std::move(secret));
}

} // namespace

Result<Reply> Client::State::exchange(const Request& request, const secret::SecretBuffer* secret_body,
                                      bool secret_answer) {
    const auto session = door(request.door);
    if (!session) return session.error();
    const bool needs_key = request.idempotency_key.empty() && request.method == "POST";
    const std::string key = needs_key ? client::make_idempotency_key() : request.idempotency_key;
    return (*session)->exchange({.method = request.method,
                                 .path = request.path,
                                 .if_match = request.if_match,
                                 .idempotency_key = key,
                                 .body = request.json,
                                 .secret_body = secret_body,
                                 .secret_answer = secret_answer});
}

Result<Answer> Client::send(const Request& request) {
    return client::at_the_boundary([&] { return answer_of(live().exchange(request, nullptr)); });
}

Result<Answer> Client::send_fields(const Request& request, std::string_view json_members,
                                   std::vector<FieldValue> fields) {
    return client::at_the_boundary([&]() -> Result<Answer> {
        const auto body = client::write_fields(json_members, fields);
        if (!body) return body.error();
        return answer_of(live().exchange(request, &*body));
    });
}

Result<Answer> Client::send_secret(const Request& request, std::string_view member, const SecretText& secret) {
    return client::at_the_boundary([&]() -> Result<Answer> {
        const auto body = client::write_secret(request.json, member, secret);
        if (!body) return body.error();
        return answer_of(live().exchange(request, &*body));
    });
}

Result<std::pair<Answer, SecretText>> Client::send_for_secret(const Request& request, std::string_view member) {
    return client::at_the_boundary([&]() -> Result<std::pair<Answer, SecretText>> {
        auto reply = live().exchange(request, nullptr, true);
        if (!reply) return reply.error();
        return part(std::move(*reply), member);
    });
}

} // namespace credlease
