#include "rude_lives.hpp"

#include <thread>
#include <unistd.h>

namespace credlease::tests {

using namespace std::chrono_literals;
using test::request_text;
using test::SocketClient;

std::string as_grant(const std::string& grant) {
    return grant.empty() ? std::string() : "Authorization: Bearer " + grant + "\r\n";
}

std::vector<SocketClient> connect(const std::filesystem::path& door, int count) {
    std::vector<SocketClient> clients;
    for (int i = 0; i < count; ++i) clients.emplace_back(door);
    return clients;
}

Life flood(const std::filesystem::path& door, const std::vector<std::string>& requests) {
    return [=](const auto& under_way) {
        constexpr int ahead = 8;
        auto clients = connect(door, static_cast<int>(requests.size()));
        for (bool first = true;; first = false) {
            for (std::size_t i = 0; i < clients.size(); ++i) {
                for (int k = 0; k < ahead; ++k) clients[i].send(requests[i]);
            }
            for (auto& client : clients) {
                for (int i = 0; i < ahead; ++i) (void)client.receive();
            }
            if (first) under_way();
        }
    };
}

Life flood(const std::filesystem::path& door, const std::string& request) {
    return flood(door, std::vector<std::string>(16, request));
}

Life stall(const std::filesystem::path& door, const std::string& text, int count) {
    return [=](const auto& under_way) {
        auto clients = connect(door, count);
        for (auto& client : clients) client.send(text);
        under_way();
        ::pause();
    };
}

Life trickle(const std::filesystem::path& door) {
    return [=](const auto& under_way) {
        const auto text = request_text("POST", "/v1/leases", std::string(4000, ' '));
        auto clients = connect(door, connections_per_uid);
        for (std::size_t i = 0;; ++i) {
            for (auto& client : clients) client.send(text.substr(i % text.size(), 1));
            if (i == 0) under_way();
            std::this_thread::sleep_for(1ms);
        }
    };
}

Life come_and_go(const std::filesystem::path& door) {
    return [=](const auto& under_way) {
        for (bool first = true;; first = false) {
            auto clients = connect(door, connections_per_uid + 8);
            if (first) under_way();
        }
    };
}

std::string half_a_body() { return request_text("POST", "/v1/leases", std::string(16 * 1024, ' ')).substr(0, 8000); }

} // namespace credlease::tests
