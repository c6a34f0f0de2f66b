"""WebSocket by hand (RFC 6455): upgrades and frames that a library would not send."""

import base64
import collections
import hashlib
import os
import re
import struct

from . import wire
from .broker import WAIT_S

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL, GOING_AWAY, PROTOCOL_ERROR, UNSUPPORTED, NOT_UTF8, TOO_BIG = (
    1000, 1001, 1002, 1003, 1007, 1009)

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Frame = collections.namedtuple("Frame", "opcode payload fin rsv masked")
Response = collections.namedtuple("Response", "status headers body")


def frame(opcode, payload=b"", fin=True, rsv=0, mask=b"\x5a\x01\xfe\x80", length_form=None):
    """A frame as a client sends it. `rsv` is 0 to 7; `mask` None leaves it unmasked;
    `length_form` 126 or 127 writes the length longer than need be."""
    size = len(payload)
    form = length_form or (size if size < 126 else 126 if size < 65536 else 127)
    head = bytes([fin << 7 | rsv << 4 | opcode, bool(mask) << 7 | form])
    head += {126: struct.pack("!H", size & 0xFFFF), 127: struct.pack("!Q", size)}.get(form, b"")
    return head + (mask + masked(payload, mask) if mask else payload)


def masked(payload, mask):
    size = len(payload)
    if not size:
        return b""
    pattern = (mask * (size // 4 + 1))[:size]
    number = int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")
    return number.to_bytes(size, "big")


def binary(*packets):
    """MQTT packets as one message of one frame."""
    return frame(BINARY, b"".join(packets))


def close(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def split_frame(buffer):
    """Takes the first whole frame off a bytearray; None if there is none."""
    if len(buffer) < 2:
        return None
    form, position = buffer[1] & 0x7F, 2
    if form > 125:
        position += 2 if form == 126 else 8
        if len(buffer) < position:
            return None
        form = int.from_bytes(buffer[2:position], "big")
    mask = bytes(buffer[position:position + 4]) if buffer[1] & 0x80 else b""
    position += len(mask)
    if len(buffer) < position + form:
        return None
    payload = bytes(buffer[position:position + form])
    found = Frame(buffer[0] & 15, masked(payload, mask) if mask else payload,
                  bool(buffer[0] & 0x80), buffer[0] >> 4 & 7, bool(mask))
    del buffer[:position + form]
    return found


class RawWebSocket(wire.RawClient):
    """A socket that speaks HTTP and then frames. It answers nothing by itself.

    send() takes bytes as they go over the wire; receive() gives MQTT packets out of the frames, and
    raises wire.Closed at a Close frame, whose code is then in `close_code`."""

    def __init__(self, door, tls=None, receive_buffer_size=None):
        super().__init__(door.port, receive_buffer_size)
        self.door = door
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.close_code = None
        self.control = []  # pings and pongs that came between packets
        self._packets = bytearray()

    # The upgrade ---------------------------------------------------------------------------------

    def request(self, path="/mqtt", method="GET", version="HTTP/1.1", **headers):
        """Sends a request for an upgrade. headers: Origin="…"; None leaves one out."""
        self.key = base64.b64encode(os.urandom(16)).decode()
        fields = {"Host": f"{self.door.host}:{self.door.port}", "Connection": "Upgrade",
                  "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                  "Sec-WebSocket-Key": self.key, "Sec-WebSocket-Protocol": "mqtt"}
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        lines = [f"{method} {path} {version}",
                 *(f"{name}: {value}" for name, value in fields.items() if value is not None)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def response(self):
        """The answer's status, headers (names in lower case) and body."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._receive_more()
        first, *lines = self._buffer[:end].decode().split("\r\n")
        del self._buffer[:end + 4]
        status = int(re.fullmatch(r"HTTP/1\.[01] (\d{3})(?: .*)?", first)[1])
        headers = {name.lower(): value.strip()
                   for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", "0"))
        while len(self._buffer) < size:
            self._receive_more()
        body = bytes(self._buffer[:size])
        del self._buffer[:size]
        return Response(status, headers, body)

    def upgrade(self, path="/mqtt", **headers):
        """The upgrade, which has to succeed. What is sent right behind it is `early`."""
        early = headers.pop("early", b"")
        self.send(self.request(path, **headers) + early)
        answer = self.response()
        if answer.status != 101:
            raise AssertionError(f"the upgrade was refused: {answer}")
        expected = base64.b64encode(hashlib.sha1((self.key + GUID).encode()).digest()).decode()
        if answer.headers["sec-websocket-accept"] != expected:
            raise AssertionError(f"a wrong Sec-WebSocket-Accept: {answer}")
        return answer

    # Frames --------------------------------------------------------------------------------------

    def _receive_more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            raise wire.Closed() from None
        if not data:
            raise wire.Closed()
        self._buffer += data

    def receive_frame(self, timeout_s=WAIT_S):
        self.socket.settimeout(timeout_s)
        while not (found := split_frame(self._buffer)):
            self._receive_more()
        if found.masked:
            raise AssertionError("a server must not mask its frames")
        return found

    def expect_frame(self, opcode, payload=None):
        found = self.receive_frame()
        if found.opcode != opcode or payload not in (None, found.payload):
            raise AssertionError(f"a frame {opcode} {payload} was due, {found} came")
        return found

    def expect_close(self, *codes):
        """Reads up to the Close frame, which has to have one of the codes, and to the end."""
        try:
            while True:
                self.receive()
        except wire.Closed:
            pass
        if self.close_code not in codes:
            raise AssertionError(f"a Close with {codes} was due; it was {self.close_code}")
        self.send(close(self.close_code))
        self.expect_end()

    def expect_end(self):
        """Nothing more comes but the end of the stream."""
        try:
            while True:
                found = self.receive_frame()
                raise AssertionError(f"the end was due, {found} came")
        except wire.Closed:
            pass

    def receive(self, timeout_s=WAIT_S):
        while not (found := wire.split(self._packets)):
            got = self.receive_frame(timeout_s)
            if got.opcode in (BINARY, CONTINUATION):
                self._packets += got.payload
            elif got.opcode == CLOSE:
                self.close_code = int.from_bytes(got.payload[:2], "big") if got.payload else None
                raise wire.Closed()
            else:
                self.control.append(got)
        return found

    # MQTT ----------------------------------------------------------------------------------------

    def send_packets(self, *packets):
        return self.send(binary(*packets))

    def connect(self, client_id, version=4, **options):
        self.send_packets(wire.connect(client_id, version, **options))
        answer = self.expect(wire.CONNACK)
        if answer.body[1] != 0:
            raise AssertionError(f"CONNECT was refused: {answer}")
        return answer

    def subscribe(self, topic_filter, qos=0, version=4):
        self.send_packets(wire.subscribe(topic_filter, qos, 1, version))
        return self.expect(wire.SUBACK)


class Visits:
    """For test cases with a `broker`: WebSockets that are closed when the test ends."""

    def raw(self, name="ws", tls=None):
        raw = RawWebSocket(self.broker.at(name), tls)
        self.addCleanup(raw.close)
        return raw

    def open(self, name="ws", **headers):
        raw = self.raw(name)
        raw.upgrade(**headers)
        return raw
