"""For tests in Python: a provider that runs, a client of its own, and its log."""

import base64
import hashlib
import http.client
import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
CALLBACK = "http://127.0.0.1:7466/oauth/callback"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("provider", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Reply:
    def __init__(self, answer, body):
        self.status, self.headers, self.body = answer.status, answer.headers, body

    def json(self):
        return json.loads(self.body)

    def location(self):
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.headers["Location"]).query))


class RunningProvider:
    def __init__(self, settings=None, providers=None):
        self.folder = tempfile.mkdtemp(prefix="credlease-provider-")
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "provider.py")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        config = {"folder": self.folder, "providers": providers if providers is not None else {"": settings or {}}}
        self.process.stdin.write(json.dumps(config) + "\n")
        self.process.stdin.flush()
        ready = json.loads(self.process.stdout.readline())
        self.origin, self.port, self.ca, self.control_path = ready["origin"], ready["port"], ready["ca"], ready["control"]
        self.tls = ssl.create_default_context(cafile=self.ca)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
        shutil.rmtree(self.folder)

    def control(self, path, **body):
        """control.py's calls."""
        connection = UnixConnection(self.control_path)
        connection.request("POST" if body else "GET", path, json.dumps(body) if body else None)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise AssertionError(f"{path} was answered {answer.status}: {text.decode()}")
        return json.loads(text)

    def log(self, **members):
        """The requests whose members are these."""
        with open(os.path.join(self.folder, "log.jsonl")) as file:
            lines = [json.loads(line) for line in file]
        return [line for line in lines if all(line.get(name) == value for name, value in members.items())]

    def ask(self, method, path, parameters=None, headers=None, as_json=False, timeout=20):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, timeout=timeout)
        try:
            headers, body = dict(headers or {}), None
            if parameters is not None:
                kind = "application/json" if as_json else "application/x-www-form-urlencoded"
                headers.setdefault("Content-Type", kind)
                body = json.dumps(parameters) if as_json else urllib.parse.urlencode(parameters)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Reply(answer, answer.read())
        finally:
            connection.close()

    def token(self, path="/token", headers=None, as_json=False, secret="client-secret", **parameters):
        """A token request of the default client, which posts its secret."""
        return self.ask("POST", path, {"client_id": "client", "client_secret": secret, **parameters}, headers, as_json)

    def refresh(self, token, **more):
        return self.token(grant_type="refresh_token", refresh_token=token, **more)

    def granted(self, **how):
        """The token answer of a grant that no flow made."""
        return self.control("/grant", count=1, **how)["grants"][0]["answer"]

    def is_live(self, access_token, scheme="Bearer", path="/me"):
        return self.ask("GET", path, headers={"Authorization": f"{scheme} {access_token}"}).status == 200


def pkce():
    verifier = secrets.token_urlsafe(32)
    return verifier, base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorize_path(challenge=None, path="/authorize", **more):
    parameters = {"client_id": "client", "response_type": "code", "redirect_uri": CALLBACK, "scope": "read write", "state": "st", **more}
    if challenge is not None:
        parameters |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return path + ("&" if "?" in path else "?") + urllib.parse.urlencode({name: value for name, value in parameters.items() if value is not None})


def basic(client="client", secret="client-secret"):
    pair = f"{urllib.parse.quote_plus(client)}:{urllib.parse.quote_plus(secret)}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
