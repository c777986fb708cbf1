"""What is said of a command that is typed wrong or refused, and with which exit status."""
import json
import unittest

from command import CommandTest
from stand_in_answers import Refusal


class Usage(CommandTest):
    def setUp(self):
        super().setUp()
        self.slack = self.broker.put("http-bearer", "Acme prod Slack", {"token": "xoxb-1", "base_url": "https://slack.com"})

    def test_refused_is_1_usage_is_2_unreachable_is_3(self):
        refused = self.run_it("show", "nothing")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no such credential", refused.stderr)
        self.assertEqual(self.run_it("show").returncode, 2)
        self.assertEqual(self.run_it("no-such-command").returncode, 2)
        self.assertEqual(self.run_it("list", "--limit", "many").returncode, 2)
        self.assertEqual(self.run_it("--user", "--system", "list").returncode, 2)
        self.assertEqual(self.run_it("list", "--socket", "/nonexistent/s").returncode, 3)
        self.assertEqual(self.run_it("--version").returncode, 0)
        self.assertEqual(self.run_it("--help").returncode, 0)

    def test_a_command_that_is_not_there_is_named_with_the_one_that_was_meant(self):
        done = self.run_it("lst")
        self.assertEqual(done.returncode, 2)
        self.assertIn('There is no command "lst". Did you mean "list"?', done.stderr)
        self.assertIn('Did you mean "withdraw"?', self.run_it("grants", "wihdraw", "x").stderr)
        self.assertIn('There is no command "get". Did you mean "show"?', self.run_it("oauth-client", "get", "x").stderr)
        self.assertIn('Did you mean "--limit"?', self.run_it("list", "--lmit", "3").stderr)
        self.assertNotIn("Did you mean", self.run_it("frobnicate").stderr)
        self.assertNotIn("sk-Ab12", self.run_it("sk-Ab12").stderr)

    def test_what_is_left_over_or_missing_is_named_with_its_command(self):
        done = self.run_it("delete", "A", "B")
        self.assertEqual(done.returncode, 2)
        self.assertIn("delete takes one credential; left over: B.", done.stderr)
        self.assertIn("See: credlease delete --help", done.stderr)
        self.assertIn("members add needs one user, one role.", self.run_it("members", "add", "w").stderr)
        secret = self.run_it("add", "http-bearer", "sk-oops")
        self.assertEqual(secret.returncode, 2)
        self.assertNotIn("sk-oops", secret.stderr)

    def test_with_json_an_error_is_json_too(self):
        done = self.run_it("show", "nothing", "--json")
        error = json.loads(done.stderr)
        self.assertEqual(error["code"], "credential_not_found")
        self.assertEqual(error["status"], 404)
        self.assertEqual(done.stdout, "")

    def test_a_service_that_is_not_there_is_wrong_usage_and_names_the_one_that_was_meant(self):
        self.assertNotIn("postgres", self.run_ok("list", "--service", "postgres", "--service", "http-bearer"))
        for command in (["services"], ["list", "--service"], ["add", "--name", "x"], ["oauth-client", "set", "--client-id", "1", "--public"]):
            done = self.run_it(*command, "postgras")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn('The catalog has no service "postgras". Did you mean "postgres"?\n'
                          "See what there is with: credlease services\n", done.stderr)
        self.assertEqual(json.loads(self.run_it("--json", "services", "nothing").stderr)["code"], "service_not_found")
        secret = self.run_it("add", "sk-Ab12", "--name", "x")
        self.assertEqual(secret.returncode, 2)
        self.assertNotIn("sk-Ab12", secret.stderr)

    def test_a_value_that_an_option_does_not_take_is_wrong_usage_and_asks_nobody(self):
        before = len(self.broker.asked)
        for arguments, said in ((["list", "--status", "expird"], 'There is no status "expird". Did you mean "expired"?\n'
                                                                 "It is active, expired, failing, revoked or pending.\n"),
                                (["list", "--sort", "age"], "It is name, created_at, updated_at or last_used_at."),
                                (["members", "add", "w", "user:flows/x", "edtor"], 'There is no role "edtor". Did you mean "editor"?'),
                                (["edit", "x", "--client-secret-ends", "tomorrow"], "--client-secret-ends is a time such as 2"),
                                (["edit", "x", "--expires-at", "2028-02-30T00:00:00Z"], "--expires-at is a time"),
                                (["edit", "x", "--rotate-every", "monthly"], "--rotate-every is a duration"),
                                (["add", "chat", "--expires-at", "2028-01-01"], "--expires-at is a time"),
                                (["oauth-client", "set", "chat", "--secret-ends", "2028-01-01T00:00:00"], "--secret-ends is a time")):
            done = self.run_it(*arguments)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(said, done.stderr)
        self.assertEqual(len(self.broker.asked), before)
        for time in ("2028-01-01T00:00:00.250Z", "2028-02-29t00:00:00+01:00"):
            self.run_ok("edit", self.slack["id"], "--expires-at", time)

    def test_a_refusal_speaks_of_commands_and_not_of_the_interface(self):
        said = "There is none. See what there is with GET /v1/workspaces (credlease workspaces), or ask."
        self.broker.refresh_refusal = Refusal(404, "workspace_not_found", said)
        done = self.run_it("refresh", self.slack["id"])
        self.assertEqual(done.stderr, "credlease: There is none. See what there is with credlease workspaces, or ask.\n")
        self.assertEqual(json.loads(self.run_it("--json", "refresh", self.slack["id"]).stderr)["detail"], said)

    def test_an_action_that_was_mistyped_is_told_from_one_without_records(self):
        self.run_ok("audit", "--action", "grant.minted")
        done = self.run_it("audit", "--action", "lease.isued")
        self.assertEqual(done.returncode, 2)
        self.assertIn('Did you mean "lease.issued"?', done.stderr)
        self.assertIn("oauth.failed", done.stderr)
        self.assertEqual(self.run_it("audit", "--action", "oauth.faled").returncode, 2) # what the broker itself refuses
        self.run_ok("audit", "--action", "oauth.*")

    def test_a_word_that_a_subcommand_has_no_place_for_is_refused(self):
        asked = len(self.broker.asked)
        for words in (["audit", "verify", "1:00"], ["audit", "third", "verify"], ["members", "add", "a", "user:b", "editor", "c"]):
            done = self.run_it(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("not expected", done.stderr)
        self.assertEqual(len(self.broker.asked), asked)


if __name__ == "__main__":
    unittest.main()
