"""Behind a proxy: whose address and name a client has, and which proxies are believed. By hand, and
with HAProxy."""

import contextlib
import re
import socket
import struct
import tempfile
import unittest

from support import certificates, websocket, wire
from support.broker import BrokerCase, linnet_only
from support.certificates import listener
from support.clients import Client, unique
from support.haproxy import HAProxy, Route, one_file

AUTHORITY = certificates.Authority()
STRANGERS = certificates.Authority("Another authority")
SERVER = AUTHORITY.server("server")
ALICE = AUTHORITY.client("alice")
MALLORY = STRANGERS.client("alice")

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LINE = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n"
IPV4 = socket.inet_aton("192.0.2.7") + socket.inet_aton("198.51.100.1") + b"\xdc\x04\x07\x5b"
NO_ADDRESS = None
STRANGER = "127.0.0.2"  # an address of this machine that no listener trusts

BEHIND_A_PROXY = {"proxy_protocol": True, "trusted_proxies": ["127.0.0.1", "unix"],
                  "allow_anonymous": True}


def version_2(block=IPV4, family=0x11, command=0x21):
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", len(block)) + block


def tlv(kind, value):
    return bytes([kind]) + struct.pack("!H", len(value)) + value


def certificate_tlv(name, client=0x07, verify=0):
    return tlv(0x20, struct.pack("!BI", client, verify) + tlv(0x22, name))


class ProxyCase(BrokerCase):
    threads = 2
    settings = {"log.level": "debug"}
    complaints_left = 8  # the log shows a few more of them in a short time

    def setUp(self):
        self.client_id = unique()

    def tearDown(self):
        """A client that behaves is served."""
        with Client(self.broker, version=5) as client:
            client.subscribe(self.client_id, 1)
            client.publish(self.client_id, b"served", 1)
            self.assertEqual(client.receive().payload, b"served")

    def connected_line(self, client_id=None):
        """The log's line about the client that has just connected."""
        line = self.broker.log.wait_for(f'"{client_id or self.client_id}"', "has connected")
        self.assertIsNotNone(line, "the log does not say that the client has connected")
        return line

    def assert_told(self, address, line=None):
        self.assertIn(f"({address})", line or self.connected_line())

    def assert_refused(self, raw, pattern):
        """It is closed without an answer; the log says why, once."""
        self.assertEqual(raw.drain_until_closed(), [])
        if self.complaints_left:
            type(self).complaints_left -= 1
            self.assertRegex(self.broker.complaint(raw.address), pattern)


class ByHandCase(ProxyCase):
    listeners = {"mqtt": {"url": "mqtt://127.0.0.1:0", **BEHIND_A_PROXY},
                 "any": {"url": "any://127.0.0.1:0", **BEHIND_A_PROXY},
                 "ws": {"url": "ws://127.0.0.1:0", **BEHIND_A_PROXY},
                 "mqtts": listener("mqtts://127.0.0.1:0", SERVER) | BEHIND_A_PROXY,
                 "wss": listener("wss://127.0.0.1:0", SERVER) | BEHIND_A_PROXY,
                 "any_tls": listener("any://127.0.0.1:0", SERVER) | BEHIND_A_PROXY}

    def raw(self, name, **options):
        return wire.RawClient(self.broker.at(name).port, **options)


