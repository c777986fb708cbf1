"""Runs the built `credlease` as people and programs do: in pipes, and on a terminal."""
import json
import os
import pty
import select
import signal
import subprocess
import tempfile
import termios
import time
import unittest

from stand_in import StandIn

PROGRAM = os.environ["CREDLEASE_PROGRAM"]
PATIENCE = 30


def surroundings(socket, **more):
    left_out = ("CREDLEASE", "SSH_", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "NO_COLOR", "XDG_RUNTIME_DIR")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    return {**kept, "CREDLEASE_SOCKET": socket, "CREDLEASE_ADMIN_SOCKET": socket, "TERM": "xterm", **more}


class Terminal:
    """The program on a terminal of its own, in a session of its own."""

    def __init__(self, program, arguments, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(program, [program, *arguments], env)
        self.shown = ""

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)

    def wait_for(self, text):
        until = time.monotonic() + PATIENCE
        while text not in self.shown:
            if not self.read(0.2) and time.monotonic() > until:
                raise AssertionError(f"{text!r} did not come; shown: {self.shown!r}")
        return self

    def type(self, text):
        os.write(self.fd, text.encode())
        return self

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def end(self):
        """The exit status (negative: a signal), once it has ended."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read(0):
                    pass
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(f"it did not end; shown: {self.shown!r}")


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.socket = os.path.join(self.directory.name, "s")
        self.broker = StandIn(self.socket)

    def tearDown(self):
        self.broker.close()
        self.directory.cleanup()

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.directory.name, name)
        with open(path, "w") as out:
            out.write(text)
        os.chmod(path, mode)
        return path

    def run_it(self, *arguments, input=None, env=None, stdout=subprocess.PIPE, **more):
        return subprocess.run([PROGRAM, *arguments], input=input, stdout=stdout, stderr=subprocess.PIPE, text=True,
                              timeout=PATIENCE * 2, env={**surroundings(self.socket), **(env or {})}, **more,
                              stdin=subprocess.DEVNULL if input is None else None)

    def run_ok(self, *arguments, **more):
        done = self.run_it(*arguments, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def run_json(self, *arguments, **more):
        return json.loads(self.run_ok("--json", *arguments, **more))

    def start(self, *arguments, **env):
        return subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=surroundings(self.socket, **env))

    def on_terminal(self, *arguments, program=PROGRAM, **env):
        return Terminal(program, arguments, surroundings(self.socket, **env))

    def wait_until(self, holds):
        until = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)
