"""Much at once: many messages, large ones, many clients."""

import contextlib
import hashlib
import random
import threading
import unittest

from support.broker import WAIT_S, BrokerCase
from support.clients import Client, unique

MESSAGES = 10_000
# Messages on their way. The broker keeps a backlog of 1,000 for a session that does not stay, and
# what comes beyond drives out the oldest; paho gets slow when its own list is long.
WINDOW = 500
PAYLOAD_BYTES = 900_000
CLIENTS = 200


class Load(BrokerCase):
    threads = 2

    def setUp(self):
        self.topic = unique()

    def test_many_messages_in_order_qos_0(self):
        self._many_messages(0)

    def test_many_messages_in_order_qos_1(self):
        self._many_messages(1)

    def test_many_messages_in_order_qos_2(self):
        self._many_messages(2)

    def _many_messages(self, qos):
        with contextlib.ExitStack() as stack:
            publisher = stack.enter_context(Client(self.broker))
            windows = [threading.Semaphore(WINDOW)]
            publisher.paho.on_publish = lambda *_: windows[0].release()
            subscribers = [stack.enter_context(Client(self.broker, version=v)) for v in (4, 5)]
            for subscriber in subscribers:
                subscriber.subscribe([(self.topic, qos)])
                windows.append(self._count_messages(subscriber))
            for i in range(MESSAGES):
                for window in windows:
                    self.assertTrue(window.acquire(timeout=WAIT_S), f"stuck at message {i}")
                publisher.publish_later(self.topic, str(i), qos)
            for subscriber in subscribers:
                found = [int(subscriber.receive().payload) for _ in range(MESSAGES)]
                self.assertEqual(found, list(range(MESSAGES)))
                self.assertTrue(subscriber.inbox.empty())

    @staticmethod
    def _count_messages(subscriber):
        """A semaphore that each of the subscriber's messages releases once."""
        window = threading.Semaphore(WINDOW)

        def take(_client, _data, message):
            subscriber.inbox.put(message)
            window.release()

        subscriber.paho.on_message = take
        return window

    def test_large_payload(self):
        payload = random.Random(1).randbytes(PAYLOAD_BYTES)
        with Client(self.broker, version=5) as publisher, Client(self.broker) as subscriber:
            for qos in (0, 1, 2):
                topic = f"{self.topic}/{qos}"
                subscriber.subscribe(topic, qos)
                publisher.publish(topic, payload, qos, retain=True)
                self._expect_payload(subscriber, payload)
                with Client(self.broker, version=5) as late:
                    late.subscribe(topic, qos)
                    self._expect_payload(late, payload)
                publisher.publish(topic, b"", 1, retain=True)
                self.assertEqual(subscriber.receive().payload, b"")

    def _expect_payload(self, subscriber, payload):
        found = subscriber.receive().payload
        self.assertEqual(hashlib.sha256(found).digest(), hashlib.sha256(payload).digest())

    def test_many_clients_at_once(self):
        clients = [Client(self.broker, version=3 + i % 3) for i in range(CLIENTS)]
        with contextlib.ExitStack() as stack:
            for client in clients:
                stack.callback(client.disconnect)
                client.begin()
            for client in clients:
                client.wait_for_connack()
                self.assertEqual(client.reason(), 0)
            for i, client in enumerate(clients):
                client.subscribe([(f"{self.topic}/{i}", 1), (f"{self.topic}/all", 1)])
            for i, client in enumerate(clients):
                client.publish_later(f"{self.topic}/{(i + 1) % CLIENTS}", str(i), 1)
            for i, client in enumerate(clients):
                self.assertEqual(int(client.receive().payload), (i - 1) % CLIENTS)
            clients[0].publish(f"{self.topic}/all", b"all", 1)
            for client in clients:
                self.assertEqual(client.receive().payload, b"all")


if __name__ == "__main__":
    unittest.main()
