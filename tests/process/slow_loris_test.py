"""Those who connect and then take their time: on every transport they are closed after
limits.connect_timeout, cost little memory, and nobody else notices."""

import collections
import contextlib
import os
import re
import selectors
import socket
import ssl
import struct
import tempfile
import time
import unittest

from support import certificates, websocket, wire
from support.broker import WAIT_S, BrokerCase, linnet_only
from support.certificates import listener
from support.clients import unique

# Above 1 under sanitizers, which keep freed memory and shadows of their own.
MEMORY_FACTOR = int(os.environ.get("LINNET_MEMORY_FACTOR", "1"))
MEMORY_MAX = (48 << 20) * MEMORY_FACTOR
COPIES = 4
TICK_S = 0.02

AUTHORITY = certificates.Authority()
SERVER = AUTHORITY.server("server")
FOLDER = tempfile.TemporaryDirectory(prefix="linnet-slow-loris-")

# `first` is sent at once, and `then` again and again until the broker closes; `secret` within TLS.
# Who is `wrong` may be refused before its time is over.
Attack = collections.namedtuple("Attack", "name first then wrong secret", defaults=(False, False))


def client_hello():
    """The first message of a TLS handshake that could succeed."""
    outgoing = ssl.MemoryBIO()
    half = AUTHORITY.trust().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        half.do_handshake()
    return outgoing.read()


def request(*headers, method="GET", path="/mqtt"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, ""]).encode()


