#include "client/client_state.hpp"
#include "client/memory.hpp"
#include "client/refusal.hpp"

#include <boost/json/object.hpp>

namespace credlease {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

/// A destructor does not wait longer for the broker; what is not released then ends by itself.
constexpr auto release_time = 5s;

const std::string nothing;

Error no_lease() {
    return client::not_sent("", "This lease is empty: it was moved away, or taken by the parent process.");
}

void show_each(const client::Holding& holding, std::initializer_list<std::string_view> path,
               const std::function<void(std::string_view, std::string_view)>& use) {
    holding.expose_members([&](const json::value& answer) {
        const auto* found = client::find_at(answer, path);
        const auto* object = found == nullptr ? nullptr : found->if_object();
        if (object == nullptr) return;
        for (const auto& [name, value] : *object) {
            if (const auto* text = value.if_string()) use(name, *text);
        }
    });
}

} // namespace

Lease::State::~State() {
    if (listening) listening->remove(holding);
    if (is_kept || holding->is_over()) return;
    // Nobody is left to hear that it failed; a bound lease ends with the process, any other at its time.
    [[maybe_unused]] const auto released =
        client::at_the_boundary([&] { return holding->release(*session, release_time); });
}

client::LeaseFacts Lease::State::facts_of(const State* held) {
    return held == nullptr ? client::LeaseFacts{} : held->holding->facts();
}

client::LeaseTimes Lease::State::times_of(const State* held) {
    return held == nullptr ? client::LeaseTimes{} : held->holding->times();
}

Lease::Lease() = default;
Lease::~Lease() {
    if (state_ && state_->process != client::this_process()) client::abandon(state_);
}
Lease::Lease(Lease&&) noexcept = default;
Lease& Lease::operator=(Lease&& other) noexcept {
    const Lease old(std::move(*this));
    state_ = std::move(other.state_);
    return *this;
}

const Lease::State* Lease::held() const {
    return state_ && state_->process == client::this_process() ? state_.get() : nullptr;
}

const std::string& Lease::id() const { return held() ? held()->holding->issued().id : nothing; }
const std::string& Lease::credential_id() const { return held() ? held()->holding->issued().credential : nothing; }
const std::string& Lease::service() const { return held() ? held()->holding->issued().service : nothing; }

std::uint32_t Lease::version() const { return State::facts_of(held()).version; }
std::uint64_t Lease::generation() const { return State::facts_of(held()).generation; }
bool Lease::may_blip() const { return State::facts_of(held()).may_blip; }
std::map<std::string, std::string> Lease::fields() const { return State::facts_of(held()).fields; }
std::vector<std::string> Lease::secret_fields() const { return State::facts_of(held()).secret_fields; }
std::string Lease::base_url() const { return State::facts_of(held()).base_url; }
std::vector<std::string> Lease::allowed_hosts() const { return State::facts_of(held()).allowed_hosts; }

std::chrono::system_clock::time_point Lease::expires_at() const { return State::times_of(held()).expires_at; }
std::chrono::system_clock::time_point Lease::renewable_until() const { return State::times_of(held()).renewable_until; }
std::string Lease::limited_by() const { return State::times_of(held()).limited_by; }

bool Lease::is_over() const {
    if (!held()) return true;
    return held()->holding->is_over() || expires_at() <= std::chrono::system_clock::now();
}

std::optional<Error> Lease::last_error() const { return held() ? held()->holding->last_error() : std::nullopt; }

bool Lease::expose(std::string_view field, const std::function<void(std::string_view)>& use) const {
    bool is_there = false;
    if (!held()) return false;
    held()->holding->expose_members([&](const json::value& answer) {
        const auto* value = client::find_at(answer, {"secret", field});
        is_there = value != nullptr && client::show_value(*value, use).ok();
    });
    return is_there;
}

void Lease::expose_headers(const std::function<void(std::string_view, std::string_view)>& use) const {
    if (held()) show_each(*held()->holding, {"http", "headers"}, use);
}

void Lease::expose_query(const std::function<void(std::string_view, std::string_view)>& use) const {
    if (held()) show_each(*held()->holding, {"http", "query"}, use);
}

void Lease::expose_json(const std::function<void(std::string_view)>& use) const {
    if (held()) held()->holding->expose_json(use);
}

Result<void> Lease::renew(std::optional<std::chrono::milliseconds> ttl) {
    if (!held()) return no_lease();
    return client::at_the_boundary([&] { return held()->holding->renew(*held()->session, ttl); });
}

Result<void> Lease::release() {
    if (!held()) return no_lease();
    return client::at_the_boundary([&] { return held()->holding->release(*held()->session); });
}

void Lease::keep() {
    if (held()) state_->is_kept = true;
}

} // namespace credlease
