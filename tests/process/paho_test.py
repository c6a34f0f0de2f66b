"""Retained messages, wills, sessions, shared subscriptions and $SYS, with paho."""

import unittest

from support import wire
from support.broker import BrokerCase, linnet_only
from support.clients import Client, make_properties, unique

TAKEN_OVER = 0x8E


class PahoCase(BrokerCase):
    settings = {"sys_interval": "1s"}

    def setUp(self):
        self.topic = unique()

    def client(self, version=4, **options):
        """A connected client that goes with the test."""
        client = Client(self.broker, version=version, **options)
        self.addCleanup(client.disconnect)
        return client.connect()

    def kept(self, client_id, version, clean=False):
        """A client whose session stays."""
        if version == 5:
            expiry = make_properties("CONNECT", SessionExpiryInterval=600)
            return self.client(5, client_id=client_id, clean=clean, properties=expiry)
        return self.client(version, client_id=client_id, clean=clean)

    def payloads_now(self, topic_filter, version=4, **options):
        """What a new subscriber gets, up to a marker published behind its SUBACK."""
        client = self.client(version)
        client.subscribe([(f"{self.topic}-fence", 1)])
        client.subscribe(topic_filter, 1, **options)
        client.publish(f"{self.topic}-fence", b"fence", 1)
        return [message.payload for message in client.receive_until(b"fence")]


class Retained(PahoCase):
    def test_set_replace_clear(self):
        publisher = self.client()
        publisher.publish(self.topic, b"one", 1, retain=True)
        self.assertEqual(self.payloads_now(self.topic), [b"one"])
        publisher.publish(self.topic, b"two", 1, retain=True)
        self.assertEqual(self.payloads_now(self.topic), [b"two"])
        publisher.publish(self.topic, b"not kept", 1)
        self.assertEqual(self.payloads_now(self.topic), [b"two"])
        publisher.publish(self.topic, b"", 1, retain=True)
        self.assertEqual(self.payloads_now(self.topic), [])

    def test_wildcards(self):
        publisher = self.client()
        for name in ("a", "a/b", "a/b/c", "d/b"):
            publisher.publish(f"{self.topic}/{name}", name.encode(), 1, retain=True)
        expected = {"a/#": [b"a", b"a/b", b"a/b/c"], "+/b": [b"a/b", b"d/b"], "+": [b"a"],
                    "a/+/c": [b"a/b/c"], "+/+": [b"a/b", b"d/b"]}
        for topic_filter, payloads in expected.items():
            with self.subTest(topic_filter):
                found = self.payloads_now(f"{self.topic}/{topic_filter}")
                self.assertEqual(sorted(found), payloads)

    def test_a_cleared_message_reaches_those_who_are_there(self):
        subscriber, publisher = self.client(), self.client()
        subscriber.subscribe(self.topic, 1)
        publisher.publish(self.topic, b"", 1, retain=True)
        message = subscriber.receive()
        self.assertEqual((message.payload, message.retain), (b"", False))

    def test_retain_handling(self):
        publisher, subscriber = self.client(5), self.client(5)
        publisher.publish(self.topic, b"kept", 1, retain=True)
        # The number of messages after a first and a second subscription to the same filter.
        for handling, counts in {0: (1, 1), 1: (1, 0), 2: (0, 0)}.items():
            for count in counts:
                with self.subTest(handling=handling):
                    subscriber.subscribe(self.topic, 1, retainHandling=handling)
                    publisher.publish(self.topic, b"fence", 1)
                    found = subscriber.receive_until(b"fence")
                    self.assertEqual([(m.payload, m.retain) for m in found],
                                     [(b"kept", True)] * count)
            subscriber.unsubscribe(self.topic)

    def test_retain_as_published(self):
        publisher, subscriber = self.client(5), self.client(5)
        for option in (True, False):
            subscriber.subscribe(self.topic, 1, retainAsPublished=option)
            for retain in (True, False):
                publisher.publish(self.topic, b"x", 1, retain=retain)
                self.assertEqual(subscriber.receive().retain, retain and option)
            publisher.publish(self.topic, b"", 1, retain=True)
            self.assertEqual(subscriber.receive().payload, b"")
            subscriber.unsubscribe(self.topic)


