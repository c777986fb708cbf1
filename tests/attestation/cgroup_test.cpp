#define BOOST_TEST_DYN_LINK
#include "processes.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>

namespace credlease::attestation {
namespace {

namespace fs = std::filesystem;

/// A branch of the hierarchy that systemd's units show in; its directories are removed again.
class Cgroup {
  public:
    explicit Cgroup(const fs::path& branch) {
        fs::path made = fs::exists("/sys/fs/cgroup/systemd") ? "/sys/fs/cgroup/systemd" : "/sys/fs/cgroup";
        for (const auto& name : branch) {
            made /= name;
            std::error_code failure;
            if (fs::create_directory(made, failure)) directories_.push_back(made);
        }
        procs_ = made / "cgroup.procs";
    }
    ~Cgroup() {
        for (auto made = directories_.rbegin(); made != directories_.rend(); ++made) {
            std::error_code failure;
            fs::remove(*made, failure);
        }
    }
    Cgroup(const Cgroup&) = delete;
    Cgroup& operator=(const Cgroup&) = delete;

    [[nodiscard]] bool take(pid_t pid) const {
        std::ofstream procs(procs_);
        procs << pid << std::flush;
        if (procs.good()) return true;
        BOOST_TEST_MESSAGE("skipped: no cgroup can be made here");
        return false;
    }

  private:
    std::vector<fs::path> directories_;
    fs::path procs_;
};

std::string unit_in(const fs::path& branch) {
    const Cgroup cgroup(branch);
    const Listener listener;
    const Child client = listener.client([](int) { return stay(); });
    if (!cgroup.take(client.pid())) return "skipped";
    const Descriptor socket = listener.accept();
    const auto peer = attest(socket.number());
    BOOST_REQUIRE(peer.has_value());
    return peer->unit;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cgroup_promises)

BOOST_AUTO_TEST_CASE(a_peers_unit_is_that_of_its_cgroup) {
    const auto unit = unit_in("credlease_test.slice/etl@3.service/worker");
    BOOST_TEST((unit == "etl@3.service" || unit == "skipped"));
}

BOOST_AUTO_TEST_CASE(a_user_managers_unit_with_a_forged_name_is_not_believed) {
    const auto unit = unit_in("credlease_test.slice/user@65534.service/etl@3.service");
    BOOST_TEST((unit == "user@65534.service" || unit == "skipped"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::attestation
