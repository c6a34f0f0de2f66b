"""10,000 connections at once, from one process."""

import selectors
import socket
import time
import unittest

from support import wire
from support.broker import WAIT_S, BrokerCase, raise_descriptor_limit

CONNECTIONS = 10_000
DESCRIPTORS_NEEDED = 11_000
SUBSCRIBER_EVERY = 100
TOPIC = "scale/all"


class Scale(BrokerCase):
    threads = 2

    @classmethod
    def setUpClass(cls):
        allowed = raise_descriptor_limit()
        if allowed < DESCRIPTORS_NEEDED:
            raise unittest.SkipTest(f"only {allowed} open files are allowed (ulimit -Hn), "
                                    f"{DESCRIPTORS_NEEDED} are needed")
        super().setUpClass()

    def setUp(self):
        self.selector = selectors.DefaultSelector()
        self.addCleanup(self.selector.close)
        self.connections = []
        self.addCleanup(lambda: [connection.close() for connection in self.connections])

    def test_ten_thousand_connections(self):
        for i in range(CONNECTIONS):
            connection = socket.create_connection((self.broker.host, self.broker.port), WAIT_S)
            self.connections.append(connection)
            connection.sendall(wire.connect(f"scale-{i}", version=3 + i % 3, keep_alive_s=0))
            connection.setblocking(False)
            self.selector.register(connection, selectors.EVENT_READ, i)
        for i, answer in self._receive_from(range(CONNECTIONS)).items():
            self.assertEqual((answer.type, answer.body[1]), (wire.CONNACK, 0), f"client {i}")

        members = range(0, CONNECTIONS, SUBSCRIBER_EVERY)
        for i in members:
            self.connections[i].sendall(wire.subscribe(TOPIC, 1, version=3 + i % 3))
        for answer in self._receive_from(members).values():
            self.assertEqual((answer.type, answer.body[-1]), (wire.SUBACK, 1))

        with wire.RawClient(self.broker.port) as publisher:
            publisher.connect("publisher")
            publisher.send(wire.publish(TOPIC, b"to a hundred", qos=1))
            publisher.expect(wire.PUBACK)
        for i, answer in self._receive_from(members).items():
            message = wire.parse_publish(answer, version=3 + i % 3)
            self.assertEqual((message.topic, message.payload), (TOPIC, b"to a hundred"))

    def _receive_from(self, indexes):
        """One packet from each of these connections, and not a byte from any other."""
        found, buffers, end = {}, {}, time.monotonic() + 2 * WAIT_S
        while len(found) < len(indexes):
            ready = self.selector.select(max(0, end - time.monotonic()))
            self.assertTrue(ready, f"{len(found)} of {len(indexes)} packets came")
            for key, _ in ready:
                buffer = buffers.setdefault(key.data, bytearray())
                data = key.fileobj.recv(4096)
                self.assertTrue(data, f"connection {key.data} was closed")
                buffer += data
                packet = wire.split(buffer)
                if packet:
                    self.assertNotIn(key.data, found)
                    found[key.data] = packet
        self.assertEqual(sorted(found), list(indexes))
        return found


if __name__ == "__main__":
    unittest.main()
