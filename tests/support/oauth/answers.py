"""What is written back, in the provider's own shape: tokens by slot, errors, and what a misbehavior makes of them."""

import datetime
import json
import urllib.parse

from connection import Answer

NO_STORE = {"Cache-Control": "no-store"}


def placed(root, pointer, value):
    """`root` with the value where an RFC 6901 pointer leads. What is not there is made: a number is a place in an array."""
    if not pointer:
        return value
    first, slash, rest = pointer[1:].partition("/")
    name = first.replace("~1", "/").replace("~0", "~")
    if root is None:
        root = [] if name.isdigit() else {}
    if isinstance(root, list):
        root.extend({} for _ in range(len(root), int(name) + 1))
        root[int(name)] = placed(root[int(name)] or None, slash + rest, value)
    else:
        root[name] = placed(root.get(name), slash + rest, value)
    return root


def put(body, pointer, value):
    """No pointer, no member."""
    if pointer:
        placed(body, pointer, value)


def remove(body, pointer):
    *around, last = pointer[1:].split("/")
    for name in around:
        body = body.get(name, {})
    body.pop(last, None)


def to_text(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def encoded(body, as_form, status=200, headers=None):
    if as_form:
        flat = {name: value for name, value in body.items() if not isinstance(value, (dict, list))}
        return Answer(status, urllib.parse.urlencode(flat).encode(), "application/x-www-form-urlencoded", {**NO_STORE, **(headers or {})})
    return Answer(status, json.dumps(body).encode(), headers={**NO_STORE, **(headers or {})})


class Answers:
    def __init__(self, settings, clock):
        self.shape, self.errors, self.clock = settings["answer"], settings["errors"], clock
        self.separator = settings["scope_separator"]
        self.refresh_lifetime = settings["lifetimes"]["refresh"]

    def as_form(self, request, plan):
        form = plan.alter.get("format", self.shape["format"])
        return form == "form" or (form == "form_unless_json_asked" and "application/json" not in request.headers.get("accept", ""))

    def put_slot(self, body, slot, issued, scopes, expires_in):
        put(body, slot["access_token_at"], issued.access_token)
        put(body, slot["token_type_at"], slot["token_type"])
        put(body, slot["scope_at"], self.separator.join(scopes))
        if issued.refresh_token is not None:
            put(body, slot["refresh_token_at"], issued.refresh_token)
            if self.refresh_lifetime is not None:
                put(body, slot["refresh_expires_in_at"], self.refresh_lifetime)
        if issued.expires_at is None or expires_in == "absent":
            return
        left = round(issued.expires_at - self.clock.now())
        put(body, slot["expires_in_at"], str(left) if expires_in == "text" else left)
        put(body, slot["expires_at_at"], to_text(issued.expires_at) if self.shape["expires_at"] == "text" else round(issued.expires_at))

    def tokens(self, issued, scopes, request, plan, refreshed=False):
        body = {} if self.errors["ok_at"] is None else {self.errors["ok_at"][1:]: True}
        slots = {slot["name"]: slot for slot in self.shape["slots"]}
        for one in issued:
            slot = slots[one.slot]
            if refreshed and slot["nested_in"]:
                slot = {name: value.removeprefix(slot["nested_in"]) if name.endswith("_at") and value else value for name, value in slot.items()}
            self.put_slot(body, slot, one, scopes, plan.alter.get("expires_in", self.shape["expires_in"]))
        for pointer, value in self.shape["fields"].items():
            put(body, pointer, value)
        for pointer in plan.alter.get("remove", ()):
            remove(body, pointer)
        for pointer, value in plan.alter.get("set", {}).items():
            put(body, pointer, value)
        return encoded(body, self.as_form(request, plan), self.shape["status"])

    def error(self, name, text, status=None, headers=None, exactly=None, fields=None):
        """As this provider says it: its own status (but for one that must be `exactly` so), its own word, `ok:false`."""
        own = self.errors["named"].get(name, {})
        body = {}
        put(body, self.errors["ok_at"], False)
        put(body, self.errors["text_at"], text or "No more is said.")
        put(body, self.errors["at"], own.get("error", name)) # where both have one place it is the error that counts
        for pointer, value in (fields or own.get("fields", {})).items():
            put(body, pointer, value)
        return encoded(body, False, exactly or own.get("status") or status or self.errors["status"], headers)

    @staticmethod
    def altered(answer, plan):
        """What is changed in the bytes, of whatever answer it is."""
        if plan.instead is not None:
            return plan.instead
        answer.content_type = plan.alter.get("content_type", answer.content_type)
        missing = plan.alter.get("pad", 0) - len(answer.body)
        if missing > 0:
            answer.body = b" " * missing + answer.body
        return answer
