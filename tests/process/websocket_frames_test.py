"""WebSocket frames by hand: what RFC 6455 allows, and what it has to be refused with."""

import random
import socket
import struct
import unittest

from support import wire
from support.broker import BrokerCase, linnet_only
from support.clients import Client, unique
from support.websocket import (BINARY, CLOSE, CONTINUATION, GOING_AWAY, NORMAL, NOT_UTF8, PING,
                               PONG, PROTOCOL_ERROR, TEXT, TOO_BIG, UNSUPPORTED, RawWebSocket,
                               binary, close, frame)

PACKET_SIZE_MAX, MESSAGE_MAX = 100_000, 128 * 1024
PINGREQ = wire.packet(wire.PINGREQ << 4, b"")


class FramesCase(BrokerCase):
    threads = 2
    settings = {"limits.packet_size_max": PACKET_SIZE_MAX,
                "limits.websocket_message_max": MESSAGE_MAX}
    listeners = {"ws": {"url": "ws://127.0.0.1:0/mqtt"}}

    def setUp(self):
        self.topic = unique()

    def tearDown(self):
        """A client that behaves is served."""
        with Client(self.broker.at("ws"), websocket="/mqtt") as client:
            client.subscribe(self.topic, 1)
            client.publish(self.topic, b"served", 1)
            self.assertEqual(client.receive().payload, b"served")

    def upgraded(self):
        raw = RawWebSocket(self.broker.at("ws"))
        self.addCleanup(raw.close)
        raw.upgrade()
        return raw

    def connected(self):
        raw = self.upgraded()
        raw.connect(unique())
        return raw

    def assert_alive(self, raw):
        raw.send_packets(PINGREQ)
        raw.expect(wire.PINGRESP)


