"""MQTT packets by hand, and a client that sends what a library would not: wrong or half packets."""

import collections
import socket
import struct
import time

from .broker import WAIT_S

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 10, 11, 12, 13, 14
AUTH = 15

Packet = collections.namedtuple("Packet", "type flags body")
Message = collections.namedtuple("Message", "topic payload qos retain packet_id")


class Closed(Exception):
    """The other side has closed the connection."""


def variable_integer(value):
    encoded = bytearray()
    while True:
        value, low = divmod(value, 128)
        encoded.append(low | (0x80 if value else 0))
        if not value:
            return bytes(encoded)


def string(text):
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("!H", len(data)) + data


def packet(first_byte, body):
    return bytes([first_byte]) + variable_integer(len(body)) + body


def properties(version, data=b""):
    """A property section; nothing in MQTT 3."""
    return variable_integer(len(data)) + data if version == 5 else b""


def connect(client_id, version=4, clean=True, keep_alive_s=60, will=None):
    """`will` is a pair of topic and payload, of QoS 1."""
    name = "MQIsdp" if version == 3 else "MQTT"
    flags = (2 if clean else 0) | (0x0C if will else 0)
    head = string(name) + bytes([version, flags]) + struct.pack("!H", keep_alive_s)
    tail = properties(version) + string(will[0]) + string(will[1]) if will else b""
    return packet(CONNECT << 4, head + properties(version) + string(client_id) + tail)


def publish(topic, payload, qos=0, packet_id=1, version=4, data=b""):
    identifier = struct.pack("!H", packet_id) if qos else b""
    return packet(PUBLISH << 4 | qos << 1,
                  string(topic) + identifier + properties(version, data) + payload)


def subscribe(topic_filter, qos=0, packet_id=1, version=4):
    return packet(SUBSCRIBE << 4 | 2, struct.pack("!H", packet_id) + properties(version) +
                  string(topic_filter) + bytes([qos]))


def acknowledge(packet_type, packet_id):
    return packet(packet_type << 4 | (2 if packet_type == PUBREL else 0),
                  struct.pack("!H", packet_id))


def disconnect():
    return packet(DISCONNECT << 4, b"")


def parse_publish(packet_, version=4):
    """The parts of a PUBLISH; properties are passed over."""
    body, qos = packet_.body, packet_.flags >> 1 & 3
    end = 2 + int.from_bytes(body[:2], "big")
    topic = body[2:end].decode()
    packet_id = int.from_bytes(body[end:end + 2], "big") if qos else 0
    end += 2 if qos else 0
    if version == 5:
        if body[end] > 127:
            raise AssertionError("only short properties are understood here")
        end += 1 + body[end]
    return Message(topic, body[end:], qos, bool(packet_.flags & 1), packet_id)


def split(buffer):
    """Takes the first whole packet off a bytearray; None if there is none."""
    length, shift = 0, 0
    for position in range(1, min(len(buffer), 5)):
        length |= (buffer[position] & 0x7F) << shift
        shift += 7
        if buffer[position] < 0x80:
            end = position + 1 + length
            if len(buffer) < end:
                return None
            found = Packet(buffer[0] >> 4, buffer[0] & 15, bytes(buffer[position + 1:end]))
            del buffer[:end]
            return found
    return None


class RawClient:
    """A socket that speaks packets. It answers nothing by itself."""

    def __init__(self, port, receive_buffer_size=None, host="127.0.0.1", source=None):
        """`source` is an address of this machine to come from."""
        self._buffer = bytearray()
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket.settimeout(WAIT_S)
        if receive_buffer_size:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_size)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # As it stands in the broker's log.
        name, own_port = self.socket.getsockname()[:2]
        self.address = f"[{name}]:{own_port}" if ":" in name else f"{name}:{own_port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes without good manners: RST, unsent bytes dropped."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, *packets):
        """False if the other side has closed meanwhile."""
        try:
            self.socket.sendall(b"".join(packets))
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def receive(self, timeout_s=WAIT_S):
        """The next packet. Raises Closed, or TimeoutError."""
        end = time.monotonic() + timeout_s
        while True:
            found = split(self._buffer)
            if found:
                return found
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                raise Closed() from None
            if not data:
                raise Closed()
            self._buffer += data

    def expect(self, packet_type, timeout_s=WAIT_S):
        found = self.receive(timeout_s)
        if found.type != packet_type:
            raise AssertionError(f"a packet of type {packet_type} was due, {found} came")
        return found

    def connect(self, client_id, version=4, **options):
        """CONNECT, and the CONNACK with success."""
        self.send(connect(client_id, version, **options))
        answer = self.expect(CONNACK)
        if answer.body[1] != 0:
            raise AssertionError(f"CONNECT was refused: {answer}")
        return answer

    def subscribe(self, topic_filter, qos=0, version=4):
        self.send(subscribe(topic_filter, qos, 1, version))
        return self.expect(SUBACK)

    def drain_until_closed(self, timeout_s=WAIT_S):
        """The packets that still come before the broker closes."""
        packets, end = [], time.monotonic() + timeout_s
        try:
            while True:
                packets.append(self.receive(end - time.monotonic()))
        except Closed:
            return packets
