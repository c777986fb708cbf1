// lease_bench SOCKET CONNECTIONS SECONDS SERVER_PID echo REQUEST_SIZE REPLY_SIZE
// lease_bench SOCKET CONNECTIONS SECONDS SERVER_PID redis|lease|lease-with-keys IDS_FILE
// lease_bench SOCKET CONNECTIONS fill COUNT IDS_FILE
//
// Measures one server in a closed loop; prints one line of JSON. SECONDS@RATE: so many requests a second in all, at a
// steady beat, instead of as many as are answered. `fill` stores COUNT credentials and writes their ids.

#include "closed_loop.hpp"
#include "protocols.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace {

using namespace credlease::bench;

/// CPU time of a process and all its threads, in seconds (proc(5), /proc/PID/stat: utime and stime).
double cpu_seconds(const std::string& pid) {
    std::ifstream file("/proc/" + pid + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    std::istringstream fields(text.substr(text.rfind(')') + 2)); // the name before may hold spaces
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    unsigned long user = 0, system = 0;
    fields >> user >> system;
    return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double microseconds_at(const std::vector<std::uint32_t>& sorted, double share) {
    if (sorted.empty()) return 0;
    const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
    return sorted[std::min(at, sorted.size() - 1)] / 1000.0;
}

int report(Outcome outcome, double server_cpu) {
    auto& times = outcome.nanoseconds;
    std::ranges::sort(times);
    const auto count = static_cast<double>(times.size());
    std::printf(
        "{\"replies\": %zu, \"errors\": %llu, \"seconds\": %.3f, \"per_second\": %.0f, \"p50_us\": %.1f, "
        "\"p99_us\": %.1f, \"p999_us\": %.1f, \"server_cpu_us\": %.2f, \"request_size\": %zu, \"reply_size\": %zu}\n",
        times.size(), static_cast<unsigned long long>(outcome.errors), outcome.seconds, count / outcome.seconds,
        microseconds_at(times, 0.5), microseconds_at(times, 0.99), microseconds_at(times, 0.999),
        times.empty() ? 0 : server_cpu * 1e6 / count, outcome.request_size, outcome.reply_size);
    if (outcome.errors == 0) return 0;
    std::fprintf(stderr, "lease_bench: %llu requests went wrong; the first: %s\n",
                 static_cast<unsigned long long>(outcome.errors), outcome.complaint.c_str());
    return 1;
}

/// `count` is split among the connections.
int fill(const std::string& socket, std::size_t connections, std::uint64_t count, const char* ids_file) {
    const std::uint64_t each = (count + connections - 1) / connections;
    std::vector<Ids> ids(connections);
    auto outcome = run_closed_loop(socket, connections, {.requests = each}, [&](std::size_t connection) {
        return make_filling(connection * each, ids[connection]);
    });
    std::ofstream file(ids_file);
    for (const auto& some : ids) {
        for (const auto& id : some) file << id << '\n';
    }
    file.close();
    return report(std::move(outcome), 0);
}

using Maker = std::function<std::unique_ptr<Protocol>(std::size_t connection)>;

Maker maker_of(const std::vector<std::string>& words, Ids& ids) {
    if (words[5] == "echo" && words.size() == 8) {
        return [request = std::stoul(words[6]), reply = std::stoul(words[7])](std::size_t) {
            return make_echo(request, reply);
        };
    }
    if (words.size() != 7) return {};
    ids = read_ids(words[6]);
    if (words[5] == "redis") return [&ids](std::size_t connection) { return make_redis(ids, connection); };
    const bool with_keys = words[5] == "lease-with-keys";
    if (words[5] != "lease" && !with_keys) return {};
    return [&ids, with_keys](std::size_t connection) { return make_lease(ids, connection, with_keys); };
}

std::chrono::nanoseconds nanoseconds_of(double seconds) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

/// SECONDS or SECONDS@RATE.
End read_end(const std::string& word, std::size_t connections) {
    End end{.time = nanoseconds_of(std::stod(word))};
    const auto at = word.find('@');
    if (at != std::string::npos)
        end.beat = nanoseconds_of(static_cast<double>(connections) / std::stod(word.substr(at + 1)));
    return end;
}

int usage() {
    std::fprintf(stderr,
                 "usage: lease_bench SOCKET CONNECTIONS SECONDS SERVER_PID echo REQUEST_SIZE REPLY_SIZE\n"
                 "       lease_bench SOCKET CONNECTIONS SECONDS SERVER_PID redis|lease|lease-with-keys IDS_FILE\n"
                 "       lease_bench SOCKET CONNECTIONS fill COUNT IDS_FILE\n");
    return 2;
}

} // namespace

int main(int count, char** arguments) {
    const std::vector<std::string> words(arguments, arguments + count);
    if (count == 6 && words[3] == "fill")
        return fill(words[1], std::stoul(words[2]), std::stoull(words[4]), arguments[5]);
    if (count < 7) return usage();
    const auto connections = std::stoul(words[2]);
    Ids ids;
    const auto make = maker_of(words, ids);
    if (!make) return usage();
    const double before = cpu_seconds(words[4]);
    auto outcome = run_closed_loop(words[1], connections, read_end(words[3], connections), make);
    return report(std::move(outcome), cpu_seconds(words[4]) - before);
}
