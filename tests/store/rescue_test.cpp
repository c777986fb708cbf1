#define BOOST_TEST_DYN_LINK
#include "store/rescue.hpp"
#include "support/small_disk.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <map>
#include <string>
#include <sys/stat.h>

namespace credlease::store::test {
namespace {

namespace fs = std::filesystem;
using credlease::test::TemporaryFolder;

struct Folder {
    TemporaryFolder folder;
    fs::path file = folder.path() / "rescue";

    /// What a start finds in the file, by slot.
    [[nodiscard]] std::map<std::size_t, std::string> found() const {
        Rescue rescue(file);
        BOOST_REQUIRE(rescue.open().has_value());
        std::map<std::size_t, std::string> sets;
        rescue.read([&](const Rescue::Place& place, std::string_view bytes) { sets[place.slot] = bytes; });
        return sets;
    }
    void overwrite(std::size_t at, std::string_view bytes) const {
        std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
        out.seekp(static_cast<std::streamoff>(at));
        out << bytes;
    }
};

std::string code_of(const result::Result<Rescue::Place>& put) {
    return put ? "none" : std::string(result::name_of(put.error().code));
}

BOOST_FIXTURE_TEST_SUITE(rescue, Folder)

BOOST_AUTO_TEST_CASE(what_was_put_is_there_until_it_is_cleared) {
    {
        Rescue rescue(file);
        BOOST_REQUIRE(rescue.open().has_value());
        const auto first = rescue.put("one");
        BOOST_REQUIRE(first.has_value());
        BOOST_REQUIRE(rescue.put(std::string(20'000, 'x')).has_value());
        BOOST_TEST(rescue.clear(*first).has_value());
        BOOST_REQUIRE(rescue.put("three").has_value()); // where the first lay
    }
    const auto sets = found();
    BOOST_TEST(sets.size() == 2U);
    BOOST_TEST(sets.at(0) == "three");
    BOOST_TEST(sets.at(1) == std::string(20'000, 'x'));
}

BOOST_AUTO_TEST_CASE(the_file_is_the_owner_s_alone_and_no_link) {
    BOOST_TEST(found().empty());
    struct stat is{};
    BOOST_REQUIRE(::stat(file.c_str(), &is) == 0);
    BOOST_TEST((is.st_mode & 0777) == 0600U);
    BOOST_TEST(is.st_blocks * 512 >= static_cast<blkcnt_t>(Rescue::slot_size * Rescue::slots));
    fs::rename(file, folder.path() / "elsewhere");
    fs::create_symlink(folder.path() / "elsewhere", file);
    Rescue rescue(file);
    BOOST_TEST(!rescue.open().has_value());
    BOOST_TEST(code_of(rescue.put("one")) == "store_unavailable");
}

BOOST_AUTO_TEST_CASE(what_is_too_long_and_what_finds_no_free_slot_is_refused) {
    Rescue rescue(file);
    BOOST_REQUIRE(rescue.open().has_value());
    BOOST_TEST(code_of(rescue.put(std::string(Rescue::slot_size - 7, 'x'))) == "store_unavailable");
    const auto whole = rescue.put(std::string(Rescue::slot_size - 8, 'x'));
    BOOST_REQUIRE(whole.has_value());
    for (std::size_t i = 1; i < Rescue::slots; ++i) BOOST_REQUIRE(rescue.put("x").has_value());
    BOOST_TEST(code_of(rescue.put("x")) == "store_unavailable");
    BOOST_TEST(rescue.clear(*whole).has_value());
    BOOST_TEST(code_of(rescue.put("x")) == "none");
}

BOOST_AUTO_TEST_CASE(a_slot_that_is_not_whole_is_shown_as_such_and_not_used_again) {
    {
        Rescue rescue(file);
        BOOST_REQUIRE(rescue.open().has_value());
        BOOST_REQUIRE(rescue.put("one").has_value());
        BOOST_REQUIRE(rescue.put("two").has_value());
    }
    overwrite(0, "garbage!");
    const auto sets = found();
    BOOST_TEST(sets.size() == 2U);
    BOOST_TEST(sets.at(0).empty());
    BOOST_TEST(sets.at(1) == "two");
    Rescue rescue(file);
    BOOST_REQUIRE(rescue.open().has_value());
    BOOST_TEST(rescue.put("three")->slot == 2U);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_removed_or_replaced_is_made_anew_before_anything_counts_as_kept) {
    Rescue rescue(file);
    BOOST_REQUIRE(rescue.open().has_value());
    const auto before = rescue.put("before");
    BOOST_REQUIRE(before.has_value());
    fs::remove(file);
    BOOST_REQUIRE(rescue.put("after").has_value());
    BOOST_TEST(found().at(0) == "after");
    BOOST_TEST(rescue.clear(*before).has_value()); // that file is gone, and what lies in its place stays
    BOOST_TEST(found().at(0) == "after");
}

BOOST_AUTO_TEST_CASE(a_full_disk_does_not_matter_and_one_without_room_for_the_file_is_tried_again) {
    const credlease::test::SmallDisk disk(Rescue::slot_size * Rescue::slots + (std::size_t{1} << 20));
    if (!disk.mounted()) {
        BOOST_TEST_MESSAGE("skipped: mounting needs root");
        return;
    }
    file = disk.path() / "rescue";
    const auto fill = [&] { std::ofstream(disk.path() / "ballast") << std::string(std::size_t{10} << 20, 'x'); };
    fill();
    Rescue rescue(file);
    BOOST_TEST(!rescue.open().has_value());
    BOOST_TEST(code_of(rescue.put("one")) == "store_unavailable");
    fs::remove(disk.path() / "ballast");
    BOOST_TEST(code_of(rescue.put("one")) == "none");
    fill();
    for (std::size_t i = 1; i < Rescue::slots; ++i) BOOST_REQUIRE(rescue.put(std::string(30'000, 'x')).has_value());
    BOOST_TEST(found().size() == Rescue::slots);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::store::test
