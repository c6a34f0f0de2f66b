"""Clients with kept sessions, packet by packet: for tests of what survives the broker.

    with Kept(broker, "a") as client:
        client.open()
        client.subscribe("x/#", 2)
        client.publish_all("y", payloads, 1)
"""

import collections
import struct
import time

from . import wire
from .broker import WAIT_S

SUCCESS = 0
NO_LOCAL, RETAIN_AS_PUBLISHED = 0x04, 0x08
FENCE = "fence/of/the/test"

Delivery = collections.namedtuple(
    "Delivery", "topic payload qos retain dup packet_id subscription_ids expiry_s")
Will = collections.namedtuple("Will", "topic payload qos retain delay_s", defaults=(1, False, 0))


def connect_packet(client_id, version, clean, expiry_s=0, will=None):
    flags = (2 if clean else 0)
    if will:
        flags |= 4 | will.qos << 3 | (0x20 if will.retain else 0)
    head = wire.string("MQTT") + bytes([version, flags]) + struct.pack("!H", 0)
    head += wire.properties(version, b"\x11" + struct.pack("!I", expiry_s))
    tail = b""
    if will:
        data = b"\x18" + struct.pack("!I", will.delay_s) if will.delay_s else b""
        tail = wire.properties(version, data) + wire.string(will.topic) + wire.string(will.payload)
    return wire.packet(wire.CONNECT << 4, head + wire.string(client_id) + tail)


def publish_packet(topic, payload, qos=0, packet_id=0, retain=False, dup=False, version=5,
                   expiry_s=None):
    data = b"" if expiry_s is None else b"\x02" + struct.pack("!I", expiry_s)
    first = wire.PUBLISH << 4 | qos << 1 | (8 if dup else 0) | (1 if retain else 0)
    identifier = struct.pack("!H", packet_id) if qos else b""
    payload = payload.encode() if isinstance(payload, str) else payload
    return wire.packet(first, wire.string(topic) + identifier + wire.properties(version, data) +
                       payload)


