"""Sockets that a service manager has opened: systemd's socket activation."""

import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

from support.broker import WAIT_S, Log, free_port, linnet_binary, linnet_only
from support.wire import connect

# A service manager in small: it places the sockets from descriptor 3 on, and becomes the broker.
LAUNCHER = """
import os, sys
descriptors = [int(number) for number in sys.argv[1].split(",")]
for descriptor in descriptors:  # out of the way first: the places may be taken by each other
    os.dup2(descriptor, 100 + descriptor, inheritable=True)
for place, descriptor in enumerate(descriptors, 3):
    os.dup2(100 + descriptor, place, inheritable=True)
    os.close(100 + descriptor)
os.environ.update(LISTEN_PID=str(os.getpid() + int(sys.argv[2])),
                  LISTEN_FDS=str(len(descriptors)), LISTEN_FDNAMES=sys.argv[3])
os.execv(sys.argv[4], sys.argv[4:])
"""


CONNACK = bytes.fromhex("20020000")


def greet(client):
    """CONNECT on a connected socket, and its CONNACK."""
    with client:
        client.settimeout(WAIT_S)
        client.sendall(connect("c"))
        return client.recv(len(CONNACK), socket.MSG_WAITALL)


def listening(family, address):
    door = socket.socket(family)
    door.bind(address)
    door.listen()
    return door


@linnet_only
class Activation(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="linnet-activation-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, sockets, urls, names="", foreign=0):
        """A broker that has been handed the sockets, and its log."""
        listens = [word for url in urls for word in ("--listen", url)]
        numbers = ",".join(str(door.fileno()) for door in sockets)
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, numbers, str(foreign), names, linnet_binary(), "run",
             *listens, "--data-dir", str(self.folder / "data"), "--set", "threads=2"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            pass_fds=[door.fileno() for door in sockets])
        log = Log(process.stderr)
        self.addCleanup(log.wait_for_end)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for door in sockets:
            door.close()
        return process, log

    def stop(self, process, log):
        process.terminate()
        self.assertEqual(process.wait(WAIT_S), 0, log.text())

    def test_a_socket_that_was_open_before_is_served(self):
        door = listening(socket.AF_INET, ("127.0.0.1", 0))
        port = door.getsockname()[1]
        # Whoever connects before the broker runs just waits.
        early = socket.create_connection(("127.0.0.1", port))
        process, log = self.start([door], [f"mqtt://127.0.0.1:{port}"])
        self.assertTrue(log.wait_for("ready"), log.text())
        self.assertEqual(greet(early), CONNACK)
        for _ in range(8):  # either thread may accept it
            self.assertEqual(greet(socket.create_connection(("127.0.0.1", port))), CONNACK)
        self.assertEqual(log.lines("not used"), [])
        self.stop(process, log)

    def test_a_unix_socket_is_found_by_its_path_and_stays(self):
        path = self.folder / "mqtt.sock"
        door = listening(socket.AF_UNIX, str(path))
        process, log = self.start([door], [f"unix:{path}"])
        self.assertTrue(log.wait_for("ready"), log.text())
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(path))
        self.assertEqual(greet(client), CONNACK)
        self.stop(process, log)
        self.assertTrue(path.exists())

    def test_a_socket_that_no_listener_has_is_one_warning(self):
        used = listening(socket.AF_INET, ("127.0.0.1", 0))
        spare = listening(socket.AF_INET, ("127.0.0.1", 0))
        port, other = used.getsockname()[1], spare.getsockname()[1]
        process, log = self.start([spare, used], [f"mqtt://127.0.0.1:{port}"], names="spare:used")
        self.assertTrue(log.wait_for("ready"), log.text())
        warning, = log.lines("warn", "not used")
        self.assertIn(f"127.0.0.1:{other} named spare;", warning)
        self.stop(process, log)

    def test_variables_of_another_process_are_not_ours(self):
        door = listening(socket.AF_INET, ("127.0.0.1", 0))
        process, log = self.start([door], [f"mqtt://127.0.0.1:{free_port()}"], foreign=1)
        self.assertTrue(log.wait_for("ready"), log.text())
        self.assertEqual(log.lines("not used"), [])
        self.stop(process, log)


if __name__ == "__main__":
    unittest.main()
