"""MQTT over WebSocket with real clients, and the life of such links packet by packet."""

import unittest
import zlib

from support import certificates, wire
from support.broker import BrokerCase, linnet_only
from support.certificates import listener
from support.clients import VERSIONS, Client, run_mqttjs, unique
from support.websocket import (BINARY, NORMAL, PROTOCOL_ERROR, TOO_BIG, RawWebSocket, Visits,
                               binary, close, frame)

PINGREQ = wire.packet(wire.PINGREQ << 4, b"")
AUTHORITY = certificates.Authority()
SERVER = AUTHORITY.server("server")
WS, WSS = "ws://127.0.0.1:0/mqtt", "wss://127.0.0.1:0/mqtt"


class WebSocketCase(Visits, BrokerCase):
    threads = 2
    listeners = {"ws": {"url": WS}, "wss": listener(WSS, SERVER)}

    def setUp(self):
        self.topic = unique()
        self.door = self.broker.at("ws")

    def doors(self):
        """Where the door is, and what its clients have to trust."""
        return {"ws": (self.broker.at("ws"), None),
                "wss": (self.broker.at("wss", "localhost"), AUTHORITY.trust())}


@linnet_only
class Clients(WebSocketCase):
    def test_paho(self):
        for name, (door, tls) in self.doors().items():
            for version in VERSIONS:
                with self.subTest(name, version=version), \
                        Client(door, version=version, websocket="/mqtt", tls=tls) as client:
                    client.subscribe(self.topic, 2)
                    for qos in (0, 1, 2):
                        client.publish(self.topic, b"over WebSocket", qos)
                        message = client.receive()
                        self.assertEqual((message.payload, message.qos), (b"over WebSocket", qos))
                    for size in (0, 1, 125, 126, 65_535, 65_536, 300 * 1024):
                        payload = bytes(i % 251 for i in range(size))
                        client.publish(self.topic, payload, 1)
                        self.assertEqual(client.receive().payload, payload)

    def run_scripts(self, scripts, versions):
        for name in ("ws", "wss"):
            url = f"{name}://localhost:{self.broker.at(name).port}/mqtt"
            for script in scripts:
                for version in versions:
                    with self.subTest(name, script=script, version=version):
                        run_mqttjs(script, url, version, AUTHORITY.certificate)

    def test_mqttjs(self):
        self.run_scripts(["messages.mjs"], VERSIONS)  # MQTT.js offers mqttv3.1 for MQTT 3.1

    def test_mqttjs_sizes(self):
        self.run_scripts(["sizes.mjs"], (4, 5))

    def test_mqttjs_sessions_and_properties(self):
        self.run_scripts(["sessions.mjs", "properties.mjs"], (5,))

    def test_from_one_transport_to_all_others(self):
        doors = {**self.doors(), "mqtt": (self.broker, None)}
        clients = [Client(door, version=5, tls=tls, websocket=None if name == "mqtt" else "/mqtt")
                   for name, (door, tls) in doors.items()]
        for client in clients:
            self.addCleanup(client.disconnect)
            client.connect().subscribe(self.topic, 1)
        for number, sender in enumerate(clients):
            sender.publish(self.topic, str(number), 1)
            for client in clients:
                self.assertEqual(client.receive().payload, str(number).encode())

    def test_many_small_messages_in_order(self):
        for name, (door, tls) in self.doors().items():
            with self.subTest(name), Client(door, websocket="/mqtt", tls=tls) as subscriber, \
                    Client(door, websocket="/mqtt", tls=tls) as sender:
                subscriber.assert_order(self, sender, self.topic)


