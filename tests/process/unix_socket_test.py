"""MQTT over a Unix socket: for programs on the same machine, by the file's permissions."""

import grp
import os
import pathlib
import pwd
import socket
import stat
import subprocess
import tempfile
import unittest

from support import wire
from support.broker import WAIT_S, Broker, linnet_binary, linnet_only
from support.clients import MosquittoSub, mosquitto_pub, tool_arguments, unique

root_only = unittest.skipUnless(os.geteuid() == 0, "only root can give files away")


class UnixClient(wire.RawClient):
    """A client of packets by hand."""

    def __init__(self, path):
        self._buffer = bytearray()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(WAIT_S)
        self.socket.connect(path)


class UnixCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="linnet-unix-")
        self.addCleanup(folder.cleanup)
        pathlib.Path(folder.name).chmod(0o755)
        self.path = f"{folder.name}/mqtt.sock"
        self.topic = unique()

    def broker(self, **keys):
        return Broker(2, listeners={"unix": {"url": f"unix:{self.path}", **keys}})

    def start(self, **keys):
        """What a broker says that cannot start."""
        with self.assertRaises(RuntimeError) as caught:
            self.broker(**keys).start()
        return str(caught.exception)

    def mode(self):
        status = os.stat(self.path)
        self.assertTrue(stat.S_ISSOCK(status.st_mode))
        return stat.S_IMODE(status.st_mode)


class Messages(UnixCase):
    def test_mosquitto(self):
        with self.broker() as broker:
            door = broker.at("unix")
            for version in (3, 4, 5):
                for qos in (0, 1, 2):
                    with self.subTest(version=version, qos=qos), \
                            MosquittoSub(door, self.topic, version=version, qos=qos) as sub, \
                            MosquittoSub(broker, self.topic, qos=qos) as by_tcp:
                        mosquitto_pub(door, self.topic, "near", version=version, qos=qos)
                        for each in (sub, by_tcp):
                            self.assertEqual(each.messages(), [(qos, False, self.topic, "near")])

    def test_packets_behind_connect_move_with_the_link(self):
        with self.broker():
            for number in range(16):
                topic = f"{self.topic}/{number}"
                with UnixClient(self.path) as raw:
                    raw.send(wire.connect(unique()), wire.subscribe(topic),
                             wire.publish(topic, bytes(40_000)))
                    types = sorted(raw.receive().type for _ in range(3))
                    self.assertEqual(types, sorted([wire.CONNACK, wire.SUBACK, wire.PUBLISH]))

    @linnet_only
    def test_a_bad_client_is_named(self):
        with self.broker() as broker, UnixClient(self.path) as raw:
            raw.send(b"GET / HTTP/1.1\r\n\r\n")
            self.assertEqual(raw.drain_until_closed(), [])
            self.assertRegex(broker.complaint("session", "unix"), "; ")

    @linnet_only
    def test_it_is_gone_after_an_orderly_end(self):
        with self.broker():
            self.assertTrue(os.path.exists(self.path))
        self.assertFalse(os.path.exists(self.path))


@linnet_only
class Files(UnixCase):
    def test_modes(self):
        for text, mode in (("0600", 0o600), ("0660", 0o660), ("0666", 0o666), ("777", 0o777)):
            with self.subTest(text), self.broker(mode=text):
                self.assertEqual(self.mode(), mode)

    def test_the_umask_does_not_matter(self):
        old = os.umask(0o077)
        try:
            with self.broker(mode="0666"):
                self.assertEqual(self.mode(), 0o666)
        finally:
            os.umask(old)

    def test_bad_modes(self):
        for text in ("rw", "0999", "07777", "-1"):
            with self.subTest(text):
                self.assertIn("mode", self.start(mode=text))

    @root_only
    def test_owner_and_group(self):
        nobody, nogroup = pwd.getpwnam("nobody"), grp.getgrnam("nogroup")
        for owner, group in (("nobody", "nogroup"), (str(nobody.pw_uid), str(nogroup.gr_gid))):
            with self.subTest(owner), self.broker(owner=owner, group=group):
                status = os.stat(self.path)
                self.assertEqual((status.st_uid, status.st_gid), (nobody.pw_uid, nogroup.gr_gid))
        for keys in ({"owner": "no-such-user"}, {"group": "no-such-group"}):
            self.assertIn("no-such", self.start(**keys))

    @root_only
    def test_the_mode_decides_who_may_connect(self):
        nobody = pwd.getpwnam("nobody")
        for mode, allowed in (("0600", False), ("0666", True)):
            with self.subTest(mode), self.broker(mode=mode) as broker:
                command = [*tool_arguments("mosquitto_pub", broker.at("unix"), 4), "-t", "t"]
                done = subprocess.run([*command, "-m", "x"], user=nobody.pw_uid,
                                      group=nobody.pw_gid, extra_groups=[], capture_output=True,
                                      timeout=WAIT_S)
                self.assertEqual(done.returncode == 0, allowed, done.stderr)

    def test_one_left_behind_is_taken_over(self):
        with self.broker() as broker:
            broker.kill()
            self.assertTrue(os.path.exists(self.path))
        with self.broker() as broker:
            mosquitto_pub(broker.at("unix"), "t", "x")

    def test_one_in_use_is_not(self):
        with self.broker() as first:
            self.assertIn(self.path, self.start())
            mosquitto_pub(first.at("unix"), "t", "x")

    def test_another_file_is_left_alone(self):
        pathlib.Path(self.path).write_text("mine\n")
        self.assertIn(self.path, self.start())
        self.assertEqual(pathlib.Path(self.path).read_text(), "mine\n")

    def test_paths_that_cannot_be(self):
        for path in ("/" + "x" * 200, "/nowhere/at/all.sock"):
            with self.subTest(path[:20]), tempfile.TemporaryDirectory() as folder:
                done = subprocess.run(
                    [linnet_binary(), "run", "--listen", f"unix:{path}", "--data-dir", folder],
                    capture_output=True, text=True, timeout=WAIT_S)
                self.assertEqual(done.returncode, 2)
                self.assertIn(path[:50], done.stderr + done.stdout)


if __name__ == "__main__":
    unittest.main()
