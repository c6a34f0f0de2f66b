"""`linnet ban`, and the bans that wrong logins lead to."""

import contextlib
import json
import pathlib
import struct
import subprocess
import tempfile
import unittest

from support import wire
from support.broker import WAIT_S, BrokerCase, linnet_binary, linnet_only
from support.clients import unique
from support.users import password_line

BANNED, WRONG_PASSWORD = 0x8A, 0x86
PROXIED = {"url": "mqtt://127.0.0.1:0", "proxy_protocol": True, "trusted_proxies": ["127.0.0.1"]}


def ban(*arguments):
    """A finished `linnet ban …`."""
    return subprocess.run([linnet_binary(), "ban", *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=3 * WAIT_S)


def line(address):
    """A PROXY header that tells the client's address."""
    family = "TCP6" if ":" in address else "TCP4"
    own = "::1" if ":" in address else "198.51.100.1"
    return f"PROXY {family} {address} {own} 56324 1883\r\n".encode()


def connect(user=None, password=""):
    flags = 0x02 | (0xC0 if user else 0)
    head = wire.string("MQTT") + bytes([5, flags]) + struct.pack("!H", 60) + b"\0"
    tail = wire.string(user) + wire.string(password) if user else b""
    return wire.packet(wire.CONNECT << 4, head + wire.string(unique()) + tail)


@linnet_only
class BanCase(BrokerCase):
    def setUp(self):
        self.ban("lift", "--all")

    def ban(self, *arguments, code=0):
        result = ban(*arguments, "--data-dir", self.broker.data_dir)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout if code == 0 else result.stderr

    def answer(self, address, user=None, password=""):
        """The reason code of the CONNACK; None if it was closed without one."""
        with wire.RawClient(self.broker.at("proxied").port) as raw:
            raw.send(line(address) + connect(user, password))
            with contextlib.suppress(wire.Closed):
                return raw.expect(wire.CONNACK).body[1]
        return None


class ByHand(BanCase):
    listeners = {"proxied": PROXIED | {"allow_anonymous": True}}

    def test_add_and_lift(self):
        self.assertEqual(self.ban("list"), "no address is banned\n")
        self.assertEqual(self.answer("192.0.2.7"), 0)
        self.assertEqual(self.ban("add", "192.0.2.7", "--time", "1h"),
                         "banned: 192.0.2.7, for 1h\n")
        self.assertEqual(self.ban("add", "2001:db8::1"),
                         "banned: 2001:db8::/64, until it is lifted\n")
        for address, expected in (("192.0.2.7", None), ("192.0.2.8", 0), ("2001:db8::2", None),
                                  ("2001:db8:0:1::1", 0)):
            self.assertEqual(self.answer(address), expected, address)
        self.assertIsNotNone(self.broker.log.wait_for("closed 192.0.2.7", "banned"))
        shown = self.ban("list")
        self.assertRegex(shown, r"(?m)^192\.0\.2\.7 +for (1 h 0|59) min.*, by hand$")
        self.assertRegex(shown, r"(?m)^2001:db8::/64 +until it is lifted, by hand$")
        self.ban("lift", "2001:db8::/64")
        self.assertEqual(self.answer("2001:db8::2"), 0)
        self.assertIn("is not banned", self.ban("lift", "192.0.2.8", code=1))
        self.assertEqual(self.ban("lift", "--all"), "lifted: 1\n")
        self.assertEqual(self.answer("192.0.2.7"), 0)

    def test_as_json(self):
        self.ban("add", "192.0.2.7")
        self.assertEqual(json.loads(self.ban("list", "--json")),
                         {"ok": True, "bans": [{"address": "192.0.2.7", "times": 0,
                                                "by_hand": True}]})
        self.assertEqual(json.loads(self.ban("lift", "192.0.2.7", "--json")),
                         {"ok": True, "lifted": 1})

    def test_who_is_never_banned(self):
        self.assertIn("never banned", self.ban("add", "127.0.0.2", code=1))
        self.assertIn("never banned", self.ban("add", "::1", code=1))
        self.assertIn("listener.deny", self.ban("add", "192.0.2.0/24", code=1))

    def test_those_who_are_in_stay(self):
        with wire.RawClient(self.broker.at("proxied").port) as raw:
            raw.send(line("192.0.2.7"))
            raw.connect(unique())
            self.ban("add", "192.0.2.7")
            raw.send(wire.packet(wire.PINGREQ << 4, b""))
            raw.expect(wire.PINGRESP)


class WrongLogins(BanCase):
    settings = {"auth.ban.after": 3, "auth.ban.time": "1h"}
    listeners = {"proxied": PROXIED}

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="linnet-ban-")
        cls.addClassCleanup(cls.folder.cleanup)
        path = pathlib.Path(cls.folder.name, "passwords")
        path.write_text(password_line("alice", "secret"))
        cls.settings = {**cls.settings, "auth.password_file": str(path)}
        super().setUpClass()

    def test_they_lead_to_a_ban(self):
        self.assertEqual(self.answer("192.0.2.7", "alice", "secret"), 0)
        for _ in range(2):
            self.assertEqual(self.answer("192.0.2.7", "alice", "wrong"), WRONG_PASSWORD)
        self.assertIn(self.answer("192.0.2.7", "mallory", "secret"), (BANNED, WRONG_PASSWORD))
        self.assertIsNotNone(self.broker.log.wait_for("192.0.2.7 is banned", "linnet ban lift"))
        self.assertIsNone(self.answer("192.0.2.7", "alice", "secret"))
        self.assertEqual(self.answer("192.0.2.8", "alice", "secret"), 0)
        found, = json.loads(self.ban("list", "--json"))["bans"]
        self.assertEqual((found["address"], found["times"], found["by_hand"]),
                         ("192.0.2.7", 1, False))
        self.assertLessEqual(found["left_ms"], 3_600_000)
        self.ban("lift", "192.0.2.7")
        self.assertEqual(self.answer("192.0.2.7", "alice", "secret"), 0)

    def test_loopback_is_never_banned(self):
        for _ in range(5):
            self.assertEqual(self.answer("127.0.0.2", "alice", "wrong"), WRONG_PASSWORD)
        self.assertEqual(self.answer("127.0.0.2", "alice", "secret"), 0)
        self.assertEqual(self.ban("list"), "no address is banned\n")


@linnet_only
class WithoutABroker(unittest.TestCase):
    def test_nobody_to_ask(self):
        with tempfile.TemporaryDirectory(prefix="linnet-ban-") as folder:
            result = ban("list", "--data-dir", folder)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn("no broker runs", result.stderr)
            result = ban("list", "--json", "--data-dir", folder)
            self.assertIs(json.loads(result.stdout)["ok"], False)

    def test_wrong_usage(self):
        for arguments in ((), ("add",), ("add", "192.0.2.7", "--time", "soon"),
                          ("add", "192.0.2.7", "--time", "0s"), ("lift",),
                          ("lift", "192.0.2.7", "--all"), ("forgive", "192.0.2.7")):
            with self.subTest(arguments):
                result = ban(*arguments)
                self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
                self.assertNotEqual(result.stderr, "")


if __name__ == "__main__":
    unittest.main()
