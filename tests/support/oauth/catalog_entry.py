"""From an entry of the catalog to a provider that behaves as the entry says, and to an entry that leads to this provider.

The schema is daemon/catalog/service.schema.json. What the entry leaves to a field (`{tenant}`) fits anything.
"""

import copy
import re
import subprocess

from answers import placed

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
URLS = {"authorize_url": "authorize", "token_url": "token", "refresh_url": "refresh", "device_url": "device"}
WAYS = {"definitive": "invalid_grant", "client": "invalid_client", "too_early": "too_early", "rate_limited": "too_many_requests"}


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d)", text).groups()
    value = int(number) * SECONDS[unit]
    return int(value) if value == int(value) else value


def path_of(template):
    """The path and query behind the host, which may be a field's; empty where one field is all of it."""
    return re.sub(r"^(https?://[^/?]*|\{[^}]*\})", "", template)


def chosen(auth, value, fields):
    """What stands in the entry, or what the field that says it holds: its default, where it is not given."""
    if not isinstance(value, dict):
        return value
    default = next(field.get("default") for field in auth["fields"] if field["name"] == value["field"])
    return (fields or {}).get(value["field"], default)


def filled(template, fields):
    """The template with the fields' values; None where one is not set, or fields are not told at all."""
    if any(name not in (fields or {}) for name in re.findall(r"\{(\w+)[^}]*\}", template)):
        return None
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: fields[found[1]], template)


def required(parameters, fields):
    """Parameters by name: their value, or None where a field decides it that is not told. One that is known to be unset is left out."""
    values = {one["name"]: filled(one["value"], fields) for one in parameters}
    return values if fields is None else {name: value for name, value in values.items() if value is not None}


def made_value(auth, name):
    """Something that a field of that format takes."""
    form = next((field.get("format") for field in auth["fields"] if field["name"] == name), None)
    return {"url": "https://api.example.com", "host": "api.example.com"}.get(form, f"made-{name}")


def slot_of(slot):
    places = {name: slot.get(name) for name in ("access_token_at", "refresh_token_at", "expires_in_at", "expires_at_at", "token_type_at",
                                                "scope_at", "refresh_expires_in_at", "nested_in")}
    return {"name": slot["name"], **places}


def errors_of(oauth):
    given = oauth.get("errors", {})
    errors = {name: given[name] for name in ("at", "text_at", "ok_at") if name in given}
    errors["status"], named = 200 if "ok_at" in given else 400, {}
    for rule in given.get("rules", []):
        name = WAYS.get(rule["meaning"])
        if name is None or name in named or rule.get("error", "*") == "*":
            continue
        named[name] = {"error": rule["error"], **({"status": rule["status"]} if "status" in rule else {})}
        if "sub_error" in rule:
            named[name]["fields"] = {given["sub_at"]: rule["sub_error"]}
    return {**errors, "named": named}


def clocks_of(oauth, refresh_class):
    clocks = {name: seconds(text) for name, text in oauth.get("clocks", {}).items()}
    told = any(slot.get("expires_in_at") or slot.get("expires_at_at") for slot in oauth["slots"])
    lives = 3600 if told and refresh_class != "none" else None
    settings = {"lifetimes": {"access": clocks.get("access", lives), "refresh": clocks.get("refresh_idle"),
                              "refresh_absolute": clocks.get("refresh_absolute")}}
    if "grace" in clocks:
        settings["grace"] = clocks["grace"]
    if "access_after_refresh" in clocks:
        settings["access_token_dies"] = clocks["access_after_refresh"]
    if any(rule["meaning"] == "too_early" for rule in oauth.get("errors", {}).get("rules", [])):
        settings["earliest_refresh"] = clocks.get("margin", 0)
    return settings


def answers_of(auth, oauth):
    """What the answer fields will hold."""
    return {one["field"]: made_value(auth, one["field"]) for one in oauth.get("answer_fields", [])}


def answer_of(auth, oauth):
    """What the answers and the redirect hold besides tokens, and the resources that are asked for more."""
    fields, parameters, resources = {}, {}, {}
    if "account_at" in oauth:
        fields[oauth["account_at"]] = "alice"
    for one in oauth.get("answer_fields", []):
        value = made_value(auth, one["field"])
        if "parameter" in one:
            parameters[one["parameter"]] = value
        elif "url" in one:
            path = path_of(one["url"])
            resources[path] = placed(resources.get(path), one["at"], value)
        else:
            fields[one["at"]] = value
    return {"answer": {"slots": [slot_of(slot) for slot in oauth["slots"]], "fields": fields}, "resources": resources,
            "redirect": {"parameters": parameters, "iss": "issuer" in oauth}}


