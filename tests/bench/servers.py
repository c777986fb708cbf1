"""The three servers that the lease benchmark compares, each pinned to the benchmark's CPU."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("credlease", timeout=600)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Server:
    """A process on one CPU, and the socket that it serves."""

    def __init__(self, command, path, cpu, environment=None, log=subprocess.DEVNULL, schedule=None):
        self.path = path
        pin = (lambda: os.sched_setaffinity(0, {cpu})) if cpu is not None else None
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                                        preexec_fn=schedule or pin)
        self.wait_for_socket()

    def wait_for_socket(self):
        for _ in range(6000):
            if self.process.poll() is not None:
                raise SystemExit(f"{self.process.args[0]} ended with {self.process.returncode} before it served")
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                    probe.connect(self.path)
                return
            except OSError:
                time.sleep(0.01)
        raise SystemExit(f"{self.process.args[0]} did not serve {self.path} within a minute")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def start_echo(program, folder, cpu, request_size, reply_size):
    path = os.path.join(folder, "echo.sock")
    return Server([program, path, str(request_size), str(reply_size)], path, cpu)


def start_redis(folder, cpu, ids, value_size):
    """redis-server with one value of the reply's size for each id."""
    path = os.path.join(folder, "redis.sock")
    server = Server(["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir",
                     folder], path, cpu)
    value = b"v" * value_size
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(path)
        answers = connection.makefile("rb")
        for start in range(0, len(ids), 1000):
            part = ids[start:start + 1000]
            connection.sendall(b"".join(b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, value_size, value)
                                        for key in (id.encode() for id in part)))
            for _ in part:
                assert answers.readline() == b"+OK\r\n"
    return server


class Broker:
    """A user's broker in a folder of its own, with the config given."""

    def __init__(self, program, folder, data, cpu, config, schedule=None):
        self.home = os.path.join(data, "home")
        os.makedirs(os.path.join(self.home, "config/credlease"), mode=0o700, exist_ok=True)
        with open(os.path.join(self.home, "config/credlease/credleased.toml"), "w") as file:
            file.write(config)
        runtime = os.path.join(folder, "run") # short: a socket's path has 107 bytes
        os.makedirs(runtime, mode=0o700, exist_ok=True)
        environment = {**os.environ, "XDG_CONFIG_HOME": os.path.join(self.home, "config"),
                       "XDG_STATE_HOME": os.path.join(self.home, "state"), "XDG_RUNTIME_DIR": runtime}
        self.admin = os.path.join(runtime, "credlease/admin.sock")
        self.lease = os.path.join(runtime, "credlease/lease.sock")
        self.log_path = os.path.join(data, "credleased.log")
        with open(self.log_path, "a") as log:
            self.server = Server([program], self.admin, cpu, environment, log, schedule)
        self.connection = UnixConnection(self.admin)

    @property
    def pid(self):
        return self.server.process.pid

    def get(self, target):
        self.connection.request("GET", target)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"GET {target} was answered {answer.status}: {text.decode()}")
        return text

    def wait_until_no_lease_lives(self):
        """The leases of the last run end with their process or their ttl; that work is not the next run's."""
        for _ in range(600):
            if json.loads(self.get("/v1/status"))["leases"] == 0:
                return
            time.sleep(0.1)
        raise SystemExit("leases of an ended run still live after a minute")

    def count_issued(self):
        """How many leases the audit log says were issued; the log must verify."""
        verdict = json.loads(self.get("/v1/audit/verify"))
        if not verdict["ok"]:
            raise SystemExit(f"the audit log does not verify: {verdict}")
        count, cursor = 0, ""
        while True:
            page = self.get("/v1/audit?action=lease.issued&limit=500" + (f"&cursor={cursor}" if cursor else ""))
            count += page.count(b'"action":"lease.issued"')
            cursor = json.loads(page[page.rindex(b'"next_cursor"'):].join([b"{", b""]))["next_cursor"]
            if cursor is None:
                return count

    def stop(self):
        self.connection.close()
        status = self.server.stop()
        if status != 0:
            raise SystemExit(f"credleased ended with {status}; see {self.log_path}")

    def keep_copy(self, place):
        """The store and keys of a stopped broker, for another to begin with."""
        shutil.copytree(self.home, place)
