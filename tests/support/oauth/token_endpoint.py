"""The token endpoint: every grant type, and a line in the log for each request."""

import json
import math
import urllib.parse

from authorization import Authorization
from clients import JWT_BEARER, PublicKey, Refusal, authenticate, check_assertion, check_verifier
from grants import hash_of

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def read_parameters(request, body):
    """The body's parameters, each once, in the format that this provider reads."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if not request.body:
        return {}
    if kind == "application/x-www-form-urlencoded" and body in ("form", "any"):
        pairs = urllib.parse.parse_qsl(request.text(), keep_blank_values=True)
        if len({name for name, _ in pairs}) != len(pairs):
            raise Refusal("invalid_request", "A parameter came twice.")
        return dict(pairs)
    if kind == "application/json" and body in ("json", "any"):
        try:
            told = json.loads(request.body)
        except ValueError as error:
            raise Refusal("invalid_request", "The body is no JSON.") from error
        if isinstance(told, dict) and all(isinstance(value, str) for value in told.values()):
            return told
        raise Refusal("invalid_request", "The body is no JSON object of strings.")
    raise Refusal("invalid_request", f"This provider reads {body} bodies; {kind or 'one without a type'} came.")


class TokenEndpoint:
    def __init__(self, settings, clock, grants, answers, authorization: Authorization):
        self.settings, self.clock, self.grants = settings, clock, grants
        self.answers, self.authorization = answers, authorization
        self.recent = []                        # when the requests of the budget came
        self.at_once = self.most_at_once = 0
        self.assertions = set()                 # ids of those that came, where each is good once
        self.keys = {id: PublicKey(client["public_key"]) for id, client in settings["clients"].items() if client["public_key"]}

    def parameters_of(self, request):
        return read_parameters(request, self.settings["body"])

    def answer(self, request, plan, note, at_refresh_url=False):
        """The answer; `note`, the log's line, is filled with what happened on the way."""
        parameters = self.parameters_of(request)
        note["client"], kind = parameters.get("client_id"), parameters.get("grant_type")
        self.keep_budget()
        if self.settings["jwt"]["in"] == "authorization" and request.headers.get("authorization", "").startswith("Bearer "):
            return self.by_header(request, plan, note)
        self.check_required(request, parameters, kind)
        if kind == JWT_BEARER:
            return self.by_assertion(parameters.get("assertion"), request, plan, note)
        client = authenticate(self.settings["clients"], request, parameters)
        note["client"] = client["id"]
        if self.settings["endpoints"]["refresh"] is not None and (kind == "refresh_token") != at_refresh_url:
            raise Refusal("invalid_request", "Refresh tokens are exchanged at another URL than codes.")
        handles = {"refresh_token": self.by_refresh_token, "authorization_code": self.by_code, DEVICE: self.by_device_code,
                   "client_credentials": self.by_client_credentials}
        handle = {self.settings["grant_types"].get(name, name): handle for name, handle in handles.items()}.get(kind)
        if handle is None:
            raise Refusal("unsupported_grant_type", "There is no such grant type.")
        return handle(client, parameters, request, plan, note)

    def arrived(self):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)

    def keep_budget(self):
        """Refuses what is too much: in a time, or at once."""
        budget, now = self.settings["budget"], self.clock.now()
        if budget["at_once"] is not None and self.at_once > budget["at_once"]:
            raise Refusal("too_many_requests", f"{self.at_once} at once.", 429, {"Retry-After": "1"})
        if budget["requests"] is None:
            return
        self.recent = [time for time in self.recent if time > now - budget["per"]]
        if len(self.recent) >= budget["requests"]:
            wait = math.ceil(self.recent[0] + budget["per"] - now)
            raise Refusal("too_many_requests", "The budget is used up.", 429, {"Retry-After": str(wait)})
        self.recent.append(now)

    def check_required(self, request, parameters, kind):
        required = self.settings["required"]
        for name, value in required["headers"].items():
            if name.lower() not in request.headers or value not in (None, request.headers[name.lower()]):
                raise Refusal("invalid_request", f"The header {name} is missing, or another.")
        for name, value in required["refresh" if kind == "refresh_token" else "token"].items():
            if name not in parameters or value not in (None, parameters[name]):
                raise Refusal("invalid_request", f"{name} is missing, or another.")

    def issue(self, client, scopes, request, plan, note, refreshable=True):
        grant, issued = self.grants.make(client, scopes, refreshable=refreshable)
        note["grant"] = grant.id
        return grant, self.answers.tokens(issued, scopes, request, plan)

    def by_refresh_token(self, client, parameters, request, plan, note):
        text = parameters.get("refresh_token", "")
        token = self.grants.refresh_tokens.get(hash_of(text))
        state = self.grants.state_of(token)
        note.update(token=hash_of(text), state=state, rotated=False)
        if token is None:
            raise Refusal("invalid_grant", "There is no such refresh token.")
        note.update(grant=token.grant.id, slot=token.slot, generation=token.generation)
        if token.grant.client != client["id"]:
            raise Refusal("invalid_grant", "The refresh token is another client's.")
        if state == "spent" and self.settings["reuse_kills_family"]:
            self.grants.revoke(token.grant)
        if state not in ("live", "grace"):
            raise Refusal("invalid_grant", f"The refresh token is {state}.")
        if self.grants.is_too_early(token):
            raise Refusal("too_early", "The access token is still good.")
        issued = self.grants.refresh(token)
        note["rotated"] = token.spent_at is not None
        if issued.refresh_token is not None:
            note["next"] = hash_of(issued.refresh_token)
        elif self.settings["answer"]["repeat_refresh_token"]:
            issued.refresh_token = text
        return self.answers.tokens([issued], token.grant.scopes, request, plan, refreshed=True)

    def by_code(self, client, parameters, request, plan, note):
        code = self.authorization.codes.get(parameters.get("code"))
        if code is None or code.client != client["id"]:
            raise Refusal("invalid_grant", "There is no such code.")
        if code.grant is not None: # RFC 6749 section 4.1.2
            self.grants.revoke(code.grant)
            raise Refusal("invalid_grant", "The code was used before.")
        if self.clock.now() >= code.expires_at:
            raise Refusal("invalid_grant", "The code has expired.")
        if parameters.get("redirect_uri") != code.redirect_uri:
            raise Refusal("invalid_grant", "redirect_uri is another one than the code's.")
        check_verifier(code.challenge, parameters.get("code_verifier"))
        code.grant, answer = self.issue(client["id"], code.scopes, request, plan, note)
        return answer

    def by_device_code(self, client, parameters, request, plan, note):
        device = self.authorization.poll_device(client, parameters.get("device_code"))
        return self.issue(client["id"], device.scopes, request, plan, note)[1]

    def by_client_credentials(self, client, parameters, request, plan, note):
        if client["auth"] == "none":
            raise Refusal("unauthorized_client", "A public client has no credentials.")
        scopes = self.authorization.scopes_of(parameters)
        return self.issue(client["id"], scopes, request, plan, note, refreshable=False)[1]

    def by_assertion(self, assertion, request, plan, note):
        client, claims = check_assertion(assertion, self.keys, self.settings["jwt"], self.clock.now())
        note["client"] = client
        if self.settings["jwt"]["once"]:
            if not claims.get("jti") or claims["jti"] in self.assertions:
                raise Refusal("invalid_grant", "The assertion has no jti, or one that came before.")
            self.assertions.add(claims["jti"])
        return self.issue(client, claims.get("scope", "").split(), request, plan, note, refreshable=False)[1]

    def by_header(self, request, plan, note):
        """GitHub's way: the JWT authenticates, and the URL says whose token is wanted."""
        note["grant_type"] = "authorization_header"
        return self.by_assertion(request.headers["authorization"].removeprefix("Bearer "), request, plan, note)
