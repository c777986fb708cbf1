#define BOOST_TEST_DYN_LINK
#define BOOST_TEST_MODULE oauth_drivers
#include "support/oauth/provider.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>

using namespace credlease::tests;

BOOST_AUTO_TEST_CASE(a_provider_runs_with_its_settings_and_leaves_nothing_behind) {
    std::filesystem::path folder;
    {
        const Provider provider({{"refresh_class", "single_use"}});
        folder = provider.folder();
        BOOST_TEST(provider.origin().starts_with("https://127.0.0.1:"));
        BOOST_TEST(std::filesystem::exists(provider.ca_file()));
        const auto made = provider.control("/grant", {{"count", 2}});
        BOOST_TEST(made.at("grants").as_array().size() == 2U);
        BOOST_TEST(provider.control("/counters").at("requests").to_number<int>() == 0);
        BOOST_TEST(provider.token_requests().empty());
    }
    BOOST_TEST(!std::filesystem::exists(folder));
}

BOOST_AUTO_TEST_CASE(a_provider_with_settings_that_are_none_does_not_start) {
    BOOST_CHECK_THROW(Provider({{"refresh_klass", "single_use"}}), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_wrong_control_call_throws_what_is_wrong_with_it) {
    const auto provider = Provider::with_mounts({{"/slack", boost::json::object()}});
    BOOST_CHECK_NO_THROW(provider.misbehave({{"provider", "/slack"}, {"do", "drop_after"}, {"nth", 3}}));
    BOOST_CHECK_EXCEPTION(
        provider.misbehave({{"provider", "/slack"}, {"do", "sulk"}}), std::runtime_error,
        [](const auto& error) { return std::string(error.what()).find("sulk") != std::string::npos; });
}
