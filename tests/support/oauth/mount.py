"""One provider: its endpoints by path, and what stands behind each."""

import json
import re
import urllib.parse

import secrets_seen
from answers import Answers, encoded
from authorization import Authorization
from clients import Refusal, authenticate
from connection import Answer
from grants import Grants, hash_of
from misbehavior import Misbehaviors
from token_endpoint import TokenEndpoint, read_parameters

WELL_KNOWN = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


def pattern_of(endpoint):
    """The path, in which {segments} fit anything, and the query that must come with it."""
    path, _, query = endpoint.partition("?")
    parts = re.split(r"\{[^}]*\}", path)
    return re.compile("[^/]+".join(re.escape(part) for part in parts)), dict(urllib.parse.parse_qsl(query))


class Mount:
    def __init__(self, name, settings, clock, origin):
        self.name, self.settings, self.clock = name, settings, clock
        self.issuer = settings["issuer"] or origin + name
        self.misbehaviors = Misbehaviors()
        for rule in settings["script"]:
            if rule.get("do") == "refuse_connection":
                raise ValueError("connections are refused by the control door: none is one provider's")
            self.misbehaviors.add(rule)
        self.grants, self.answers = Grants(settings, clock), Answers(settings, clock)
        self.authorization = Authorization(settings, clock, self.issuer)
        self.tokens = TokenEndpoint(settings, clock, self.grants, self.answers, self.authorization)
        self.paths = [(endpoint, *pattern_of(path)) for endpoint, path in settings["endpoints"].items() if path]

    def endpoint_of(self, request, path):
        """By path below the mount, and by its query; None: there is none."""
        if path in WELL_KNOWN:
            return "discovery" if self.settings["discovery"] else None
        if path in self.settings["resources"]:
            return "resource"
        given = request.query_parameters()
        fits = [endpoint for endpoint, pattern, query in self.paths
                if pattern.fullmatch(path) and all(given.get(name) == value for name, value in query.items())]
        return fits[0] if fits else None

    def grant_type_of(self, request):
        try:
            return self.tokens.parameters_of(request).get("grant_type")
        except (Refusal, ValueError):
            return None

    def answer(self, request, plan, note):
        """Never throws for what came: a refusal is an answer."""
        try:
            return self.served(request, plan, note)
        except Refusal as refusal:
            note["error"] = refusal.name
            return self.answers.error(refusal.name, refusal.text, refusal.status, refusal.headers)

    def served(self, request, plan, note):
        if plan.endpoint == "authorize":
            return self.authorization.authorize(request, plan)
        if isinstance(plan.unhandled, dict):
            error = plan.unhandled
            note["error"] = error["error"]
            text = error["text"] if "echo" not in error else "; ".join(map(error["echo"], secrets_seen.in_request(request)))
            return self.answers.error(error["error"], text, exactly=error.get("status"), fields=error.get("fields"))
        if plan.unhandled is not None:
            return plan.unhandled
        if plan.endpoint in ("token", "refresh"):
            return self.tokens.answer(request, plan, note, plan.endpoint == "refresh")
        return getattr(self, plan.endpoint)(request, note)

    def device(self, request, note):
        parameters = read_parameters(request, self.settings["body"])
        note["client"] = parameters.get("client_id")
        return encoded(self.authorization.begin_device(request, parameters), False)

    def verification(self, request, note):
        """The page of the device flow: whoever opens it with a code approves."""
        found = self.authorization.decide_device(request.query_parameters().get("user_code"), "approved")
        return Answer(200 if found else 404, b"Approved.\n" if found else b"There is no such code.\n", "text/plain")

    def token_named(self, text):
        return self.grants.refresh_tokens.get(hash_of(text)) or self.grants.access_tokens.get(hash_of(text))

    def revoke(self, request, note):
        """RFC 7009: a refresh token takes the whole grant with it; an unknown token is a success."""
        how = self.settings["revocation"]
        if request.method != how["method"]:
            raise Refusal("invalid_request", f"A token is revoked by {how['method']}.", 405)
        text, client = self.revoked_as_bearer(request) if how["bearer"] else self.revoked_as_parameter(request, how)
        token = self.token_named(text)
        note.update(client=client, token=hash_of(text))
        if token is not None and client in (None, token.grant.client):
            note["grant"] = token.grant.id
            if token.hash in self.grants.refresh_tokens:
                self.grants.revoke(token.grant)
            token.is_dead = True
        return Answer(200, b"", "") if how["method"] == "POST" else Answer(204, b"", "")

    def revoked_as_bearer(self, request):
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or self.grants.live_access_token(text) is None:
            raise Refusal("invalid_token", "The Authorization header holds no token that lives.", 401)
        return text, None

    def revoked_as_parameter(self, request, how):
        parameters = {**request.query_parameters(), **read_parameters(request, how["body"] or self.settings["body"])}
        client = authenticate(self.settings["clients"], request, parameters, how["auth"])
        if how["parameter"] not in parameters:
            raise Refusal("invalid_request", f"{how['parameter']} is missing.")
        return parameters[how["parameter"]], client["id"]

    def introspect(self, request, note):
        """RFC 7662."""
        parameters = read_parameters(request, self.settings["body"])
        note["client"] = authenticate(self.settings["clients"], request, parameters)["id"]
        text = parameters.get("token", "")
        refresh, access = self.grants.refresh_tokens.get(hash_of(text)), self.grants.live_access_token(text)
        found = access or (refresh if self.grants.state_of(refresh) in ("live", "grace") else None)
        if found is None:
            return encoded({"active": False}, False)
        told = {"active": True, "client_id": found.grant.client, "scope": self.settings["scope_separator"].join(found.grant.scopes)}
        if access and access.expires_at is not None:
            told["exp"] = round(access.expires_at)
        return encoded(told, False)

    def resource(self, request, note):
        """What the tokens are for: it answers to live access tokens, and 401 to all else."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = self.grants.live_access_token(text) if scheme == self.settings["resource_scheme"] else None
        note["token"] = hash_of(text)
        if token is None:
            note["error"] = "invalid_token"
            return Answer(401, b'{"error":"invalid_token"}', headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        note.update(grant=token.grant.id, slot=token.slot, generation=token.generation)
        request_path = request.path[len(self.name):]
        if request_path in self.settings["resources"]:
            return encoded(self.settings["resources"][request_path], False)
        return encoded({"account": token.grant.account, "grant": token.grant.id, "slot": token.slot, "generation": token.generation,
                        "scopes": token.grant.scopes}, False)

    def discovery(self, request, note):
        """RFC 8414, and OpenID Connect's document by the same members."""
        names = {"authorize": "authorization_endpoint", "token": "token_endpoint", "device": "device_authorization_endpoint",
                 "revoke": "revocation_endpoint", "introspect": "introspection_endpoint"}
        base = self.issuer
        told = {"issuer": self.issuer, "response_types_supported": ["code"]}
        told |= {name: base + self.settings["endpoints"][key] for key, name in names.items() if self.settings["endpoints"][key]}
        if self.settings["pkce"] != "rejected":
            told["code_challenge_methods_supported"] = ["S256"]
        if self.settings["redirect"]["iss"]:
            told["authorization_response_iss_parameter_supported"] = True
        ways = {"basic": "client_secret_basic", "post": "client_secret_post", "none": "none"}
        told["token_endpoint_auth_methods_supported"] = sorted({ways[client["auth"]] for client in self.settings["clients"].values()})
        return Answer(200, json.dumps(told).encode())
