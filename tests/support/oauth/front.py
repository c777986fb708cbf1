"""The door to the world: finds whose request it is, plans it, counts it, and writes the log."""

import json
import os

import secrets_seen
from connection import Answer
from misbehavior import Misbehaviors, Plan
from mount import WELL_KNOWN


class Front:
    def __init__(self, log_path, clock):
        self.log_path, self.clock = log_path, clock
        self.log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.mounts = {}
        self.misbehaviors = Misbehaviors() # of connections
        self.secrets = secrets_seen.SecretsSeen()
        self.counters = {"connections": 0, "refused_connections": 0, "resumed": 0, "open": 0, "requests": 0}

    def refuses_connection(self):
        refused = self.misbehaviors.strike("connection") is not None
        self.counters["refused_connections" if refused else "connections"] += 1
        return refused

    def connected(self, transport):
        self.counters["open"] += 1
        tls = transport.get_extra_info("ssl_object")
        self.counters["resumed"] += bool(tls is not None and tls.session_reused)

    def disconnected(self):
        self.counters["open"] -= 1

    def mount_of(self, path):
        """The longest mount that the path begins with, and the rest of the path."""
        for name in WELL_KNOWN: # RFC 8414 section 3.1: the issuer's path comes after
            if path.startswith(name + "/") and path[len(name):] in self.mounts:
                return self.mounts[path[len(name):]], name
        fits = [name for name in self.mounts if path == name or path.startswith(name + "/")]
        if not fits:
            return None, path
        longest = max(fits, key=len)
        return self.mounts[longest], path[len(longest):]

    def plan(self, request):
        request.mount, path = self.mount_of(request.path)
        endpoint = request.mount.endpoint_of(request, path) if request.mount else None
        if endpoint is None:
            return Plan()
        wanted = endpoint
        if endpoint in ("token", "refresh"):
            request.grant_type, wanted = request.mount.grant_type_of(request), "token"
            request.is_token_request = True
            request.mount.tokens.arrived()
        plan = request.mount.misbehaviors.plan(wanted, request.grant_type)
        plan.endpoint = endpoint
        return plan

    def answer(self, request, plan):
        self.counters["requests"] += 1
        note = {"n": self.counters["requests"], "time": round(self.clock.now(), 6)}
        if plan.endpoint is None:
            note.update(endpoint=None, path=request.path, status=404)
            answer = Answer(404, b"Nothing is here.\n", "text/plain")
        else:
            answer = self.answer_of(request, plan, note)
        os.write(self.log, json.dumps(note).encode() + b"\n")
        return answer

    def answer_of(self, request, plan, note):
        note.update(provider=request.mount.name, endpoint="token" if plan.endpoint == "refresh" else plan.endpoint,
                    grant_type=request.grant_type, error=None, misbehavior=plan.name)
        if plan.drop == "before":
            answer = Answer(0) # not sent
        else:
            made = request.mount.answer(request, plan, note)
            self.secrets.note(secrets_seen.in_answer(made))
            answer = request.mount.answers.altered(made, plan)
        self.secrets.note(secrets_seen.in_request(request))
        if not request.mount.settings["keeps_connections"]:
            answer.headers = {**answer.headers, "Connection": "close"}
        note["status"] = answer.status
        return answer

    def ended(self, request):
        if request.is_token_request:
            request.mount.tokens.at_once -= 1
