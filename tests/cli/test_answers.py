"""What the commands ask for and print: tables for people, JSON for programs, and exit statuses."""
import datetime
import json
import os
import subprocess
import unittest

from command import PROGRAM, CommandTest, surroundings


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

    def test_help_and_version_are_commands_too(self):
        bare = self.run_it()
        self.assertEqual(bare.returncode, 2)
        self.assertIn("Store a new credential", bare.stderr)
        self.assertEqual(self.run_ok("help"), bare.stderr)
        self.assertEqual(self.run_ok("help", "audit", "verify"), self.run_ok("audit", "verify", "--help"))
        self.assertEqual(self.run_it("help", "lst").returncode, 2)
        self.assertEqual(self.run_ok("version"), self.run_ok("--version"))
        self.assertIn("(required)", self.run_ok("help", "delete"))
        self.assertIn("add a new credential and delete the old one", self.run_ok("edit", "--help"))

    def test_without_a_broker_the_places_that_were_tried_are_named(self):
        here = self.directory.name
        lost = {"CREDLEASE_SOCKET": "", "CREDLEASE_ADMIN_SOCKET": "", "XDG_RUNTIME_DIR": here, "XDG_STATE_HOME": here,
                "HOME": here}
        done = self.run_it("list", env=lost)
        if os.path.exists("/run/credlease"):
            self.skipTest("a broker of the system's may be there")
        self.assertEqual(done.returncode, 3)
        for text in (here + "/credlease/admin.sock", "/run/credlease/admin.sock", "systemctl start credleased"):
            self.assertIn(text, done.stderr)
        told = self.run_it("--socket", here + "/none", "list")
        self.assertEqual(told.returncode, 3)
        self.assertIn(here + "/none", told.stderr)
        self.assertNotIn("/run/credlease", told.stderr)

    def test_who_may_not_use_admin_sock_reads_at_lease_sock(self):
        shut = {"CREDLEASE_ADMIN_SOCKET": os.path.join(self.directory.name, "none")}
        self.assertEqual(len(self.run_json("list", env=shut)["items"]), 3)
        self.assertIn(self.socket, self.run_ok("status", env=shut))
        self.run_ok("leases", env=shut)
        self.run_ok("services", "postgres", env=shut)
        self.assertEqual(self.run_it("show", "third", env=shut).returncode, 3)

    def test_an_ambiguous_name_names_the_candidates(self):
        twin = self.broker.put("http-bearer", "third", {"token": "t"})
        done = self.run_it("show", "third")
        self.assertEqual(done.returncode, 1)
        self.assertIn(twin["id"] + "  workspace:default", done.stderr)
        self.assertIn(twin["id"], json.loads(self.run_it("show", "third", "--json").stderr)["candidates"])

    def test_what_a_name_did_not_reach_is_named(self):
        for command in (["show", "nothing"], ["edit", "nothing", "--name", "x"], ["delete", "nothing", "--yes"],
                        ["revoke", "nothing", "--yes"], ["restore", "nothing"], ["reauthorize", "nothing"], ["refresh", "nothing"], ["audit", "nothing"], ["leases", "--credential", "nothing"],
                        ["grant", "--workflow", "w", "--ttl", "1h", "--credential", "nothing"]):
            done = self.run_it(*command)
            self.assertEqual(done.returncode, 1)
            self.assertIn('"nothing"', done.stderr)
            self.assertIn("credlease list", done.stderr)
            self.assertNotIn("/v1/", done.stderr)

    def test_a_scope_that_needs_a_user_says_so(self):
        self.assertIn("A personal scope needs a user; you are none.", self.run_it("list", "--scope", "personal").stderr)

    def test_a_rotation_that_nobody_asked_for_is_shown_once_it_is_overdue(self):
        due = {"every": "90d", "due_at": "2027-01-01T00:00:00.000Z", "overdue": False}
        self.slack["rotation"] = due
        self.assertNotIn("rotation", self.run_ok("show", self.slack["id"]))
        self.slack["rotation"] = {**due, "overdue": True}
        self.assertIn("2027-01-01", self.run_ok("show", self.slack["id"]))
        self.slack["rotation"] = {**due, "every": "30d"}
        self.assertIn("2027-01-01", self.run_ok("show", self.slack["id"]))

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
        count = len(self.broker.asked)
        alone = self.run_it("edit", "Slack", "--field", "token=-", input="xoxb-2")
        self.assertEqual(alone.returncode, 2)
        self.assertIn("add a new credential and delete the old one", alone.stderr)
        self.assertFalse(any(a["method"] == "PATCH" for a in self.broker.asked[count:]))
        self.run_ok("edit", "Slack", "--field", "token=-", "--field", "base_url=https://y", input="xoxb-2")
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
        self.assertIn("or delete it all the same: credlease delete ID --force.", refused.stderr)
        self.run_ok("delete", "Acme prod Slack", "--force")
        self.assertNotIn(self.slack["id"], self.broker.credentials)

    def test_a_revoke_asks_first_and_says_what_stays_valid(self):
        self.assertEqual(self.run_it("revoke", "Acme prod Slack").returncode, 2)
        self.assertEqual(self.on_terminal("revoke", "Acme prod Slack").wait_for("[y/N]").type("n\n").end(), 2)
        self.assertFalse(any(a["method"] == "POST" for a in self.broker.asked))
        asked = self.on_terminal("revoke", "Acme prod Slack").wait_for("Its leases end at once. [y/N]").type("y\n")
        asked.wait_for("its leases have ended.\r\nWhat was handed out stays valid.")
        self.assertEqual(asked.end(), 0)
        self.assertIn("revoked", self.run_ok("show", "Acme prod Slack"))
        self.assertIn("was revoked already.", self.run_ok("revoke", "Acme prod Slack"))
        self.assertEqual(self.run_json("revoke", "Acme prod Slack")["note"], "What was handed out stays valid.")
        self.assertIn("stays valid at its service", self.run_ok("help", "revoke"))

    def test_a_revoke_and_a_restore_send_the_id_and_the_revision_that_they_saw(self):
        self.run_ok("revoke", "Acme prod Slack", "--yes")
        sent = self.broker.last("POST", "/v1/credentials")
        self.assertEqual(sent["words"], ["credentials", self.slack["id"], "revoke"])
        self.assertEqual((sent["headers"]["If-Match"], sent["body"]), ('"1"', "{}"))
        self.assertIn("it is active again.", self.run_ok("restore", "Acme prod Slack"))
        sent = self.broker.last("POST", "/v1/credentials")
        self.assertEqual(sent["words"], ["credentials", self.slack["id"], "restore"])
        self.assertEqual((sent["headers"]["If-Match"], sent["body"]), ('"2"', "{}"))
        self.assertIn("was not revoked.", self.run_ok("restore", "Acme prod Slack"))
        self.assertEqual(self.run_json("restore", self.slack["id"])["status"], "active")

    def test_a_restore_to_what_nobody_gets_anything_from_says_why_and_what_helps(self):
        self.broker.restored_to = {"status": "expired", "status_reason": "its tokens were revoked at the provider", "oauth": {}}
        self.run_ok("revoke", "--yes", "Acme prod Slack")
        self.assertIn("; it is expired: its tokens were revoked at the provider.\n"
                      f"Authorize it with: credlease reauthorize {self.slack['id']}\n", self.run_ok("restore", "Acme prod Slack"))

    def test_services_are_listed_and_shown(self):
        self.assertIn("PostgreSQL", self.run_ok("services"))
        shown = self.run_ok("services", "postgres")
        self.assertRegex(shown, r"password +string +secret, required")
        self.assertRegex(shown, r"FIELD +TYPE +DEFAULT +REMARKS +MEANING")
        self.assertIn("a whole number, such as 5432", shown)
        self.assertIn("A destination decides where the secret goes", shown)
        self.assertEqual(self.run_json("services", "postgres")["id"], "postgres")

    def test_a_field_that_the_service_fills_is_shown_as_filled(self):
        self.broker.services["oauth"] = {"id": "oauth", "name": "O", "auth": [{"name": "oauth2", "label": "O", "fields": [
            {"name": "client_id", "type": "string", "label": "Client ID", "source": "person"},
            {"name": "access_token", "type": "string", "label": "Token", "secret": True, "source": "tokens"},
            {"name": "realm", "type": "string", "label": "Realm", "source": "answer"}]}]}
        rows = {line.split()[0]: line for line in self.run_ok("services", "oauth").splitlines() if line.split()}
        self.assertNotIn("filled", rows["client_id"])
        self.assertIn("secret, filled", rows["access_token"])
        self.assertIn("filled", rows["realm"])

    def test_leases_are_listed_and_ended(self):
        for _ in range(3):
            self.run_ok("lease", "third")
        self.assertEqual(len(self.run_json("leases")["items"]), 3)
        self.assertIn("third", self.run_ok("leases", "--workflow", "nightly"))
        self.assertEqual(self.broker.last("GET", "/v1/leases")["query"]["workflow"], ["nightly"])
        self.assertRegex(self.run_ok("leases").splitlines()[1], r"operator:root +- ")
        self.broker.leases[next(reversed(self.broker.leases))].pop("bind")
        self.assertRegex(self.run_ok("leases").splitlines()[3], r"operator:root +7 ")
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
        self.assertIn("Acme prod Slack", shown)
        self.assertIn("uid 0 (root) [9]", shown)
        self.assertRegex(shown, r"Acme prod Slack +The provider refused: access_denied\n")
        self.assertEqual(len(self.run_json("audit", "--limit", "0")["items"]), 5)
        self.run_ok("audit", "third")
        self.assertTrue(any(a["words"][2:] == ["audit"] for a in self.broker.asked))
        self.run_ok("audit", "cred_00000000000000000000000099")  # one that is gone: its id is not looked up

    def test_a_time_may_be_so_long_ago(self):
        self.run_ok("audit", "--since", "1h", "--until", "2m")
        query = self.broker.last("GET", "/v1/audit")["query"]
        since, until = (datetime.datetime.fromisoformat(query[name][0].replace("Z", "+00:00")) for name in ("since", "until"))
        self.assertAlmostEqual((until - since).total_seconds(), 58 * 60, delta=1)
        now = datetime.datetime.now(datetime.timezone.utc)
        self.assertAlmostEqual((now - until).total_seconds(), 120, delta=60)
        done = self.run_it("audit", "--since", "yesterday")
        self.assertEqual(done.returncode, 2)
        self.assertIn("such as 1h", done.stderr)

    def test_a_terminal_is_told_that_there_is_more(self):
        shown = self.on_terminal("audit", "--limit", "2").wait_for("--limit 0 for all")
        self.assertEqual(shown.end(), 0)
        self.assertIn("2 shown; --limit 0 for all.", shown.shown)
        whole = self.on_terminal("list").wait_for("third")
        whole.end()
        self.assertNotIn("--limit", whole.shown)
        self.assertEqual(self.run_it("audit", "--limit", "2").stderr, "")

    def test_verify_says_whether_the_log_is_whole(self):
        head = "812:" + "0a" * 32
        self.assertIn("whole", self.run_ok("audit", "verify", "--head", head))
        self.assertEqual(self.broker.asked[-1]["query"]["head"], [head])
        for malformed in ("x", "812:abc", ":" + "0a" * 32, head + "0", "812:" + "0g" * 32):
            done = self.run_it("audit", "verify", "--head", malformed)
            self.assertEqual(done.returncode, 2)
            self.assertIn("--head is SEQ:HEX", done.stderr)
            self.assertNotIn("DAMAGED", done.stdout)
        self.broker.verdict.update(ok=False, first_bad=7, problem="The chain is broken.")
        done = self.run_it("audit", "verify")
        self.assertEqual(done.returncode, 1)
        self.assertIn("DAMAGED", done.stdout)
        self.assertIn("7", done.stdout)

    def test_workspaces_and_members_are_kept(self):
        self.assertIn("is there", self.run_ok("workspaces", "create", "acme"))
        self.assertIn("was there already", self.run_ok("workspaces", "create", "acme"))
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

    def test_oauth_clients_are_set_shown_listed_and_deleted(self):
        shown = self.run_ok("oauth-client", "set", "chat", "--client-id", "app-1", "--public", "--field", "site=acme")
        self.assertIn("Register this redirect URI", shown)
        self.assertIn("\nhttp://127.0.0.1:7466/oauth/callback\n", shown)
        self.broker.clients.update({name: {"client_id": "x", "client_secret": "s"} for name in ("a", "b")})
        for words in ("app-1", "none: a public client", "acme", "http://127.0.0.1:7466/oauth/callback", "by operator:root"):
            self.assertIn(words, self.run_ok("oauth-client", "show", "chat"))
        listed = self.run_ok("oauth-client", "list").splitlines()
        self.assertEqual([line.split()[0] for line in listed], ["SERVICE", "a", "b", "chat"])
        self.assertEqual(len(self.run_json("oauth-client", "list")["items"]), 3)
        self.assertEqual(self.run_json("oauth-client", "show", "a")["client_secret"], {"set": True})
        made = self.run_json("oauth-client", "set", "chat", "--client-id", "app-2", "--public")
        self.assertEqual(made["redirect_uri"], "http://127.0.0.1:7466/oauth/callback")
        self.assertEqual(self.run_it("oauth-client", "delete", "chat").returncode, 2)
        self.assertIn("chat", self.broker.clients)
        terminal = self.on_terminal("oauth-client", "delete", "chat").wait_for("[y/N]").type("y\n")
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.assertEqual(self.run_json("oauth-client", "delete", "b", "--yes"), {"deleted": "b"})
        self.assertEqual(list(self.broker.clients), ["a"])
        self.assertEqual(self.run_it("oauth-client", "show", "chat").returncode, 1)
        self.assertEqual(self.run_it("oauth-client").returncode, 2)

    def test_status_is_for_people_and_programs(self):
        shown = self.run_ok("status")
        self.assertIn("memfd_secret", shown)
        self.assertIn("rocksdb, healthy", shown)
        self.assertEqual(self.run_json("status")["state"], "ready")

    def test_status_shows_the_config_that_is_in_force_and_why_a_newer_one_is_not(self):
        config = {"file": "/etc/credlease/credleased.toml", "loaded_at": "2027-01-01T00:00:00.250Z"}
        self.broker.status["config"] = config
        done = self.run_it("status")
        self.assertRegex(done.stdout, r"config +/etc/credlease/credleased.toml, as it was at 2027-01-01T00:00:00Z\n")
        self.assertNotIn("reload", done.stdout + done.stderr)
        config["error"] = "credleased.toml:7: An unknown key. Remove it."
        done = self.run_it("status")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"reload refused +credleased.toml:7: An unknown key. Remove it.\n")
        self.assertIn("credleased --check-config", done.stderr)

    def test_completions_offer_services_and_names_of_credentials(self):
        script = self.run_ok("completions", "bash")
        words = [("add", "post"), ("show", "Acme"), ("revoke", "Acme"), ("restore", "th"), ("lease", "th"),
                 ("reauthorize", "th"), ("refresh", "th"), ("completions", "b")]
        probe = script + f"\ncredlease() {{ '{PROGRAM}' \"$@\"; }}\n" + "".join(
            f'COMP_WORDS=(credlease {c} {w}); COMP_CWORD=2; COMPREPLY=(); _credlease; echo "${{COMPREPLY[@]}}"\n'
            for c, w in words) + "COMP_WORDS=(credlease show 'Acme\\ pr'); COMPREPLY=(); _credlease; echo \"${COMPREPLY[@]}\"\n"
        self.broker.clients["chat"] = {"client_id": "x"}
        probe += "".join(f'COMP_WORDS=(credlease oauth-client {c} {w}); COMP_CWORD=3; COMPREPLY=(); _credlease; echo "${{COMPREPLY[@]}}"\n'
                         for c, w in (("set", "post"), ("show", "ch"), ("delete", "ch"))) + \
            "COMP_WORDS=(credlease oauth-client d); COMP_CWORD=2; COMPREPLY=(); _credlease; echo \"${COMPREPLY[@]}\"\n"
        done = subprocess.run(["bash", self.file("probe", probe)], capture_output=True, text=True, check=True,
                              env=surroundings(self.socket))
        self.assertEqual(done.stdout.splitlines(), ["postgres"] + ["Acme\\ prod\\ Slack"] * 2 + ["third"] * 4 + ["bash", "Acme\\ prod\\ Slack"] +
                         ["postgres", "chat", "chat", "delete"])

    def test_completions_offer_commands_and_options(self):
        script = self.run_ok("completions", "bash")
        probe = script + '\nCOMP_WORDS=(credlease audit ver); COMP_CWORD=2; _credlease; echo "${COMPREPLY[@]}"' + \
            '\nCOMP_WORDS=(credlease exec --f); COMP_CWORD=2; _credlease; echo "${COMPREPLY[@]}"' + \
            '\nCOMP_WORDS=(credlease exec -- li); COMP_CWORD=3; COMPREPLY=(); _credlease; echo "none:${COMPREPLY[@]}"'
        path = self.file("probe", probe)
        said = subprocess.run(["bash", path], capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertEqual(said, ["verify", "--file", "none:"])
        for shell in ("bash", "zsh", "fish"):
            for command in ("reauthorize", "refresh"):
                self.assertRegex(self.run_ok("completions", shell), rf"\b{command}\b")
        self.assertIn("#compdef credlease", self.run_ok("completions", "zsh"))
        self.assertIn("complete -c credlease", self.run_ok("completions", "fish"))
        self.assertEqual(self.run_it("completions", "tcsh").returncode, 2)


if __name__ == "__main__":
    unittest.main()
