#include "daemon.hpp"

int main(int count, char** arguments) { return credlease::run_daemon(count, arguments); }
