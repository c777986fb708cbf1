"""Each misbehavior: what a client sees of it, and what it did to the refresh token."""

import email.utils
import http.client
import threading
import time
import unittest
import urllib.parse

from running_provider import RunningProvider

CUT = (http.client.RemoteDisconnected, http.client.IncompleteRead, ConnectionError, OSError)


class Misbehaviors(unittest.TestCase):
    def setUp(self):
        self.provider = RunningProvider({"refresh_class": "single_use"})
        self.addCleanup(self.provider.stop)
        self.first = self.provider.granted()

    def misbehave(self, do, **members):
        self.provider.control("/misbehave", do=do, **members)

    def refresh(self):
        return self.provider.refresh(self.first["refresh_token"])

    def state(self):
        """Of the first refresh token."""
        return self.provider.control("/grants")["grants"][0]["refresh_tokens"][0]["state"]

    def test_each_strikes_once_and_is_told_in_the_log(self):
        self.misbehave("status", status=503)
        self.assertEqual([self.refresh().status, self.refresh().status], [503, 200])
        self.assertEqual([line["misbehavior"] for line in self.provider.log(endpoint="token")], ["status", None])

    def test_a_rule_may_be_for_the_third_request_of_a_grant_type_and_for_more(self):
        self.misbehave("status", grant_type="refresh_token", nth=2, times=2, status=502)
        other = self.provider.granted()["refresh_token"]
        seen = []
        for _ in range(4):
            self.provider.token(grant_type="client_credentials")
            reply = self.provider.refresh(other)
            other = reply.json()["refresh_token"] if reply.status == 200 else other
            seen.append(reply.status)
        self.assertEqual(seen, [200, 502, 502, 200])

    def test_a_rule_without_end_lasts_until_it_is_cleared(self):
        self.misbehave("status", times=0)
        self.assertEqual([self.refresh().status for _ in range(5)], [503] * 5)
        self.provider.control("/clear")
        self.assertEqual(self.refresh().status, 200)

    def test_slow_before_spends_the_token_even_when_nobody_waits(self):
        self.misbehave("slow", before_ms=2000)
        with self.assertRaises(TimeoutError):
            self.provider.ask("POST", "/token", {"client_id": "client", "client_secret": "client-secret", "grant_type": "refresh_token",
                                                 "refresh_token": self.first["refresh_token"]}, timeout=0.2)
        self.assertEqual(self.state(), "live")
        self.wait_for(lambda: self.state() == "spent")

    def test_slow_after_has_spent_it_while_the_client_waits(self):
        self.misbehave("slow", after_ms=2000)
        waiting = threading.Thread(target=self.refresh)
        waiting.start()
        self.wait_for(lambda: self.provider.log(endpoint="token"))
        self.assertEqual((self.state(), waiting.is_alive()), ("spent", True))
        self.assertEqual(self.provider.control("/counters")["providers"][""]["most_at_once"], 1)
        waiting.join()

    def wait_for(self, claim):
        end = time.monotonic() + 20
        while not claim():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def test_an_echo_repeats_what_must_not_be_told(self):
        self.misbehave("echo", status=200)
        told = self.refresh().json()["error_description"]
        self.assertEqual(told, f"client-secret; {self.first['refresh_token']}")
        self.assertIn(self.first["refresh_token"], self.provider.control("/secrets")["secrets"])
        self.assertEqual(self.state(), "live")

    def test_a_5xx_may_come_after_it_has_rotated(self):
        self.misbehave("status", status=500, handled=True)
        self.assertEqual(self.refresh().status, 500)
        self.assertEqual(self.state(), "spent")

    def test_429_says_when_in_seconds_or_as_a_date(self):
        self.misbehave("rate_limit", retry_after=7)
        reply = self.refresh()
        self.assertEqual((reply.status, reply.headers["Retry-After"], self.state()), (429, "7", "live"))
        self.misbehave("rate_limit", retry_after=60, form="date")
        when = email.utils.parsedate_to_datetime(self.refresh().headers["Retry-After"]).timestamp()
        self.assertTrue(50 < when - time.time() <= 60)

    def test_an_error_comes_with_the_status_that_it_is_told(self):
        self.misbehave("error", error="invalid_grant", status=403)
        reply = self.refresh()
        self.assertEqual((reply.status, reply.json()["error"], self.state()), (403, "invalid_grant", "live"))

    def test_an_error_may_come_as_200_with_ok_false(self):
        slack = RunningProvider({"errors": {"at": "/error", "ok_at": "/ok", "status": 200,
                                            "named": {"invalid_grant": {"error": "invalid_refresh_token"}}}})
        self.addCleanup(slack.stop)
        reply = slack.refresh("zrt_of_nobody")
        self.assertEqual((reply.status, reply.json()["ok"], reply.json()["error"]), (200, False, "invalid_refresh_token"))
        self.assertIs(slack.refresh(slack.granted()["refresh_token"]).json()["ok"], True)

    def test_a_connection_is_refused_before_tls(self):
        self.misbehave("refuse_connection")
        with self.assertRaises(CUT):
            self.refresh()
        self.assertEqual((self.provider.log(endpoint="token"), self.state()), ([], "live"))
        self.assertEqual(self.refresh().status, 200)
        self.assertEqual(self.provider.control("/counters")["refused_connections"], 1)

    def test_a_connection_drops_before_it_is_handled(self):
        for reset in (False, True):
            self.misbehave("drop_before", reset=reset)
            with self.assertRaises(CUT):
                self.refresh()
        self.assertEqual(self.state(), "live")

    def test_a_connection_drops_after_it_has_rotated(self):
        for do in ("drop_after", "drop_in_middle"):
            token = self.provider.granted()["refresh_token"]
            self.misbehave(do)
            with self.assertRaises(CUT):
                self.provider.refresh(token)
            line = self.provider.log(endpoint="token")[-1]
            self.assertEqual((line["rotated"], line["status"], line["misbehavior"]), (True, 200, do))
            self.assertEqual(self.provider.refresh(token).status, 400)

    def test_half_of_the_answer_comes_before_the_cut(self):
        self.misbehave("drop_in_middle")
        connection = http.client.HTTPSConnection("127.0.0.1", self.provider.port, context=self.provider.tls, timeout=20)
        self.addCleanup(connection.close)
        connection.request("POST", "/token", urllib.parse.urlencode({"client_id": "client", "client_secret": "client-secret",
                           "grant_type": "client_credentials"}), {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        size = int(answer.headers["Content-Length"])
        self.assertEqual(len(answer.read1(size)), size // 2)

    def test_a_connection_is_kept_unless_the_settings_say_no(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.provider.port, context=self.provider.tls, timeout=20)
        self.addCleanup(connection.close)
        before = self.provider.control("/counters")["connections"]
        for keeps in (True, True, False):
            self.provider.control("/configure", keeps_connections=keeps)
            connection.request("GET", "/me")
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(answer.headers["Connection"], None if keeps else "close")
        self.assertEqual(self.provider.control("/counters")["connections"], before + 1)

    def test_an_answer_is_of_another_content_type(self):
        self.misbehave("alter", content_type="text/html")
        reply = self.refresh()
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "text/html"))
        self.misbehave("status", status=200, content_type="text/html", body="<h1>Sign in to the hotel's network</h1>")
        self.assertTrue(self.refresh().body.startswith(b"<h1>"))

    def test_an_answer_is_too_large(self):
        self.misbehave("alter", pad=2_000_000)
        reply = self.refresh()
        self.assertEqual(len(reply.body), 2_000_000)
        self.assertIn("access_token", reply.json())

    def test_expires_in_is_absent_or_text(self):
        self.misbehave("alter", expires_in="absent")
        self.assertNotIn("expires_in", self.refresh().json())
        self.misbehave("alter", expires_in="text")
        other = self.provider.granted()["refresh_token"]
        self.assertEqual(self.provider.refresh(other).json()["expires_in"], "3600")

    def test_members_are_absent_or_others(self):
        self.misbehave("alter", remove=["/access_token"], set={"/refresh_token": 17})
        told = self.refresh().json()
        self.assertNotIn("access_token", told)
        self.assertEqual((told["refresh_token"], self.state()), (17, "spent"))

    def test_an_answer_is_form_encoded(self):
        self.misbehave("alter", format="form")
        reply = self.refresh()
        self.assertEqual(reply.headers["Content-Type"], "application/x-www-form-urlencoded")
        self.assertIn("access_token", dict(urllib.parse.parse_qsl(reply.body.decode())))

    def test_other_endpoints_misbehave_too(self):
        self.misbehave("status", endpoint="revoke", status=503)
        asked = {"client_id": "client", "client_secret": "client-secret", "token": self.first["refresh_token"]}
        self.assertEqual([self.provider.ask("POST", "/revoke", asked).status for _ in range(2)], [503, 200])

    def test_a_rule_that_is_none_is_refused(self):
        for rule in ({"do": "sulk"}, {"do": "drop_after", "retry_after": 3}, {"do": "slow", "nht": 2}):
            with self.assertRaises(AssertionError):
                self.misbehave(**rule)

    def test_the_provider_may_begin_with_a_script(self):
        scripted = RunningProvider({"refresh_class": "rotating", "script": [{"do": "drop_after", "nth": 3}]})
        self.addCleanup(scripted.stop)
        token = scripted.granted()["refresh_token"]
        self.assertEqual([scripted.refresh(token).status for _ in range(2)], [200, 200])
        with self.assertRaises(CUT):
            scripted.refresh(token)


if __name__ == "__main__":
    unittest.main(verbosity=2)
