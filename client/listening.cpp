#include "client/listening.hpp"

#include "client/event_connection.hpp"
#include "client/refusal.hpp"
#include "client/signals_held_back.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace credlease::client {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds pause_least = 20ms;
constexpr std::chrono::milliseconds pause_most = 5s;
constexpr std::size_t unclaimed_most = 256;                   ///< events
constexpr std::chrono::milliseconds until_asked_again = 5min; ///< a broker that does not tell may be replaced

/// What the broker tells of one lease.
struct Watched {
    std::shared_ptr<Holding> holding;
    std::shared_ptr<Session> session; ///< to ask over
    Listening::Tell tell;
    std::shared_ptr<Renewals> renewals; ///< null: nothing renews it
    Delivery told{};                    ///< the latest that the program knows of; the thread's own
};
using WatchedRef = std::shared_ptr<Watched>;

std::optional<LeaseChange::Kind> kind_of(std::string_view type) {
    if (type == "lease.expiring") return LeaseChange::Kind::expiring;
    if (type == "lease.ended") return LeaseChange::Kind::ended;
    if (type == "credential.rotated") return LeaseChange::Kind::rotated;
    if (type == "credential.refreshed") return LeaseChange::Kind::refreshed;
    return std::nullopt;
}

bool is_of_credential(LeaseChange::Kind kind) {
    return kind == LeaseChange::Kind::rotated || kind == LeaseChange::Kind::refreshed;
}

boost::json::value read_members(const std::string& json) {
    boost::system::error_code failed;
    auto value = boost::json::parse(json, failed);
    return failed ? boost::json::value() : value;
}

bool is_about(const Event& event, const Holding& holding) {
    const auto kind = kind_of(event.type);
    if (!kind) return false;
    const bool by_credential = is_of_credential(*kind);
    const auto& issued = holding.issued();
    return text_at(read_members(event.json), {by_credential ? "credential" : "lease"}) ==
           (by_credential ? issued.credential : issued.id);
}

} // namespace

struct Listening::Thread {
    explicit Thread(const Session& session) : connection(session.settings()) {}

    void run();
    Result<void> listen();
    void wait_for_leases();
    std::vector<WatchedRef> all();
    void take(const Event& event);
    std::vector<WatchedRef> claimants(const Event& event);
    void tell_of(const Event& event, const WatchedRef& watched_one);
    void tell_of_secret(const WatchedRef& watched_one);
    void note_renewed();
    void look_at_secrets();
    void pause(std::chrono::milliseconds time);
    void begin();
    void look_at_all(bool may_have_changed);
    void claim(const Holding& holding);
    void tell(const WatchedRef& watched, LeaseChange change);
    void end(const WatchedRef& watched, const std::string& reason);

    EventConnection connection;
    std::mutex lock;
    std::condition_variable changed;
    std::list<WatchedRef> watched;
    std::deque<Event> unclaimed; ///< of no lease that is watched: of one that is about to be, maybe
    std::deque<Event> missed;    ///< … and was, as it turned out
    bool has_begun = false;
    bool is_renewed = false;       ///< one of them, since their secrets were looked at
    const Watched* busy = nullptr; ///< whose call is under way
    bool is_stopping = false;
    std::thread thread;
};

Listening::~Listening() {
    if (!thread_) return;
    {
        const std::lock_guard alone(thread_->lock);
        thread_->is_stopping = true;
        thread_->changed.notify_all();
    }
    thread_->connection.interrupt();
    if (thread_->thread.get_id() == std::this_thread::get_id()) {
        thread_->thread.detach();
    } else {
        thread_->thread.join();
    }
}

