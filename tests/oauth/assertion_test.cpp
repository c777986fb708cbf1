#define BOOST_TEST_DYN_LINK
#include "oauth/house.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>

namespace credlease::oauth {
namespace {

/// A JWT's header and claims as JSON, and whether the key signed it.
struct Opened {
    std::string head, claims;
    bool verifies = false;
};
std::string decoded(std::string_view text) {
    std::string out(text.size(), '\0');
    std::size_t size = 0;
    BOOST_REQUIRE(sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(), text.size(),
                                    nullptr, &size, nullptr, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0);
    out.resize(size);
    return out;
}
Opened opened(std::string_view jwt, EVP_PKEY* key) {
    const std::size_t first = jwt.find('.');
    const std::size_t second = jwt.rfind('.');
    const std::string signature = decoded(jwt.substr(second + 1));
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
    const bool verifies =
        EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                         reinterpret_cast<const unsigned char*>(jwt.data()), second) == 1;
    EVP_MD_CTX_free(context);
    return {.head = decoded(jwt.substr(0, first)),
            .claims = decoded(jwt.substr(first + 1, second - first - 1)),
            .verifies = verifies};
}

struct WithKey : House {
    WithKey() {
        BIO* const out = BIO_new(BIO_s_mem());
        PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
        char* data = nullptr;
        const long size = BIO_get_mem_data(out, &data);
        pem.assign(data, static_cast<std::size_t>(size));
        BIO_free(out);
        rules.client_id = std::nullopt;
        values.set_secret(private_key, pem);
        values.set_public(host, std::string("12345"));
        rules.jwt_claims = {parameter("iss", "{host}")};
    }
    ~WithKey() { EVP_PKEY_free(key); }
    EVP_PKEY* key = EVP_RSA_gen(2048);
    std::string pem;
};

BOOST_FIXTURE_TEST_SUITE(assertions, WithKey)

BOOST_AUTO_TEST_CASE(a_service_accounts_assertion_is_signed_and_has_its_scopes) {
    rules.jwt_claims.push_back(parameter("aud", "https://oauth2.googleapis.com/token"));
    rules.default_scopes = {"https://a/x", "https://a/y"};
    rules.jwt.scope_claim = "scope";
    rules.jwt.lifetime = std::chrono::hours(1);
    rules.jwt.headers = {parameter("kid", "k1")};
    const Prepared made = prepared([&](const Client& client) { return jwt_bearer_request(client, now); });
    const auto form = parameters_of(shown(made.request.body));
    BOOST_TEST(form.at("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer");
    const Opened jwt = opened(form.at("assertion"), key);
    BOOST_TEST(jwt.verifies);
    BOOST_TEST(jwt.head == R"({"alg":"RS256","typ":"JWT","kid":"k1"})");
    BOOST_TEST(jwt.claims == R"({"scope":"https://a/x https://a/y","iss":"12345",)"
                             R"("aud":"https://oauth2.googleapis.com/token","iat":1795608000,"exp":1795611600})");
    BOOST_TEST(shown(made.secrets.front()) == form.at("assertion"));
    BOOST_TEST(made.request.may_be_repeated);
    rules.jwt.has_id = true; // it is good once
    BOOST_TEST(
        !prepared([&](const Client& client) { return jwt_bearer_request(client, now); }).request.may_be_repeated);
}

BOOST_AUTO_TEST_CASE(a_github_apps_jwt_is_the_bearer_token_of_an_empty_post) {
    rules.jwt.is_bearer = true;
    rules.jwt.backdated = std::chrono::minutes(1);
    rules.jwt.lifetime = std::chrono::minutes(10);
    const Prepared made = prepared([&](const Client& client) { return jwt_bearer_request(client, now); });
    BOOST_TEST(made.request.body.empty());
    const std::string authorization = header(made, "Authorization");
    BOOST_REQUIRE(authorization.starts_with("Bearer "));
    const Opened jwt = opened(std::string_view(authorization).substr(7), key);
    BOOST_TEST(jwt.verifies);
    BOOST_TEST(jwt.claims == R"({"iss":"12345","iat":1795607940,"exp":1795608540})");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::oauth
