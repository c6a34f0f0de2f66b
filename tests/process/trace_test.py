"""`linnet trace` and `linnet top`."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import time

from support.admin import Admin, Following, linnet
from support.broker import WAIT_S, BrokerCase, linnet_binary, linnet_only
from support.clients import Client, mosquitto_pub, unique


@linnet_only
class Trace(BrokerCase):
    settings = {"seccomp": "true"}
    config = """
[[auth.rule]]
effect = "deny"
publish = ["secret/#"]

[[auth.rule]]
topics = ["#"]
"""

    def setUp(self):
        self.admin = Admin(self, self.broker)

    def test_from_publisher_to_receiver(self):
        topic = unique()
        with Client(self.broker, version=5) as receiver, Client(self.broker) as sender:
            receiver.subscribe(topic, 1)
            with Following(self.broker, "trace", "--topic", topic, "--count", "3") as trace:
                sender.publish(topic, b"hello", 1)
                self.assertEqual(trace.process.wait(WAIT_S), 0)
                trace.log.wait_for_end()
                # Where they live on two threads, the receiver may be told of it first.
                lines = sorted(line.split(" ", 1)[1] for line in trace.log.lines())
        self.assertRegex(lines[0], rf'^acknowledged  by {receiver.client_id}: "{topic}" QoS 1, '
                                   r"packet 1, 5 B$|^acknowledged")
        self.assertRegex(lines[1], rf'^received +from {sender.client_id}: "{topic}" QoS 1, '
                                   r"packet \d+, 5 B; ")
        self.assertRegex(lines[2], rf'^sent +to {receiver.client_id}: "{topic}" QoS 1, '
                                   r"packet 1, 5 B$")

    def test_denied_by_a_rule(self):
        with Client(self.broker) as sender:
            with Following(self.broker, "trace", "--client", sender.client_id) as trace:
                sender.publish("secret/x", b"hello", 1)
                line = trace.log.wait_for("denied")
            self.assertIn(f'from {sender.client_id}: "secret/x"', line)
            self.assertIn("rule", line)

    def test_json_lines(self):
        topic = unique()
        with Following(self.broker, "trace", "--topic", topic, "--json") as trace:
            deadline = time.monotonic() + WAIT_S
            while not trace.log.lines() and time.monotonic() < deadline:
                mosquitto_pub(self.broker, topic, "x")
            record = json.loads(trace.log.lines()[0])
        self.assertEqual((record["step"], record["topic"], record["receivers"]),
                         ("received", topic, 0))
        self.assertRegex(record["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")

    def test_others_are_answered_meanwhile_and_places_are_bounded(self):
        raws = []
        try:
            for _ in range(6):
                raw = socket.socket(socket.AF_UNIX)
                raws.append(raw)
                raw.settimeout(WAIT_S)
                raw.connect(f"{self.broker.data_dir}/control.sock")
                raw.sendall(b'{"command":"trace","filter":"#"}\n')
                self.assertTrue(json.loads(raw.makefile().readline())["ok"])
            self.assertEqual(self.admin.json("status")["health"], "healthy")
            done = linnet("trace", "--topic", "#", "--data-dir", self.broker.data_dir)
            self.assertEqual(done.returncode, 1)
            self.assertIn("look at this broker already", done.stderr)
        finally:
            for raw in raws:
                raw.close()
        # Their places are free again.
        with Following(self.broker, "trace", "--topic", "#"):
            pass

    def test_a_reader_that_does_not_read_loses_and_is_told(self):
        """The broker's memory does not grow, and its clients do not wait."""
        topic = unique()
        with socket.socket(socket.AF_UNIX) as raw, Client(self.broker) as sender:
            raw.settimeout(WAIT_S)
            raw.connect(f"{self.broker.data_dir}/control.sock")
            raw.sendall(json.dumps({"command": "trace", "filter": topic}).encode() + b"\n")
            reader = raw.makefile()
            self.assertTrue(json.loads(reader.readline())["ok"])
            for _ in range(20_000):
                sender.publish_later(topic, b"x")
            sender.publish(topic, b"x", 1)
            lost = None
            count = 0
            while lost is None:
                line = json.loads(reader.readline())
                lost = line.get("lost")
                count += lost is None
            self.assertGreater(lost, 0)
            self.assertGreater(count, 4096)


class Screen:
    """A program on a terminal of its own."""

    def __init__(self, command, lines=24, columns=80):
        self.parent, child = pty.openpty()
        self.resize(lines, columns)
        self.before = termios.tcgetattr(child)
        self.child = child
        environment = {**os.environ, "TERM": "xterm"}

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(command, stdin=child, stdout=child, stderr=child,
                                        preexec_fn=own_terminal, env=environment)
        self.seen = b""

    def resize(self, lines, columns):
        fcntl.ioctl(self.parent, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def wait_for(self, pattern):
        """Reads until it is there; returns what came up to its end, and forgets that."""
        deadline = time.monotonic() + WAIT_S
        while True:
            found = re.search(pattern, self.seen, re.S)
            if found:
                shown, self.seen = self.seen[:found.end()], self.seen[found.end():]
                return shown
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.parent], [], [], left)[0]:
                raise AssertionError(f"{pattern} does not come: {self.seen[-2000:]}")
            try:
                self.seen += os.read(self.parent, 65536)
            except OSError as error:
                raise AssertionError(f"it has ended: {self.seen[-2000:]}") from error

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.parent)
        os.close(self.child)


