"""A secret lies in locked memory only: the program's whole memory is searched while it holds one."""
import base64
import json
import os
import signal
import subprocess
import sys
import unittest
import urllib.parse

from command import CommandTest
from stand_in_oauth import REDIRECT_URI

TOKEN = "Zq7/w+Kd93=Lm20\"xv\\Rt55-uYpQ81"
TWO_SECRETS = {
    "id": "pair", "name": "A pair", "auth": [{"name": "pair", "label": "Pair", "fields": [
        {"name": "first", "type": "string", "label": "First", "secret": True, "required": True},
        {"name": "second", "type": "string", "label": "Second", "secret": True, "required": True}]}]}


def forms_of(secret):
    """12 consecutive bytes of it count, raw or as it might be encoded on the way."""
    texts = [secret, json.dumps(secret)[1:-1], urllib.parse.quote(secret, safe=""), base64.b64encode(secret.encode()).decode()]
    return {text[at:at + 12].encode() for text in texts for at in (0, len(text) // 2 - 6, len(text) - 12)}


def regions_of(pid):
    """(begin, end, name, whether a core dump would hold it) of each readable mapping."""
    region = None
    with open(f"/proc/{pid}/smaps") as maps:
        for line in maps:
            words = line.split()
            if "-" in words[0] and ":" not in words[0]:
                begin, end = (int(word, 16) for word in words[0].split("-"))
                region = (begin, end, words[5] if len(words) > 5 else "", "r" in words[1])
            elif words[0] == "VmFlags:" and region[3] and region[2] not in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                yield region[0], region[1], region[2], "dd" not in words


def places_of(pid, secret):
    """(in memory that would be dumped, in memory that would not): how often the secret is found."""
    dumped, hidden = [], 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, name, is_dumped in regions_of(pid):
            try:
                memory.seek(begin)
                data = memory.read(end - begin) or b""
            except OSError:
                continue
            for form in forms_of(secret):
                at = data.find(form)
                if at >= 0 and is_dumped:
                    dumped.append(f"{name or 'anonymous'} {begin + at:x}: {form!r}")
                elif at >= 0:
                    hidden += 1
    return dumped, hidden


class Memory(CommandTest):
    def test_the_search_finds_a_planted_secret(self):
        planted = subprocess.Popen([sys.executable, "-c", "import sys; s = sys.stdin.readline(); print(1, flush=True); input()"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        planted.stdin.write(TOKEN + "\n")
        planted.stdin.flush()
        planted.stdout.readline()
        dumped, _ = places_of(planted.pid, TOKEN)
        planted.kill()
        planted.communicate()
        self.assertTrue(dumped)

    def test_a_leased_secret_and_a_grant_lie_in_locked_memory_only(self):
        self.broker.put("http-bearer", "api", {"token": TOKEN})
        grant = self.file("grant", "clg_Hk39sLwQx72bNv81\n")
        self.broker.lease_seconds = 0.5
        held = self.start("lease", "api", "--hold", CREDLEASE_GRANT_FILE=grant)
        held.stdout.readline()
        self.wait_until(lambda: sum(a["target"].endswith("/renew") for a in self.broker.asked) >= 2)
        for secret in (TOKEN, "clg_Hk39sLwQx72bNv81"):
            dumped, hidden = places_of(held.pid, secret)
            self.assertEqual(dumped, [])
            self.assertGreater(hidden, 0)
        held.send_signal(signal.SIGINT)
        held.communicate(timeout=30)

    def test_a_typed_secret_lies_in_locked_memory_only(self):
        self.broker.services["pair"] = TWO_SECRETS
        terminal = self.on_terminal("add", "pair", "--name", "x").wait_for("First: ").type(TOKEN + "\n")
        terminal.wait_for("Second: ")
        dumped, hidden = places_of(terminal.pid, TOKEN)
        self.assertEqual(dumped, [])
        self.assertGreater(hidden, 0)
        self.assertEqual(terminal.type("x\n").end(), 0)

    def test_a_pasted_address_lies_in_locked_memory_only(self):
        inbox = self.broker.put("mail", "inbox", {}, auth="oauth2", status="pending")
        complete, found = self.broker.complete, []

        def search_and_complete(number, address):
            found.append(places_of(self.broker.asked[-1]["pid"], TOKEN))  # it waits for its answer
            return complete(number, address)

        self.broker.complete = search_and_complete
        address = f"{REDIRECT_URI}?state=St-1&code={TOKEN}\n"
        self.run_ok("reauthorize", inbox["id"], input=address)
        terminal = self.on_terminal("reauthorize", inbox["id"]).wait_for("(not shown): ").type(address)
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.assertEqual([dumped for dumped, _ in found], [[], []])
        self.assertTrue(all(hidden > 0 for _, hidden in found))

    def test_a_client_secret_lies_in_locked_memory_only(self):
        put, found = self.broker.put_oauth, []

        def search_and_put(*asked):
            found.append(places_of(self.broker.asked[-1]["pid"], TOKEN))  # it waits for its answer
            return put(*asked)

        self.broker.put_oauth = search_and_put
        self.run_ok("oauth-client", "set", "chat", "--client-id", "1", "--field", "client_secret=-", input=TOKEN + "\n")
        terminal = self.on_terminal("oauth-client", "set", "chat", "--client-id", "1").wait_for("Client secret: ").type(TOKEN + "\n")
        self.assertEqual(terminal.end(), 0, terminal.shown)
        self.assertEqual([dumped for dumped, _ in found], [[], []])
        self.assertTrue(all(hidden > 0 for _, hidden in found))

    def test_what_exec_leased_is_not_in_its_ordinary_memory(self):
        self.broker.put("http-bearer", "api", {"token": TOKEN})
        running = self.start("exec", "--env", "A=api", "--file", "B=api", "--", sys.executable, "-c",
                             "print('waits', flush=True); import time; time.sleep(60)")
        self.assertEqual(running.stdout.readline(), "waits\n")
        dumped, hidden = places_of(running.pid, TOKEN)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
        self.assertEqual(dumped, [])
        self.assertGreater(hidden, 0)


if __name__ == "__main__":
    unittest.main()
