#include "daemon.hpp"
#include "startup/standard_descriptors.hpp"

int main(int count, char** arguments) {
    if (!credlease::startup::fill_standard_descriptors()) return 1;
    return credlease::run_daemon(count, arguments);
}
