#include "protocols.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace credlease::bench {
namespace {

/// Numerical Recipes' generator: cheap, and the same choices in every run.
class Chooser {
  public:
    explicit Chooser(std::size_t seed) : state_(777U * static_cast<std::uint32_t>(seed + 1)) {}
    std::size_t next(std::size_t below) {
        state_ = state_ * 1664525U + 1013904223U;
        return (std::size_t{state_} * below) >> 32U;
    }

  private:
    std::uint32_t state_;
};

class Echo final : public Protocol {
  public:
    Echo(std::size_t request, std::size_t reply) : request_(request, 'q'), reply_(reply) {}
    std::string_view request() override { return request_; }
    std::size_t reply_size(std::string_view) const override { return reply_; }
    bool check(std::string_view) override { return true; }

  private:
    std::string request_;
    std::size_t reply_;
};

/// A request whose id changes from one time to the next.
class ById : public Protocol {
  public:
    ById(const Ids& ids, std::size_t connection) : ids_(ids), chooser_(connection) {}

  protected:
    const std::string& choose() {
        asked_ = chooser_.next(ids_.size());
        return ids_[asked_];
    }
    [[nodiscard]] const std::string& asked() const { return ids_[asked_]; }

  private:
    const Ids& ids_;
    std::size_t asked_ = 0;
    Chooser chooser_;
};

class Redis final : public ById {
  public:
    using ById::ById;
    std::string_view request() override {
        const auto& id = choose();
        text_ = "*2\r\n$3\r\nGET\r\n$" + std::to_string(id.size()) + "\r\n" + id + "\r\n";
        return text_;
    }
    /// "$SIZE\r\n" and SIZE bytes and "\r\n".
    std::size_t reply_size(std::string_view received) const override {
        const auto line = received.find("\r\n");
        if (line == std::string_view::npos) return 0;
        std::size_t size = 0;
        std::from_chars(received.data() + 1, received.data() + line, size);
        return line + 2 + size + 2;
    }
    bool check(std::string_view reply) override { return reply.starts_with('$') && reply[1] != '-'; }

  private:
    std::string text_;
};

/// Size of an HTTP/1.1 reply that has a Content-Length (RFC 9112 §6.2).
std::size_t http_size(std::string_view received) {
    const auto end = received.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    constexpr std::string_view name = "ontent-Length: ";
    const auto length = received.substr(0, end).find(name);
    if (length == std::string_view::npos) return end + 4;
    std::size_t size = 0;
    std::from_chars(received.data() + length + name.size(), received.data() + end, size);
    return end + 4 + size;
}

bool is_created(std::string_view reply) { return reply.starts_with("HTTP/1.1 201 "); }

class Lease final : public ById {
  public:
    Lease(const Ids& ids, std::size_t connection, bool with_keys) : ById(ids, connection), connection_(connection) {
        const std::string body =
            R"({"credential":"cred_00000000000000000000000000","ttl":"2s","purpose":{"workflow":"nightly-sync","run":"r-12345678","node":"fetch"}})";
        text_ = "POST /v1/leases HTTP/1.1\r\nHost: credlease\r\nContent-Type: application/json\r\n";
        if (with_keys) {
            text_ += "Idempotency-Key: ";
            key_at_ = text_.size();
            text_ += "bench-0000000000000000\r\n";
        }
        text_ += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
        id_at_ = text_.size() + body.find("cred_");
        text_ += body;
    }
    std::string_view request() override {
        const auto& id = choose();
        id.copy(text_.data() + id_at_, id.size());
        if (key_at_ != 0) write_key();
        return text_;
    }
    std::size_t reply_size(std::string_view received) const override { return http_size(received); }
    bool check(std::string_view reply) override {
        return is_created(reply) && reply.find(asked()) != std::string_view::npos;
    }

  private:
    void write_key() {
        std::uint64_t number =
            (std::uint64_t{connection_} << 52U) + ++number_; // the clock in ns needs 51 bits for a month
        for (std::size_t digit = 21; digit >= 6; --digit, number >>= 4U)
            text_[key_at_ + digit] = "0123456789abcdef"[number & 15U];
    }

    std::string text_;
    std::size_t id_at_ = 0, key_at_ = 0;
    std::size_t connection_;
    std::uint64_t number_ = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
};

class Filling final : public Protocol {
  public:
    Filling(std::uint64_t first, Ids& ids) : number_(first), ids_(ids) {}
    std::string_view request() override {
        const auto number = std::to_string(number_++);
        const auto token = "tok_" + number + "_" + std::string(40, 'A') + std::string(76 - number.size(), 'z');
        const auto body =
            R"({"service":"http-bearer","name":")" + number + R"(","fields":{"token":")" + token + R"("}})";
        text_ = "POST /v1/credentials HTTP/1.1\r\nHost: credlease\r\nContent-Type: application/json\r\n"
                "Content-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body;
        return text_;
    }
    std::size_t reply_size(std::string_view received) const override { return http_size(received); }
    bool check(std::string_view reply) override {
        constexpr std::string_view name = R"("id":")";
        constexpr std::size_t id_size = 5 + 26; // "cred_" and a ULID
        const auto at = reply.find(name);
        if (!is_created(reply) || at == std::string_view::npos) return false;
        ids_.emplace_back(reply.substr(at + name.size(), id_size));
        return true;
    }

  private:
    std::uint64_t number_;
    std::string text_;
    Ids& ids_;
};

} // namespace

std::vector<std::string> read_ids(const std::filesystem::path& file) {
    std::vector<std::string> ids;
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);) ids.push_back(line);
    return ids;
}

std::unique_ptr<Protocol> make_echo(std::size_t request, std::size_t reply) {
    return std::make_unique<Echo>(request, reply);
}
std::unique_ptr<Protocol> make_redis(const Ids& ids, std::size_t connection) {
    return std::make_unique<Redis>(ids, connection);
}
std::unique_ptr<Protocol> make_lease(const Ids& ids, std::size_t connection, bool with_keys) {
    return std::make_unique<Lease>(ids, connection, with_keys);
}
std::unique_ptr<Protocol> make_filling(std::uint64_t first, Ids& ids) { return std::make_unique<Filling>(first, ids); }

} // namespace credlease::bench
