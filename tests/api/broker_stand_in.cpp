#include "broker_stand_in.hpp"

#include "support/allocations.hpp"
#include "wire/json_writer.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace credlease::test {
namespace {

using api::Door;
using api::Method;
using api::Parts;
using api::Reply;
using api::Request;
using api::Responder;
using secret::SecretBuffer;
using secret::Share;
using namespace std::chrono_literals;

constexpr runtime::WallTime start_time{1763769600000ms};

std::unique_ptr<secret::Arena> make_arena(std::size_t size) {
    auto arena = secret::Arena::make({.choice = secret::ArenaOptions::Choice::mlock, .size = size});
    if (!arena) throw std::runtime_error(arena.error().detail());
    return std::move(*arena);
}

attestation::Descriptor listen(const std::filesystem::path& path) {
    auto socket = api::listen_at({.path = path, .mode = 0666});
    if (!socket) throw std::runtime_error(socket.error().detail());
    return std::move(*socket);
}

std::size_t number_in(std::string_view text) {
    std::size_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

BrokerStandIn::BrokerStandIn(api::Listener::Options options, std::size_t arena_size)
    : clock(loop, start_time), arena(make_arena(arena_size)), routes_(make_routes()) {
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755)); // for clients of other uids
    options.is_sealed = [this] { return is_sealed.load(); };
    options.refused = [this](const attestation::Peer&, std::string_view code) { refused.emplace_back(code); };
    options.broken = [this](std::string_view what) { broken.emplace_back(what); };
    listener_ = std::make_unique<api::Listener>(loop, clock, *arena, routes_, std::move(options));
    listener_->add(Door::lease, listen(lease_path));
    listener_->add(Door::admin, listen(admin_path));
    thread_ = std::thread([this] { loop.run(); });
}

BrokerStandIn::~BrokerStandIn() {
    loop.stop();
    thread_.join();
    listener_.reset();
    waiting.clear();
    streams.clear();
}

bool BrokerStandIn::becomes_true(const std::function<bool()>& is_so) {
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < give_up) {
        if (on_loop(is_so)) return true;
        std::this_thread::sleep_for(1ms);
    }
    return false;
}

bool BrokerStandIn::has_connections(std::size_t count) {
    return becomes_true([&] { return listener_->connections() == count; });
}

void BrokerStandIn::answer_later(std::string body) {
    on_loop([&] {
        Responder oldest = std::move(waiting.front());
        waiting.erase(waiting.begin());
        oldest.answer({.body = std::move(body)});
    });
}

SecretBuffer BrokerStandIn::secret_of(std::string_view text, std::size_t times) {
    auto buffer = SecretBuffer::make(*arena, text.size() * times, Share::leases);
    if (!buffer) throw std::runtime_error("the arena is full");
    buffer->expose_to_write([&](std::span<std::byte> bytes) {
        for (std::size_t i = 0; i < times; ++i) std::memcpy(&bytes[i * text.size()], text.data(), text.size());
    });
    return std::move(*buffer);
}

void BrokerStandIn::lease(const Request& request, Responder responder) {
    allocations_seen.push_back(allocations());
    if (!request.body.starts_with("{")) {
        responder.refuse(result::invalid("credential", "This member is required."));
        return;
    }
    responder.answer_secret(201, secret_of(request.body), "/v1/leases/lease_1");
}

void BrokerStandIn::later(const Request& request, Responder responder) {
    if (!request.body.empty()) {
        auto body = request.take_body();
        if (!body) {
            responder.refuse(body.error());
            return;
        }
        bodies.push_back(std::move(*body));
    }
    waiting.push_back(std::move(responder));
}

void BrokerStandIn::listen_to_events(Responder responder) {
    auto stream = responder.open_stream({.closed = [this] { ++left; }});
    if (!stream) {
        responder.refuse(stream.error());
        return;
    }
    streams.push_back(std::make_unique<api::EventStream>(std::move(*stream)));
}

void BrokerStandIn::echo(const Request& request, const Parts& parts, Responder responder) {
    Reply reply{.status = 201, .location = "/v1/echo/1", .etag = 7};
    wire::JsonWriter writer(reply.body);
    writer.object()
        .member("door", request.door == Door::lease ? "lease" : "admin")
        .member("method", name_of(request.method))
        .member("path", request.path)
        .member("query", request.query)
        .member("grant", request.grant)
        .member("actor", request.actor)
        .member("key", request.idempotency_key)
        .member("if_match", request.if_match)
        .member("last_event", request.last_event_id)
        .member("uid", request.peer->uid)
        .member("body", request.body)
        .key("parts")
        .array();
    for (const auto& part : parts) writer.value(part);
    writer.close().close();
    responder.answer(std::move(reply));
}

std::vector<api::Route> BrokerStandIn::make_routes() {
    const auto echo = [this](const Request& request, const Parts& parts, Responder responder) {
        this->echo(request, parts, std::move(responder));
    };
    return {
        {Method::get, "/v1/status", true, true,
         [](const Request&, const Parts&, Responder responder) { responder.answer({.body = R"({"state":"ready"})"}); }},
        {Method::post, "/v1/leases", true, false,
         [this](const Request& request, const Parts&, Responder responder) { lease(request, std::move(responder)); }},
        {Method::get, "/v1/leases", false, false, echo},
        {Method::get, "/v1/events", true, false,
         [this](const Request&, const Parts&, Responder responder) { listen_to_events(std::move(responder)); }},
        {Method::post, "/v1/later", true, false,
         [this](const Request& request, const Parts&, Responder responder) { later(request, std::move(responder)); }},
        {Method::post, "/v1/echo", true, false, echo},
        {Method::get, "/v1/echo", true, false, echo},
        {Method::patch, "/v1/echo/{id}", false, false, echo},
        {Method::put, "/v1/echo/{id}/of/{user}", false, false, echo},
        {Method::del, "/v1/echo", true, false,
         [](const Request&, const Parts&, Responder responder) { responder.answer({.status = 204}); }},
        {Method::post, "/v1/mark", true, false,
         [this](const Request& request, const Parts&, Responder responder) {
             handled.emplace_back(request.body);
             responder.answer({.body = "{}"});
         }},
        {Method::post, "/v1/stranger", true, false,
         [this](const Request& request, const Parts&, Responder responder) {
             handled.emplace_back(request.body);
             responder.answer({.status = 401, .body = "{}"});
         }},
        {Method::get, "/v1/throw", true, false,
         [](const Request&, const Parts&, Responder) { throw std::runtime_error("out of coffee"); }},
        {Method::get, "/v1/drop", true, false, [](const Request&, const Parts&, Responder) {}},
        {Method::get, "/v1/large", true, false,
         [](const Request& request, const Parts&, Responder responder) {
             responder.answer({.body = std::string(number_in(request.query), 'x')});
         }},
        {Method::get, "/v1/large-secret", true, false,
         [this](const Request& request, const Parts&, Responder responder) {
             responder.answer_secret(200, secret_of("hush", number_in(request.query) / 4));
         }},
        {Method::get, "/v1/close", true, false,
         [](const Request&, const Parts&, Responder responder) { responder.answer({.body = "{}", .close = true}); }},
    };
}

} // namespace credlease::test
