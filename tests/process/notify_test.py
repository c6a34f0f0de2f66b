"""What the service manager is told: systemd's notifications, with a socket that plays systemd."""

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from support.broker import WAIT_S, Log, free_port, linnet_binary, linnet_only
from support.wire import connect

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000


def ptrace(request, thread):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long] * 4
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(request, thread, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


class Manager:
    """systemd's end of the socket: takes datagrams, which become dictionaries."""

    def __init__(self, address):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(address)
        self._socket.settimeout(WAIT_S)
        self.senders = set()

    def close(self):
        self._socket.close()

    def next(self):
        data, extra, _, _ = self._socket.recvmsg(4096, 1024)
        self.senders |= {int.from_bytes(bytes(block[:4]), "little") for _, _, block in extra}
        return dict(line.split("=", 1) for line in data.decode().splitlines())

    def wait_for(self, key):
        """The first news with this key; what comes before it is passed over."""
        while True:
            news = self.next()
            if key in news:
                return news

    def waiting(self):
        """What is there already."""
        self._socket.setblocking(False)
        found = []
        try:
            while True:
                found.append(self.next())
        except BlockingIOError:
            return found
        finally:
            self._socket.settimeout(WAIT_S)


@linnet_only
class Notify(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="linnet-notify-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.config = self.folder / "linnet.toml"
        self.port = free_port()
        self.write("")

    def write(self, text):
        self.config.write_text(f'[[listener]]\nurl = "mqtt://127.0.0.1:{self.port}"\n{text}')

    def start(self, address=None, watchdog=None, **settings):
        address = address or str(self.folder / "notify.sock")
        manager = Manager(address.replace("@", "\0", 1))
        self.addCleanup(manager.close)
        environment = {**os.environ, "NOTIFY_SOCKET": address}
        environment.pop("WATCHDOG_PID", None)
        if watchdog:
            environment["WATCHDOG_USEC"] = str(watchdog * 1000)
        words = [word for key, value in {"threads": 2, **settings}.items()
                 for word in ("--set", f"{key}={value}")]
        self.process = subprocess.Popen(
            [linnet_binary(), "run", "--config", str(self.config), "--data-dir",
             str(self.folder / "data"), *words], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.log = Log(self.process.stderr)
        self.addCleanup(self.log.wait_for_end)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        return manager

    def client(self, name):
        """A client that is connected."""
        client = socket.create_connection(("127.0.0.1", self.port), WAIT_S)
        self.addCleanup(client.close)
        client.sendall(connect(name))
        self.assertEqual(client.recv(4), bytes.fromhex("20020000"))
        return client

    def stop(self, manager):
        self.process.terminate()
        self.assertIn("STOPPING", manager.wait_for("STOPPING"))
        self.assertEqual(self.process.wait(WAIT_S), 0, self.log.text())

    def test_a_whole_life(self):
        manager = self.start()
        self.assertEqual(manager.next(), {"STATUS": "opening the store"})
        self.assertEqual(manager.next(), {"READY": "1", "STATUS": "serving"})
        self.client("early")  # who is ready listens
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.process.send_signal(signal.SIGHUP)
        reloading = manager.next()
        self.assertEqual(reloading["RELOADING"], "1")
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.assertLessEqual(before, int(reloading["MONOTONIC_USEC"]))
        self.assertLessEqual(int(reloading["MONOTONIC_USEC"]), after)
        self.assertEqual(manager.next(), {"READY": "1", "STATUS": "serving"})
        self.process.terminate()
        self.assertEqual(manager.next()["STOPPING"], "1")
        self.assertEqual(self.process.wait(WAIT_S), 0)
        self.assertEqual(manager.waiting(), [])
        self.assertEqual(manager.senders, {self.process.pid})

    def test_an_abstract_socket_and_system_calls_that_are_filtered(self):
        manager = self.start(f"@linnet-notify-{os.getpid()}", watchdog=200, seccomp="true")
        manager.wait_for("READY")
        manager.wait_for("WATCHDOG")
        self.process.send_signal(signal.SIGHUP)
        manager.wait_for("RELOADING")
        manager.wait_for("READY")
        self.stop(manager)

    def test_the_status_counts_clients(self):
        manager = self.start(watchdog=200)
        self.assertEqual(manager.wait_for("READY")["STATUS"], "0 clients")
        self.client("a")
        self.assertEqual(manager.wait_for("STATUS"), {"WATCHDOG": "1", "STATUS": "1 client"})
        self.client("b")
        self.assertEqual(manager.wait_for("STATUS")["STATUS"], "2 clients")
        self.stop(manager)

    def test_the_status_says_what_is_wrong(self):
        manager = self.start(watchdog=200, **{"limits.connections_max": 1})
        manager.wait_for("READY")
        self.client("a")
        self.assertEqual(manager.wait_for("STATUS")["STATUS"],
                         "1 client; new clients are refused: limits.connections_max = 1 is reached")
        self.stop(manager)

    def test_a_reload_that_fails_stays_in_the_status(self):
        manager = self.start(watchdog=200)
        manager.wait_for("READY")
        self.write("nonsense = 1\n")
        self.process.send_signal(signal.SIGHUP)
        manager.wait_for("RELOADING")
        status = manager.wait_for("READY")["STATUS"]
        self.assertTrue(status.startswith("0 clients; the last reload failed: "), status)
        self.assertIn("nonsense", status)
        self.client("a")
        self.assertIn("nonsense", manager.wait_for("STATUS")["STATUS"])
        self.write("")
        done = subprocess.run([linnet_binary(), "reload", "--data-dir", str(self.folder / "data")],
                              capture_output=True, text=True, timeout=WAIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        manager.wait_for("RELOADING")
        self.assertEqual(manager.wait_for("READY")["STATUS"], "1 client")
        self.stop(manager)

    def test_a_thread_that_hangs_is_not_alive(self):
        manager = self.start(watchdog=400, core_dumps="true")
        manager.wait_for("READY")
        manager.wait_for("WATCHDOG")
        try:
            ptrace(PTRACE_SEIZE, self.process.pid)  # its first thread alone
        except OSError as error:
            self.skipTest(f"this machine does not allow it: {error}")
        ptrace(PTRACE_INTERRUPT, self.process.pid)
        os.waitpid(self.process.pid, WALL)
        self.assertTrue(self.log.wait_for("has not answered"), self.log.text())
        manager.waiting()
        # The reload is begun by a thread that lives, and can't end.
        self.process.send_signal(signal.SIGHUP)
        self.assertEqual(set(manager.next()), {"RELOADING", "MONOTONIC_USEC", "STATUS"})
        ptrace(PTRACE_DETACH, self.process.pid)
        manager.wait_for("READY")
        manager.wait_for("WATCHDOG")
        self.stop(manager)

    def test_a_start_that_fails_says_why(self):
        taken = socket.create_server(("127.0.0.1", self.port))
        self.addCleanup(taken.close)
        manager = self.start()
        self.assertEqual(self.process.wait(WAIT_S), 2)
        news = manager.waiting()
        self.assertNotIn("READY", {key for one in news for key in one})
        self.assertIn(str(self.port), news[-1]["STATUS"])

    def test_a_socket_that_is_gone_stops_nobody(self):
        manager = self.start(watchdog=200)
        manager.wait_for("READY")
        manager.close()
        self.assertTrue(self.log.wait_for("the service manager can't be told"), self.log.text())
        self.client("a")
        self.process.terminate()
        self.assertEqual(self.process.wait(WAIT_S), 0)
        self.assertEqual(len(self.log.lines("can't be told")), 1)


if __name__ == "__main__":
    unittest.main()
