"""`lease` and `exec`: secrets on their way to programs."""
import json
import os
import signal
import sys
import time
import unittest

from command import PROGRAM, CommandTest, surroundings
from stand_in_answers import Refusal


class Leases(CommandTest):
    def setUp(self):
        super().setUp()
        self.api = self.broker.put("http-bearer", "api", {"token": "xoxb-1", "base_url": "https://a"})
        self.broker.put("postgres", "db", {"host": "h", "user": "etl", "password": "p w'\"$", "key": "a\nb\n"})

    def test_a_lease_is_printed_as_it_came_and_kept(self):
        self.api["scope"]["workspace"] = "acme"
        lease = self.run_json("lease", "api", "--ttl", "60s", "--workspace", "acme", "--workflow", "w", "--run", "r")
        self.assertEqual(lease["secret"], {"token": "xoxb-1"})
        asked = json.loads(self.broker.last("POST", "/v1/leases")["body"])
        self.assertEqual(asked, {"credential": "api", "workspace": "acme", "ttl": "1m",
                                 "purpose": {"workflow": "w", "run": "r"}, "bind": "none"})
        self.assertEqual(len(self.broker.leases), 1)
        self.assertEqual(self.run_it("lease", "api", "--ttl", "soon").returncode, 2)
        self.assertEqual(self.run_it("lease", "api", "--min-valid", "soon").returncode, 2)

    def test_a_token_that_is_good_for_long_enough_is_asked_for(self):
        self.run_ok("lease", "api", "--min-valid", "10m")
        self.assertEqual(json.loads(self.broker.last("POST", "/v1/leases")["body"])["min_valid"], "10m")

    def asked_ttl(self):
        return json.loads(self.broker.last("POST", "/v1/leases")["body"]).get("ttl")

    def test_a_lease_that_is_left_behind_ends_within_a_minute(self):
        self.run_ok("lease", "api", "--field", "token")
        self.assertEqual(self.asked_ttl(), "1m")
        held = self.start("lease", "api", "--hold")
        held.stdout.readline()
        self.assertIsNone(self.asked_ttl())
        held.send_signal(signal.SIGINT)
        held.communicate(timeout=30)

    def test_a_credential_of_another_workspace_is_found_for_an_operator(self):
        self.api["scope"]["workspace"] = "acme"
        for command in (["lease", "api"], ["exec", "--env", "A=db:user", "--env", "T=api", "--", "true"]):
            done = self.run_it(*command)
            self.assertEqual(done.returncode, 1)
            self.assertIn('"api" is in the workspace acme, not in default.\nAdd --workspace acme.', done.stderr)
        self.run_ok("lease", "api", "--workspace", "acme")
        nowhere = self.run_it("lease", "none")
        self.assertIn('"none"', nowhere.stderr)
        self.assertNotIn("--workspace", nowhere.stderr)
        self.assertNotIn("GET /v1", nowhere.stderr)
        self.assertNotIn("--workspace", self.run_it("lease", "api", env={"CREDLEASE_GRANT": "clg_x"}).stderr)

    def test_one_field_is_printed_alone(self):
        self.assertEqual(self.run_ok("lease", "api", "--field", "token"), "xoxb-1\n")
        self.assertEqual(json.loads(self.broker.last("POST", "/v1/leases")["body"])["fields"], ["token"])
        self.assertEqual(self.run_ok("lease", "db", "--field", "key"), "a\nb\n")
        self.assertEqual(self.run_ok("lease", "db", "--field", "host"), "h\n")

    def test_a_field_that_is_not_there_is_told_with_its_credential_and_those_that_are(self):
        for command in (["lease", "api", "--field", "none"], ["exec", "--env", "U=db:user", "--env", "T=api:none", "--", "true"]):
            done = self.run_it(*command)
            self.assertEqual(done.returncode, 1)
            self.assertIn('"api": The credential\'s service has no field of this name (it has token, base_url).', done.stderr)

    def test_a_held_lease_is_bound_renewed_and_given_back_when_interrupted(self):
        self.broker.lease_seconds = 0.4
        held = self.start("lease", "api", "--hold")
        self.wait_until(lambda: any(a["target"].endswith("/renew") for a in self.broker.asked))
        self.assertNotIn("bind", json.loads(self.broker.last("POST", "/v1/leases")["body"] or "{}"))
        held.send_signal(signal.SIGINT)
        out, _ = held.communicate(timeout=30)
        self.assertEqual(held.returncode, 0)
        self.assertEqual(json.loads(out)["secret"]["token"], "xoxb-1")
        self.assertEqual(len(self.broker.ended), 1)

    def test_a_held_lease_that_ends_says_why(self):
        self.broker.lease_seconds = 0.4
        self.broker.renew_refusal = Refusal(410, "lease_ended", "credential revoked", reason="credential_revoked")
        done = self.run_it("lease", "api", "--hold")
        self.assertEqual(done.returncode, 1)
        self.assertIn("credential revoked", done.stderr)

    def test_a_held_lease_that_is_ended_says_so_at_once(self):
        self.broker.lease_seconds = self.broker.renewable_seconds = 3600  # its renewal is far away
        held = self.start("lease", "api", "--hold")
        held.stdout.readline()
        self.wait_until(lambda: self.broker.listeners)
        self.broker.push("lease.ended", "8.1", lease=next(iter(self.broker.leases)), reason="credential_revoked")
        _, errors = held.communicate(timeout=30)
        self.assertEqual(held.returncode, 1)
        self.assertIn("revoked", errors)
        self.assertIn("Ask its owner to restore it (credlease restore) or to give you another.", errors)
        self.assertNotIn("Ask for a new one", errors)

    def test_a_held_lease_that_reaches_its_last_moment_says_so(self):
        self.broker.lease_seconds = self.broker.renewable_seconds = 1
        self.broker.limited_by = "grant"
        self.broker.renew_refusal = Refusal(503, "overloaded", "Busy.")
        done = self.run_it("lease", "api", "--hold")
        self.assertEqual(done.returncode, 1)
        self.broker.renew_refusal = None
        self.broker.lease_seconds = self.broker.renewable_seconds = -1  # renewed at once, and never again
        done = self.run_it("lease", "api", "--hold")
        self.assertEqual(done.returncode, 1)
        self.assertIn("The lease has ended (limited by grant).", done.stderr)

    def test_a_lease_that_cannot_be_written_is_given_back(self):
        for arguments in (["lease", "api"], ["lease", "api", "--field", "token"], ["lease", "api", "--hold"]):
            with open("/dev/full", "w") as full:
                done = self.run_it(*arguments, stdout=full)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn("No space left on device. It was given back.", done.stderr)
            self.assertEqual(self.broker.leases, {})
        reader, writer = os.pipe()
        os.close(reader)
        done = self.run_it("lease", "api", stdout=writer)
        os.close(writer)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.broker.leases, {})

    def test_a_secret_is_not_written_to_what_took_the_place_of_standard_output(self):
        done = self.run_it("lease", "api", stdout=None, preexec_fn=lambda: os.close(1))
        self.assertEqual(done.returncode, 1)
        self.assertIn("It was given back.", done.stderr)
        self.assertEqual(self.broker.leases, {})

    def test_a_grant_is_sent_with_the_lease(self):
        self.run_ok("lease", "api", env={"CREDLEASE_GRANT": "clg_x"})
        self.assertEqual(self.broker.last("POST", "/v1/leases")["headers"]["Authorization"], "Bearer clg_x")


