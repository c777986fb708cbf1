"""The address that the browser was sent to is pasted, or given on standard input."""
import unittest

from authorization import ADDRESS, CODE, QUESTION, AuthorizationTest
from command import PROGRAM
from stand_in_oauth import AUTHORIZE_URL, REDIRECT_URI


class Addresses(AuthorizationTest):
    def test_the_address_is_read_from_standard_input_where_that_is_no_terminal(self):
        inbox = self.inbox()
        for ending in ("", "\n", "\r\n"):
            done = self.run_it("reauthorize", inbox["name"], input=ADDRESS + ending)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout, f"Connected {inbox['name']} ({inbox['id']}).\n")
            self.assertIn(f"\n  {AUTHORIZE_URL}\n", done.stderr)
            self.assertIn(f"The browser is then sent to {REDIRECT_URI}\u2026", done.stderr)
            self.assertNotIn(CODE, done.stderr)
        self.assertEqual(self.begun(), [{"credential": inbox["id"]}] * 3)
        self.assertEqual(self.completed(), [{"redirect_url": ADDRESS}] * 3)

    def test_a_pasted_address_is_shown_nowhere_whatever_comes_of_it(self):
        inbox = self.inbox()
        terminal = self.on_terminal("reauthorize", "inbox \u00fc").wait_for(QUESTION)
        self.assertFalse(terminal.echoes())
        self.assertEqual(terminal.type(ADDRESS + "\n").end(), 0, terminal.shown)
        self.assertNotIn(CODE, terminal.shown)
        wrong = self.run_it("reauthorize", inbox["id"], input=f"https://elsewhere.example/?code={CODE}")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("This is not the address of this authorization. Paste the whole address.", wrong.stderr)
        self.broker.provider_refuses = "The provider refused: invalid_grant"
        failed = self.run_it("reauthorize", inbox["id"], input=ADDRESS)
        self.assertEqual(failed.returncode, 1)
        argument = self.run_it("reauthorize", inbox["id"], ADDRESS)
        self.assertEqual(argument.returncode, 2)
        for done in (wrong, failed, argument):
            self.assertNotIn(CODE, done.stdout + done.stderr)

    def test_after_a_wrong_address_another_is_asked_for(self):
        inbox = self.inbox()
        terminal = self.on_terminal("reauthorize", inbox["id"]).wait_for(QUESTION)
        for wrong in (f"https://elsewhere.example/?code={CODE}", "no address"):
            terminal.shown = ""
            terminal.type(wrong + "\n").wait_for("Paste the whole address.").wait_for(QUESTION)
            self.assertFalse(terminal.echoes())
            self.assertNotIn(CODE, terminal.shown)
        self.assertEqual(terminal.type(ADDRESS + "\n").end(), 0, terminal.shown)
        self.assertIn(f"Connected {inbox['name']}", terminal.shown)
        self.assertNotIn(CODE, terminal.shown)
        self.assertNotIn("To go on", terminal.shown)
        self.assertEqual((len(self.begun()), len(self.completed())), (1, 3))

    def test_a_wrong_address_that_cannot_be_asked_for_again_says_how_to_go_on(self):
        inbox = self.inbox()
        said = f"Paste the whole address.\nTo go on: credlease reauthorize {inbox['id']}\n"
        done = self.run_it("reauthorize", inbox["id"], input="no address")
        self.assertEqual(done.returncode, 1)
        self.assertIn(said, done.stderr)
        terminal = self.on_terminal("reauthorize", inbox["id"]).wait_for(QUESTION)
        wrong_address = self.broker.complete

        def end_meanwhile(number, address):
            self.broker.authorizations[number]["state"] = "failed"
            return wrong_address(number, address)

        self.broker.complete = end_meanwhile
        self.assertEqual(terminal.type("no address\n").end(), 1)
        self.assertIn(said.replace("\n", "\r\n"), terminal.shown)

    def test_without_an_address_nothing_is_sent_and_the_authorization_waits(self):
        inbox = self.inbox()
        for text in (None, "\n"):
            done = self.run_it("reauthorize", inbox["id"], input=text)
            self.assertEqual(done.returncode, 2)
            self.assertIn(AUTHORIZE_URL, done.stderr)
            self.assertIn("No address was given. Nothing was sent.", done.stderr)
            self.assertIn(f"credlease reauthorize {inbox['id']}", done.stderr)
        terminal = self.on_terminal("reauthorize", inbox["id"]).wait_for(QUESTION).type("\n")
        self.assertEqual(terminal.end(), 2)
        self.assertEqual(self.completed(), [])
        self.run_ok("reauthorize", inbox["id"], input=ADDRESS)
        self.assertEqual(len(self.broker.authorizations), 1)

    def test_a_terminal_whose_questions_go_elsewhere_is_not_read_from(self):
        inbox = self.inbox()
        terminal = self.on_terminal("-c", f'"$CREDLEASE_PROGRAM" reauthorize {inbox["id"]} 2>"{self.directory.name}/said"',
                                    program="/bin/sh", CREDLEASE_PROGRAM=PROGRAM)
        self.assertEqual(terminal.end(), 2)
        with open(f"{self.directory.name}/said") as said:
            self.assertIn("No address was given.", said.read())
        self.assertEqual(self.completed(), [])

    def test_an_address_that_was_pasted_twice_in_one_is_given_once(self):
        terminal = self.on_terminal("reauthorize", self.inbox()["id"]).wait_for(QUESTION).type(ADDRESS + ADDRESS + "\n")
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.assertEqual(self.completed(), [{"redirect_url": ADDRESS}])


if __name__ == "__main__":
    unittest.main()
