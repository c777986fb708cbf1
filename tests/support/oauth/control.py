"""The tests' own door, HTTP over a Unix socket. Bodies are JSON objects; `provider` is the mount (default ""). Any method does.

GET  /counters                   connections, refused_connections, resumed (TLS sessions), open, requests; by provider
                                 at_once and most_at_once (token requests), and how many misbehaviors still wait
GET  /grants?provider=           each grant: revoked, generations, its refresh tokens' hashes and states
POST /misbehave                  a rule of misbehavior.py, or `rules`
POST /clear                      forgets all rules
POST /grant {count, client, scopes, account}    makes grants without a flow; answers `grants`: the token answers
GET  /secrets                    every secret that requests and answers held so far
POST /expire {what, grant}       `what` "access" or "refresh"; of one grant or of all
POST /revoke {grant}             the family of one grant, or of all, as reuse detection does
POST /device {user_code, verdict}  "approved" or "denied"
POST /client {id, secret}        from now on its secret is this one alone
POST /advance {seconds}          puts the provider's clock ahead
POST /configure {provider, …}    a provider of these settings in place of that mount's, without grants
POST /entry {provider, entry, auth, fields, settings}    the same of an entry of the catalog, for a credential with these fields (text),
                                 with `settings` above what it says; answers `entry`: it, with its URLs here, `settings`, what the
                                 provider is like, and `answers`, what the answer fields will hold
POST /visit {url}                opens it as a browser does whose owner consents; answers `location`
POST /token {token}              of an access token `live`, `grant`, `slot`, `generation`, `scopes`
"""

import json
import urllib.parse

import catalog_entry
import secrets_seen
import settings
from connection import Answer, Request
from grants import hash_of
from misbehavior import Plan
from mount import Mount


def overlaid(below, above):
    """`above` counts where both say something; clients, as all lists, are not mixed."""
    mixed = {name: overlaid(below[name], value) if isinstance(value, dict) and isinstance(below.get(name), dict) else value
             for name, value in above.items()}
    return {**below, **mixed}


class Control:
    def __init__(self, front, clock, origin):
        self.front, self.clock, self.origin = front, clock, origin

    def connected(self, transport):
        pass

    def disconnected(self):
        pass

    def ended(self, request):
        pass

    def plan(self, request):
        return Plan()

    def answer(self, request, plan):
        """A wrong call is a test's mistake, which its message names."""
        try:
            told = json.loads(request.body) if request.body else {}
            name = told.pop("provider", "") if request.body else request.query_parameters().get("provider", "")
            mount = self.front.mounts.get(name)
            if mount is None and request.path not in ("/configure", "/entry"):
                raise ValueError(f"there is no provider {name!r}")
            handle = getattr(self, request.path[1:] if request.path[1:] in CALLS else "unknown")
            return Answer(200, json.dumps(handle(mount, told, name)).encode())
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            return Answer(400, f"{error!r}\n".encode(), "text/plain")

    def unknown(self, mount, told, name):
        raise ValueError("there is no such call")

    def counters(self, mount, told, name):
        by_provider = {name: {"at_once": mount.tokens.at_once, "most_at_once": mount.tokens.most_at_once,
                              "waiting": len(mount.misbehaviors.rules)}
                       for name, mount in self.front.mounts.items()}
        return {**self.front.counters, "providers": by_provider}

    def grants(self, mount, told, name):
        return {"grants": [mount.grants.describe(grant) for grant in mount.grants.by_id.values()]}

    def misbehave(self, mount, told, name):
        for rule in told.get("rules", [told]):
            (self.front if rule.get("do") == "refuse_connection" else mount).misbehaviors.add(rule)
        return {}

    def clear(self, mount, told, name):
        self.front.misbehaviors.clear()
        for each in self.front.mounts.values():
            each.misbehaviors.clear()
        return {}

    def grant(self, mount, told, name):
        """As the token endpoint would have answered."""
        client = told.get("client", next(iter(mount.settings["clients"])))
        request = Request("POST", "/", "", {"accept": "application/json"})
        made = []
        for _ in range(told.get("count", 1)):
            grant, issued = mount.grants.make(client, told.get("scopes", []), told.get("account", "alice"))
            answer = mount.answers.tokens(issued, grant.scopes, request, Plan(alter={"format": "json"}))
            self.front.secrets.note(secrets_seen.in_answer(answer))
            made.append({"grant": grant.id, "answer": json.loads(answer.body)})
        return {"grants": made}

    def secrets(self, mount, told, name):
        return {"secrets": list(self.front.secrets.all)}

    def expire(self, mount, told, name):
        mount.grants.expire(told["what"], told.get("grant"))
        return {}

    def revoke(self, mount, told, name):
        for grant in mount.grants.chosen(told.get("grant")):
            mount.grants.revoke(grant)
        return {}

    def device(self, mount, told, name):
        if not mount.authorization.decide_device(told["user_code"], told.get("verdict", "approved")):
            raise ValueError("no flow has that code")
        return {}

    def client(self, mount, told, name):
        mount.settings["clients"][told["id"]]["secret"] = told["secret"]
        return {}

    def advance(self, mount, told, name):
        self.clock.ahead += told["seconds"]
        return {}

    def entry(self, mount, told, name):
        wanted, auth = told["entry"], told.get("auth")
        given = overlaid(catalog_entry.settings_of(wanted, auth, told.get("fields")), told.get("settings", {}))
        self.front.mounts[name] = Mount(name, settings.read(given), self.clock, self.origin)
        return {"entry": catalog_entry.leading_to(wanted, self.origin + name, auth), "settings": given,
                "answers": catalog_entry.answers_of(*catalog_entry.oauth_of(wanted, auth))}

    def visit(self, mount, told, name):
        """The real door, without TLS."""
        url = urllib.parse.urlsplit(told["url"])
        request = Request("GET", url.path, url.query, {})
        answer = self.front.answer(request, self.front.plan(request))
        return {"status": answer.status, "location": answer.headers.get("Location", "")}

    def token(self, mount, told, name):
        token = mount.grants.access_tokens.get(hash_of(told["token"]))
        if token is None:
            return {"live": False}
        return {"live": mount.grants.live_access_token(told["token"]) is not None, "grant": token.grant.id, "slot": token.slot,
                "generation": token.generation, "scopes": token.grant.scopes}

    def configure(self, mount, told, name):
        self.front.mounts[name] = Mount(name, settings.read(told), self.clock, self.origin)
        return {}


CALLS = {"counters", "grants", "misbehave", "clear", "grant", "secrets", "expire", "revoke", "device", "client", "advance", "configure",
         "entry", "visit", "token"}
