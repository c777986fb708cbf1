#pragma once

#if __cplusplus < 202002L
#error "credlease/client.hpp needs C++20: compile with -std=c++20 or later."
#endif

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// Credlease's client library: leases of credentials from the broker on this host. Blocking, safe over fork, C++20.
/// It throws nothing of its own: what goes wrong is a Result's Error. Secrets lie in memory that is locked (where
/// RLIMIT_MEMLOCK allows it), left out of core dumps, empty in forked children, and wiped with the object that holds
/// them.

#if defined(__GNUC__)
#define CREDLEASE_PUBLIC __attribute__((visibility("default")))
#else
#define CREDLEASE_PUBLIC
#endif

namespace credlease {

/// Why something did not work. Holds no secret.
struct Error {
    std::string code{};     ///< the broker's code ("credential_revoked"), or "unreachable", "configuration", "internal"
    std::string sentence{}; ///< what is the matter
    std::string next_step{}; ///< what to do about it; may be empty
    std::string field{};     ///< of `invalid_request`: which member
    std::string reason{};    ///< of `lease_ended`: why
    unsigned status = 0;     ///< HTTP status; 0: no answer came
    std::string request_id{};
    std::vector<std::string> candidates{}; ///< of `name_ambiguous` and `credential_in_use`
    std::string current_etag{};            ///< of `version_conflict`
    std::optional<std::chrono::seconds> retry_after{};
};

/// A value, or an Error.
template <class T = void> class [[nodiscard]] Result {
  public:
    Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}     // NOLINT(google-explicit-constructor)
    Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {} // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool ok() const { return held_.index() == 0; }
    explicit operator bool() const { return ok(); }
    /// Only when ok().
    [[nodiscard]] T& value() & { return *std::get_if<0>(&held_); }
    [[nodiscard]] const T& value() const& { return *std::get_if<0>(&held_); }
    [[nodiscard]] T&& value() && { return std::move(*std::get_if<0>(&held_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    /// Only when not ok().
    [[nodiscard]] const Error& error() const { return *std::get_if<1>(&held_); }

  private:
    std::variant<T, Error> held_;
};

template <> class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {} // NOLINT(google-explicit-constructor)
    [[nodiscard]] bool ok() const { return !error_; }
    explicit operator bool() const { return ok(); }
    [[nodiscard]] const Error& error() const { return *error_; }

  private:
    std::optional<Error> error_;
};

/// Text that must not be seen: in locked memory, wiped when it dies; move-only, not printable. `expose` shows it to one
/// call.
class CREDLEASE_PUBLIC SecretText {
  public:
    SecretText();
    ~SecretText();
    SecretText(SecretText&&) noexcept;
    SecretText& operator=(SecretText&&) noexcept;
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;

    /// Takes a copy of `text`; the caller wipes its own. Fails with `configuration` when no locked memory is left.
    static Result<SecretText> copy_of(std::string_view text);
    /// Reads a descriptor to its end (at most 64 KiB), straight into locked memory.
    static Result<SecretText> read_from(int descriptor);
    /// Reads one line (at most 64 KiB), without its newline and nothing past it.
    static Result<SecretText> read_line(int descriptor);
    /// Locked memory of `size` bytes for `fill` to write a text into.
    static Result<SecretText> filled(std::size_t size, const std::function<void(std::span<char>)>& fill);

    /// Cuts one newline ("\n" or "\r\n") off the end.
    void cut_newline();
    template <class Use> decltype(auto) expose(Use&& use) const { return std::forward<Use>(use)(view()); }
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool empty() const { return size() == 0; }

  private:
    friend struct Access;
    [[nodiscard]] std::string_view view() const;
    struct State;
    std::unique_ptr<State> state_;
};

/// Where the broker is and who calls.
struct Options {
    enum class Which { automatic, user, system };
    Which which = Which::automatic;
    std::string lease_socket{}; ///< default: CREDLEASE_SOCKET, else the caller's own broker's, else the system's
    std::string admin_socket{}; ///< default: CREDLEASE_ADMIN_SOCKET, else beside it
    /// A grant is taken from CREDLEASE_GRANT_FILE or CREDLEASE_GRANT unless one is set with `Client::use_grant`.
    bool grant_from_environment = true;
    std::string actor{};                      ///< Credlease-Actor, of engines ("user:alice")
    std::chrono::milliseconds timeout{30000}; ///< of one request; reconnects once within it
};

struct Purpose {
    std::string workflow{};
    std::string run{};
    std::string node{};
};

/// What has become of a lease, or of the credential that it is of.
struct LeaseChange {
    enum class Kind {
        expiring,  ///< its end is near and nothing has renewed it
        ended,     ///< `reason` says why ("credential_revoked"); not told of what the program released itself
        rotated,   ///< the credential has a new version: `renew` brings it, where it has not come already
        refreshed, ///< its token was refreshed: the same
    };
    Kind kind = Kind::ended;
    std::string lease{}; ///< its id
    std::string credential{};
    std::string reason{}; ///< of `ended`; empty where the broker does not know it any more
};

/// What a lease is asked with.
struct LeaseRequest {
    std::string credential{}; ///< id or name
    std::string workspace{};  ///< operators; empty: default
    std::optional<std::chrono::milliseconds> ttl{};
    std::optional<std::chrono::milliseconds> min_valid{}; ///< of OAuth: a token that is good for at least this long
    std::vector<std::string> fields{};                    ///< empty: all
    Purpose purpose{};
    bool bound_to_process = true;
    bool renew_itself = false; ///< a thread renews it at two thirds of its time until it dies
    /// Told as soon as the broker tells of it, at least once; where it is too old to tell, of what a renewal brings
    /// alone. By a thread of the client's, one call at a time for all of its leases, so it should be brief; it may use
    /// the lease and let it die, and must throw nothing. A lease that renews itself is told of a new secret once that
    /// is there, whichever renewal brought it: one is tried at once, and again, more and more slowly, until it works or
    /// the lease is over. When the lease's destructor returns no call is under way, unless it was called from one. Not
    /// in forked children.
    std::function<void(const LeaseChange&)> on_change{};
};

/// A lease: wipes its secret and releases itself when it dies. In a forked child it is empty: the child leases anew.
class CREDLEASE_PUBLIC Lease {
  public:
    Lease();
    ~Lease();
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) noexcept;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    [[nodiscard]] const std::string& id() const;
    [[nodiscard]] const std::string& credential_id() const;
    [[nodiscard]] const std::string& service() const;
    [[nodiscard]] std::uint32_t version() const;
    [[nodiscard]] std::uint64_t generation() const; ///< of OAuth: counts the refreshes within a version
    /// Of OAuth: a refresh at this service leaves a moment in which the old token is refused already and the new one is
    /// not here yet. A refused call is worth another try after `refreshed`.
    [[nodiscard]] bool may_blip() const;
    [[nodiscard]] std::chrono::system_clock::time_point expires_at() const;
    [[nodiscard]] std::chrono::system_clock::time_point renewable_until() const;
    [[nodiscard]] std::string limited_by() const;
    [[nodiscard]] std::map<std::string, std::string> fields() const; ///< public ones, as text

    /// Shows one secret field ("token") to `use`; false when there is none of that name.
    bool expose(std::string_view field, const std::function<void(std::string_view)>& use) const;
    [[nodiscard]] std::vector<std::string> secret_fields() const;
    /// Shows each header that a request to the service needs, and each query parameter.
    void expose_headers(const std::function<void(std::string_view name, std::string_view value)>& use) const;
    void expose_query(const std::function<void(std::string_view name, std::string_view value)>& use) const;
    [[nodiscard]] std::string base_url() const;
    [[nodiscard]] std::vector<std::string> allowed_hosts() const;
    /// Shows the whole answer as it came (JSON).
    void expose_json(const std::function<void(std::string_view)>& use) const;

    /// New time; the secret too when it has changed. `lease_ended` says why there is none any more.
    Result<void> renew(std::optional<std::chrono::milliseconds> ttl = std::nullopt);
    /// Gives it back at once. What was exposed stays valid at its service until it is changed there.
    Result<void> release();
    /// Whether it has ended: released, ended by the broker, or past its time. An empty one has.
    [[nodiscard]] bool is_over() const;
    /// Why the last renewal failed, until one succeeds.
    [[nodiscard]] std::optional<Error> last_error() const;
    /// Keeps the lease when this object dies (for a lease that is not bound to the process).
    void keep();

  private:
    friend class Client;
    struct State;
    [[nodiscard]] const State* held() const; ///< null when empty, and in a forked child
    std::unique_ptr<State> state_;
};

/// An answer of the broker that carries no secret: status, JSON text, ETag.
struct Answer {
    unsigned status = 0;
    std::string json{};
    std::string etag{};
    std::string request_id{};
};

/// What the broker tells listeners (interface.md, "Events"): ids and reasons, never a secret.
struct Event {
    std::string type{}; ///< "lease.ended", "credential.updated", …; "reset": more was missed than the broker remembers
    std::string id{};   ///< to come back with
    std::string json{}; ///< its members
};

/// A connection to the broker, made when first needed and anew when it is lost. Not shared between threads.
class CREDLEASE_PUBLIC Client {
  public:
    explicit Client(Options options = {});
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// In a forked child it has to be set again.
    void use_grant(SecretText grant);

