#include "catalog/check_oauth.hpp"

#include "catalog/read_chosen.hpp"

namespace credlease::catalog {
namespace {

class OAuthCheck {
  public:
    OAuthCheck(const EntryNode& node, const OAuthFields& fields, const OAuth& oauth)
        : node_(node), fields_(fields), oauth_(oauth) {}

    void run() const {
        check_flows();
        check_client();
        check_pkce();
        check_refresh();
        check_clocks();
        check_scopes();
    }

  private:
    [[nodiscard]] bool offers(Flow flow) const { return std::ranges::find(oauth_.flows, flow) != oauth_.flows.end(); }
    /// Whether a person takes part, so that there is a grant which a refresh token keeps.
    [[nodiscard]] bool has_consent() const {
        return offers(Flow::authorization_code) || offers(Flow::device) || offers(Flow::refresh_token);
    }

    void check_flows() const {
        using enum Flow;
        for (const Flow flow : {authorization_code, device, client_credentials, jwt_bearer, refresh_token}) {
            if (may_be(oauth_.flow, flow, fields_) && !offers(flow)) {
                node_.refuse("flows", "The flow must be one of them, and so must each choice of its field.");
            }
        }
        need(offers(authorization_code), oauth_.authorize_url || oauth_.issuer, "authorize_url",
             "The flow authorization_code needs it, or an issuer.");
        need(offers(device), oauth_.device_url || oauth_.issuer, "device_url",
             "The flow device needs it, or an issuer.");
        need(offers(jwt_bearer), oauth_.private_key.has_value(), "jwt", "The flow jwt_bearer needs it.");
        refuse_unused(!offers(authorization_code), "authorize_url", "No flow uses it.");
        refuse_unused(!offers(authorization_code), "authorize_parameters", "No flow uses it.");
        refuse_unused(!offers(device), "device_url", "No flow uses it.");
        refuse_unused(!offers(jwt_bearer), "jwt", "No flow uses it.");
        refuse_unused(!offers(client_credentials), "grant_type",
                      "Only the flow client_credentials has one of its own.");
    }

    void check_client() const {
        const bool is_known = oauth_.flows != std::vector{Flow::jwt_bearer};
        need(is_known, oauth_.client_id.has_value(), "client_id", "A field must hold the client's id.");
        const bool has_secret = may_be(oauth_.client_auth, ClientAuth::basic, fields_) ||
                                may_be(oauth_.client_auth, ClientAuth::post, fields_);
        need(has_secret, oauth_.client_secret.has_value(), "client_secret", "A field must hold the client's secret.");
        refuse_unused(!has_secret, "client_secret", "A client that has a secret says it by basic or post.");
        if (oauth_.secret_is_user && !may_be(oauth_.client_auth, ClientAuth::basic, fields_)) {
            node_.refuse("secret_is_user", "Only basic has a user.");
        }
    }

    void check_pkce() const {
        need(!oauth_.pkce, !oauth_.pkce_reason.empty(), "pkce_reason", "It must say why PKCE is off.");
        refuse_unused(oauth_.pkce, "pkce_reason", "PKCE is not off.");
    }

    void check_refresh() const {
        const bool is_none = !oauth_.refresh_class.field && oauth_.refresh_class.value == RefreshClass::none;
        if (!is_none && !has_consent()) {
            node_.refuse("refresh_class", "A flow without a person's consent has no refresh token: it must be none.");
        }
        for (const TokenSlot& slot : oauth_.slots) {
            if (is_none == slot.refresh_token_at.empty()) continue;
            node_.refuse("slots", is_none ? result::StaticText{"The refresh class is none: no slot has a "
                                                               "refresh_token_at."}
                                          : result::StaticText{"Each slot needs a refresh_token_at, unless the "
                                                               "refresh class is none."});
        }
        refuse_unused(is_none, "refresh_url", "The refresh class is none.");
        refuse_unused(is_none, "refresh_parameters", "The refresh class is none.");
    }

    void check_clocks() const {
        const Clocks& clocks = oauth_.clocks;
        const bool has_grace = may_be(oauth_.refresh_class, RefreshClass::single_use_grace, fields_);
        if (has_grace != (clocks.grace > vocabulary::Duration::zero())) {
            node_.refuse("clocks", "The refresh class single_use_grace, and no other, has a grace.");
        }
        if (clocks.access && clocks.margin >= *clocks.access) {
            node_.refuse("clocks", "The margin must be shorter than the access token's life.");
        }
        const bool has_none = !oauth_.refresh_class.field && oauth_.refresh_class.value == RefreshClass::none;
        if (has_none && (clocks.refresh_idle || clocks.refresh_absolute || clocks.access_after_refresh)) {
            node_.refuse("clocks", "The refresh class is none: there is no refresh token with a clock.");
        }
    }

    void check_scopes() const {
        for (const std::string& scope : oauth_.default_scopes) {
            if (scope.contains(oauth_.scope_separator)) {
                node_.refuse("default_scopes", "A scope holds the separator of scopes.");
            }
        }
    }

    void need(bool condition, bool is_there, std::string_view member, result::StaticText sentence) const {
        if (condition && !is_there) node_.refuse(member, sentence);
    }
    void refuse_unused(bool condition, std::string_view member, result::StaticText sentence) const {
        if (condition && node_.find(member)) node_.refuse(member, sentence);
    }

    const EntryNode& node_;
    const OAuthFields& fields_;
    const OAuth& oauth_;
};

} // namespace

void check_oauth(const EntryNode& node, const OAuthFields& fields, const OAuth& oauth) {
    OAuthCheck(node, fields, oauth).run();
}

} // namespace credlease::catalog
