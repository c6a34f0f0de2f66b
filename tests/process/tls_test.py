"""TLS with real peers: Mosquitto's tools, paho, and openssl for what they do not do."""

import pathlib
import random
import re
import ssl
import subprocess
import tempfile
import threading
import unittest

from support import certificates, wire
from support.broker import IS_LINNET, WAIT_S, Broker, BrokerCase, linnet_binary, linnet_only
from support.certificates import (RawTls, SClient, field, listener, s_client,
                                  shake_hands_byte_by_byte)
from support.clients import (VERSIONS, Client, MosquittoSub, mosquitto_pub, run_mqttjs,
                             tool_arguments, unique)

AUTHORITY = certificates.Authority()
STRANGERS = certificates.Authority("Another authority")
SERVER = AUTHORITY.server("server")
ANY_PORT = "mqtts://127.0.0.1:0"
TLS_VERSIONS = {"-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"}
# What Debian's openssl wants in order to offer what is out of date.
ANYTHING = ("-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")


class TlsCase(BrokerCase):
    threads = 2
    listeners = {"mqtts": listener(ANY_PORT, SERVER)}

    def setUp(self):
        self.topic = unique()
        self.door = self.broker.at("mqtts")

    def tearDown(self):
        """A client that behaves is served."""
        with Client(self.door, version=5, tls=AUTHORITY.trust()) as client:
            client.subscribe(f"{self.topic}/service", 2)
            client.publish(f"{self.topic}/service", b"served", 2)
            self.assertEqual(client.receive().payload, b"served")


class Messages(TlsCase):
    def test_mosquitto(self):
        trust = ("--cafile", AUTHORITY.certificate)
        for version in VERSIONS:
            for qos in (0, 1, 2):
                with self.subTest(version=version, qos=qos):
                    topic = f"{self.topic}/{version}/{qos}"
                    with MosquittoSub(self.door, topic, *trust, version=version, qos=qos) as sub:
                        mosquitto_pub(self.door, topic, "over TLS", *trust, version=version,
                                      qos=qos)
                        self.assertEqual(sub.messages(), [(qos, False, topic, "over TLS")])

    def test_mqttjs(self):
        url = f"mqtts://localhost:{self.door.port}"
        for script in ("messages.mjs", "sizes.mjs"):
            for version in (4, 5):
                with self.subTest(script, version=version):
                    run_mqttjs(script, url, version, AUTHORITY.certificate)

    def test_between_plain_and_tls(self):
        trust = ("--cafile", AUTHORITY.certificate)
        with MosquittoSub(self.broker, self.topic) as plain, \
                MosquittoSub(self.door, self.topic, *trust) as secret:
            mosquitto_pub(self.door, self.topic, "to both", *trust)
            for sub in (plain, secret):
                self.assertEqual(sub.messages(), [(0, False, self.topic, "to both")])

    def test_sizes(self):
        rest = random.Random(4)
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            with Client(self.door, tls=AUTHORITY.trust(version=version)) as client:
                client.subscribe(self.topic, 2)
                # Around the size of a record, of a scratch buffer, and more.
                for size in (0, 1, 16_300, 16_384, 16_500, 65_536, 300 * 1024):
                    for qos in (0, 1, 2):
                        with self.subTest(version=version, size=size, qos=qos):
                            payload = rest.randbytes(size)
                            client.publish(self.topic, payload, qos)
                            self.assertEqual(client.receive().payload, payload)

    def test_many_small_messages_in_order(self):
        context = AUTHORITY.trust()
        with Client(self.door, tls=context) as subscriber, Client(self.door, tls=context) as sender:
            subscriber.assert_order(self, sender, self.topic)

    def test_a_slow_reader_gets_every_byte(self):
        """What could not be written at once goes on where it stopped."""
        rest = random.Random(5)
        payloads = [rest.randbytes(rest.choice((10, 3000, 50_000))) for _ in range(60)]
        raw = wire.RawClient(self.door.port, receive_buffer_size=4096)
        raw.socket = AUTHORITY.trust().wrap_socket(raw.socket, server_hostname="localhost")
        with raw, Client(self.door, tls=AUTHORITY.trust()) as sender:
            raw.connect(unique())
            raw.subscribe(self.topic, 1)
            for payload in payloads:
                sender.publish(self.topic, payload, 1)
            for payload in payloads:
                message = wire.parse_publish(raw.expect(wire.PUBLISH))
                self.assertEqual(message.payload, payload)
                raw.send(wire.acknowledge(wire.PUBACK, message.packet_id))

    def test_packets_behind_connect_move_with_the_link(self):
        """A client's home may be the other thread: what came with its CONNECT goes there."""
        for number in range(16):
            topic = f"{self.topic}/{number}"
            packets = [wire.connect(unique()), wire.subscribe(topic), wire.publish(topic, b"x"),
                       wire.publish(topic, bytes(40_000)), wire.packet(wire.PINGREQ << 4, b"")]
            for chunks in ([b"".join(packets)], packets):  # one record, or a few
                with RawTls(self.door, AUTHORITY.trust()) as raw:
                    for chunk in chunks:
                        raw.send(chunk)
                    types = sorted(raw.receive().type for _ in range(5))
                    self.assertEqual(types, sorted([wire.CONNACK, wire.SUBACK, wire.PUBLISH,
                                                    wire.PUBLISH, wire.PINGRESP]))

    def test_a_will_when_the_wire_breaks(self):
        with Client(self.door, tls=AUTHORITY.trust()) as watcher:
            watcher.subscribe(self.topic, 1)
            raw = RawTls(self.door, AUTHORITY.trust())
            raw.connect(unique(), will=(self.topic, "reset"))
            raw.reset()
            self.assertEqual(watcher.receive().payload, b"reset")

    def test_the_end_is_said(self):
        """After DISCONNECT the broker says close_notify, so that nobody can cut a stream short."""
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            with self.subTest(version):
                with RawTls(self.door, AUTHORITY.trust(version=version)) as raw:
                    raw.socket.suppress_ragged_eofs = False
                    raw.connect(unique())
                    raw.send(wire.disconnect())
                    self.assertEqual(raw.drain_until_closed(), [])


