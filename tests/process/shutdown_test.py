"""How the broker ends, fails to start, and starts again."""

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from support import wire
from support.broker import STOP_S, WAIT_S, Broker, linnet_binary, linnet_only
from support.clients import Client, make_properties, unique

SHUTTING_DOWN = 0x8B
WRONG_USAGE = 2


class Stop(unittest.TestCase):
    def test_no_clients(self):
        for threads in (1, 2, 4):
            with self.subTest(threads=threads), Broker(threads) as broker:
                broker.stop()

    def test_port_is_free_again(self):
        with Broker() as broker:
            with Client(broker), wire.RawClient(broker.port):
                broker.stop()
            with socket.socket() as again:
                again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                again.bind((broker.host, broker.port))

    @linnet_only
    def test_clients_are_told(self):
        with Broker(threads=4) as broker, contextlib.ExitStack() as stack:
            clients = [(stack.enter_context(wire.RawClient(broker.port)), 3 + i % 3)
                       for i in range(12)]
            for raw, version in clients:
                raw.connect(unique(), version)
            broker.stop()
            for raw, version in clients:
                answers = raw.drain_until_closed()
                expected = [(wire.DISCONNECT, SHUTTING_DOWN)] if version == 5 else []
                self.assertEqual([(a.type, a.body[0]) for a in answers], expected)

    @linnet_only
    def test_wills_are_published(self):
        for threads in (1, 2, 4):
            topic = unique()
            with self.subTest(threads=threads), Broker(threads) as broker, \
                    Client(broker, version=5) as watcher:
                watcher.subscribe(topic, 1)
                for version in (3, 4, 5):
                    raw = wire.RawClient(broker.port)
                    self.addCleanup(raw.close)
                    raw.connect(unique(), version, will=(topic, f"will {version}"))
                broker.stop()
                watcher.wait_for_disconnect()
                found = sorted(watcher.receive().payload for _ in range(watcher.inbox.qsize()))
                self.assertEqual(found, [b"will 3", b"will 4", b"will 5"])

    @linnet_only
    def test_what_is_acknowledged_to_a_publisher_is_sent_first(self):
        topic = unique()
        with Broker(threads=2) as broker, Client(broker) as publisher:
            with Client(broker, version=5) as subscriber:
                subscriber.subscribe(topic, 1)
                for i in range(100):
                    publisher.publish(topic, str(i), 1)
                broker.stop()
                subscriber.wait_for_disconnect()
                found = [int(subscriber.receive().payload) for _ in range(100)]
                self.assertEqual(found, list(range(100)))

    @linnet_only
    def test_second_signal_ends_at_once(self):
        with Broker(settings={"limits.shutdown_timeout": "60s"}) as broker:
            with wire.RawClient(broker.port, receive_buffer_size=4096) as slow:
                # Its outbox can't be emptied, which holds up an orderly end.
                slow.connect(unique("slow"))
                slow.subscribe("t")
                with Client(broker) as publisher:
                    for _ in range(400):
                        publisher.publish("t", b"x" * 50_000, 1)
                broker.terminate()
                self.assertTrue(broker.log.wait_for("SIGTERM"))
                broker.terminate()
                self.assertIn(broker.process.wait(STOP_S), (0, 1))
                broker.log.wait_for_end()
                self.assertTrue(broker.log.lines("again"), "the first signal was enough")

    @linnet_only
    def test_interrupt_is_the_same(self):
        with Broker() as broker:
            broker.process.send_signal(signal.SIGINT)
            self.assertEqual(broker.process.wait(STOP_S), 0)


class Restart(unittest.TestCase):
    """What is kept over the end of the process."""

    def setUp(self):
        self.data_dir = tempfile.mkdtemp(prefix="linnet-test-")
        self.addCleanup(shutil.rmtree, self.data_dir, ignore_errors=True)
        self.topic = unique()

    def broker(self, threads=2):
        return Broker(threads, data_dir=self.data_dir)

    @staticmethod
    def kept(broker, client_id, version=5):
        properties = make_properties("CONNECT", SessionExpiryInterval=600) if version == 5 else None
        more = {"properties": properties} if properties else {}
        return Client(broker, client_id, version, clean=False, **more)

    @linnet_only
    def test_orderly_end(self):
        self._restart(lambda broker: broker.stop())

    @linnet_only
    def test_kill(self):
        self._restart(self._kill)

    @staticmethod
    def _kill(broker):
        broker.process.kill()
        broker.process.wait()

    def _restart(self, end):
        payloads = [str(i) for i in range(300)]
        versions = {f"kept-{version}": version for version in (4, 5)}
        with self.broker(threads=2) as broker, Client(broker, version=5) as publisher:
            if broker.log.lines("kept in memory only"):
                self.skipTest("this broker says that it keeps nothing over its end")
            for client_id, version in versions.items():
                with self.kept(broker, client_id, version) as away:
                    away.subscribe([(f"{self.topic}/live", 2)])
            sent = [publisher.publish_later(f"{self.topic}/live", text, 1 + (i >= 150))
                    for i, text in enumerate(payloads)]
            sent.append(publisher.publish_later(f"{self.topic}/retained", b"kept", 1, True,
                                                ContentType="a/b"))
            for message in sent:
                publisher.wait_for_publish(message)
            end(broker)
        with self.broker(threads=3) as broker, Client(broker, version=5) as reader:
            for client_id, version in versions.items():
                with self.kept(broker, client_id, version) as back:
                    self.assertTrue(back.session_present())
                    self.assertEqual(back.receive_payloads(len(payloads)), payloads)
                    back.publish(f"{self.topic}/live", b"fence", 2)
                    self.assertEqual(back.receive_until(b"fence"), [])
            reader.subscribe(f"{self.topic}/#", 1)
            message = reader.receive()
            self.assertEqual((message.payload, message.retain), (b"kept", True))
            self.assertEqual(message.properties.ContentType, "a/b")


@linnet_only
class StartFails(unittest.TestCase):
    def setUp(self):
        self.data_dir = tempfile.mkdtemp(prefix="linnet-test-")
        self.addCleanup(shutil.rmtree, self.data_dir, ignore_errors=True)

    def expect_wrong_usage(self, url, *words):
        """Exit code 2, and one line on standard error that says why."""
        done = subprocess.run(
            [linnet_binary(), "run", "--listen", url, "--data-dir", self.data_dir],
            capture_output=True, text=True, timeout=WAIT_S)
        self.assertEqual(done.returncode, WRONG_USAGE, done.stderr)
        lines = [line for line in done.stderr.splitlines() if all(w in line for w in words)]
        self.assertEqual(len(lines), 1, done.stderr)

    def test_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:{}".format(taken.getsockname()[1])
            self.expect_wrong_usage(f"mqtt://{address}", address, "in use")

    def test_bad_urls(self):
        for url in ("nonsense", "nonsense://127.0.0.1:1883", "mqtt://127.0.0.1:99999",
                    "mqtt://127.0.0.1:port", "mqtt://:::1"):
            with self.subTest(url=url):
                self.expect_wrong_usage(url, url)

    def test_beyond_loopback_without_authentication(self):
        self.expect_wrong_usage("mqtt://0.0.0.0:0", "mqtt://0.0.0.0:0", "anonymous")


if __name__ == "__main__":
    unittest.main()
