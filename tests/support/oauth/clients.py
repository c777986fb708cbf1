"""Who asks: client authentication (RFC 6749 section 2.3.1), PKCE (RFC 7636) and assertions (RFC 7523), each checked strictly."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import subprocess
import urllib.parse

SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420") # RFC 8017 section 9.2
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Refusal(Exception):
    """An OAuth error; `status` where it is not the provider's usual one."""

    def __init__(self, name, text, status=None, headers=None):
        super().__init__(text)
        self.name, self.text, self.status, self.headers = name, text, status, headers or {}


def same(one, other):
    return hmac.compare_digest(one.encode(), other.encode())


def basic_credentials(header):
    """Both parts are form-encoded inside the base64."""
    scheme, _, text = header.partition(" ")
    try:
        name, colon, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if scheme != "Basic" or not colon:
        raise Refusal("invalid_client", "The Authorization header is no Basic one.", 401)
    return urllib.parse.unquote_plus(name), urllib.parse.unquote_plus(secret)


def authenticate(clients, request, parameters, way=None):
    """The client, which must have authenticated in its own way and in no other."""
    header = request.headers.get("authorization")
    name, secret = basic_credentials(header) if header is not None else (parameters.get("client_id"), parameters.get("client_secret"))
    if header is not None and not secret: # the secret came as the user
        alone = next((one for one in clients.values() if one["auth"] == "basic_secret_alone" and same(name, one["secret"])), None)
        if alone is not None and "client_secret" not in parameters:
            return alone
    client = clients.get(name)
    if client is None:
        raise Refusal("invalid_client", "There is no such client.", 401, {"WWW-Authenticate": "Basic"} if header else {})
    way = way or client["auth"]
    came = "basic" if header is not None else "post" if secret is not None else "none"
    if came != way or (header is not None and "client_secret" in parameters):
        raise Refusal("invalid_client", f"This client authenticates by {way}, and by that alone; {came} came.", 401)
    if header is not None and parameters.get("client_id", name) != name:
        raise Refusal("invalid_request", "client_id is another one than in the Authorization header.")
    if way != "none" and not same(secret, client["secret"]):
        raise Refusal("invalid_client", "The client secret is wrong.", 401, {"WWW-Authenticate": "Basic"} if header else {})
    return client


def check_challenge(mode, parameters):
    """The PKCE challenge of an authorization request, or None."""
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if challenge is None and method is None:
        if mode == "required":
            raise Refusal("invalid_request", "code_challenge is missing.")
        return None
    if mode == "rejected":
        raise Refusal("invalid_request", "code_challenge is not allowed here.")
    if method != "S256" or not re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge or ""):
        raise Refusal("invalid_request", "code_challenge is not one of method S256.")
    return challenge


def check_verifier(challenge, verifier):
    if challenge is None:
        if verifier is not None:
            raise Refusal("invalid_grant", "code_verifier came without a code_challenge.")
        return
    if not re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier or ""):
        raise Refusal("invalid_grant", "code_verifier is missing or malformed.")
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not same(made, challenge):
        raise Refusal("invalid_grant", "code_verifier does not fit the code_challenge.")


def redirect_fits(registered, given):
    """Exactly; on loopback the port is the client's own (RFC 8252 section 7.3)."""
    if registered is None:
        return True
    one, other = urllib.parse.urlsplit(registered), urllib.parse.urlsplit(given)
    if one.hostname in ("127.0.0.1", "::1"):
        return one._replace(netloc=one.hostname) == other._replace(netloc=other.hostname or "")
    return registered == given


class PublicKey:
    """RS256 without a library: openssl takes the key apart once."""

    def __init__(self, pem):
        told = subprocess.run(["openssl", "rsa", "-pubin", "-noout", "-modulus", "-text"], input=pem.encode(), check=True,
                              capture_output=True).stdout.decode()
        self.modulus = int(re.search(r"Modulus=([0-9A-F]+)", told)[1], 16)
        self.exponent = int(re.search(r"Exponent: (\d+)", told)[1])
        self.size = (self.modulus.bit_length() + 7) // 8

    def verifies(self, signature, message):
        if len(signature) != self.size:
            return False
        digest = SHA256_PREFIX + hashlib.sha256(message).digest()
        expected = b"\x00\x01" + b"\xff" * (self.size - len(digest) - 3) + b"\x00" + digest
        return pow(int.from_bytes(signature, "big"), self.exponent, self.modulus).to_bytes(self.size, "big") == expected


def decoded(part):
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def check_assertion(jwt, keys, settings, now):
    """The client whose key signed it, for this provider, and not for longer than it allows."""
    try:
        head, claims, signature = jwt.split(".")
        header, told = json.loads(decoded(head)), json.loads(decoded(claims))
        signature = decoded(signature)
    except (ValueError, binascii.Error, AttributeError) as error:
        raise Refusal("invalid_grant", "The assertion is no JWT.") from error
    signed = f"{head}.{claims}".encode()
    client = next((id for id, key in keys.items() if header.get("alg") == "RS256" and key.verifies(signature, signed)), None)
    if client is None:
        raise Refusal("invalid_grant", "The assertion is not signed by a known key.", 401)
    if any(header.get(name) != value for name, value in settings["headers"].items()):
        raise Refusal("invalid_grant", "The assertion's header is not as it must be.")
    for claim, wanted in (("iss", settings["issuer"] or client), ("sub", settings["subject"]), ("aud", settings["audience"])):
        if wanted is not None and told.get(claim) != wanted:
            raise Refusal("invalid_grant", f"The assertion's {claim} is not {wanted}.")
    begins, ends = told.get("iat"), told.get("exp")
    if not isinstance(begins, int) or not isinstance(ends, int) or begins > now + 60 or ends <= now:
        raise Refusal("invalid_grant", "The assertion is not of now.")
    if ends - begins > settings["longest"]:
        raise Refusal("invalid_grant", f"The assertion is good for longer than {settings['longest']} s.")
    return client, told
