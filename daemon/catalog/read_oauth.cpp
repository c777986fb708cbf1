#include "catalog/read_oauth.hpp"

#include "catalog/check_oauth.hpp"
#include "catalog/read_chosen.hpp"
#include "catalog/read_endpoint.hpp"
#include "catalog/read_errors.hpp"
#include "catalog/read_slots.hpp"
#include "wire/limits.hpp"

namespace credlease::catalog {
namespace {

namespace json = boost::json;
using result::StaticText;
using vocabulary::FieldType;

constexpr StaticText of_flow{"It must be authorization_code, device, client_credentials, jwt_bearer or refresh_token."};
constexpr StaticText of_auth{"It must be basic, post or none."};
constexpr StaticText of_class{"It must be static, rotating, single_use, single_use_grace, kills_access_token or none."};
constexpr StaticText of_body{"It must be form or json."};

constexpr std::uint32_t budget_most = 1'000'000;

class OAuthReader {
  public:
    OAuthReader(std::vector<Field>& fields, EntryProblem& problem) : fields_(fields, problem), problem_(problem) {}

    OAuth read(const EntryNode& node) {
        read_flows(node);
        read_endpoints(node);
        read_client(node);
        read_requests(node);
        read_jwt(node);
        read_slots(node, fields_, made_);
        made_.account_at = read_pointer(node, "account_at");
        read_clocks(node);
        made_.errors = read_errors(node);
        made_.budget = read_budget(node, "budget").value_or(Budget{});
        made_.grant_budget = read_budget(node, "grant_budget");
        made_.grants_per_account = node.number("grants_per_account", 1, budget_most).value_or(0);
        check_oauth(node, fields_, made_);
        return std::move(made_);
    }

  private:
    void read_flows(const EntryNode& node) {
        made_.flow = read_chosen<Flow>(node, "flow", fields_, of_flow);
        made_.refresh_class = read_chosen<RefreshClass>(node, "refresh_class", fields_, of_class);
        const json::array& items = node.list("flows", 1, 5);
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto* text = items[i].if_string();
            const auto flow = text ? find_value<Flow>(*text) : std::nullopt;
            if (!flow) {
                problem_.note(node.path_of("flows", i), of_flow);
            } else if (std::ranges::find(made_.flows, *flow) != made_.flows.end()) {
                problem_.note(node.path_of("flows", i), "The flow is there twice.");
            } else {
                made_.flows.push_back(*flow);
            }
        }
        if (!node.find("flows")) made_.flows = {made_.flow.value};
    }

    std::optional<Template> endpoint(const EntryNode& node, std::string_view member) {
        auto read = read_endpoint(node, member, fields_);
        if (!read) return std::nullopt;
        made_.has_chosen_host |= read->has_chosen_host;
        return std::move(read->url);
    }

    void read_endpoints(const EntryNode& node) {
        made_.issuer = endpoint(node, "issuer");
        made_.authorize_url = endpoint(node, "authorize_url");
        made_.token_url = endpoint(node, "token_url");
        made_.refresh_url = endpoint(node, "refresh_url");
        made_.device_url = endpoint(node, "device_url");
        if (const json::value* value = node.find("revocation")) read_revocation(*value, node.path_of("revocation"));
    }

    void read_revocation(const json::value& value, const std::string& path) {
        const EntryNode node(
            value, path, problem_,
            {.required = {"url"},
             .optional = {"method", "as", "client_auth", "body", "token_parameter", "by_access_token"}});
        Revocation revocation;
        revocation.url = endpoint(node, "url").value_or(Template{});
        revocation.is_delete = read_choice(node, "method", "post", "delete", "It must be post or delete.");
        revocation.is_bearer = read_choice(node, "as", "parameter", "bearer", "It must be parameter or bearer.");
        revocation.auth = read_word<ClientAuth>(node, "client_auth", of_auth);
        revocation.body = read_word<BodyFormat>(node, "body", of_body).value_or(BodyFormat::form);
        if (node.find("token_parameter")) revocation.token_parameter = node.line("token_parameter");
        revocation.by_access_token = node.flag("by_access_token");
        for (const std::string_view unused : {"client_auth", "body", "token_parameter"}) {
            if (revocation.is_bearer && node.find(unused)) node.refuse(unused, "The token goes as the bearer, alone.");
        }
        made_.revocation = std::move(revocation);
    }

    /// Whether it is the second of two words; the first is the default.
    static bool read_choice(const EntryNode& node, std::string_view member, std::string_view usual,
                            std::string_view other, StaticText sentence) {
        if (!node.find(member)) return false;
        const std::string word = node.line(member);
        if (word != usual && word != other) node.refuse(member, sentence);
        return word == other;
    }

    void read_client(const EntryNode& node) {
        made_.client_auth = read_chosen<ClientAuth>(node, "client_auth", fields_, of_auth);
        made_.secret_is_user = node.flag("secret_is_user");
        made_.client_id = fields_.find(node, "client_id",
                                       {.otherwise = "It must be a public field of type string that a person gives."});
        made_.client_secret = unleased(node, "client_secret",
                                       {.type = FieldType::string,
                                        .secret = true,
                                        .otherwise = "It must be a secret field of type string that a person gives."});
        made_.scopes = fields_.find(
            node, "scopes",
            {.type = FieldType::list, .otherwise = "It must be a public field of type list that a person gives."});
        made_.pkce = !node.find("pkce") || node.flag("pkce");
        made_.pkce_reason = node.line("pkce_reason");
    }

