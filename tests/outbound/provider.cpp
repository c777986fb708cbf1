#include "provider.hpp"

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace credlease::outbound::test {
namespace {

std::string read_until_ready(int from) {
    std::string text;
    std::array<char, 4096> piece{};
    while (!text.ends_with("ready\n")) {
        const auto size = ::read(from, piece.data(), piece.size());
        if (size <= 0) throw std::runtime_error("the provider did not start");
        text.append(piece.data(), static_cast<std::size_t>(size));
    }
    return text;
}

} // namespace

const Provider& Provider::get() {
    static const Provider one;
    return one;
}

Provider::Provider() {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    const std::string folder = folder_.path().native();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::dup2(in[0], STDIN_FILENO);
        ::dup2(out[1], STDOUT_FILENO);
        ::execlp("python3", "python3", "-B", "-W", "ignore", CREDLEASE_PROVIDER, folder.c_str(), nullptr);
        ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    alive_ = in[1];
    std::istringstream lines(read_until_ready(out[0]));
    std::string name;
    std::uint16_t port = 0;
    while (lines >> name >> port) ports_[name] = port;
    ::close(out[0]);
}

Provider::~Provider() {
    ::close(alive_);
    ::waitpid(pid_, nullptr, 0);
}

std::string Provider::url(const std::string& listener, const std::string& path, const std::string& host) const {
    const std::string scheme = listener.ends_with("plain") ? "http://" : "https://";
    return scheme + host + ":" + std::to_string(ports_.at(listener)) + path;
}

} // namespace credlease::outbound::test