class Wills(PahoCase):
    def setUp(self):
        super().setUp()
        self.watcher = self.client(5)
        self.watcher.subscribe(self.topic, 1)

    def mortal(self, payload, delay_s=0, client_id=None, **options):
        """A client of MQTT 5 with a will."""
        properties = make_properties("CONNECT", SessionExpiryInterval=600)
        client = Client(self.broker, client_id, 5, properties=properties, **options)
        client.paho.will_set(self.topic, payload, 1, properties=make_properties(
            "WILLMESSAGE", WillDelayInterval=delay_s, ContentType="text/plain"))
        self.addCleanup(client.disconnect)
        return client.connect()

    def test_closed_without_disconnect(self):
        self.mortal(b"gone").drop()
        message = self.watcher.receive()
        self.assertEqual((message.payload, message.qos, message.retain), (b"gone", 1, False))
        self.assertEqual(message.properties.ContentType, "text/plain")

    def test_connection_reset(self):
        for version in (3, 4, 5):
            with self.subTest(version=version):
                raw = wire.RawClient(self.broker.port)
                raw.connect(unique(), version, will=(self.topic, f"reset {version}"))
                raw.reset()
                self.assertEqual(self.watcher.receive().payload, f"reset {version}".encode())

    def test_retained(self):
        client = Client(self.broker)
        client.paho.will_set(self.topic, b"kept", 1, retain=True)
        client.connect().drop()
        self.assertFalse(self.watcher.receive().retain)
        self.assertEqual(self.payloads_now(self.topic), [b"kept"])

    def test_none_after_disconnect(self):
        with wire.RawClient(self.broker.port) as raw:
            raw.connect(unique(), will=(self.topic, "wrong"))
            raw.send(wire.disconnect())
            raw.drain_until_closed()
        self.watcher.publish(self.topic, b"fence", 1)
        self.assertEqual(self.watcher.receive_until(b"fence"), [])

    def test_disconnect_with_will(self):
        client = self.mortal(b"asked for")
        with_will = wire.packet(wire.DISCONNECT << 4, b"\x04\x00")
        client.paho.socket().sendall(with_will)
        self.assertEqual(self.watcher.receive().payload, b"asked for")

    def test_delay(self):
        self.mortal(b"late", delay_s=2).drop()
        self.watcher.publish(self.topic, b"early", 1)
        self.assertEqual(self.watcher.receive_payloads(2), ["early", "late"])

    def test_delay_ends_when_the_client_is_back(self):
        client_id = unique()
        self.mortal(b"wrong", 1, client_id).drop()
        self.mortal(b"of the second connection", 60, client_id, clean=False)
        # By when this one's will comes, the first one's would have come.
        self.mortal(b"fence", delay_s=2).drop()
        self.assertEqual(self.watcher.receive_until(b"fence"), [])


class Sessions(PahoCase):
    def test_session_present(self):
        for version in (4, 5):
            with self.subTest(version=version):
                client_id = unique()
                present = []
                for clean in (True, False, False, True, False):
                    if version == 4 and clean:
                        client = self.client(4, client_id=client_id)
                    else:
                        client = self.kept(client_id, version, clean)
                    present.append(client.session_present())
                    client.disconnect()
                # In MQTT 3 a clean session ends with its connection.
                self.assertEqual(present, [False, version == 5, True, False, version == 5])

    def test_session_ends_with_its_connection_by_default(self):
        client_id = unique()
        for _ in range(2):
            client = self.client(5, client_id=client_id, clean=False)
            self.assertFalse(client.session_present())
            client.disconnect()

    def test_offline_messages_come_in_order(self):
        for version, qos in ((3, 1), (4, 1), (4, 2), (5, 1), (5, 2)):
            with self.subTest(version=version, qos=qos):
                client_id, publisher = unique(), self.client()
                away = self.kept(client_id, version)
                away.subscribe(self.topic, qos)
                away.disconnect()
                payloads = [f"{version} {qos} {i}" for i in range(200)]
                sent = [publisher.publish_later(self.topic, text, qos) for text in payloads]
                for message in sent:
                    publisher.wait_for_publish(message)
                back = self.kept(client_id, version)
                self.assertEqual(back.receive_payloads(len(payloads)), payloads)
                publisher.publish(self.topic, b"fence", qos)
                self.assertEqual(back.receive_until(b"fence"), [])

    def test_clean_start_discards_what_waits(self):
        client_id = unique()
        away = self.kept(client_id, 5)
        away.subscribe(self.topic, 1)
        away.disconnect()
        with self.client(5, client_id=client_id) as client:
            self.assertFalse(client.session_present())
            client.publish(self.topic, b"nobody subscribes", 1)
            client.subscribe(f"{self.topic}-fence", 1)
            client.publish(f"{self.topic}-fence", b"fence", 1)
            self.assertEqual(client.receive_until(b"fence"), [])

    def test_take_over(self):
        for version in (3, 4, 5):
            with self.subTest(version=version):
                client_id = unique()
                first = self.kept(client_id, version)
                first.subscribe(self.topic, 1)
                second = self.kept(client_id, version)
                first.wait_for_disconnect()
                if version > 3:
                    self.assertTrue(second.session_present())
                second.publish(self.topic, b"to the second", 1)
                self.assertEqual(second.receive().payload, b"to the second")
                second.unsubscribe(self.topic)

    @linnet_only  # Mosquitto 2.0.11 closes without a word
    def test_take_over_says_so(self):
        # Not with paho, which overlooks a reason code without properties.
        client_id = unique()
        with wire.RawClient(self.broker.port) as first, wire.RawClient(self.broker.port) as second:
            first.connect(client_id, 5)
            second.connect(client_id, 5)
            self.assertEqual(first.expect(wire.DISCONNECT).body[0], TAKEN_OVER)
            self.assertEqual(first.drain_until_closed(), [])

    def test_unsubscribe(self):
        client = self.client(5)
        client.subscribe([(self.topic, 1), (f"{self.topic}-fence", 1)])
        client.unsubscribe(self.topic)
        client.publish(self.topic, b"wrong", 1)
        client.publish(f"{self.topic}-fence", b"fence", 1)
        self.assertEqual(client.receive_until(b"fence"), [])

    def test_no_identifier(self):
        client = self.client(5, client_id="")
        self.assertTrue(client.connack[2].AssignedClientIdentifier)
        self.client(4, client_id="")
        with wire.RawClient(self.broker.port) as raw:
            raw.send(wire.connect("", clean=False))
            self.assertEqual(raw.expect(wire.CONNACK).body, b"\x00\x02")

    def test_keep_alive(self):
        with wire.RawClient(self.broker.port) as raw:
            raw.connect(unique(), keep_alive_s=1, will=(self.topic, "silent"))
            watcher = self.client()
            watcher.subscribe(self.topic, 1)
            self.assertEqual(raw.drain_until_closed(), [])
            self.assertEqual(watcher.receive().payload, b"silent")

    def test_keep_alive_is_kept_by_pings(self):
        with wire.RawClient(self.broker.port) as fence, wire.RawClient(self.broker.port) as raw:
            fence.connect(unique(), keep_alive_s=2)
            raw.connect(unique(), keep_alive_s=1)
            # Twice a second, until another client has been cut after 3 s.
            while True:
                raw.send(wire.packet(wire.PINGREQ << 4, b""))
                raw.expect(wire.PINGRESP)
                try:
                    fence.receive(timeout_s=0.5)
                except TimeoutError:
                    continue
                except wire.Closed:
                    return


