#include "settings/settings.hpp"

#include <fnmatch.h>

namespace credlease::settings {

bool matches_unit(const std::string& glob, const std::string& unit) {
    return ::fnmatch(glob.c_str(), unit.c_str(), FNM_NOESCAPE) == 0;
}

} // namespace credlease::settings