UPGRADE = request("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                  "Sec-WebSocket-Protocol: mqtt") + b"\r\n"
FRAGMENT = websocket.frame(websocket.BINARY, fin=False)
# A CONNECT whose client identifier has 60,000 bytes; and its beginning without them.
HALF_CONNECT = wire.connect("x" * 60_000)[:-60_000]
HEADER = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n"
VERSION_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11"

SILENCE = [Attack("silence", b"", b"")]
MQTT = [Attack("a part of a CONNECT", HALF_CONNECT[:5], b""),
        Attack("a slow CONNECT", HALF_CONNECT, b"x")]
TLS = [Attack("a part of a record", b"\x16\x03", b""),
       Attack("a slow record", b"\x16\x03\x01\x3f\xff\x01\x00\x3f\xfb\x03\x03", b"x"),
       Attack("a handshake that stops", client_hello(), b"")]
HTTP = [Attack("a part of a request", b"GET /mqtt", b""),
        Attack("a slow path", b"GET /", b"x"),
        Attack("slow header lines", request(), b"X-More: x\r\n"),
        Attack("endless header lines", request(), b"X-More: x\r\n" * 2000, True),
        Attack("an endless header", request() + b"X-More: ", b"x" * 20_000, True),
        Attack("a slow body", request("Content-Length: 1000000000", method="POST") + b"\r\n", b"x",
               True),
        Attack("requests without end", request(path="/nothing") + b"\r\n",
               request(path="/nothing") + b"\r\n", True)]
WEBSOCKET = [Attack("an upgrade and no more", UPGRADE, b""),
             Attack("pings", UPGRADE, websocket.frame(websocket.PING, b"x")),
             Attack("endless fragments", UPGRADE + FRAGMENT,
                    websocket.frame(websocket.CONTINUATION, fin=False)),
             Attack("a slow frame", UPGRADE + b"\x82\xfe\xff\xff" + bytes(4), b"x"),
             Attack("a slow CONNECT in frames", UPGRADE + websocket.binary(HALF_CONNECT),
                    websocket.binary(b"x"))]
PROXY = [Attack("a slow PROXY line", b"PROXY UNKNOWN ", b"x"),
         Attack("a part of a PROXY header", VERSION_2[:9], b""),
         Attack("a slow PROXY header", VERSION_2 + struct.pack("!H", 4000), b"x")]


def within_tls(attacks):
    return [attack._replace(name=f"{attack.name}, in TLS", secret=True) for attack in attacks]


def behind_proxy(attacks):
    return [attack._replace(name=f"{attack.name}, behind a PROXY header",
                            first=HEADER + attack.first) for attack in attacks]


class Attacker:
    def __init__(self, attack, connection):
        self.attack, self.connection = attack, connection
        self.closed = False
        name = connection.getsockname()
        self.address = "{}:{}".format(*name) if isinstance(name, tuple) else None
        if attack.secret:
            try:
                self.connection = AUTHORITY.trust().wrap_socket(connection,
                                                                server_hostname="localhost")
            except (OSError, ssl.SSLError):
                self.closed = True
                return
        self.connection.setblocking(False)
        self.send(attack.first)

    def send(self, data):
        if data and not self.closed:
            with self._watching():
                self.connection.send(data)

    def read(self):
        with self._watching():
            while not self.closed:
                self.closed = not self.connection.recv(65536)

    @contextlib.contextmanager
    def _watching(self):
        try:
            yield
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except (ConnectionError, ssl.SSLError):
            self.closed = True


class SlowCase(BrokerCase):
    threads = 1
    settings = {"limits.connect_timeout": "1s", "log.level": "debug"}

    def resident_bytes(self):
        """Without what the process shares with files: LMDB's map is the kernel's."""
        with open(f"/proc/{self.broker.process.pid}/status", encoding="ascii") as status:
            fields = dict(line.split(":", 1) for line in status)
        return int(fields["RssAnon"].split()[0]) * 1024

    def dial(self, door):
        connection = socket.socket(socket.AF_INET if door.port else socket.AF_UNIX)
        self.stack.callback(connection.close)
        connection.settimeout(WAIT_S)
        connection.connect((door.host, door.port) if door.port else door.path)
        return connection

    def besiege(self, door, attacks):
        """Goes on until all attackers are closed. Each round, one who behaves is served."""
        with contextlib.ExitStack() as self.stack:
            selector = self.stack.enter_context(selectors.DefaultSelector())
            served = self.stack.enter_context(wire.RawClient(self.broker.port))
            topic, known = unique(), len(self.broker.log.lines())
            served.connect(topic)
            served.subscribe(topic)
            before = highest = self.resident_bytes()
            attackers = []
            for attack in attacks * COPIES:
                attackers.append(Attacker(attack, self.dial(door)))
                self.stack.callback(attackers[-1].connection.close)
                if not attackers[-1].closed:
                    selector.register(attackers[-1].connection, selectors.EVENT_READ, attackers[-1])
            end, rounds = time.monotonic() + WAIT_S, 0
            while selector.get_map() and time.monotonic() < end:
                rounds += 1
                self.expect_service(served, topic, b"%d" % rounds)
                self.one_round(selector)
                highest = max(highest, self.resident_bytes())
            left = sorted({each.attack.name for each in attackers if not each.closed})
            self.assertEqual(left, [], "these are still connected")
            self.expect_service(served, topic, b"the last")
            self.assertLess(highest - before, MEMORY_MAX)
        self.expect_patience(attackers, self.broker.log.lines()[known:])

    def expect_patience(self, attackers, lines):
        """Who was only slow was closed for that, as far as the log shows all of them."""
        slow = {each.address: each.attack.name for each in attackers if not each.attack.wrong}
        for line in lines:
            address = re.search(r"client at (\S+): ", line)
            if address and address[1] in slow:
                self.assertIn("limits.connect_timeout", line, slow[address[1]])

    def expect_service(self, served, topic, payload):
        served.send(wire.publish(topic, payload))
        self.assertEqual(wire.parse_publish(served.expect(wire.PUBLISH)).payload, payload)

    @staticmethod
    def one_round(selector):
        # Not sleeping, but waiting for one that is closed; TLS may hold bytes back inside.
        selector.select(TICK_S)
        for key in list(selector.get_map().values()):
            attacker = key.data
            attacker.read()
            attacker.send(attacker.attack.then)
            if attacker.closed:
                selector.unregister(key.fileobj)

    def expect_open_door(self, door, header=b"", secret=False, web=False):
        """One who does not wait is let in, by the same door."""
        with contextlib.ExitStack() as self.stack:
            connection = self.dial(door)
            connection.sendall(header)
            if secret:
                connection = AUTHORITY.trust().wrap_socket(connection, server_hostname="localhost")
                self.stack.callback(connection.close)
            connect = wire.connect(unique())
            connection.sendall(UPGRADE + websocket.binary(connect) if web else connect)
            received = b""
            while b"\x20\x02\0\0" not in received:  # CONNACK with success, of MQTT 3.1.1
                data = connection.recv(4096)
                self.assertNotEqual(data, b"", received)
                received += data


@linnet_only
class Complaint(SlowCase):
    def test_a_silent_one(self):
        with wire.RawClient(self.broker.port) as raw:
            self.assertEqual(raw.drain_until_closed(), [])
            self.assertIn("limits.connect_timeout", self.broker.complaint(raw.address))


@linnet_only
class Slow(SlowCase):
    listeners = {"mqtts": listener("mqtts://127.0.0.1:0", SERVER),
                 "ws": {"url": "ws://127.0.0.1:0"},
                 "deflate": {"url": "ws://127.0.0.1:0", "deflate": True},
                 "wss": listener("wss://127.0.0.1:0", SERVER),
                 "unix": {"url": f"unix:{FOLDER.name}/mqtt.sock"},
                 "any": listener("any://127.0.0.1:0", SERVER)}

    def test_mqtt(self):
        self.besiege(self.broker, SILENCE + MQTT)
        self.expect_open_door(self.broker)

    def test_mqtts(self):
        door = self.broker.at("mqtts")
        self.besiege(door, SILENCE + TLS + within_tls(SILENCE + MQTT))
        self.expect_open_door(door, secret=True)

    def test_ws(self):
        for name in ("ws", "deflate"):
            with self.subTest(name):
                door = self.broker.at(name)
                self.besiege(door, SILENCE + HTTP + WEBSOCKET)
                self.expect_open_door(door, web=True)

    def test_wss(self):
        door = self.broker.at("wss")
        self.besiege(door, SILENCE + TLS + within_tls(SILENCE + HTTP + WEBSOCKET))
        self.expect_open_door(door, secret=True, web=True)

    def test_unix(self):
        door = self.broker.at("unix")
        self.besiege(door, SILENCE + MQTT)
        self.expect_open_door(door)

    def test_any(self):
        door = self.broker.at("any")
        inner = SILENCE + MQTT + HTTP + WEBSOCKET
        self.besiege(door, inner + TLS + within_tls(inner))
        for secret in (False, True):
            for web in (False, True):
                self.expect_open_door(door, secret=secret, web=web)


@linnet_only
class SlowBehindAProxy(SlowCase):
    listeners = {name: listener(f"{name}://127.0.0.1:0", None if name in ("mqtt", "ws") else SERVER)
                 | {"proxy_protocol": True, "trusted_proxies": ["loopback"],
                    "allow_anonymous": True}
                 for name in ("mqtt", "mqtts", "ws", "any")}

    def test_the_header(self):
        for name in self.listeners:
            with self.subTest(name):
                self.besiege(self.broker.at(name), SILENCE + PROXY)

    def test_behind_the_header(self):
        attacks = {"mqtt": MQTT, "mqtts": TLS, "ws": HTTP + WEBSOCKET,
                   "any": MQTT + TLS + HTTP + WEBSOCKET}
        for name, more in attacks.items():
            with self.subTest(name):
                door = self.broker.at(name)
                self.besiege(door, behind_proxy(SILENCE + more))
                self.expect_open_door(door, HEADER, secret=name == "mqtts", web=name == "ws")


@linnet_only
class Crowds(BrokerCase):
    """Those who are refused, and stay, hold no more than a place each for a bounded many."""

    threads = 1
    # Else only root may count its descriptors.
    settings = {"limits.connections_max": 20, "core_dumps": "true"}
    listeners = {"ws": listener("ws://127.0.0.1:0", None),
                 "any": listener("any://127.0.0.1:0", SERVER),
                 "mqtts": listener("mqtts://127.0.0.1:0", SERVER)}
    # What has no place may wait for its refusal, and what is closed may linger; see docs/limits.md.
    spare = 64 + 512 + 64

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.broker.process.pid}/fd"))

    def test_refused_and_still_there(self):
        for name in self.listeners:
            with self.subTest(name), contextlib.ExitStack() as crowd:
                before, most = self.descriptors(), 0
                port = self.broker.at(name).port
                for number in range(1500):
                    one = crowd.enter_context(socket.create_connection(("127.0.0.1", port), WAIT_S))
                    with contextlib.suppress(ConnectionError):
                        one.sendall(b"\0rubbish\r\n\r\n")
                    if number % 25 == 0:
                        most = max(most, self.descriptors() - before)
                self.assertLess(most, 20 + self.spare)


if __name__ == "__main__":
    unittest.main()
