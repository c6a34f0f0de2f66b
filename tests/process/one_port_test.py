"""One port for MQTT, TLS, HTTP and WebSocket: each client is served in its own way."""

import ssl
import subprocess
import unittest

from support import certificates, wire
from support.broker import WAIT_S, BrokerCase, linnet_only
from support.certificates import RawTls, listener, s_client, shake_hands_byte_by_byte
from support.clients import (Client, MosquittoSub, make_properties, mosquitto_pub, run_mqttjs,
                             unique)
from support.websocket import RawWebSocket, binary

AUTHORITY = certificates.Authority()
SERVER = AUTHORITY.server("server")
ANY = "any://127.0.0.1:0"
TLS_VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
PAGE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def drain(raw):
    """All that still comes."""
    data = b""
    try:
        while more := raw.socket.recv(4096):
            data += more
    except ConnectionResetError:
        pass
    return data


class AnyCase(BrokerCase):
    threads = 2
    listeners = {"any": listener(ANY, SERVER), "bare": {"url": ANY}}

    def setUp(self):
        self.topic = unique()
        self.door = self.broker.at("any", "localhost")


@linnet_only
class Clients(AnyCase):
    def test_mosquitto(self):
        trust = ("--cafile", AUTHORITY.certificate)
        for options in ((), trust, (*trust, "--tls-alpn", "mqtt")):
            for version in (3, 4, 5):
                with self.subTest(options=options, version=version), \
                        MosquittoSub(self.door, self.topic, *options, version=version,
                                     qos=2) as sub:
                    mosquitto_pub(self.door, self.topic, "x", *options, version=version, qos=2)
                    self.assertEqual(sub.messages(), [(2, False, self.topic, "x")])

    def test_mqttjs(self):
        for scheme in ("mqtt", "mqtts", "ws", "wss"):
            with self.subTest(scheme):
                path = "/mqtt" if scheme.startswith("ws") else ""
                run_mqttjs("sizes.mjs", f"{scheme}://localhost:{self.door.port}{path}", 5,
                           AUTHORITY.certificate)

    @staticmethod
    def ways():
        """How a paho client can come in."""
        return [{}, {"tls": AUTHORITY.trust()}, {"tls": AUTHORITY.trust(alpn=["mqtt"])},
                {"websocket": "/mqtt"}, {"websocket": "/mqtt", "tls": AUTHORITY.trust()},
                {"websocket": "/mqtt", "tls": AUTHORITY.trust(alpn=["http/1.1"])}]

    def test_all_together(self):
        """One of each way in, and every message reaches all of them."""
        clients = [Client(self.door, version=5, **way) for way in self.ways()]
        for client in clients:
            self.addCleanup(client.disconnect)
            client.connect().subscribe(self.topic, 2)
        for number, sender in enumerate(clients):
            sender.publish(self.topic, str(number), 2)
            for client in clients:
                self.assertEqual(client.receive().payload, str(number).encode())

    def test_a_session_goes_from_way_to_way(self):
        """Each client takes the session over from the one before, which came in another way."""
        client_id, before = unique(), None
        kept = make_properties("CONNECT", SessionExpiryInterval=600)
        for way in self.ways():
            client = Client(self.door, client_id, 5, clean=False, properties=kept, **way)
            self.addCleanup(client.disconnect)
            client.connect()
            self.assertEqual(client.session_present(), before is not None)
            if before:
                before.wait_for_disconnect()
            else:
                client.subscribe(self.topic, 2)
            client.publish(self.topic, b"mine", 2)
            self.assertEqual(client.receive().payload, b"mine")
            before = client

    def test_a_backlog_comes_by_every_way(self):
        """More than fits into a socket's buffer, to clients that were away."""
        payloads = [bytes([number]) * 20_000 for number in range(120)]
        kept = make_properties("CONNECT", SessionExpiryInterval=600)
        ids = [unique() for _ in self.ways()]
        for client_id in ids:
            with Client(self.broker, client_id, 5, properties=kept) as client:
                client.subscribe(self.topic, 1)
        with Client(self.broker) as sender:
            sent = [sender.publish_later(self.topic, payload, 1) for payload in payloads]
            for message in sent:
                sender.wait_for_publish(message)
        for client_id, way in zip(ids, self.ways()):
            with Client(self.door, client_id, 5, clean=False, properties=kept, **way) as client:
                self.assertEqual([client.receive().payload for _ in payloads], payloads)

    def test_curl(self):
        for scheme in ("http", "https"):
            for path, status in (("/", 200), ("/mqtt", 426), ("/nothing", 404)):
                with self.subTest(scheme, path=path):
                    done = subprocess.run(
                        ["curl", "-s", "-i", "--max-time", str(WAIT_S), "--cacert",
                         AUTHORITY.certificate, f"{scheme}://localhost:{self.door.port}{path}"],
                        capture_output=True, timeout=WAIT_S + 5)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertEqual(int(done.stdout.split()[1]), status)

    def test_packets_behind_connect_move_with_the_link(self):
        for number in range(8):
            topic = f"{self.topic}/{number}"
            packets = [wire.connect(unique()), wire.subscribe(topic),
                       wire.publish(topic, bytes(40_000)), wire.packet(wire.PINGREQ << 4, b"")]
            context = AUTHORITY.trust()
            for make in (lambda: wire.RawClient(self.door.port),
                         lambda: RawTls(self.door, context), lambda: RawWebSocket(self.door),
                         lambda: RawWebSocket(self.door, context)):
                with make() as raw:
                    if isinstance(raw, RawWebSocket):
                        raw.upgrade(early=binary(*packets))
                    else:
                        raw.send(*packets)
                    types = sorted(raw.receive().type for _ in packets)
                    self.assertEqual(types, sorted([wire.CONNACK, wire.SUBACK, wire.PUBLISH,
                                                    wire.PINGRESP]))

    def test_byte_by_byte(self):
        for data, answer in ((wire.connect(unique()), b"\x20\x02\0\0"), (PAGE, b"HTTP/1.1 200")):
            with wire.RawClient(self.door.port) as raw:
                for byte in data:
                    raw.send(bytes([byte]))
                begin = b""
                while len(begin) < len(answer):
                    more = raw.socket.recv(len(answer) - len(begin))
                    self.assertTrue(more, begin)
                    begin += more
                self.assertEqual(begin, answer)
        with wire.RawClient(self.door.port) as raw:
            shake_hands_byte_by_byte(raw, AUTHORITY.trust())


