"""Limits of users and addresses, rates, and who tries many passwords."""

import threading
import unittest

from support import wire
from support.broker import BrokerCase, linnet_only
from support.clients import Client, make_properties, unique
from support.users import LET_IN, QUOTA, UNAVAILABLE, Folder, answers

RATE_EXCEEDED, QUOTA_EXCEEDED, TOO_FAST, WRONG, BANNED = 0x9F, 0x97, 0x96, 0x86, 0x8A


class LimitsCase(BrokerCase):
    more_settings = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = Folder(cls.addClassCleanup)
        cls.settings = {"auth.password_file": cls.folder.users(anna="x", bob="x", carol="x"),
                        **cls.more_settings}
        super().setUpClass()

    def client(self, user="anna", version=5, **more):
        client = Client(self.broker, more.pop("client_id", unique()), version, login=(user, "x"),
                        **more)
        self.addCleanup(client.disconnect)
        return client


@linnet_only
class PerUser(LimitsCase):
    more_settings = {"limits.connections_per_user_max": 2, "limits.sessions_per_user_max": 1}

    def test_connections(self):
        first, name = self.client().connect(), unique()
        second = self.client(client_id=name).connect()
        self.assertEqual(answers(self.broker, "anna", "x"), (3, QUOTA_EXCEEDED))
        self.assertEqual(answers(self.broker, "bob", "x"), LET_IN)
        with self.client(client_id=name):  # takes its own place
            self.assertEqual(second.wait_for_disconnect(), 0x8E)
        first.disconnect()
        self.assertEqual(answers(self.broker, "anna", "x"), LET_IN)

    def test_sessions(self):
        kept = {"properties": make_properties("CONNECT", SessionExpiryInterval=600)}
        with self.client("carol", **kept):
            self.assertEqual(self.client("carol", **kept).start().reason(), QUOTA_EXCEEDED)
            self.assertEqual(self.client("carol", 4, clean=False).start().reason(), 3)
            self.assertEqual(answers(self.broker, "carol", "x"), LET_IN)


@linnet_only
class PerAddress(LimitsCase):
    more_settings = {"limits.connections_per_address_max": 2}

    def test_connections(self):
        first = self.client().connect()
        with self.client("bob"):
            self.assertEqual(answers(self.broker, "carol", "x"), QUOTA[:1] + (QUOTA_EXCEEDED,))
        first.disconnect()
        self.assertEqual(answers(self.broker, "carol", "x"), LET_IN)


@linnet_only
class Slowed(LimitsCase):
    more_settings = {"rates.client.publishes": 200, "rates.burst": "100ms",
                     "rates.patience": "1m"}

    def test_nothing_is_lost(self):
        for version in (4, 5):
            with self.subTest(version=version), self.client(version=version) as sender, \
                    self.client("bob", version=version) as reader:
                reader.assert_order(self, sender, unique())


@linnet_only
class Patience(LimitsCase):
    more_settings = {"rates.client.bytes": "1KiB", "rates.client.subscriptions": 1,
                     "rates.burst": "1s", "rates.patience": "1s"}

    def test_messages(self):
        """One that would have to wait for too long, by its size."""
        for version, qos in ((5, 1), (5, 2)):
            with wire.RawClient(self.broker.port) as raw:
                self.log_in(raw, version)
                raw.send(wire.publish("t", b"x" * 4000, qos, version=version))
                answer = raw.expect(wire.PUBACK if qos == 1 else wire.PUBREC)
                self.assertEqual(answer.body[2], QUOTA_EXCEEDED)
                raw.send(wire.publish("t", b"x", 1, 2, version=version))
                self.assertLess((raw.expect(wire.PUBACK).body + b"\0\0\0")[2], 0x80)
        for version, qos in ((5, 0), (4, 0), (4, 1), (4, 2)):
            with self.subTest(version=version, qos=qos), wire.RawClient(self.broker.port) as raw:
                self.log_in(raw, version)
                raw.send(wire.publish("t", b"x" * 4000, qos, version=version))
                last = raw.drain_until_closed()
                if version == 5:
                    self.assertEqual((last[-1].type, last[-1].body[0]),
                                     (wire.DISCONNECT, TOO_FAST))
                else:
                    self.assertEqual(last, [])

    def test_subscriptions(self):
        for version, refused in ((4, 0x80), (5, QUOTA_EXCEEDED)):
            with self.subTest(version=version), self.client(version=version) as client:
                self.assertEqual(client.subscribe([(f"t/{n}", 1) for n in range(9)]),
                                 [refused] * 9)
                self.assertEqual(client.subscribe("t", 1), [1])

    def log_in(self, raw, version):
        raw.send(connect("anna", "x", version))
        self.assertEqual(raw.expect(wire.CONNACK).body[1], 0)


