#define BOOST_TEST_DYN_LINK
#include "rooms.hpp"

#include <boost/test/unit_test.hpp>
