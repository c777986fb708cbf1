#include "api/reply.hpp"

#include "api/traffic.hpp"
#include "wire/problem.hpp"

namespace credlease::api {

Reply problem_reply(const result::Error& error, const vocabulary::RequestId& request) {
    Reply reply;
    reply.status = wire::status_of(error.code);
    reply.body = wire::problem_json(error, request.text());
    reply.content_type = "application/problem+json";
    reply.retry_after = error.retry_after_seconds;
    return reply;
}

Responder::Responder(Responder&& other) noexcept = default;

Responder& Responder::operator=(Responder&& other) noexcept {
    if (this == &other) return *this;
    Responder dropped(std::move(*this));
    traffic_ = std::move(other.traffic_);
    slot_ = other.slot_;
    generation_ = other.generation_;
    request_ = other.request_;
    return *this;
}

Responder::~Responder() {
    if (!pending()) return;
    refuse({.code = result::ErrorCode::internal,
            .sentence = "The broker could not finish this request.",
            .next_step = "Look at its log, under the request's id."});
}

bool Responder::answer(Reply reply) {
    const auto traffic = std::move(traffic_);
    return traffic && traffic->answer(slot_, generation_, request_, std::move(reply));
}

bool Responder::refuse(const result::Error& error) { return answer(problem_reply(error, request_)); }

bool Responder::answer_secret(unsigned status, secret::SecretBuffer body, std::string_view location) {
    const auto traffic = std::move(traffic_);
    return traffic && traffic->answer_secret(slot_, generation_, request_, {.status = status, .location = location},
                                             std::move(body));
}

bool Responder::is_connected() const { return traffic_ && traffic_->is_connected(slot_, generation_); }

} // namespace credlease::api
