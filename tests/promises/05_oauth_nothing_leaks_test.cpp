#define BOOST_TEST_DYN_LINK
#include "promises/files_of.hpp"
#include "promises/memory_scan.hpp"
#include "promises/oauth_life.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <array>

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

constexpr std::size_t run = 8; ///< so many bytes of a secret are never told

std::string read_all(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

bool repeats(std::string_view text, std::string_view secret) {
    for (std::size_t at = 0; at + run <= secret.size(); ++at) {
        if (text.contains(secret.substr(at, run))) return true;
    }
    return false;
}

std::string each_byte(std::string_view text, const char* format) {
    std::string made;
    for (const char c : text) {
        std::array<char, 8> one{};
        made += std::string(one.data(), static_cast<std::size_t>(std::snprintf(one.data(), one.size(), format, c)));
    }
    return made;
}

std::string in_pieces(std::string_view text, std::size_t size, std::string_view between) {
    std::string made;
    for (std::size_t at = 0; at < text.size(); at += size) made.append(text.substr(at, size)).append(between);
    return made;
}

/// What a provider might say that knows the secret.
std::vector<std::string> ways_to_say(const std::string& secret) {
    return {secret,
            "the token '" + secret + "'is not known",
            secret.substr(0, run),
            secret.substr(secret.size() - run),
            secret + secret,
            in_pieces(secret, 9, " "),
            in_pieces(secret, run, "\n"),
            in_pieces(secret, run + 3, "%20"),
            each_byte(secret, "%%%02x"),
            each_byte(secret, "%%%02X"),
            std::string(245, '-') + secret,
            std::string(255, '-') + secret,
            std::string(780, '-') + secret,
            "%" + secret,
            "\xc3\xa9" + secret + "\x7f"};
}

} // namespace

BOOST_AUTO_TEST_SUITE(oauth_nothing_leaks)

BOOST_AUTO_TEST_CASE(no_token_code_or_secret_is_told_logged_or_stored_in_the_clear) {
    OAuthLife life({.config = "[log]\nlevel = \"debug\"\n"});
    auto& daemon = life.daemon();
    life.live([](const char*) {});
    const auto traces = life.traces();
    BOOST_REQUIRE(traces.size() > 10000U);
    BOOST_TEST(holds(traces.front(), traces));
    BOOST_TEST(!holds(life.told(), traces));
    BOOST_TEST(life.told().contains("credential.refreshed"));
    for (const auto* file : {"cmdline", "environ"}) {
        const auto shown = read_all("/proc/" + std::to_string(daemon.pid()) + "/" + file);
        BOOST_TEST_CONTEXT(file) BOOST_TEST((!shown.empty() && !holds(shown, traces)));
    }
    BOOST_TEST(daemon.stop().value_or(-1) == 0);
    for (const auto& [file, content] : files_of(daemon.root())) {
        BOOST_TEST_CONTEXT(file) BOOST_TEST(!holds(content, traces));
    }
}

BOOST_AUTO_TEST_CASE(whatever_a_provider_says_no_run_of_a_secret_is_told) {
    OAuthLife life({.config = "[log]\nlevel = \"debug\"\n"});
    const auto id = life.store("echoed", "");
    const auto made = life.provider().control("/grant");
    const std::string token(made.at("grants").as_array().front().at("answer").at("refresh_token").as_string());
    const object pasted = {{"credential", id}, {"refresh_token", token}};
    std::string errors;
    for (const auto& words : ways_to_say(token)) {
        for (const int status : {400, 200, 503}) {
            life.misbehave("", {{"do", "error"}, {"error", words}, {"text", words}, {"status", status}});
            const auto answer = life.say("POST", "/v1/oauth/authorizations", pasted);
            BOOST_TEST(answer.status == 200U, words);
            errors += boost::json::serialize(answer.json);
        }
    }
    BOOST_TEST(errors.contains("********"));
    BOOST_TEST(errors.contains("is not known"));
    const auto shown = boost::json::serialize(life.say("GET", "/v1/credentials/" + id).json);
    const auto audit = boost::json::serialize(life.say("GET", "/v1/audit?limit=1000").json);
    for (const auto& text : {errors, shown, audit, life.told(), life.daemon().log()}) {
        BOOST_TEST(!repeats(text, token));
        BOOST_TEST(!repeats(text, each_byte(token, "%%%02x")));
    }
}

BOOST_AUTO_TEST_CASE(what_a_refresh_or_a_redirect_says_is_blanked_too) {
    OAuthLife life({});
    const auto id = life.store("echoed", "/static", {{"refresh_class", "static"}});
    const auto made = life.provider().control("/grant", {{"provider", "/static"}});
    const std::string token(made.at("grants").as_array().front().at("answer").at("refresh_token").as_string());
    (void)life.say("POST", "/v1/oauth/authorizations", {{"credential", id}, {"refresh_token", token}});
    for (const auto& words : ways_to_say(token)) {
        life.misbehave("/static", {{"do", "error"}, {"error", words}, {"text", words}});
        BOOST_TEST(life.refresh(id).code == "upstream_failed");
        (void)life.say("GET", "/v1/credentials/" + id);
    }
    life.misbehave("/static", {{"do", "alter"}, {"set", object{{"/scope", in_pieces(token, 17, " ")}}}});
    BOOST_TEST(life.refresh(id).status == 200U);
    (void)life.say("GET", "/v1/credentials/" + id);

    const auto begun = life.say("POST", "/v1/oauth/authorizations", {{"credential", id}});
    const std::string url(begun.json.at("authorize_url").as_string());
    const auto state = url.substr(url.find("state=") + 6, 43);
    const auto address =
        "http://127.0.0.1:7466/oauth/callback?error=" + state + "&error_description=" + state + "&state=" + state;
    const auto path = "/v1/oauth/authorizations/" + std::string(begun.json.at("id").as_string()) + "/complete";
    const auto failed = life.say("POST", path, {{"redirect_url", address}});
    BOOST_TEST(std::string(failed.json.at("state").as_string()) == "failed");
    (void)life.say("GET", "/v1/audit?limit=1000");
    for (const auto& secret : {token, state}) BOOST_TEST(!repeats(life.told() + life.daemon().log(), secret));
}

BOOST_AUTO_TEST_SUITE_END()
