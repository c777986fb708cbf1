#define BOOST_TEST_MODULE startup
#define BOOST_TEST_DYN_LINK
#include "startup/standard_descriptors.hpp"
#include "support/in_child.hpp"

using credlease::startup::fill_standard_descriptors;
using credlease::test::in_child;

BOOST_AUTO_TEST_CASE(a_standard_descriptor_that_is_missing_is_filled_with_one_that_fails) {
    BOOST_TEST(in_child([] {
                   for (const int number : {0, 1, 2}) close(number);
                   if (!fill_standard_descriptors()) return 1;
                   char byte = 'x';
                   if (read(0, &byte, 1) != -1 || write(1, &byte, 1) != -1 || write(2, &byte, 1) != -1) return 2;
                   return open("/dev/null", O_RDONLY) > 2 ? 0 : 3;
               }) == 0);
}

BOOST_AUTO_TEST_CASE(one_that_is_there_stays_as_it_is) {
    BOOST_TEST(in_child([] {
                   int ends[2] = {-1, -1};
                   if (pipe(ends) != 0 || dup2(ends[0], 0) != 0 || dup2(ends[1], 1) != 1) return 1;
                   close(2);
                   if (!fill_standard_descriptors() || write(1, "x", 1) != 1) return 2;
                   char byte = 0;
                   return read(0, &byte, 1) == 1 && fcntl(2, F_GETFD) >= 0 ? 0 : 3;
               }) == 0);
}
