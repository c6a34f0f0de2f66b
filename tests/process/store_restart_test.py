"""What is kept over the end of a broker, in order or by kill -9, with another number of threads."""

import contextlib
import itertools
import os
import shutil
import struct
import tempfile
import time
import unittest

from support import wire
from support.broker import Broker, linnet_only
from support.faults import FaultyBroker
from support.kept import NO_LOCAL, RETAIN_AS_PUBLISHED, Kept, Will

COUNT = 1_000
OWED = 200_000 // int(os.environ.get("LINNET_MEMORY_FACTOR", "1"))
OWED_BYTES = 300
# What a broker may grow by while it is owed all of that: the way to the writer and one commit.
SANITIZED = os.environ.get("LINNET_MEMORY_FACTOR", "1") != "1"
GROWTH_BYTES_MAX = (96 if SANITIZED else 48) << 20
LONGEST = 65_535
WILL_GRACE_S = 3
HOUR_MS = 3_600_000
RESTARTS = (("kill", 1, 1), ("kill", 1, 2), ("stop", 2, 4), ("kill", 4, 1))
FEW_RESTARTS = (("kill", 2, 1), ("stop", 1, 4))


def private_bytes(broker):
    """The memory of the process without what it shares with a file: LMDB's map is the kernel's."""
    with open(f"/proc/{broker.process.pid}/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["RssAnon"].split()[0]) * 1024


def end(broker, how):
    if how == "stop":
        broker.stop()
    else:
        broker.process.kill()
        broker.process.wait()


def numbered(topic, count, first=0):
    return [(topic, f"{i}") for i in range(first, first + count)]


class RestartCase(unittest.TestCase):
    settings = {"log.level": "warn"}

    def setUp(self):
        self.data_dir = tempfile.mkdtemp(prefix="linnet-test-")
        self.addCleanup(shutil.rmtree, self.data_dir, ignore_errors=True)
        self._marks = itertools.count()

    @contextlib.contextmanager
    def restart(self, how, before, after):
        """Two brokers, one after the other, on one directory; and how the first one ends."""
        shutil.rmtree(self.data_dir, ignore_errors=True)
        os.mkdir(self.data_dir)
        with self.subTest(end=how, threads=before, then=after):
            yield self.broker(before), self.broker(after)

    def broker(self, threads, **settings):
        return Broker(threads, {"log.level": "info", **settings}, self.data_dir)

    @staticmethod
    def away(broker, client_id, filters, version=5, **options):
        """A kept session whose client is gone."""
        with Kept(broker, client_id, version) as client:
            client.open(**options)
            for topic_filter, qos in filters:
                client.subscribe(topic_filter, qos)
            client.leave()

    @staticmethod
    def publisher(broker, client_id="publisher", version=5):
        client = Kept(broker, client_id, version)
        client.open(clean=True, expiry_s=0)
        return client

    def drained(self, broker, client_id, version=5):
        """Everything that a kept session is owed."""
        with Kept(broker, client_id, version) as client:
            self.assertTrue(client.open(), f"the session {client_id} is gone")
            messages = client.drain(broker, f"{next(self._marks)}")
            client.leave()
        return messages

    def retained(self, broker, topic_filter, count):
        with self.publisher(broker, "reader") as reader:
            reader.subscribe(topic_filter, 1)
            found = reader.receive_all(count)
            self.assertTrue(all(message.retain for message in found))
            reader.nothing_comes()
        return {message.topic: message.payload.decode() for message in found}


@linnet_only
class Messages(RestartCase):
    def test_all_that_was_acknowledged(self):
        for how, *threads in RESTARTS:
            with self.restart(how, *threads) as (first, second):
                with first as broker, self.publisher(broker) as publisher:
                    self.away(broker, "kept", [("live/#", 1)])
                    self.away(broker, "old", [("live/#", 1)], version=4)
                    pairs = [(f"kept/{i}", f"{i}") for i in range(COUNT)]
                    publisher.publish_all(pairs, retain=True)
                    publisher.publish_all(numbered("live/x", COUNT))
                    end(broker, how)
                with second as broker:
                    for client_id, version in (("kept", 5), ("old", 4)):
                        found = self.drained(broker, client_id, version)
                        self.assertEqual([m.payload.decode() for m in found],
                                         [f"{i}" for i in range(COUNT)])
                    self.assertEqual(self.retained(broker, "kept/#", COUNT),
                                     {f"kept/{i}": f"{i}" for i in range(COUNT)})

    def test_long_names(self):
        topic, client_id = "t" * LONGEST, "c" * LONGEST
        twin = "t" * (LONGEST - 1) + "u"
        for how, *threads in FEW_RESTARTS:
            with self.restart(how, *threads) as (first, second):
                with first as broker, self.publisher(broker) as publisher:
                    self.away(broker, client_id, [(topic, 1), (twin, 1)])
                    for name in (topic, twin):
                        publisher.publish(name, name[-1], retain=True)
                    end(broker, how)
                with second as broker:
                    found = self.drained(broker, client_id)
                    self.assertEqual([(m.topic, m.payload) for m in found],
                                     [(topic, b"t"), (twin, b"u")])
                    for name in (topic, twin):
                        self.assertEqual(self.retained(broker, name, 1), {name: name[-1]})
                    with self.publisher(broker, client_id[:-1] + "d") as stranger:
                        stranger.nothing_comes()

    def test_what_was_cleared_or_ended_stays_gone(self):
        for how, *threads in RESTARTS:
            with self.restart(how, *threads) as (first, second):
                with first as broker, self.publisher(broker) as publisher:
                    for client_id in ("ended", "discarded", "stays"):
                        self.away(broker, client_id, [("live", 1)])
                    self.away(broker, "unsubscribed", [("live", 1), ("other", 1)])
                    publisher.publish("live", "before")
                    publisher.publish_all([(f"kept/{i}", "x") for i in range(20)], retain=True)
                    publisher.publish_all([(f"kept/{i}", "") for i in range(10)], retain=True)
                    with Kept(broker, "ended") as client:  # the session ends with its connection
                        self.assertTrue(client.open(expiry_s=0))
                        client.leave()
                    with Kept(broker, "discarded") as client:
                        client.open(clean=True)
                        client.leave()
                    with Kept(broker, "unsubscribed") as client:
                        client.open()
                        client.unsubscribe("live")
                        client.drain(broker, "first")
                    publisher.publish("live", "after")
                    end(broker, how)
                with second as broker:
                    with Kept(broker, "ended") as client:
                        self.assertFalse(client.open())
                        client.nothing_comes()
                    self.assertEqual(self.drained(broker, "discarded"), [])
                    self.assertEqual(self.drained(broker, "unsubscribed"), [])
                    self.assertEqual([m.payload for m in self.drained(broker, "stays")],
                                     [b"before", b"after"])
                    self.assertEqual(sorted(self.retained(broker, "kept/#", 10)),
                                     sorted(f"kept/{i}" for i in range(10, 20)))

    def test_a_long_backlog_costs_no_memory(self):
        limits = {"limits.backlog_messages_max": OWED + 10, "limits.backlog_bytes_max": "1GiB"}
        payload = "x" * OWED_BYTES
        with self.broker(2, **limits) as broker, self.publisher(broker) as publisher:
            before = private_bytes(broker)
            self.away(broker, "kept", [("live", 1)])
            publisher.publish_all([("live", f"{i} {payload}") for i in range(OWED)])
            self.assertLess(private_bytes(broker) - before, GROWTH_BYTES_MAX)
            end(broker, "kill")
        with self.broker(1, **limits) as broker:
            before = private_bytes(broker)
            with Kept(broker, "kept") as client:
                self.assertTrue(client.open())
                stream = client.deliveries()
                for i in range(OWED):
                    message = next(stream)
                    self.assertEqual(message.payload[:8].split()[0], b"%d" % i)
                self.assertLess(private_bytes(broker) - before, GROWTH_BYTES_MAX)
                client.nothing_comes()


@linnet_only
class Handshakes(RestartCase):
    def test_inflight_qos_1(self):
        for how, *threads in RESTARTS:
            with self.restart(how, *threads) as (first, second):
                with first as broker, self.publisher(broker) as publisher, \
                        Kept(broker, "kept") as client:
                    client.open()
                    client.subscribe("live", 1)
                    publisher.publish_all(numbered("live", 5))
                    sent = [client.next_delivery() for _ in range(5)]
                    client.send(wire.acknowledge(wire.PUBACK, sent[0].packet_id))
                    client.subscribe("other", 1)  # behind it, everything is in the store
                    end(broker, how)
                with second as broker, Kept(broker, "kept") as client:
                    self.assertTrue(client.open())
                    again = [client.next_delivery() for _ in range(4)]
                    self.assertEqual([(m.payload, m.packet_id) for m in again],
                                     [(m.payload, m.packet_id) for m in sent[1:]])
                    self.assertTrue(all(m.dup for m in again))
                    client.send(*[wire.acknowledge(wire.PUBACK, m.packet_id) for m in again])
                    self.assertEqual(client.drain(broker, "end"), [])

    def test_outgoing_qos_2(self):
        """The PUBLISH, then the PUBREL come again; a message comes once."""
        with self.broker(2) as broker, self.publisher(broker) as publisher, \
                Kept(broker, "kept") as client:
            client.open()
            client.subscribe("live", 2)
            publisher.publish("live", "x", 2)
            sent = client.next_delivery()
            end(broker, "kill")
        with self.broker(1) as broker, Kept(broker, "kept") as client:
            client.open()
            again = client.next_delivery()
            self.assertEqual((again.payload, again.packet_id, again.dup), (b"x", sent.packet_id,
                                                                           True))
            client.send(wire.acknowledge(wire.PUBREC, sent.packet_id))
            client.expect(wire.PUBREL)
            end(broker, "kill")
        with self.broker(4) as broker, Kept(broker, "kept") as client:
            client.open()
            self.assertEqual(client.expect(wire.PUBREL).body[:2],
                             struct.pack("!H", sent.packet_id))
            end(broker, "stop")
        with self.broker(2) as broker, Kept(broker, "kept") as client:
            client.open()
            client.expect(wire.PUBREL)
            client.send(wire.acknowledge(wire.PUBCOMP, sent.packet_id))
            self.assertEqual(client.drain(broker, "end"), [])
            end(broker, "stop")
        with self.broker(2) as broker:
            self.assertEqual(self.drained(broker, "kept"), [])

    def test_incoming_qos_2(self):
        for how, *threads in RESTARTS:
            with self.restart(how, *threads) as (first, second):
                with first as broker, Kept(broker, "sender") as sender:
                    self.away(broker, "kept", [("live", 2)])
                    sender.open()
                    for packet_id in (1, 2, 3):
                        sender.send_publish("live", f"{packet_id}", 2, packet_id)
                        sender.expect(wire.PUBREC)
                    sender.send(wire.acknowledge(wire.PUBREL, 1))
                    sender.expect(wire.PUBCOMP)
                    end(broker, how)
                with second as broker, Kept(broker, "sender") as sender:
                    self.assertTrue(sender.open())
                    sender.send_publish("live", "2", 2, 2, dup=True)
                    sender.expect(wire.PUBREC)
                    for packet_id in (2, 3):
                        sender.send(wire.acknowledge(wire.PUBREL, packet_id))
                        self.assertEqual(sender.expect(wire.PUBCOMP).body[2:3].strip(b"\0"), b"")
                    sender.publish("live", "new", 2, 1)  # the identifier is free
                    self.assertEqual([m.payload for m in self.drained(broker, "kept")],
                                     [b"1", b"2", b"3", b"new"])

    def test_a_backlog_of_qos_2(self):
        for how, *threads in FEW_RESTARTS:
            with self.restart(how, *threads) as (first, second):
                with first as broker, self.publisher(broker) as publisher:
                    self.away(broker, "kept", [("live", 2)])
                    publisher.publish_all(numbered("live", 250), 2)
                    with Kept(broker, "kept") as client:
                        client.open()
                        found = [m.payload for m in client.receive_all(120)]
                        incoming = client.incoming
                        end(broker, how)
                with second as broker, Kept(broker, "kept", incoming=incoming) as client:
                    self.assertTrue(client.open())
                    found += [m.payload for m in client.drain(broker, "end")]
                    self.assertEqual(found, [b"%d" % i for i in range(250)])


@linnet_only
class Subscriptions(RestartCase):
    def test_options_and_identifiers(self):
        for how, *threads in FEW_RESTARTS:
            with self.restart(how, *threads) as (first, second):
                with first as broker, Kept(broker, "kept") as client:
                    client.open()
                    client.subscribe("a/+", 1, NO_LOCAL, identifier=7)
                    client.subscribe("a/#", 0, RETAIN_AS_PUBLISHED, identifier=268_435_455)
                    client.subscribe("plain", 2)
                    end(broker, how)
                with second as broker, Kept(broker, "kept") as client, \
                        self.publisher(broker) as publisher:
                    self.assertTrue(client.open())
                    publisher.publish("a/x", "1", retain=True)
                    publisher.publish("a/x/y", "2", retain=True)
                    publisher.publish("plain", "3", 2)
                    found = {}
                    for message in client.receive_all(4):  # No Local makes a copy of its own
                        found.setdefault(message.payload, []).append(message)
                    identifiers = sorted(i for m in found[b"1"] for i in m.subscription_ids)
                    self.assertEqual(identifiers, [7, 268_435_455])
                    self.assertEqual([(m.qos, m.retain, m.subscription_ids) for m in found[b"2"]],
                                     [(0, True, [268_435_455])])
                    self.assertEqual([(m.qos, m.subscription_ids) for m in found[b"3"]], [(2, [])])
                    client.publish("a/z", "own")
                    own = client.receive_all(1)[0]
                    self.assertEqual((own.payload, own.subscription_ids), (b"own", [268_435_455]))

    def test_shared_subscriptions(self):
        shared = "$share/group/live/#"
        for how, *threads in RESTARTS:
            with self.restart(how, *threads) as (first, second):
                with first as broker, self.publisher(broker) as publisher:
                    for name in ("a", "b"):
                        self.away(broker, name, [(shared, 1)])
                    publisher.publish_all(numbered("live/x", 100))
                    end(broker, how)
                with second as broker, self.publisher(broker) as publisher:
                    found = sorted(int(m.payload) for name in ("a", "b")
                                   for m in self.drained(broker, name))
                    self.assertEqual(found, list(range(100)))
                    with Kept(broker, "a") as a, Kept(broker, "b") as b:
                        self.assertTrue(a.open() and b.open())
                        publisher.publish_all(numbered("live/x", 100))
                        found = [m.payload for client in (a, b)
                                 for m in client.drain(broker, client.client_id)]
                        self.assertEqual(sorted(map(int, found)), list(range(100)))

    def test_a_session_of_mqtt_3(self):
        for version in (3, 4):
            for how, *threads in FEW_RESTARTS:
                with self.restart(how, *threads) as (first, second):
                    with first as broker, self.publisher(broker) as publisher:
                        with wire.RawClient(broker.port) as client:
                            client.connect("old", version, clean=False)
                            client.subscribe("live", 1, version)
                        publisher.publish("live", "x")
                        end(broker, how)
                    with second as broker, wire.RawClient(broker.port) as client:
                        answer = client.connect("old", version, clean=False)
                        self.assertEqual(answer.body[0], 1 if version == 4 else answer.body[0])
                        message = wire.parse_publish(client.expect(wire.PUBLISH))
                        self.assertEqual(message.payload, b"x")


@linnet_only
class Time(RestartCase):
    """Time that passes while the broker is down, by the wall clock."""

    def later(self, ms):
        broker = FaultyBroker(1, data_dir=self.data_dir)
        broker.faults.set(wall_offset_ms=ms)
        return broker

    def prepare(self):
        with self.broker(1) as broker, self.publisher(broker) as publisher:
            self.away(broker, "short", [("live", 1)], expiry_s=1_800)
            self.away(broker, "long", [("live", 1)], expiry_s=36_000)
            publisher.publish("live", "short", expiry_s=1_800)
            publisher.publish("live", "long", expiry_s=36_000)
            publisher.publish("live", "eternal")
            publisher.publish("kept/short", "x", retain=True, expiry_s=1_800)
            publisher.publish("kept/long", "x", retain=True, expiry_s=36_000)
            end(broker, "kill")

    def present(self, broker, client_id):
        with Kept(broker, client_id) as client:
            return client.open()

    def test_an_hour_passes(self):
        self.prepare()
        with self.later(HOUR_MS) as broker:
            self.assertEqual(list(self.retained(broker, "kept/#", 1)), ["kept/long"])
            self.assertFalse(self.present(broker, "short"))
            found = self.drained(broker, "long")
            self.assertEqual([m.payload for m in found], [b"long", b"eternal"])
            self.assertAlmostEqual(found[0].expiry_s, 32_400, delta=120)

    def test_the_clock_stands_in_1970(self):
        self._nothing_expires(-int(time.time() * 1_000))

    def test_the_clock_goes_back(self):
        self._nothing_expires(-5 * HOUR_MS)

    def _nothing_expires(self, offset_ms):
        self.prepare()
        with self.later(offset_ms) as broker:
            self.assertEqual(len(self.retained(broker, "kept/#", 2)), 2)
            for client_id in ("short", "long"):
                self.assertEqual([m.payload for m in self.drained(broker, client_id)],
                                 [b"short", b"long", b"eternal"])
            end(broker, "kill")
        # The time in which the clock was wrong is not counted either.
        with self.broker(2) as broker:
            self.assertTrue(self.present(broker, "short"))

    def test_jumps_while_running_expire_nothing(self):
        self.prepare()
        with self.later(0) as broker, self.publisher(broker, "other") as publisher:
            for hours in (5, -5, 100_000):
                broker.faults.set(wall_offset_ms=hours * HOUR_MS)
                publisher.publish("unheard", "x", retain=True)  # time is looked at for a commit
                self.assertTrue(self.present(broker, "short"))
                self.assertEqual(len(self.retained(broker, "kept/#", 2)), 2)


@linnet_only
class Wills(RestartCase):
    """Clients that are connected at a crash."""

    def crash(self, *clients):
        """A broker to which clients with these wills, by identifier, are connected at its end."""
        with self.broker(2) as broker:
            self.away(broker, "watcher", [("will/#", 1)])
            for client_id, will in clients:
                client = Kept(broker, client_id)
                self.addCleanup(client.close)
                client.open(will=will)
            end(broker, "kill")

    def test_published_after_the_restart(self):
        self.crash(("a", Will("will/a", "a")), ("b", Will("will/b", "b", qos=2, retain=True)))
        with self.broker(1) as broker, Kept(broker, "watcher") as watcher:
            watcher.open()
            found = watcher.receive_all(2)
            self.assertEqual(sorted(m.payload for m in found), [b"a", b"b"])
            self.assertEqual(self.retained(broker, "will/#", 1), {"will/b": "b"})
            watcher.settle()
            end(broker, "kill")
        # And once only.
        with self.broker(2) as broker, Kept(broker, "watcher") as watcher:
            watcher.open()
            time.sleep(WILL_GRACE_S + 1)  # nothing tells that nothing is to come
            self.assertEqual(watcher.drain(broker, "end"), [])

    def test_not_published_if_the_client_is_back_first(self):
        self.crash(("a", Will("will/a", "a")), ("late", Will("will/late", "late")))
        with self.broker(2) as broker, Kept(broker, "watcher") as watcher, \
                Kept(broker, "a") as back:
            self.assertTrue(back.open())
            watcher.open()
            self.assertEqual(watcher.receive_all(1)[0].payload, b"late")
            self.assertEqual(watcher.drain(broker, "end"), [])

    def test_delayed_wills(self):
        self.crash(("soon", Will("will/soon", "soon", delay_s=WILL_GRACE_S + 2)),
                   ("much later", Will("will/later", "later", delay_s=500)),
                   ("now", Will("will/now", "now")))
        with self.broker(2) as broker, Kept(broker, "watcher") as watcher:
            watcher.open()
            self.assertEqual([m.payload for m in watcher.receive_all(2)], [b"now", b"soon"])
            self.assertEqual(watcher.drain(broker, "end"), [])

    def test_a_delayed_will_of_before_the_crash(self):
        with self.broker(2) as broker:
            self.away(broker, "watcher", [("will/#", 1)])
            client = Kept(broker, "a")
            client.open(will=Will("will/a", "a", delay_s=4))
            client.close()
            with self.publisher(broker) as publisher:
                publisher.publish("unheard", "x", retain=True)
            end(broker, "kill")
        with self.broker(1) as broker, Kept(broker, "watcher") as watcher:
            watcher.open()
            self.assertEqual(watcher.receive_all(1)[0].payload, b"a")


if __name__ == "__main__":
    unittest.main()
