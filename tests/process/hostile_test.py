"""Bad, slow and silent clients: they alone pay for it, and the log says who, and what to mend."""

import contextlib
import os
import random
import re
import unittest

from support import wire
from support.broker import IS_LINNET, BrokerCase, linnet_only
from support.clients import Client, unique

MALFORMED, PROTOCOL_ERROR, TOPIC_NAME_INVALID, TOO_LARGE = 0x81, 0x82, 0x90, 0x95
PACKET_SIZE_MAX = 100_000
HALF_A_CONNECT = wire.connect("half")[:9]
FIVE_BYTES_OF_LENGTH = b"\x30\xff\xff\xff\xff\x01"

# Above 1 under sanitizers, which keep freed memory and shadows of their own.
MEMORY_FACTOR = int(os.environ.get("LINNET_MEMORY_FACTOR", "1"))


class HostileCase(BrokerCase):
    # One thread, and fewer bad clients per class than the log shows in a short time.
    threads = 1

    def setUp(self):
        self.topic = unique()

    def tearDown(self):
        self.expect_service()

    def expect_service(self):
        """A client that behaves is served."""
        with Client(self.broker, version=5) as client:
            client.subscribe(f"{self.topic}/service", 2)
            client.publish(f"{self.topic}/service", b"served", 2)
            self.assertEqual(client.receive().payload, b"served")

    def expect_complaint(self, address, pattern, client_id=""):
        """One log line names the client and says what to mend."""
        if not IS_LINNET:
            return
        self.broker.log.wait_for(address)
        lines = self.broker.log.lines(address)
        self.assertEqual(len(lines), 1, lines)
        self.assertIn(client_id, lines[0])
        self.assertRegex(lines[0], re.compile(pattern, re.IGNORECASE))


class BeforeConnect(HostileCase):
    def expect_closed(self, data, pattern):
        with wire.RawClient(self.broker.port) as raw:
            raw.send(data)
            answers = raw.drain_until_closed()
            self.expect_complaint(raw.address, pattern)
            return answers

    def test_other_protocols(self):
        for data in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512),
                     b"SSH-2.0-OpenSSH_9.2p1\r\n"):
            with self.subTest(data=data[:10]):
                self.assertEqual(self.expect_closed(data, "; .*(use|set|send|must)"), [])

    def test_publish_first(self):
        answers = self.expect_closed(wire.publish(self.topic, b"x"), "PUBLISH.*CONNECT")
        self.assertEqual(answers, [])

    def test_five_bytes_of_length(self):
        data = b"\x10" + FIVE_BYTES_OF_LENGTH[1:]
        self.assertEqual(self.expect_closed(data, "remaining length"), [])

    def test_unknown_protocol_level(self):
        data = wire.connect("x").replace(b"MQTT\x04", b"MQTT\x06")
        (answer,) = self.expect_closed(data, "level")
        self.assertEqual(answer.type, wire.CONNACK)
        self.assertIn(answer.body[1], (0x01, 0x84))

    def test_unknown_protocol_name(self):
        data = wire.connect("x").replace(b"MQTT", b"MQTX")
        self.assertEqual(self.expect_closed(data, "protocol name"), [])


class Noise(HostileCase):
    def test_random_bytes(self):
        random_bytes = random.Random(20_260_301)
        for _ in range(300):
            with wire.RawClient(self.broker.port) as raw:
                raw.send(random_bytes.randbytes(random_bytes.randint(1, 300)))

    def test_random_changes_to_good_packets(self):
        random_changes = random.Random(20_260_302)
        for i in range(300):
            version = random_changes.choice((3, 4, 5))
            data = bytearray(wire.connect(unique(), version) +
                             wire.subscribe(self.topic, 2, 1, version) +
                             wire.publish(self.topic, b"payload", 2, 2, version) +
                             wire.acknowledge(wire.PUBREL, 2) + wire.disconnect())
            for _ in range(1 + i % 4):
                data[random_changes.randrange(len(data))] = random_changes.randrange(256)
            with wire.RawClient(self.broker.port) as raw:
                raw.send(bytes(data))


class Connected(HostileCase):
    settings = {"limits.packet_size_max": str(PACKET_SIZE_MAX)}

    def expect_closed(self, data, reason, pattern):
        """The same for MQTT 3.1.1, which has no way to say why, and for MQTT 5."""
        for version in (4, 5):
            client_id = unique("hostile")
            with self.subTest(version=version), wire.RawClient(self.broker.port) as raw:
                raw.connect(client_id, version)
                raw.send(data)
                answers = raw.drain_until_closed()
                self.expect_complaint(raw.address, pattern, client_id)
                if IS_LINNET:
                    expected = [(wire.DISCONNECT, reason)] if version == 5 else []
                    self.assertEqual([(a.type, a.body[0]) for a in answers], expected)

    def test_second_connect(self):
        self.expect_closed(wire.connect("again"), PROTOCOL_ERROR, "second CONNECT.*once")

    def test_five_bytes_of_length(self):
        self.expect_closed(FIVE_BYTES_OF_LENGTH, MALFORMED, "remaining length.*send")

    def test_packet_too_large(self):
        # Said by its first bytes, so that the rest need not be sent.
        head = b"\x30" + wire.variable_integer(PACKET_SIZE_MAX + 1)
        self.expect_closed(head, TOO_LARGE, "larger.*smaller")

    @linnet_only  # Mosquitto 2.0.11 overlooks it
    def test_unknown_flags(self):
        self.expect_closed(b"\xc1\x00", MALFORMED, "flags")


