"""root_key_test.py MAKE_ROOT_KEY: the program of credlease-setup.service."""

import getpass
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

MAKE_ROOT_KEY = sys.argv[1]


class RootKey(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="credlease-root-key.")
        self.addCleanup(shutil.rmtree, self.folder)
        self.key = os.path.join(self.folder, "root.key")
        self.data = os.path.join(self.folder, "data")

    def make(self, owner=None, **options):
        command = [MAKE_ROOT_KEY, self.key, self.data, owner or getpass.getuser()]
        return subprocess.run(command, capture_output=True, text=True, **options)

    def stored(self):
        with open(self.key, "rb") as key:
            return key.read()

    def test_the_key_is_32_bytes_that_its_owner_alone_can_read(self):
        self.assertEqual(self.make().returncode, 0)
        made = os.lstat(self.key)
        self.assertEqual((stat.S_IMODE(made.st_mode), made.st_size, made.st_nlink), (0o400, 32, 1))
        self.assertTrue(stat.S_ISREG(made.st_mode))
        self.assertEqual(os.listdir(self.folder), ["root.key"])

    @unittest.skipIf(os.getuid() != 0, "only root gives files away")
    def test_the_key_belongs_to_the_brokers_account(self):
        self.assertEqual(self.make(owner="nobody").returncode, 0)
        self.assertEqual(os.stat(self.key).st_uid, 65534)

    def test_two_keys_differ(self):
        self.make()
        first = self.stored()
        os.remove(self.key)
        self.make()
        self.assertNotEqual(self.stored(), first)

    def test_a_key_that_is_there_stays_whatever_it_is(self):
        with open(self.key, "wb") as key:
            key.write(b"an operator's own")
        self.assertEqual(self.make().returncode, 0)
        self.assertEqual(self.stored(), b"an operator's own")

    def test_a_link_to_nowhere_is_not_followed(self):
        os.symlink(os.path.join(self.folder, "elsewhere"), self.key)
        self.assertEqual(self.make().returncode, 0)
        self.assertEqual(os.listdir(self.folder), ["root.key"])
        self.assertTrue(os.path.islink(self.key))

    def test_no_key_is_made_beside_a_store_that_it_could_not_open(self):
        os.mkdir(self.data)
        open(os.path.join(self.data, "seal"), "w").close()
        made = self.make()
        self.assertEqual(made.returncode, 0)
        self.assertIn("Put its own key back", made.stderr)
        self.assertEqual(os.listdir(self.folder), ["data"])

    def test_an_empty_data_folder_is_a_new_broker(self):
        os.mkdir(self.data)
        self.assertEqual(self.make().returncode, 0)
        self.assertEqual(len(self.stored()), 32)

    def test_the_key_is_synced_before_it_has_its_name_and_its_folder_after(self):
        trace = os.path.join(self.folder, "trace")
        self.stand_in("sync", f'echo "sync $1" >>{trace}; exec /bin/sync "$@"')
        self.stand_in("mv", f'echo "mv $3" >>{trace}; exec /bin/mv "$@"')
        made = self.make(env={"PATH": os.path.join(self.folder, "bin") + ":/usr/bin:/bin"})
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        with open(trace) as lines:
            first, second, third = lines.read().splitlines()
        self.assertIn("/.root.key.", first)
        self.assertEqual((second, third), (f"mv {self.key}", f"sync {self.folder}"))

    def test_a_key_that_could_not_be_written_leaves_nothing(self):
        self.stand_in("sync", "exit 1")
        made = self.make(env={"PATH": os.path.join(self.folder, "bin") + ":/usr/bin:/bin"})
        self.assertNotEqual(made.returncode, 0)
        self.assertEqual(os.listdir(self.folder), ["bin"])

    def stand_in(self, program, script):
        folder = os.path.join(self.folder, "bin")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, program)
        with open(path, "w") as file:
            file.write("#!/bin/sh\n" + script + "\n")
        os.chmod(path, 0o755)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
