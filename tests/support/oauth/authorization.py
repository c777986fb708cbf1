"""How a grant begins: the authorization endpoint, and the device flow (RFC 8628). Whoever is asked consents at once."""

import dataclasses
import secrets
import urllib.parse

from clients import Refusal, authenticate, check_challenge, redirect_fits
from connection import Answer


@dataclasses.dataclass
class Code:
    client: str
    redirect_uri: str
    scopes: list
    challenge: str | None
    expires_at: float
    grant: object = None # once it was exchanged


@dataclasses.dataclass
class Device:
    client: str
    scopes: list
    user_code: str
    expires_at: float
    interval: int
    asked_at: float | None = None
    verdict: str = "pending" # "approved", "denied", "used"


def with_parameters(uri, parameters):
    return uri + ("&" if "?" in uri else "?") + urllib.parse.urlencode(parameters)


def redirect(uri, parameters):
    return Answer(302, headers={"Location": with_parameters(uri, parameters)}, content_type="")


class Authorization:
    def __init__(self, settings, clock, issuer):
        self.settings, self.clock, self.issuer = settings, clock, issuer
        self.codes, self.devices = {}, {}

    def scopes_of(self, parameters):
        text = parameters.get(self.settings["scope_parameter"], "")
        return [scope for scope in text.split(self.settings["scope_separator"]) if scope]

    def authorize(self, request, plan):
        """The redirect with a code or an error; a page where it can't be known whose redirect URI it is."""
        parameters = request.query_parameters()
        client, uri = self.settings["clients"].get(parameters.get("client_id")), parameters.get("redirect_uri", "")
        registered = client["redirect_uris"] if client else []
        if client is None or not uri or not (registered is None or any(redirect_fits(one, uri) for one in registered)):
            return Answer(400, b"No such client, or not its redirect URI.\n", "text/plain")
        told = {"state": parameters["state"]} if "state" in parameters else {}
        if self.settings["redirect"]["iss"]:
            told["iss"] = self.issuer
        try:
            if isinstance(plan.unhandled, dict):
                raise Refusal(plan.unhandled["error"], plan.unhandled["text"] or "The owner said no.")
            code = self.code_for(client, uri, parameters)
        except Refusal as refusal:
            return redirect(uri, {"error": refusal.name, "error_description": refusal.text, **told})
        return redirect(uri, {"code": code, **told, **self.settings["redirect"]["parameters"]})

    def code_for(self, client, uri, parameters):
        if parameters.get("response_type") != "code":
            raise Refusal("unsupported_response_type", "Only code is answered.")
        for name, value in self.settings["required"]["authorize"].items():
            if name not in parameters or value not in (None, parameters[name]):
                raise Refusal("invalid_request", f"{name} is missing, or another.")
        challenge = check_challenge(self.settings["pkce"], parameters)
        code = "zco_" + secrets.token_urlsafe(16)
        self.codes[code] = Code(client["id"], uri, self.scopes_of(parameters), challenge,
                                self.clock.now() + self.settings["lifetimes"]["code"])
        return code

    def begin_device(self, request, parameters):
        client = authenticate(self.settings["clients"], request, parameters)
        code, user_code = "zde_" + secrets.token_urlsafe(16), secrets.token_hex(4).upper()
        lifetime = self.settings["lifetimes"]["device"]
        self.devices[code] = Device(client["id"], self.scopes_of(parameters), user_code, self.clock.now() + lifetime,
                                    self.settings["device_interval"])
        page = self.issuer + self.settings["endpoints"]["verification"]
        return {"device_code": code, "user_code": user_code, "verification_uri": page, "expires_in": lifetime,
                "verification_uri_complete": f"{page}?user_code={user_code}", "interval": self.settings["device_interval"]}

    def decide_device(self, user_code, verdict):
        """What the person at the device page says; False where no flow has that code."""
        for device in self.devices.values():
            if device.user_code == user_code and device.verdict == "pending":
                device.verdict = verdict
                return True
        return False

    def poll_device(self, client, code):
        """The flow, once it is approved (RFC 8628 section 3.5)."""
        device, now = self.devices.get(code), self.clock.now()
        if device is None or device.client != client["id"] or device.verdict == "used":
            raise Refusal("invalid_grant", "There is no such device code.")
        if now >= device.expires_at:
            raise Refusal("expired_token", "The device code has expired.")
        last, device.asked_at = device.asked_at, now
        if last is not None and now - last < device.interval:
            device.interval += 5
            raise Refusal("slow_down", f"Ask every {device.interval} s.")
        if device.verdict != "approved":
            raise Refusal("access_denied" if device.verdict == "denied" else "authorization_pending", "Not approved.")
        device.verdict = "used"
        return device
