// token_endpoint CERTIFICATE KEY EXPIRES_IN
//
// A provider's token endpoint over TLS on loopback that says yes to everyone, as fast as a benchmark needs it. A
// connection stays open for as long as its client wants. Prints its port; then, for each line that it reads, how many
// tokens it has given.

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <boost/beast/ssl.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

std::atomic<std::uint64_t> given = 0;

http::response<http::string_body> next_tokens(const std::string& expires_in) {
    const auto number = std::to_string(++given);
    http::response<http::string_body> made(http::status::ok, 11);
    made.set(http::field::content_type, "application/json");
    made.body() = R"({"access_token":"at-bench-0123456789abcdef-)" + number +
                  R"(","token_type":"Bearer","refresh_token":"rt-bench-0123456789abcdef-)" + number +
                  R"(","expires_in":)" + expires_in + "}";
    made.prepare_payload();
    return made;
}

asio::awaitable<void> answer(tcp::socket socket, asio::ssl::context& tls, std::string expires_in) {
    try {
        asio::ssl::stream<tcp::socket> stream(std::move(socket), tls);
        stream.next_layer().set_option(tcp::no_delay(true));
        co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
        beast::flat_buffer buffer;
        for (bool is_open = true; is_open;) {
            http::request<http::string_body> request;
            co_await http::async_read(stream, buffer, request, asio::use_awaitable);
            is_open = request.keep_alive();
            auto response = next_tokens(expires_in);
            response.keep_alive(is_open);
            co_await http::async_write(stream, response, asio::use_awaitable);
        }
        co_await stream.async_shutdown(asio::use_awaitable);
    } catch (const boost::system::system_error&) {
        // the client has gone, or closed without a word
    }
}

asio::awaitable<void> serve(tcp::acceptor acceptor, asio::ssl::context& tls, std::string expires_in) {
    for (;;) {
        auto socket = co_await acceptor.async_accept(asio::use_awaitable);
        asio::co_spawn(acceptor.get_executor(), answer(std::move(socket), tls, expires_in), asio::detached);
    }
}

} // namespace

int main(int count, char** arguments) {
    if (count != 4) {
        std::fprintf(stderr, "usage: token_endpoint CERTIFICATE KEY EXPIRES_IN\n");
        return 2;
    }
    asio::io_context loop(1);
    asio::ssl::context tls(asio::ssl::context::tls_server);
    tls.use_certificate_chain_file(arguments[1]);
    tls.use_private_key_file(arguments[2], asio::ssl::context::pem);
    tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), 0});
    std::printf("%u\n", unsigned{acceptor.local_endpoint().port()});
    std::fflush(stdout);
    asio::co_spawn(loop, serve(std::move(acceptor), tls, arguments[3]), asio::detached);
    std::thread([] {
        for (std::string line; std::getline(std::cin, line);) {
            std::printf("%llu\n", static_cast<unsigned long long>(given.load()));
            std::fflush(stdout);
        }
        std::_Exit(0);
    }).detach();
    loop.run();
}
