#include "support/oauth/https_post.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <stdexcept>

namespace credlease::tests {

namespace asio = boost::asio;
namespace http = boost::beast::http;

HttpsAnswer https_post(const std::string& origin, const std::string& path, const std::string& form,
                       const std::filesystem::path& ca_file) {
    constexpr std::string_view beginning = "https://127.0.0.1:";
    if (!origin.starts_with(beginning)) throw std::runtime_error(origin + " is not on loopback");
    asio::io_context context;
    asio::ssl::context trust(asio::ssl::context::tls_client);
    trust.load_verify_file(ca_file);
    asio::ssl::stream<asio::ip::tcp::socket> stream(context, trust);
    stream.set_verify_mode(asio::ssl::verify_peer);
    const auto port = static_cast<std::uint16_t>(std::stoul(origin.substr(beginning.size())));
    stream.next_layer().connect({asio::ip::address_v4::loopback(), port});
    stream.handshake(asio::ssl::stream_base::client);

    http::request<http::string_body> request(http::verb::post, path, 11, form);
    request.set(http::field::host, origin.substr(std::string_view("https://").size()));
    request.set(http::field::content_type, "application/x-www-form-urlencoded");
    request.keep_alive(false);
    request.prepare_payload();
    http::write(stream, request);
    boost::beast::flat_buffer read;
    http::response<http::string_body> response;
    http::read(stream, read, response);
    return {.status = response.result_int(), .body = std::move(response.body())};
}

} // namespace credlease::tests
