"""`events`, and `exec --on-change`: what the broker tells, on its way to people and programs."""
import json
import os
import signal
import sys
import unittest

from command import CommandTest
from stand_in_answers import Refusal


class Events(CommandTest):
    def listening(self, *arguments):
        running = self.start(*arguments)
        self.addCleanup(running.communicate)
        self.addCleanup(running.kill)
        self.wait_until(lambda: self.broker.listeners)
        return running

    def test_each_event_is_a_line(self):
        running = self.listening("events")
        self.broker.push("lease.ended", "8.1", lease="lease_1", credential="cred_1", version=3, reason="credential_deleted")
        line = running.stdout.readline()
        self.assertRegex(line, r"^\S+Z  lease\.ended  lease_1  credential_deleted  cred_1 version 3\n$")
        self.broker.push("from.the.future", "8.2", what="\x1b[31m")
        self.assertNotIn("\x1b", running.stdout.readline())

    def test_an_operator_is_told_a_credential_s_name_which_is_asked_for_once(self):
        api = self.broker.put("http-bearer", "api", {"token": "t"})
        running = self.listening("events")
        asked = lambda: sum(a["target"] == f"/v1/credentials/{api['id']}" for a in self.broker.asked)
        def told(kind, number):
            self.broker.push(kind, number, credential=api["id"], version=1, status="failing")
            return running.stdout.readline()
        self.assertRegex(told("credential.status_changed", "8.1"), rf"_changed  failing  api \({api['id']}\) version 1\n$")
        self.assertIn(f"api ({api['id']})", told("credential.status_changed", "8.2"))
        self.assertEqual(asked(), 1)
        api["name"] = "api \033[31mtwo"
        self.assertIn(f"api ?[31mtwo ({api['id']})", told("credential.updated", "8.3"))
        del self.broker.credentials[api["id"]]
        self.assertIn(f"api ?[31mtwo ({api['id']})", told("credential.deleted", "8.4"))
        self.assertEqual(asked(), 2)

    def test_for_programs_each_is_an_object(self):
        running = self.listening("--json", "events", "--after", "5.1")
        self.assertEqual(self.broker.last("GET", "/v1/events")["headers"]["Last-Event-ID"], "5.1")
        self.broker.push("grant.ended", "8.1", grant="grant_1")
        line = json.loads(running.stdout.readline())
        self.assertEqual((line["event"], line["id"], line["grant"]), ("grant.ended", "8.1", "grant_1"))

    def test_it_ends_when_nobody_reads(self):
        running = self.listening("events")
        running.stdout.close()
        for number in range(3):
            self.broker.push("grant.ended", f"8.{number}", grant="grant_1")
        running.wait(timeout=30)
        running.stdout = open(os.devnull)


