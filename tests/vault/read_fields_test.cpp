#define BOOST_TEST_DYN_LINK
#include "vault/house.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

namespace credlease::vault {
namespace {

/// Shown for a test, whose secrets are none: "name=bytes" with a type's first letter.
std::string shown(const FieldSet& fields) {
    std::string text;
    fields.encoded().expose([&](std::span<const std::byte> encoded) {
        SecretValues values(encoded);
        while (const auto value = values.next()) {
            text += std::string(value->name) + ':' + std::string(catalog::name_of(value->type)) + '=';
            if (value->type == vocabulary::FieldType::list || value->type == vocabulary::FieldType::map) {
                SecretEntries entries(value->bytes);
                while (const auto entry = entries.next())
                    text += std::string(entry->key) + '>' + std::string(entry->value) + ',';
                BOOST_TEST(!entries.is_broken());
            } else if (value->type == vocabulary::FieldType::integer) {
                text += std::to_string(ByteReader(value->bytes).i64());
            } else {
                text += value->bytes;
            }
            text += ';';
        }
        BOOST_TEST(!values.is_broken());
    });
    return text;
}

BOOST_FIXTURE_TEST_SUITE(reading_fields, House)

BOOST_AUTO_TEST_CASE(public_and_secret_fields_are_told_apart) {
    const auto given =
        read(auth("aws"), R"({"region":"r","session_token":"t","secret_access_key":"s","access_key_id":"a"})");
    BOOST_REQUIRE(given.has_value());
    BOOST_TEST(given->public_fields.size() == 2u);
    BOOST_TEST(std::get<std::string>(given->public_fields.at("region")) == "r");
    BOOST_TEST(shown(given->secret_fields) ==
               "secret_access_key:string=s;session_token:string=t;"); // the catalog's order
    BOOST_TEST(given->given == 0b1111u);
    BOOST_TEST(given->cleared == 0u);
}

BOOST_AUTO_TEST_CASE(null_clears_what_is_not_required) {
    const auto given = read(auth("aws"), R"({"session_token":null,"region":null})");
    BOOST_REQUIRE(given.has_value());
    BOOST_TEST(given->given == 0u);
    BOOST_TEST(given->cleared == 0b1100u);
    BOOST_TEST(given->secret_fields.empty());
    BOOST_TEST(refusal_of(read(auth("aws"), R"({"secret_access_key":null})")) ==
               "invalid_request fields.secret_access_key");
}

BOOST_AUTO_TEST_CASE(a_person_never_gives_or_clears_what_the_service_fills) {
    for (const char* json : {R"({"access_token":"t"})", R"({"token_type":null})"}) {
        const auto given = read(auth("oauth2"), json);
        BOOST_TEST(refusal_of(given).starts_with("invalid_request fields."));
        BOOST_TEST(given.error().sentence.view() == "This field is filled by the service's answers.");
    }
    BOOST_TEST(read(auth("oauth2"), R"({"client_id":"c","client_secret":"s"})").has_value());
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_by_name_and_never_shown) {
    const std::vector<std::array<const char*, 3>> told{
        {"http-bearer", R"(["hunter2"])", "fields"},
        {"http-bearer", R"({"token":7})", "fields.token"},
        {"http-bearer", R"({"token":""})", "fields.token"},
        {"http-bearer", R"({"token":{"hunter2":"hunter2"}})", "fields.token"},
        {"http-bearer", R"({"token":"hunter2\n"})", "fields.token"},
        {"http-bearer", R"({"token":"hunter2\r\nX-Evil: 1"})", "fields.token"},
        {"http-bearer", R"({"token":"hunter2\u0001"})", "fields.token"},
        {"http-bearer", R"({"tokne":"hunter2"})", "fields.tokne"},
        {"http-bearer", R"({"Hunter2 ":"x"})", "fields"},
        {"http-bearer", R"({"token":"t","base_url":"hunter2"})", "fields.base_url"},
        {"http-bearer", R"({"token":"t","base_url":"https://u:hunter2@h.example"})", "fields.base_url"},
        {"http-basic", R"({"username":"a:hunter2","password":"p"})", "fields.username"},
        {"http-api-key", R"({"key":"k","in":"hunter2"})", "fields.in"},
        {"http-api-key", R"({"key":"k","name":"hunter2 x"})", "fields.name"},
        {"http-api-key", R"({"key":"k","prefix":"a\nhunter2"})", "fields.prefix"},
        {"custom-headers", R"({"headers":{}})", "fields.headers"},
        {"custom-headers", R"({"headers":["hunter2"]})", "fields.headers"},
        {"custom-headers", R"({"headers":{"X":["hunter2"]}})", "fields.headers"},
        {"custom-headers", R"({"headers":{"X hunter2":"v"}})", "fields.headers"},
        {"custom-headers", R"({"headers":{"X":"hunter2\r\nY: 1"}})", "fields.headers"},
        {"postgres", R"({"port":"5432"})", "fields.port"},
        {"postgres", R"({"port":0})", "fields.port"},
        {"postgres", R"({"port":5432.5})", "fields.port"},
        {"postgres", R"({"port":18446744073709551615})", "fields.port"},
        {"postgres", R"({"sslmode":"on"})", "fields.sslmode"},
    };
    for (const auto& [id, json, field] : told) {
        const auto given = read(auth(id), json);
        BOOST_TEST(refusal_of(given) == "invalid_request " + std::string(field), json);
        if (!given) BOOST_TEST(!given.error().detail().contains("hunter2"));
    }
}

BOOST_AUTO_TEST_CASE(sizes_are_bounded) {
    const std::string most(std::size_t{64} << 10, 'x');
    BOOST_TEST(read(auth("github"), R"({"token":")" + most + "\"}").has_value());
    BOOST_TEST(refusal_of(read(auth("github"), R"({"token":"y)" + most + "\"}")) == "invalid_request fields.token");
    std::string headers;
    for (int i = 0; i < 65; ++i) headers += (i == 0 ? "" : ",") + ("\"X-" + std::to_string(i) + "\":\"v\"");
    BOOST_TEST(refusal_of(read(auth("custom-headers"), R"({"headers":{)" + headers + "}}")) ==
               "invalid_request fields.headers");
}

BOOST_AUTO_TEST_CASE(a_full_arena_is_overloaded_and_not_a_crash) {
    std::vector<secret::SecretBuffer> held;
    for (std::size_t size = std::size_t{1} << 20; size >= 64; size /= 2) {
        while (true) {
            auto taken = secret::SecretBuffer::make(*arena, size, secret::Share::work);
            if (!taken) break;
            held.push_back(std::move(*taken));
        }
    }
    const auto value = boost::json::parse(R"({"token":"t"})");
    BOOST_TEST(refusal_of(read_fields(auth("github"), value, *arena)) == "overloaded");
}

BOOST_AUTO_TEST_CASE(what_is_encoded_is_read_back_for_many_random_values) {
    const auto kind = catalog::read_service(
        R"({"id":"k","name":"K","auth":[{"name":"a","label":"A","fields":[
            {"name":"s","type":"text","label":"S","secret":true},{"name":"i","type":"integer","label":"I","secret":true},
            {"name":"l","type":"list","label":"L","secret":true},{"name":"m","type":"map","label":"M","secret":true}]}]})",
        "k.json");
    BOOST_REQUIRE(kind.has_value());
    std::mt19937_64 random(7);
    const auto text = [&] { return std::string(random() % 40, static_cast<char>('a' + random() % 26)); };
    for (int round = 0; round < 500; ++round) {
        boost::json::object fields;
        std::string expected;
        if (random() % 2) expected += "s:text=" + std::string(fields["s"].emplace_string() = text()) + ";";
        if (random() % 2)
            expected +=
                "i:integer=" + std::to_string(fields["i"].emplace_int64() = static_cast<std::int64_t>(random())) + ";";
        if (random() % 2) {
            auto& list = fields["l"].emplace_array();
            expected += "l:list=";
            for (std::uint64_t left = random() % 5; left > 0; --left)
                expected += ">" + std::string(list.emplace_back(text()).as_string()) + ",";
            expected += ";";
        }
        if (random() % 2) {
            auto& map = fields["m"].emplace_object();
            expected += "m:map=";
            for (std::uint64_t i = random() % 5; i > 0; --i) {
                const std::string key = "k" + std::to_string(i);
                map[key] = text();
                expected += key + ">" + std::string(map[key].as_string()) + ",";
            }
            expected += ";";
        }
        const auto given = read_fields(kind->auth_types.front(), boost::json::value(fields), *arena);
        BOOST_REQUIRE(given.has_value());
        BOOST_TEST_REQUIRE(shown(given->secret_fields) == expected);
    }
}

BOOST_AUTO_TEST_CASE(cut_or_flipped_bytes_are_never_read_past_their_end) {
    const auto given = read(auth("custom-headers"), R"({"headers":{"X-A":"1","X-B":"2"}})");
    std::vector<std::byte> bytes;
    given->secret_fields.encoded().expose(
        [&](std::span<const std::byte> encoded) { bytes.assign(encoded.begin(), encoded.end()); });
    const auto read_all = [](std::span<const std::byte> encoded) { // under ASan an over-read ends the test
        const std::vector<std::byte> exact(encoded.begin(), encoded.end());
        SecretValues values(exact);
        while (const auto value = values.next()) {
            SecretEntries entries(value->bytes);
            while (entries.next()) {
            }
        }
        return values.is_broken();
    };
    BOOST_TEST(!read_all(bytes));
    for (std::size_t size = 1; size < bytes.size(); ++size) BOOST_TEST_REQUIRE(read_all(std::span(bytes).first(size)));
    for (std::size_t at = 0; at < bytes.size() * 8; ++at) {
        bytes[at / 8] ^= static_cast<std::byte>(1 << at % 8);
        (void)read_all(bytes);
        bytes[at / 8] ^= static_cast<std::byte>(1 << at % 8);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