@linnet_only
class Believed(ByHandCase):
    def test_whose_address_it_is(self):
        ipv6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7") * 2 + b"\xdc\x04\x07\x5b"
        mapped = socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.7") * 2 + b"\xdc\x04\x07\x5b"
        headers = {
            LINE: "192.0.2.7:56324",
            b"PROXY TCP6 2001:db8::7 ::1 56324 1883\r\n": "[2001:db8::7]:56324",
            b"PROXY TCP6 ::ffff:192.0.2.7 ::1 56324 1883\r\n": "192.0.2.7:56324",
            b"PROXY UNKNOWN\r\n": NO_ADDRESS,
            b"PROXY UNKNOWN 192.0.2.7 whatever it is\r\n": NO_ADDRESS,
            version_2(): "192.0.2.7:56324",
            version_2(ipv6, 0x21): "[2001:db8::7]:56324",
            version_2(mapped, 0x21): "192.0.2.7:56324",
            version_2(IPV4 + tlv(0x04, bytes(3000))): "192.0.2.7:56324",
            version_2(b"", 0x00): NO_ADDRESS,
            version_2(bytes(216), 0x31): NO_ADDRESS,
            version_2(b"", 0x00, 0x20): NO_ADDRESS,
            version_2(IPV4, 0x11, 0x20): NO_ADDRESS,
        }
        for name in ("mqtt", "any"):
            for header, address in headers.items():
                client_id = unique()
                with self.subTest(name, header=header), self.raw(name) as raw:
                    raw.send(header + wire.connect(client_id))
                    raw.expect(wire.CONNACK)
                    self.assert_told(address or raw.address, self.connected_line(client_id))

    def test_byte_by_byte(self):
        for header in (LINE, version_2(IPV4 + tlv(0x04, b"pad"))):
            client_id = unique()
            with self.subTest(header=header), self.raw("any") as raw:
                packets = header + wire.connect(client_id) + wire.publish("t", b"x", 1)
                for i in range(len(packets)):
                    raw.send(packets[i:i + 1])
                raw.expect(wire.CONNACK)
                raw.expect(wire.PUBACK)
                self.assert_told("192.0.2.7:56324", self.connected_line(client_id))

    def test_tls_behind_the_header(self):
        for name in ("mqtts", "any_tls"):
            client_id = unique()
            with self.subTest(name), self.raw(name) as raw:
                raw.send(LINE)
                raw.socket = AUTHORITY.trust().wrap_socket(raw.socket, server_hostname="localhost")
                raw.connect(client_id)
                self.assert_told("192.0.2.7:56324", self.connected_line(client_id))

    def test_websocket_behind_the_header(self):
        for name, secret in (("ws", False), ("any", False), ("wss", True), ("any_tls", True)):
            client_id = unique()
            with self.subTest(name), websocket.RawWebSocket(self.broker.at(name)) as raw:
                raw.send(version_2())
                if secret:
                    raw.socket = AUTHORITY.trust().wrap_socket(raw.socket,
                                                               server_hostname="localhost")
                raw.upgrade()
                raw.connect(client_id)
                self.assert_told("192.0.2.7:56324", self.connected_line(client_id))

    def test_a_header_to_those_who_do_not_want_one(self):
        """Not behind a proxy: an address must not be made up."""
        for header in (LINE, version_2()):
            with self.subTest(header=header), wire.RawClient(self.broker.port) as raw:
                raw.send(header + wire.connect(self.client_id))
                self.assertEqual(raw.drain_until_closed(), [])
        self.assertEqual(self.broker.log.lines(self.client_id), [])


@linnet_only
class Strangers(ByHandCase):
    def test_a_client_that_is_no_proxy(self):
        """Whatever it says: its word is not taken, and it has no business here."""
        for data in (LINE + wire.connect("x"), version_2() + wire.connect("x"), wire.connect("x"),
                     version_2(b"", 0x00, 0x20)):
            for name in ("mqtt", "any", "ws", "mqtts"):
                with self.subTest(name, data=data), self.raw(name, source=STRANGER) as raw:
                    raw.send(data)
                    self.assert_refused(raw, "trusted_proxies")


@linnet_only
class NoHeader(ByHandCase):
    def test_a_proxy_that_sends_no_header(self):
        for data in (wire.connect("x"), b"GET /mqtt HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"):
            for name in ("mqtt", "any", "any_tls"):
                with self.subTest(name, data=data), self.raw(name) as raw:
                    raw.send(data)
                    self.assert_refused(raw, "PROXY")


