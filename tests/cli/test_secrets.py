"""A secret is never an argument: it comes from a file, standard input or a silent prompt."""
import json
import os
import pwd
import resource
import signal
import stat
import subprocess
import unittest

from command import PROGRAM, CommandTest, surroundings


class Secrets(CommandTest):
    def stored(self):
        return json.loads(self.broker.last("POST", "/v1/credentials")["body"])

    def test_a_secret_on_the_command_line_is_refused_and_not_repeated(self):
        done = self.run_it("add", "http-bearer", "--name", "x", "--field", "token=xoxb-oops")
        self.assertEqual(done.returncode, 2)
        self.assertIn("ps(1)", done.stderr)
        self.assertNotIn("xoxb-oops", done.stderr + done.stdout)
        self.assertEqual(self.broker.credentials, {})

    def test_an_argument_that_is_not_understood_is_not_repeated(self):
        done = self.run_it("add", "http-bearer", "--feild", "token=xoxb-oops", "--tokn=xoxb-oops")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--feild", done.stderr)
        self.assertNotIn("xoxb-oops", done.stderr)

    def test_a_secret_as_an_option_is_told_how_it_is_given_and_is_not_repeated(self):
        for command in (["oauth-client", "set", "chat", "--client-id", "abc"], ["add", "chat", "--name", "x"], ["edit", "x"]):
            for typed in (["--client-secret", "Zq7-oops"], ["--client-secret=Zq7-oops"], ["--feild=x", "--client-secret=Zq7-oops"]):
                done = self.run_it(*command, *typed)
                self.assertEqual(done.returncode, 2)
                self.assertIn('"client_secret" is a secret: as an argument it shows in ps(1)', done.stderr)
                self.assertIn("--field client_secret=- to be asked for it", done.stderr)
                self.assertIn("What was typed is best changed.", done.stderr)
                self.assertNotIn("Zq7", done.stderr)
        self.assertIn('"token" is a secret', self.run_it("add", "http-bearer", "--token", "t").stderr)
        self.assertIn("edit has no option --client-secret-end. Did", self.run_it("edit", "x", "--client-secret-end", "t").stderr)
        self.assertNotIn("Zq7", self.run_it("oauth-client", "set", "chat", "Zq7-oops").stderr)
        self.assertEqual(self.broker.asked, [])

    def test_a_secret_comes_from_a_file_without_its_newline(self):
        path = self.file("token", "xoxb-1\n")
        self.run_ok("add", "http-bearer", "--name", "x", "--field", "token=@" + path, "--field", "base_url=https://a",
                    "--notes", "n", "--scope", "workspace:acme", "--rotate-every", "90d")
        self.assertEqual(self.stored(), {
            "service": "http-bearer", "auth": "bearer", "name": "x", "scope": {"kind": "workspace", "workspace": "acme"},
            "notes": "n", "rotate_every": "90d", "fields": {"token": "xoxb-1", "base_url": "https://a"}})

    def test_a_secret_comes_from_standard_input(self):
        self.run_ok("add", "http-bearer", "--name", "x", "--field", "token=-", input="xoxb-\u00fc\n")
        self.assertEqual(self.stored()["fields"], {"token": "xoxb-\u00fc"})
        twice = self.run_it("add", "postgres", "--name", "y", "--field", "password=-", "--field", "key=-", input="x")
        self.assertEqual(twice.returncode, 2)

    def test_a_text_of_several_lines_stays_as_it_is(self):
        key = "-----BEGIN KEY-----\nabc\n-----END KEY-----\n"
        self.run_ok("add", "postgres", "--name", "x", "--field", "host=h", "--field", "user=u", "--field", "password=-",
                    "--field", "key=@" + self.file("key", key), input="pw")
        self.assertEqual(self.stored()["fields"]["key"], key)

    def test_values_take_the_types_of_their_fields(self):
        base = ["add", "postgres", "--name", "x", "--field", "host=h", "--field", "user=u", "--field", "password=-"]
        self.run_ok(*base, "--field", "port=6432", "--field", "tls=true", "--field", "options=a, b,c", input="pw")
        self.assertEqual(self.stored()["fields"], {"host": "h", "user": "u", "password": "pw", "port": 6432, "tls": True,
                                                   "options": ["a", "b", "c"]})
        for field, value, form in (("port", "many-Zq7", "port is a whole number, such as 5432"),
                                   ("tls", "perhaps-Zq7", "tls is true or false"),
                                   ("options", '["Zq7",', "options is a list, such as a, b, c")):
            wrong = self.run_it(*base, "--field", f"{field}={value}", input="pw")
            self.assertEqual(wrong.returncode, 2)
            self.assertIn(form, wrong.stderr)
            self.assertNotIn("Zq7", wrong.stderr)
        for text in ("{'X-Key': 'Zq7'}", '{"X-Key": 7}', '{"X-Key": "Zq7"', '["Zq7"]', ""):
            wrong = self.run_it("add", "custom-headers", "--name", "w", "--field", "headers=-", input=text)
            self.assertEqual(wrong.returncode, 2)
            self.assertIn('headers is a JSON object, such as {"X-Api-Key": "\u2026"}', wrong.stderr)
            self.assertNotIn("Zq7", wrong.stderr)
        headers = self.file("headers", '{"X-Key": "v", "X-Other": "w"}\n')
        self.run_ok("add", "custom-headers", "--name", "h", "--field", "headers=@" + headers)
        self.assertEqual(self.stored()["fields"], {"headers": {"X-Key": "v", "X-Other": "w"}})

    def test_a_client_secret_comes_from_a_prompt_a_file_or_standard_input_and_never_from_an_argument(self):
        typed = self.run_it("oauth-client", "set", "chat", "--client-id", "1", "--field", "client_secret=Zq7-oops")
        self.assertEqual(typed.returncode, 2)
        self.assertIn("ps(1)", typed.stderr)
        self.assertNotIn("Zq7", typed.stderr + typed.stdout)
        self.run_ok("oauth-client", "set", "chat", "--client-id", "1", "--field", "client_secret=-", input="s1\n")
        self.assertEqual(self.broker.clients["chat"], {"client_id": "1", "client_secret": "s1", "fields": {}})
        self.run_ok("oauth-client", "set", "chat", "--auth", "oauth2", "--field", "client_id=2", "--field",
                    "client_secret=@" + self.file("app", 's"2\n'), "--field", "site=acme")
        self.assertEqual(self.broker.clients["chat"], {"client_id": "2", "client_secret": 's"2', "auth": "oauth2",
                                                       "fields": {"site": "acme"}})
        self.run_ok("oauth-client", "set", "chat", "--client-id", "3", "--public")
        self.assertEqual(self.broker.clients["chat"], {"client_id": "3", "fields": {}})
        terminal = self.on_terminal("oauth-client", "set", "chat").wait_for("Client ID: ").type("4\n")
        terminal.wait_for("Client secret: ")
        self.assertFalse(terminal.echoes())
        terminal.type("s3cret-app\n")
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.assertNotIn("s3cret-app", terminal.shown)
        self.assertIn("http://127.0.0.1:7466/oauth/callback", terminal.shown)
        self.assertEqual(self.broker.clients["chat"], {"client_id": "4", "client_secret": "s3cret-app", "fields": {}})

    def test_a_client_without_a_secret_is_public_only_if_that_is_said(self):
        done = self.run_it("oauth-client", "set", "chat", "--client-id", "1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--field client_secret=- (standard input) or --field client_secret=@FILE, or say --public", done.stderr)
        terminal = self.on_terminal("oauth-client", "set", "chat", "--client-id", "1").wait_for("Client secret: ").type("\n")
        self.assertEqual(terminal.end(), 2)
        self.assertIn("--public", terminal.shown)
        self.assertEqual(self.run_it("oauth-client", "set", "chat", "--public").returncode, 2)  # no ID, nobody to ask
        for given in (["--public", "--field", "client_secret=-"], ["--field", "client_id=2", "--public"],
                      ["--public", "--field", "seed=-"]):
            done = self.run_it("oauth-client", "set", "chat", "--client-id", "1", *given, input="s")
            self.assertEqual(done.returncode, 2)
        self.assertEqual(self.broker.clients, {})

    def test_what_is_missing_is_named_where_nobody_can_be_asked(self):
        done = self.run_it("add", "postgres", "--name", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn("host, user, password", done.stderr)
        self.assertEqual(self.run_it("add", "http-bearer").returncode, 2)
        unknown = self.run_it("add", "http-bearer", "--name", "x", "--field", "tokn=@/dev/null")
        self.assertIn("token, base_url", unknown.stderr)
        self.assertEqual(self.run_it("add", "none", "--name", "x").returncode, 2)
        self.assertEqual(self.run_it("add", "http-bearer", "--auth", "oauth2", "--name", "x").returncode, 2)

    def test_a_single_secret_that_is_missing_is_told_how_to_be_given(self):
        done = self.run_it("add", "http-bearer", "--name", "x", input="sk-in-vain\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--field token=- (standard input) or --field token=@FILE", done.stderr)

    def test_what_is_empty_or_malformed_is_asked_again(self):
        with_port = json.loads(json.dumps(self.broker.services["postgres"]))
        with_port["auth"][0]["fields"][1]["required"] = True
        self.broker.services["postgres"] = with_port
        terminal = self.on_terminal("add", "postgres", "--name", "orders")
        terminal.wait_for("Host: ").type("\n").wait_for("host is required.").type("db\n")
        terminal.wait_for("Port (a whole number, such as 5432): ").type("many\n").wait_for("port is a whole number")
        terminal.type("6432\n").wait_for("User: ").type("etl\n")
        terminal.wait_for("Password: ").type("\n").wait_for("password is required.\r\nPassword: ").type("pw\n")
        self.assertEqual(terminal.end(), 0)
        self.assertEqual(self.stored()["fields"], {"host": "db", "port": 6432, "user": "etl", "password": "pw"})

    def test_a_terminal_is_asked_by_label_and_shows_no_secret(self):
        terminal = self.on_terminal("add", "postgres")
        terminal.wait_for("Name [postgres]: ").type("orders\n")
        terminal.wait_for("Host: ").type("db.example\n").wait_for("User: ").type("etl\n")
        terminal.wait_for("Password: ")
        self.assertFalse(terminal.echoes())
        terminal.type("s3cret-pw\n")
        self.assertEqual(terminal.end(), 0)
        self.assertNotIn("s3cret-pw", terminal.shown)
        self.assertIn("Added orders", terminal.shown)
        self.assertEqual(self.stored()["fields"], {"host": "db.example", "user": "etl", "password": "s3cret-pw"})

    def test_a_dash_on_a_terminal_asks_without_showing(self):
        own = self.broker.put("chat", "own", {"client_secret": "old"}, auth="oauth2")
        for command in (["add", "chat", "--auth", "oauth2", "--name", "x", "--json"], ["edit", own["id"]],
                        ["oauth-client", "set", "chat", "--client-id", "1"]):
            terminal = self.on_terminal(*command, "--field", "client_secret=-").wait_for("Client secret: ")
            self.assertFalse(terminal.echoes())
            terminal.type("\n").wait_for("client_secret is required.\r\nClient secret: ").type("s3cret-app\n")
            self.assertEqual(terminal.end(), 0, terminal.shown)
            self.assertNotIn("s3cret-app", terminal.shown)
        self.assertEqual(self.stored_fields(), [{"client_secret": "s3cret-app"}])
        self.assertEqual(own["fields"], {"client_secret": "s3cret-app"})
        self.assertEqual(self.broker.clients["chat"]["client_secret"], "s3cret-app")

    def stored_fields(self):
        return [json.loads(a["body"])["fields"] for a in self.broker.asked
                if (a["method"], a["target"]) == ("POST", "/v1/credentials")]

    def test_a_dash_on_a_terminal_asks_for_each_field_but_for_no_text_of_several_lines(self):
        begin = ["add", "postgres", "--name", "x", "--field", "host=h", "--field", "password=-"]
        terminal = self.on_terminal(*begin, "--field", "user=-").wait_for("Password: ").type("pw\n")
        self.assertEqual(terminal.wait_for("User: ").type("etl\n").end(), 0, terminal.shown)
        self.assertEqual(self.stored_fields(), [{"host": "h", "password": "pw", "user": "etl"}])
        terminal = self.on_terminal(*begin[:-2], "--field", "key=-")
        self.assertEqual(terminal.end(), 2)
        self.assertIn("Give it from a file: --field key=@FILE.", terminal.shown)

    def test_a_client_s_secret_that_was_left_out_is_asked_for(self):
        own = ["add", "chat", "--auth", "oauth2", "--field", "client_id=web", "--device"]
        self.broker.needs_no_person = True
        question = "Client secret (empty: a public client): "
        for name, typed in (("confidential", "s3cret-app"), ("public", "")):
            terminal = self.on_terminal(*own, "--name", name).wait_for(question)
            self.assertFalse(terminal.echoes())
            self.assertEqual(terminal.type(typed + "\n").end(), 0, terminal.shown)
            self.assertNotIn("s3cret-app", terminal.shown)
        self.assertEqual(self.stored_fields(), [{"client_id": "web", "client_secret": "s3cret-app"}, {"client_id": "web"}])
        secret = ["--field", "client_secret=@" + self.file("secret", "s")]
        for unasked in (["--json", *own, "--name", "a"], [*own, *secret, "--name", "b"], [*own[:4], "--name", "c"]):
            terminal = self.on_terminal(*unasked)
            self.assertEqual(terminal.end(), 0, terminal.shown)
            self.assertNotIn(question, terminal.shown)
        self.run_ok(*own, "--name", "d")

    def paste(self, terminal, text):
        """In pieces, as a terminal that takes them slowly makes a paste."""
        for at in range(0, len(text), 1000):
            terminal.type(text[at:at + 1000])

    def test_a_long_secret_is_typed_whole_or_refused(self):
        token = "".join(f"{n:04d}-" for n in range(14000))[:65536]  # all that a field may hold
        for wanted in (token[:6000], token):
            terminal = self.on_terminal("add", "http-bearer", "--name", f"x{len(wanted)}").wait_for("Token: ")
            self.paste(terminal, wanted + "\n")
            self.assertEqual(terminal.end(), 0, terminal.shown)
            self.assertEqual(self.stored()["fields"]["token"], wanted)
        terminal = self.on_terminal("add", "http-bearer", "--name", "y").wait_for("Token: ")
        self.paste(terminal, token + "and more\n")
        self.assertEqual(terminal.end(), 2)
        self.assertIn("too long: at most 65536 bytes", terminal.shown)
        self.assertNotIn("and more", terminal.shown)
        self.assertEqual(len(self.broker.credentials), 2)

    def test_what_is_typed_may_be_corrected(self):
        typed = {"ab\u00fc\x7fc\n": "abc", "\x7fab\n": "ab", "wrong\x15right\n": "right", "one two  \x17three\n": "one three",
                 "ended\x04": "ended"}
        for keys, wanted in typed.items():
            terminal = self.on_terminal("add", "http-bearer", "--name", wanted).wait_for("Token: ").type(keys)
            self.assertEqual(terminal.end(), 0)
            self.assertEqual(self.stored()["fields"]["token"], wanted)

    def test_a_line_that_the_terminal_would_cut_is_refused(self):
        terminal = self.on_terminal("add", "postgres", "--name", "x").wait_for("Host: ")
        self.paste(terminal, "h" * 5000 + "\n")
        self.assertEqual(terminal.end(), 2)
        self.assertIn("too long", terminal.shown)

    def test_the_terminal_echoes_again_after_a_signal(self):
        for name, key in (("SIGINT", "\x03"), ("SIGQUIT", "\x1c"), ("SIGTERM", None)):
            terminal = self.on_terminal("add", "http-bearer", "--name", "x").wait_for("Token: ")
            self.assertFalse(terminal.echoes())
            # The terminal is looked at through the test's own side of it, which stays when the program has gone.
            if key:
                terminal.type(key)
            else:
                os.kill(terminal.pid, signal.SIGTERM)
            self.wait_until(terminal.echoes)
            self.assertEqual(terminal.end(), -getattr(signal, name))
        self.assertEqual(self.broker.credentials, {})

    def test_unseal_asks_without_showing_and_takes_a_script_s_input(self):
        self.broker.status.update(state="sealed")
        for dash in ([], ["-"]):
            terminal = self.on_terminal("unseal", *dash).wait_for("Passphrase: ")
            self.assertFalse(terminal.echoes())
            self.assertEqual(terminal.type("open sesame\n").end(), 0)
            self.assertNotIn("sesame", terminal.shown)
            self.broker.status.update(state="sealed")
        self.assertIn("ready", self.run_ok("unseal", "-", input="open sesame\n"))
        self.broker.status.update(state="sealed")
        wrong = self.run_it("unseal", "-", input="wrong")
        self.assertEqual(wrong.returncode, 1)
        count = len(self.broker.asked)
        for words in (["open sesame"], ["open", "sesame"], ["-", "sesame"]):
            argument = self.run_it("unseal", *words)
            self.assertEqual(argument.returncode, 2)
            self.assertIn("ps(1)", argument.stderr)
            self.assertNotIn("sesame", argument.stderr)
        self.assertEqual(len(self.broker.asked), count)
        nobody = self.run_it("unseal")
        self.assertEqual(nobody.returncode, 2)
        self.assertIn("Give the passphrase on standard input: credlease unseal -\n", nobody.stderr)
        self.assertEqual(self.run_it("unseal", "-", input="\n").returncode, 2)

    def test_the_first_passphrase_is_asked_for_twice(self):
        self.broker.status.update(state="sealed", root_key="unset")
        terminal = self.on_terminal("unseal").wait_for("New passphrase: ").type("open sesame\n")
        terminal.wait_for("again: ").type("open sesam\n")
        self.assertEqual(terminal.end(), 2)
        self.assertEqual(self.broker.status["state"], "sealed")
        terminal = self.on_terminal("unseal").wait_for("New passphrase: ").type("open sesame\n")
        self.assertEqual(terminal.wait_for("again: ").type("open sesame\n").end(), 0)
        self.assertEqual(self.broker.status["state"], "ready")

    def test_a_new_passphrase_is_long_and_its_setting_is_told(self):
        self.broker.status.update(state="sealed", root_key="unset")
        short = self.run_it("unseal", "-", input="\u00fcsesame\n")
        self.assertEqual(short.returncode, 2)
        self.assertIn("8 characters", short.stderr)
        terminal = self.on_terminal("unseal").wait_for("New passphrase: ").type("sesame\n")
        self.assertEqual(terminal.wait_for("8 characters").end(), 2)
        self.assertEqual(self.broker.status["state"], "sealed")
        said = self.run_ok("unseal", "-", input="open sesame\n")
        self.assertIn("The passphrase was set: only it opens this store.", said)

    def test_what_is_done_already_is_told_so(self):
        self.assertEqual(self.run_ok("unseal"), "The broker was not sealed.\n")
        self.run_ok("seal")
        self.assertEqual(self.run_ok("seal"), "The broker was sealed already.\n")

    def test_seal_seals(self):
        self.assertIn("sealed", self.run_ok("seal", "--now"))
        self.assertEqual(self.broker.last("POST", "/v1/seal")["body"], '{"now":true}')

    def test_a_grant_prints_its_token_or_writes_it_for_its_owner_alone(self):
        self.broker.put("http-bearer", "a name", {"token": "t"})
        mint = ["grant", "--workspace", "acme", "--workflow", "nightly", "--ttl", "1h"]
        self.assertEqual(self.run_ok(*mint, "--run", "42", "--credential", "a name", "--max-leases", "3"), "clg_the-token\n")
        self.assertEqual(json.loads(self.broker.last("POST", "/v1/grants")["body"]), {
            "workspace": "acme", "workflow": "nightly", "ttl": "1h", "run": "42", "max_leases": 3,
            "credentials": ["cred_00000000000000000000000001"]})
        minted = self.run_json(*mint, "--all", "--bearer")
        self.assertEqual(minted["grant"], "clg_the-token")
        self.assertIsNone(json.loads(self.broker.last("POST", "/v1/grants")["body"])["uid"])
        self.run_ok(*mint, "--service", "postgres", "--uid", "root")
        self.assertEqual(json.loads(self.broker.last("POST", "/v1/grants")["body"])["uid"], 0)

        said = self.run_it(*mint, "--all").stderr
        self.assertIn("Grant grant_", said)
        self.assertNotIn("clg_", said)

        path = os.path.join(self.directory.name, "grant")
        done = self.run_it(*mint, "--all", "--out", path)
        self.assertEqual(done.returncode, 0)
        self.assertNotIn("clg_", done.stdout + done.stderr)
        with open(path) as written:
            self.assertEqual(written.read(), "clg_the-token\n")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(self.run_it(*mint).returncode, 2)
        self.assertEqual(self.run_it(*mint, "--all", "--uid", "0", "--bearer").returncode, 2)

    def mint_into(self, path, *more, **how):
        return subprocess.run([PROGRAM, "grant", "--workflow", "w", "--ttl", "1h", "--all", "--out", path, *more],
                              capture_output=True, text=True, env=surroundings(self.socket), **how)

    def test_a_grant_without_a_place_for_it_is_not_minted(self):
        there = self.file("grant", "old")
        link = os.path.join(self.directory.name, "link")
        os.symlink("nowhere", link)
        for path, said in ((there, "exists; remove it or name another."), (link, "exists"),
                           ("/nonexistent/x", "No such file")):
            done = self.mint_into(path)
            self.assertEqual(done.returncode, 2)
            self.assertIn(said, done.stderr)
        self.assertEqual(self.broker.grants, {})
        with open(there) as kept:
            self.assertEqual(kept.read(), "old")

    def test_a_grant_whose_token_cannot_be_written_is_withdrawn(self):
        path = os.path.join(self.directory.name, "grant")
        no_bytes = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        done = self.mint_into(path, preexec_fn=no_bytes, restore_signals=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("The grant was withdrawn.", done.stderr)
        self.assertEqual(self.broker.grants, {})
        self.assertEqual([name for name in os.listdir(self.directory.name) if "grant" in name], [])

    def test_a_grant_s_file_is_for_the_account_that_it_is_for(self):
        path = os.path.join(self.directory.name, "grant")
        done = self.mint_into(path, "--uid", "nobody")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        if os.geteuid() == 0:
            self.assertEqual(os.stat(path).st_uid, pwd.getpwnam("nobody").pw_uid)
            self.assertNotIn("yours alone", done.stderr)
        else:
            self.assertIn("is yours alone: nobody cannot read it.", done.stderr)

    def test_grants_are_listed_shown_and_withdrawn(self):
        for _ in range(3):
            self.run_ok("grant", "--workflow", "nightly", "--ttl", "1h", "--all")
        self.assertEqual(len(self.run_json("grants")["items"]), 3)
        first, second, third = self.broker.grants
        self.assertIn("nightly", self.run_ok("grants", "show", first))
        self.run_ok("grant", "withdraw", first)
        self.run_ok("grants", "withdraw", second, third)
        self.assertEqual(self.broker.grants, {})
        self.assertEqual(self.run_it("grants", "show", first).returncode, 1)


if __name__ == "__main__":
    unittest.main()