def jwt_of(oauth, fields):
    jwt = oauth.get("jwt")
    if jwt is None:
        return {}
    claims = required(jwt.get("claims", []), fields)
    return {"jwt": {"in": "authorization" if jwt.get("as") == "bearer" else "assertion", "audience": claims.get("aud"),
                    "subject": claims.get("sub"), "once": jwt.get("jti", False),
                    "headers": {name: value for name, value in required(jwt.get("headers", []), fields).items() if value is not None}}}


def client_of(oauth, way, fields):
    """The OAuth client that the fields name, or that issues the assertions."""
    if fields is None:
        return {"auth": way}
    jwt = oauth.get("jwt", {})
    issued = next((filled(claim["value"], fields) for claim in jwt.get("claims", []) if claim["name"] == "iss"), None)
    secret, key = fields.get(oauth.get("client_secret")), fields.get(jwt.get("private_key"))
    client = {"id": issued or fields.get(oauth.get("client_id"), "client"), "auth": way if secret else "none"}
    if secret:
        client["secret"] = secret
    if key:
        made = subprocess.run(["openssl", "rsa", "-pubout"], input=key.encode(), check=True, capture_output=True)
        client["public_key"] = made.stdout.decode()
    return client


def oauth_of(entry, auth=None):
    """That auth type of the entry, or its first with OAuth; and what it says of OAuth."""
    found = next(one for one in entry["auth"] if "oauth" in one and auth in (None, one["name"]))
    return found, found["oauth"]


def settings_of(entry, auth=None, fields=None):
    """`fields`: what a credential has, as text."""
    auth, oauth = oauth_of(entry, auth)
    refresh_class = chosen(auth, oauth["refresh_class"], fields)
    way = "basic_secret_alone" if oauth.get("secret_is_user") else chosen(auth, oauth["client_auth"], fields)
    settings = {"refresh_class": refresh_class, "body": oauth.get("body", "form"), "pkce": "required" if oauth.get("pkce", True) else "rejected",
                "clients": [client_of(oauth, way, fields)], "errors": errors_of(oauth),
                "endpoints": {URLS[name]: path_of(oauth[name]) for name in URLS if path_of(oauth.get(name, ""))},
                "required": {"authorize": required(oauth.get("authorize_parameters", []), fields), "token": required(oauth.get("token_parameters", []), fields),
                             "refresh": required(oauth.get("refresh_parameters", []), fields), "headers": required(oauth.get("headers", []), fields)},
                **clocks_of(oauth, refresh_class), **answer_of(auth, oauth), **jwt_of(oauth, fields)}
    for name in ("scope_parameter", "scope_separator", "grants_per_account"):
        if name in oauth:
            settings[name] = oauth[name]
    if "grant_type" in oauth:
        settings["grant_types"] = {"client_credentials": oauth["grant_type"]}
    if "requests" in oauth.get("budget", {}):
        settings["budget"] = {"requests": oauth["budget"]["requests"], "per": seconds(oauth["budget"]["per"])}
    revocation = oauth.get("revocation")
    if revocation is not None:
        settings["revocation"] = {"parameter": revocation.get("token_parameter", "token"), "auth": revocation.get("client_auth"),
                                  "body": revocation.get("body", "form"), "method": revocation.get("method", "post").upper(),
                                  "bearer": revocation.get("as") == "bearer"}
        if path_of(revocation["url"]):
            settings["endpoints"]["revoke"] = path_of(revocation["url"])
    return settings


def leading_to(entry, place, auth=None):
    """The entry with its URLs at `place` (the origin and the mount); a URL that is one field's stays."""
    entry = copy.deepcopy(entry)
    _, oauth = oauth_of(entry, auth)
    held = [(oauth, name) for name in URLS] + [(oauth.get("revocation", {}), "url")]
    held += [(one, "url") for one in oauth.get("answer_fields", [])]
    for where, name in held:
        if path_of(where.get(name, "")):
            where[name] = place + path_of(where[name])
    if oauth.get("issuer", "").startswith("http"):
        oauth["issuer"] = place
    return entry
