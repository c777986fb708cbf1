#include "stand_in.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace credlease::test {
namespace {

std::string time_in(double seconds) {
    const auto at = std::chrono::system_clock::now() + std::chrono::milliseconds(static_cast<long>(seconds * 1000));
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
    const std::time_t whole = since / 1000;
    std::tm parts{};
    gmtime_r(&whole, &parts);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    const std::string fraction = std::to_string(1000 + since % 1000).substr(1);
    return std::string(text.data(), size) + "." + fraction + "Z";
}

std::string times_json(double seconds) {
    return R"("expires_at":")" + time_in(seconds) + R"(","renewable_until":")" + time_in(3600) +
           R"(","limited_by":"ttl")";
}

/// One request out of `bytes`, if all of it is there.
std::optional<StandIn::Request> take_request(std::string& bytes) {
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    StandIn::Request request;
    std::size_t at = bytes.find("\r\n");
    const std::string line = bytes.substr(0, at);
    const auto first = line.find(' ');
    const auto second = line.find(' ', first + 1);
    request.method = line.substr(0, first);
    request.path = line.substr(first + 1, second - first - 1);
    while (at < end) {
        const auto begin = at + 2;
        at = bytes.find("\r\n", begin);
        const std::string field = bytes.substr(begin, at - begin);
        const auto colon = field.find(':');
        std::string name = field.substr(0, colon);
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
        request.headers[name] = field.substr(colon + 2);
    }
    const auto length = request.headers.find("content-length");
    const std::size_t size = length == request.headers.end() ? 0 : std::stoul(length->second);
    if (bytes.size() < end + 4 + size) return std::nullopt;
    request.body = bytes.substr(end + 4, size);
    bytes.erase(0, end + 4 + size);
    return request;
}

bool send_all(int descriptor, const std::string& text) {
    return send(descriptor, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

} // namespace

TemporaryDirectory::TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "credlease-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
}
TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

StandIn::StandIn(std::filesystem::path socket, Handle handle) : socket_(std::move(socket)), handle_(std::move(handle)) {
    std::filesystem::remove(socket_);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener_, 64) != 0) {
        throw std::runtime_error("the stand-in cannot listen");
    }
    acceptor_ = std::thread([this] { accept_all(); });
}

StandIn::~StandIn() {
    is_stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    close(listener_);
    {
        const std::lock_guard alone(lock_);
        for (const int descriptor : open_) shutdown(descriptor, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    std::filesystem::remove(socket_);
}

void StandIn::accept_all() {
    while (!is_stopping_) {
        const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (descriptor < 0) return;
        const std::lock_guard alone(lock_);
        open_.push_back(descriptor);
        threads_.emplace_back([this, descriptor, number = ++connections_] { serve(descriptor, number); });
    }
}

void StandIn::serve(int descriptor, int number) {
    ucred peer{};
    socklen_t size = sizeof peer;
    getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    std::string bytes;
    std::array<char, 65536> piece{};
    for (bool goes_on = true; goes_on;) {
        const ssize_t got = recv(descriptor, piece.data(), piece.size(), 0);
        if (got <= 0) break;
        bytes.append(piece.data(), static_cast<std::size_t>(got));
        while (auto request = take_request(bytes)) {
            request->pid = peer.pid;
            request->connection = number;
            {
                const std::lock_guard alone(lock_);
                seen_.push_back(*request);
            }
            goes_on = answer(descriptor, *request);
            if (!goes_on) break;
        }
    }
    const std::lock_guard alone(lock_);
    std::erase(open_, descriptor);
    std::erase(streams_, descriptor);
    close(descriptor);
}

bool StandIn::answer(int descriptor, const Request& request) {
    using Then = Response::Then;
    const Response response = handle_(request);
    if (response.then == Then::close_before_answer) return false;
    if (response.then == Then::stay_silent) return true;
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + " Stand In\r\n";
    for (const auto& [name, value] : response.headers) text += name + ": " + value + "\r\n";
    const bool is_stream = response.then == Then::stream;
    if (response.status != 204 && !is_stream)
        text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
    text += "Credlease-Request-Id: req_1\r\n\r\n";
    if (response.status != 204) text += response.body;
    if (response.then == Then::break_off) text.resize(text.size() - response.body.size() / 2);
    const std::lock_guard alone(lock_);
    if (is_stream) streams_.push_back(descriptor);
    return send_all(descriptor, text) && (response.then == Then::keep || is_stream);
}

std::size_t StandIn::push(const std::string& text) {
    const std::lock_guard alone(lock_);
    for (const int descriptor : streams_) send_all(descriptor, text);
    return streams_.size();
}

void StandIn::cut_streams() {
    const std::lock_guard alone(lock_);
    for (const int descriptor : streams_) shutdown(descriptor, SHUT_RDWR);
    streams_.clear();
}

std::vector<StandIn::Request> StandIn::seen() const {
    const std::lock_guard alone(lock_);
    return seen_;
}

bool StandIn::wait_for(std::size_t count) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (seen().size() < count) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

std::string lease_json(double seconds, const std::string& token, const std::string& id) {
    return R"({"lease":")" + id + R"(",)" + times_json(seconds) +
           R"(,"credential":{"id":"cred_01j00000000000000000000000","name":"Acme prod Slack","service":"slack",)"
           R"("auth":"oauth2","version":3,"generation":41},"fields":{"team":"T012","port":5432},)"
           R"("secret":{"access_token":")" +
           token + R"(","token_type":"Bearer"},"http":{"headers":{"Authorization":"Bearer )" + token +
           R"("},"query":{"key":"q-)" + token +
           R"("},"base_url":"https://slack.com/api","allowed_hosts":["slack.com"]},"from_the_future":[1,{"a":null}]})";
}

std::string renewal_json(double seconds) {
    return R"({"lease":"lease_01j00000000000000000000000",)" + times_json(seconds) +
           R"(,"credential":{"id":"cred_01j00000000000000000000000","version":3,"generation":41}})";
}

StandIn::Response problem(unsigned status, const std::string& code, const std::string& detail,
                          const std::string& more) {
    return {.status = status,
            .body = R"({"type":"about:blank","title":"Refused","status":)" + std::to_string(status) + R"(,"detail":")" +
                    detail + R"(","code":")" + code + R"(","request_id":"req_1")" + more + "}",
            .headers = {{"Content-Type", "application/problem+json"}}};
}

} // namespace credlease::test
