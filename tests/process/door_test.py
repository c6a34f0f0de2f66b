"""Who is closed before a word is said: by network, by how many there are, by how often they come."""

import contextlib
import time
import unittest

from support import websocket, wire
from support.broker import WAIT_S, BrokerCase, linnet_only
from support.clients import unique

BEHIND_A_PROXY = {"proxy_protocol": True, "trusted_proxies": ["127.0.0.1"],
                  "allow_anonymous": True}


def line(address):
    """A PROXY header that tells the client's address."""
    return f"PROXY TCP4 {address} 198.51.100.1 56324 1883\r\n".encode()


class DoorCase(BrokerCase):
    threads = 1  # so that connections are accepted in their order

    def raw(self, name=None, **options):
        raw = wire.RawClient(self.broker.at(name).port if name else self.broker.port, **options)
        self.addCleanup(raw.close)
        return raw

    def assert_closed(self, raw, *words):
        self.assertEqual(raw.drain_until_closed(), [])
        if words:
            self.assertIsNotNone(self.broker.log.wait_for(*words), words)


@linnet_only
class ByNetwork(DoorCase):
    listeners = {"some": {"url": "mqtt://127.0.0.1:0", "allow": ["127.0.0.0/29"],
                          "deny": ["127.0.0.3"]},
                 "proxied": {"url": "any://127.0.0.1:0", "allow": ["192.0.2.0/24", "2001:db8::/32"],
                             "deny": ["192.0.2.7"], **BEHIND_A_PROXY},
                 "ws": {"url": "ws://127.0.0.1:0", "deny": ["192.0.2.7"],
                        "trusted_proxies": ["127.0.0.1"], "allow_anonymous": True}}

    def test_by_the_peer(self):
        self.raw("some").connect(unique())
        self.raw("some", source="127.0.0.2").connect(unique())
        for source in ("127.0.0.3", "127.0.0.9"):
            raw = self.raw("some", source=source)
            self.assert_closed(raw, raw.address, "listener.deny", " info ")

    def test_by_what_the_proxy_says(self):
        for address, welcome in (("192.0.2.8", True), ("192.0.2.7", False), ("192.0.3.1", False)):
            with self.subTest(address):
                raw = self.raw("proxied")
                raw.send(line(address))
                if welcome:
                    raw.connect(unique())
                else:  # before it has said anything else
                    self.assert_closed(raw, f"closed {address}:56324", "listener.deny")

    def test_a_proxy_that_says_nothing(self):
        raw = self.raw("proxied")
        raw.send(b"PROXY UNKNOWN\r\n" + wire.connect(unique()))
        self.assert_closed(raw, raw.address, "listener.allow")

    def test_by_x_forwarded_for(self):
        with websocket.RawWebSocket(self.broker.at("ws")) as raw:
            raw.upgrade(X_Forwarded_For="192.0.2.8")
            raw.connect(unique())
        with websocket.RawWebSocket(self.broker.at("ws")) as raw:
            with contextlib.suppress(wire.Closed, OSError):
                raw.upgrade(X_Forwarded_For="192.0.2.7")
                raw.send_packets(wire.connect(unique()))
            self.assertIsNotNone(self.broker.log.wait_for("closed 192.0.2.7", "listener.deny"))
            self.assertEqual(self.broker.log.lines("192.0.2.7", "has connected"), [])


class HalfOpenCase(DoorCase):
    def connected_at_last(self, name=None):
        """As soon as the broker has noticed that a place is free."""
        end = time.monotonic() + WAIT_S
        while True:
            raw = self.raw(name)
            raw.send(wire.connect(unique()))
            with contextlib.suppress(wire.Closed):
                return raw.expect(wire.CONNACK)
            self.assertLess(time.monotonic(), end, "the place is not given back")


@linnet_only
class HalfOpen(HalfOpenCase):
    settings = {"limits.half_open_per_address_max": 2, "limits.half_open_max": 4}
    listeners = {"proxied": {"url": "mqtt://127.0.0.1:0", **BEHIND_A_PROXY}}

    def test_per_address(self):
        first, second = self.raw(), self.raw()
        self.assert_closed(self.raw(), "limits.half_open_per_address_max = 2")
        other = self.raw(source="127.0.0.2")
        other.connect(unique())
        first.connect(unique())
        self.raw().connect(unique())
        second.close()
        self.connected_at_last()

    def test_a_login_that_is_refused(self):
        for _ in range(5):
            self.raw().send(wire.connect("", clean=False))
        self.connected_at_last()

    def test_all_together(self):
        waiting = [self.raw("proxied") for _ in range(4)]
        self.assert_closed(self.raw("proxied"), "limits.half_open_max = 4")
        for i, raw in enumerate(waiting):
            raw.send(line(f"192.0.2.{i + 1}"))
            raw.connect(unique())
        self.raw().connect(unique())

    def test_they_go_by_themselves(self):
        for _ in range(3):
            with self.raw(), self.raw(), self.raw():
                pass
        self.connected_at_last()


@linnet_only
class HowOften(DoorCase):
    settings = {"rates.address.connections": 1, "rates.burst": "3s"}
    listeners = {"proxied": {"url": "mqtt://127.0.0.1:0", **BEHIND_A_PROXY}}

    def answered(self, raw, first=b""):
        raw.send(first + wire.connect(unique()))
        with contextlib.suppress(wire.Closed):
            return raw.receive().type == wire.CONNACK
        return False

    def test_per_address(self):
        begin = time.monotonic()
        answers = [self.answered(self.raw(source="127.0.0.2")) for _ in range(30)]
        most = 3 + time.monotonic() - begin + 1
        self.assertGreaterEqual(sum(answers), 3)
        self.assertLessEqual(sum(answers), most)
        self.assertIsNotNone(self.broker.log.wait_for("rates.address.connections = 1 allows"))

    def test_behind_a_proxy(self):
        for i in range(10):
            self.assertTrue(self.answered(self.raw("proxied"), line(f"192.0.2.{i + 1}")))
        begin = time.monotonic()
        answers = [self.answered(self.raw("proxied"), line("198.51.100.7")) for _ in range(30)]
        self.assertLessEqual(sum(answers), 3 + time.monotonic() - begin + 1)


if __name__ == "__main__":
    unittest.main()
