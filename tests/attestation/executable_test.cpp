#define BOOST_TEST_DYN_LINK
#include "attestation/executable_hashes.hpp"
#include "processes.hpp"

#include <boost/test/unit_test.hpp>
#include <sodium/crypto_hash_sha256.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>
#include <vector>

namespace credlease::attestation {
namespace {

namespace fs = std::filesystem;

std::array<std::uint8_t, 32> hash_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    std::array<std::uint8_t, 32> hash{};
    crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    return hash;
}

/// Waits for "go", then becomes another program; its socket stays open.
int become_program(int socket, const fs::path& program) {
    if (!go_came(socket)) return 96;
    ::execl(program.c_str(), "sleep", "1000", nullptr);
    return 1;
}

/// exec(3) takes effect when it does.
bool runs(const Peer& peer, const std::optional<Executable>& program) {
    for (int i = 0; i < 2000; ++i) {
        if (executable_of(peer) == program) return true;
        ::usleep(1000);
    }
    return false;
}

/// All parts, one after the other.
std::optional<ExecutableHashes::Hash> hash_made_of(Peer peer) {
    ExecutableHashes::Making making(std::make_shared<Peer>(std::move(peer)));
    while (making.read_part()) {
    }
    const auto made = making.made();
    return made ? std::optional(made->hash) : std::nullopt;
}

/// A program that has grown to `size` bytes at no cost: it ends in a hole.
void grow_program(const fs::path& at, std::uintmax_t size) {
    fs::copy_file(fs::canonical("/bin/sleep"), at);
    fs::resize_file(at, size);
}

const fs::path sleep_program = fs::canonical("/bin/sleep");

} // namespace

BOOST_AUTO_TEST_SUITE(executable_promises)

BOOST_AUTO_TEST_CASE(a_file_is_its_device_and_inode_whatever_it_is_called) {
    const Listener listener;
    const auto copy = listener.directory() / "copy";
    const auto link = listener.directory() / "link";
    fs::copy_file(sleep_program, copy);
    fs::create_symlink(copy, link);
    BOOST_TEST((executable_at(link) == executable_at(copy)));
    BOOST_TEST((executable_at(copy) != executable_at(sleep_program)));
    BOOST_TEST(!executable_at(listener.directory() / "absent").has_value());
}

BOOST_AUTO_TEST_CASE(a_peer_that_became_another_program_is_seen_as_that) {
    const Listener listener;
    const Child client = listener.client([](int socket) { return become_program(socket, sleep_program); });
    const Descriptor socket = listener.accept();
    const auto peer = attest(socket.number());
    BOOST_REQUIRE(peer.has_value());
    BOOST_TEST((executable_of(*peer) == peer->executable));
    say_go(socket.number());
    BOOST_TEST(runs(*peer, executable_at(sleep_program)));
    BOOST_TEST((executable_of(*peer) != peer->executable));
    BOOST_TEST(peer->is_alive());
}

BOOST_AUTO_TEST_CASE(the_hash_is_that_of_the_file_that_runs) {
    const Listener listener;
    const auto copy = listener.directory() / "program";
    fs::copy_file(sleep_program, copy);
    const Child client = listener.client([&](int socket) { return become_program(socket, copy); });
    const Descriptor socket = listener.accept();
    auto peer = attest(socket.number());
    BOOST_REQUIRE(peer.has_value());
    say_go(socket.number());
    BOOST_REQUIRE(runs(*peer, executable_at(copy)));
    const auto expected = hash_of(copy);
    fs::remove(copy); // the name may go or be given to another file: the process runs what it runs
    std::ofstream(copy) << "another";
    BOOST_TEST((executable_of(*peer) != executable_at(copy)));
    BOOST_TEST((hash_made_of(std::move(*peer)) == expected));
}

BOOST_AUTO_TEST_CASE(a_long_file_is_hashed_in_parts_and_one_that_is_too_long_not_at_all) {
    const Listener listener;
    for (const auto& [size, is_hashed] :
         {std::pair{std::int64_t{9} << 20, true}, std::pair{ExecutableHashes::largest + 1, false}}) {
        const auto program = listener.directory() / std::to_string(size);
        grow_program(program, static_cast<std::uintmax_t>(size));
        const Child client = listener.client([&](int socket) { return become_program(socket, program); });
        const Descriptor socket = listener.accept();
        const auto peer = std::make_shared<Peer>(std::move(attest(socket.number()).value()));
        say_go(socket.number());
        BOOST_REQUIRE(runs(*peer, executable_at(program)));
        ExecutableHashes::Making making(peer);
        int parts = 1;
        while (making.read_part()) ++parts;
        BOOST_TEST(parts == (is_hashed ? 3 : 1));
        BOOST_TEST(making.made().has_value() == is_hashed);
        if (is_hashed) BOOST_TEST((making.made()->hash == hash_of(program)));
    }
}

BOOST_AUTO_TEST_CASE(nobody_reads_on_for_a_process_that_has_exited) {
    const Listener listener;
    const auto program = listener.directory() / "program";
    grow_program(program, std::uintmax_t{64} << 20);
    Child client = listener.client([&](int socket) { return become_program(socket, program); });
    const Descriptor socket = listener.accept();
    const auto peer = std::make_shared<Peer>(std::move(attest(socket.number()).value()));
    say_go(socket.number());
    BOOST_REQUIRE(runs(*peer, executable_at(program)));
    ExecutableHashes::Making making(peer);
    BOOST_TEST(making.read_part());
    client.end();
    BOOST_TEST(!making.read_part());
    BOOST_TEST(!making.made().has_value());
}

// In a mount namespace of its own a user can put any file in any place: its path would say "/bin/sleep".
BOOST_AUTO_TEST_CASE(in_another_mount_namespace_there_is_no_executable) {
    if (!can_change_uid()) return;
    const Listener listener;
    const auto own = fs::read_symlink("/proc/self/exe");
    const Child client = listener.client([&own](int socket) {
        if (::unshare(CLONE_NEWNS) != 0) return 1;
        // In a chroot the root is no mount point (EINVAL).
        if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 && errno != EINVAL) return 2;
        if (::mount(own.c_str(), sleep_program.c_str(), nullptr, MS_BIND, nullptr) != 0) return 3;
        say_go(socket);
        return stay();
    });
    const Descriptor socket = listener.accept();
    BOOST_REQUIRE(go_came(socket.number()));
    const auto peer = attest(socket.number());
    BOOST_REQUIRE(peer.has_value());
    BOOST_TEST(!peer->executable.has_value());
    BOOST_TEST(peer->executable_path.empty());
    BOOST_TEST(!executable_of(*peer).has_value());
    BOOST_TEST(!open_executable(*peer).open());
}

BOOST_AUTO_TEST_CASE(without_the_capability_other_uids_executables_are_unknown) {
    if (!can_change_uid()) return;
    BOOST_TEST(can_read_executables());
    const Listener listener;
    const Child client = listener.client([](int) { return stay(); });
    Child server([&listener] {
        become(65534);
        if (can_read_executables()) return 1;
        const Descriptor socket = listener.accept();
        const auto peer = attest(socket.number());
        if (!peer) return 2;
        return peer->uid == 0 && !peer->executable && peer->executable_path.empty() && peer->is_alive() ? 0 : 3;
    });
    BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::attestation
