"""The system's broker under a real systemd as PID 1, as installed. Runs in under_manager's namespaces."""

import grp
import json
import os
import pwd
import signal
import stat
import subprocess
import sys
import unittest

from broker import Manager, ask, proc_status, wait_for

ADMIN, LEASE = "/run/credlease/admin.sock", "/run/credlease/lease.sock"
KEY, CONFIG = "/etc/credlease/root.key", "/etc/credlease/credleased.toml"
DROP_INS = "/etc/systemd/system/credleased.service.d"
NOBODY = 65534

system = Manager("system")


def as_worker(target, groups):
    """What lease.sock answers a process of uid nobody, with the groups given."""
    asks = "import json, sys; from broker import ask; print(json.dumps(ask(sys.argv[1], 'GET', sys.argv[2])))"
    done = subprocess.run([sys.executable, "-c", asks, LEASE, target], capture_output=True, text=True, user=NOBODY,
                          group=NOBODY, extra_groups=groups, cwd=os.path.dirname(os.path.abspath(__file__)))
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


class SystemBroker(unittest.TestCase):
    def setUp(self):
        system.run("reset-failed", "credleased.service", check=False)
        system.run("start", "credleased-lease.socket", "credleased-admin.socket")
        self.assertEqual(ask(ADMIN, "GET", "/v1/status")[0], 200) # the first request starts it

    def tearDown(self):
        system.run("stop", "credleased.service", "credleased-lease.socket", "credleased-admin.socket", check=False)
        for file in [CONFIG, os.path.join(DROP_INS, "test.conf")]:
            if os.path.exists(file):
                os.remove(file)
        system.run("daemon-reload")

    def configure(self, text):
        with open(CONFIG, "w") as config:
            config.write(text)
        system.run("restart", "credleased.service")

    def test_the_first_request_starts_it_with_a_key_of_its_own(self):
        status, answer = ask(ADMIN, "GET", "/v1/status")
        self.assertEqual((status, answer["state"], answer["root_key"]), (200, "ready", "file"))
        key = os.stat(KEY)
        self.assertEqual((stat.S_IMODE(key.st_mode), key.st_size, pwd.getpwuid(key.st_uid).pw_name),
                         (0o400, 32, "credlease"))

    def test_the_sockets_have_their_groups_and_rights(self):
        for path, group in [(LEASE, "credlease"), (ADMIN, "credlease-admin")]:
            made = os.stat(path)
            self.assertEqual((stat.S_IMODE(made.st_mode), made.st_uid, grp.getgrgid(made.st_gid).gr_name),
                             (0o660, 0, group))

    def test_its_folders_are_its_own(self):
        for folder in ["/var/lib/credlease", "/var/lib/credlease-head"]:
            made = os.stat(folder)
            self.assertEqual((stat.S_IMODE(made.st_mode), pwd.getpwuid(made.st_uid).pw_name), (0o700, "credlease"))
        self.assertEqual(os.listdir("/var/lib/credlease-head"), ["audit.head"])

    def test_the_process_keeps_one_capability_and_is_filtered(self):
        pid = system.pid()
        self.assertEqual(proc_status(pid, "Uid")[1], str(pwd.getpwnam("credlease").pw_uid))
        traces = ["0000000000080000"] # CAP_SYS_PTRACE
        for capabilities, kept in [("CapPrm", traces), ("CapEff", traces), ("CapBnd", traces), ("CapAmb", ["0" * 16])]:
            self.assertEqual((capabilities, proc_status(pid, capabilities)), (capabilities, kept))
        self.assertEqual(proc_status(pid, "NoNewPrivs"), ["1"])
        self.assertEqual(proc_status(pid, "Seccomp"), ["2"])

    def test_its_keys_lie_in_locked_memory(self):
        self.assertIn(ask(ADMIN, "GET", "/v1/status")[1]["arena"], ["memfd_secret", "mlock"])

    def test_a_worker_is_known_by_its_executable_through_the_units_own_mount_namespace(self):
        executable = os.path.realpath(sys.executable)
        rule = '[[worker]]\nname = "etl"\nuid = "nobody"\nworkspace = "default"\nexe = "{}"\n'
        self.configure(rule.format(executable))
        group = [grp.getgrnam("credlease").gr_gid]
        status, answer = as_worker("/v1/whoami", group)
        self.assertEqual((status, answer.get("principal")), (200, "worker:etl"))
        self.configure(rule.format("/bin/true"))
        self.assertEqual(as_worker("/v1/whoami", group)[0], 401)

    def test_a_process_outside_the_group_does_not_reach_the_socket(self):
        self.assertIn("PermissionError", as_worker("/v1/status", []))

    def test_nobody_is_an_operator_on_the_lease_socket(self):
        self.assertEqual(ask(LEASE, "GET", "/v1/credentials")[0], 401) # we are root
        self.assertEqual(ask(ADMIN, "GET", "/v1/credentials")[0], 200)

    def test_a_restart_and_a_crash_keep_what_was_stored_and_the_sockets(self):
        status, made = ask(ADMIN, "POST", "/v1/credentials", {
            "service": "http-bearer", "name": "kept", "fields": {"token": "a-token-for-the-test"}})
        self.assertEqual(status, 201, made)
        first = system.pid()
        system.run("restart", "credleased.service")
        killed = system.pid()
        os.kill(killed, signal.SIGKILL)
        self.assertTrue(wait_for(lambda: system.pid() != killed))
        status, found = ask(ADMIN, "GET", "/v1/credentials/" + made["id"]) # waits in the socket for the next start
        self.assertEqual((status, found["name"]), (200, "kept"))
        self.assertNotEqual(system.pid(), first)
        self.assertEqual(ask(ADMIN, "DELETE", "/v1/credentials/" + made["id"])[0], 204)

    def test_a_reload_rereads_the_config_in_the_same_process(self):
        first = system.pid()
        with open(CONFIG, "w") as config:
            config.write('[[worker]]\nname = "night"\nuid = "nobody"\nworkspace = "default"\n')
        system.run("reload", "credleased.service")
        group = [grp.getgrnam("credlease").gr_gid]
        self.assertTrue(wait_for(lambda: as_worker("/v1/whoami", group)[0] == 200))
        self.assertEqual(system.pid(), first)

    def test_a_loop_that_hangs_is_ended_by_the_watchdog_and_started_anew(self):
        system.drop_in("[Service]\nWatchdogSec=2s\n", DROP_INS)
        system.run("restart", "credleased.service")
        first = system.pid()
        os.kill(first, signal.SIGSTOP)
        self.assertTrue(wait_for(lambda: system.pid() not in (0, first) and system.shows("ActiveState") == "active"))

    def test_a_stop_is_clean(self):
        system.run("stop", "credleased.service")
        self.assertEqual((system.shows("Result"), system.shows("ExecMainStatus")), ("success", "0"))

    def test_without_its_key_a_store_is_not_served_and_no_new_key_is_made(self):
        system.run("stop", "credleased.service")
        os.rename(KEY, KEY + ".away")
        self.assertNotEqual(system.run("start", "credleased.service", check=False).returncode, 0)
        self.assertFalse(os.path.exists(KEY))
        os.rename(KEY + ".away", KEY)
        system.run("reset-failed", "credleased.service")
        system.run("start", "credleased.service")


if __name__ == "__main__":
    unittest.main(verbosity=2)
