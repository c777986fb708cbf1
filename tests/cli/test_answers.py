"""What the commands ask for and print: tables for people, JSON for programs, and exit statuses."""
import json
import os
import unittest

from command import CommandTest


class Answers(CommandTest):
    def setUp(self):
        super().setUp()
        self.slack = self.broker.put("http-bearer", "Acme prod Slack", {"token": "xoxb-1", "base_url": "https://slack.com"})
        self.broker.put("postgres", "orders \u00fc", {"host": "db", "user": "etl", "password": "pw"})
        self.broker.put("http-bearer", "third", {"token": "t"}, status="revoked")

    def test_a_list_follows_its_cursor_to_the_end(self):
        self.assertEqual(len(self.run_json("list")["items"]), 3)
        self.assertIsNone(self.run_json("list")["next_cursor"])
        self.assertEqual(len(self.run_json("list", "--limit", "1")["items"]), 1)
        self.assertEqual(len(self.run_json("list", "--limit", "3")["items"]), 3)

    def test_a_list_is_a_table_of_straight_columns(self):
        lines = self.run_ok("list").splitlines()
        self.assertEqual(len(lines), 4)
        self.assertEqual(lines[0].split()[:3], ["NAME", "SERVICE", "SCOPE"])
        self.assertEqual(len({line.index(word) for line, word in
                              zip(lines[1:], ("http-bearer", "postgres", "http-bearer"))}), 1)
        self.assertNotIn("\033", self.run_ok("list"))
        self.assertNotIn("xoxb-1", self.run_ok("list"))

    def test_filters_are_sent_encoded(self):
        self.run_ok("list", "--q", "a&b=c d", "--service", "postgres", "--service", "http-bearer", "--scope",
                    "workspace:acme", "--status", "active", "--sort", "created_at")
        query = self.broker.last("GET", "/v1/credentials")["query"]
        self.assertEqual(query["q"], ["a&b=c d"])
        self.assertEqual(query["service"], ["postgres", "http-bearer"])
        self.assertEqual(query["scope"], ["workspace:acme"])

    def test_colors_are_shown_on_a_terminal_and_never_with_no_color(self):
        colored = self.on_terminal("list").wait_for("third")
        self.assertEqual(colored.end(), 0)
        self.assertIn("\033[31mrevoked\033[0m", colored.shown)
        plain = self.on_terminal("list", NO_COLOR="1").wait_for("third")
        plain.end()
        self.assertNotIn("\033[", plain.shown)

    def test_text_from_elsewhere_does_not_reach_the_terminal_as_commands(self):
        self.broker.put("http-bearer", "x", {"token": "t"}, notes="\033]0;owned\007 and \u009b2J")
        shown = self.run_ok("show", "x")
        self.assertNotIn("\033", shown)
        self.assertNotIn("\u009b", shown)
        self.assertIn("?]0;owned?", shown)

    def test_a_credential_is_shown_by_name_or_id_without_its_secret(self):
        for name in ("Acme prod Slack", self.slack["id"]):
            shown = self.run_ok("show", name)
            self.assertIn("(secret)", shown)
            self.assertIn("https://slack.com", shown)
            self.assertNotIn("xoxb-1", shown)
        self.assertEqual(self.run_json("show", "Acme prod Slack")["id"], self.slack["id"])

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

    def test_with_json_an_error_is_json_too(self):
        done = self.run_it("show", "nothing", "--json")
        error = json.loads(done.stderr)
        self.assertEqual(error["code"], "credential_not_found")
        self.assertEqual(error["status"], 404)
        self.assertEqual(done.stdout, "")

    def test_an_ambiguous_name_names_the_candidates(self):
        twin = self.broker.put("http-bearer", "third", {"token": "t"})
        done = self.run_it("show", "third")
        self.assertEqual(done.returncode, 1)
        self.assertIn(twin["id"], done.stderr)

    def test_an_edit_sends_the_id_and_the_revision_that_it_saw(self):
        self.run_ok("edit", "Acme prod Slack", "--name", "Slack", "--notes", "", "--scope", "organization",
                    "--field", "base_url=https://x", "--expires-at", "", "--rotate-every", "90d")
        sent = self.broker.last("PATCH", "/v1/credentials")
        self.assertEqual(sent["words"][1], self.slack["id"])
        self.assertEqual(sent["headers"]["If-Match"], '"1"')
        self.assertEqual(json.loads(sent["body"]), {
            "name": "Slack", "notes": "", "scope": {"kind": "organization"}, "expires_at": None, "rotate_every": "90d",
            "fields": {"base_url": "https://x"}})
        self.assertEqual(self.run_it("edit", "Slack").returncode, 2)
        self.assertEqual(self.run_it("edit", "Slack", "--scope", "everywhere").returncode, 2)

    def test_a_delete_asks_first(self):
        self.assertEqual(self.run_it("delete", "third").returncode, 2)
        self.assertEqual(len(self.broker.credentials), 3)
        asked = self.on_terminal("delete", "third").wait_for("[y/N]").type("n\n")
        self.assertEqual(asked.end(), 2)
        self.assertEqual(len(self.broker.credentials), 3)
        asked = self.on_terminal("delete", "third").wait_for("[y/N]").type("y\n")
        self.assertEqual(asked.end(), 0)
        self.assertEqual(len(self.broker.credentials), 2)

    def test_a_delete_of_what_is_in_use_needs_force(self):
        self.slack["notes"] = "in use"
        refused = self.run_it("delete", "Acme prod Slack", "--yes")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("nightly", refused.stderr)
        self.run_ok("delete", "Acme prod Slack", "--force")
        self.assertNotIn(self.slack["id"], self.broker.credentials)

    def test_services_are_listed_and_shown(self):
        self.assertIn("PostgreSQL", self.run_ok("services"))
        shown = self.run_ok("services", "postgres")
        self.assertRegex(shown, r"password +string +secret, required")
        self.assertEqual(self.run_json("services", "postgres")["id"], "postgres")
        self.assertEqual(self.run_it("services", "none").returncode, 1)

    def test_leases_are_listed_and_ended(self):
        for _ in range(3):
            self.run_ok("lease", "third")
        self.assertEqual(len(self.run_json("leases")["items"]), 3)
        self.assertIn("third", self.run_ok("leases", "--workflow", "nightly"))
        self.assertEqual(self.broker.last("GET", "/v1/leases")["query"]["workflow"], ["nightly"])
        first = next(iter(self.broker.leases))
        self.run_ok("leases", "end", first)
        self.assertEqual(self.broker.ended, [first])
        self.assertIn("2 leases ended", self.run_ok("leases", "end", "--credential", "Acme prod Slack"))
        self.assertEqual(self.broker.last("DELETE", "/v1/leases")["query"]["credential"], [self.slack["id"]])
        self.assertEqual(self.run_it("leases", "end").returncode, 2)

    def test_the_audit_log_is_read_and_filtered(self):
        shown = self.run_ok("audit", "--principal", "worker:etl", "--since", "2026-11-22T10:00:00Z", "--limit", "3")
        self.assertEqual(len(shown.splitlines()), 4)
        self.assertIn("lease.refused (forbidden) \u00d75", shown)
        self.assertEqual(self.broker.last("GET", "/v1/audit")["query"]["principal"], ["worker:etl"])
        self.assertEqual(len(self.run_json("audit", "--limit", "0")["items"]), 5)
        self.run_ok("audit", "third")
        self.assertEqual(self.broker.asked[-1]["words"][2], "audit")
        self.run_ok("audit", "cred_00000000000000000000000099")  # one that is gone: its id is not looked up

    def test_verify_says_whether_the_log_is_whole(self):
        self.assertIn("whole", self.run_ok("audit", "verify", "--head", "812:abc"))
        self.assertEqual(self.broker.asked[-1]["query"]["head"], ["812:abc"])
        self.broker.verdict.update(ok=False, first_bad=7, problem="The chain is broken.")
        done = self.run_it("audit", "verify")
        self.assertEqual(done.returncode, 1)
        self.assertIn("DAMAGED", done.stdout)
        self.assertIn("7", done.stdout)

    def test_a_word_that_a_subcommand_has_no_place_for_is_refused(self):
        asked = len(self.broker.asked)
        for words in (["audit", "verify", "1:00"], ["audit", "third", "verify"], ["members", "add", "a", "user:b", "editor", "c"]):
            done = self.run_it(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("not understood", done.stderr)
        self.assertEqual(len(self.broker.asked), asked)

    def test_workspaces_and_members_are_kept(self):
        self.run_ok("workspaces", "create", "acme")
        self.assertIn("acme", self.run_ok("workspaces"))
        self.run_ok("members", "add", "acme", "user:flows/alice", "editor")
        self.assertEqual(self.broker.workspaces["acme"], {"user:flows/alice": "editor"})
        self.assertIn("editor", self.run_ok("members", "acme"))
        self.run_ok("members", "remove", "acme", "user:flows/alice")
        self.assertEqual(self.broker.workspaces["acme"], {})
        self.assertEqual(self.run_it("workspaces", "delete", "acme").returncode, 2)
        self.run_ok("workspaces", "delete", "acme", "--yes")
        self.assertNotIn("acme", self.broker.workspaces)
        self.assertEqual(self.run_it("members").returncode, 2)

    def test_status_is_for_people_and_programs(self):
        shown = self.run_ok("status")
        self.assertIn("memfd_secret", shown)
        self.assertIn("rocksdb, healthy", shown)
        self.assertEqual(self.run_json("status")["state"], "ready")

    def test_completions_offer_commands_and_options(self):
        script = self.run_ok("completions", "bash")
        probe = script + '\nCOMP_WORDS=(credlease audit ver); COMP_CWORD=2; _credlease; echo "${COMPREPLY[@]}"' + \
            '\nCOMP_WORDS=(credlease exec --f); COMP_CWORD=2; _credlease; echo "${COMPREPLY[@]}"' + \
            '\nCOMP_WORDS=(credlease exec -- li); COMP_CWORD=3; COMPREPLY=(); _credlease; echo "none:${COMPREPLY[@]}"'
        path = self.file("probe", probe)
        import subprocess
        said = subprocess.run(["bash", path], capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertEqual(said, ["verify", "--file", "none:"])
        self.assertIn("#compdef credlease", self.run_ok("completions", "zsh"))
        self.assertIn("complete -c credlease", self.run_ok("completions", "fish"))
        self.assertEqual(self.run_it("completions", "tcsh").returncode, 2)


if __name__ == "__main__":
    unittest.main()
