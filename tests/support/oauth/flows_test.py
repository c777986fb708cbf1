"""How grants begin and end at the provider, and how strictly it looks at who asks."""

import base64
import json
import os
import socket
import subprocess
import threading
import time
import unittest

from running_provider import CALLBACK, RunningProvider, authorize_path, basic, pkce

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Flows(unittest.TestCase):
    def provider(self, settings=None, **more):
        provider = RunningProvider(settings, **more)
        self.addCleanup(provider.stop)
        return provider

    def refused(self, reply, name, status=400):
        self.assertEqual((reply.status, reply.json()["error"]), (status, name))

    def code(self, provider, challenge, **more):
        return provider.ask("GET", authorize_path(challenge, **more)).location()["code"]

    def exchange(self, provider, code, verifier, **more):
        return provider.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=verifier, **more)


class Codes(Flows):
    def test_a_code_with_its_verifier_becomes_tokens_once(self):
        provider, (verifier, challenge) = self.provider(), pkce()
        told = provider.ask("GET", authorize_path(challenge)).location()
        self.assertEqual((told["state"], told["iss"]), ("st", provider.origin))
        tokens = self.exchange(provider, told["code"], verifier).json()
        self.assertEqual((tokens["scope"], tokens["token_type"], tokens["expires_in"]), ("read write", "Bearer", 3600))
        self.assertTrue(provider.is_live(tokens["access_token"]))
        self.refused(self.exchange(provider, told["code"], verifier), "invalid_grant")
        self.assertFalse(provider.is_live(tokens["access_token"])) # a code's second use ends what it gave

    def test_pkce_is_checked_strictly(self):
        provider, (verifier, challenge) = self.provider(), pkce()
        self.assertEqual(provider.ask("GET", authorize_path()).location()["error"], "invalid_request")
        plain = authorize_path(code_challenge=verifier, code_challenge_method="plain")
        self.assertEqual(provider.ask("GET", plain).location()["error"], "invalid_request")
        self.refused(self.exchange(provider, self.code(provider, challenge), pkce()[0]), "invalid_grant")
        missing = provider.token(grant_type="authorization_code", code=self.code(provider, challenge), redirect_uri=CALLBACK)
        self.refused(missing, "invalid_grant")

    def test_a_provider_may_reject_pkce(self):
        provider = self.provider({"pkce": "rejected"})
        self.assertEqual(provider.ask("GET", authorize_path(pkce()[1])).location()["error"], "invalid_request")
        code = self.code(provider, None)
        self.refused(self.exchange(provider, code, pkce()[0]), "invalid_grant")
        self.assertEqual(provider.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK).status, 200)

    def test_redirect_uri_must_be_the_registered_and_the_same_one(self):
        provider, (verifier, challenge) = self.provider({"clients": [{"id": "client", "redirect_uris": ["http://127.0.0.1/oauth/callback"]}]}), pkce()
        self.assertEqual(provider.ask("GET", authorize_path(challenge, redirect_uri="http://127.0.0.1:1/elsewhere")).status, 400)
        code = self.code(provider, challenge)
        other = provider.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK + "/", code_verifier=verifier)
        self.refused(other, "invalid_grant")

    def test_a_code_expires(self):
        provider, (verifier, challenge) = self.provider(), pkce()
        code = self.code(provider, challenge)
        provider.control("/advance", seconds=61)
        self.refused(self.exchange(provider, code, verifier), "invalid_grant")

    def test_the_owner_may_say_no(self):
        provider = self.provider()
        provider.control("/misbehave", do="error", endpoint="authorize", error="access_denied")
        told = provider.ask("GET", authorize_path(pkce()[1])).location()
        self.assertEqual((told["error"], told["state"]), ("access_denied", "st"))

    def test_the_redirect_and_the_answer_carry_the_providers_own_fields(self):
        provider = self.provider({"redirect": {"iss": False, "parameters": {"realmId": "4620"}}, "pkce": "optional",
                                  "answer": {"fields": {"/instance_url": "https://na1.example", "/team/id": "T1"}},
                                  "required": {"authorize": {"access_type": "offline"}, "headers": {"Notion-Version": None}}})
        self.assertEqual(provider.ask("GET", authorize_path()).location()["error"], "invalid_request")
        told = provider.ask("GET", authorize_path(access_type="offline")).location()
        self.assertEqual((told["realmId"], "iss" in told), ("4620", False))
        asked = {"grant_type": "authorization_code", "code": told["code"], "redirect_uri": CALLBACK}
        self.refused(provider.token(**asked), "invalid_request")
        tokens = provider.token(headers={"Notion-Version": "2026-03-11"}, **asked).json()
        self.assertEqual((tokens["instance_url"], tokens["team"]["id"]), ("https://na1.example", "T1"))


