#pragma once

#include "audit/journal.hpp"
#include "broker/asker.hpp"
#include "runtime/clock.hpp"

#include <map>
#include <string>
#include <string_view>

namespace credlease::broker {

/// What was asked for: never more than the caller said or can see.
struct RefusedSubject {
    vocabulary::CredentialId credential{};
    vocabulary::LeaseId lease{};
    auto operator<=>(const RefusedSubject&) const = default;
};

/// Refusals, on their way into the audit log: like ones of one peer within a second become one record with a count.
class Refusals {
  public:
    Refusals(runtime::Clock& clock, audit::Journal& journal) : clock_(clock), journal_(journal) {}
    ~Refusals() { flush(); }
    Refusals(const Refusals&) = delete;
    Refusals& operator=(const Refusals&) = delete;

    /// `lease_refused` or `access_refused`.
    void note(vocabulary::Action action, const Asker& asker, std::string_view code, const RefusedSubject& subject = {});
    /// Writes what has been counted.
    void flush();

  private:
    struct Kind {
        vocabulary::Action action;
        std::int32_t pid;
        std::uint32_t uid;
        std::string principal;
        std::string code;
        RefusedSubject subject;
        auto operator<=>(const Kind&) const = default;
    };
    struct Counted {
        Asker first;
        std::uint32_t count = 0;
    };
    static constexpr std::size_t most_kinds = 4096; ///< beyond it a refusal is written at once

    runtime::Clock& clock_;
    audit::Journal& journal_;
    std::map<Kind, Counted> counted_;
    std::uint64_t call_ = 0;
};

} // namespace credlease::broker
