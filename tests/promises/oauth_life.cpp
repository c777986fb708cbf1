#include "promises/oauth_life.hpp"

#include "journeys/oauth_house.hpp"
#include "promises/memory_scan.hpp"
#include "support/oauth/process.hpp"

#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace credlease::tests {
namespace {

using namespace std::chrono_literals;
using boost::json::object;

// With characters that each encoding writes in another way.
constexpr std::string_view client_secret = "Cs4/+q~8Rk\"w2=Yb7xH5qv9d1f5aTn0";
constexpr std::string_view basic_secret = "Bs6/+t~3Lm\"z8=Xc1uJ4rk7e2a4cGm3";
constexpr std::string_view next_secret = "Ns5/+v~7Pd\"j3=Wf9oK6sz1b8d5eQp2";
constexpr const char* classes[] = {"static", "rotating", "single_use", "single_use_grace", "kills_access_token"};
constexpr std::size_t private_part = 273; ///< where a key's DER form of 2048 bits goes on behind its public numbers

std::string mount_of(const std::string& refresh_class) { return "/" + refresh_class; }

std::string openssl(std::vector<std::string> words) {
    words.insert(words.begin(), "/usr/bin/openssl");
    return output_of({.words = std::move(words)});
}

/// Sends a request and leaves before its answer.
void ask_and_leave(const std::filesystem::path& path, const std::string& target) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.native().copy(address.sun_path, sizeof address.sun_path - 1);
    const auto request =
        "POST " + target + " HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    BOOST_REQUIRE(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    BOOST_REQUIRE(::write(socket, request.data(), request.size()) == static_cast<ssize_t>(request.size()));
    ::usleep(200000);
    ::close(socket);
}

} // namespace

OAuthLife::Key OAuthLife::make_key() {
    const auto folder = make_folder("credlease-key");
    const std::string file = folder / "key.pem";
    (void)openssl({"genrsa", "-out", file, "2048"});
    (void)openssl({"rsa", "-in", file, "-outform", "DER", "-traditional", "-out", file + ".der"});
    const auto read = [](const std::string& path) {
        std::ifstream in(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    Key made{.pem = read(file), .der = read(file + ".der"), .public_pem = openssl({"rsa", "-in", file, "-pubout"})};
    std::filesystem::remove_all(folder);
    return made;
}

object OAuthLife::mounts() const {
    const auto client = [](std::string_view secret, const char* auth) {
        return object{{"id", "client"}, {"secret", secret}, {"auth", auth}};
    };
    const object robot = {{"id", "robot"}, {"auth", "none"}, {"public_key", key_.public_pem}};
    object made = {{"", object{{"clients", {client(client_secret, "post"), robot}}, {"device_interval", 1}}},
                   {"/basic", object{{"clients", {client(basic_secret, "basic")}}}}};
    for (const std::string refresh_class : classes) {
        made[mount_of(refresh_class)] =
            object{{"clients", {client(client_secret, "post")}}, {"refresh_class", refresh_class}};
    }
    return made;
}

Daemon::Setup OAuthLife::completed(Daemon::Setup setup) const {
    setup.config += "[outbound]\ntimeout = \"3s\"\nallowed_hosts = [\"127.0.0.1\"]\nca_file = \"" +
                    provider_.ca_file().string() + "\"\n";
    return setup;
}

/// A service whose clients sign assertions.
void OAuthLife::write_robot_entry() const {
    const object secret = {{"type", "string"}, {"label", "x"}, {"secret", true}};
    auto key = secret, token = secret, kind = secret;
    key["name"] = "private_key";
    key["type"] = "text";
    key["leased"] = false;
    token["name"] = "access_token";
    kind["name"] = "token_type";
    token["source"] = kind["source"] = "tokens";
    const object slot = {{"name", "main"},
                         {"access_token", "access_token"},
                         {"access_token_at", "/access_token"},
                         {"token_type", "token_type"},
                         {"token_type_at", "/token_type"},
                         {"expires_in_at", "/expires_in"}};
    const object claim = {{"name", "iss"}, {"value", "robot"}};
    const object oauth = {{"flow", "jwt_bearer"},
                          {"token_url", provider_.origin() + "/token"},
                          {"client_auth", "none"},
                          {"refresh_class", "none"},
                          {"jwt", object{{"private_key", "private_key"}, {"claims", {claim}}, {"lifetime", "1h"}}},
                          {"slots", {slot}},
                          {"clocks", object{{"access", "1h"}}}};
    const object auth = {{"name", "oauth2"},
                         {"label", "OAuth"},
                         {"fields", {key, token, kind}},
                         {"oauth", oauth},
                         {"http", object{{"headers", boost::json::array()}}}};
    const object entry = {{"id", "robot"},
                          {"name", "Robot"},
                          {"docs", "https://robot.example"},
                          {"auth", {auth}},
                          {"verified_on", "2026-11-25"},
                          {"sources", {"https://robot.example"}}};
    std::filesystem::create_directories(daemon_.config_folder() / "services.d");
    std::ofstream(daemon_.config_folder() / "services.d/robot.json") << boost::json::serialize(entry);
}

OAuthLife::OAuthLife(Daemon::Setup setup)
    : provider_(Provider::with_mounts(mounts())), daemon_(completed(std::move(setup))), client_(client_of(daemon_)) {
    write_robot_entry();
    BOOST_REQUIRE_MESSAGE(daemon_.start(), daemon_.log());
    events_.emplace(daemon_.admin_socket());
    BOOST_REQUIRE(events_->is_listening());
}

std::vector<std::string> OAuthLife::traces() const {
    std::vector<std::string> all;
    const auto add = [&](const std::vector<std::string>& some) { all.insert(all.end(), some.begin(), some.end()); };
    for (const auto secret : {client_secret, basic_secret, next_secret}) add(traces_of(secret));
    const auto seen = provider_.control("/secrets");
    for (const auto& secret : seen.at("secrets").as_array()) {
        add(traces_of(secret.as_string()));
    }
    std::istringstream lines(key_.pem);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("-----")) add(traces_of(line));
    }
    add(traces_of_bytes(key_.der.substr(private_part)));
    return all;
}

