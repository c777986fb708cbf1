"""units_test.py UNITS SOURCES: what systemd's own tools say about the units, accounts and folders."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

UNITS, SOURCES = sys.argv[1], sys.argv[2]
SYSTEM_UNITS = ["credleased.service", "credlease-setup.service", "credleased-lease.socket", "credleased-admin.socket"]
# 1.8, as `systemd-analyze security --threshold=` counts; of it 0.9 is the network, which OAuth's providers are reached by.
MOST_EXPOSURE = 18


def run(*command, **environment):
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env={**os.environ, **environment})


class Units(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="credlease-units.")
        self.addCleanup(shutil.rmtree, self.folder)
        for name in SYSTEM_UNITS:
            self.stage(name, "")
        self.stage("credleased.service", "user")

    def stage(self, name, kind):
        """Copies a unit, with a program that is there in the place of the one that is not installed yet."""
        made = os.path.join(UNITS, kind, name)
        with open(made if os.path.exists(made) else os.path.join(SOURCES, name)) as unit:
            lines = ["ExecStart=/bin/true\n" if line.startswith("ExecStart=") else line for line in unit]
        os.makedirs(os.path.join(self.folder, kind), exist_ok=True)
        with open(os.path.join(self.folder, kind, name), "w") as staged:
            staged.writelines(lines)

    def test_every_line_of_the_units_is_understood(self):
        # systemd-analyze verify ends with 0 on unknown keys too: what counts is that it has nothing to say.
        paths = [os.path.join(self.folder, name) for name in SYSTEM_UNITS]
        system = run("systemd-analyze", "verify", "--man=no", *paths)
        self.assertEqual((system.returncode, system.stderr), (0, ""))
        path = os.path.join(self.folder, "user/credleased.service")
        user = run("systemd-analyze", "verify", "--man=no", "--user", path, XDG_RUNTIME_DIR=self.folder)
        self.assertEqual((user.returncode, user.stderr), (0, ""))

    def test_the_sockets_pass_the_credentials_of_whoever_writes_before_the_broker_accepts(self):
        for name in ["credleased-lease.socket", "credleased-admin.socket"]:
            with open(os.path.join(self.folder, name)) as unit:
                self.assertIn("PassCredentials=yes", unit.read().splitlines(), name)

    def test_the_thread_that_answers_leases_goes_first_and_those_that_it_starts_do_not(self):
        with open(os.path.join(self.folder, "credleased.service")) as unit:
            lines = unit.read().splitlines()
        for line in ["Nice=-10", "CPUSchedulingPolicy=other", "CPUSchedulingResetOnFork=yes"]:
            self.assertIn(line, lines)

    def test_a_key_that_systemd_does_not_know_would_be_found(self):
        path = os.path.join(self.folder, "credleased.service")
        with open(path, "a") as unit:
            unit.write("[Service]\nProtectEverything=yes\n")
        self.assertIn("ProtectEverything", run("systemd-analyze", "verify", "--man=no", path).stderr)

    def test_the_exposure_of_the_system_units_is_at_most_1_8(self):
        for name in ["credleased.service", "credlease-setup.service"]:
            path = os.path.join(self.folder, name)
            judged = run("systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", path)
            self.assertEqual(judged.returncode, 0, judged.stdout[-300:])

    def test_an_exposed_unit_would_be_found(self):
        path = os.path.join(self.folder, "credleased.service")
        with open(path, "a") as unit:
            unit.write("[Service]\nSystemCallFilter=\nCapabilityBoundingSet=~\n")
        judged = run("systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", path)
        self.assertNotEqual(judged.returncode, 0)

    def test_the_broker_keeps_one_capability_and_can_not_use_it_to_read_memory(self):
        with open(os.path.join(self.folder, "credleased.service")) as unit:
            lines = unit.read().splitlines()
        self.assertIn("CapabilityBoundingSet=CAP_SYS_PTRACE", lines)
        refused = next(line for line in lines if line.startswith("SystemCallFilter=~")).split()
        for call in ["ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd"]:
            self.assertIn(call, refused)


class Accounts(unittest.TestCase):
    def test_accounts_and_folders_are_made_for_the_broker_alone(self):
        root = tempfile.mkdtemp(prefix="credlease-root.")
        self.addCleanup(shutil.rmtree, root)
        os.mkdir(os.path.join(root, "etc"))
        for name, line in [("passwd", "root:x:0:0:root:/root:/bin/sh"), ("group", "root:x:0:")]:
            with open(os.path.join(root, "etc", name), "w") as file:
                file.write(line + "\n")
        made = run("systemd-sysusers", f"--root={root}", os.path.join(SOURCES, "credlease.sysusers"))
        self.assertEqual(made.returncode, 0, made.stderr)
        groups = self.table(root, "group")
        user = self.table(root, "passwd")["credlease"]
        self.assertEqual(user[3], groups["credlease"][2])
        self.assertEqual(user[6], "/usr/sbin/nologin")
        self.assertIn("credlease-admin", groups)

        if os.getuid() != 0:
            return
        made = run("systemd-tmpfiles", "--create", f"--root={root}", os.path.join(SOURCES, "credlease.tmpfiles"))
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        config = os.stat(os.path.join(root, "etc/credlease"))
        self.assertEqual((config.st_mode & 0o7777, config.st_uid, str(config.st_gid)), (0o750, 0, user[3]))
        self.assertEqual(os.stat(os.path.join(root, "run/credlease")).st_mode & 0o7777, 0o755)

    def table(self, root, name):
        with open(os.path.join(root, "etc", name)) as file:
            return {line.split(":")[0]: line.strip().split(":") for line in file}


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
