#include "trial.hpp"

#include <boost/json/serialize.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>

namespace credlease::tests {
namespace {

namespace json = boost::json;
using json::object;

constexpr const char* redirect_uri = "https://engine.example.com/oauth/callback";

std::string make_key() {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_RSA_gen(2048), EVP_PKEY_free);
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

/// Where the provider has it, for an entry whose URL is a field's.
const std::map<std::string_view, std::string>& default_places() {
    static const std::map<std::string_view, std::string> places{{"authorize_url", "/authorize"},
                                                                {"token_url", "/token"},
                                                                {"device_url", "/device_authorization"},
                                                                {"revocation", "/revoke"}};
    return places;
}

/// The place behind the provider's mount that the field leads to by itself; empty: it is no such field.
std::string place_of(const Entry& entry, const std::string& field) {
    for (const auto& [member, place] : default_places()) {
        const auto* value = entry.oauth.if_contains(member);
        if (value == nullptr) continue;
        const auto url = value->is_object() ? text_in(value->get_object(), "url") : std::string(value->as_string());
        if (url == "{" + field + "}") return place;
    }
    return {};
}

std::unique_ptr<House> the_house;
constexpr long slack = 300; ///< seconds that a test may take

} // namespace

OneHouse::OneHouse() { the_house = std::make_unique<House>(); }
OneHouse::~OneHouse() { the_house.reset(); }

House::House()
    : provider(Provider::with_mounts({{"", object()}})), private_key(make_key()), daemon({.config = config()}),
      client(client_of(daemon)) {
    if (!daemon.start()) throw std::runtime_error(daemon.log());
}

std::string House::led_here() const {
    const auto folder = provider.folder() / "services.d";
    std::filesystem::create_directory(folder);
    std::map<std::string, object> whole;
    for (const auto& entry : all_entries()) {
        const auto [at, is_first] = whole.try_emplace(entry.service, entry.whole);
        const auto made =
            provider.control("/entry", {{"provider", entry.mount()}, {"entry", at->second}, {"auth", entry.auth}});
        at->second = made.at("entry").as_object();
    }
    for (const auto& [service, entry] : whole) std::ofstream(folder / (service + ".json")) << json::serialize(entry);
    return folder.string();
}

std::string House::config() const {
    return "[catalog]\ndir = \"" + led_here() + "\"\n[outbound]\nallowed_hosts = [\"127.0.0.1\"]\nca_file = \"" +
           provider.ca_file().string() + "\"\nredirect_uris = [\"" + redirect_uri + "\"]\n";
}

Trial::Trial(const Case& one) : house_(*the_house), case_(one) {
    static int trials = 0;
    number_ = "-" + std::to_string(++trials);
    object texts;
    for (const auto& [name, value] : fields()) {
        if (value.is_string()) texts[name] = value;
    }
    // What a dropped connection means is told by one that no other request has used.
    const object wanted = {{"device_interval", 1}, {"earliest_refresh", nullptr}, {"keeps_connections", false}};
    const auto made = control(
        "/entry", {{"entry", one.entry.whole}, {"auth", one.entry.auth}, {"fields", texts}, {"settings", wanted}});
    settings_ = made.at("settings").as_object();
    answers_ = made.at("answers").as_object();
    lines_before_ = token_lines().size();
}

Trial::~Trial() {
    for (const auto& id : ids_) std::ignore = ask("DELETE", "/v1/credentials/" + id);
}

Answered Trial::ask(const std::string& method, const std::string& path, const object& body) {
    return tests::ask(house_.client, method, path, body.empty() ? std::string() : json::serialize(body));
}

object Trial::control(std::string_view path, object body) const {
    body["provider"] = case_.entry.mount();
    return house_.provider.control(path, body);
}

/// Whatever a person may give, given.
object Trial::fields() const {
    object made;
    for (const auto& each : case_.entry.auth_type.at("fields").as_array()) {
        const auto& field = each.as_object();
        const auto name = text_in(field, "name");
        if (field.contains("source") || case_.entry.text("issuer") == "{" + name + "}") continue;
        made[name] = made_value(field);
    }
    return made;
}

json::value Trial::made_value(const object& field) const {
    const auto& entry = case_.entry;
    const auto name = text_in(field, "name");
    const auto* jwt = entry.oauth.if_contains("jwt");
    if (const auto chosen = case_.chosen.find(name); chosen != case_.chosen.end()) return json::string(chosen->second);
    if (jwt != nullptr && text_in(jwt->as_object(), "private_key") == name) return json::string(house_.private_key);
    if (const auto place = place_of(entry, name); !place.empty()) {
        return json::string(house_.provider.origin() + entry.mount() + place);
    }
    if (const auto* value = field.if_contains("default")) return *value;
    if (const auto* choices = field.if_contains("choices")) return choices->as_array().front();
    if (text_in(field, "type") == "list") return json::array{"first", "second"};
    if (text_in(field, "type") != "string") throw std::runtime_error("no value is made of such a field: " + name);
    const auto format = text_in(field, "format");
    if (format == "url") return "https://made.example.com";
    return format == "host" ? json::value("made") : json::value(json::string("made-" + name + number_));
}

std::string Trial::store() {
    const auto name = "c" + std::to_string(ids_.size());
    const auto stored = ask("POST", "/v1/credentials",
                            {{"service", case_.entry.service},
                             {"auth", case_.entry.auth},
                             {"name", case_.entry.service + "-" + name},
                             {"fields", fields()}});
    if (stored.status != 201) throw std::runtime_error("it was not stored: " + stored.code);
    ids_.emplace_back(stored.json.at("id").as_string());
    return ids_.back();
}

std::string Trial::authorize(const std::string& id) {
    if (case_.flow == "authorization_code") return by_code(id);
    if (case_.flow == "device") return by_device(id);
    if (case_.flow == "refresh_token") return by_refresh_token(id);
    const auto begun = ask("POST", "/v1/oauth/authorizations", {{"credential", id}});
    return begun.status == 200 ? text_in(begun.json.as_object(), "state") : "failed";
}

std::string Trial::by_code(const std::string& id) {
    const auto begun = ask("POST", "/v1/oauth/authorizations", {{"credential", id}, {"redirect_uri", redirect_uri}});
    if (begun.status != 201) throw std::runtime_error("no authorization was begun: " + begun.code);
    const auto visited = control("/visit", {{"url", begun.json.at("authorize_url")}});
    const auto done = ask("POST", "/v1/oauth/authorizations/" + text_in(begun.json.as_object(), "id") + "/complete",
                          {{"redirect_url", visited.at("location")}});
    if (done.status != 200) throw std::runtime_error("its redirect was not taken: " + done.code);
    return text_in(done.json.as_object(), "state");
}

std::string Trial::by_device(const std::string& id) {
    const auto begun = ask("POST", "/v1/oauth/authorizations", {{"credential", id}, {"flow", "device"}});
    if (begun.status != 201) throw std::runtime_error("no authorization was begun: " + begun.code);
    control("/device", {{"user_code", begun.json.at("user_code")}});
    const auto path = "/v1/oauth/authorizations/" + text_in(begun.json.as_object(), "id");
    for (int i = 0; i < 3000; ++i) {
        const auto state = text_in(ask("GET", path).json.as_object(), "state");
        if (state != "pending") return state;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return "pending";
}

/// By hand: a grant of which nobody has seen the redirect.
std::string Trial::by_refresh_token(const std::string& id) {
    const auto made = control("/grant");
    const auto& answer = made.at("grants").as_array().front().at("answer");
    const auto& slot = case_.entry.oauth.at("slots").as_array().front().as_object();
    const auto& token = answer.at_pointer(text_in(slot, "refresh_token_at"));
    const auto begun = ask("POST", "/v1/oauth/authorizations", {{"credential", id}, {"refresh_token", token}});
    knows_redirect_ = false;
    return begun.status == 200 ? text_in(begun.json.as_object(), "state") : "failed";
}

std::string Trial::connected() {
    auto id = store();
    const auto state = authorize(id);
    if (state != "connected") throw std::runtime_error("it is not connected: " + json::serialize(show(id)));
    return id;
}

Answered Trial::refresh(const std::string& id) { return ask("POST", "/v1/credentials/" + id + "/refresh"); }

object Trial::show(const std::string& id) { return ask("GET", "/v1/credentials/" + id).json.as_object(); }

std::string Trial::status(const std::string& id) { return text_in(show(id), "status"); }

Result<Lease> Trial::lease(const std::string& id) { return house_.client.lease({.credential = id}); }

Leased Trial::leased(const std::string& id) {
    const auto held = lease(id);
    if (!held.ok()) throw std::runtime_error("no lease: " + held.error().code);
    Leased made;
    made.fields = held->fields();
    for (const auto& name : held->secret_fields()) made.secrets[name] = secret_of(*held, name);
    held->expose_headers(
        [&](std::string_view name, std::string_view value) { made.headers[std::string(name)] = value; });
    made.base_url = held->base_url();
    made.allowed_hosts = held->allowed_hosts();
    return made;
}

Leased Trial::expected(const std::map<std::string, std::string>& secrets) const {
    Leased made;
    for (const auto& [name, value] : fields()) {
        const auto& field = case_.entry.field(name);
        const auto* leased = field.if_contains("leased");
        if (leased == nullptr || leased->as_bool()) made.fields[name] = value.as_string();
    }
    for (const auto& each : case_.entry.answer_fields()) {
        if (each.contains("parameter") && !knows_redirect_) continue;
        const auto name = text_in(each, "field");
        made.fields[name] = text_in(answers_, name);
    }
    made.secrets = secrets;
    auto values = made.fields;
    values.insert(secrets.begin(), secrets.end());
    const auto& http = case_.entry.auth_type.at("http").as_object();
    for (const auto& header : http.at("headers").as_array()) {
        const auto value = filled(header.at("value").as_string(), values);
        if (value) made.headers[text_in(header.as_object(), "name")] = *value;
    }
    made.base_url = filled(text_in(http, "base_url"), values).value_or("");
    if (!http.contains("allowed_hosts")) return made;
    for (const auto& host : http.at("allowed_hosts").as_array()) {
        if (auto value = filled(host.as_string(), values)) made.allowed_hosts.push_back(std::move(*value));
    }
    return made;
}

bool Trial::is_live(const std::string& access_token) const {
    return control("/token", {{"token", access_token}}).at("live").as_bool();
}

object Trial::token_of(const std::string& id, std::string_view field) {
    const auto held = leased(id);
    const auto found = held.secrets.find(std::string(field));
    if (found == held.secrets.end()) throw std::runtime_error("no lease holds " + std::string(field));
    return control("/token", {{"token", found->second}});
}

std::vector<std::string> Trial::token_fields(const std::string& id) {
    std::vector<std::string> made;
    const auto held = show(id);
    for (const auto& token : held.at("oauth").at("tokens").as_array()) {
        for (const auto& slot : case_.entry.oauth.at("slots").as_array()) {
            if (slot.at("name") == token.at("slot")) made.emplace_back(slot.at("access_token").as_string());
        }
    }
    return made;
}

std::string Trial::account() const {
    const auto at = case_.entry.text("account_at");
    if (at.empty()) return {};
    for (const auto& each : case_.entry.answer_fields()) {
        if (text_in(each, "at") == at) return text_in(answers_, text_in(each, "field"));
    }
    return "alice";
}

std::set<std::string> Trial::scopes() const {
    std::set<std::string> made;
    const auto& oauth = case_.entry.oauth;
    if (oauth.contains("scopes")) made = {"first", "second"};
    if (!oauth.contains("default_scopes")) return made;
    for (const auto& scope : oauth.at("default_scopes").as_array()) made.emplace(scope.as_string());
    return made;
}

std::optional<long> Trial::lifetime(std::string_view name) const {
    const auto& found = settings_.at("lifetimes").at(name);
    return found.is_null() ? std::nullopt : std::optional(found.to_number<long>());
}

bool Trial::tells_refresh_end() const {
    const auto& slot = case_.entry.oauth.at("slots").as_array().front().as_object();
    return slot.contains("refresh_expires_in_at") && lifetime("refresh");
}

void Trial::misbehave(const object& rule) { control("/misbehave", rule); }

std::vector<Provider::Line> Trial::token_lines() const {
    return house_.provider.log([&](const Provider::Line& line) {
        return text_in(line, "provider") == case_.entry.mount() && text_in(line, "endpoint") == "token";
    });
}

std::size_t Trial::token_requests() const { return token_lines().size() - lines_before_; }

std::vector<Provider::Line> Trial::refusals() const {
    auto lines = token_lines();
    lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(lines_before_));
    std::erase_if(lines, [](const Provider::Line& line) {
        const auto error = text_in(line, "error");
        return error.empty() || !line.at("misbehavior").is_null() || error == "authorization_pending";
    });
    return lines;
}

std::size_t Trial::uses_of_spent_tokens() const {
    const auto lines = token_lines();
    std::size_t count = 0;
    for (std::size_t i = lines_before_; i < lines.size(); ++i) {
        const auto state = text_in(lines[i], "state");
        count += state == "spent" || state == "revoked" ? 1 : 0;
    }
    return count;
}

std::optional<long> seconds_to(const json::value& moment) {
    if (moment.is_null()) return std::nullopt;
    std::tm parts{};
    const std::string text(moment.as_string());
    if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) throw std::runtime_error("no time: " + text);
    return ::timegm(&parts) - std::time(nullptr);
}

bool is_about(const std::optional<long>& found, const std::optional<long>& wanted) {
    if (!found || !wanted) return found.has_value() == wanted.has_value();
    return std::abs(*found - *wanted) < slack;
}

} // namespace credlease::tests