void Listening::add(const std::shared_ptr<Holding>& holding, const std::shared_ptr<Session>& session, Tell tell,
                    std::shared_ptr<Renewals> renewals) {
    if (!thread_) start(*session);
    if (renewals) {
        holding->on_renewed([weak = std::weak_ptr(thread_)] {
            if (const auto thread = weak.lock()) thread->note_renewed();
        });
    }
    auto added = std::make_shared<Watched>(Watched{.holding = holding,
                                                   .session = session->another(),
                                                   .tell = std::move(tell),
                                                   .renewals = std::move(renewals),
                                                   .told = holding->delivery()});
    const std::lock_guard alone(thread_->lock);
    thread_->watched.push_back(std::move(added));
    thread_->claim(*holding);
    thread_->changed.notify_all();
}

void Listening::start(const Session& session) {
    auto made = std::make_shared<Thread>(session);
    const SignalsHeldBack program_has_them;
    made->thread = std::thread([made] { made->run(); });
    thread_ = std::move(made);
}

void Listening::remove(const std::shared_ptr<Holding>& holding) {
    std::unique_lock held(thread_->lock);
    const auto found = std::ranges::find(thread_->watched, holding, [](const auto& each) { return each->holding; });
    if (found == thread_->watched.end()) return;
    const WatchedRef removed = *found;
    thread_->watched.erase(found);
    if (thread_->thread.get_id() == std::this_thread::get_id()) return;
    thread_->changed.wait(held, [&] { return thread_->busy != removed.get(); });
}

void Listening::Thread::run() {
    auto next_pause = pause_least;
    while (true) {
        wait_for_leases();
        if (connection.is_interrupted()) return;
        // An exception would end the program, from a thread that it knows nothing of.
        const auto heard = at_the_boundary([&] { return listen(); });
        if (heard) {
            next_pause = pause_least;
            continue;
        }
        const auto& error = heard.error();
        const bool is_too_old = error.code == "not_found" || error.code == "method_not_allowed";
        const std::chrono::milliseconds asked = error.retry_after.value_or(0s);
        pause(is_too_old ? until_asked_again : std::max(next_pause, asked));
        next_pause = std::min(next_pause * 2, pause_most);
    }
}

/// The broker can't be heard meanwhile, but a renewal may work.
void Listening::Thread::pause(std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (true) {
        {
            std::unique_lock held(lock);
            const bool is_over = !changed.wait_until(held, until, [this] { return is_stopping || is_renewed; });
            if (is_over || is_stopping) return;
        }
        [[maybe_unused]] const auto looked = at_the_boundary([this]() -> Result<void> {
            look_at_secrets();
            return {};
        });
    }
}

void Listening::Thread::wait_for_leases() {
    std::unique_lock held(lock);
    changed.wait(held, [this] { return is_stopping || !watched.empty(); });
}

/// Until the connection is lost; success once it was one.
Result<void> Listening::Thread::listen() {
    if (auto opened = connection.open(Deadline(pause_most)); !opened) return opened;
    return connection.read(
        [this](const Event& event) {
            take(event);
            return true;
        },
        [this] { begin(); }, [this] { look_at_secrets(); });
}

std::vector<WatchedRef> Listening::Thread::all() {
    const std::lock_guard alone(lock);
    return {watched.begin(), watched.end()};
}

void Listening::Thread::take(const Event& event) {
    if (event.type == "reset") return look_at_all(true);
    if (!kind_of(event.type)) return;
    for (const auto& each : claimants(event)) tell_of(event, each);
}

/// Whom it is about. One that is about no lease is kept: it may be of one that is about to be watched.
std::vector<WatchedRef> Listening::Thread::claimants(const Event& event) {
    std::vector<WatchedRef> found;
    const std::lock_guard alone(lock);
    std::ranges::copy_if(watched, std::back_inserter(found),
                         [&](const WatchedRef& each) { return is_about(event, *each->holding); });
    if (!found.empty()) return found;
    unclaimed.push_back(event);
    if (unclaimed.size() > unclaimed_most) unclaimed.pop_front();
    return found;
}

