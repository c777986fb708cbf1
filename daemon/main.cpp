#include "daemon.hpp"
#include "outbound/openssl_memory.hpp"
#include "startup/standard_descriptors.hpp"

int main(int count, char** arguments) {
    if (!credlease::outbound::wipe_what_openssl_frees()) return 1;
    if (!credlease::startup::fill_standard_descriptors()) return 1;
    return credlease::run_daemon(count, arguments);
}