class Refusals(TlsCase):
    """Fewer of them than the log shows in a short time."""

    threads = 1

    def test_the_client_does_not_know_the_authority(self):
        command = tool_arguments("mosquitto_pub", self.door, 4)
        done = subprocess.run([*command, "-t", "t", "-m", "x", "--cafile", STRANGERS.certificate],
                              capture_output=True, timeout=WAIT_S)
        self.assertNotEqual(done.returncode, 0)
        if IS_LINNET:
            self.assertTrue(self.broker.log.wait_for("authority"), self.broker.log.text())

    @linnet_only
    def test_plain_mqtt(self):
        with wire.RawClient(self.door.port) as raw:
            raw.send(wire.connect("plain"))
            raw.socket.settimeout(WAIT_S)
            self.assert_closed(raw)
            self.assertRegex(self.broker.complaint(raw.address), "mqtts://|TLS")

    @linnet_only
    def test_plain_http(self):
        with wire.RawClient(self.door.port) as raw:
            raw.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assert_closed(raw)
            self.assertRegex(self.broker.complaint(raw.address), "TLS")

    @linnet_only
    def test_half_a_hello_and_then_nonsense(self):
        with wire.RawClient(self.door.port) as raw:
            raw.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 600)
            self.assert_closed(raw)
            self.broker.complaint(raw.address)

    def test_gone_in_the_middle(self):
        for data in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            with wire.RawClient(self.door.port) as raw:
                raw.send(data)

    @linnet_only
    def test_application_protocol(self):
        text = s_client(self.door, "-alpn", "http/1.1", authority=AUTHORITY)
        self.assertIn("no application protocol", text)

    @staticmethod
    def assert_closed(raw):
        try:
            while raw.socket.recv(4096):
                pass
        except ConnectionResetError:
            pass