    /// On lease.sock, or on admin.sock where no grant is set and it lets the caller in.
    Result<Lease> lease(const LeaseRequest& request);

    /// One request to admin.sock (`Door::lease`: to lease.sock). A POST gets an Idempotency-Key; a request whose answer
    /// was lost is sent once more with the same key.
    enum class Door { lease, admin };
    struct Request {
        Door door = Door::admin;
        std::string method = "GET";
        std::string path{};            ///< with query
        std::string json{};            ///< a body without secrets
        std::string if_match{};        ///< an ETag
        std::string idempotency_key{}; ///< empty: one is made for a POST
    };
    Result<Answer> send(const Request& request);

    /// A value of a field of a new credential: text, or a secret.
    struct FieldValue {
        std::string name;
        std::variant<std::string, SecretText> value;
        bool is_json = false; ///< the value is JSON text (a number, boolean, list or map), put as it is
    };
    /// POST or PATCH of a body whose `fields` hold secrets: the body is built in locked memory. `json_members` are the
    /// other members ("\"service\":\"openai\",\"name\":\"x\"").
    Result<Answer> send_fields(const Request& request, std::string_view json_members, std::vector<FieldValue> fields);
    /// POST or PUT of a body with one secret member (unseal's passphrase), beside those of `request.json`.
    Result<Answer> send_secret(const Request& request, std::string_view member, const SecretText& secret);
    /// POST whose answer holds one secret member (a minted grant); the other members come as the answer.
    Result<std::pair<Answer, SecretText>> send_for_secret(const Request& request, std::string_view member);

    /// Shows each event as it comes, until `show` says false. Blocks; a connection that is lost is made anew, and what
    /// was missed is shown, if the broker is back within the time of a request. From behind `last_event_id`, where one
    /// is given. On a connection of its own.
    Result<void> events(Door door, const std::string& last_event_id, const std::function<bool(const Event&)>& show);

    [[nodiscard]] const Options& options() const;
    [[nodiscard]] std::string lease_socket() const;
    [[nodiscard]] std::string admin_socket() const;

  private:
    struct State;
    [[nodiscard]] State& live();
    std::shared_ptr<State> state_;
};

} // namespace credlease
