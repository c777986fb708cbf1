"""What a test tells the provider to do wrong, and to which requests.

A rule is an object: `do` names the misbehavior; `endpoint` (default "token") and `grant_type` say which requests it is for,
`nth` (default 1) the first of them that it strikes, counted from when the rule came, and `times` (default 1; 0 is always) how
many. Each may be slow too: `before_ms` it waits before it handles the request, `after_ms` with the answer in its hands. The
misbehaviors, and their members:

slow                nothing else
status              `status`, `headers`, `body`, `content_type`: answers so and handles nothing (with `handled`: only after it has)
rate_limit          429 with Retry-After: `retry_after` seconds, `form` "seconds" or "date"
error               `error`, `status`, `text`, `fields` (by pointer): an OAuth error in the provider's shape; nothing is handled;
                    authorize redirects with it
refuse_connection   closes new connections before TLS; counted in connections
drop_before         closes the connection with the request unhandled; `reset`: by RST
drop_after          handles it, and closes the connection instead of answering
drop_in_middle      … in the middle of the answer
echo                `error`, `status`, `as`: an OAuth error whose text repeats the request's secrets, "raw" or percent-encoded
                    ("quoted"); nothing is handled
alter               changes the answer: `content_type`, `pad` to so many bytes, `remove` members (pointers), `set` members,
                    `expires_in` "absent" or "text", `format` "form"
"""

import dataclasses
import email.utils
import time
import urllib.parse

from connection import Answer

KINDS = {"slow": set(), "status": {"status", "headers", "body", "content_type", "handled"},
         "rate_limit": {"retry_after", "form"}, "echo": {"error", "status", "as"}, "error": {"error", "status", "text", "fields"}, "refuse_connection": set(),
         "drop_before": {"reset"}, "drop_after": {"reset"}, "drop_in_middle": {"reset"},
         "alter": {"content_type", "pad", "remove", "set", "expires_in", "format"}}
ECHOES = {"raw": lambda text: text, "quoted": lambda text: urllib.parse.quote(text, safe="")}
COMMON = {"do", "endpoint", "grant_type", "nth", "times", "before_ms", "after_ms"}


@dataclasses.dataclass
class Plan:
    """How one request is served. `unhandled` is an answer, or the rule of an error, in place of handling it."""
    name: str | None = None
    endpoint: str | None = None
    before: float = 0
    after: float = 0
    drop: str | None = None
    reset: bool = False
    unhandled: object = None
    instead: Answer | None = None
    alter: dict = dataclasses.field(default_factory=dict)


def retry_after(rule):
    seconds = rule.get("retry_after", 1)
    return email.utils.formatdate(time.time() + seconds, usegmt=True) if rule.get("form") == "date" else str(seconds)


def plan_of(rule, endpoint):
    kind = rule["do"]
    plan = Plan(kind, endpoint, before=rule.get("before_ms", 0) / 1000, after=rule.get("after_ms", 0) / 1000)
    if kind == "status":
        answer = Answer(rule.get("status", 503), rule.get("body", "").encode(), rule.get("content_type", "text/plain"),
                        rule.get("headers", {}))
        plan.instead, plan.unhandled = (answer, None) if rule.get("handled") else (None, answer)
    elif kind == "rate_limit":
        plan.unhandled = Answer(429, b"", "text/plain", {"Retry-After": retry_after(rule)})
    elif kind == "error":
        plan.unhandled = {"error": "invalid_grant", "text": None, **rule}
    elif kind == "echo":
        plan.unhandled = {"error": "invalid_request", "text": None, **rule, "echo": ECHOES[rule.get("as", "raw")]}
    elif kind == "alter":
        plan.alter = rule
    elif kind.startswith("drop_"):
        plan.drop, plan.reset = kind.removeprefix("drop_").removeprefix("in_"), rule.get("reset", False)
    return plan


class Misbehaviors:
    def __init__(self):
        self.rules = []

    def add(self, rule):
        kind = rule.get("do")
        if kind not in KINDS:
            raise ValueError(f"no such misbehavior: {kind}")
        unknown = set(rule) - COMMON - KINDS[kind]
        if unknown:
            raise ValueError(f"{kind} has no {', '.join(sorted(unknown))}")
        self.rules.append({**rule, "seen": 0})

    def clear(self):
        self.rules.clear()

    def strike(self, endpoint, grant_type=None):
        """The rule that this request is struck by. Every rule that it is for counts it."""
        struck = None
        for rule in list(self.rules):
            wanted = "connection" if rule["do"] == "refuse_connection" else rule.get("endpoint", "token")
            if wanted != endpoint or rule.get("grant_type", grant_type) != grant_type:
                continue
            rule["seen"] += 1
            past = rule["seen"] - rule.get("nth", 1)
            times = rule.get("times", 1)
            if past >= 0 and struck is None:
                struck = rule
            if times and past >= times - 1:
                self.rules.remove(rule)
        return struck

    def plan(self, endpoint, grant_type):
        struck = self.strike(endpoint, grant_type)
        return plan_of(struck, endpoint) if struck else Plan(endpoint=endpoint)
