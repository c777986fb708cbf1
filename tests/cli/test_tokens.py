"""OAuth credentials: their tokens are refreshed, and revoked."""
import json
import unittest

from command import CommandTest
from stand_in_answers import Refusal


class Tokens(CommandTest):
    def inbox(self):
        return self.broker.put("mail", "inbox \u00fc", {}, auth="oauth2", status="active")

    def test_a_refresh_says_when_the_token_ends(self):
        inbox = self.inbox()
        said = self.run_ok("refresh", inbox["name"])
        self.assertEqual(said, f"Refreshed {inbox['name']} ({inbox['id']}); its token ends at 2027-01-01T00:00:00Z.\n")
        sent = self.broker.last("POST", "/v1/credentials")
        self.assertEqual((sent["words"], sent["body"]), (["credentials", inbox["id"], "refresh"], "{}"))
        self.assertEqual(self.run_json("refresh", inbox["id"])["oauth"], {"token_expires_at": "2027-01-01T00:00:00.250Z"})
        self.broker.token_ends_at = None
        self.assertEqual(self.run_ok("refresh", inbox["id"]), f"Refreshed {inbox['name']} ({inbox['id']}).\n")

    def test_a_refused_refresh_is_1_with_its_next_step(self):
        inbox = self.inbox()
        for status, code, detail in (
                (502, "upstream_failed", "The provider gave no token. It is asked again by itself."),
                (409, "credential_expired", "The grant has ended. Authorize it anew (credlease reauthorize).")):
            self.broker.refresh_refusal = Refusal(status, code, detail)
            done = self.run_it("refresh", inbox["id"])
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(detail, done.stderr)
            as_json = self.run_it("refresh", inbox["id"], "--json")
            self.assertEqual((as_json.returncode, as_json.stdout), (1, ""))
            error = json.loads(as_json.stderr)
            self.assertEqual((error["code"], error["status"], error["detail"]), (code, status, detail))

    def test_what_a_refusal_names_is_called_as_on_the_command_line(self):
        inbox = self.inbox()
        for member, option in (("fields.client_id", "--field client_id"), ("client_id", "--client-id"), ("flow", "--device"),
                               ("redirect_url", "the address that the browser was sent to"), ("other", "other")):
            self.broker.refresh_refusal = Refusal(400, "invalid_request", "Not so.", field=member)
            self.assertEqual(self.run_it("refresh", inbox["id"]).stderr, f"credlease: Not so. [{option}]\n")
            self.assertEqual(json.loads(self.run_it("--json", "refresh", inbox["id"]).stderr)["field"], member)

    def test_a_revocation_upstream_has_a_line_for_each_token_and_is_1_where_one_failed(self):
        inbox = self.inbox()
        good = {"slot": "", "token": "refresh_token", "ok": True, "detail": None}
        bad = {"slot": "user", "token": "access_token", "ok": False, "detail": "status 503"}
        self.broker.upstream_results = [good]
        done = self.run_ok("revoke", "--yes", "--upstream", inbox["id"])
        self.assertEqual(done, f"Revoked {inbox['name']} ({inbox['id']}); its leases have ended.\n"
                               "Refresh token was revoked at its provider.\n")
        self.assertEqual(self.broker.last("POST", "/v1/credentials")["body"], '{"upstream":true}')
        self.broker.upstream_results = [good, bad]
        again = self.run_it("revoke", "--upstream", inbox["id"])
        self.assertEqual((again.returncode, again.stderr), (1, ""))
        self.assertIn("was revoked already.\nRefresh token was revoked at its provider.\n"
                      'Access token "user" was not revoked at its provider: status 503\n', again.stdout)
        self.assertEqual(self.run_it("revoke", "--upstream", "--json", inbox["id"]).returncode, 1)

    def test_where_the_provider_cannot_be_asked_a_revocation_counts_here_and_says_so(self):
        inbox = self.inbox()
        self.broker.upstream_refusal = Refusal(400, "invalid_request", "It has no endpoint. Change it there.", field="upstream")
        done = self.run_it("revoke", "--yes", "--upstream", inbox["id"])
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertEqual(done.stdout, f"Revoked {inbox['name']} ({inbox['id']}); its leases have ended.\n"
                                      "What was handed out stays valid.\n"
                                      "Its provider was not asked: It has no endpoint. Change it there.\n")
        self.assertEqual(inbox["status"], "revoked")
        again = self.run_it("--json", "revoke", "--upstream", inbox["id"])
        self.assertEqual((again.returncode, json.loads(again.stdout)["status"]), (1, "revoked"))


if __name__ == "__main__":
    unittest.main()
