#include "vocabulary/audit_record.hpp"

#include "vocabulary/words.hpp"

#include <algorithm>

namespace credlease::vocabulary {
namespace {

constexpr Words<Action, 45> actions = {{{Action::credential_created, "credential.created"},
                                        {Action::credential_edited, "credential.edited"},
                                        {Action::credential_rotated, "credential.rotated"},
                                        {Action::credential_rolled_back, "credential.rolled_back"},
                                        {Action::credential_revoked, "credential.revoked"},
                                        {Action::credential_restored, "credential.restored"},
                                        {Action::credential_duplicated, "credential.duplicated"},
                                        {Action::credential_deleted, "credential.deleted"},
                                        {Action::credential_tested, "credential.tested"},
                                        {Action::credential_expired, "credential.expired"},
                                        {Action::lease_issued, "lease.issued"},
                                        {Action::lease_renewed, "lease.renewed"},
                                        {Action::lease_redelivered, "lease.redelivered"},
                                        {Action::lease_released, "lease.released"},
                                        {Action::lease_ended, "lease.ended"},
                                        {Action::lease_refused, "lease.refused"},
                                        {Action::grant_minted, "grant.minted"},
                                        {Action::grant_withdrawn, "grant.withdrawn"},
                                        {Action::grant_ended, "grant.ended"},
                                        {Action::directory_changed, "directory.changed"},
                                        {Action::access_refused, "access.refused"},
                                        {Action::broker_started, "broker.started"},
                                        {Action::broker_stopped, "broker.stopped"},
                                        {Action::broker_sealed, "broker.sealed"},
                                        {Action::broker_unsealed, "broker.unsealed"},
                                        {Action::broker_rekeyed, "broker.rekeyed"},
                                        {Action::broker_restored, "broker.restored"},
                                        {Action::secrets_exported, "secrets.exported"},
                                        {Action::log_gap, "log.gap"},
                                        {Action::log_pruned, "log.pruned"},
                                        {Action::change_not_made, "log.change_not_made"},
                                        {Action::oauth_started, "oauth.started"},
                                        {Action::oauth_connected, "oauth.connected"},
                                        {Action::oauth_failed, "oauth.failed"},
                                        {Action::oauth_refreshing, "oauth.refreshing"},
                                        {Action::oauth_refreshed, "oauth.refreshed"},
                                        {Action::oauth_refresh_failed, "oauth.refresh_failed"},
                                        {Action::oauth_in_doubt, "oauth.in_doubt"},
                                        {Action::oauth_revoked, "oauth.revoked"},
                                        {Action::oauth_refresh_asked, "oauth.refresh_asked"},
                                        {Action::oauth_ending, "oauth.ending"},
                                        {Action::oauth_rescued, "oauth.rescued"},
                                        {Action::oauth_client_changed, "oauth_client.changed"},
                                        {Action::oauth_client_deleted, "oauth_client.deleted"},
                                        {Action::oauth_client_ending, "oauth_client.ending"}}};

} // namespace

std::string_view name_of(Action action) { return word_of(actions, action).view(); }

std::optional<Action> find_action(std::string_view name) { return find_word(actions, name); }

bool is_action_kind(std::string_view kind) {
    return std::ranges::any_of(actions, [&](const auto& word) {
        const auto name = word.text.view();
        return name.substr(0, name.find('.')) == kind;
    });
}

} // namespace credlease::vocabulary