class Clients(Flows):
    def test_each_client_authenticates_in_its_own_way_alone(self):
        provider = self.provider({"clients": [{"id": "b:ö", "secret": "s&c%ret:+", "auth": "basic"}, {"id": "client"},
                                              {"id": "public", "secret": None, "auth": "none"}]})
        asked = {"grant_type": "refresh_token", "refresh_token": "zrt_of_nobody"}
        ways = {"basic": ({}, basic("b:ö", "s&c%ret:+")), "post": ({"client_id": "client", "client_secret": "client-secret"}, {}),
                "none": ({"client_id": "public"}, {})}
        for body, headers in ways.values(): # authenticated: only the token is wrong
            self.refused(provider.ask("POST", "/token", {**asked, **body}, headers), "invalid_grant")
        wrong = [({"client_id": "b:ö", "client_secret": "s&c%ret:+"}, {}), ({}, basic()), ({"client_id": "client"}, {}), ({}, {}),
                 ({"client_id": "public", "client_secret": ""}, {}), ({"client_id": "client", "client_secret": "another"}, {}),
                 ({"client_id": "b:ö", "client_secret": "s&c%ret:+"}, basic("b:ö", "s&c%ret:+")), ({}, basic("b:ö", "another"))]
        for body, headers in wrong:
            self.refused(provider.ask("POST", "/token", {**asked, **body}, headers), "invalid_client", 401)

    def test_bodies_come_in_the_providers_format_alone(self):
        asked = {"grant_type": "client_credentials"}
        forms, jsons = self.provider(), self.provider({"body": "json"})
        self.assertEqual((forms.token(**asked).status, jsons.token(as_json=True, **asked).status), (200, 200))
        self.refused(forms.token(as_json=True, **asked), "invalid_request")
        self.refused(jsons.token(**asked), "invalid_request")
        twice = forms.ask("POST", "/token", [("grant_type", "client_credentials"), ("grant_type", "refresh_token")])
        self.refused(twice, "invalid_request")

    def test_a_secret_may_come_as_the_user(self):
        provider = self.provider({"clients": [{"id": "client", "secret": "sk_1", "auth": "basic_secret_alone"}]})
        asked = {"grant_type": "client_credentials"}
        self.assertEqual(provider.ask("POST", "/token", asked, basic("sk_1", "")).status, 200)
        for headers in basic("client", "sk_1"), basic("sk_2", ""), basic("client", ""):
            self.refused(provider.ask("POST", "/token", asked, headers), "invalid_client", 401)

    def test_a_budget_is_kept(self):
        provider = self.provider({"budget": {"requests": 2, "per": 60}})
        self.assertEqual([provider.token(grant_type="client_credentials").status for _ in range(3)], [200, 200, 429])
        provider.control("/advance", seconds=61)
        self.assertEqual(provider.token(grant_type="client_credentials").status, 200)

    def test_too_many_at_once_are_refused(self):
        provider = self.provider({"budget": {"at_once": 1}})
        provider.control("/misbehave", do="slow", after_ms=2000)
        slow = threading.Thread(target=provider.token, kwargs={"grant_type": "client_credentials"})
        slow.start()
        end = time.monotonic() + 20
        while not provider.log(endpoint="token"):
            self.assertLess(time.monotonic(), end)
        self.assertEqual(provider.token(grant_type="client_credentials").status, 429)
        slow.join()
        self.assertEqual(provider.token(grant_type="client_credentials").status, 200)

    def test_json_comes_only_to_those_who_ask_for_it(self):
        provider = self.provider({"answer": {"format": "form_unless_json_asked"}})
        self.assertTrue(provider.token(grant_type="client_credentials").body.startswith(b"access_token="))
        self.assertIn("access_token", provider.token(grant_type="client_credentials", headers={"Accept": "application/json"}).json())


