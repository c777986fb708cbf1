// Loaded before the daemon's libraries (LD_PRELOAD): the name service of hosts in "silent.test" never answers.

#include <dlfcn.h>
#include <netdb.h>
#include <string_view>
#include <unistd.h>

extern "C" [[gnu::visibility("default")]] int getaddrinfo(const char* host, const char* port, const addrinfo* hints,
                                                          addrinfo** found) {
    using Call = int(const char*, const char*, const addrinfo*, addrinfo**);
    static auto* const call = reinterpret_cast<Call*>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    while (host != nullptr && std::string_view(host).ends_with(".silent.test")) ::pause();
    return call(host, port, hints, found);
}
