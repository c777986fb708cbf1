#pragma once

#include "mac/mac.hpp"
#include "store/store.hpp"
#include "vocabulary/grant.hpp"

#include <string>

namespace credlease::access {

/// A grant as it is stored, by its id: the keyed hash of its token in place of the token.
struct GrantRecord {
    vocabulary::Grant grant;
    mac::Digest token{};
};
[[nodiscard]] std::string write_record(const GrantRecord& record);
/// `damaged`, naming the record, when it is not what write_record wrote.
[[nodiscard]] result::Result<GrantRecord> read_grant_record(const store::Record& record);

} // namespace credlease::access