class OtherGrants(Flows):
    def begin(self, provider):
        return provider.ask("POST", "/device_authorization", {"client_id": "client", "client_secret": "client-secret", "scope": "read"}).json()

    def poll(self, provider, begun):
        return provider.token(grant_type=DEVICE, device_code=begun["device_code"])

    def test_a_device_waits_slows_down_and_is_approved(self):
        provider = self.provider()
        begun = self.begin(provider)
        self.refused(self.poll(provider, begun), "authorization_pending")
        self.refused(self.poll(provider, begun), "slow_down")
        provider.control("/advance", seconds=begun["interval"] + 1)
        self.refused(self.poll(provider, begun), "slow_down") # the interval has grown
        self.assertEqual(provider.ask("GET", f"/device?user_code={begun['user_code']}").status, 200)
        provider.control("/advance", seconds=60)
        self.assertIn("refresh_token", self.poll(provider, begun).json())
        self.refused(self.poll(provider, begun), "invalid_grant")

    def test_a_device_is_denied_or_comes_too_late(self):
        provider = self.provider()
        denied, late = self.begin(provider), self.begin(provider)
        provider.control("/device", user_code=denied["user_code"], verdict="denied")
        self.refused(self.poll(provider, denied), "access_denied")
        provider.control("/advance", seconds=601)
        self.refused(self.poll(provider, late), "expired_token")

    def test_a_grant_type_may_have_another_name(self):
        provider = self.provider({"grant_types": {"client_credentials": "account_credentials"}})
        self.refused(provider.token(grant_type="client_credentials"), "unsupported_grant_type")
        self.assertEqual(provider.token(grant_type="account_credentials").status, 200)

    def test_client_credentials_have_no_refresh_token(self):
        provider = self.provider()
        tokens = provider.token(grant_type="client_credentials", scope="read").json()
        self.assertTrue(provider.is_live(tokens["access_token"]))
        self.assertNotIn("refresh_token", tokens)


