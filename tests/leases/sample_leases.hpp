#pragma once

#include "leases/book.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace credlease::leases {

using namespace std::chrono_literals;

/// A time of these tests: 2026-11-22T10:00:00Z.
inline constexpr vocabulary::Time noon{std::chrono::milliseconds(1'795'341'600'000)};

inline vocabulary::LeaseId lease_id(std::uint64_t number, vocabulary::Time at = noon) {
    const auto milliseconds = static_cast<std::uint64_t>(at.time_since_epoch().count());
    return vocabulary::LeaseId({.high = milliseconds << 16, .low = number});
}
inline vocabulary::CredentialId credential_id(std::uint64_t number) {
    return vocabulary::CredentialId({.high = 7, .low = number});
}
inline vocabulary::GrantId grant_id(std::uint64_t number) { return vocabulary::GrantId({.high = 9, .low = number}); }

inline Holder holder(std::int32_t pid) { return {.pid = pid, .start_time = 1000, .boot_id = {1, 2, 3}}; }

/// A worker's lease of 15 minutes.
inline Lease sample_lease(std::uint64_t number) {
    Lease lease;
    lease.id = lease_id(number);
    lease.credential = credential_id(1);
    lease.scope = "workspace:acme";
    lease.version = 3;
    lease.generation = 41;
    lease.principal = "worker:etl";
    lease.holder = holder(4711);
    lease.uid = 998;
    lease.workflow = "nightly";
    lease.run = "42";
    lease.node = "s3";
    lease.issued_at = noon;
    lease.expires_at = noon + 15min;
    lease.renewable_until = noon + 24h;
    return lease;
}

} // namespace credlease::leases