@linnet_only
class Allowed(FramesCase):
    def test_a_packet_across_frames(self):
        """However it is cut: a message of many frames, or many messages."""
        packet = wire.publish(self.topic, random.Random(1).randbytes(2000))
        for size in (1, 7, 125, 126, 1999):
            pieces = [packet[i:i + size] for i in range(0, len(packet), size)]
            last = len(pieces) - 1
            fragments = b"".join(frame(BINARY if i == 0 else CONTINUATION, piece, fin=i == last)
                                 for i, piece in enumerate(pieces))
            for data in (fragments, b"".join(binary(piece) for piece in pieces)):
                with self.subTest(size=size):
                    raw = self.connected()
                    raw.subscribe(self.topic)
                    raw.send(data)
                    got = wire.parse_publish(raw.expect(wire.PUBLISH))
                    self.assertEqual(got.payload, packet[-2000:])
                    raw.close()

    def test_several_packets_in_a_frame(self):
        raw = self.connected()
        raw.send_packets(wire.subscribe(self.topic), wire.publish(self.topic, b"1"), PINGREQ,
                         wire.publish(self.topic, b"2"), PINGREQ)
        types = [raw.receive().type for _ in range(5)]
        self.assertEqual(sorted(types), sorted([wire.SUBACK, *[wire.PUBLISH] * 2,
                                                *[wire.PINGRESP] * 2]))

    def test_a_frame_that_ends_in_the_middle_of_a_packet(self):
        stream = b"".join([wire.subscribe(self.topic)] +
                          [wire.publish(self.topic, bytes([i]) * i) for i in range(200)])
        rest, raw = random.Random(2), self.connected()
        while stream:
            size = rest.randrange(1, 400)
            raw.send(frame(BINARY, stream[:size], mask=rest.randbytes(4)))
            stream = stream[size:]
        packets = [raw.receive() for _ in range(201)]
        found = [wire.parse_publish(packet).payload for packet in packets
                 if packet.type == wire.PUBLISH]
        self.assertEqual(found, [bytes([i]) * i for i in range(200)])

    def test_byte_by_byte_on_the_wire(self):
        raw = self.upgraded()
        data = binary(wire.connect(unique())) + frame(PING, b"hi") + binary(PINGREQ)
        for byte in data:
            raw.send(bytes([byte]))
        raw.expect(wire.CONNACK)
        raw.expect(wire.PINGRESP)
        self.assertEqual([got.payload for got in raw.control], [b"hi"])

    def test_masks(self):
        raw = self.connected()
        for mask in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1"):
            raw.send(frame(BINARY, PINGREQ, mask=mask))
            raw.expect(wire.PINGRESP)

    def test_lengths(self):
        raw = self.connected()
        raw.subscribe(self.topic)
        # Frames of 125 to 127 and 65,535 to 65,537 bytes: where the length changes its form.
        for size in (125, 126, 127, 65_535, 65_536, 65_537):
            empty = len(wire.publish(self.topic, bytes(size - 100))) - (size - 100)
            packet = wire.publish(self.topic, b"x" * (size - empty))
            raw.send_packets(packet)
            got = wire.parse_publish(raw.expect(wire.PUBLISH))
            self.assertEqual(got.payload, b"x" * (size - empty))

    def test_empty_frames(self):
        raw = self.connected()
        for data in (frame(BINARY), frame(BINARY, fin=False) + frame(CONTINUATION),
                     frame(BINARY) * 1000, frame(BINARY, fin=False) + frame(
                         CONTINUATION, fin=False) * 1000 + frame(CONTINUATION, PINGREQ)):
            raw.send(data)
        raw.expect(wire.PINGRESP)
        self.assert_alive(raw)

    def test_a_large_message_of_small_packets(self):
        """A message may be larger than a packet may be."""
        raw = self.connected()
        raw.send(binary(PINGREQ * (MESSAGE_MAX // 2 - 10)))
        for _ in range(MESSAGE_MAX // 2 - 10):
            raw.expect(wire.PINGRESP)


@linnet_only
class Control(FramesCase):
    def test_ping(self):
        raw = self.connected()
        for payload in (b"", b"hello", bytes(range(125))):
            raw.send(frame(PING, payload))
            raw.expect_frame(PONG, payload)
        self.assert_alive(raw)

    def test_ping_before_connect(self):
        raw = self.upgraded()
        raw.send(frame(PING, b"early"))
        raw.expect_frame(PONG, b"early")
        raw.connect(unique())

    def test_between_fragments(self):
        raw = self.connected()
        raw.send(frame(BINARY, PINGREQ[:1], fin=False) + frame(PING, b"between") +
                 frame(CONTINUATION, b"", fin=False) + frame(PONG, b"nobody asked") +
                 frame(CONTINUATION, PINGREQ[1:]))
        raw.expect(wire.PINGRESP)
        self.assertEqual([got[:2] for got in raw.control], [(PONG, b"between")])

    def test_pongs_are_passed_over(self):
        raw = self.connected()
        raw.send(frame(PONG) + frame(PONG, b"x" * 125))
        self.assert_alive(raw)
        self.assertEqual(raw.control, [])

    def test_many_pings(self):
        """The last is answered in any case (RFC 6455, 5.5.3)."""
        raw = self.connected()
        raw.send(b"".join(frame(PING, b"%d" % i) for i in range(5000)) + binary(PINGREQ))
        raw.expect(wire.PINGRESP)
        while b"4999" not in [got.payload for got in raw.control[-1:]]:
            raw.control.append(raw.expect_frame(PONG))

    def test_pings_of_one_who_does_not_read(self):
        raw = RawWebSocket(self.broker.at("ws"), receive_buffer_size=2048)
        self.addCleanup(raw.close)
        raw.upgrade()
        raw.connect(unique())
        raw.socket.setblocking(False)
        data, sent = frame(PING, b"x" * 125) * 200, 0
        try:
            while sent < 64 << 20:
                sent += raw.socket.send(data)
        except BlockingIOError:
            pass  # the broker reads no more than it can answer
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertLess(sent, 64 << 20)
        raw.close()

    def test_close_is_answered(self):
        for code, reason in ((None, b""), (NORMAL, b""), (NORMAL, "grüße".encode()),
                             (GOING_AWAY, b"bye"), (3000, b""), (4999, b"")):
            with self.subTest(code):
                raw = self.connected()
                raw.send(close(code, reason))
                got = raw.receive_frame()
                self.assertEqual(got.opcode, CLOSE)
                if code:
                    self.assertEqual(got.payload[:2], struct.pack("!H", code))
                raw.expect_end()

    def test_nothing_is_done_after_a_close(self):
        with Client(self.broker) as watcher:
            watcher.subscribe(self.topic, 1)
            raw = self.connected()
            raw.send(close(NORMAL) + binary(wire.publish(self.topic, b"wrong")))
            self.assertEqual(raw.receive_frame().opcode, CLOSE)
            raw.expect_end()
            watcher.publish(self.topic, b"fence", 1)
            self.assertEqual(watcher.receive_until(b"fence"), [])

    def test_what_came_before_a_close_is_done(self):
        with Client(self.broker) as watcher:
            watcher.subscribe(self.topic, 1)
            raw = self.connected()
            raw.send(binary(wire.publish(self.topic, b"last words")) + close(NORMAL))
            self.assertEqual(watcher.receive().payload, b"last words")

    def test_half_closed(self):
        """Who has said all closes one side only; it still gets its answer."""
        raw = self.connected()
        raw.send(close(NORMAL))
        raw.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(raw.receive_frame().opcode, CLOSE)
        raw.expect_end()


@linnet_only
class Refused(FramesCase):
    CASES = {
        "unmasked": (frame(BINARY, PINGREQ, mask=None), PROTOCOL_ERROR),
        "unmasked ping": (frame(PING, b"", mask=None), PROTOCOL_ERROR),
        "text": (frame(TEXT, b"hello"), UNSUPPORTED),
        "empty text": (frame(TEXT), UNSUPPORTED),
        "text in fragments": (frame(TEXT, b"he", fin=False), UNSUPPORTED),
        "long ping": (frame(PING, b"x" * 126), PROTOCOL_ERROR),
        "long close": (close(NORMAL, b"x" * 124), PROTOCOL_ERROR),
        "ping in fragments": (frame(PING, b"x", fin=False), PROTOCOL_ERROR),
        "close in fragments": (frame(CLOSE, b"\x03\xe8", fin=False), PROTOCOL_ERROR),
        "continuation of nothing": (frame(CONTINUATION, PINGREQ), PROTOCOL_ERROR),
        "continuation after the end": (
            frame(BINARY, PINGREQ) + frame(CONTINUATION, PINGREQ), PROTOCOL_ERROR),
        "a new message within another": (
            frame(BINARY, b"", fin=False) + frame(BINARY, PINGREQ), PROTOCOL_ERROR),
        "a length of 1 in three bytes": (
            frame(BINARY, b"\xc0", length_form=126), PROTOCOL_ERROR),
        "a length of 200 in nine bytes": (
            frame(BINARY, b"\xc0\x00" * 100, length_form=127), PROTOCOL_ERROR),
        "a length with its highest bit": (
            b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0", PROTOCOL_ERROR, TOO_BIG),
        "close of one byte": (frame(CLOSE, b"\x03"), PROTOCOL_ERROR),
        "close with a reason that is no text": (close(NORMAL, b"\xff\xfe"), PROTOCOL_ERROR,
                                                NOT_UTF8),
    }
    CASES.update({f"opcode {opcode}": (frame(opcode, b"x"), PROTOCOL_ERROR)
                  for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)})
    CASES.update({f"reserved bits {rsv}": (frame(BINARY, PINGREQ, rsv=rsv), PROTOCOL_ERROR)
                  for rsv in (1, 2, 4, 7)})
    CASES.update({f"ping with reserved bits {rsv}": (frame(PING, b"", rsv=rsv), PROTOCOL_ERROR)
                  for rsv in (1, 2, 4)})
    CASES.update({f"close code {code}": (close(code), PROTOCOL_ERROR)
                  for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999)})

    def test_after_connect(self):
        for name, (data, *codes) in self.CASES.items():
            with self.subTest(name):
                raw = self.connected()
                raw.send(data)
                raw.expect_close(*codes)
                raw.close()

    def test_before_connect(self):
        for name in ("unmasked", "text", "opcode 3", "reserved bits 4", "continuation of nothing"):
            with self.subTest(name):
                data, *codes = self.CASES[name]
                raw = self.upgraded()
                raw.send(data)
                raw.expect_close(*codes)
                raw.close()

    def test_a_will_is_published(self):
        with Client(self.broker) as watcher:
            watcher.subscribe(self.topic, 1)
            raw = self.upgraded()
            raw.connect(unique(), will=(self.topic, "gone"))
            raw.send(self.CASES["unmasked"][0])
            self.assertEqual(watcher.receive().payload, b"gone")

    def test_nothing_behind_a_bad_frame_is_done(self):
        with Client(self.broker) as watcher:
            watcher.subscribe(self.topic, 1)
            raw = self.connected()
            raw.send(frame(TEXT, b"x") + binary(wire.publish(self.topic, b"wrong")))
            raw.expect_close(UNSUPPORTED)
            watcher.publish(self.topic, b"fence", 1)
            self.assertEqual(watcher.receive_until(b"fence"), [])


@linnet_only
class Large(FramesCase):
    def test_a_frame_that_says_too_much(self):
        """It is refused by its head, before any of it is read."""
        for size in (MESSAGE_MAX + 1, 1 << 31, 1 << 40, (1 << 63) - 1):
            with self.subTest(size=size):
                raw = self.connected()
                raw.send(b"\x82\xff" + struct.pack("!Q", size) + b"\0\0\0\0")
                raw.expect_close(TOO_BIG)

    def test_fragments_that_add_up_to_too_much(self):
        raw = self.connected()
        raw.send(frame(BINARY, PINGREQ * 1000, fin=False))
        pieces = 0
        while pieces * 2000 <= MESSAGE_MAX and raw.send(
                frame(CONTINUATION, PINGREQ * 1000, fin=False)):
            pieces += 1
        raw.expect_close(TOO_BIG)

    def test_as_large_as_allowed(self):
        raw = self.connected()
        raw.send(binary(PINGREQ * (MESSAGE_MAX // 2)))
        for _ in range(MESSAGE_MAX // 2):
            raw.expect(wire.PINGRESP)

    def test_a_packet_that_is_too_large(self):
        """That is MQTT's to refuse, and the message is a fine one."""
        raw = self.upgraded()
        raw.connect(unique(), 5)
        raw.send_packets(wire.publish(self.topic, bytes(PACKET_SIZE_MAX), version=5))
        self.assertEqual(raw.expect(wire.DISCONNECT).body[0], 0x95)


if __name__ == "__main__":
    unittest.main()
