"""kill -9 at random moments under load, again and again on one data directory.

Clients know what was acknowledged to them, and therefore what must be there after the restart, what
may be, and what must not. LINNET_KILLS sets how many rounds, LINNET_SEED which.
"""

import contextlib
import os
import random
import shutil
import tempfile
import threading
import time
import unittest

from support import wire
from support.broker import WAIT_S, Broker, linnet_only
from support.kept import Kept, publish_packet

ROUNDS = int(os.environ.get("LINNET_KILLS", "12"))
SEED = int(os.environ.get("LINNET_SEED", "20260402"))
LOAD_S = (0.1, 0.6)
WINDOWS = {1: 20, 2: 5}  # by QoS: a QoS 2 message costs its receivers several commits
SESSIONS = 6
RETAINED_TOPICS = 8
LAST_TOPIC = "kept/~last"  # behind all others in the order in which they are read
EXPIRES_LONG_AFTER_S = 3_600


class Actor:
    """A client that is connected while there is a broker, and does its work until it is gone."""

    def __init__(self):
        self._thread = None
        self.error = None

    def start(self, broker):
        self._thread = threading.Thread(target=self._run, args=(broker,), daemon=True)
        self._thread.start()

    def _run(self, broker):
        try:
            with contextlib.suppress(wire.Closed, ConnectionError):
                self.work(broker)
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error

    def finish(self):
        self._thread.join(WAIT_S)
        if self._thread.is_alive():
            raise AssertionError(f"{type(self).__name__} has not ended")
        if self.error:
            raise self.error

    def work(self, broker):
        raise NotImplementedError


class Publisher(Actor):
    """Publishes numbers to one topic, and sends again what was not acknowledged."""

    def __init__(self, name, qos, version):
        super().__init__()
        self.topic, self.qos = f"load/{name}", qos
        self.client_id, self.version = f"publisher-{name}", version
        self.known = False  # the session's beginning was acknowledged
        self.sent = 0
        self.open = {}  # packet identifier: number, in the order of sending
        self.released = {}  # packet identifiers of which PUBREC has come
        self.stopping = False

    def work(self, broker):
        with Kept(broker, self.client_id, self.version) as client:
            present = client.open()
            if self.known and not present:
                raise AssertionError(f"the session {self.client_id} is gone")
            self.known = True
            if not present:
                self.released.clear()  # a new session knows nothing of these
            for packet_id in self.released:
                client.send(wire.acknowledge(wire.PUBREL, packet_id))
            for packet_id, number in self.open.items():
                client.send(self._packet(packet_id, number, dup=True))
            while not (self.stopping and not self.open and not self.released):
                while not self.stopping and len(self.open) + len(self.released) < WINDOWS[self.qos]:
                    self._send_next(client)
                self._take(client.receive(), client)

    def _packet(self, packet_id, number, dup=False):
        return publish_packet(self.topic, f"{number}", self.qos, packet_id, dup=dup,
                              version=self.version)

    def _send_next(self, client):
        packet_id = next(i for i in range(1, 100) if i not in self.open and i not in self.released)
        self.sent += 1
        self.open[packet_id] = self.sent
        client.send(self._packet(packet_id, self.sent))

    def _take(self, packet, client):
        packet_id = int.from_bytes(packet.body[:2], "big")
        code = packet.body[2] if len(packet.body) > 2 else 0
        if packet.type == wire.PUBACK:
            del self.open[packet_id]
        elif packet.type == wire.PUBREC:
            self.released[packet_id] = self.open.pop(packet_id)
            client.send(wire.acknowledge(wire.PUBREL, packet_id))
        elif packet.type == wire.PUBCOMP:
            del self.released[packet_id]
        else:
            raise AssertionError(f"unexpected: {packet}")
        if code >= 0x80 and packet.type != wire.PUBCOMP:
            raise AssertionError(f"{self.topic}: refused: {packet}")


class Subscriber(Actor):
    """Receives what was published, by and by; `online` while there is load, else at its end."""

    def __init__(self, name, qos, version, online):
        super().__init__()
        self.client_id, self.qos, self.version, self.online = name, qos, version, online
        self.incoming = set()
        self.known = False
        self.found = {}  # topic: numbers in the order of their arrival

    def subscribe(self, broker):
        with Kept(broker, self.client_id, self.version) as client:
            client.open()
            client.subscribe("load/#", self.qos)
            client.leave()

    def work(self, broker):
        if not self.online:
            return
        with self._client(broker) as client:
            for message in client.deliveries():
                self._note(message)

    def catch_up(self, broker, mark):
        with self._client(broker) as client:
            for message in client.drain(broker, mark):
                self._note(message)

    @contextlib.contextmanager
    def _client(self, broker):
        with Kept(broker, self.client_id, self.version, self.incoming) as client:
            if not client.open():
                raise AssertionError(f"the session {self.client_id} is gone")
            yield client

    def _note(self, message):
        if message.topic.startswith("load/"):
            self.found.setdefault(message.topic, []).append((int(message.payload), message.qos))

    def check(self, publishers):
        for publisher in publishers:
            found = self.found.get(publisher.topic, [])
            numbers = [number for number, _ in found]
            if min(publisher.qos, self.qos) == 1:
                numbers = list(dict.fromkeys(numbers))
            expected = list(range(1, publisher.sent + 1))
            if numbers != expected:
                raise AssertionError(f"{self.client_id}, {publisher.topic}: " +
                                     difference(numbers, expected))


def difference(found, expected):
    missing = sorted(set(expected) - set(found))
    twice = sorted({number for number in found if found.count(number) > 1}) \
        if len(found) < 20_000 else "?"
    place = next((i for i, pair in enumerate(zip(found, expected)) if pair[0] != pair[1]), None)
    around = found[max(0, place - 5):place + 5] if place is not None else []
    return (f"missing {missing[:20]}, more than once {twice[:20]}, "
            f"first difference at {place}: {around}")