class Shared(PahoCase):
    def test_each_message_goes_to_one_member(self):
        members = [self.client(version) for version in (3, 4, 5)]
        for member in members:
            member.subscribe([(f"$share/group/{self.topic}", 2), (f"{self.topic}-fence", 2)])
        publisher = self.client(5)
        count = 300
        sent = [publisher.publish_later(self.topic, str(i), i % 3) for i in range(count)]
        for message in sent:
            publisher.wait_for_publish(message)
        found = [[] for _ in members]
        # Messages for the group and the fence may take two ways, so all have to come before it.
        while sum(map(len, found)) < count:
            for messages, member in zip(found, members):
                while not member.inbox.empty():
                    messages.append(int(member.receive().payload))
            publisher.publish(f"{self.topic}-turn", b"", 1)
        publisher.publish(f"{self.topic}-fence", b"fence", 2)
        for messages, member in zip(found, members):
            messages += [int(message.payload) for message in member.receive_until(b"fence")]
        self.assertEqual(sorted(sum(found, [])), list(range(count)))
        self.assertTrue(all(found), "a member got nothing")

    def test_a_group_and_others_beside_it(self):
        member, other_group, plain = (self.client(5) for _ in range(3))
        member.subscribe(f"$share/one/{self.topic}/+", 1)
        other_group.subscribe(f"$share/two/{self.topic}/+", 1)
        plain.subscribe(f"{self.topic}/#", 1)
        plain.publish(f"{self.topic}/x", b"to all three", 1)
        for client in (member, other_group, plain):
            self.assertEqual(client.receive().payload, b"to all three")


class System(PahoCase):
    def test_version_and_clients(self):
        client = self.client(5)
        client.subscribe("$SYS/broker/version", 1)
        message = client.receive()
        self.assertTrue(message.retain)
        self.assertTrue(message.payload)
        client.unsubscribe("$SYS/broker/version")
        client.subscribe("$SYS/broker/clients/connected", 1)
        self.assertGreaterEqual(int(client.receive().payload), 0)

    def test_not_part_of_a_plain_wildcard(self):
        client = self.client()
        client.subscribe("#", 1)
        client.subscribe("+/broker/version", 1)
        client.publish(self.topic, b"fence", 1)
        found = client.receive_until(b"fence")
        self.assertFalse([m.topic for m in found if m.topic.startswith("$")])

    @linnet_only
    def test_nobody_writes_there(self):
        client = self.client(5)
        client.subscribe("$SYS/#", 1)
        client.publish_later("$SYS/broker/version", b"forged", 1)
        client.publish(self.topic, b"", 1)
        client.subscribe([(self.topic, 1)])
        client.publish(self.topic, b"fence", 1)
        self.assertNotIn(b"forged", [m.payload for m in client.receive_until(b"fence")])


if __name__ == "__main__":
    unittest.main()
