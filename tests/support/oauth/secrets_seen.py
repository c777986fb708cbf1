"""Every secret that passed by, in requests and in answers, for tests that look for places where it must not lie."""

import base64
import json
import urllib.parse

REQUESTED = {"refresh_token", "code", "code_verifier", "device_code", "client_secret", "assertion", "token", "state"}
ANSWERED = {"access_token", "refresh_token", "device_code"}


def members(value):
    """Every (name, text) of a JSON value, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str):
                yield name, inner
            yield from members(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner)


def pairs_of(text, content_type):
    """What a body, a form or JSON, or a query says; nothing where it is neither."""
    if content_type.startswith("application/json"):
        try:
            return list(members(json.loads(text)))
        except ValueError:
            return []
    return urllib.parse.parse_qsl(text)


def in_header(value):
    """What an Authorization header shows: a bearer's token, or the client's secret."""
    scheme, _, text = value.partition(" ")
    if scheme != "Basic":
        return [text]
    return [urllib.parse.unquote_plus(part) for part in base64.b64decode(text).decode().split(":")[1:]]


def in_request(request):
    pairs = pairs_of(request.query, "") + pairs_of(request.text(), request.headers.get("content-type", ""))
    found = [text for name, text in pairs if name in REQUESTED]
    return found + (in_header(request.headers["authorization"]) if "authorization" in request.headers else [])


def in_answer(answer):
    body = pairs_of(answer.body.decode("utf-8", "replace"), answer.content_type)
    query = urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers.get("Location", "")).query)
    return [text for name, text in body if name in ANSWERED] + [text for name, text in query if name == "code"]


class SecretsSeen:
    def __init__(self):
        self.all = {} # in the order in which they came first

    def note(self, texts):
        self.all.update((text, None) for text in texts if text)
