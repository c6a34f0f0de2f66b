"""A SCRAM-SHA-256 client (RFC 5802, RFC 7677) by hand, and the packets of MQTT 5 that carry it."""

import base64
import collections
import hashlib
import hmac
import secrets
import struct
import subprocess

from . import wire
from .broker import WAIT_S, linnet_binary

METHOD = "SCRAM-SHA-256"
CONTINUE, AGAIN = 0x18, 0x19

# What stands behind the identifier of a property: how many bytes, or which form.
FORMS = {**dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
         **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
         **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
         **dict.fromkeys((0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F), "string"),
         0x26: "pair"}
AUTHENTICATION_METHOD, AUTHENTICATION_DATA = 0x15, 0x16

Answer = collections.namedtuple("Answer", "type reason method data")


def add_user(path, user, password, kind="scram"):
    """A user of a password file, as administrators add them."""
    done = subprocess.run([linnet_binary(), "passwd", "--kind", kind, "--stdin", str(path), user],
                          input=f"{password}\n", capture_output=True, text=True, timeout=WAIT_S)
    if done.returncode != 0:
        raise AssertionError(f"linnet passwd: {done.returncode}\n{done.stdout}{done.stderr}")


class Exchange:
    """The client's messages, one after the other."""

    def __init__(self, user, password, header="n,,"):
        self.password = password.encode()
        self.header = header
        self.nonce = secrets.token_urlsafe(18)
        self.bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={self.nonce}"
        self.signature = None

    def first(self):
        return (self.header + self.bare).encode()

    def final(self, server_first):
        text = server_first.decode()
        nonce, salt, iterations = (part[2:] for part in text.split(","))
        if not nonce.startswith(self.nonce) or nonce == self.nonce:
            raise AssertionError(f"no nonce of both: {text}")
        if int(iterations) < 4096:
            raise AssertionError(f"too few iterations: {text}")
        start = f"c={base64.b64encode(self.header.encode()).decode()},r={nonce}"
        message = f"{self.bare},{text},{start}".encode()
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(salt, validate=True),
                                     int(iterations))
        key = hmac.digest(salted, b"Client Key", "sha256")
        mask = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, mask))
        self.signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message,
                                     "sha256")
        return f"{start},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, server_final):
        """That the server knows the password as well."""
        if server_final != b"v=" + base64.b64encode(self.signature):
            raise AssertionError(f"not the server's signature: {server_final}")


# Packets -----------------------------------------------------------------------------------------


def authentication(method, data):
    """Properties."""
    found = b"" if method is None else bytes([AUTHENTICATION_METHOD]) + wire.string(method)
    return found + (b"" if data is None else bytes([AUTHENTICATION_DATA]) + wire.string(data))


def connect(client_id, data, method=METHOD, user=None, password=None):
    """CONNECT of MQTT 5, with Clean Start; no user name unless one is given."""
    flags = 2 | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
    login = b"".join(wire.string(text) for text in (user, password) if text is not None)
    head = wire.string("MQTT") + bytes([5, flags]) + struct.pack("!H", 60)
    return wire.packet(wire.CONNECT << 4, head + wire.properties(5, authentication(method, data)) +
                       wire.string(client_id) + login)


def auth(reason, data, method=METHOD):
    return wire.packet(wire.AUTH << 4, bytes([reason]) +
                       wire.properties(5, authentication(method, data)))


def parse_answer(packet):
    """What a CONNACK, AUTH or DISCONNECT says."""
    body = packet.body[1:] if packet.type == wire.CONNACK else packet.body
    if packet.type not in (wire.CONNACK, wire.AUTH, wire.DISCONNECT):
        raise AssertionError(f"CONNACK, AUTH or DISCONNECT was due, {packet} came")
    found = parse_properties(body[1:]) if len(body) > 1 else {}
    return Answer(packet.type, body[0] if body else 0,
                  found.get(AUTHENTICATION_METHOD, b"").decode() or None,
                  found.get(AUTHENTICATION_DATA))


def parse_properties(data):
    """A section of CONNACK, AUTH or DISCONNECT that ends its packet; the last of each kind."""
    position, length, shift = 0, 0, 0
    while True:
        length |= (data[position] & 0x7F) << shift
        shift, position = shift + 7, position + 1
        if data[position - 1] < 0x80:
            break
    if len(data) != position + length:
        raise AssertionError(f"properties of {length} bytes in {data}")
    found = {}
    while position < len(data):
        identifier, form = data[position], FORMS[data[position]]
        position += 1
        for _ in range(2 if form == "pair" else 1):
            size = form
            if isinstance(form, str):
                size = int.from_bytes(data[position:position + 2], "big")
                position += 2
            found[identifier] = data[position:position + size]
            position += size
    return found


# Both together -----------------------------------------------------------------------------------


class ScramClient(wire.RawClient):
    """A socket that can log in."""

    def answer(self):
        return parse_answer(self.receive())

    def begin(self, exchange, client_id):
        """CONNECT, and the server's first message."""
        self.send(connect(client_id, exchange.first()))
        return self.answer()

    def log_in(self, exchange, client_id):
        """The last answer."""
        first = self.begin(exchange, client_id)
        if (first.type, first.reason) != (wire.AUTH, CONTINUE):
            return first
        self.send(auth(CONTINUE, exchange.final(first.data)))
        return self.answer()

    def log_in_again(self, exchange):
        """The last answer."""
        self.send(auth(AGAIN, exchange.first()))
        first = self.answer()
        if (first.type, first.reason) != (wire.AUTH, CONTINUE):
            return first
        self.send(auth(CONTINUE, exchange.final(first.data)))
        return self.answer()