class OnChange(CommandTest):
    def setUp(self):
        super().setUp()
        self.api = self.broker.put("http-bearer", "api", {"token": "old", "base_url": "https://a"})

    def exec(self, *arguments, script):
        running = self.start("exec", *arguments, "--", sys.executable, "-c", "import os, signal, sys, time\n" + script)
        self.addCleanup(running.communicate)
        self.addCleanup(running.terminate) # a kill would leave the command behind
        return running

    WAIT = "print(os.environ['T'], flush=True)\nwhile True: time.sleep(0.05)"

    def test_a_command_is_started_again_with_the_new_secret(self):
        running = self.exec("--env", "T=api", "--on-change", "restart", script=self.WAIT)
        self.assertEqual(running.stdout.readline(), "old\n")
        self.wait_until(lambda: self.broker.listeners)
        self.broker.rotate(self.api, "8.1", token="new")
        self.assertEqual(running.stdout.readline(), "new\n")
        self.broker.rotate(self.api, "9.1", token="newer")
        self.assertEqual(running.stdout.readline(), "newer\n")
        running.send_signal(signal.SIGTERM)
        self.assertEqual(running.wait(timeout=30), 128 + signal.SIGTERM)
        self.assertEqual(len(self.broker.ended), 1)

    def test_a_command_is_ended_politely_before(self):
        running = self.exec("--env", "T=api", "--on-change", "restart", script="""
def take(*_): # print may be under way
    os.write(1, b'bye\\n')
    os._exit(0)
signal.signal(signal.SIGTERM, take)
""" + self.WAIT)
        self.assertEqual(running.stdout.readline(), "old\n")
        self.wait_until(lambda: self.broker.listeners)
        self.broker.rotate(self.api, "8.1", token="new")
        self.assertEqual(running.stdout.readline(), "bye\n")
        self.assertEqual(running.stdout.readline(), "new\n")

    def test_a_signal_says_that_the_file_has_the_new_secret(self):
        running = self.exec("--file", "T=api", "--env", "E=api", "--on-change", "signal:HUP", script="""
def take(*_): os.write(1, open(os.environ['T']).read().encode() + b' ' + os.environ['E'].encode() + b'\\n')
signal.signal(signal.SIGHUP, take)
take()
descriptor = int(os.environ['T'].rsplit('/', 1)[1])
for attempt in (lambda: os.write(descriptor, b'x'), lambda: os.ftruncate(descriptor, 0), lambda: open(os.environ['T'], 'r+b', 0).write(b'x')):
    try: attempt(); os.write(1, b'written\\n')
    except OSError: pass
while True: time.sleep(0.05)
""")
        self.assertEqual(running.stdout.readline(), "old old\n")
        self.wait_until(lambda: self.broker.listeners)
        self.broker.rotate(self.api, "8.1", token="a longer new one")
        self.assertEqual(running.stdout.readline(), "a longer new one old\n")
        self.broker.rotate(self.api, "9.1", token="short")
        self.assertEqual(running.stdout.readline(), "short old\n")

    def asked_renewals(self):
        return sum(a["target"].endswith("/renew") for a in self.broker.asked)

    def rotate_while_renewals_are_refused(self):
        """Until it was tried twice."""
        self.wait_until(lambda: self.broker.listeners)
        self.broker.renew_refusal = Refusal(503, "overloaded", "Busy.")
        self.broker.rotate(self.api, "8.1", token="new")
        self.wait_until(lambda: self.asked_renewals() >= 2)
        self.broker.renew_refusal = None

    def test_a_command_is_started_again_once_the_new_secret_is_there(self):
        running = self.exec("--env", "T=api", "--on-change", "restart", script=self.WAIT)
        self.assertEqual(running.stdout.readline(), "old\n")
        self.rotate_while_renewals_are_refused()
        self.assertEqual(running.stdout.readline(), "new\n")
        running.send_signal(signal.SIGTERM)
        self.assertEqual(running.communicate(timeout=30)[0], "")

    def test_a_signal_comes_once_the_file_has_the_new_secret(self):
        running = self.exec("--file", "T=api", "--on-change", "signal:HUP", script="""
def take(*_): os.write(1, open(os.environ['T']).read().encode() + b'\\n')
signal.signal(signal.SIGHUP, take)
take()
while True: time.sleep(0.05)
""")
        self.assertEqual(running.stdout.readline(), "old\n")
        self.rotate_while_renewals_are_refused()
        self.assertEqual(running.stdout.readline(), "new\n")
        running.send_signal(signal.SIGTERM)
        self.assertEqual(running.communicate(timeout=30)[0], "")

    def test_of_a_lease_that_ended_the_command_goes_on_and_it_is_said_at_once(self):
        running = self.exec("--env", "T=api", "--on-change", "restart", script=self.WAIT)
        self.assertEqual(running.stdout.readline(), "old\n")
        self.wait_until(lambda: self.broker.listeners)
        self.broker.push("lease.ended", "8.1", lease=next(iter(self.broker.leases)), reason="credential_deleted")
        self.assertIn("goes on without the lease of api", running.stderr.readline())

    def test_without_the_option_nothing_is_listened_to(self):
        running = self.exec("--env", "T=api", script="time.sleep(0.5)")
        running.wait(timeout=30)
        self.assertEqual(self.broker.listeners, [])

    def test_a_wrong_word_is_refused(self):
        for word in ("reload", "signal:", "signal:KILL", "signal:9"):
            done = self.run_it("exec", "--env", "T=api", "--on-change", word, "--", "true")
            self.assertEqual(done.returncode, 2)
            self.assertIn("--on-change is restart, or signal:", done.stderr)


if __name__ == "__main__":
    unittest.main()
