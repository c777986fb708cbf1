"""Stands in for the broker: enough of interface §3 for the command line's tests, over a Unix socket.

It keeps credentials, leases and grants in memory, and everything it was asked, for the tests to look at."""
import http.server
import json
import os
import queue
import re
import socketserver
import struct
import socket
import threading
import urllib.parse

from catalog import CATALOG
from stand_in_answers import Refusal, moment
from stand_in_oauth import AUTHORIZE_URL, OAuthStandIn


class StandIn(OAuthStandIn):
    def __init__(self, path):
        self.path = path
        self.services = {s["id"]: s for s in CATALOG}
        self.credentials = {}
        self.leases = {}
        self.ended = []
        self.grants = {}
        self.workspaces = {"default": {}}
        self.clients = {}
        self.authorizations = {}
        self.authorize_url = AUTHORIZE_URL
        self.needs_no_person = False
        self.start_url = self.callback_problem = self.user_code = None
        self.provider_refuses = self.begin_refusal = None
        self.refresh_refusal = None
        self.upstream_results = []
        self.restored_to = {}
        self.upstream_refusal = None
        self.token_ends_at = "2027-01-01T00:00:00.250Z"
        self.status = {"state": "ready", "version": "0.1.0", "seal_method": "passphrase", "root_key": "set",
                       "arena": "memfd_secret", "peer": "pidfd", "store": {"engine": "rocksdb", "healthy": True}}
        self.verdict = {"ok": True, "first": 1, "last": 812, "records": 812, "first_bad": None, "problem": None}
        self.lease_seconds = 900
        self.renewable_seconds = 3600
        self.limited_by = "ttl"
        self.renew_refusal = None
        self.asked = []
        self.listeners = []
        self.delivered = {}
        self.lock = threading.Lock()
        broker = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def serve(self):
                size = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(size).decode()
                peer = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
                if self.path == "/v1/events":
                    return self.stream()
                with broker.lock:
                    status, answer, headers = broker.answer(self.command, self.path, self.headers, body,
                                                            struct.unpack("3i", peer)[0])
                data = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if status != 204:
                    self.wfile.write(data)

            def stream(self):
                events = queue.Queue()
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(b": listening\nid: 7.0\n\n")
                with broker.lock:
                    broker.asked.append({"method": "GET", "target": self.path, "headers": dict(self.headers), "body": ""})
                    broker.listeners.append(events)
                while (text := events.get()) is not None:
                    self.wfile.write(text.encode())

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

            def finish_request(self, request, client_address):
                try:
                    Handler(request, ("unix", 0), self)
                except ConnectionError:
                    pass  # the program ended while its answer was on the way

        self.server = Server(path, Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def push(self, kind, number, **members):
        """Tells all who listen."""
        with self.lock:
            for events in self.listeners:
                events.put(f"event: {kind}\nid: {number}\ndata: {json.dumps({**members, 'at': moment(0)})}\n\n")

    def rotate(self, credential, number, **fields):
        credential["fields"].update(fields)
        credential["version"] += 1
        self.push("credential.rotated", number, credential=credential["id"], version=credential["version"], generation=0)

    def close(self):
        for events in self.listeners:
            events.put(None)
        self.server.shutdown()
        self.server.server_close()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def answer(self, method, target, headers, body, pid):
        path, _, query = target.partition("?")
        words = [urllib.parse.unquote(word) for word in path.split("/")[2:]]
        query = urllib.parse.parse_qs(query, keep_blank_values=True)
        self.asked.append({"method": method, "target": target, "words": words, "query": query, "body": body,
                           "headers": dict(headers), "pid": pid})
        try:
            what = json.loads(body) if body else {}
            handle = getattr(self, f"{method}_{words[0]}".lower())
            return handle(words[1:], query, what, headers)
        except Refusal as refusal:
            return refusal.status, refusal.body, {"Content-Type": "application/problem+json"}

    def last(self, method, prefix):
        """The newest request of that kind."""
        return [a for a in self.asked if a["method"] == method and a["target"].startswith(prefix)][-1]

    # Credentials

    def shown(self, credential):
        kind = next(auth for auth in self.services[credential["service"]]["auth"] if auth["name"] == credential["auth"])
        secret = {f["name"] for f in kind["fields"] if f.get("secret")}
        fields = {k: ({"set": True} if k in secret else v) for k, v in credential["fields"].items()}
        return {**credential, "fields": fields}

    def find(self, word, workspace=None):
        """Operators lease in one workspace, and view all."""
        word = re.sub(r"^(personal|workspace|organization):", "", word)
        hits = [c for c in self.credentials.values() if word in (c["id"], c["name"])
                and workspace in (None, c["scope"].get("workspace", workspace))]
        if not hits:
            raise Refusal(404, "credential_not_found", "There is no such credential that you can reach.")
        if len(hits) > 1:
            raise Refusal(409, "name_ambiguous", "Several credentials have this name.",
                          candidates=[c["id"] for c in hits])
        return hits[0]

    def put(self, service, name, fields, **more):
        number = len(self.credentials) + 1
        made = {"id": f"cred_{number:026d}", "name": name, "service": service,
                "auth": self.services[service]["auth"][0]["name"], "scope": {"kind": "workspace", "workspace": "default"},
                "owner": "operator:root", "notes": "", "fields": fields, "status": "active", "status_reason": None,
                "version": 1, "generation": 0, "revision": 1, "created_at": moment(0), "created_by": "operator:root",
                "updated_at": moment(0), "last_used_at": None, "expires_at": None, "rotation": None, **more}
        self.credentials[made["id"]] = made
        return made

    def get_services(self, words, query, _, __):
        if not words:
            return self.page(list(self.services.values()), query)
        if words[0] not in self.services:
            raise Refusal(404, "service_not_found", "The catalog has no such service.")
        return 200, self.services[words[0]], {}

    def page(self, items, query):
        """Cursors are positions; a page is never longer than two items here, so that every list has several."""
        begin = int(query.get("cursor", ["0"])[0])
        size = min(2, int(query.get("limit", ["50"])[0]))
        end = begin + size
        return 200, {"items": items[begin:end], "next_cursor": str(end) if end < len(items) else None}, {}

    def get_credentials(self, words, query, _, __):
        if words:
            if words[1:] == ["audit"]:
                return self.get_audit([], query, _, __)
            found = self.find(words[0])
            return 200, self.shown(found), {"ETag": f'"{found["revision"]}"'}
        if query.get("scope") == ["personal"]:
            raise Refusal(400, "invalid_request", "A scope is personal, workspace:W or organization.", field="scope")
        hits = [self.shown(c) for c in self.credentials.values()
                if query.get("q", [""])[0] in c["name"] and c["service"] in query.get("service", [c["service"]])
                and c["status"] in query.get("status", [c["status"]])]
        return self.page(hits, query)

    def post_credentials(self, words, query, what, headers):
        assert headers.get("Idempotency-Key")
        if words[1:] == ["refresh"]:
            return self.refresh(self.find(words[0]))
        if len(words) == 2:
            return self.act(self.find(words[0]), words[1], what, headers)
        if any(c["name"] == what["name"] for c in self.credentials.values()):
            raise Refusal(409, "name_taken", "The name is taken. Choose another.")
        kind = next(auth for auth in self.services[what["service"]]["auth"] if auth["name"] == what["auth"])
        made = self.put(what["service"], what["name"], what["fields"], notes=what.get("notes", ""), auth=kind["name"],
                        status="pending" if "oauth" in kind else "active")
        return 201, self.shown(made), {"Location": "/v1/credentials/" + made["id"]}

    def act(self, found, action, what, headers):
        self.check_match(found, headers)
        if what.get("upstream") and self.upstream_refusal:
            raise self.upstream_refusal
        wanted = {"revoke": "revoked", "restore": "active"}[action]
        found["revision"] += found["status"] != wanted
        found["status"] = wanted
        if action == "restore":
            found.update(self.restored_to)
        more = {"note": "What was handed out stays valid."} if action == "revoke" else {}
        if what.get("upstream"):
            more = {"upstream": self.upstream_results}
        return 200, {**self.shown(found), **more}, {}

    def check_match(self, found, headers):
        if headers.get("If-Match") != f'"{found["revision"]}"':
            raise Refusal(412, "version_conflict", "It was changed meanwhile.", current_etag=f'"{found["revision"]}"')

    def patch_credentials(self, words, query, what, headers):
        found = self.find(words[0])
        self.check_match(found, headers)
        if found["auth"] == "oauth2" and "site" in what.get("fields", {}):
            found["status"] = "pending"  # its tokens were for another place
        found["fields"].update(what.pop("fields", {}))
        found.update(what)
        found["revision"] += 1
        return 200, self.shown(found), {}

    def delete_credentials(self, words, query, what, headers):
        found = self.find(words[0])
        if found["notes"] == "in use" and query.get("force") != ["true"]:
            raise Refusal(409, "credential_in_use", "Workflows use this credential. Change them first, or delete it all the "
                          "same: DELETE /v1/credentials/ID?force=true (credlease delete ID --force).", references=["nightly"])
        del self.credentials[found["id"]]
        return 204, None, {}

    # Leases

    def post_leases(self, words, query, what, headers):
        if len(words) == 2:
            if self.renew_refusal:
                raise self.renew_refusal
            lease = self.leases.get(words[0])
            if lease is None:
                raise Refusal(410, "lease_ended", "The lease has ended.", reason="released")
            found = self.find(lease["credential"], lease.get("workspace", "default"))
            if found["version"] != self.delivered[words[0]]:
                return 200, self.lease_of(words[0], found, lease), {}
            return 200, {"lease": words[0], "expires_at": moment(self.lease_seconds),
                         "renewable_until": moment(self.renewable_seconds), "limited_by": self.limited_by}, {}
        found = self.find(what["credential"], what.get("workspace", "default"))
        if set(what.get("fields", ())) - set(found["fields"]):
            raise Refusal(400, "invalid_request", "The credential's service has no field of this name (it has "
                          f"{', '.join(found['fields'])}).", field="fields")
        lease = f"lease_{len(self.leases) + len(self.ended) + 1:026d}"
        self.leases[lease] = what
        return 201, self.lease_of(lease, found, what), {}

    def lease_of(self, lease, found, what):
        secret = {f["name"] for f in self.services[found["service"]]["auth"][0]["fields"] if f.get("secret")}
        wanted = set(what.get("fields", found["fields"]))
        self.delivered[lease] = found["version"]
        return {"lease": lease, "expires_at": moment(self.lease_seconds), "renewable_until": moment(self.renewable_seconds),
                     "limited_by": self.limited_by,
                     "credential": {k: found[k] for k in ("id", "name", "service", "auth", "version", "generation")},
                     "fields": {k: v for k, v in found["fields"].items() if k not in secret and k in wanted},
                     "secret": {k: v for k, v in found["fields"].items() if k in secret and k in wanted}}

    def get_leases(self, words, query, _, __):
        if words:
            if words[0] not in self.leases:
                raise Refusal(410, "lease_ended", "The lease has ended.", reason="released")
            return 200, {"lease": words[0]}, {}
        items = [{"lease": k, "credential": {"name": v["credential"]}, "principal": "operator:root",
                  "holder": {"pid": 7, "uid": 0}, "bind": v.get("bind", "process"), "purpose": v.get("purpose", {}), "expires_at": moment(60)}
                 for k, v in self.leases.items()]
        return self.page(items, query)

    def delete_leases(self, words, query, what, headers):
        if not words:
            count = len(self.leases)
            self.leases.clear()
            return 200, {"ended": count}, {}
        if self.leases.pop(words[0], None) is not None:
            self.ended.append(words[0])
        return 204, None, {}

    # Grants

    def post_grants(self, words, query, what, headers):
        grant = f"grant_{len(self.grants) + 1:026d}"
        self.grants[grant] = what
        return 201, {"grant": "clg_the-token", "id": grant, "expires_at": moment(3600)}, {}

    def get_grants(self, words, query, _, __):
        items = [{"id": k, "minted_by": "operator:root", "workspace": v["workspace"], "workflow": v["workflow"],
                  "run": v.get("run"), "all": v.get("all", False), "credentials": v.get("credentials", []),
                  "services": v.get("services", []), "fields": [], "uid": v.get("uid", 0), "leases_taken": 0,
                  "max_leases": v.get("max_leases"), "created_at": moment(0), "expires_at": moment(3600)}
                 for k, v in self.grants.items()]
        if words:
            hits = [item for item in items if item["id"] == words[0]]
            if not hits:
                raise Refusal(404, "grant_not_found", "There is no such grant.")
            return 200, hits[0], {}
        return self.page(items, query)

    def delete_grants(self, words, query, what, headers):
        self.grants.pop(words[0], None)
        return 204, None, {}

    # The broker itself

    def get_whoami(self, *_):
        return 200, {"principal": "operator:root"}, {}

    def get_status(self, *_):
        return 200, self.status, {}

    def post_seal(self, words, query, what, headers):
        self.status["state"] = "sealed"
        return 200, self.status, {}

    def post_unseal(self, words, query, what, headers):
        if what.get("passphrase") != "open sesame":
            raise Refusal(403, "unseal_refused", "The passphrase is wrong.")
        self.status["state"] = "ready"
        return 200, self.status, {}

    def get_audit(self, words, query, _, __):
        if words == ["verify"]:
            return 200, self.verdict, {}
        records = [{"seq": n, "at": moment(-n), "action": "lease.refused" if n % 2 else "lease.issued",
                    "outcome": "refused" if n % 2 else "ok", "code": "forbidden" if n % 2 else None, "count": n,
                    "principal": "worker:etl", "on_behalf_of": None, "peer": {"pid": 4711, "uid": 998},
                    "credential": "cred_00000000000000000000000001", "workflow": "nightly", "run": "42",
                    "reason": None, "detail": "The provider refused: access_denied" if n == 5 else None}
                   for n in range(5, 0, -1)]
        if query.get("action") == ["oauth.faled"]:
            raise Refusal(400, "invalid_request", "An action is one that a record names.", field="action")
        if query.get("action", ["lease.issued"])[0] not in ("lease.issued", "lease.refused"):
            records = []
        records[1:2] = [{**records[1], "principal": None, "peer": {"pid": 9, "uid": 0}}] if records else []
        return self.page(records, query)

    def get_workspaces(self, words, query, _, __):
        if words:
            if words[0] not in self.workspaces:
                raise Refusal(404, "workspace_not_found", "There is no such workspace.")
            return 200, self.workspace(words[0]), {}
        return self.page([self.workspace(name) for name in self.workspaces], query)

    def workspace(self, name):
        members = self.workspaces[name]
        return {"id": name, "revision": 1, "members": [{"user": u, "role": r} for u, r in members.items()]}

    def put_workspaces(self, words, query, what, headers):
        members = self.workspaces.setdefault(words[0], {})
        if len(words) == 3:
            members[words[2]] = what["role"]
        return 200, self.workspace(words[0]), {}

    def delete_workspaces(self, words, query, what, headers):
        if len(words) == 3:
            self.workspaces[words[0]].pop(words[2], None)
        else:
            self.workspaces.pop(words[0], None)
        return 204, None, {}