class Retainer(Actor):
    """Sets and clears retained messages: the one `acknowledged` is there, or the one `asked` for."""

    def __init__(self, chance):
        super().__init__()
        self._chance = chance
        self._count = 0
        self.acknowledged = {}
        self.asked = {}

    def work(self, broker):
        with Kept(broker, "retainer") as client:
            client.open(clean=True, expiry_s=0)
            while True:
                topics = self._chance.sample(range(RETAINED_TOPICS), 4)
                for packet_id, number in enumerate(topics, 1):
                    self._count += 1
                    value = "" if self._chance.random() < 0.3 else f"{self._count}"
                    self.asked[f"kept/{number}"] = value
                    client.send_publish(f"kept/{number}", value, 1, packet_id, retain=True,
                                        expiry_s=EXPIRES_LONG_AFTER_S)
                for number in topics:
                    client.expect(wire.PUBACK)
                    topic = f"kept/{number}"
                    self.acknowledged[topic] = self.asked.pop(topic)

    def check(self, broker):
        with Kept(broker, "reader") as reader:
            reader.open(clean=True, expiry_s=0)
            reader.subscribe("kept/#", 1)
            found = {}
            while LAST_TOPIC not in found:
                message = reader.next_delivery()
                found[message.topic] = message.payload.decode()
            reader.leave()
        for number in range(RETAINED_TOPICS):
            topic = f"kept/{number}"
            allowed = {self.acknowledged.get(topic, "")}
            if topic in self.asked:
                allowed.add(self.asked.pop(topic))
            value = found.get(topic, "")
            if value not in allowed:
                raise AssertionError(f"{topic} is {value!r}, and not of {allowed}")
            self.acknowledged[topic] = value


class Visitor(Actor):
    """Begins and ends sessions. A state: whether the session is there; None: not known."""

    def __init__(self, chance):
        super().__init__()
        self._chance = chance
        self.states = {f"visitor-{i}": False for i in range(SESSIONS)}

    def work(self, broker):
        while True:
            client_id = self._chance.choice(list(self.states))
            before = self.states[client_id]
            begins = self._chance.random() < 0.6
            with Kept(broker, client_id) as client:
                if begins:
                    self.states[client_id] = before or None
                    present = client.open()
                    self.states[client_id] = True
                    client.subscribe(f"visit/{client_id}", 1)
                else:
                    self.states[client_id] = False if before is False else None
                    present = client.open(clean=True, expiry_s=0)
                    self.states[client_id] = False
                    before = False  # a clean start tells nothing
                if before is not None and present != before:
                    raise AssertionError(f"{client_id}: present {present}, not {before}")

    def check(self, broker):
        for client_id, state in self.states.items():
            with Kept(broker, client_id) as client:
                present = client.open()
                if state is not None and present != state:
                    raise AssertionError(f"{client_id}: present {present}, not {state}")
                self.states[client_id] = True
                client.leave()


@linnet_only
class KillUnderLoad(unittest.TestCase):
    def setUp(self):
        self.data_dir = tempfile.mkdtemp(prefix="linnet-test-")
        self.addCleanup(shutil.rmtree, self.data_dir, ignore_errors=True)
        self.chance = random.Random(SEED)
        self.publishers = [Publisher("one", 1, 5), Publisher("two", 2, 5), Publisher("old", 1, 4),
                           Publisher("old two", 2, 4)]
        self.subscribers = [Subscriber("online", 2, 5, True), Subscriber("online old", 1, 4, True),
                            Subscriber("away", 2, 5, False), Subscriber("away old", 1, 4, False)]
        self.retainer = Retainer(self.chance)
        self.visitor = Visitor(self.chance)

    def broker(self):
        threads = self.chance.choice((1, 2, 4))
        return Broker(threads, {"limits.backlog_messages_max": 10_000_000,
                                "limits.backlog_bytes_max": "4GiB"}, self.data_dir)

    def test_nothing_acknowledged_is_lost(self):
        with self.broker() as broker, Kept(broker, "first") as client:
            for subscriber in self.subscribers:
                subscriber.subscribe(broker)
            client.open(clean=True, expiry_s=0)
            client.publish(LAST_TOPIC, "x", retain=True)
        for number in range(ROUNDS):
            try:
                self._round(number)
            except BaseException:
                print(f"LINNET_SEED={SEED}, round {number}", flush=True)
                raise
        with self.broker() as broker:
            self._last_words(broker)

    def _round(self, number):
        with self.broker() as broker:
            self.retainer.check(broker)
            self.visitor.check(broker)
            if number % 3 == 2:
                self.subscribers[2 + number % 2].catch_up(broker, f"{number}")
            actors = [*self.publishers, *self.subscribers, self.retainer, self.visitor]
            for actor in actors:
                actor.start(broker)
            time.sleep(self.chance.uniform(*LOAD_S))  # the load itself: there is no event
            broker.process.kill()
            broker.process.wait()
            for actor in actors:
                actor.finish()

    def _last_words(self, broker):
        """What was not acknowledged is sent again; then everything must be there."""
        self.retainer.check(broker)
        self.visitor.check(broker)
        for publisher in self.publishers:
            publisher.stopping = True
            publisher.start(broker)
        for publisher in self.publishers:
            publisher.finish()
        for subscriber in self.subscribers:
            subscriber.catch_up(broker, "last")
        for subscriber in self.subscribers:
            subscriber.check(self.publishers)
        self.assertGreater(min(publisher.sent for publisher in self.publishers), 10 * ROUNDS)


if __name__ == "__main__":
    unittest.main()
