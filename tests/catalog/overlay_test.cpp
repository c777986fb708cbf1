#define BOOST_TEST_DYN_LINK
#include "catalog/catalog.hpp"
#include "support/temporary_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

namespace credlease::catalog {
namespace {

namespace fs = std::filesystem;

/// A folder of the operator's entries.
struct Folder {
    void write(const std::string& name, std::string_view text) const { std::ofstream(path / name) << text; }

    test::TemporaryFolder made{};
    fs::path path = made.path();
};

std::string entry(const std::string& id, const std::string& name) {
    return R"({"id":")" + id + R"(","name":")" + name +
           R"(","auth":[{"name":"key","label":"Key","fields":[{"name":"key","type":"string","label":"Key","secret":true}]}]})";
}

std::string about(const result::Result<std::shared_ptr<const Catalog>>& loaded) {
    if (loaded) return "loaded";
    BOOST_TEST((loaded.error().code == result::ErrorCode::configuration));
    return loaded.error().about.text();
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_not_there_changes_nothing) {
    const auto loaded = Catalog::load("/nonexistent/services.d");
    BOOST_REQUIRE(loaded.has_value());
    BOOST_TEST((*loaded)->all().size() == (*Catalog::load({}))->all().size());
}

BOOST_AUTO_TEST_CASE(the_operators_entry_replaces_a_built_in_one_whole) {
    const Folder folder;
    folder.write("github.json", entry("github", "Our GitHub"));
    folder.write("acme.json", entry("acme", "Acme"));
    folder.write("README", "not an entry");
    folder.write("acme.json.bak", "not an entry");
    const auto loaded = Catalog::load(folder.path);
    BOOST_REQUIRE_EQUAL(about(loaded), "loaded");
    BOOST_TEST((*loaded)->find("github")->name == "Our GitHub");
    BOOST_TEST(!(*loaded)->find("github")->auth_types.front().http.has_value());
    BOOST_TEST((*loaded)->find("acme")->name == "Acme");
    BOOST_TEST((*loaded)->find("openai")->name == "OpenAI");
}

BOOST_AUTO_TEST_CASE(a_bad_file_is_named) {
    const Folder folder;
    folder.write("acme.json", "{");
    BOOST_TEST(about(Catalog::load(folder.path)) == "acme.json");
    folder.write("acme.json", entry("other", "Acme"));
    BOOST_TEST(about(Catalog::load(folder.path)) == "acme.json: id");
    folder.write("acme.json", entry("acme", "Acme") + std::string(256 * 1024, ' '));
    BOOST_TEST(about(Catalog::load(folder.path)) == (folder.path / "acme.json").native());
}

BOOST_AUTO_TEST_CASE(a_file_or_folder_that_cannot_be_read_is_named) {
    const Folder folder;
    fs::create_directory(folder.path / "acme.json");
    BOOST_TEST(about(Catalog::load(folder.path)) == (folder.path / "acme.json").native());
    fs::remove(folder.path / "acme.json");
    fs::create_symlink("/nonexistent", folder.path / "gone.json");
    BOOST_TEST(about(Catalog::load(folder.path)) == (folder.path / "gone.json").native());
    folder.write("plain", "");
    BOOST_TEST(about(Catalog::load(folder.path / "plain")) == (folder.path / "plain").native());
}

} // namespace
} // namespace credlease::catalog
