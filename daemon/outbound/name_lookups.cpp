#include "outbound/name_lookups.hpp"

#include <cstring>
#include <deque>
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

} // namespace

struct NameLookups::Shared {
    void work();
    /// False when there is nothing left to look up: the thread ends.
    bool take(std::string& next);
    void tell(const std::string& host, const Addresses& found);

    std::mutex mutex; ///< guards the rest
    runtime::Loop* loop = nullptr;
    std::map<std::string, std::vector<Done>> asked{}; ///< who waits for each name
    std::deque<std::string> waiting{};                ///< names of `asked` that no thread has taken
    std::size_t threads = 0;
};

bool NameLookups::Shared::take(std::string& next) {
    const std::lock_guard lock(mutex);
    if (waiting.empty()) {
        --threads;
        return false;
    }
    next = std::move(waiting.front());
    waiting.pop_front();
    return true;
}

void NameLookups::Shared::tell(const std::string& host, const Addresses& found) {
    const std::lock_guard lock(mutex);
    if (loop == nullptr) return;
    for (Done& done : asked.extract(host).mapped()) loop->post([done = std::move(done), found] { done(found); });
}

void NameLookups::Shared::work() {
    for (std::string host; take(host);) tell(host, look_up(host));
}

NameLookups::NameLookups(runtime::Loop& loop) : shared_(std::make_shared<Shared>()) { shared_->loop = &loop; }

NameLookups::~NameLookups() {
    decltype(shared_->asked) forgotten; // dies outside the lock: it may own what owns this
    const std::lock_guard lock(shared_->mutex);
    shared_->loop = nullptr;
    shared_->waiting.clear();
    forgotten.swap(shared_->asked);
}

void NameLookups::start(std::string host, Done done) {
    const std::lock_guard lock(shared_->mutex);
    auto& those = shared_->asked[host];
    those.push_back(std::move(done));
    if (those.size() > 1) return; // it is being looked up
    shared_->waiting.push_back(std::move(host));
    if (shared_->threads == threads_most) return;
    try {
        // Detached, since getaddrinfo(3) can't be told to end and a broker that stops must not wait for a name service.
        std::thread thread([shared = shared_] { shared->work(); });
        pthread_setname_np(thread.native_handle(), "look-up");
        thread.detach();
        ++shared_->threads;
    } catch (const std::system_error&) { // no more threads: whichever is there takes it in its turn
        if (shared_->threads != 0) return;
        const auto last = shared_->asked.extract(shared_->waiting.back());
        shared_->waiting.pop_back();
        shared_->loop->post([done = std::move(last.mapped().front())] { done({.failure = EAI_AGAIN}); });
    }
}

} // namespace credlease::outbound
