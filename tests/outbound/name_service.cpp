#include "name_service.hpp"

#include <condition_variable>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include <netdb.h>
#include <set>

namespace credlease::outbound::test {
namespace {

struct NameService {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, std::vector<std::string>> addresses;
    std::map<std::string, std::size_t> lookups;
    std::set<std::string> hanging;
};

/// Never destroyed: a look-up that was forgotten may outlive the tests.
NameService& service() {
    static auto* const made = new NameService;
    return *made;
}

} // namespace

void set_addresses(const std::string& host, std::vector<std::string> addresses) {
    const std::lock_guard lock(service().mutex);
    service().addresses[host] = std::move(addresses);
}

void hang(const std::string& host) {
    const std::lock_guard lock(service().mutex);
    service().hanging.insert(host);
}

void let_go() {
    const std::lock_guard lock(service().mutex);
    service().hanging.clear();
    service().changed.notify_all();
}

void let_go(const std::string& host) {
    const std::lock_guard lock(service().mutex);
    service().hanging.erase(host);
    service().changed.notify_all();
}

std::size_t lookups_of(const std::string& host) {
    const std::lock_guard lock(service().mutex);
    return service().lookups[host];
}

namespace {

using Call = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

std::vector<std::string> answer_of(const std::string& host) {
    std::unique_lock lock(service().mutex);
    ++service().lookups[host];
    service().changed.wait(lock, [&] { return !service().hanging.contains(host); });
    return service().addresses[host];
}

int look_up(const char* host, const char* port, const addrinfo* hints, addrinfo** found) {
    const auto real = reinterpret_cast<Call>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    if (!std::string_view(host).ends_with(".test")) return real(host, port, hints, found);
    addrinfo** end = found;
    *found = nullptr;
    for (const std::string& address : answer_of(host)) {
        if (const int failure = real(address.c_str(), port, hints, end); failure != 0) return failure;
        while (*end != nullptr) end = &(*end)->ai_next;
    }
    return *found == nullptr ? EAI_NONAME : 0;
}

} // namespace
} // namespace credlease::outbound::test

extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* host, const char* port,
                                                                  const addrinfo* hints, addrinfo** found) {
    return credlease::outbound::test::look_up(host, port, hints, found);
}