    std::optional<std::size_t> unleased(const EntryNode& node, std::string_view member,
                                        const OAuthFields::Kind& kind) const {
        const auto found = fields_.find(node, member, kind);
        if (found && fields_[*found].leased) {
            node.refuse(member, "No lease may hold it: its field needs \"leased\": false.");
        }
        return found;
    }

    void read_requests(const EntryNode& node) {
        made_.body = read_word<BodyFormat>(node, "body", of_body).value_or(BodyFormat::form);
        made_.grant_type = node.line("grant_type");
        if (node.find("scope_separator")) made_.scope_separator = node.line("scope_separator");
        if (node.find("scope_parameter")) made_.scope_parameter = node.line("scope_parameter");
        made_.default_scopes = node.lines("default_scopes", wire::limits::map_entries);
        made_.authorize_parameters =
            fields_.parameters(node, "authorize_parameters",
                               {"response_type", "client_id", "redirect_uri", "state", "code_challenge",
                                "code_challenge_method", made_.scope_parameter});
        made_.token_parameters = request_parameters(node, "token_parameters");
        made_.refresh_parameters = request_parameters(node, "refresh_parameters");
        made_.headers = fields_.headers(node, "headers");
    }

    std::vector<Parameter> request_parameters(const EntryNode& node, std::string_view member) const {
        return fields_.parameters(node, member,
                                  {"grant_type", "client_id", "client_secret", "code", "redirect_uri", "code_verifier",
                                   "refresh_token", "device_code", "assertion", "client_assertion",
                                   "client_assertion_type", made_.scope_parameter});
    }

    void read_jwt(const EntryNode& node) {
        const json::value* value = node.find("jwt");
        if (!value) return;
        const EntryNode inner(*value, node.path_of("jwt"), problem_,
                              {.required = {"private_key"},
                               .optional = {"claims", "headers", "scope_claim", "lifetime", "backdated", "as", "jti"}});
        made_.private_key = unleased(inner, "private_key",
                                     {.type = FieldType::text,
                                      .secret = true,
                                      .otherwise = "It must be a secret field of type text that a person gives."});
        made_.jwt.scope_claim = inner.line("scope_claim");
        made_.jwt_claims = fields_.parameters(inner, "claims", {"iat", "exp", "jti", made_.jwt.scope_claim});
        made_.jwt.headers = fields_.parameters(inner, "headers", {"alg", "typ"});
        if (const auto lifetime = inner.duration("lifetime")) made_.jwt.lifetime = *lifetime;
        made_.jwt.backdated = inner.duration("backdated").value_or(vocabulary::Duration{});
        made_.jwt.is_bearer = read_choice(inner, "as", "assertion", "bearer", "It must be assertion or bearer.");
        made_.jwt.has_id = inner.flag("jti");
    }

    void read_clocks(const EntryNode& node) {
        const json::value* value = node.find("clocks");
        if (!value) return;
        const EntryNode inner(*value, node.path_of("clocks"), problem_,
                              {.required = {},
                               .optional = {"access", "refresh_idle", "refresh_absolute", "client_secret", "grace",
                                            "margin", "access_after_refresh"}});
        Clocks& clocks = made_.clocks;
        clocks.access = inner.duration("access");
        clocks.refresh_idle = inner.duration("refresh_idle");
        clocks.refresh_absolute = inner.duration("refresh_absolute");
        clocks.client_secret = inner.duration("client_secret");
        clocks.grace = inner.duration("grace").value_or(vocabulary::Duration{});
        clocks.margin = inner.duration("margin").value_or(vocabulary::Duration{});
        clocks.access_after_refresh = inner.duration("access_after_refresh");
    }

    std::optional<Budget> read_budget(const EntryNode& node, std::string_view member) const {
        const json::value* value = node.find(member);
        if (!value) return std::nullopt;
        const EntryNode inner(*value, node.path_of(member), problem_,
                              {.required = {}, .optional = {"requests", "per", "at_once"}});
        Budget budget;
        budget.requests = inner.number("requests", 1, budget_most).value_or(0);
        budget.per = inner.duration("per").value_or(vocabulary::Duration{});
        if (const auto at_once = inner.number("at_once", 1, 1000)) budget.at_once = *at_once;
        if ((inner.find("requests") != nullptr) != (inner.find("per") != nullptr)) {
            inner.refuse("per", "A number of requests and the time that it is for go together.");
        }
        return budget;
    }

    OAuthFields fields_;
    EntryProblem& problem_;
    OAuth made_;
};

} // namespace

OAuth read_oauth(const json::value& value, const std::string& path, std::vector<Field>& fields, EntryProblem& problem) {
    const EntryNode node(value, path, problem,
                         {.required = {"token_url", "client_auth", "refresh_class", "slots"},
                          .optional = {"flow",
                                       "flows",
                                       "issuer",
                                       "authorize_url",
                                       "refresh_url",
                                       "device_url",
                                       "revocation",
                                       "secret_is_user",
                                       "client_id",
                                       "client_secret",
                                       "scopes",
                                       "pkce",
                                       "pkce_reason",
                                       "body",
                                       "grant_type",
                                       "scope_separator",
                                       "scope_parameter",
                                       "default_scopes",
                                       "authorize_parameters",
                                       "token_parameters",
                                       "refresh_parameters",
                                       "headers",
                                       "jwt",
                                       "answer_fields",
                                       "account_at",
                                       "clocks",
                                       "errors",
                                       "budget",
                                       "grant_budget",
                                       "grants_per_account"}});
    return OAuthReader(fields, problem).read(node);
}

} // namespace credlease::catalog
