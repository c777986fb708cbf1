#include "outbound/name_lookups.hpp"

#include <cstring>
#include <map>
#include <mutex>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <system_error>
#include <thread>

namespace credlease::outbound {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t threads_most = 16;
constexpr std::size_t addresses_most = 16; ///< of one name

ip::address address_of(const addrinfo& info) {
    if (info.ai_family == AF_INET) {
        sockaddr_in four{};
        std::memcpy(&four, info.ai_addr, sizeof four);
        return ip::address_v4(ntohl(four.sin_addr.s_addr));
    }
    sockaddr_in6 six{};
    std::memcpy(&six, info.ai_addr, sizeof six);
    ip::address_v6::bytes_type bytes{};
    std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
    return ip::address_v6(bytes, six.sin6_scope_id);
}

Addresses look_up(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    Addresses found;
    found.failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &first);
    if (found.failure != 0) return found;
    for (const addrinfo* info = first; info != nullptr && found.list.size() < addresses_most; info = info->ai_next) {
        if (info->ai_family == AF_INET || info->ai_family == AF_INET6) found.list.push_back(address_of(*info));
    }
    ::freeaddrinfo(first);
    if (found.list.empty()) found.failure = EAI_NONAME;
    return found;
}

using Done = std::function<void(Addresses)>;
using Ticket = NameLookups::Ticket;

} // namespace

struct NameLookups::Shared : std::enable_shared_from_this<Shared> {
    /// The thread: looks up that name and then whichever is next.
    void work(std::string host);
    // With the lock.
    void tell(const std::string& host, const Addresses& found);
    void begin_threads();
    [[nodiscard]] bool begin_thread(const std::string& host);

    std::mutex mutex; ///< guards the rest
    runtime::Loop* loop = nullptr;
    LookupShares shares{threads_most};
    std::map<Ticket, Done> waiting{};
};

void NameLookups::Shared::tell(const std::string& host, const Addresses& found) {
    for (const Ticket ticket : shares.end(host)) {
        loop->post([done = std::move(waiting.extract(ticket).mapped()), found] { done(found); });
    }
}

void NameLookups::Shared::work(std::string host) {
    for (;;) {
        const Addresses found = look_up(host);
        const std::lock_guard lock(mutex);
        if (loop == nullptr) return;
        tell(host, found);
        const auto next = shares.next();
        if (!next) return;
        shares.begin(*next);
        host = next->host;
        begin_threads(); // where another owner took this one, the last one's next name may have room again
    }
}

void NameLookups::Shared::begin_threads() {
    while (const auto next = shares.next()) {
        if (!begin_thread(next->host)) return; // no more threads: whichever is there takes it in its turn
        shares.begin(*next);
    }
}

bool NameLookups::Shared::begin_thread(const std::string& host) {
    try {
        // Detached, since getaddrinfo(3) can't be told to end and a broker that stops must not wait for a name service.
        std::thread thread([self = shared_from_this(), host] { self->work(host); });
        pthread_setname_np(thread.native_handle(), "look-up");
        thread.detach();
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

NameLookups::NameLookups(runtime::Loop& loop) : shared_(std::make_shared<Shared>()) { shared_->loop = &loop; }

NameLookups::~NameLookups() {
    decltype(shared_->waiting) forgotten; // dies outside the lock: it may own what owns this
    const std::lock_guard lock(shared_->mutex);
    shared_->loop = nullptr;
    forgotten.swap(shared_->waiting);
}

Ticket NameLookups::start(std::string host, std::string on_behalf_of, Done done) {
    const std::lock_guard lock(shared_->mutex);
    const Ticket ticket = shared_->shares.ask(std::move(host), std::move(on_behalf_of));
    shared_->waiting.emplace(ticket, std::move(done));
    shared_->begin_threads();
    if (shared_->shares.at_work() != 0) return ticket;
    shared_->shares.give_up(ticket); // there is no thread that would ever come to it
    shared_->loop->post(
        [done = std::move(shared_->waiting.extract(ticket).mapped())] { done({.failure = EAI_AGAIN}); });
    return ticket;
}

void NameLookups::give_up(Ticket ticket) {
    decltype(shared_->waiting)::node_type forgotten; // dies outside the lock
    const std::lock_guard lock(shared_->mutex);
    forgotten = shared_->waiting.extract(ticket);
    shared_->shares.give_up(ticket);
}

} // namespace credlease::outbound