@linnet_only
class Top(BrokerCase):
    settings = {"seccomp": "true"}

    def setUp(self):
        self.admin = Admin(self, self.broker)

    def screen(self, *arguments, **size):
        screen = Screen([linnet_binary(), "top", "--interval", "100ms", "--data-dir",
                         self.broker.data_dir, *arguments], **size)
        self.addCleanup(screen.close)
        screen.wait_for(rb"\x1b\[\?1049h")
        screen.wait_for(rb"received ")
        return screen

    def assert_restored(self, screen):
        screen.wait_for(rb"\x1b\[\?25h\x1b\[\?1049l")
        screen.process.wait(WAIT_S)
        self.assertEqual(termios.tcgetattr(screen.child), screen.before)

    def test_text_in_a_pipe(self):
        topic = unique()
        with Client(self.broker) as sender, Client(self.broker) as receiver:
            receiver.subscribe(topic)
            with Following(self.broker, "top", "--count", "2", "--interval", "500ms",
                           "--json") as top:
                while top.process.poll() is None:
                    sender.publish(topic, b"12345", 1)
                top.log.wait_for_end()
                pictures = [json.loads(line) for line in top.log.lines()]
            self.assertEqual(len(pictures), 2)
            last = pictures[-1]
            self.assertGreater(last["rates"]["publish_received"], 0)
            self.assertEqual(last["topics"][0]["name"], topic)
            self.assertEqual(last["senders"][0]["name"], sender.client_id)
            self.assertEqual(last["receivers"][0]["name"], receiver.client_id)
            self.assertEqual(last["topics"][0]["bytes"], 5 * last["topics"][0]["messages"])
        text = self.admin("top", "--interval", "100ms")
        self.assertRegex(text, r"^Linnet, up .* memory ")
        self.assertRegex(text, r"(?m)^received +0 messages/s")
        self.assertNotIn("\x1b", text)

    def test_slow_receivers(self):
        away = Client(self.broker, clean=False).connect()
        topic = unique()
        away.subscribe(topic, 1)
        away.disconnect()
        mosquitto_pub(self.broker, topic, "waits", qos=1)
        text = self.admin("top", "--interval", "100ms")
        self.assertRegex(text, rf"(?m)^{away.client_id} +- .*away$|^{away.client_id} +0 B +1 .*away$")
        self.admin("kick", away.client_id, "--end-session")

    def test_q_ends_it(self):
        screen = self.screen()
        os.write(screen.parent, b"xq")
        self.assert_restored(screen)
        self.assertEqual(screen.process.returncode, 0)

    def test_signals_end_it_and_restore_the_terminal(self):
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):
            with self.subTest(name):
                screen = self.screen()
                screen.process.send_signal(getattr(signal, name))
                self.assert_restored(screen)
                self.assertEqual(screen.process.returncode, -getattr(signal, name))

    def test_ctrl_c(self):
        screen = self.screen()
        os.write(screen.parent, b"\x03")
        self.assert_restored(screen)
        self.assertEqual(screen.process.returncode, -signal.SIGINT)

    def test_count_ends_it(self):
        screen = self.screen("--count", "2")
        self.assert_restored(screen)
        self.assertEqual(screen.process.returncode, 0)

    def test_the_window_changes_its_size(self):
        screen = self.screen(lines=3, columns=20)
        shown = screen.wait_for(rb"\x1b\[H.*?\x1b\[J")
        picture = shown.rsplit(b"\x1b[H", 1)[1].removesuffix(b"\x1b[J").replace(b"\r", b"")
        lines = [line.removesuffix(b"\x1b[K") for line in picture.split(b"\n")]
        self.assertLessEqual(len(lines), 3)
        self.assertLessEqual(max(map(len, lines)), 20)
        screen.resize(24, 200)
        screen.wait_for(rb"Linnet, up [^\r]* memory ")
        os.write(screen.parent, b"q")
        self.assert_restored(screen)


@linnet_only
class BrokerEnds(BrokerCase):
    def test_top_and_trace_end_with_the_broker(self):
        from support.broker import Broker
        with Broker(1) as broker:
            screen = Screen([linnet_binary(), "top", "--data-dir", broker.data_dir])
            self.addCleanup(screen.close)
            screen.wait_for(rb"Linnet, up")
            with Following(broker, "trace", "--topic", "#") as trace:
                broker.stop()
                self.assertEqual(trace.process.wait(WAIT_S), 1)
                trace.errors.wait_for_end()
                self.assertIn("has ended the conversation", trace.errors.text())
            screen.wait_for(rb"\x1b\[\?1049l.*has ended the conversation")
            screen.process.wait(WAIT_S)
            self.assertEqual(termios.tcgetattr(screen.child), screen.before)


if __name__ == "__main__":
    import unittest
    unittest.main()