const std::string& OAuthLife::told() {
    while (const auto event = events_->next(200ms)) told_ += event->type + event->id + event->data + "\n";
    return told_;
}

Answered OAuthLife::say(const std::string& method, const std::string& path, const object& body) {
    auto answer = ask(client_, method, path, method == "GET" ? "" : boost::json::serialize(body));
    auto shown = answer.json;
    if (auto* const members = shown.if_object()) members->erase("authorize_url");
    told_ += boost::json::serialize(shown) + "\n";
    return answer;
}

std::string OAuthLife::store(const std::string& name, const std::string& mount, const object& more) {
    const auto place = provider_.origin() + mount;
    object fields = {{"token_url", place + "/token"},
                     {"authorize_url", place + "/authorize"},
                     {"device_url", place + "/device_authorization"},
                     {"revoke_url", place + "/revoke"},
                     {"client_id", "client"},
                     {"client_secret", client_secret},
                     {"client_auth", "post"}};
    for (const auto& [field, value] : more) {
        fields[field] = value;
        if (value.is_null()) fields.erase(field);
    }
    const auto stored = say("POST", "/v1/credentials", {{"service", "oauth2"}, {"name", name}, {"fields", fields}});
    BOOST_REQUIRE_MESSAGE(stored.status == 201U, boost::json::serialize(stored.json));
    return OAuthHouse::text(stored.json, "id");
}

std::string OAuthLife::connect(const std::string& name, const std::string& mount, const object& more) {
    const auto id = store(name, mount, more);
    const auto made = provider_.control("/grant", {{"provider", mount}});
    const auto& answer = made.at("grants").as_array().front().at("answer");
    const object body = {{"credential", id}, {"refresh_token", answer.at("refresh_token")}};
    const auto begun = say("POST", "/v1/oauth/authorizations", body);
    BOOST_REQUIRE_MESSAGE(begun.status == 200U && OAuthHouse::text(begun.json, "state") == "connected",
                          boost::json::serialize(begun.json));
    return id;
}

Answered OAuthLife::consent(const std::string& id) {
    const auto begun = say("POST", "/v1/oauth/authorizations", {{"credential", id}});
    BOOST_REQUIRE_MESSAGE(begun.status == 201U, boost::json::serialize(begun.json));
    const auto path = "/v1/oauth/authorizations/" + OAuthHouse::text(begun.json, "id") + "/complete";
    const auto address = OAuthHouse::visit(OAuthHouse::text(begun.json, "authorize_url"));
    auto forged = address;
    forged.replace(forged.find("state=") + 6, 4, "AAAA");
    BOOST_TEST(say("POST", path, {{"redirect_url", forged}}).status == 400U);
    return say("POST", path, {{"redirect_url", address}});
}