class Contents(HostileCase):
    expect_closed = Connected.expect_closed

    def test_qos_3(self):
        packet = wire.packet(0x36, wire.string(self.topic) + b"\x00\x01\x00payload")
        self.expect_closed(packet, MALFORMED, "QoS")

    def test_wildcard_in_a_topic_name(self):
        packet = wire.packet(0x30, wire.string("a/#") + b"\x00")
        self.expect_closed(packet, TOPIC_NAME_INVALID, "topic")

    def test_topic_that_is_not_utf_8(self):
        packet = wire.packet(0x30, wire.string(b"a/\xc0\x80") + b"\x00")
        self.expect_closed(packet, MALFORMED, "UTF-8")

    @linnet_only  # Mosquitto 2.0.11 overlooks it
    def test_a_packet_of_a_server(self):
        self.expect_closed(wire.packet(wire.SUBACK << 4, b"\x00\x01\x00"), PROTOCOL_ERROR, "server")


class HalfPackets(HostileCase):
    def test_byte_by_byte(self):
        with Client(self.broker) as subscriber, wire.RawClient(self.broker.port) as raw:
            subscriber.subscribe(self.topic, 1)
            packets = wire.connect(unique()) + wire.publish(self.topic, b"x" * 200, 1)
            for i in range(len(packets)):
                raw.send(packets[i:i + 1])
            raw.expect(wire.CONNACK)
            raw.expect(wire.PUBACK)
            self.assertEqual(subscriber.receive().payload, b"x" * 200)

    def test_all_at_once(self):
        with wire.RawClient(self.broker.port) as raw:
            raw.send(wire.connect(unique()), wire.subscribe(self.topic, 1),
                     *[wire.publish(self.topic, str(i).encode()) for i in range(100)])
            raw.expect(wire.CONNACK)
            raw.expect(wire.SUBACK)
            for i in range(100):
                message = wire.parse_publish(raw.expect(wire.PUBLISH))
                self.assertEqual(message.payload, str(i).encode())

    def test_closed_within_a_packet(self):
        with Client(self.broker) as subscriber:
            subscriber.subscribe(f"{self.topic}/#", 1)
            packet = wire.publish(f"{self.topic}/half", b"x" * 1000, 1)
            for length in (1, 2, 10, len(packet) - 1):
                raw = wire.RawClient(self.broker.port)
                raw.connect(unique(), will=(f"{self.topic}/will", str(length)))
                raw.send(packet[:length])
                raw.reset()
                self.assertEqual(subscriber.receive().payload, str(length).encode())


@linnet_only  # Mosquitto waits much longer for a CONNECT
class Silence(HostileCase):
    settings = {"limits.connect_timeout": "300ms"}

    def expect_time_out(self, data):
        with wire.RawClient(self.broker.port) as raw:
            raw.send(data)
            self.assertEqual(raw.drain_until_closed(), [])
            self.expect_complaint(raw.address, "CONNECT.*connect_timeout")

    def test_no_bytes(self):
        self.expect_time_out(b"")

    def test_half_a_connect(self):
        self.expect_time_out(HALF_A_CONNECT)

    def test_drops_of_a_connect(self):
        """A byte now and then does not buy time."""
        with wire.RawClient(self.broker.port) as raw:
            for byte in wire.connect("x" * 200):
                raw.send(bytes([byte]))
                try:
                    raw.receive(timeout_s=0.05)
                except TimeoutError:
                    continue
                except wire.Closed:
                    break
            else:
                self.fail("the CONNECT could be sent one byte every 50 ms")


class HalfOpen(HostileCase):
    def test_many(self):
        with contextlib.ExitStack() as stack:
            for i in range(900):  # limits.half_open_per_address_max is 1000
                raw = stack.enter_context(wire.RawClient(self.broker.port))
                raw.send(HALF_A_CONNECT if i % 2 else b"")
            self.expect_service()
        self.expect_service()


class SlowReader(HostileCase):
    threads = 2
    payload = b"x" * 20_000
    rounds, batch = 200, 10  # 40 MB, far beyond what the kernel and the broker keep for one link

    def test_one_that_never_reads(self):
        with contextlib.ExitStack() as stack:
            for version in (4, 5):
                slow = stack.enter_context(
                    wire.RawClient(self.broker.port, receive_buffer_size=4096))
                slow.connect(unique("slow"), version, keep_alive_s=0)
                slow.subscribe(self.topic, 0, version)
            reader = stack.enter_context(Client(self.broker))
            reader.subscribe(self.topic, 1)
            publisher = stack.enter_context(Client(self.broker))
            before = self._resident_bytes()
            for i in range(self.rounds):
                for _ in range(self.batch):
                    publisher.publish_later(self.topic, self.payload, 1)
                for _ in range(self.batch):
                    self.assertEqual(len(reader.receive().payload), len(self.payload))
            if IS_LINNET:
                self.assertLess(self._resident_bytes() - before, (32 << 20) * MEMORY_FACTOR)

    def test_one_that_never_reads_its_answers(self):
        """It asks for more and more; in the end it is not read, or closed."""
        with wire.RawClient(self.broker.port, receive_buffer_size=4096) as slow:
            slow.connect(unique("slow"))
            before = self._resident_bytes()
            pings = wire.packet(wire.PINGREQ << 4, b"") * 50_000
            self._send_much(slow, pings)
            self.expect_service()
            if IS_LINNET:
                self.assertLess(self._resident_bytes() - before, (12 << 20) * MEMORY_FACTOR)

    @staticmethod
    def _send_much(slow, data):
        slow.socket.settimeout(1)
        with contextlib.suppress(TimeoutError):
            for _ in range(400 if IS_LINNET else 10):  # 40 MB, if the broker takes them
                if not slow.send(data):
                    return

    def _resident_bytes(self):
        with open(f"/proc/{self.broker.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    unittest.main()
