#include <credlease/client.hpp>

#include <iostream>

/// Leases a credential and shows how long it may be used. There is no broker where it looks: it says so, and that is
/// what the test waits for.
int main() {
    credlease::Client client({.lease_socket = "/nonexistent/lease.sock"});
    const auto lease = client.lease({.credential = "Acme prod Slack", .ttl = std::chrono::minutes(5)});
    if (lease) {
        lease->expose("access_token", [](std::string_view token) { std::cout << token.size() << " bytes\n"; });
        return 1;
    }
    std::cout << lease.error().sentence << '\n';
    const auto secret = credlease::SecretText::copy_of("hidden");
    return lease.error().code == "unreachable" && secret && secret->size() == 6 ? 0 : 1;
}