@linnet_only
class BrokenHeaders(ByHandCase):
    def test_broken_headers(self):
        for header in (b"PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n",
                       b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\n" + bytes(100),
                       b"PROXY TCP4  192.0.2.7 198.51.100.1 56324 1883\r\n",
                       b"PROXY TCP4 192.0.2.07 198.51.100.1 56324 1883\r\n",
                       b"PROXY TCP6 192.0.2.7 198.51.100.1 56324 1883\r\n",
                       b"PROXY UNKNOWN " + b"x" * 200,
                       version_2(command=0x11), version_2(command=0x22), version_2(family=0x41),
                       version_2(IPV4[:-1]), version_2(IPV4 + b"\x04\xff"),
                       version_2(bytes(5000)), version_2(IPV4 + tlv(3, b"\x01\x02\x03\x04")),
                       version_2(IPV4 + certificate_tlv(b"admin\0.example"))):
            with self.subTest(header=header[:60]), self.raw("any") as raw:
                raw.send(header + wire.connect("x"))
                self.assert_refused(raw, "PROXY header.*(must|use|send)")


class NamesCase(ProxyCase):
    """A certificate that the proxy has checked."""

    unproven = (b"", certificate_tlv(b"alice", verify=1), certificate_tlv(b"alice", client=1),
                certificate_tlv(b"alice", client=6), tlv(0x22, b"alice"))

    def connack_of(self, header, name="cn"):
        self.client_id = unique()
        with wire.RawClient(self.broker.at(name).port) as raw:
            raw.send(header + wire.connect(self.client_id, 5))
            return raw.expect(wire.CONNACK).body[1]


@linnet_only
class Names(NamesCase):
    """Where nobody needs one."""

    listeners = {"cn": {"url": "mqtt://127.0.0.1:0", **BEHIND_A_PROXY},
                 "none": {"url": "mqtt://127.0.0.1:0", "tls.identity": "none", **BEHIND_A_PROXY}}

    def test_a_certificate_that_was_checked(self):
        self.assertEqual(self.connack_of(version_2(IPV4 + certificate_tlv(b"alice"))), 0)
        line = self.connected_line()
        self.assert_told("192.0.2.7:56324", line)
        self.assertIn("alice", line)

    def test_a_certificate_that_was_not(self):
        for block in self.unproven:
            with self.subTest(block=block):
                self.assertEqual(self.connack_of(version_2(IPV4 + block)), 0)
                self.assertNotIn("alice", self.connected_line())

    def test_a_health_check_has_no_name(self):
        header = version_2(IPV4 + certificate_tlv(b"alice"), command=0x20)
        self.assertEqual(self.connack_of(header), 0)
        self.assertNotIn("alice", self.connected_line())

    def test_a_listener_that_takes_no_names(self):
        header = version_2(IPV4 + certificate_tlv(b"alice"))
        self.assertEqual(self.connack_of(header, "none"), 0)
        self.assertNotIn("alice", self.connected_line())


@linnet_only
class NamesNeeded(NamesCase):
    """Where nobody may connect without one."""

    listeners = {"cn": {"url": "mqtt://*:0", **BEHIND_A_PROXY, "allow_anonymous": False}}

    def test_a_certificate_that_was_checked(self):
        self.assertEqual(self.connack_of(version_2(IPV4 + certificate_tlv(b"alice"))), 0)
        self.assertIn("alice", self.connected_line())

    def test_a_certificate_that_was_not(self):
        for header in (LINE, *(version_2(IPV4 + block) for block in self.unproven)):
            with self.subTest(header=header):
                self.assertEqual(self.connack_of(header), 0x87)  # not authorized
                self.assertEqual(self.broker.log.lines(self.client_id, "has connected"), [])


