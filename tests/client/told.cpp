#include "told.hpp"

#include "stand_in.hpp"

namespace credlease::test {

std::string event(const std::string& type, const std::string& id, const std::string& members) {
    return "event: " + type + "\nid: " + id + "\ndata: {" + members + "}\n\n";
}

std::string ended(const std::string& id, const std::string& reason) {
    return event("lease.ended", id, R"("lease":")" + std::string(lease_id) + R"(","reason":")" + reason + "\"");
}

std::string rotated(const std::string& id, int version) {
    return event("credential.rotated", id,
                 R"("credential":")" + std::string(credential_id) + R"(","version":)" + std::to_string(version) +
                     R"(,"generation":0)");
}

std::string renewed(int version, double seconds) {
    std::string json = lease_json(seconds, "xoxb-new");
    const std::string old = "\"version\":3";
    return json.replace(json.find(old), old.size(), "\"version\":" + std::to_string(version));
}

void Told::take(const LeaseChange& change) {
    const std::lock_guard alone(lock_);
    changes_.push_back(change);
    came_.notify_all();
}

std::optional<LeaseChange> Told::next(std::chrono::milliseconds patience) {
    std::unique_lock held(lock_);
    if (!came_.wait_for(held, patience, [this] { return !changes_.empty(); })) return std::nullopt;
    auto first = changes_.front();
    changes_.pop_front();
    return first;
}

} // namespace credlease::test
