"""kill -9 under load: the next broker starts at once on the same port, and serves new clients there.

What must survive the broker itself is tested by Restart in shutdown_test.py.
"""

import random
import unittest

from support.broker import Broker, free_port
from support.clients import Client, unique

ROUNDS = 10
MESSAGES = 300
SEED = 20260321


class Kill(unittest.TestCase):
    def test_the_next_broker_serves_at_once(self):
        chance = random.Random(SEED)
        port = free_port()
        for round_number in range(ROUNDS):
            with self.subTest(round=round_number):
                self._round(port, chance.randrange(MESSAGES))

    def _round(self, port, killed_after):
        topic = unique()
        with Broker(threads=2, port=port) as first, Client(first, version=5) as publisher:
            sent = [publisher.publish_later(topic, str(number), 1) for number in range(MESSAGES)]
            publisher.wait_for_publish(sent[killed_after])
            first.kill()
        with Broker(threads=2, port=port) as second:
            with Client(second, version=5) as subscriber, Client(second, version=5) as publisher:
                subscriber.subscribe(topic, 1)
                publisher.publish(topic, b"after the kill", 1)
                self.assertEqual(subscriber.receive_until(b"after the kill"), [])


if __name__ == "__main__":
    unittest.main()
