#define BOOST_TEST_MODULE settings
#define BOOST_TEST_DYN_LINK
#include "settings/settings.hpp"

#include <boost/test/unit_test.hpp>

#include <initializer_list>
#include <string>
#include <vector>

namespace credlease::settings {
namespace {

result::Result<Flags> read(const std::vector<const char*>& arguments) {
    std::vector<const char*> all = {"credleased"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return read_flags(static_cast<int>(all.size()), all.data());
}

} // namespace

BOOST_AUTO_TEST_SUITE(flag_promises)

BOOST_AUTO_TEST_CASE(no_flag_is_needed) {
    const auto flags = read({});
    BOOST_REQUIRE(flags.has_value());
    BOOST_TEST(!flags->system);
    BOOST_TEST(!flags->check_config);
    BOOST_TEST(!flags->version);
    BOOST_TEST(!flags->help);
    BOOST_TEST(!flags->config.has_value());
    BOOST_TEST(!flags->data_dir.has_value());
    BOOST_TEST(!flags->runtime_dir.has_value());
}

BOOST_AUTO_TEST_CASE(every_flag_is_read) {
    const auto flags = read({"--system", "--config", "/c", "--data-dir=/d", "--runtime-dir", "/r", "--check-config"});
    BOOST_REQUIRE(flags.has_value());
    BOOST_TEST(flags->system);
    BOOST_TEST(flags->check_config);
    BOOST_TEST((flags->config == "/c"));
    BOOST_TEST((flags->data_dir == "/d"));
    BOOST_TEST((flags->runtime_dir == "/r"));
    BOOST_TEST(read({"--version"})->version);
    BOOST_TEST(read({"--help"})->help);
    BOOST_TEST(read({"-h"})->help);
}

BOOST_AUTO_TEST_CASE(what_is_not_understood_is_refused_by_name) {
    const std::vector<std::pair<std::vector<const char*>, const char*>> wrong = {{{"--sistem"}, "--sistem"},
                                                                                 {{"serve"}, "serve"},
                                                                                 {{"--config"}, "--config"},
                                                                                 {{"--data-dir", ""}, "--data-dir"}};
    for (const auto& [arguments, named] : wrong) {
        const auto flags = read(arguments);
        BOOST_REQUIRE(!flags.has_value());
        BOOST_TEST((flags.error().code == result::ErrorCode::configuration));
        BOOST_TEST(flags.error().about.text().find(named) != std::string::npos);
        BOOST_TEST(!flags.error().next_step.view().empty());
    }
}

BOOST_AUTO_TEST_CASE(the_usage_names_every_flag) {
    const auto text = usage();
    for (const char* const flag : {"--system", "--config FILE", "--data-dir DIR", "--runtime-dir DIR", "--check-config",
                                   "--version", "--help"}) {
        BOOST_TEST(text.find(flag) != std::string::npos, flag);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::settings