class Exec(CommandTest):
    def setUp(self):
        super().setUp()
        self.broker.put("http-bearer", "api", {"token": "xoxb-1", "base_url": "https://a"})
        self.broker.put("postgres", "db", {"host": "h", "user": "etl", "password": "p w'\"$", "key": "a\nb\n"})
        self.broker.put("http-bearer", "two: words", {"token": "t2"})

    def exec(self, *arguments, script, env=None):
        return self.run_it("exec", *arguments, "--", sys.executable, "-c", "import os, sys\n" + script, env=env)

    def test_a_command_has_its_secrets_in_the_environment(self):
        done = self.exec("--env", "TOKEN=api", "--env", "PGPASSWORD=db:password", "--env", "PGUSER=db:user",
                         script="print(os.environ['TOKEN'], os.environ['PGPASSWORD'], os.environ['PGUSER'])")
        self.assertEqual(done.stdout, "xoxb-1 p w'\"$ etl\n", done.stderr)
        leases = [json.loads(a["body"]) for a in self.broker.asked if a["target"] == "/v1/leases"]
        self.assertEqual(sorted(l["credential"] for l in leases), ["api", "db"])
        self.assertEqual([l["fields"] for l in leases if l["credential"] == "db"], [["password", "user"]])
        self.assertTrue(all("bind" not in l for l in leases))
        self.assertEqual(len(self.broker.ended), 2)

    def test_better_as_a_file_in_sealed_memory(self):
        done = self.exec("--file", "KEY=db:key", script="""
path = os.environ['KEY']
print(open(path).read() == 'a\\nb\\n', open(path).read() == 'a\\nb\\n', path.startswith('/proc/self/fd/'))
import fcntl
descriptor = int(path.rsplit('/', 1)[1])
seals = fcntl.fcntl(descriptor, 1034)
print(seals & 0xf == 0xf)
try:
    os.write(descriptor, b'x')
    print('written')
except PermissionError:
    print('sealed')
print(b'a' in open('/proc/self/environ', 'rb').read().split(b'KEY=')[1].split(b'/')[0])
""")
        self.assertEqual(done.stdout.split(), ["True", "True", "True", "True", "sealed", "False"], done.stderr)

    def test_the_secret_is_in_no_argument_and_not_in_the_program_itself(self):
        done = self.exec("--env", "TOKEN=api", script="""
secret = os.environ['TOKEN'].encode()
for place in ('%d/cmdline' % os.getppid(), '%d/environ' % os.getppid(), 'self/cmdline'):
    print(secret in open('/proc/' + place, 'rb').read())
""")
        self.assertEqual(done.stdout.split(), ["False"] * 3, done.stderr)

    def test_a_grant_is_taken_out_of_the_environment(self):
        path = self.file("grant", "clg_file\n")
        done = self.exec("--env", "TOKEN=api", script="print(sorted(k for k in os.environ if 'GRANT' in k), os.environ['OTHER'])",
                         env={"CREDLEASE_GRANT": "clg_x", "CREDLEASE_GRANT_FILE": path, "OTHER": "kept"})
        self.assertEqual(done.stdout, "[] kept\n", done.stderr)
        self.assertEqual(self.broker.last("POST", "/v1/leases")["headers"]["Authorization"], "Bearer clg_file")

    def test_a_variable_that_was_there_is_replaced(self):
        done = self.exec("--env", "TOKEN=api", script="print(open('/proc/self/environ').read().count('TOKEN='), os.environ['TOKEN'])",
                         env={"TOKEN": "old"})
        self.assertEqual(done.stdout, "1 xoxb-1\n")

    def test_names_may_have_colons_and_scopes(self):
        self.assertEqual(self.exec("--env", "T=two: words", script="print(os.environ['T'])").stdout, "t2\n")
        self.assertEqual(self.exec("--env", "T=two: words:token", script="print(os.environ['T'])").stdout, "t2\n")
        done = self.exec("--env", "T=workspace:api", script="print(os.environ['T'])")
        self.assertEqual(done.stdout, "xoxb-1\n", done.stderr)
        self.assertEqual(json.loads(self.broker.last("POST", "/v1/leases")["body"])["credential"], "workspace:api")

    def test_a_field_must_be_named_where_there_are_several(self):
        done = self.exec("--env", "T=db", script="print('ran')")
        self.assertEqual(done.returncode, 2)
        self.assertIn("password", done.stderr)
        self.assertIn('"db"', done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(self.broker.ended), 1)

    def test_of_an_oauth_credential_the_access_token_is_meant(self):
        self.broker.put("mail", "inbox", {"access_token": "at-1", "token_type": "Bearer"})
        done = self.exec("--env", "T=inbox", "--env", "TYPE=inbox:token_type", script="print(os.environ['T'], os.environ['TYPE'])")
        self.assertEqual(done.stdout, "at-1 Bearer\n", done.stderr)

    def test_the_exit_status_passes_through(self):
        self.assertEqual(self.exec("--env", "T=api", script="sys.exit(7)").returncode, 7)
        self.assertEqual(self.exec("--env", "T=api", script="os.kill(os.getpid(), 9)").returncode, 128 + 9)
        missing = self.run_it("exec", "--env", "T=api", "--", "/nonexistent/command")
        self.assertEqual(missing.returncode, 127)
        self.assertEqual(self.run_it("exec", "--env", "T=api", "--", self.file("data", "x")).returncode, 126)
        self.assertEqual(len(self.broker.ended), 4)
        undashed = self.run_it("exec", "--env", "T=api", "true")
        self.assertEqual(undashed.returncode, 2)
        self.assertIn("Put the command behind --: credlease exec --env A=C -- CMD", undashed.stderr)
        self.assertEqual(self.run_it("exec", "--env", "T=api").stderr, undashed.stderr)
        self.assertEqual(self.run_it("exec", "--", "true").returncode, 2)
        misnamed = self.run_it("exec", "--env", "1T=api", "--", "true")
        self.assertEqual(misnamed.returncode, 2)
        self.assertIn('"1T" is not a variable\'s name', misnamed.stderr)
        self.assertEqual(self.run_it("exec", "--env", "T=none", "--", "true").returncode, 1)

    def test_what_stands_behind_the_dashes_is_the_command_s(self):
        done = self.run_it("exec", "--env", "T=api", "--", "sh", "-c", 'echo "$@"', "sh", "--json", "--", "list", "-h")
        self.assertEqual(done.stdout, "--json -- list -h\n", done.stderr)

    def test_the_command_has_the_signals_and_descriptors_that_it_would_have_had(self):
        done = self.exec("--env", "T=api", script="""
status = dict(line.split(':', 1) for line in open('/proc/self/status').read().splitlines())
print(status['SigBlk'].strip().strip('0') == '', sorted(os.listdir('/proc/self/fd'))[:3])
print([os.readlink('/proc/self/fd/' + f) for f in os.listdir('/proc/self/fd') if f not in '012' and os.path.exists('/proc/self/fd/' + f)])
""")
        self.assertIn("True ['0', '1', '2']", done.stdout)
        self.assertNotIn("socket:", done.stdout)

    def test_a_command_without_standard_error_does_not_get_a_secret_there(self):
        looking = "import os; print([os.readlink('/proc/self/fd/%d' % n) for n in (0, 2)])"
        def close_both():
            os.close(0)
            os.close(2)
        done = self.run_it("exec", "--file", "T=api", "--", sys.executable, "-c", looking, preexec_fn=close_both)
        self.assertEqual(done.stdout, "['/dev/null', '/dev/null']\n")

    def test_signals_are_passed_on(self):
        waiting = """
import os, signal, time
def take(number, frame):
    os.write(1, signal.Signals(number).name.encode() + b'\\n') # print() may be interrupted by itself
    if number == signal.SIGTERM: sys.exit(3)
for name in ('SIGUSR1', 'SIGUSR2', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGWINCH', 'SIGTERM'):
    signal.signal(getattr(signal, name), take)
print('waits', flush=True)
while True: time.sleep(0.1)
"""
        running = self.start("exec", "--env", "T=api", "--", sys.executable, "-c", "import sys" + waiting)
        self.assertEqual(running.stdout.readline(), "waits\n")
        for name in ("SIGUSR1", "SIGUSR2", "SIGHUP", "SIGINT", "SIGQUIT", "SIGWINCH", "SIGTERM"):
            running.send_signal(getattr(signal, name))
            self.assertEqual(running.stdout.readline(), name + "\n")
        running.communicate(timeout=30)
        self.assertEqual(running.returncode, 3)
        self.assertEqual(len(self.broker.ended), 1)

    def test_what_the_terminal_sends_reaches_the_command_once(self):
        counting = ("import os, signal, time, sys\n"
                    "signal.signal(signal.SIGINT, lambda *_: os.write(1, b'INT!\\n'))\n"
                    "print('waits', flush=True)\n"
                    "sys.stdin.readline()\n"
                    "print('done', flush=True)\n")
        terminal = self.on_terminal("exec", "--env", "T=api", "--", sys.executable, "-c", counting).wait_for("waits")
        terminal.type("\x03").wait_for("INT!")
        time.sleep(0.3)
        self.assertEqual(terminal.type("\n").wait_for("done").end(), 0)
        self.assertEqual(terminal.shown.count("INT!"), 1)

    def test_control_z_stops_both_and_fg_continues_both(self):
        shell = self.on_terminal("--norc", "--noprofile", "-i", program="/bin/bash", PS1="$ ", PROGRAM=PROGRAM)
        shell.wait_for("$ ").type('"$PROGRAM" exec --env T=api -- bash -c "echo waits; read line; echo got:\\$line"\n')
        shell.wait_for("waits\r\n").type("\x1a").wait_for("Stopped")
        shell.type("fg\n").wait_for("fg").type("more\n").wait_for("got:more")
        shell.type("exit $?\n")
        self.assertEqual(shell.end(), 0)
        self.assertEqual(len(self.broker.ended), 1)

    def test_leases_are_renewed_while_the_command_lives(self):
        self.broker.lease_seconds = 0.5
        done = self.exec("--env", "T=api", script="import time; time.sleep(2)")
        self.assertEqual(done.returncode, 0)
        self.assertGreaterEqual(sum(a["target"].endswith("/renew") for a in self.broker.asked), 2)
        self.assertEqual(len(self.broker.ended), 1)

    def test_a_lease_that_ends_is_reported_and_the_command_goes_on(self):
        self.broker.lease_seconds = 0.5
        self.broker.renew_refusal = Refusal(410, "lease_ended", "credential revoked", reason="credential_revoked")
        done = self.exec("--env", "T=api", script="import time; time.sleep(3); print('finished')")
        self.assertEqual(done.stdout, "finished\n")
        self.assertIn("credential revoked", done.stderr)

    def test_a_lease_that_reaches_its_last_moment_is_reported_once(self):
        self.broker.lease_seconds = self.broker.renewable_seconds = -1
        self.broker.limited_by = "grant"
        done = self.exec("--env", "T=api", script="import time; time.sleep(3); print('finished')")
        self.assertEqual((done.returncode, done.stdout), (0, "finished\n"))
        self.assertEqual(done.stderr.count("limited by grant"), 1)


if __name__ == "__main__":
    unittest.main()