class Assertions(Flows):
    def setUp(self):
        self.private = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True).stdout
        made = subprocess.run(["openssl", "rsa", "-pubout"], input=self.private, check=True, capture_output=True)
        self.public = made.stdout.decode()

    def signed(self, head=None, **claims):
        def part(value):
            return base64.urlsafe_b64encode(value).rstrip(b"=")
        now = int(time.time())
        told = {"iss": "client", "aud": "https://provider.example/token", "iat": now, "exp": now + 600, **claims}
        text = part(json.dumps(head or {"alg": "RS256", "typ": "JWT"}).encode()) + b"." + part(json.dumps(told).encode())
        reading, writing = os.pipe()
        os.write(writing, self.private)
        os.close(writing)
        made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", f"/dev/fd/{reading}"], input=text, check=True,
                              capture_output=True, pass_fds=[reading])
        os.close(reading)
        return (text + b"." + part(made.stdout)).decode()

    def test_an_assertion_signed_by_the_clients_key_becomes_a_token(self):
        provider = self.provider({"clients": [{"id": "client", "public_key": self.public}],
                                  "jwt": {"audience": "https://provider.example/token", "headers": {"typ": "JWT"}}})
        good = provider.ask("POST", "/token", {"grant_type": JWT_BEARER, "assertion": self.signed(scope="read")})
        self.assertEqual((good.status, good.json()["scope"], "refresh_token" in good.json()), (200, "read", False))
        whole = self.signed()
        bad = [self.signed(aud="another"), self.signed(iss="another"), self.signed(exp=int(time.time()) - 1), self.signed(exp=int(time.time()) + 9999),
               whole[:-8] + "AAAAAAAA", self.signed(head={"alg": "none"}), self.signed(head={"alg": "RS256"}), "no.jwt"]
        for assertion in bad:
            reply = provider.ask("POST", "/token", {"grant_type": JWT_BEARER, "assertion": assertion})
            self.assertEqual(reply.json()["error"], "invalid_grant")

    def test_an_assertion_may_authenticate_by_header(self):
        slot = {"name": "installation", "access_token_at": "/token", "expires_at_at": "/expires_at", "expires_in_at": None,
                "token_type_at": None, "scope_at": None}
        provider = self.provider({"clients": [{"id": "client", "public_key": self.public}], "jwt": {"in": "authorization", "longest": 600},
                                  "endpoints": {"token": "/app/installations/{installation_id}/access_tokens"},
                                  "answer": {"slots": [slot], "expires_at": "text", "status": 201}})
        reply = provider.ask("POST", "/app/installations/77/access_tokens", headers={"Authorization": f"Bearer {self.signed()}"})
        self.assertEqual((reply.status, sorted(reply.json())), (201, ["expires_at", "token"]))
        self.assertRegex(reply.json()["expires_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertTrue(provider.is_live(reply.json()["token"]))


class Places(Flows):
    def test_revocation_ends_the_grant_or_one_access_token(self):
        provider = self.provider()
        first, other = provider.granted(), provider.granted()
        asked = {"client_id": "client", "client_secret": "client-secret"}
        self.assertEqual(provider.ask("POST", "/revoke", {**asked, "token": first["refresh_token"]}).status, 200)
        self.assertFalse(provider.is_live(first["access_token"]))
        provider.ask("POST", "/revoke", {**asked, "token": other["access_token"]})
        self.assertFalse(provider.is_live(other["access_token"]))
        self.assertEqual(provider.refresh(other["refresh_token"]).status, 200)
        self.assertEqual(provider.ask("POST", "/revoke", {**asked, "token": "of nobody"}).status, 200)
        self.refused(provider.ask("POST", "/revoke", {"token": "t"}), "invalid_client", 401)

    def test_introspection_knows_live_tokens(self):
        provider = self.provider()
        first, asked = provider.granted(scopes=["read"]), {"client_id": "client", "client_secret": "client-secret"}
        told = provider.ask("POST", "/introspect", {**asked, "token": first["access_token"]}).json()
        self.assertEqual((told["active"], told["scope"]), (True, "read"))
        provider.control("/revoke", grant="g1")
        for token in first["access_token"], first["refresh_token"]:
            self.assertEqual(provider.ask("POST", "/introspect", {**asked, "token": token}).json(), {"active": False})

    def test_discovery_tells_the_endpoints_of_each_mount(self):
        provider = self.provider(providers={"": {}, "/second": {"redirect": {"iss": False}}})
        for path in "/second/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/second":
            told = provider.ask("GET", path).json()
            self.assertEqual((told["issuer"], told["token_endpoint"]), (provider.origin + "/second", provider.origin + "/second/token"))
        self.assertEqual(provider.ask("GET", "/.well-known/openid-configuration").json()["issuer"], provider.origin)

    def test_paths_have_free_segments_and_queries(self):
        provider = self.provider({"pkce": "optional", "endpoints": {"token": "/{tenant}/oauth2/v2.0/token", "refresh": "/{tenant}/refresh",
                                                                    "authorize": "/v1/authorize?owner=user"}})
        self.assertEqual(provider.token("/common/oauth2/v2.0/token", grant_type="client_credentials").status, 200)
        self.assertEqual(provider.ask("GET", authorize_path(path="/v1/authorize")).status, 404)
        self.assertEqual(provider.ask("GET", authorize_path(path="/v1/authorize?owner=user")).status, 302)
        refresh = {"grant_type": "refresh_token", "refresh_token": provider.granted()["refresh_token"]}
        self.refused(provider.token("/common/oauth2/v2.0/token", **refresh), "invalid_request")
        self.assertEqual(provider.token("/common/refresh", **refresh).status, 200)

    def test_a_live_access_token_gets_resources(self):
        provider = self.provider({"resources": {"/sites": [{"id": "c1"}]}})
        token = provider.granted()["access_token"]
        self.assertEqual(provider.ask("GET", "/sites", headers={"Authorization": f"Bearer {token}"}).json(), [{"id": "c1"}])
        self.assertEqual(provider.ask("GET", "/sites", headers={"Authorization": "Bearer another"}).status, 401)

    def test_connections_are_kept_and_tls_sessions_resumed(self):
        provider, session = self.provider(), None
        for _ in range(2):
            with provider.tls.wrap_socket(socket.create_connection(("127.0.0.1", provider.port)), server_hostname="127.0.0.1",
                                          session=session) as connection:
                for _ in range(3):
                    connection.sendall(b"GET /.well-known/openid-configuration HTTP/1.1\r\nHost: p\r\n\r\n")
                    self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200 "))
                session = connection.session
        counters = provider.control("/counters")
        self.assertEqual((counters["connections"], counters["requests"], counters["resumed"]), (2, 6, 1))

    def test_a_provider_is_made_anew_while_it_runs(self):
        provider = self.provider()
        provider.control("/configure", provider="/box", refresh_class="single_use")
        token = provider.granted(provider="/box")["refresh_token"]
        self.assertEqual(provider.token("/box/token", grant_type="refresh_token", refresh_token=token).status, 200)
        self.assertEqual(provider.log(endpoint="token")[0]["provider"], "/box")
        with self.assertRaises(AssertionError):
            provider.control("/configure", refresh_klass="single_use")


if __name__ == "__main__":
    unittest.main(verbosity=2)
