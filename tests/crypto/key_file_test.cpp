#define BOOST_TEST_DYN_LINK
#include "crypto/key_file.hpp"
#include "support/in_child.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

using namespace credlease::crypto;
namespace secret = credlease::secret;
namespace fs = std::filesystem;
using credlease::result::ErrorCode;
using credlease::test::in_child;

namespace {

/// What fsync was called for, and whether the key had its name by then.
struct Sync {
    fs::path path;
    bool key_is_there;
};
std::vector<Sync>* syncs = nullptr; ///< set by the test that wants to know
fs::path watched_key;

} // namespace

/// Stands before the C library's: the broker's code calls this one.
extern "C" __attribute__((visibility("default"))) int fsync(int descriptor) {
    if (syncs != nullptr)
        syncs->push_back({fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor)), fs::exists(watched_key)});
    return static_cast<int>(syscall(SYS_fsync, descriptor));
}

namespace {

struct InDirectory {
    std::unique_ptr<secret::Arena> arena = std::move(*secret::Arena::make({.size = std::size_t{256} << 10}));
    fs::path directory;
    fs::path key_file;

    InDirectory() {
        std::string name = (fs::temp_directory_path() / "credlease-key-XXXXXX").string();
        BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
        directory = name;
        key_file = directory / "root.key";
    }
    ~InDirectory() { fs::remove_all(directory); }

    void write_file(const fs::path& path, std::size_t size, mode_t mode = 0400) const {
        std::ofstream(path, std::ios::binary) << std::string(size, 'k');
        BOOST_REQUIRE(chmod(path.c_str(), mode) == 0);
    }
    credlease::result::Result<RootKey> read() const { return read_key_file(key_file, *arena); }

    /// The reading is refused, for this reason, and says what to do.
    void check_refused(std::string_view sentence) const {
        const auto refused = read();
        BOOST_REQUIRE(!refused.has_value());
        BOOST_CHECK(refused.error().code == ErrorCode::configuration);
        BOOST_TEST(refused.error().sentence.view() == sentence);
        BOOST_TEST(!refused.error().next_step.view().empty());
        BOOST_TEST(refused.error().about.text().contains("root.key"));
        BOOST_TEST(arena->used(secret::Share::keys) == 0u);
    }
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator(directory)) found.push_back(entry.path().filename());
        return found;
    }
};

std::string text_of(const RootKey& key) {
    return key.expose([](Bytes bytes) { return std::string(secret::as_text(bytes)); });
}

std::string contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

BOOST_FIXTURE_TEST_CASE(a_new_key_file_is_the_owners_alone_and_reads_back, InDirectory) {
    const mode_t before = umask(0777);
    const bool made = make_key_file(key_file, *arena).has_value();
    umask(before);
    BOOST_REQUIRE(made);
    struct stat status{};
    BOOST_REQUIRE(stat(key_file.c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 07777) == 0400u);
    BOOST_TEST(status.st_size == 32);
    BOOST_TEST(status.st_nlink == 1u);
    BOOST_TEST(status.st_uid == geteuid());

    const auto key = read();
    BOOST_REQUIRE(key.has_value());
    BOOST_TEST(text_of(*key) == contents(key_file));
    key->expose([&](Bytes bytes) { BOOST_TEST(arena->contains(bytes.data())); });
    BOOST_TEST(arena->used(secret::Share::keys) == secret::Arena::slot_size(key_size));
    BOOST_TEST((names() == std::vector<std::string>{"root.key"}));
}

BOOST_FIXTURE_TEST_CASE(two_key_files_hold_two_keys, InDirectory) {
    BOOST_REQUIRE(make_key_file(key_file, *arena).has_value());
    BOOST_REQUIRE(make_key_file(directory / "other.key", *arena).has_value());
    BOOST_TEST(contents(key_file) != contents(directory / "other.key"));
}

BOOST_FIXTURE_TEST_CASE(the_key_and_every_new_directory_are_synced_in_this_order, InDirectory) {
    key_file = directory / "a" / "b" / "root.key";
    watched_key = key_file;
    std::vector<Sync> seen;
    syncs = &seen;
    const auto made = make_key_file(key_file, *arena);
    syncs = nullptr;
    BOOST_REQUIRE(made.has_value());

    const fs::path real = fs::canonical(directory);
    BOOST_REQUIRE(seen.size() == 4u);
    BOOST_TEST(seen[0].path == real);
    BOOST_TEST(seen[1].path == real / "a");
    BOOST_TEST(seen[2].path.parent_path() == real / "a" / "b"); // the file, not yet under its name
    BOOST_TEST(!seen[2].key_is_there);
    BOOST_TEST(seen[3].path == real / "a" / "b");
    BOOST_TEST(seen[3].key_is_there);
    for (const auto& made_directory : {directory / "a", directory / "a" / "b"}) {
        struct stat status{};
        BOOST_REQUIRE(stat(made_directory.c_str(), &status) == 0);
        BOOST_TEST((status.st_mode & 07777) == 0700u);
    }
    BOOST_TEST(read().has_value());
}

