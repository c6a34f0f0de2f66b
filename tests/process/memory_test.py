"""The memory budget: whatever clients do, the process stays within memory_max and a margin, and who
behaves is served all the while.

RssAnon is what the process has for itself: mapped files are the kernel's cache."""

import contextlib
import os
import re
import socket
import threading
import time
import unittest

from support import wire
from support.broker import WAIT_S, Broker, linnet_only, raise_descriptor_limit
from support.clients import unique

MIB = 1 << 20
BUDGET_MIB = 32
MARGIN_MIB = 4
STALLED = 1_000
DESCRIPTORS_NEEDED = 3_000
FLOOD_S = 5
SAMPLE_S = 0.01
# Above 1 under sanitizers, which keep freed memory and shadows of their own, and hide the heap.
MEASURED = os.environ.get("LINNET_MEMORY_FACTOR", "1") == "1"


class Background:
    """What runs on a thread of its own as long as a `with` lasts: `_run`, until `_done` is set."""

    def __init__(self):
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        raise NotImplementedError

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()


class Watch(Background):
    """The greatest RssAnon of a process while it lasts, in MiB."""

    def __init__(self, pid):
        super().__init__()
        self.greatest = 0
        self._path = f"/proc/{pid}/status"

    def now(self):
        with open(self._path, encoding="ascii") as status:
            return int(re.search(r"RssAnon:\s+(\d+) kB", status.read()).group(1)) / 1024

    def _run(self):
        while not self._done.wait(SAMPLE_S):
            self.greatest = max(self.greatest, self.now())


class RoundTrips(Background):
    """A client that behaves: it sends itself messages of QoS 1, one after the other."""

    def __init__(self, broker, payload=b"x" * 100, version=4):
        super().__init__()
        self.count = 0
        self.slowest = 0.0
        self.failure = None
        self._topic = unique("control")
        self._payload = payload
        self._client = wire.RawClient(broker.port)
        self._client.connect(unique("control"), version)
        self._client.subscribe(self._topic, 1, version)
        self._version = version

    def _run(self):
        try:
            while not self._done.is_set():
                begin = time.monotonic()
                self._round()
                self.slowest = max(self.slowest, time.monotonic() - begin)
                self.count += 1
        except (wire.Closed, OSError, AssertionError) as failure:
            self.failure = failure

    def _round(self):
        """The message and the acknowledgement come in any order."""
        self._client.send(wire.publish(self._topic, self._payload, 1, 7, self._version))
        for _ in range(2):
            packet = self._client.receive()
            if packet.type == wire.PUBLISH:
                identifier = int.from_bytes(
                    packet.body[2 + len(self._topic):4 + len(self._topic)], "big")
                self._client.send(wire.acknowledge(wire.PUBACK, identifier))

    def __exit__(self, *what):
        super().__exit__(*what)
        self._client.close()


class Flood:
    """A publisher that sends as fast as the broker reads, and throws away what it is answered."""

    def __init__(self, broker, topic, qos, payload):
        self.sent = 0  # bytes
        self.closed = False
        self._client = wire.RawClient(broker.port)
        self._client.connect(unique("flood"))
        packets = [wire.publish(topic, payload, qos, 1 + i) for i in range(1000)]
        self._blob = b"".join(packets)
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._write), threading.Thread(target=self._read)]

    def _write(self):
        self._client.socket.settimeout(0.1)
        view = memoryview(self._blob)
        at = 0
        while not self._done.is_set():
            try:
                size = self._client.socket.send(view[at:])
            except TimeoutError:
                continue
            except OSError:
                self.closed = not self._done.is_set()
                return
            self.sent += size
            at = (at + size) % len(view)

    def _read(self):
        while not self._done.is_set():
            try:
                self.closed = self.closed or not self._client.socket.recv(1 << 16)
            except TimeoutError:
                continue
            except OSError:
                return
            if self.closed:
                return

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        for thread in self._threads:
            thread.join()
        self._client.close()


