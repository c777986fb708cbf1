#pragma once

#include "support/oauth/process.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::tests {

/// An OAuth provider that runs on loopback (provider.py), in a folder of its own; it ends with this.
class Provider {
  public:
    using Line = boost::json::object; ///< of its log: one request; provider.py lists the members

    /// One provider whose paths begin at the origin; settings.py lists the members.
    explicit Provider(const boost::json::object& settings = {});
    /// Several, by mount ("/slack").
    [[nodiscard]] static Provider with_mounts(const boost::json::object& by_mount) {
        return Provider(by_mount, Many{});
    }
    ~Provider();
    Provider(const Provider&) = delete;
    Provider& operator=(const Provider&) = delete;

    [[nodiscard]] const std::string& origin() const { return origin_; } ///< "https://127.0.0.1:PORT"
    [[nodiscard]] pid_t pid() const { return process_->pid(); }
    [[nodiscard]] std::filesystem::path ca_file() const { return folder_ / "ca.pem"; }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

    /// A call of control.py; throws when it is refused, with what the provider says.
    boost::json::object control(std::string_view path, const boost::json::object& body = {}) const;
    /// A rule of misbehavior.py: `{"do": "drop_after", "nth": 3}`.
    void misbehave(const boost::json::object& rule) const { control("/misbehave", rule); }
    void advance(std::chrono::seconds by) const;

    /// The whole lines of the log, that `wanted` says yes to.
    [[nodiscard]] std::vector<Line> log(const std::function<bool(const Line&)>& wanted) const;
    [[nodiscard]] std::vector<Line> token_requests(std::string_view grant_type = {}) const; ///< empty: of every type
    /// Token requests with a refresh token that was spent and out of its grace, or revoked: each is a broken promise.
    [[nodiscard]] std::vector<Line> uses_of_spent_tokens() const;
    /// Waits until so many token requests have been decided; false when they were not in time.
    [[nodiscard]] bool wait_for_token_requests(std::size_t count,
                                               std::chrono::milliseconds within = std::chrono::seconds(20)) const;

  private:
    struct Many {};
    Provider(const boost::json::object& by_mount, Many /*several*/);

    std::filesystem::path folder_;
    std::unique_ptr<ServingProcess> process_;
    std::string origin_;
};

} // namespace credlease::tests
