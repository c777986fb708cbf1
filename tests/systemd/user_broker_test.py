"""A user's broker under a real `systemd --user`, as installed. Runs in under_manager's namespaces."""

import os
import signal
import unittest

from broker import Manager, ask, proc_status, wait_for

RUNTIME = os.environ["XDG_RUNTIME_DIR"]
ADMIN = os.path.join(RUNTIME, "credlease/admin.sock")
LEASE = os.path.join(RUNTIME, "credlease/lease.sock")
CONFIG = os.path.join(os.environ["HOME"], ".config/credlease")
UNITS = os.path.join(os.environ["HOME"], ".config/systemd/user")

SOCKET = """[Socket]
ListenStream=%t/credlease/{name}.sock
FileDescriptorName={known_as}
SocketMode={mode}
DirectoryMode=0700
Service=credleased.service
"""

user = Manager("user")


def state():
    status, answer = ask(ADMIN, "GET", "/v1/status")
    return answer["state"] if status == 200 else status


class UserBroker(unittest.TestCase):
    def setUp(self):
        user.run("reset-failed", "credleased.service", check=False)
        user.run("start", "credleased.service")

    def tearDown(self):
        user.run("stop", "credleased.service", "credleased-lease.socket", "credleased-admin.socket", check=False)
        for name in ["credleased-lease.socket", "credleased-admin.socket", "credleased.service.d/test.conf"]:
            if os.path.exists(os.path.join(UNITS, name)):
                os.remove(os.path.join(UNITS, name))
        user.run("daemon-reload")

    def test_it_is_active_once_it_serves_and_needs_no_config(self):
        self.assertEqual(state(), "ready") # start returned: READY=1 was said, so the first request is answered
        self.assertEqual(os.stat(os.path.join(CONFIG, "root.key")).st_mode & 0o7777, 0o400)
        self.assertEqual(os.stat(os.path.dirname(ADMIN)).st_mode & 0o7777, 0o700)

    def test_a_reload_keeps_the_process_and_a_wrong_config_keeps_the_old_one(self):
        first = user.pid()
        with open(os.path.join(CONFIG, "credleased.toml"), "w") as config:
            config.write('[log]\nlevel = "debug"\n')
        user.run("reload", "credleased.service")
        self.assertTrue(wait_for(lambda: user.shows("ActiveState") == "active"))
        with open(os.path.join(CONFIG, "credleased.toml"), "w") as config:
            config.write('[log]\nlevle = "debug"\n')
        user.run("reload", "credleased.service")
        self.assertTrue(wait_for(lambda: user.shows("ActiveState") == "active"))
        self.assertEqual((user.pid(), state()), (first, "ready"))
        os.remove(os.path.join(CONFIG, "credleased.toml"))

    def test_a_restart_keeps_what_was_stored(self):
        first = user.pid()
        status, made = ask(ADMIN, "POST", "/v1/credentials", {
            "service": "http-bearer", "name": "kept over restart", "fields": {"token": "a-token-for-the-test"}})
        self.assertEqual(status, 201, made)
        user.run("restart", "credleased.service")
        self.assertNotEqual(user.pid(), first)
        status, found = ask(ADMIN, "GET", "/v1/credentials/" + made["id"])
        self.assertEqual((status, found["name"]), (200, "kept over restart"))

    def test_a_crash_is_followed_by_a_new_start(self):
        first = user.pid()
        os.kill(first, signal.SIGKILL)
        self.assertTrue(wait_for(lambda: user.pid() not in (0, first) and user.shows("ActiveState") == "active"))
        self.assertEqual(state(), "ready")

    def test_a_loop_that_hangs_is_ended_by_the_watchdog_and_started_anew(self):
        user.drop_in("[Service]\nWatchdogSec=2s\n", os.path.join(UNITS, "credleased.service.d"))
        user.run("restart", "credleased.service")
        first = user.pid()
        self.assertFalse(wait_for(lambda: user.pid() != first, seconds=5)) # it feeds the watchdog
        os.kill(first, signal.SIGSTOP)
        self.assertTrue(wait_for(lambda: user.pid() not in (0, first) and user.shows("ActiveState") == "active"))
        self.assertEqual(state(), "ready")

    def test_a_stop_is_clean_and_takes_the_sockets_along(self):
        user.run("stop", "credleased.service")
        self.assertEqual((user.shows("Result"), user.shows("ExecMainStatus")), ("success", "0"))
        self.assertFalse(os.path.exists(ADMIN))

    def test_the_unit_filters_calls_and_the_process_has_no_new_privileges(self):
        self.assertEqual(proc_status(user.pid(), "NoNewPrivs"), ["1"])
        self.assertEqual(proc_status(user.pid(), "Seccomp"), ["2"])

    def pass_sockets(self, lease="lease", admin="admin", admin_mode="0600"):
        user.run("stop", "credleased.service")
        os.makedirs(UNITS, exist_ok=True)
        for name, known_as, mode in [("lease", lease, "0660"), ("admin", admin, admin_mode)]:
            with open(os.path.join(UNITS, f"credleased-{name}.socket"), "w") as unit:
                unit.write(SOCKET.format(name=name, known_as=known_as, mode=mode))
        user.drop_in("[Unit]\nRequires=credleased-lease.socket credleased-admin.socket\n"
                     "[Service]\nSockets=credleased-lease.socket credleased-admin.socket\n",
                     os.path.join(UNITS, "credleased.service.d"))
        user.run("start", "credleased-lease.socket", "credleased-admin.socket")

    def test_the_first_request_starts_it_and_sockets_are_known_by_name(self):
        self.pass_sockets()
        self.assertEqual(user.pid(), 0)
        self.assertEqual(ask(LEASE, "GET", "/v1/status")[0], 200)
        self.assertEqual(ask(LEASE, "GET", "/v1/audit")[0], 404) # a route of admin.sock
        self.assertEqual(ask(ADMIN, "GET", "/v1/audit")[0], 200)

    def refuses_to_start(self):
        self.assertNotEqual(user.run("start", "credleased.service", check=False).returncode, 0)
        self.assertEqual(user.pid(), 0)

    def test_an_unknown_socket_name_stops_the_start(self):
        self.pass_sockets(admin="administration")
        self.refuses_to_start()

    def test_socket_rights_wider_than_the_configs_stop_the_start(self):
        self.pass_sockets(admin_mode="0666")
        self.refuses_to_start()


if __name__ == "__main__":
    unittest.main(verbosity=2)
