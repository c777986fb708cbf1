"""oidc_test.py FOLDER: the real authorization server, as `install` put it into FOLDER, keeps to what the tests build on."""

import http.client
import http.server
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support/oauth"))
import certificates
from running_provider import Reply, basic, pkce

FOLDER = sys.argv.pop(1)
TTL = 8 # seconds of an access token
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


class Callback:
    """Who listens at the redirect URI, and says so."""

    def __init__(self):
        callback = self

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path.startswith("/oauth/callback?"): # a browser asks for an icon too
                    callback.target = self.path
                text = b"<title>Done</title><h1>connected</h1>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.target = None
        self.server = http.server.HTTPServer(("127.0.0.1", 0), Page)
        self.uri = f"http://127.0.0.1:{self.server.server_port}/oauth/callback"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def told(self):
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.target).query))


class Oidc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.mkdtemp(prefix="credlease-oidc-")
        cls.addClassCleanup(shutil.rmtree, cls.made)
        cls.callback = Callback()
        cls.addClassCleanup(cls.callback.stop)
        ca, certificate, key = certificates.make(cls.made)
        environment = {**os.environ, "OIDC_CERTIFICATE": certificate, "OIDC_KEY": key, "OIDC_ACCESS_TOKEN_TTL": str(TTL),
                       "OIDC_REDIRECT_URI": cls.callback.uri, "OIDC_LOG": os.path.join(cls.made, "log.jsonl")}
        cls.process = subprocess.Popen([os.path.join(FOLDER, "node"), os.path.join(FOLDER, "server.mjs")], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True)
        cls.addClassCleanup(cls.end)
        ready = json.loads(cls.process.stdout.readline())
        cls.origin, cls.clients = ready["origin"], ready["clients"]
        cls.tls = ssl.create_default_context(cafile=ca)

    @classmethod
    def end(cls):
        cls.process.stdin.close()
        cls.process.wait(20)
        cls.process.stdout.close()

    def ask(self, method, path, parameters=None, headers=None):
        connection = http.client.HTTPSConnection(urllib.parse.urlsplit(self.origin).netloc, context=self.tls, timeout=20)
        headers = {**(headers or {}), **({"Content-Type": "application/x-www-form-urlencoded"} if parameters else {})}
        connection.request(method, path, urllib.parse.urlencode(parameters) if parameters else None, headers)
        answer = connection.getresponse()
        reply = Reply(answer, answer.read())
        connection.close()
        return reply

    def as_web(self, path, **parameters):
        client = self.clients["web"]
        return self.ask("POST", path, parameters, basic(client["client_id"], client["client_secret"]))

    def as_service(self, path, **parameters):
        client = self.clients["service"]
        return self.ask("POST", path, {"client_id": client["client_id"], "client_secret": client["client_secret"], **parameters})

    def browse(self, url, *words, **environment):
        """What the last page says, once a person in Chromium has come to it."""
        done = subprocess.run([os.path.join(FOLDER, "node"), os.path.join(FOLDER, "browser.mjs")], input="\n".join([url, *words, ""]),
                              capture_output=True, text=True, timeout=120, env={**os.environ, **environment})
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def authorize_url(self, challenge):
        asked = {"client_id": self.clients["web"]["client_id"], "response_type": "code", "redirect_uri": self.callback.uri, "state": "st",
                 "scope": "openid offline_access", "prompt": "consent", "code_challenge": challenge, "code_challenge_method": "S256"}
        return f"{self.origin}/auth?{urllib.parse.urlencode(asked)}"

    def connect(self):
        """The tokens of a code flow through the browser."""
        verifier, challenge = pkce()
        page = self.browse(self.authorize_url(challenge))
        self.assertEqual((page["title"], page["text"].strip(), page["steps"]), ("Done", "connected", ["sign in", "consent"]))
        told = self.callback.told()
        self.assertEqual((told["state"], told["iss"]), ("st", self.origin))
        code = {"grant_type": "authorization_code", "code": told["code"], "redirect_uri": self.callback.uri}
        return self.as_web("/token", code_verifier=verifier, **code).json()

    def refresh(self, token):
        return self.as_web("/token", grant_type="refresh_token", refresh_token=token)

    def is_live(self, access_token):
        return self.ask("GET", "/me", headers={"Authorization": f"Bearer {access_token}"}).status == 200

    def test_discovery_tells_the_endpoints(self):
        told = self.ask("GET", "/.well-known/openid-configuration").json()
        self.assertEqual(told["issuer"], self.origin)
        for name in ("authorization", "token", "device_authorization", "revocation", "introspection"):
            self.assertTrue(told[f"{name}_endpoint"].startswith(self.origin), name)

    def test_a_refresh_token_rotates_and_its_second_use_kills_the_family(self):
        first = self.connect()
        self.assertEqual(first["expires_in"], TTL)
        second = self.refresh(first["refresh_token"]).json()
        self.assertNotEqual(second["refresh_token"], first["refresh_token"])
        self.assertTrue(self.is_live(second["access_token"]))
        for token in first["refresh_token"], second["refresh_token"]:
            reply = self.refresh(token)
            self.assertEqual((reply.status, reply.json()["error"]), (400, "invalid_grant"))
        self.assertFalse(self.is_live(second["access_token"]))

    def test_a_person_may_say_no(self):
        self.browse(self.authorize_url(pkce()[1]), BROWSER_SAYS_NO="1")
        self.assertEqual(self.callback.told()["error"], "access_denied")

    def test_a_device_is_connected_from_another_machines_browser(self):
        client = self.clients["native"]["client_id"]
        for given in "verification_uri", "verification_uri_complete":
            begun = self.ask("POST", "/device/auth", {"client_id": client, "scope": "openid offline_access"}).json()
            asked = {"client_id": client, "grant_type": DEVICE, "device_code": begun["device_code"]}
            self.assertEqual(self.ask("POST", "/token", asked).json()["error"], "authorization_pending")
            page = self.browse(begun[given], begun["user_code"])
            self.assertIn("consent", page["steps"])
            self.assertIn("refresh_token", self.ask("POST", "/token", asked).json(), page)

    def test_client_credentials_end_by_their_clock(self):
        tokens = self.as_service("/token", grant_type="client_credentials", scope="api:read", resource="https://api.example").json()
        self.assertEqual((tokens["expires_in"], "refresh_token" in tokens), (TTL, False))
        self.assertTrue(self.as_service("/token/introspection", token=tokens["access_token"]).json()["active"])
        end = time.monotonic() + 20
        while self.as_service("/token/introspection", token=tokens["access_token"]).json()["active"]:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.2)

    def test_revocation_kills_the_grant(self):
        tokens = self.connect()
        self.assertEqual(self.as_web("/token/revocation", token=tokens["refresh_token"], token_type_hint="refresh_token").status, 200)
        self.assertEqual(self.refresh(tokens["refresh_token"]).json()["error"], "invalid_grant")

    def test_a_client_must_know_its_secret_and_use_pkce(self):
        client = self.clients["web"]
        wrong = self.ask("POST", "/token", {"grant_type": "refresh_token", "refresh_token": "t"}, basic(client["client_id"], "another"))
        self.assertEqual((wrong.status, wrong.json()["error"]), (401, "invalid_client"))
        asked = {"client_id": client["client_id"], "response_type": "code", "redirect_uri": self.callback.uri, "scope": "openid"}
        self.assertEqual(self.ask("GET", f"/auth?{urllib.parse.urlencode(asked)}").location()["error"], "invalid_request")


if __name__ == "__main__":
    unittest.main(verbosity=2)