@linnet_only
class Links(WebSocketCase):
    """A link's life, packet by packet."""

    def test_what_comes_with_connect_moves_with_the_link(self):
        for number in range(16):
            topic = f"{self.topic}/{number}"
            packets = [wire.connect(unique()), wire.subscribe(topic), wire.publish(topic, b"x"),
                       wire.publish(topic, bytes(40_000)), wire.packet(wire.PINGREQ << 4, b"")]
            together, apart = binary(*packets), b"".join(binary(packet) for packet in packets)
            for data in (together, apart):
                for tls in (None, AUTHORITY.trust()):
                    raw = self.raw("wss" if tls else "ws", tls)
                    raw.upgrade()
                    raw.send(data)
                    types = sorted(raw.receive().type for _ in range(5))
                    self.assertEqual(types, sorted([wire.CONNACK, wire.SUBACK, wire.PUBLISH,
                                                    wire.PUBLISH, wire.PINGRESP]))
                    raw.close()

    def test_frames_right_behind_the_upgrade(self):
        raw = self.raw()
        raw.upgrade(early=binary(wire.connect(unique())))
        raw.expect(wire.CONNACK)

    def test_the_upgrade_byte_by_byte(self):
        raw = self.raw()
        for byte in raw.request():
            raw.send(bytes([byte]))
        self.assertEqual(raw.response().status, 101)
        raw.connect(unique())

    def test_disconnect_ends_with_a_close(self):
        for tls in (None, AUTHORITY.trust()):
            raw = self.raw("wss" if tls else "ws", tls)
            raw.upgrade()
            raw.connect(unique())
            raw.send_packets(wire.disconnect())
            raw.expect_close(NORMAL)

    def test_a_refused_packet_is_answered_and_then_closed(self):
        raw = self.open()
        raw.connect(unique(), 5)
        raw.send_packets(wire.packet(0xF0, b""))
        raw.expect(wire.DISCONNECT)
        raw.expect_close(NORMAL, PROTOCOL_ERROR)

    def test_wills(self):
        with Client(self.broker) as watcher:
            watcher.subscribe(self.topic, 1)
            for end in (lambda raw: raw.reset(), lambda raw: raw.close(),
                        lambda raw: raw.send(close(NORMAL))):
                raw = self.open()
                raw.connect(unique(), will=(self.topic, "gone"))
                end(raw)
                self.assertEqual(watcher.receive().payload, b"gone")
            raw = self.open()
            raw.connect(unique(), will=(self.topic, "wrong"))
            raw.send_packets(wire.disconnect())
            raw.expect_close(NORMAL)
            watcher.publish(self.topic, b"fence", 1)
            self.assertEqual(watcher.receive_until(b"fence"), [])

    def test_keep_alive(self):
        raw = self.open()
        raw.connect(unique(), keep_alive_s=1)
        self.assertEqual(raw.drain_until_closed(), [])

    def test_a_slow_reader_gets_every_byte(self):
        raw = RawWebSocket(self.door, receive_buffer_size=4096)
        self.addCleanup(raw.close)
        raw.upgrade()
        raw.connect(unique())
        raw.subscribe(self.topic, 1)
        payloads = [bytes([i]) * (i * 977 % 50_000) for i in range(60)]
        with Client(self.broker) as sender:
            for payload in payloads:
                sender.publish(self.topic, payload, 1)
        for payload in payloads:
            message = wire.parse_publish(raw.expect(wire.PUBLISH))
            self.assertEqual(message.payload, payload)
            raw.send_packets(wire.acknowledge(wire.PUBACK, message.packet_id))


@linnet_only
class Compressed(WebSocketCase):
    """permessage-deflate, where the listener allows it."""

    threads = 1
    settings = {"limits.websocket_message_max": "256KiB"}
    listeners = {"ws": {"url": WS}, "deflate": {"url": WS, "deflate": True}}
    OFFER = {"Sec_WebSocket_Extensions": "permessage-deflate"}

    @staticmethod
    def squeeze(data):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def test_off_by_default(self):
        answer = self.raw().upgrade(**self.OFFER)
        self.assertNotIn("sec-websocket-extensions", answer.headers)
        raw = self.open(**self.OFFER)
        raw.send(frame(BINARY, self.squeeze(wire.connect("x")), rsv=4))
        raw.expect_close(PROTOCOL_ERROR)

    def test_both_ways(self):
        raw = self.raw("deflate")
        answer = raw.upgrade(**self.OFFER)
        self.assertIn("permessage-deflate", answer.headers["sec-websocket-extensions"])
        raw.send(frame(BINARY, self.squeeze(wire.connect(unique()) + wire.subscribe(self.topic)),
                       rsv=4))
        payload = b"again and again " * 5000
        raw.send(binary(wire.publish(self.topic, payload)))  # a message may be sent as it is
        unpacker, received, packets, on_the_wire = zlib.decompressobj(-15), bytearray(), [], 0
        while len(packets) < 3:
            got = raw.receive_frame()
            on_the_wire += len(got.payload)
            received += unpacker.decompress(got.payload + b"\0\0\xff\xff") if got.rsv == 4 \
                else got.payload
            while found := wire.split(received):
                packets.append(found)
        self.assertEqual([packet.type for packet in packets],
                         [wire.CONNACK, wire.SUBACK, wire.PUBLISH])
        self.assertEqual(wire.parse_publish(packets[2]).payload, payload)
        self.assertLess(on_the_wire, len(payload) // 4)

    def test_a_bomb(self):
        """Small on the wire, and more than allowed behind it."""
        raw = self.raw("deflate")
        raw.upgrade(**self.OFFER)
        raw.connect(unique())
        raw.send(frame(BINARY, self.squeeze(PINGREQ * 25_000_000), rsv=4))
        raw.expect_close(TOO_BIG, PROTOCOL_ERROR)

    def test_garbage(self):
        raw = self.raw("deflate")
        raw.upgrade(**self.OFFER)
        raw.connect(unique())
        raw.send(frame(BINARY, b"\xff" * 50, rsv=4))
        raw.expect_close(PROTOCOL_ERROR, 1007)

    def test_mqttjs(self):
        url = f"ws://localhost:{self.broker.at('deflate').port}/mqtt"
        run_mqttjs("sizes.mjs", url, 5)


if __name__ == "__main__":
    unittest.main()
