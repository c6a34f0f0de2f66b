"""Every protocol version to every other, at every QoS, over brokers of 1, 2 and 4 threads."""

import contextlib
import itertools
import unittest

from support.broker import BrokerCase
from support.clients import (VERSIONS, Client, MosquittoSub, mosquitto_pub, unique)

QOS = (0, 1, 2)
# Several of each, so that with more than one thread they live in different ones.
SUBSCRIBERS_PER_VERSION = 3


class Matrix:
    """The tests; the classes below run them with their number of threads."""

    def setUp(self):
        self.topic = unique("matrix")

    def test_live_messages(self):
        with contextlib.ExitStack() as stack:
            publishers = {v: stack.enter_context(Client(self.broker, version=v)) for v in VERSIONS}
            subscribers = [stack.enter_context(Client(self.broker, version=v))
                           for v in VERSIONS for _ in range(SUBSCRIBERS_PER_VERSION)]
            for subscriber in subscribers:
                granted = subscriber.subscribe([(f"{self.topic}/{q}/+/+", q) for q in QOS])
                self.assertEqual(granted, list(QOS))
            sent = []
            for version, publisher in publishers.items():
                for qos in QOS:
                    for level in QOS:
                        # Retained at its publisher, and yet new to a subscription that is there.
                        sent.append(publisher.publish_later(
                            f"{self.topic}/{level}/{version}/{qos}", f"{version}{qos}{level}",
                            qos, retain=True))
            for message in sent:
                Client.wait_for_publish(message)
            for subscriber in subscribers:
                self._expect_all(subscriber, retain=False)

    def test_retained_messages(self):
        for version, qos in itertools.product(VERSIONS, QOS):
            self._keep_retained(version, qos)
        for version in VERSIONS:
            with Client(self.broker, version=version) as subscriber:
                for qos in QOS:
                    subscriber.subscribe(f"{self.topic}/{qos}/+/+", qos)
                self._expect_all(subscriber, retain=True)

    def _keep_retained(self, version, qos):
        with Client(self.broker, version=version) as publisher:
            for level in QOS:
                publisher.publish(f"{self.topic}/{level}/{version}/{qos}",
                                  f"{version}{qos}{level}", qos, retain=True)
            # Of QoS 0 nobody says when it has arrived, but what follows it has an answer.
            publisher.publish(f"{self.topic}-fence", "", qos=1)

    def _expect_all(self, subscriber, retain):
        expected = {f"{self.topic}/{level}/{version}/{qos}":
                    (f"{version}{qos}{level}".encode(), min(qos, level), retain)
                    for version, qos, level in itertools.product(VERSIONS, QOS, QOS)}
        found = {}
        for _ in expected:
            message = subscriber.receive()
            self.assertNotIn(message.topic, found, "came twice")
            found[message.topic] = (message.payload, message.qos, message.retain)
        self.assertEqual(found, expected, f"at a subscriber of level {subscriber.version}")

    def test_mosquitto_tools(self):
        qos_pairs = itertools.cycle([(0, 0), (1, 1), (2, 2), (2, 1), (1, 2), (0, 2), (2, 0)])
        for publisher, subscriber in itertools.product(VERSIONS, VERSIONS):
            qos, level = next(qos_pairs)
            with self.subTest(publisher=publisher, subscriber=subscriber, qos=qos, level=level):
                topic = f"{self.topic}/{publisher}{subscriber}"
                with MosquittoSub(self.broker, topic, version=subscriber, qos=level) as receiver:
                    mosquitto_pub(self.broker, topic, "live", version=publisher, qos=qos)
                    self.assertEqual(receiver.messages(), [(min(qos, level), False, topic, "live")])

    def test_mosquitto_tools_retained(self):
        for version, qos in zip(VERSIONS, QOS):
            with self.subTest(version=version):
                topic = f"{self.topic}/{version}"
                mosquitto_pub(self.broker, topic, "kept", version=version, qos=1, retain=True)
                with MosquittoSub(self.broker, topic, version=version, qos=qos) as receiver:
                    self.assertEqual(receiver.messages(), [(min(qos, 1), True, topic, "kept")])


class OneThread(Matrix, BrokerCase):
    threads = 1


class TwoThreads(Matrix, BrokerCase):
    threads = 2


class FourThreads(Matrix, BrokerCase):
    threads = 4


if __name__ == "__main__":
    unittest.main()