@linnet_only
class BehindHAProxy(ProxyCase):
    folder = tempfile.TemporaryDirectory(prefix="linnet-proxy-test-")
    listeners = {"mqtt": {"url": "mqtt://127.0.0.1:0", **BEHIND_A_PROXY},
                 "any": listener("any://127.0.0.1:0", SERVER) | BEHIND_A_PROXY,
                 "unix": {"url": f"unix:{folder.name}/mqtt.sock", **BEHIND_A_PROXY}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        at = cls.broker.at
        termination = f"ssl crt {one_file(SERVER)} ca-file {AUTHORITY.certificate} verify optional"
        options = "send-proxy-v2 proxy-v2-options"
        check = ("option tcp-check", "tcp-check connect default",
                 "tcp-check send-binary " + wire.connect("health-check").hex(),
                 "tcp-check expect binary 20020000")
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.proxy = cls.stack.enter_context(HAProxy({
            "v1": Route(at("mqtt"), "send-proxy"),
            "v2": Route(at("mqtt"), "send-proxy-v2"),
            "v2_all": Route(at("any"), f"{options} ssl,cert-cn,ssl-cipher,cert-sig,cert-key,"
                            "authority,crc32c,unique-id"),
            "ipv6_v1": Route(at("mqtt"), "send-proxy", host="::1"),
            "ipv6_v2": Route(at("any"), "send-proxy-v2", host="::1"),
            "unix": Route(at("unix"), "send-proxy-v2"),
            "names": Route(at("mqtt"), "send-proxy-v2-ssl-cn", f"{termination} alpn mqtt"),
            "all_names": Route(at("mqtt"), f"{options} ssl,cert-cn,crc32c,authority",
                               f"{termination} alpn mqtt"),
            "lax": Route(at("mqtt"), "send-proxy-v2-ssl-cn",
                         f"{termination} crt-ignore-err all ca-ignore-err all"),
            "none": Route(at("mqtt"), ""),
            "checked": Route(at("mqtt"), "send-proxy-v2", checks=check),
        }))

    def raw(self, name, **options):
        return wire.RawClient(self.proxy.ports[name], **options)

    def test_addresses(self):
        for name in ("v1", "v2", "v2_all", "ipv6_v1", "ipv6_v2", "unix"):
            client_id = unique()
            host = "::1" if name.startswith("ipv6") else "127.0.0.1"
            with self.subTest(name), self.raw(name, host=host) as raw:
                raw.connect(client_id)
                raw.subscribe(client_id, 1)
                raw.send(wire.publish(client_id, b"x" * 100_000))
                self.assertEqual(len(wire.parse_publish(raw.expect(wire.PUBLISH)).payload), 100_000)
                self.assert_told(raw.address, self.connected_line(client_id))

    def test_tls_through_the_proxy(self):
        with self.raw("v2_all") as raw:
            raw.socket = AUTHORITY.trust(ALICE).wrap_socket(raw.socket,
                                                            server_hostname="localhost")
            raw.connect(self.client_id)
            self.assert_told(raw.address)

    def line_of(self, name, identity):
        """The log's line about a client whose TLS the proxy has taken off."""
        client_id = unique()
        context = AUTHORITY.trust(identity, alpn=["mqtt"])
        with self.raw(name) as raw:
            raw.socket = context.wrap_socket(raw.socket, server_hostname="localhost")
            raw.connect(client_id)
            line = self.connected_line(client_id)
            self.assert_told(raw.address, line)
            return line

    def test_a_certificate_that_the_proxy_checks(self):
        for name in ("names", "all_names", "lax"):
            with self.subTest(name):
                self.assertIn("alice", self.line_of(name, ALICE))

    def test_no_certificate(self):
        for name in ("names", "all_names", "lax"):
            with self.subTest(name):
                self.assertNotIn("alice", self.line_of(name, None))

    def test_a_certificate_that_the_proxy_lets_through_unchecked(self):
        self.assertNotIn("alice", self.line_of("lax", MALLORY))

    def test_health_checks(self):
        """HAProxy speaks for itself: with LOCAL, from its own address."""
        address = re.search(r"\((127\.0\.0\.1:\d+)\)", self.connected_line("health-check"))
        self.assertIsNotNone(address)
        self.assertEqual(self.broker.log.lines(address[1], "PROXY"), [])

    def test_a_proxy_that_sends_no_header(self):
        with self.raw("none") as raw:
            raw.send(wire.connect(self.client_id))
            self.assertEqual(raw.drain_until_closed(), [])
        self.assertIsNotNone(self.broker.log.wait_for("no PROXY header"))


if __name__ == "__main__":
    unittest.main()