BOOST_FIXTURE_TEST_CASE(a_key_file_is_never_replaced, InDirectory) {
    write_file(key_file, 32);
    const auto refused = make_key_file(key_file, *arena);
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().sentence.view() == "There is a root key file already: it is never replaced.");
    BOOST_TEST(contents(key_file) == std::string(32, 'k'));
    BOOST_TEST((names() == std::vector<std::string>{"root.key"}));

    fs::remove(key_file);
    fs::create_symlink(directory / "nowhere", key_file);
    BOOST_TEST(!make_key_file(key_file, *arena).has_value());
    BOOST_TEST(fs::is_symlink(key_file));
    BOOST_TEST(!fs::exists(directory / "nowhere"));
}

BOOST_FIXTURE_TEST_CASE(where_nothing_can_be_written_no_key_is_made_and_nothing_left, InDirectory) {
    BOOST_REQUIRE(chmod(directory.c_str(), 0555) == 0);
    BOOST_TEST(in_child([&] {
                   if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 101;
                   const auto own = secret::Arena::make({.size = std::size_t{256} << 10});
                   const auto refused = make_key_file(key_file, **own);
                   if (refused || refused.error().code != ErrorCode::configuration) return 1;
                   if (!refused.error().detail().contains("Permission denied")) return 2;
                   return make_key_file(directory / "a" / "root.key", **own) ? 3 : 0;
               }) == 0);
    BOOST_TEST(names().empty());
    BOOST_TEST(!make_key_file(directory / "", *arena).has_value());
    BOOST_REQUIRE(chmod(directory.c_str(), 0700) == 0);
    BOOST_TEST(names().empty());
}

BOOST_FIXTURE_TEST_CASE(a_missing_key_file_is_refused_and_not_made, InDirectory) {
    check_refused("The root key file is missing.");
    BOOST_TEST(names().empty());
}

BOOST_FIXTURE_TEST_CASE(a_linked_key_file_is_refused, InDirectory) {
    const fs::path real = directory / "real.key";
    write_file(real, 32);
    fs::create_symlink(real, key_file);
    check_refused("The root key file is a symbolic link.");
    fs::remove(key_file);
    fs::create_hard_link(real, key_file);
    check_refused("The root key file has more than one name (hard links).");
    fs::remove(real);
    BOOST_TEST(read().has_value());
}

BOOST_FIXTURE_TEST_CASE(what_is_no_regular_file_is_refused_at_once, InDirectory) {
    BOOST_REQUIRE(mkfifo(key_file.c_str(), 0400) == 0); // whoever opened it to read would wait for a writer
    check_refused("The root key file is not a regular file.");
    fs::remove(key_file);
    fs::create_directory(key_file);
    check_refused("The root key file is not a regular file.");
}

BOOST_FIXTURE_TEST_CASE(a_key_file_open_to_group_or_others_is_refused, InDirectory) {
    write_file(key_file, 32);
    for (const mode_t mode : {0440u, 0420u, 0410u, 0404u, 0402u, 0401u, 0660u, 0777u}) {
        BOOST_REQUIRE(chmod(key_file.c_str(), mode) == 0);
        check_refused("The root key file is open to its group or to others.");
    }
    for (const mode_t mode : {0400u, 0600u}) {
        BOOST_REQUIRE(chmod(key_file.c_str(), mode) == 0);
        BOOST_TEST(read().has_value());
    }
}

BOOST_FIXTURE_TEST_CASE(a_key_file_of_another_size_is_refused, InDirectory) {
    for (const std::size_t size : {0u, 1u, 31u}) {
        write_file(key_file, size);
        check_refused("The root key file is too short: a root key has 32 bytes.");
        fs::remove(key_file);
    }
    for (const std::size_t size : {33u, 45u, 4096u}) {
        write_file(key_file, size);
        check_refused("The root key file is too long: a root key has 32 bytes.");
        fs::remove(key_file);
    }
}

BOOST_FIXTURE_TEST_CASE(another_users_key_file_is_refused, InDirectory) {
    if (geteuid() != 0) return; // only root can give a file away
    write_file(key_file, 32);
    BOOST_REQUIRE(chown(key_file.c_str(), 65534, 65534) == 0);
    check_refused("The root key file belongs to another user.");

    BOOST_REQUIRE(chown(directory.c_str(), 65534, 65534) == 0);
    BOOST_TEST(in_child([&] { // its owner may
                   const auto own = secret::Arena::make({.size = std::size_t{256} << 10});
                   if (setgid(65534) != 0 || setuid(65534) != 0) return 101;
                   return read_key_file(key_file, **own) ? 0 : 1;
               }) == 0);
    BOOST_REQUIRE(chown(key_file.c_str(), 0, 0) == 0);
    BOOST_TEST(in_child([&] { // root's file is not foreign, but not this user's to read either
                   const auto own = secret::Arena::make({.size = std::size_t{256} << 10});
                   if (setgid(65534) != 0 || setuid(65534) != 0) return 101;
                   const auto refused = read_key_file(key_file, **own);
                   return !refused &&
                                  refused.error().sentence.view() == "The root key file may not be read by this user."
                              ? 0
                              : 1;
               }) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_full_arena_reads_no_key, InDirectory) {
    write_file(key_file, 32);
    while (!arena->allocate(64, secret::Share::keys).empty()) {
    }
    BOOST_CHECK(read().error().code == ErrorCode::overloaded);
}