void OAuthLife::misbehave(const std::string& mount, object rule) {
    rule["provider"] = mount;
    provider_.control("/misbehave", rule);
}

void OAuthLife::by_address() {
    const auto id = store("by address", "");
    BOOST_TEST(OAuthHouse::text(consent(id).json, "state") == "connected");
    for (object rule : {object{{"do", "echo"}}, object{{"do", "status"}, {"status", 503}}, object{{"do", "drop_after"}},
                        object{{"do", "slow"}, {"after_ms", 4000}}}) {
        misbehave("", rule);
        BOOST_TEST(OAuthHouse::text(consent(id).json, "state") == "failed");
    }
    misbehave("", {{"do", "error"}, {"endpoint", "authorize"}, {"error", "access_denied"}});
    BOOST_TEST(OAuthHouse::text(consent(id).json, "state") == "failed");
    BOOST_TEST(OAuthHouse::text(consent(id).json, "state") == "connected");
}

void OAuthLife::by_device() {
    const auto id = store("by device", "");
    for (const std::string state : {"connected", "failed"}) {
        const auto begun = say("POST", "/v1/oauth/authorizations", {{"credential", id}, {"flow", "device"}});
        BOOST_REQUIRE_EQUAL(begun.status, 201U);
        const auto* const verdict = state == "connected" ? "approved" : "denied";
        provider_.control("/device", {{"user_code", OAuthHouse::text(begun.json, "user_code")}, {"verdict", verdict}});
        std::string now = "pending";
        for (int i = 0; i < 200 && now == "pending"; ++i) {
            std::this_thread::sleep_for(50ms);
            const auto path = "/v1/oauth/authorizations/" + OAuthHouse::text(begun.json, "id");
            now = OAuthHouse::text(say("GET", path).json, "state");
        }
        BOOST_TEST(now == state);
    }
}

void OAuthLife::by_itself() {
    const auto basic =
        store("by itself", "/basic",
              {{"flow", "client_credentials"}, {"client_auth", "basic"}, {"client_secret", basic_secret}});
    BOOST_TEST(say("POST", "/v1/oauth/authorizations", {{"credential", basic}}).status == 200U);
    const object fields = {{"private_key", key_.pem}};
    const auto robot = say("POST", "/v1/credentials", {{"service", "robot"}, {"name", "robot"}, {"fields", fields}});
    BOOST_REQUIRE_MESSAGE(robot.status == 201U, boost::json::serialize(robot.json));
    const auto signed_in = say("POST", "/v1/oauth/authorizations", {{"credential", robot.json.at("id")}});
    BOOST_TEST(signed_in.status == 200U, boost::json::serialize(signed_in.json) + daemon_.log());
    BOOST_TEST(refresh(OAuthHouse::text(robot.json, "id")).status == 200U);
}

void OAuthLife::refresh_all_classes() {
    for (const std::string refresh_class : classes) {
        const auto id = connect(refresh_class, mount_of(refresh_class), {{"refresh_class", refresh_class}});
        for (int i = 0; i < 2; ++i) BOOST_TEST(refresh(id).status == 200U, refresh_class);
    }
}

void OAuthLife::fail_in_every_way() {
    const auto id = connect("failing", "/static", {{"refresh_class", "static"}});
    const object rules[] = {{{"do", "status"}, {"status", 503}},
                            {{"do", "drop_before"}, {"times", 2}}, // on a kept connection and on the next
                            {{"do", "drop_after"}, {"times", 2}},
                            {{"do", "drop_in_middle"}},
                            {{"do", "echo"}, {"as", "raw"}},
                            {{"do", "echo"}, {"as", "quoted"}, {"status", 200}},
                            {{"do", "alter"}, {"remove", {"/access_token"}}},
                            {{"do", "alter"}, {"pad", 400000}},
                            {{"do", "slow"}, {"after_ms", 4000}},
                            {{"do", "rate_limit"}}}; // holds back the others
    for (const auto& rule : rules) {
        provider_.control("/clear");
        misbehave("/static", rule);
        BOOST_TEST(refresh(id).status >= 400U, boost::json::serialize(rule));
    }
    misbehave("/static", {{"do", "alter"}, {"content_type", "text/html"}});
    (void)refresh(id);
    provider_.control("/clear");
    auto status = refresh(id).status; // perhaps of one that was under way
    for (int i = 0; i < 200 && status != 200U; ++i) {
        std::this_thread::sleep_for(50ms);
        status = refresh(id).status;
    }
    BOOST_TEST(status == 200U);
}

