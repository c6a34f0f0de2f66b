"""What stands in packages: the configurations, the units, the init script. What a package does when
it is installed is tested by `./dev deb --test`."""

import pathlib
import re
import subprocess
import tempfile
import unittest

from support.broker import REPOSITORY, WAIT_S, linnet_binary, linnet_only

PACKAGING = REPOSITORY / "packaging"

# What rc.common and procd have on OpenWrt, in words: every call is printed.
PROCD = r"""
for name in procd_open_instance procd_close_instance procd_set_param mkdir chmod chown logger \
            user_add group_add_next; do
  eval "$name() { echo $name \"\$@\"; }"
done
user_exists() { [ -n "$HAS_USER" ]; }
group_exists() { [ -n "$HAS_USER" ]; }
. "$SCRIPT"
PROGRAM=$LINNET CONFIG=$FILE
start_service
"""


def linnet(*arguments):
    return subprocess.run([linnet_binary(), *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=WAIT_S)


def unit(name):
    """The lines "Key=value" of a unit, as pairs."""
    text = (PACKAGING / "systemd" / name).read_text()
    return [tuple(line.split("=", 1)) for line in text.splitlines() if re.match(r"\w+=", line)]


@linnet_only
class Configurations(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="linnet-packaging-")
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name, "linnet.toml")

    def errors(self, text):
        self.file.write_text(text)
        return linnet("check", "--config", str(self.file)).stderr.splitlines()

    def test_of_the_package(self):
        text = (PACKAGING / "linnet.toml").read_text()
        self.assertEqual(self.errors(text), [])
        # What is commented out is right, too: only the files are missing.
        shown, keys = re.subn(r"^#(?=\[|\w+(\.\w+)? = )", "", text, flags=re.M)
        self.assertGreater(keys, 10)
        problems = self.errors(shown)
        self.assertTrue(problems)
        for problem in problems:
            self.assertRegex(problem, "/etc/linnet/.*No such file")

    def test_of_the_image(self):
        text = (PACKAGING / "docker" / "linnet.toml").read_text()
        self.assertIn("allow_anonymous", self.errors(text)[0])
        self.assertEqual(self.errors(text.replace("#allow_anonymous", "allow_anonymous")), [])


@linnet_only
class Units(unittest.TestCase):
    def test_the_service_uses_options_that_exist(self):
        commands = [value for key, value in unit("linnet.service") if key.startswith("Exec")]
        self.assertEqual(len(commands), 2)
        for command in commands:
            program, name, *options = command.split()
            self.assertEqual(program, "/usr/bin/linnet")
            shown = linnet(name, "--help").stdout
            self.assertEqual(options, ["--config", "/etc/linnet/linnet.toml"])
            self.assertIn("--config FILE", shown)

    def test_the_socket_has_the_addresses_of_the_default(self):
        addresses = [value for key, value in unit("linnet.socket") if key == "ListenStream"]
        table = linnet("check", "--print-keys-markdown").stdout
        meaning = re.search(r"Without any, Linnet listens on (.*)", table)[1]
        self.assertEqual(addresses, re.findall(r"://([\d.:]+)", meaning))

    def test_the_user_is_the_same_everywhere(self):
        service = dict(unit("linnet.service"))
        users = (PACKAGING / "systemd" / "linnet.sysusers").read_text()
        self.assertIn(f"\nu {service['User']} - ", users)
        self.assertEqual(service["StateDirectory"], "linnet")
        self.assertIn(" /var/lib/linnet ", users)


@linnet_only
class OpenWrt(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="linnet-openwrt-")
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name, "linnet.toml")

    def start(self, has_user=""):
        """Whether the start succeeds, and the calls to procd and others."""
        environment = {"PATH": "/usr/bin:/bin", "SCRIPT": str(PACKAGING / "openwrt" / "linnet.init"),
                       "LINNET": linnet_binary(), "FILE": str(self.file), "HAS_USER": has_user}
        done = subprocess.run(["sh", "-c", PROCD], env=environment, capture_output=True, text=True,
                              timeout=WAIT_S)
        self.assertEqual(done.stderr, "")
        return done.returncode == 0, done.stdout.splitlines()

    def test_without_a_configuration(self):
        started, calls = self.start()
        self.assertTrue(started)
        self.assertIn(f"procd_set_param command {linnet_binary()} run --data-dir /srv/linnet", calls)
        self.assertIn("group_add_next linnet", calls)
        self.assertIn("procd_set_param user linnet", calls)
        self.assertEqual(calls[-1], "procd_close_instance")

    def test_with_one(self):
        self.file.write_text("threads = 1\n")
        started, calls = self.start(has_user="yes")
        self.assertTrue(started)
        self.assertIn(f"procd_set_param command {linnet_binary()} run --data-dir /srv/linnet "
                      f"--config {self.file}", calls)
        self.assertIn(f"procd_set_param file {self.file}", calls)
        self.assertEqual([call for call in calls if call.startswith(("user_", "group_"))], [])

    def test_a_wrong_one_starts_nothing(self):
        self.file.write_text("nonsense = 1\n")
        started, calls = self.start()
        self.assertFalse(started)
        self.assertEqual([call for call in calls if call.startswith("procd_")], [])
        self.assertIn("nonsense", calls[-1])


if __name__ == "__main__":
    unittest.main()