def _read_variable_integer(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def parse_delivery(packet, version=5):
    body, qos = packet.body, packet.flags >> 1 & 3
    at = 2 + int.from_bytes(body[:2], "big")
    topic = body[2:at].decode()
    packet_id = 0
    if qos:
        packet_id = int.from_bytes(body[at:at + 2], "big")
        at += 2
    identifiers, expiry_s = [], None
    if version == 5:
        size, at = _read_variable_integer(body, at)
        end = at + size
        while at < end:
            name = body[at]
            at += 1
            if name == 0x0B:
                value, at = _read_variable_integer(body, at)
                identifiers.append(value)
            elif name == 0x02:
                expiry_s = int.from_bytes(body[at:at + 4], "big")
                at += 4
            elif name == 0x26:  # a pair of strings
                for _ in range(2):
                    at += 2 + int.from_bytes(body[at:at + 2], "big")
            else:
                raise AssertionError(f"the property {name} is not understood here")
    return Delivery(topic, bytes(body[at:]), qos, bool(packet.flags & 1), bool(packet.flags & 8),
                    packet_id, identifiers, expiry_s)


class Kept(wire.RawClient):
    """Answers only where it says so. `incoming` holds received QoS 2 identifiers and survives the
    connection if the next one is given it."""

    def __init__(self, broker, client_id, version=5, incoming=None):
        super().__init__(broker.port)
        self.client_id, self.version = client_id, version
        self.incoming = set() if incoming is None else incoming
        self._packets = collections.deque()
        self._rest = b""

    # Packets -------------------------------------------------------------------------------------

    def receive(self, timeout_s=WAIT_S):
        """The next packet; faster than the raw client's where many come at once."""
        end = time.monotonic() + timeout_s
        while not self._packets:
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self.socket.recv(1 << 18)
            except (ConnectionResetError, BrokenPipeError):
                raise wire.Closed() from None
            if not data:
                raise wire.Closed()
            self._split(self._rest + data)
        return self._packets.popleft()

    def _split(self, data):
        at, size = 0, len(data)
        while at + 2 <= size:
            length, shift, body = 0, 0, at + 1
            while body < size:
                byte = data[body]
                length |= (byte & 0x7F) << shift
                shift += 7
                body += 1
                if byte < 0x80:
                    break
            else:
                break
            if body + length > size:
                break
            self._packets.append(wire.Packet(data[at] >> 4, data[at] & 15,
                                             data[body:body + length]))
            at = body + length
        self._rest = data[at:]

    def pending(self):
        return len(self._packets)

    # Sessions ------------------------------------------------------------------------------------

    def open(self, clean=False, expiry_s=600, will=None):
        """True if there was a session."""
        self.send(connect_packet(self.client_id, self.version, clean, expiry_s, will))
        answer = self.expect(wire.CONNACK)
        if answer.body[1] != SUCCESS:
            raise AssertionError(f"CONNECT was refused: {answer}")
        return bool(answer.body[0] & 1)

    def subscribe(self, topic_filter, qos=0, options=0, identifier=0, packet_id=65_000):
        data = b"\x0B" + wire.variable_integer(identifier) if identifier else b""
        self.send(wire.packet(wire.SUBSCRIBE << 4 | 2, struct.pack("!H", packet_id) +
                              wire.properties(self.version, data) + wire.string(topic_filter) +
                              bytes([qos | options])))
        return self._answer_of(wire.SUBACK, packet_id)[-1]

    def unsubscribe(self, topic_filter, packet_id=65_001):
        self.send(wire.packet(wire.UNSUBSCRIBE << 4 | 2, struct.pack("!H", packet_id) +
                              wire.properties(self.version) + wire.string(topic_filter)))
        self._answer_of(wire.UNSUBACK, packet_id)

    def _answer_of(self, packet_type, packet_id):
        """Its body. What comes before stays for later."""
        others = []
        while True:
            packet = self.receive()
            if packet.type == packet_type and packet.body[:2] == struct.pack("!H", packet_id):
                self._packets.extendleft(reversed(others))
                return packet.body
            others.append(packet)

    def leave(self):
        """An orderly end of the connection; the session stays."""
        self.send(wire.disconnect())
        try:
            while True:
                self.receive()
        except wire.Closed:
            self.close()

    # Publishing ----------------------------------------------------------------------------------

    def send_publish(self, topic, payload, qos=0, packet_id=0, **more):
        return self.send(publish_packet(topic, payload, qos, packet_id, version=self.version,
                                        **more))

    def publish(self, topic, payload, qos=1, packet_id=64_000, **more):
        """Until it is acknowledged; returns the reason code."""
        self.send_publish(topic, payload, qos, packet_id, **more)
        if qos == 0:
            return SUCCESS
        body = self._answer_of(wire.PUBACK if qos == 1 else wire.PUBREC, packet_id)
        code = body[2] if len(body) > 2 else SUCCESS
        if qos == 2 and code < 0x80:
            self.send(wire.acknowledge(wire.PUBREL, packet_id))
            self._answer_of(wire.PUBCOMP, packet_id)
        return code

    def publish_all(self, pairs, qos=1, window=100, **more):
        """Pairs of topic and payload, in this order; returns when all are acknowledged."""
        if qos == 2:
            for topic, payload in pairs:
                self.publish(topic, payload, 2, **more)
            return
        pairs = list(pairs)
        for begin in range(0, len(pairs), window):
            part = pairs[begin:begin + window]
            self.send(*[publish_packet(topic, payload, qos, i + 1, version=self.version, **more)
                        for i, (topic, payload) in enumerate(part)])
            for _ in part:
                answer = self.expect(wire.PUBACK)
                if len(answer.body) > 2 and answer.body[2] >= 0x80:
                    raise AssertionError(f"PUBLISH was refused: {answer}")

    # Receiving -----------------------------------------------------------------------------------

    def next_delivery(self, timeout_s=WAIT_S):
        return parse_delivery(self.expect(wire.PUBLISH, timeout_s), self.version)

    def take(self, packet, answers):
        """The new message in a packet, if any; what a receiver answers is appended."""
        if packet.type == wire.PUBREL:
            packet_id = int.from_bytes(packet.body[:2], "big")
            self.incoming.discard(packet_id)
            answers.append(wire.acknowledge(wire.PUBCOMP, packet_id))
        if packet.type != wire.PUBLISH:
            return None
        message = parse_delivery(packet, self.version)
        if message.qos == 1:
            answers.append(wire.acknowledge(wire.PUBACK, message.packet_id))
        if message.qos != 2:
            return message
        is_new = message.packet_id not in self.incoming
        self.incoming.add(message.packet_id)
        answers.append(wire.acknowledge(wire.PUBREC, message.packet_id))
        return message if is_new else None

    def deliveries(self, timeout_s=WAIT_S):
        """Messages for ever, acknowledged."""
        answers = []
        while True:
            if not self._packets and answers:
                self.send(*answers)
                answers.clear()
            message = self.take(self.receive(timeout_s), answers)
            if message:
                if self.pending() == 0:
                    self.send(*answers)
                    answers.clear()
                yield message

    def receive_all(self, count):
        """So many messages."""
        stream = self.deliveries()
        return [next(stream) for _ in range(count)]

    def drain(self, broker, mark):
        """All messages that the session is owed, up to a fence; the QoS 2 handshakes are finished,
        too. `mark` is not used twice."""
        self.subscribe(FENCE, 1, packet_id=65_010)
        with Kept(broker, f"fence-{mark}") as other:
            other.open(clean=True, expiry_s=0)
            other.publish(FENCE, mark)
        messages, answers, fenced = [], [], False
        while not fenced or self.incoming:
            message = self.take(self.receive(), answers)
            if not self._packets:
                self.send(*answers)
                answers.clear()
            if message is None:
                continue
            if message.topic == FENCE:
                fenced = fenced or message.payload == mark.encode()
            else:
                messages.append(message)
        self.send(*answers)
        self.ping()
        return messages

    def settle(self):
        """Returns when all that the client has acknowledged is in the store: a broker may put off
        what costs a second delivery and nothing worse."""
        self.ping()
        self.subscribe("settle", 1, packet_id=65_011)

    def ping(self):
        """Returns when the broker has read all that was sent. Anything else that comes is new."""
        self.send(wire.packet(wire.PINGREQ << 4, b""))
        others = []
        while (packet := self.receive()).type != wire.PINGRESP:
            others.append(packet)
        self._packets.extendleft(reversed(others))

    def nothing_comes(self):
        """Checks that no packet is on its way, behind a round trip."""
        self.ping()
        if self._packets:
            raise AssertionError(f"unexpected: {list(self._packets)}")