@linnet_only
class Logins(LimitsCase):
    more_settings = {"rates.user.connections": 1, "rates.burst": "10s"}

    def test_too_often(self):
        codes = [self.client(version=version).start().reason() for version in (5,) * 12 + (4,)]
        self.assertEqual(codes[:10], [0] * 10)
        self.assertIn(RATE_EXCEEDED, codes[10:12])
        self.assertEqual(codes[12], UNAVAILABLE[0])
        self.assertEqual(answers(self.broker, "bob", "x"), LET_IN)


def connect(user, password, version=5):
    """A CONNECT packet with a login."""
    head = wire.string("MQTT") + bytes([version, 0xC2]) + b"\0\x3c" + wire.properties(version)
    return wire.packet(wire.CONNECT << 4, head + wire.string(unique()) + wire.string(user) +
                       wire.string(password))


@linnet_only
class Guessing(LimitsCase):
    """One address tries hundreds of passwords; nobody else notices."""

    AFTER = 10
    more_settings = {"auth.ban.after": AFTER, "auth.ban.time": "1h", "threads": 2}
    listeners = {"proxied": {"url": "mqtt://127.0.0.1:0", "proxy_protocol": True,
                             "trusted_proxies": ["127.0.0.1"]}}

    def attempt(self, address, password, raw):
        raw.send(f"PROXY TCP4 {address} 198.51.100.1 56324 1883\r\n".encode() +
                 connect("anna", password))

    def answer(self, raw):
        """The reason code, or None if it was closed without."""
        try:
            return raw.expect(wire.CONNACK).body[1]
        except wire.Closed:
            return None

    def try_all(self, address, passwords):
        """All at once: the connections are there before the first answer."""
        raws = [wire.RawClient(self.broker.at("proxied").port) for _ in passwords]
        for raw in raws:
            self.addCleanup(raw.close)
        for raw, password in zip(raws, passwords):
            self.attempt(address, password, raw)
        return [self.answer(raw) for raw in raws]

    def try_one(self, address, password):
        return self.try_all(address, [password])[0]

    def test_it_ends_with_a_ban(self):
        topic, stop = unique(), threading.Event()
        with self.client("bob") as reader, self.client("carol") as sender:
            reader.subscribe(topic, 1)
            rounds = []

            def talk():
                while not stop.is_set():
                    sender.publish(topic, "x", 1)
                    rounds.append(reader.receive().payload)

            thread = threading.Thread(target=talk)
            thread.start()
            try:
                guesses = [f"guess {number}" for number in range(300)]
                codes = self.try_all("192.0.2.7", guesses[:150])
                codes += [self.try_one("192.0.2.7", guess) for guess in guesses[150:]]
            finally:
                stop.set()
                thread.join()
            self.assertGreater(len(rounds), 0)
        self.assertIn(codes.count(WRONG), range(1, self.AFTER))
        self.assertLessEqual(set(codes), {WRONG, BANNED, None})
        self.assertEqual(set(codes[150:]), {None})
        # The right password comes too late there, and does elsewhere what it always did.
        self.assertIsNone(self.try_one("192.0.2.7", "x"))
        self.assertEqual(self.try_one("192.0.2.8", "x"), 0)
        self.assertEqual(answers(self.broker, "anna", "x"), LET_IN)
        self.assertEqual(len(self.broker.log.lines("192.0.2.7 is banned")), 1)


if __name__ == "__main__":
    unittest.main()