@linnet_only
class MemoryBudget(unittest.TestCase):
    def setUp(self):
        if raise_descriptor_limit() < DESCRIPTORS_NEEDED:
            self.skipTest(f"{DESCRIPTORS_NEEDED} open files must be allowed")
        # One for each test, so that each measures its own.
        self.broker = self.enterContext(Broker(threads=2, settings={
            "memory_max": f"{BUDGET_MIB}MiB" if MEASURED else "2GiB", "durability": "none"}))
        self.sockets = []
        self.addCleanup(lambda: [one.close() for one in self.sockets])

    def open_socket(self):
        """With little room for what it does not read."""
        one = socket.socket()
        self.sockets.append(one)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(WAIT_S)
        one.connect((self.broker.host, self.broker.port))
        return one

    def stall(self, topic, qos, clean):
        """Subscribers that never read again."""
        for i in range(STALLED):
            one = self.open_socket()
            one.sendall(wire.connect(f"stalled-{i}", clean=clean, keep_alive_s=0))
            one.sendall(wire.subscribe(topic, qos))
        for one in self.sockets:
            answers = bytearray()
            while len(answers) < 9:
                data = one.recv(9 - len(answers))
                self.assertTrue(data)
                answers += data
            self.assertEqual(answers, b"\x20\x02\0\0\x90\x03\0\x01" + bytes([qos]))

    def check(self, watch, controls):
        print(f"RssAnon {watch.greatest:.1f} MiB of {BUDGET_MIB}; ", end="", flush=True)
        for control in controls:
            print(f"{control.count} round trips, the slowest {control.slowest:.2f} s; ", end="")
            self.assertIsNone(control.failure)
            self.assertGreater(control.count, 10)
        if MEASURED:
            self.assertLess(watch.greatest, BUDGET_MIB + MARGIN_MIB)

    def flood(self, qos, clean, payload=b"x" * 1000):
        topic = unique("flood")
        self.stall(topic, qos, clean)
        with contextlib.ExitStack() as stack:
            controls = [stack.enter_context(RoundTrips(self.broker, version=v)) for v in (4, 5)]
            watch = stack.enter_context(Watch(self.broker.process.pid))
            floods = [stack.enter_context(Flood(self.broker, topic, qos, payload))
                      for _ in range(2)]
            time.sleep(FLOOD_S)
            for flood in floods:
                self.assertGreater(flood.sent, MIB)
                self.assertFalse(flood.closed, "a publisher was disconnected")
        self.check(watch, controls)

    def test_qos_0_to_clean_sessions(self):
        self.flood(0, clean=True)
        if MEASURED:
            self.assertTrue(self.broker.log.lines("memory_max", "the step is now"))

    def test_qos_0_to_kept_sessions(self):
        self.flood(0, clean=False)

    def test_qos_1_to_clean_sessions(self):
        self.flood(1, clean=True)

    def test_qos_1_to_kept_sessions(self):
        self.flood(1, clean=False)

    def test_large_messages(self):
        self.flood(1, clean=True, payload=b"x" * 200_000)

    def test_half_received_packets(self):
        """Each has sent all but the last byte of a packet of 1 MiB, or as much as is read."""
        part = wire.publish("half", b"x" * (MIB - 100))[:-1]
        with contextlib.ExitStack() as stack:
            control = stack.enter_context(RoundTrips(self.broker))
            watch = stack.enter_context(Watch(self.broker.process.pid))
            pending = {}
            for i in range(200):
                one = self.open_socket()
                one.sendall(wire.connect(f"half-{i}", keep_alive_s=0))
                self.assertEqual(one.recv(4), b"\x20\x02\0\0")
                one.setblocking(False)
                pending[one] = memoryview(part)
            end = time.monotonic() + FLOOD_S
            while time.monotonic() < end and pending:
                for one in list(pending):
                    with contextlib.suppress(BlockingIOError):
                        pending[one] = pending[one][one.send(pending[one]):]
                    if not pending[one]:
                        del pending[one]
        self.check(watch, [control])


if __name__ == "__main__":
    unittest.main()
