#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace credlease::test {

/// Listens to a broker's events (WHATWG HTML §9.2) over a Unix socket, byte by byte as they come.
class EventReader {
  public:
    /// Connects and asks; `headers` are lines that end in CR LF. With `reads` false nothing is ever read.
    explicit EventReader(const std::filesystem::path& socket, std::string_view headers = {}, bool reads = true);
    ~EventReader();
    EventReader(EventReader&& other) noexcept;
    EventReader& operator=(EventReader&&) = delete;

    struct Event {
        std::string type;
        std::string id;
        std::string data; ///< JSON
    };
    /// The next event; nullopt: none came within `patience`, or the stream has ended.
    [[nodiscard]] std::optional<Event> next(std::chrono::milliseconds patience = std::chrono::seconds(10));
    /// Whether it ends within `patience`, whatever comes before.
    [[nodiscard]] bool ends(std::chrono::milliseconds patience = std::chrono::seconds(10));
    /// Whether the first line came: from then on it is told what happens.
    [[nodiscard]] bool is_listening(std::chrono::milliseconds patience = std::chrono::seconds(10));

    [[nodiscard]] const std::string& head() const { return head_; } ///< of the answer
    [[nodiscard]] unsigned status() const;
    [[nodiscard]] const std::string& last_id() const { return last_id_; }
    [[nodiscard]] std::size_t comments() const { return comments_; }
    void close();

  private:
    using Clock = std::chrono::steady_clock;
    bool read_more(Clock::time_point until);
    bool read_block(Clock::time_point until, Event& event);

    int socket_ = -1;
    bool has_ended_ = false;
    std::string head_;
    std::string bytes_;
    std::string last_id_;
    std::size_t comments_ = 0;
};

} // namespace credlease::test