class Handshakes(TlsCase):
    listeners = {
        "mqtts": listener(ANY_PORT, SERVER),
        "new": listener(ANY_PORT, SERVER, version_min="1.3"),
        "rsa": listener(ANY_PORT, AUTHORITY.server("rsa", kind="rsa")),
        "old": listener(ANY_PORT, AUTHORITY.server("old", kind="rsa"), version_min="1.0"),
        "no-tickets": listener(ANY_PORT, SERVER, session_tickets=False),
    }

    def refused(self, door, *arguments):
        text = s_client(door, *arguments, authority=AUTHORITY)
        self.assertRegex(text, "Cipher is \\(NONE\\)|alert")
        return text

    def test_versions(self):
        for option, name in TLS_VERSIONS.items():
            for door in ("mqtts", "rsa"):
                with self.subTest(option, door=door):
                    text = s_client(self.broker.at(door), option, authority=AUTHORITY)
                    self.assertRegex(text, f"New, {name}, Cipher is [A-Z]")
                    self.assertIn("Verify return code: 0 (ok)", text)
        for option in ("-tls1", "-tls1_1"):
            with self.subTest(option):
                text = self.refused(self.door, option, *ANYTHING)
                if IS_LINNET:  # Mosquitto speaks of an internal error
                    self.assertIn("protocol version", text)

    @linnet_only
    def test_only_the_newest(self):
        door = self.broker.at("new")
        self.assertIn("New, TLSv1.3", s_client(door, authority=AUTHORITY))
        self.assertIn("protocol version", self.refused(door, "-tls1_2"))

    @linnet_only
    def test_an_old_device_where_it_is_allowed(self):
        for option, name in {"-tls1": "TLSv1", "-tls1_1": "TLSv1.1", **TLS_VERSIONS}.items():
            with self.subTest(option):
                text = s_client(self.broker.at("old"), option, *ANYTHING, authority=AUTHORITY)
                self.assertEqual(field(text, "Protocol") or
                                 re.search("New, (.*?),", text)[1], name)

    @linnet_only
    def test_ciphers(self):
        weak = ("AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA256", "NULL-SHA256",
                "ADH-AES128-GCM-SHA256", "PSK-AES128-GCM-SHA256")
        for cipher in weak:
            with self.subTest(cipher):
                self.refused(self.broker.at("rsa"), "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
        for cipher in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"):
            with self.subTest(cipher):
                text = s_client(self.broker.at("rsa"), "-tls1_2", "-cipher", cipher,
                                authority=AUTHORITY)
                self.assertIn(f"Cipher is {cipher}", text)

    def test_groups(self):
        for group in ("X25519", "P-256", "P-384"):
            with self.subTest(group):
                text = s_client(self.door, "-groups", group, authority=AUTHORITY)
                self.assertIn("Verify return code: 0 (ok)", text)

    def test_no_compression(self):
        text = s_client(self.door, "-tls1_2", "-comp", authority=AUTHORITY)
        self.assertIn("Compression: NONE", text)

    @linnet_only
    def test_application_protocol(self):
        for offer in ("mqtt", "x-amzn-mqtt-ca,mqtt", "http/1.1,mqtt"):
            with self.subTest(offer):
                text = s_client(self.door, "-alpn", offer, authority=AUTHORITY)
                self.assertIn("ALPN protocol: mqtt\n", text + "\n")
        self.assertIn("No ALPN negotiated", s_client(self.door, authority=AUTHORITY))
        with Client(self.door, tls=AUTHORITY.trust(alpn=["mqtt"])) as client:
            self.assertEqual(client.paho.socket().selected_alpn_protocol(), "mqtt")

    def test_one_byte_at_a_time(self):
        with wire.RawClient(self.door.port) as raw:
            tls, incoming, outgoing = shake_hands_byte_by_byte(raw, AUTHORITY.trust())
            tls.write(wire.connect(unique()))
            for byte in outgoing.read():
                raw.send(bytes([byte]))
            while True:
                incoming.write(raw.socket.recv(65536))
                try:
                    self.assertEqual(tls.read(100)[0], wire.CONNACK << 4)
                    return
                except ssl.SSLWantReadError:
                    pass

    def test_renegotiation_is_refused_and_the_others_go_on(self):
        with Client(self.door, tls=AUTHORITY.trust()) as other, \
                SClient(self.door, "-tls1_2", authority=AUTHORITY) as client:
            other.subscribe(self.topic, 1)
            # No CONNECT before: its answer could come amid what is to be tested.
            self.assertTrue(client.log.wait_for("Verify return code: 0 (ok)"))
            client.send(b"R\n")
            self.assertTrue(client.log.wait_for("RENEGOTIATING"))
            self.assertRegex(client.end(), "no renegotiation|handshake failure|unexpected message")
            other.publish(self.topic, b"still here", 1)
            self.assertEqual(other.receive().payload, b"still here")

    def test_many_at_once(self):
        """Handshakes that come together, some of them cut off; all others are served."""
        failures = []

        def connect_one(number):
            try:
                with Client(self.door, tls=AUTHORITY.trust()) as client:
                    client.subscribe(f"{self.topic}/{number}", 1)
                    client.publish(f"{self.topic}/{number}", b"mine", 1)
                    client.receive()
            except (AssertionError, OSError) as failure:
                failures.append(failure)

        cut = [wire.RawClient(self.door.port) for _ in range(50)]
        for raw in cut:
            raw.send(b"\x16\x03\x01\x02\x00")
        threads = [threading.Thread(target=connect_one, args=(i,)) for i in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for raw in cut:
            raw.close()
        self.assertEqual(failures, [])


class Resumption(TlsCase):
    listeners = Handshakes.listeners

    def resume(self, door, option):
        """What s_client says of a first connection, and of a second with what the first left."""
        with tempfile.NamedTemporaryFile(prefix="linnet-session-") as session:
            first = s_client(door, option, "-sess_out", session.name, authority=AUTHORITY)
            if not pathlib.Path(session.name).stat().st_size:
                return first, ""
            return first, s_client(door, option, "-sess_in", session.name, authority=AUTHORITY)

    def test_tickets(self):
        for option, name in TLS_VERSIONS.items():
            with self.subTest(option):
                first, second = self.resume(self.door, option)
                self.assertIn(f"New, {name}", first)
                self.assertIn(f"Reused, {name}", second)

    @linnet_only
    def test_no_tickets_where_they_are_off(self):
        for option in TLS_VERSIONS:
            with self.subTest(option):
                _, second = self.resume(self.broker.at("no-tickets"), option)
                self.assertNotIn("Reused", second)

    @linnet_only
    def test_a_ticket_of_another_listener_is_not_taken(self):
        with tempfile.NamedTemporaryFile(prefix="linnet-session-") as session:
            s_client(self.broker.at("no-tickets"), authority=AUTHORITY)
            s_client(self.door, "-sess_out", session.name, authority=AUTHORITY)
            text = s_client(self.broker.at("new"), "-sess_in", session.name, authority=AUTHORITY)
            self.assertIn("New, TLSv1.3", text)

    def test_a_resumed_client_is_served_as_any(self):
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            with self.subTest(version):
                context = AUTHORITY.trust(version=version)
                with RawTls(self.door, context) as first:
                    first.connect(unique())
                    session = first.socket.session
                with RawTls(self.door, context, session=session) as second:
                    self.assertTrue(second.socket.session_reused)
                    second.connect(unique())
                    second.subscribe(self.topic)
                    second.send(wire.publish(self.topic, b"resumed"))
                    message = wire.parse_publish(second.expect(wire.PUBLISH))
                    self.assertEqual(message.payload, b"resumed")


@linnet_only
class Names(TlsCase):
    """Several certificates behind one port, and OCSP staples."""

    home = AUTHORITY.server("home", names=("DNS:home.test", "DNS:*.home.test"))
    pair = [SERVER, home]
    listeners = {
        "mqtts": {"url": ANY_PORT, "tls.cert": [one.cert for one in pair],
                  "tls.key": [one.key for one in pair],
                  "tls.ocsp_staple": AUTHORITY.staple(SERVER)},
    }

    def subject(self, *arguments):
        return re.search("subject=(.*)", s_client(self.door, *arguments, authority=AUTHORITY))[1]

    def test_the_name_chooses(self):
        for name, subject in {"localhost": "server", "home.test": "home", "a.home.test": "home",
                              "HOME.test": "home", "unknown.test": "server"}.items():
            for option in TLS_VERSIONS:
                with self.subTest(name, option=option):
                    found = self.subject("-servername", name, option)
                    self.assertEqual(found, f"CN = {subject}")
        self.assertEqual(self.subject("-noservername"), "CN = server")

    def test_clients_by_either_name(self):
        for name in ("localhost", "home.test", "b.home.test"):
            with self.subTest(name), RawTls(self.door, AUTHORITY.trust(), name) as raw:
                raw.connect(unique())

    def test_a_ticket_is_good_for_its_own_name(self):
        context = AUTHORITY.trust()
        with RawTls(self.door, context, "home.test") as first:
            first.connect(unique())
            session = first.socket.session
        with RawTls(self.door, context, "localhost", session) as second:
            second.connect(unique())

    def test_staple(self):
        for option in TLS_VERSIONS:
            with self.subTest(option):
                text = s_client(self.door, "-status", option, authority=AUTHORITY)
                self.assertIn("OCSP Response Status: successful", text)
                self.assertIn("Cert Status: good", text)
        text = s_client(self.door, "-status", "-servername", "home.test", authority=AUTHORITY)
        self.assertIn("OCSP response: no response sent", text)


@linnet_only
class Start(unittest.TestCase):
    """Certificates that cannot be used end a start, with the file and the mend."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="linnet-tls-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def start(self, *settings):
        arguments = [part for setting in settings for part in ("--set", setting)]
        return subprocess.run(
            [linnet_binary(), "run", "--listen", ANY_PORT, "--data-dir", self.folder, *arguments],
            capture_output=True, text=True, timeout=WAIT_S)

    def assert_refused(self, done, *patterns):
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        for pattern in patterns:
            self.assertRegex(done.stdout + done.stderr, pattern)

    def test_no_certificate(self):
        self.assert_refused(self.start(), r"tls\.cert")

    def test_no_file(self):
        done = self.start("tls.cert=/nowhere/a.crt", f"tls.key={SERVER.key}")
        self.assert_refused(done, "/nowhere/a.crt", "No such file")

    def test_another_key(self):
        other = AUTHORITY.server("other")
        done = self.start(f"tls.cert={SERVER.cert}", f"tls.key={other.key}")
        self.assert_refused(done, "other.key", "match|belong")

    def test_expired(self):
        expired = AUTHORITY.server("expired", days=(-100, -1))
        year = certificates.moment(-1)[:4]
        done = self.start(f"tls.cert={expired.cert}", f"tls.key={expired.key}")
        self.assert_refused(done, "expired.crt", "expired|ended", f"{year}-\\d\\d-\\d\\d")

    def test_not_yet_valid(self):
        future = AUTHORITY.server("future", days=(5, 100))
        done = self.start(f"tls.cert={future.cert}", f"tls.key={future.key}")
        self.assert_refused(done, "future.crt", r"\d{4}-\d\d-\d\d")

    def test_no_certificate_at_all(self):
        path = pathlib.Path(self.folder, "text.crt")
        path.write_text("hello\n")
        done = self.start(f"tls.cert={path}", f"tls.key={SERVER.key}")
        self.assert_refused(done, "text.crt")

    def test_a_key_with_a_pass_phrase(self):
        path = pathlib.Path(self.folder, "locked.key")
        certificates.openssl("ec", "-in", SERVER.key, "-aes256", "-passout", "pass:secret",
                             "-out", path)
        done = self.start(f"tls.cert={SERVER.cert}", f"tls.key={path}")
        self.assert_refused(done, "locked.key", "pass phrase|passphrase|password")

    def test_one_that_ends_soon_is_a_warning(self):
        soon = AUTHORITY.server("soon", days=(-10, 10))
        with Broker(listeners={"mqtts": listener(ANY_PORT, soon)}) as broker:
            line = broker.log.wait_for("soon.crt")
            self.assertRegex(line or broker.log.text(), r"\d{4}-\d\d-\d\d")
            self.assertRegex(line, "(?i)warn")
            with Client(broker.at("mqtts"), tls=AUTHORITY.trust()):
                pass


if __name__ == "__main__":
    unittest.main()
