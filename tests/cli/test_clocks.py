"""The clocks of OAuth grants, as people see them."""
import json
import unittest

from command import CommandTest


class Clocks(CommandTest):
    def setUp(self):
        super().setUp()
        self.inbox = self.broker.put("http-bearer", "inbox", {"token": "t"})

    def test_every_clock_of_a_grant_is_shown_and_what_runs_out_is_colored(self):
        at = "20{}-01-01T00:00:00.000Z".format
        token = {"slot": "bot", "scopes": ["read", "list"], "refreshable": True, "lost_scopes": ["write", "admin"], "token_expires_at": at(27),
                 "refresh_idle_ends_at": at(28), "refresh_ends_at": at(29)}
        self.inbox["oauth"] = {"connected_at": at(26), "tokens": [token], "client_secret_ends_at": at(30), "may_be_refused_for": "120ms",
                               "ending": [{"clock": "refresh_absolute", "slot": "bot", "at": at(29)}]}
        shown = self.run_ok("show", self.inbox["id"])
        for line in (r"connected +2026-01-01T00:00:00Z", r"refresh token +held", r"scopes granted +read list", r"token ends +2027", r"refresh token ends unless used +2028", r"refresh token ends +2029",
                     r"client secret ends +2030", r"scopes lost +write admin", r"refused in a refresh for +120ms"):
            self.assertRegex(shown, line)
        self.inbox["oauth"]["tokens"].append({"slot": "user", "refreshable": False, "token_expires_at": at(31)})
        shown = self.run_ok("show", self.inbox["id"])
        self.assertRegex(shown, r"user: token ends +2031")
        self.assertRegex(shown, r"user: refresh token +none")
        colored = self.on_terminal("show", self.inbox["id"]).wait_for("refused")
        self.assertEqual(colored.end(), 0)
        self.assertRegex(colored.shown, "\033\\[[0-9;]+m2029")
        self.assertNotRegex(colored.shown, "\033\\[[0-9;]+m2028")

    def test_a_refresh_whose_answer_was_lost_is_shown(self):
        self.inbox["oauth"] = {"tokens": [], "in_doubt_since": None}
        self.assertNotIn("in doubt", self.run_ok("show", self.inbox["id"]))
        self.inbox["oauth"]["in_doubt_since"] = "2026-01-01T00:00:00.000Z"
        self.assertRegex(self.run_ok("show", self.inbox["id"]), r"refresh in doubt +begun 2026-01-01T00:00:00Z, its answer was lost\n")

    def test_status_counts_clocks_that_run_out_and_says_what_refreshes_cost(self):
        times = {"count": 7, "last_ms": 3, "p50_ms": 4, "p99_ms": 16, "max_ms": 12}
        self.broker.status["oauth"] = {"ending": 2, "providers": {"gitlab": {"until_durable": times, "may_be_refused": times},
                                                                  "google": {"until_durable": times}}}
        shown = self.run_ok("status")
        self.assertRegex(shown, r"clocks running out +2\n") # of a broker that does not say which
        self.assertRegex(shown, r"gitlab: token refused for +last 3 ms, p99 16 ms, longest 12 ms, of 7\n")
        self.assertRegex(shown, r"google: until on the disk +last 3 ms")
        self.assertNotIn("google: token refused", shown)
        self.broker.status["oauth"]["ending"] = 0
        self.assertNotIn("running out", self.run_ok("status"))

    def test_status_says_whose_clock_runs_out_first_and_when(self):
        first = {"clock": "refresh_absolute", "at": "2028-01-01T00:00:00.000Z", "service": "mail", "credential": "cred_1", "name": "inbox"}
        self.broker.status["oauth"] = {"ending": 2, "first_ending": first, "providers": {}}
        said = r"clocks running out +2, first: refresh token of inbox \(cred_1\) ends at 2028-01-01T00:00:00Z\n"
        self.assertRegex(self.run_ok("status"), said)
        first.update(clock="client_secret", credential=None, name=None)
        self.broker.status["oauth"]["ending"] = 1
        said = r"clocks running out +1: client secret of the organization's OAuth client for mail ends at 2028"
        self.assertRegex(self.run_ok("status"), said)

    def test_status_counts_credentials_that_need_somebody(self):
        self.broker.status["credentials"] = 3
        self.broker.put("mail", "new", {}, auth="oauth2", status="pending")
        self.broker.put("mail", "old", {}, auth="oauth2", status="expired")
        shown = self.run_ok("status")
        self.assertRegex(shown, r"credentials +3\n +pending +1 \(credlease list --status pending\)\n +expired +1 ")
        self.assertNotIn("failing", shown)
        del self.broker.status["credentials"] # who is no operator is told no counts, and asks for none
        asked = len(self.broker.asked)
        self.assertNotIn("pending", self.run_ok("status"))
        self.assertEqual(len(self.broker.asked), asked + 1)

    def test_when_a_client_secret_ends_is_said_and_shown(self):
        ends = "2028-01-01T00:00:00.000Z"
        self.run_ok("oauth-client", "set", "chat", "--client-id", "1", "--field", "client_secret=-", "--secret-ends", ends, input="s")
        self.assertEqual(self.broker.clients["chat"]["client_secret_ends_at"], ends)
        self.assertRegex(self.run_ok("oauth-client", "show", "chat"), r"Secret ends +2028-01-01")
        self.assertIn("2028-01-01", self.run_ok("oauth-client", "list"))
        later = "2029-01-01T00:00:00Z"
        said = self.run_ok("oauth-client", "set", "chat", "--secret-ends", later) # nothing else is given anew
        self.assertEqual(said, f"The secret of the organization's OAuth client for chat ends at {later}.\n")
        self.assertEqual(self.broker.clients["chat"], {"client_id": "1", "client_secret": "s", "fields": {}, "client_secret_ends_at": later})
        self.assertIsNone(self.run_json("oauth-client", "set", "chat", "--secret-ends", "")["client_secret_ends_at"])
        self.assertEqual(self.run_it("oauth-client", "set", "mail", "--secret-ends", later).returncode, 1) # it has none
        self.run_ok("edit", self.inbox["id"], "--client-secret-ends", ends)
        self.assertEqual(json.loads(self.broker.last("PATCH", "/v1/credentials")["body"]), {"client_secret_ends_at": ends})
        self.run_ok("edit", self.inbox["id"], "--client-secret-ends", "")
        self.assertEqual(json.loads(self.broker.last("PATCH", "/v1/credentials")["body"]), {"client_secret_ends_at": None})


if __name__ == "__main__":
    unittest.main()
