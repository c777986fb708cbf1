"""What one provider is like: its config, with a default for everything."""

import copy

SLOT = {"name": "main", "access_token_at": "/access_token", "refresh_token_at": "/refresh_token",
        "expires_in_at": "/expires_in", "expires_at_at": None, "token_type_at": "/token_type", "scope_at": "/scope",
        "refresh_expires_in_at": None, "token_type": "Bearer",
        "nested_in": None} # the beginning of these pointers that the answer to the slot's own refresh leaves out

# auth: "basic", "basic_secret_alone" (the secret is the user, the password empty), "post", "none"
CLIENT = {"id": "client", "secret": "client-secret", "auth": "post", "redirect_uris": None, "public_key": None}

CLASSES = ("static", "rotating", "single_use", "single_use_grace", "kills_access_token", "none")

DEFAULTS = {
    "issuer": None, # the origin, and the provider's mount
    # A path may have {segments} that fit anything, and a query that must be there. refresh: where it is another URL
    "endpoints": {"authorize": "/authorize", "token": "/token", "refresh": None, "device": "/device_authorization",
                  "verification": "/device", "revoke": "/revoke", "introspect": "/introspect", "resource": "/me"},
    "discovery": True,
    "clients": [CLIENT],
    "refresh_class": "rotating",
    "grace": 600,               # seconds in which a spent token still works (single_use_grace)
    "grace_until_used": False,  # … unless its successor was used
    "access_token_dies": None,  # so many seconds after a refresh; None: at its end, but of kills_access_token at once
    "reuse_kills_family": True,
    "lifetimes": {"access": 3600, "refresh": None, "refresh_absolute": None, "code": 60, "device": 600}, # seconds; None: no end
    "device_interval": 5,
    "earliest_refresh": None,   # so many seconds before the access token's end; sooner is refused with error "too_early"
    "grants_per_account": None, # of one client; one more ends the oldest
    "budget": {"requests": None, "per": 600, "at_once": None}, # token requests; beyond it 429
    "grant_types": {},          # other words for some: {"client_credentials": "account_credentials"}
    "resources": {},            # more than /me that live access tokens get: {"/oauth/token/accessible-resources": [{"id": "c1"}]}
    "pkce": "required",         # "optional", "rejected"
    "body": "form",             # "json", "any"
    "scope_parameter": "scope",
    "scope_separator": " ",
    # Parameters and headers that must be there; None: with any value
    "required": {"authorize": {}, "token": {}, "refresh": {}, "headers": {}},
    "answer": {"slots": [SLOT], "fields": {}, "expires_in": "number", # "text", "absent"
               "expires_at": "seconds", # "text"
               "format": "json", # "form", "form_unless_json_asked"
               "status": 200, "repeat_refresh_token": False},
    "redirect": {"iss": True, "parameters": {}},
    "errors": {"at": "/error", "text_at": "/error_description", "ok_at": None, "status": 400,
               "named": {}}, # "invalid_grant": {"status": 403, "error": "…", "fields": {}}
    "jwt": {"in": "assertion", "issuer": None, "subject": None, "audience": None, "longest": 3600, "headers": {}, # in: "authorization"
            "once": False}, # an assertion must have a jti, and is good once
    # bearer: the token comes in the Authorization header, and no client is named
    "revocation": {"parameter": "token", "auth": None, "body": None, "method": "POST", "bearer": False},
    "resource_scheme": "Bearer",
    "keeps_connections": True, # after an answer, where the client asks for no end
    "script": [],
}
FREE = {"required", "fields", "named", "parameters", "grant_types", "resources", "headers"} # whose members are the test's own


def merged(defaults, given, where=""):
    for key in given:
        if key not in defaults:
            raise ValueError(f"a provider has no {where}{key}")
    whole = copy.deepcopy(defaults)
    for key, value in given.items():
        if isinstance(defaults[key], dict) and isinstance(value, dict) and key not in FREE:
            whole[key] = merged(defaults[key], value, f"{where}{key}.")
        elif key == "required":
            whole[key] = {**defaults[key], **value}
        else:
            whole[key] = value
    return whole


def read(given):
    settings = merged(DEFAULTS, given)
    settings["clients"] = {client["id"]: client for client in (merged(CLIENT, client, "clients.") for client in settings["clients"])}
    settings["answer"]["slots"] = [merged(SLOT, slot, "answer.slots.") for slot in settings["answer"]["slots"]]
    if settings["refresh_class"] not in CLASSES:
        raise ValueError(f"no such refresh class: {settings['refresh_class']}")
    if settings["access_token_dies"] is None and settings["refresh_class"] == "kills_access_token":
        settings["access_token_dies"] = 0
    return settings