void OAuthLife::leave_while_it_waits() {
    const auto id = connect("left", "/rotating", {{"refresh_class", "rotating"}});
    const auto before = provider_.token_requests().size();
    misbehave("/rotating", {{"do", "slow"}, {"after_ms", 1000}});
    ask_and_leave(daemon_.admin_socket(), "/v1/credentials/" + id + "/refresh");
    BOOST_TEST(provider_.wait_for_token_requests(before + 1));
    std::this_thread::sleep_for(1200ms);
}

void OAuthLife::use_organizations_client() {
    const object places = {{"token_url", provider_.origin() + "/token"},
                           {"authorize_url", provider_.origin() + "/authorize"},
                           {"device_url", provider_.origin() + "/device_authorization"},
                           {"revoke_url", provider_.origin() + "/revoke"}};
    object app = {{"client_id", "client"}, {"client_secret", client_secret}, {"fields", places}};
    BOOST_TEST(say("PUT", "/v1/oauth/clients/oauth2", app).status == 201U);
    const auto id = store("shared", "", {{"client_id", nullptr}, {"client_secret", nullptr}});
    BOOST_TEST(OAuthHouse::text(consent(id).json, "state") == "connected");
    BOOST_TEST(refresh(id).status == 200U);
    app["client_secret"] = next_secret; // that the provider does not know
    BOOST_TEST(say("PUT", "/v1/oauth/clients/oauth2", app).status == 200U);
    BOOST_TEST(refresh(id).status >= 400U);
    BOOST_TEST(say("GET", "/v1/oauth/clients").status == 200U);
    BOOST_TEST(say("DELETE", "/v1/oauth/clients/oauth2").status == 204U);
}

void OAuthLife::lease_and_let_go() {
    const auto id = connect("leased", "/rotating", {{"refresh_class", "rotating"}});
    auto lease = client_.lease({.credential = "leased"});
    BOOST_REQUIRE(lease.ok());
    BOOST_TEST(refresh(id).status == 200U);
    BOOST_TEST(lease->renew().ok());
    BOOST_TEST(say("POST", "/v1/credentials/" + id + "/revoke", {{"upstream", true}}).status == 200U);
    BOOST_TEST(!lease->renew().ok());
    const auto gone = connect("gone", "/rotating", {{"refresh_class", "rotating"}});
    BOOST_TEST(say("DELETE", "/v1/credentials/" + gone).status == 204U);
}

void OAuthLife::seal_in_the_middle() {
    const auto id = connect("sealed", "/rotating", {{"refresh_class", "rotating"}});
    const auto waiting = store("waiting", "");
    BOOST_TEST(say("POST", "/v1/oauth/authorizations", {{"credential", waiting}}).status == 201U); // nobody answers
    const auto before = provider_.token_requests().size();
    misbehave("/rotating", {{"do", "slow"}, {"after_ms", 1000}});
    std::jthread asks([&] {
        auto client = client_of(daemon_);
        (void)ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}");
    });
    BOOST_TEST(provider_.wait_for_token_requests(before + 1));
    BOOST_TEST(say("POST", "/v1/seal").status == 200U);
    asks.join();
    events_.reset();
}

void OAuthLife::live(const Look& look) {
    by_address();
    look("authorizations by address");
    by_device();
    by_itself();
    look("authorizations of devices and robots");
    refresh_all_classes();
    look("refreshes of all classes");
    fail_in_every_way();
    leave_while_it_waits();
    look("failures");
    use_organizations_client();
    lease_and_let_go();
    look("leases, revocations and deletions");
    for (const auto* path : {"/v1/credentials", "/v1/leases", "/v1/audit?limit=1000", "/v1/status", "/v1/services"}) {
        (void)say("GET", path);
    }
    (void)told();
    seal_in_the_middle();
    look("seal");
    BOOST_TEST(say("POST", "/v1/unseal").status == 200U);
    BOOST_TEST(client_.lease({.credential = "by address"}).ok());
    look("unseal");
}

} // namespace credlease::tests