@linnet_only
class Alpn(AnyCase):
    def test_what_is_agreed(self):
        for offer, agreed in {"mqtt": "mqtt", "http/1.1": "http/1.1", "h2,http/1.1": "http/1.1",
                              "x,mqtt": "mqtt"}.items():
            for option in ("-tls1_2", "-tls1_3"):
                with self.subTest(offer, option=option):
                    text = s_client(self.door, option, "-alpn", offer, authority=AUTHORITY)
                    self.assertIn(f"ALPN protocol: {agreed}\n", text)
        self.assertIn("No ALPN negotiated", s_client(self.door, authority=AUTHORITY))
        text = s_client(self.door, "-alpn", "smtp", authority=AUTHORITY)
        self.assertIn("no application protocol", text)

    def test_without_it_the_first_byte_decides(self):
        for version in TLS_VERSIONS:
            with RawTls(self.door, AUTHORITY.trust(version=version)) as raw:
                raw.connect(unique())
            with RawTls(self.door, AUTHORITY.trust(version=version)) as raw:
                raw.send(PAGE)
                self.assertTrue(drain(raw).startswith(b"HTTP/1.1 200"))

    def test_what_was_agreed_is_kept_to(self):
        """Who can make a browser speak HTTP to a port must not reach MQTT by it, nor otherwise."""
        with RawTls(self.door, AUTHORITY.trust(alpn=["http/1.1"])) as raw:
            raw.send(wire.connect(unique()))
            self.assertNotIn(b"\x20\x02\0\0", drain(raw)[:4])
        with RawTls(self.door, AUTHORITY.trust(alpn=["mqtt"])) as raw:
            raw.send(PAGE)
            self.assertNotIn(b"200", drain(raw)[:15])


@linnet_only
class Refusals(AnyCase):
    threads = 1

    def test_nothing_that_is_known(self):
        for data in (b"SSH-2.0-OpenSSH_9.2p1\r\n", b"\0" * 64, b"\x30\x03\0\x01t",
                     b"\x80\x2e\x01\x03\x01"):
            with self.subTest(data[:4]), wire.RawClient(self.door.port) as raw:
                raw.send(data)
                self.assertNotIn(b"\x20\x02", drain(raw)[:2])
                self.broker.complaint(raw.address)

    def test_tls_within_tls(self):
        with RawTls(self.door, AUTHORITY.trust()) as raw:
            raw.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200))
            self.assertEqual(drain(raw), b"")

    def test_tls_without_a_certificate(self):
        door = self.broker.at("bare")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            RawTls(door, AUTHORITY.trust())
        self.assertTrue(self.broker.log.wait_for("tls.cert"), self.broker.log.text())
        with Client(door), Client(door, websocket="/mqtt"):
            pass

    def test_those_who_go_at_once(self):
        for data in (b"", b"\x10", b"\x16", b"G", b"GE", b"\x16\x03\x01"):
            with wire.RawClient(self.door.port) as raw:
                raw.send(data)
        for data in (b"\x10", b"\x16", b"GET /"):
            raw = wire.RawClient(self.door.port)
            raw.send(data)
            raw.reset()
        with Client(self.door, tls=AUTHORITY.trust()), Client(self.door):
            pass


if __name__ == "__main__":
    unittest.main()
