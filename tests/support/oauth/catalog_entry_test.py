"""catalog_entry_test.py SERVICES: a provider made from a catalog's entry asks for all that the entry says, and behaves as it says."""

import glob
import json
import os
import sys
import unittest
import urllib.parse

from running_provider import CALLBACK, RunningProvider, authorize_path, basic

SERVICES = sys.argv.pop(1)


def entry(fields=(), **oauth):
    slots = [{"name": "main", "access_token": "access_token", "access_token_at": "/access_token", "refresh_token_at": "/refresh_token",
              "expires_in_at": "/expires_in"}]
    whole = {"token_url": "https://example.com/oauth/token", "authorize_url": "https://example.com/oauth/authorize", "client_auth": "post",
             "refresh_class": "single_use", "slots": slots, **oauth}
    return {"id": "example", "name": "Example", "auth": [{"name": "oauth2", "fields": list(fields), "oauth": whole}]}


class Entries(unittest.TestCase):
    def provider(self, entry, **more):
        provider = RunningProvider(providers={"": {}})
        self.addCleanup(provider.stop)
        self.made = provider.control("/entry", provider="/it", entry=entry, **more)
        return provider

    def url(self, name):
        return urllib.parse.urlsplit(self.made["entry"]["auth"][0]["oauth"][name])

    def test_its_urls_lead_to_the_provider(self):
        provider = self.provider(entry(token_url="https://{shop}.example.com/admin/{version}/token?owner=user", device_url="{base_url}/device",
                                       refresh_url="{refresh_url}", revocation={"url": "https://example.com/revoke", "by_access_token": True}))
        self.assertEqual(self.url("token_url").geturl(), provider.origin + "/it/admin/{version}/token?owner=user")
        self.assertEqual((self.url("device_url").path, self.url("refresh_url").path), ("/it/device", "{refresh_url}"))
        token = provider.granted(provider="/it")["refresh_token"]
        self.assertEqual(provider.refresh(token, path="/it/admin/2026-10/token?owner=user").status, 200)
        asked = {"client_id": "client", "client_secret": "client-secret", "token": "of nobody"}
        self.assertEqual(provider.ask("POST", "/it/revoke", asked).status, 200)

    def test_parameters_headers_and_pkce_are_asked_for(self):
        provider = self.provider(entry(pkce=False, authorize_parameters=[{"name": "access_type", "value": "offline"}],
                                       refresh_parameters=[{"name": "expires_in", "value": "1800"}], headers=[{"name": "Version", "value": "{version}"}]))
        self.assertEqual(provider.ask("GET", authorize_path(path="/it/oauth/authorize")).location()["error"], "invalid_request")
        code = provider.ask("GET", authorize_path(path="/it/oauth/authorize", access_type="offline")).location()["code"]
        asked = {"path": "/it/oauth/token", "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        self.assertEqual(provider.token(**asked).status, 400)
        tokens = provider.token(headers={"Version": "7"}, **asked).json()
        again = {"path": "/it/oauth/token", "headers": {"Version": "7"}}
        self.assertEqual(provider.refresh(tokens["refresh_token"], **again).status, 400)
        self.assertEqual(provider.refresh(tokens["refresh_token"], expires_in="1800", **again).status, 200)

    def test_errors_come_as_the_entry_tells_them(self):
        rules = [{"error": "token_gone", "sub_error": "rotated", "status": 403, "meaning": "definitive"}, {"status": 500, "meaning": "transient"}]
        provider = self.provider(entry(errors={"at": "/code", "sub_at": "/detail/code", "ok_at": "/ok", "rules": rules}))
        reply = provider.refresh("of nobody", path="/it/oauth/token")
        self.assertEqual((reply.status, reply.json()["code"], reply.json()["detail"]["code"], reply.json()["ok"]), (403, "token_gone", "rotated", False))
        provider.control("/misbehave", provider="/it", do="error", error="other", status=418, fields={"/detail/code": "x"})
        reply = provider.refresh("of nobody", path="/it/oauth/token")
        self.assertEqual((reply.status, reply.json()["code"], reply.json()["detail"]["code"]), (418, "other", "x"))

    def test_clocks_and_class_are_the_entrys(self):
        provider = self.provider(entry([{"name": "refresh_class", "default": "single_use_grace"}], refresh_class={"field": "refresh_class"},
                                       clocks={"grace": "30m", "access": "90s", "refresh_idle": "60d"}))
        first = provider.granted(provider="/it")
        self.assertEqual(first["expires_in"], 90)
        provider.refresh(first["refresh_token"], path="/it/oauth/token")
        provider.control("/advance", seconds=1790)
        self.assertEqual(provider.refresh(first["refresh_token"], path="/it/oauth/token").status, 200)

    def test_answer_fields_come_from_answer_redirect_and_resource(self):
        fields = [{"name": "instance_url", "format": "url"}, {"name": "realm"}, {"name": "cloud"}]
        provider = self.provider(entry(fields, pkce=False, account_at="/user/name", answer_fields=[
            {"field": "instance_url", "at": "/instance_url"}, {"field": "realm", "parameter": "realmId"},
            {"field": "cloud", "at": "/0/id", "url": "https://example.com/sites"}]))
        tokens = provider.granted(provider="/it")
        self.assertEqual((tokens["instance_url"], tokens["user"]["name"]), ("https://api.example.com", "alice"))
        self.assertEqual(provider.ask("GET", authorize_path(path="/it/oauth/authorize")).location()["realmId"], "made-realm")
        sites = provider.ask("GET", "/it/sites", headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()
        self.assertEqual(sites, [{"id": "made-cloud"}])

    def test_a_test_may_say_more_than_the_entry(self):
        provider = self.provider(entry(client_auth="basic"), settings={"clients": [{"id": "app", "auth": "basic"}], "lifetimes": {"access": 7}})
        asked = {"grant_type": "client_credentials"}
        self.assertEqual(provider.ask("POST", "/it/oauth/token", asked, basic("app")).json()["expires_in"], 7)

    def test_every_entry_of_the_catalog_makes_a_provider(self):
        provider = RunningProvider()
        self.addCleanup(provider.stop)
        for path in sorted(glob.glob(os.path.join(SERVICES, "*.json"))):
            with open(path) as file:
                service = json.load(file)
            for auth in service["auth"]:
                with self.subTest(service=service["id"], auth=auth["name"]):
                    if "oauth" in auth:
                        provider.control("/entry", provider="/" + service["id"], entry=service, auth=auth["name"])
                        self.assertTrue(provider.granted(provider="/" + service["id"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
