"""OAuth credentials: a person authorizes them at their provider."""
import json
import os
import unittest

from authorization import ADDRESS, CODE, QUESTION, AuthorizationTest
from stand_in_answers import Refusal
from stand_in_oauth import AUTHORIZE_URL, REDIRECT_URI

TOKEN = "Rt5-refresh-token-never-shown"


class Authorizations(AuthorizationTest):
    # add

    def test_an_added_credential_asks_for_its_authorization_on_a_terminal(self):
        terminal = self.on_terminal("add", "mail", "--name", "inbox").wait_for("Added inbox").wait_for(QUESTION)
        self.assertFalse(terminal.echoes())
        self.assertIn(AUTHORIZE_URL, terminal.shown)
        self.assertIn(REDIRECT_URI, terminal.shown.replace(AUTHORIZE_URL, ""))
        self.assertEqual(terminal.type(ADDRESS + "\n").end(), 0, terminal.shown)
        made = next(iter(self.broker.credentials.values()))
        self.assertIn(f"Connected inbox ({made['id']}).", terminal.shown)
        self.assertNotIn(CODE, terminal.shown)
        self.assertEqual(self.begun(), [{"credential": made["id"]}])
        self.assertEqual(self.completed(), [{"redirect_url": ADDRESS}])
        self.assertEqual(made["status"], "active")

    def test_where_nobody_can_be_asked_add_begins_the_authorization_and_says_how_it_goes_on(self):
        done = self.run_it("add", "mail", "--name", "inbox")
        made = next(iter(self.broker.credentials.values()))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "") # what belongs together is in one place
        self.assertIn(f"\n  {AUTHORIZE_URL}\n", done.stdout)
        self.assertIn("may fail to load: copy its whole address.\n\nTo connect it, give that address on standard input, until 2", done.stdout)
        self.assertTrue(done.stdout.startswith(f"Added inbox ({made['id']}).\n"))
        self.assertTrue(done.stdout.endswith(f"to: credlease reauthorize {made['id']}\n"))
        self.assertEqual(self.begun(), [{"credential": made["id"]}])
        self.assertIn("Connected inbox", self.run_ok("reauthorize", made["id"], input=ADDRESS))
        self.assertEqual(len(self.broker.authorizations), 1)
        self.run_ok("add", "http-bearer", "--name", "x", "--field", "token=-", input="t")
        self.assertEqual(len(self.broker.authorizations), 1)

    def test_where_nobody_can_be_asked_nothing_is_opened_and_nothing_waited_for(self):
        program, said = self.browser()
        self.broker.start_url = "http://127.0.0.1:7466/oauth/start/auth_1"
        done = self.run_it("add", "mail", "--name", "inbox", env={"BROWSER": program})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"\n  {AUTHORIZE_URL}\n", done.stdout)
        self.assertFalse(os.path.exists(said))
        self.broker.start_url = "https://broker.example/oauth/start/auth_2" # behind a proxy it ends by itself
        done = self.run_it("add", "mail", "--name", "other")
        self.assertIn(f"\n  {self.broker.start_url}\n", done.stdout)
        self.assertRegex(done.stdout, r"It is connected once that is done, until 2.*Z\. To see .*: credlease show cred_")
        self.assertNotIn("paste", done.stdout + done.stderr)

    def test_with_device_add_shows_the_code_and_waits_only_on_a_terminal(self):
        self.broker.user_code = "WDJB-MJHT"
        done = self.run_it("add", "mail", "--name", "inbox", "--device")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("\n  https://mail.example/device\n  WDJB-MJHT\n\nIt is connected once that is done, until 2", done.stdout)
        self.assertEqual(done.stderr, "")
        self.assertEqual(self.begun()[0]["flow"], "device")
        terminal = self.on_terminal("add", "mail", "--name", "other", "--device").wait_for("Waiting until that is done")
        self.broker.agree()
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.assertIn("Connected other", terminal.shown)

    def test_what_needs_no_person_is_connected_by_add_or_says_why_not(self):
        self.broker.needs_no_person = True
        done = self.run_it("add", "mail", "--name", "inbox")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^Added inbox \((cred_\w+)\)\.\nConnected inbox \(\1\)\.\n$")
        self.broker.provider_refuses = "invalid_client"
        refused = self.run_it("add", "mail", "--name", "other")
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stdout, r"^Added other \(cred_\w+\)\.\n$")
        self.assertIn("The provider gave no token.", refused.stderr)
        self.assertNotIn("reauthorize", refused.stdout + refused.stderr)

    def test_with_json_what_is_added_says_what_a_person_has_to_do_and_is_waited_for_nowhere(self):
        made = self.run_json("add", "mail", "--name", "inbox")
        begun = made["authorization"]
        self.assertEqual((made["status"], begun["state"], begun["authorize_url"]), ("pending", "pending", AUTHORIZE_URL))
        self.assertRegex(begun["next_step"], rf"opens authorize_url .* until 2.*Z\. .*: credlease reauthorize {made['id']}$")
        terminal = self.on_terminal("--json", "add", "mail", "--name", "other")
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.assertEqual(json.loads(terminal.shown)["authorization"]["credential"], json.loads(terminal.shown)["id"])
        self.broker.user_code = "WDJB-MJHT"
        made = self.run_json("add", "mail", "--name", "code", "--device")
        self.assertEqual(made["authorization"]["user_code"], "WDJB-MJHT")
        self.assertRegex(made["authorization"]["next_step"], rf"user_code at verification_uri, .*: credlease show {made['id']}$")
        self.assertNotIn("authorization", self.run_json("add", "http-bearer", "--name", "x", "--field", "token=-", input="t"))

    def test_with_json_what_needs_no_person_is_connected_by_add_or_says_why_not(self):
        self.broker.needs_no_person = True
        made = self.run_json("add", "mail", "--name", "inbox")
        self.assertEqual((made["status"], made["authorization"]["state"]), ("active", "connected"))
        self.broker.provider_refuses = "invalid_client"
        done = self.run_it("--json", "add", "mail", "--name", "other")
        self.assertEqual(done.returncode, 1)
        made = json.loads(done.stdout) # it is stored all the same
        self.assertEqual((made["status"], made["authorization"]["state"]), ("pending", "failed"))
        self.assertIn("The provider gave no token.", made["authorization"]["error"])
        self.assertIn(f"credlease reauthorize {made['id']}", made["authorization"]["next_step"])

    def test_an_added_credential_whose_authorization_fails_stays_and_is_named(self):
        self.broker.provider_refuses = "The provider refused: access_denied"
        terminal = self.on_terminal("add", "mail", "--name", "inbox").wait_for(QUESTION).type(ADDRESS + "\n")
        self.assertEqual(terminal.end(), 1)
        made = next(iter(self.broker.credentials.values()))
        self.assertIn(f"access_denied\r\nTry again with: credlease reauthorize {made['id']}", terminal.shown)

    def test_a_stored_credential_whose_authorization_could_not_begin_is_told_with_how_it_goes_on(self):
        self.broker.begin_refusal = Refusal(400, "invalid_request", "It is no URL.", field="fields.site")
        done = self.run_it("add", "mail", "--name", "inbox", "--device")
        made = next(iter(self.broker.credentials.values()))["id"]
        self.assertEqual((done.returncode, done.stdout), (1, f"Added inbox ({made}).\n"))
        ways = (f"mend it: credlease edit {made} --field site=VALUE (where that says where secrets go, with each of "
                f"them: --field NAME=-).\nThen: credlease reauthorize {made} --device")
        self.assertEqual(done.stderr, f"credlease: It is no URL. [--field site]\nIt is stored. To go on, {ways}\n"
                                      f"Or give it up: credlease delete {made}\n")
        again = self.run_it("reauthorize", made, "--device")
        self.assertIn("M" + ways[1:], again.stderr)
        self.assertNotIn("delete", again.stderr)
        as_json = json.loads(self.run_it("--json", "add", "mail", "--name", "other").stdout)
        self.assertEqual(as_json["authorization"]["field"], "fields.site")
        self.assertIn(f"credlease edit {as_json['id']} --field site=VALUE", as_json["authorization"]["next_step"])

    def test_an_added_credential_that_needs_no_person_is_connected_on_a_terminal_without_a_question(self):
        self.broker.needs_no_person = True
        terminal = self.on_terminal("add", "mail", "--name", "inbox")
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.assertIn("Connected inbox", terminal.shown)
        self.assertNotIn(QUESTION, terminal.shown)

    # reauthorize

    def browser(self):
        """A program that is BROWSER, and what it was told to open."""
        program, said = (f"{self.directory.name}/{name}" for name in ("browser", "opened"))
        with open(program, "w") as file:
            file.write(f'#!/bin/sh\nenv >"{said}.env"\necho "$@" >"{said}.new"\nmv "{said}.new" "{said}"\n')
        os.chmod(program, 0o700)
        return program, said

    def come_back_once_opened(self, said):
        self.wait_until(lambda: os.path.exists(said))
        self.broker.come_back(next(iter(self.broker.authorizations)))

    def test_a_browser_is_opened_at_the_start_page_and_its_coming_back_ends_the_question(self):
        self.broker.start_url = "http://127.0.0.1:7466/oauth/start/auth_1"
        inbox, (program, said) = self.inbox(), self.browser()
        terminal = self.on_terminal("reauthorize", inbox["id"], BROWSER=program, CREDLEASE_GRANT="clg_secret").wait_for(QUESTION)
        self.come_back_once_opened(said)
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.assertIn(f"Connected {inbox['name']}", terminal.shown)
        self.assertIn(f"  {self.broker.start_url}\r\n", terminal.shown)
        self.assertNotIn(AUTHORIZE_URL, terminal.shown)
        self.assertEqual(self.completed(), [])
        with open(said) as opened, open(said + ".env") as env:
            self.assertEqual(opened.read(), self.broker.start_url + "\n")
            self.assertNotIn("clg_secret", env.read())

    def test_an_address_may_be_pasted_while_a_browser_is_waited_for(self):
        self.broker.start_url = "http://127.0.0.1:7466/oauth/start/auth_1"
        inbox, (program, said) = self.inbox(), self.browser()
        terminal = self.on_terminal("reauthorize", inbox["id"], BROWSER=program).wait_for(QUESTION).type(ADDRESS + "\n")
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.wait_until(lambda: os.path.exists(said)) # it outlives the command, and writes in this test's directory
        self.assertEqual(self.completed(), [{"redirect_url": ADDRESS}])

    def test_without_a_terminal_a_browser_that_was_opened_is_waited_for(self):
        self.broker.start_url = "http://127.0.0.1:7466/oauth/start/auth_1"
        inbox, (program, said) = self.inbox(), self.browser()
        started = self.start("reauthorize", inbox["id"], BROWSER=program)
        self.come_back_once_opened(said)
        self.assertEqual(started.communicate(timeout=30)[0], f"Connected {inbox['name']} ({inbox['id']}).\n")

    def test_over_ssh_the_provider_s_address_is_shown_and_the_one_that_fails_to_load_is_pasted(self):
        self.broker.start_url = "http://127.0.0.1:7466/oauth/start/auth_1"
        inbox, (program, said) = self.inbox(), self.browser()
        env = {"BROWSER": program, "SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"}
        done = self.run_it("reauthorize", inbox["id"], input=ADDRESS, env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"\n  {AUTHORIZE_URL}\n", done.stderr)
        self.assertIn("may fail to load: copy its whole address, and paste it here", done.stderr)
        self.assertFalse(os.path.exists(said))
        # Behind a proxy the start page is for every browser.
        self.broker.start_url = "https://broker.example/oauth/start/auth_2"
        done = self.run_it("reauthorize", inbox["id"], input=ADDRESS, env=env)
        self.assertIn(f"\n  {self.broker.start_url}\n", done.stderr)

    def test_why_no_browser_comes_back_is_said(self):
        self.broker.callback_problem = "Another program has the address that browsers come back to (127.0.0.1:7466)."
        done = self.run_it("reauthorize", self.inbox()["id"], input=ADDRESS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(self.broker.callback_problem, done.stderr)

    def test_an_address_from_elsewhere_does_not_reach_the_terminal_as_commands(self):
        self.broker.authorize_url = "https://mail.example/\033]0;owned\007"
        done = self.run_it("reauthorize", self.inbox()["id"], input=ADDRESS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("https://mail.example/?]0;owned?", done.stderr)
        self.assertNotIn("\033", done.stderr)

    def test_a_code_is_waited_for_on_a_terminal_or_where_that_is_asked_for(self):
        self.broker.user_code = "WDJB-MJHT"
        inbox = self.inbox()
        done = self.run_it("reauthorize", inbox["id"], "--device")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "") # what belongs together is in one place
        self.assertRegex(done.stdout, r"\n  https://mail.example/device\n  WDJB-MJHT\n\nIt is connected once that is done, "
                                      rf"until 2.*: credlease show {inbox['id']}\n$")
        told = self.run_json("reauthorize", inbox["id"], "--device")
        self.assertEqual((told["state"], told["user_code"]), ("pending", "WDJB-MJHT"))
        self.assertIn("credlease show", told["next_step"])
        waits = self.start("reauthorize", inbox["id"], "--device", "--wait")
        terminal = self.on_terminal("reauthorize", inbox["id"], "--device").wait_for("Waiting until that is done")
        self.wait_until(lambda: self.asked_how_it_stands() > 1)
        self.broker.agree()
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.assertEqual(waits.communicate(timeout=30)[0], f"Connected {inbox['name']} ({inbox['id']}).\n")

    def test_a_code_that_was_refused_is_tried_again_by_a_code(self):
        self.broker.user_code = "WDJB-MJHT"
        inbox = self.inbox()
        for command in (["reauthorize", inbox["id"]], ["add", "mail", "--name", "other"]):
            terminal = self.on_terminal(*command, "--device").wait_for("Waiting until that is done")
            self.broker.decline()
            self.assertEqual(terminal.end(), 1)
            self.assertRegex(terminal.shown, r"access_denied\r\nTry again with: credlease reauthorize cred_\w+ --device\r\n")

    def asked_how_it_stands(self):
        return sum(a["method"] == "GET" and a["target"].startswith("/v1/oauth/authorizations/") for a in self.broker.asked)

    def test_show_says_of_a_consent_that_it_waits_or_how_it_failed(self):
        inbox = self.inbox()
        inbox["authorization"] = {"state": "pending", "expires_at": "2027-01-01T00:00:00.250Z"}
        self.assertRegex(self.run_ok("show", inbox["id"]), r"authorization +waits for a person until 2027-01-01T00:00:00Z\n")
        inbox["authorization"] = {"state": "failed", "error": "The provider refused: access_denied"}
        self.assertRegex(self.run_ok("show", inbox["id"]), r"authorization +failed: The provider refused: access_denied\n")

    def test_what_needs_no_person_is_connected_without_a_question(self):
        self.broker.needs_no_person = True
        inbox = self.inbox()
        done = self.run_it("reauthorize", inbox["id"])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, f"Connected {inbox['name']} ({inbox['id']}).\n")
        self.assertEqual(self.run_json("reauthorize", inbox["id"])["state"], "connected")
        self.assertEqual(self.completed(), [])
        self.broker.provider_refuses = "invalid_client"
        refused = self.run_it("reauthorize", inbox["id"])
        self.assertEqual(refused.returncode, 1)
        self.assertIn("The provider gave no token. It is asked again by itself.", refused.stderr)

    def test_a_failed_authorization_is_told_in_the_providers_words_with_a_next_step(self):
        inbox = self.inbox()
        self.broker.provider_refuses = "The provider refused: access_denied (she said \033[31mno)"
        done = self.run_it("reauthorize", inbox["name"], input=ADDRESS)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("credlease: The provider refused: access_denied (she said ?[31mno)\n"
                      f"Try again with: credlease reauthorize {inbox['id']}\n", done.stderr)
        self.assertEqual(inbox["status"], "pending")

    def test_with_json_an_authorization_is_json_and_a_failed_one_an_error_alone(self):
        inbox = self.inbox()
        done = self.run_it("--json", "reauthorize", inbox["id"], input=ADDRESS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(AUTHORIZE_URL, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual((answer["state"], answer["credential"]), ("connected", inbox["id"]))
        self.broker.provider_refuses = "The provider refused: access_denied"
        failed = self.run_it("--json", "reauthorize", inbox["id"], input=ADDRESS)
        self.assertEqual(failed.returncode, 1)
        self.assertEqual(failed.stdout, "")
        error = json.loads(failed.stderr.splitlines()[-1])
        self.assertEqual((error["code"], error["detail"]), ("upstream_failed", "The provider refused: access_denied"))
        self.assertIn("credlease reauthorize", error["next_step"])

    # a refresh token that a person has

    def test_a_refresh_token_is_asked_for_without_an_echo_or_read_from_standard_input(self):
        said = self.run_ok("add", "mail", "--name", "inbox", "--refresh-token", input=TOKEN + "\n")
        made = next(iter(self.broker.credentials.values()))
        self.assertEqual(said, f"Added inbox ({made['id']}).\nConnected inbox ({made['id']}).\n")
        self.assertEqual(self.begun(), [{"credential": made["id"], "refresh_token": TOKEN}])
        terminal = self.on_terminal("reauthorize", "inbox", "--refresh-token").wait_for("Refresh token (not shown): ")
        self.assertFalse(terminal.echoes())
        self.assertEqual(terminal.type(TOKEN + "\n").end(), 0, terminal.shown)
        self.assertNotIn(TOKEN, terminal.shown)
        self.assertEqual(self.begun()[1], {"credential": made["id"], "refresh_token": TOKEN})
        answer = self.run_json("add", "mail", "--name", "other", "--refresh-token", input=TOKEN)
        self.assertEqual(answer["state"], "connected")

    def test_a_refresh_token_that_is_refused_or_missing_is_said_without_being_repeated(self):
        inbox = self.inbox()
        self.broker.provider_refuses = "The provider refused: invalid_grant"
        done = self.run_it("reauthorize", inbox["id"], "--refresh-token", input=TOKEN)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("credlease: The provider refused: invalid_grant\nTry again with: credlease reauthorize "
                      f"{inbox['id']} (with --refresh-token where you have another)\n", done.stderr)
        begun = len(self.begun())
        for wrong, why in ((["--refresh-token"], "No refresh token was given. Nothing was sent."),
                           (["--refresh-token", TOKEN], "not repeated here: it may be a secret"),
                           (["--refresh-token=" + TOKEN], ""), (["--refresh-token", "--device"], "excludes")):
            for command in (["reauthorize", inbox["id"]], ["add", "mail", "--name", "x"]):
                refused = self.run_it(*command, *wrong, input="\n")
                self.assertEqual(refused.returncode, 2, refused.stderr)
                self.assertIn(why, refused.stderr)
                self.assertNotIn(TOKEN, refused.stderr)
        no_oauth = self.run_it("add", "http-bearer", "--name", "x", "--refresh-token", "--field", "token=@/dev/null", input=TOKEN)
        self.assertEqual(no_oauth.returncode, 2)
        self.assertIn('"http-bearer" takes no refresh token', no_oauth.stderr)
        both = self.run_it("add", "chat", "--auth", "oauth2", "--name", "x", "--refresh-token", "--field", "client_secret=-", input=TOKEN)
        self.assertEqual(both.returncode, 2)
        self.assertIn("Standard input is one value", both.stderr)
        self.assertEqual(len(self.begun()), begun)
        self.assertEqual(len(self.broker.credentials), 1)

    # edit

    def test_an_edit_that_disconnects_says_so_and_how_it_is_connected(self):
        inbox = self.inbox("active")
        self.assertNotIn("pending", self.run_ok("edit", inbox["id"], "--notes", "x"))
        way = f"connect it with credlease reauthorize {inbox['id']}.\n"
        said = self.run_ok("edit", inbox["id"], "--field", "site=https://other.example")
        self.assertEqual(said, f"Changed {inbox['name']} (revision 3).\nIt is pending now: {way}")
        self.assertIn(f"It is pending still: {way}", self.run_ok("edit", inbox["id"], "--notes", "y"))

    # Both

    def test_help_says_where_the_address_comes_from_and_what_to_do_when_a_grant_has_ended(self):
        self.assertIn("or read from standard input", self.run_ok("help", "reauthorize"))
        self.assertIn("keeps its id", self.run_ok("reauthorize", "--help"))
        self.assertIn("credlease reauthorize", self.run_ok("help", "refresh"))
        for command in ("reauthorize", "refresh"):
            self.assertIn(f"\n  {command} ", self.run_ok("help"))
            self.assertIn("credential TEXT (required)", self.run_ok("help", command))
            self.assertEqual(self.run_it(command).returncode, 2)

    def test_only_what_takes_an_oauth_client_is_asked_for_one(self):
        done = self.run_it("oauth-client", "set", "postgres", "--client-id", "1", "--public")
        self.assertEqual(done.returncode, 2)
        self.assertIn("takes no OAuth client", done.stderr)
        done = self.run_it("oauth-client", "set", "chat", "--auth", "bot", "--client-id", "1", "--public")
        self.assertEqual(done.returncode, 2)
        self.assertIn("It has: oauth2.", done.stderr)
        self.assertEqual(self.broker.clients, {})


if __name__ == "__main__":
    unittest.main()
