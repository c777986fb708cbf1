#include "vocabulary/lease.hpp"

#include "vocabulary/words.hpp"

namespace credlease::vocabulary {
namespace {

constexpr Words<LimitedBy, 5> limits = {{{LimitedBy::ttl, "ttl"},
                                         {LimitedBy::max_ttl, "max_ttl"},
                                         {LimitedBy::grant, "grant"},
                                         {LimitedBy::credential, "credential"},
                                         {LimitedBy::token, "token"}}};

constexpr Words<Binding, 2> bindings = {{{Binding::process, "process"}, {Binding::none, "none"}}};

constexpr Words<EndReason, 11> end_reasons = {{{EndReason::released, "released"},
                                               {EndReason::expired, "expired"},
                                               {EndReason::credential_revoked, "credential_revoked"},
                                               {EndReason::credential_deleted, "credential_deleted"},
                                               {EndReason::credential_rotated, "credential_rotated"},
                                               {EndReason::scope_changed, "scope_changed"},
                                               {EndReason::grant_ended, "grant_ended"},
                                               {EndReason::holder_exited, "holder_exited"},
                                               {EndReason::sealed, "sealed"},
                                               {EndReason::ended_by_operator, "ended_by_operator"},
                                               {EndReason::undelivered, "undelivered"}}};

} // namespace

std::string_view name_of(LimitedBy limit) { return word_of(limits, limit).view(); }

std::string_view name_of(Binding binding) { return word_of(bindings, binding).view(); }

std::optional<Binding> find_binding(std::string_view name) { return find_word(bindings, name); }

result::StaticText text_of(EndReason reason) { return word_of(end_reasons, reason); }

std::optional<EndReason> find_end_reason(std::string_view name) { return find_word(end_reasons, name); }

} // namespace credlease::vocabulary