void Listening::Thread::tell_of(const Event& event, const WatchedRef& watched_one) {
    const auto kind = *kind_of(event.type);
    const auto told = read_members(event.json);
    const auto& holding = *watched_one->holding;
    if (kind == LeaseChange::Kind::ended) return end(watched_one, text_at(told, {"reason"}));
    if (holding.is_over()) return;
    if (!is_of_credential(kind)) return tell(watched_one, {.kind = kind});
    const Delivery delivery{read_number(told, {"version"}), read_number(told, {"generation"})};
    if (delivery <= watched_one->told) return;
    if (watched_one->renewals) {
        if (holding.delivery() < delivery) watched_one->renewals->hurry(watched_one->holding);
        return; // what it holds is looked at next
    }
    watched_one->told = delivery;
    tell(watched_one, {.kind = kind});
}

/// Of a lease that renews itself the secret that it holds decides what is told, whichever renewal brought it.
void Listening::Thread::tell_of_secret(const WatchedRef& watched_one) {
    const auto held = watched_one->holding->delivery();
    if (held <= watched_one->told || watched_one->holding->is_over()) return;
    const bool has_new_version = held.first != watched_one->told.first;
    watched_one->told = held;
    tell(watched_one, {.kind = has_new_version ? LeaseChange::Kind::rotated : LeaseChange::Kind::refreshed});
}

/// By the thread that renewed it.
void Listening::Thread::note_renewed() {
    {
        const std::lock_guard alone(lock);
        is_renewed = true;
        changed.notify_all();
    }
    connection.wake();
}

void Listening::Thread::look_at_secrets() {
    {
        const std::lock_guard alone(lock);
        is_renewed = false;
    }
    for (const auto& each : all()) {
        if (each->renewals) tell_of_secret(each);
    }
}

/// A lease is watched a moment after it was issued: what was told of it in between is taken once the connection is made
/// anew.
void Listening::Thread::claim(const Holding& holding) {
    const auto is_its = [&](const Event& event) { return is_about(event, holding); };
    std::ranges::copy_if(unclaimed, std::back_inserter(missed), is_its);
    if (!missed.empty()) connection.break_off();
}

/// What happened before the broker began to tell, or longer ago than it remembers.
void Listening::Thread::look_at_all(bool may_have_changed) {
    for (const auto& each : all()) {
        if (each->holding->is_over()) { // a renewal may have heard of it
            if (const auto why = each->holding->last_error()) end(each, why->reason);
            continue;
        }
        const std::string path = "/v1/leases/" + each->holding->issued().id;
        const auto seen = each->session->exchange({.method = "GET", .path = path});
        const bool has_ended = !seen && (seen.error().code == "lease_ended" || seen.error().code == "lease_not_found");
        if (has_ended) {
            end(each, seen.error().reason);
        } else if (may_have_changed && each->renewals) {
            each->renewals->hurry(each->holding);
        } else if (may_have_changed && seen) {
            each->told = std::max(each->holding->delivery(), each->told);
            tell(each, {.kind = LeaseChange::Kind::rotated});
        }
    }
}

void Listening::Thread::begin() {
    if (!std::exchange(has_begun, true)) look_at_all(false);
    std::deque<Event> found;
    {
        const std::lock_guard alone(lock);
        std::swap(found, missed);
    }
    for (const auto& event : found) take(event);
}

void Listening::Thread::end(const WatchedRef& watched_one, const std::string& reason) {
    if (watched_one->holding->note_ended(reason)) tell(watched_one, {.reason = reason});
}

void Listening::Thread::tell(const WatchedRef& watched_one, LeaseChange change) {
    change.lease = watched_one->holding->issued().id;
    change.credential = watched_one->holding->issued().credential;
    {
        const std::lock_guard alone(lock);
        if (is_stopping || std::ranges::find(watched, watched_one) == watched.end()) return;
        busy = watched_one.get();
    }
    watched_one->tell(change);
    const std::lock_guard alone(lock);
    busy = nullptr;
    changed.notify_all();
}

} // namespace credlease::client
