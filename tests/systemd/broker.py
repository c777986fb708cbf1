"""What the tests under a real service manager share: a broker seen from outside."""

import http.client
import json
import os
import socket
import subprocess
import time


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("credlease", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path, method, target, body=None):
    """One request; (status, JSON)."""
    connection = UnixConnection(path)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, target, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None


class Manager:
    def __init__(self, kind, service="credleased.service"):
        self.kind, self.service = f"--{kind}", service

    def run(self, *words, check=True):
        done = subprocess.run(["systemctl", self.kind, *words], capture_output=True, text=True)
        if check and done.returncode != 0:
            raise AssertionError(f"systemctl {' '.join(words)}: {done.stderr}{self.run('status', self.service, check=False).stdout}")
        return done

    def shows(self, name):
        return self.run("show", "--value", "--property", name, self.service).stdout.strip()

    def pid(self):
        return int(self.shows("MainPID"))

    def drop_in(self, text, folder):
        """Changes the service for a test: settings that a promise needs to be seen in less time."""
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "test.conf"), "w") as file:
            file.write(text)
        self.run("daemon-reload")


def wait_for(claim, seconds=20):
    """Polls until `claim()`; the tests assert what came, not how fast."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if claim():
            return True
        time.sleep(0.05)
    return False


def proc_status(pid, name):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith(name + ":"):
                return line.split(":", 1)[1].split()
    raise AssertionError(f"/proc/{pid}/status has no {name}")
