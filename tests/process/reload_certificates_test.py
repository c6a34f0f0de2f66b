"""SIGHUP reads certificates, keys and lists again; nobody who is connected notices."""

import pathlib
import shutil
import ssl
import tempfile
import threading
import unittest

from support import certificates, wire
from support.broker import Broker, linnet_only
from support.certificates import RawTls, listener, put, s_client
from support.clients import Client, unique
from support.websocket import RawWebSocket

AUTHORITY = certificates.Authority()
ANY_PORT = "mqtts://127.0.0.1:0"
FIRST, SECOND = AUTHORITY.server("first"), AUTHORITY.server("second")
TLS_VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


class ReloadCase(unittest.TestCase):
    """`served` are the files that the listener names, and which the tests replace."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="linnet-reload-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.served = put(FIRST, "served", self.folder)
        self.topic = unique()

    def shown_by(self, door, **options):
        """The common name of the certificate that a new connection sees."""
        with RawTls(door, AUTHORITY.trust(**options)) as raw:
            raw.connect(unique())
            subject = raw.socket.getpeercert()["subject"]
            return dict(pair for part in subject for pair in part)["commonName"]

    def assert_works(self, *clients):
        for client in clients:
            client.publish(self.topic, b"still here", 1)
            self.assertEqual(client.receive().payload, b"still here")


@linnet_only
class Certificates(ReloadCase):
    def test_new_connections_see_the_new_one(self):
        for threads in (1, 2):
            with Broker(threads, listeners={
                    "mqtts": listener(ANY_PORT, self.served),
                    "any": listener("any://127.0.0.1:0", self.served),
                    "wss": listener("wss://127.0.0.1:0/mqtt", self.served)}) as broker:
                doors = {name: broker.at(name, "localhost") for name in ("mqtts", "any", "wss")}
                old = [Client(door, version=5, tls=AUTHORITY.trust(),
                              websocket="/mqtt" if name == "wss" else None)
                       for name, door in doors.items()]
                for number, client in enumerate(old):
                    self.addCleanup(client.disconnect)
                    client.connect().subscribe(f"{self.topic}/{number}", 1)
                self.assertEqual(self.shown_by(doors["mqtts"]), "first")
                put(SECOND, "served", self.folder)
                broker.reload()
                for name in ("mqtts", "any"):
                    for version in TLS_VERSIONS:
                        self.assertEqual(self.shown_by(doors[name], version=version), "second")
                with RawWebSocket(doors["wss"], AUTHORITY.trust()) as raw:
                    raw.upgrade()
                    self.assertIn("second", str(raw.socket.getpeercert()))
                for number, client in enumerate(old):
                    client.publish(f"{self.topic}/{number}", b"still here", 1)
                    self.assertEqual(client.receive().payload, b"still here")
            put(FIRST, "served", self.folder)

    def test_the_key_alone_may_stay_and_a_session_begins_anew(self):
        with Broker(listeners={"mqtts": listener(ANY_PORT, self.served)}) as broker:
            door = broker.at("mqtts")
            for version in TLS_VERSIONS:
                context = AUTHORITY.trust(version=version)
                with RawTls(door, context) as raw:
                    raw.connect(unique())
                    session = raw.socket.session
                broker.reload()
                with RawTls(door, context, session=session) as raw:
                    self.assertFalse(raw.socket.session_reused)
                    raw.connect(unique())

    def test_what_cannot_be_used_changes_nothing(self):
        other, expired = AUTHORITY.server("other"), AUTHORITY.server("late", days=(-9, -2))

        def break_certificate():
            pathlib.Path(self.served.cert).write_text("nonsense\n")

        def mix_keys():
            put(SECOND, "served", self.folder)
            shutil.copy(other.key, self.served.key)

        cases = {"no certificate": break_certificate, "another key": mix_keys,
                 "expired": lambda: put(expired, "served", self.folder),
                 "no file": lambda: pathlib.Path(self.served.cert).unlink(),
                 "no key": lambda: pathlib.Path(self.served.key).unlink()}
        with Broker(2, listeners={"mqtts": listener(ANY_PORT, self.served)}) as broker:
            door = broker.at("mqtts")
            for name, spoil in cases.items():
                with self.subTest(name), Client(door, tls=AUTHORITY.trust()) as old:
                    old.subscribe(self.topic, 1)
                    spoil()
                    lines = "\n".join(broker.reload())
                    self.assertRegex(lines, r"served\.(crt|key)", "the file is to be named")
                    if name == "expired":
                        self.assertRegex(lines, r"\d{4}-\d\d-\d\d")
                    self.assertEqual(self.shown_by(door), "first")
                    self.assert_works(old)
                    put(FIRST, "served", self.folder)
                    broker.reload()
            put(SECOND, "served", self.folder)
            broker.reload()
            self.assertEqual(self.shown_by(door), "second")

    def test_while_clients_come(self):
        """Handshakes meet reloads in both threads."""
        failures, done = [], threading.Event()

        def keep_connecting():
            while not done.is_set():
                try:
                    self.assertIn(self.shown_by(door), ("first", "second"))
                except (AssertionError, OSError, wire.Closed) as failure:
                    failures.append(failure)

        with Broker(2, listeners={"mqtts": listener(ANY_PORT, self.served)}) as broker:
            door = broker.at("mqtts")
            with Client(door, tls=AUTHORITY.trust()) as old:
                old.subscribe(self.topic, 1)
                comers = [threading.Thread(target=keep_connecting) for _ in range(4)]
                try:
                    for comer in comers:
                        comer.start()
                    for number in range(20):
                        put((FIRST, SECOND)[number % 2], "served", self.folder)
                        broker.reload()
                        self.assert_works(old)
                finally:
                    done.set()
                for comer in comers:
                    comer.join()
        self.assertEqual(failures, [])

    def test_staple(self):
        staple = pathlib.Path(self.folder, "staple.der")
        shutil.copy(AUTHORITY.staple(FIRST), staple)
        keys = listener(ANY_PORT, self.served, ocsp_staple=str(staple))
        with Broker(listeners={"mqtts": keys}) as broker:
            before = s_client(broker.at("mqtts"), "-status", authority=AUTHORITY)
            self.assertIn("Cert Status: good", before)
            put(SECOND, "served", self.folder)
            shutil.copy(AUTHORITY.staple(SECOND), staple)
            broker.reload()
            after = s_client(broker.at("mqtts"), "-status", authority=AUTHORITY)
            self.assertIn("Cert Status: good", after)
            self.assertNotEqual(certificates.field(before, "Serial Number"),
                                certificates.field(after, "Serial Number"))

    def test_without_tls(self):
        with Broker() as broker, Client(broker) as client:
            broker.reload()
            client.subscribe(self.topic, 1)
            self.assert_works(client)


@linnet_only
class Clients(ReloadCase):
    """Who was believed yesterday."""

    def setUp(self):
        super().setUp()
        self.authority = certificates.Authority("Authority of clients")
        self.alice, self.mallory = (self.authority.client(name) for name in ("alice", "mallory"))
        self.trusted = str(pathlib.Path(self.folder, "clients.crt"))
        shutil.copy(self.authority.certificate, self.trusted)

    def session_of(self, door, identity, version):
        """A context and a session that it may resume."""
        context = AUTHORITY.trust(identity, version)
        with RawTls(door, context) as raw:
            raw.connect(unique())
            return context, raw.socket.session

    def assert_refused(self, door, context, session=None):
        with self.assertRaises(ssl.SSLError):
            with RawTls(door, context, session=session) as raw:
                raw.socket.recv(1)

    def test_revoked(self):
        crl = self.authority.revoke()
        keys = listener(ANY_PORT, self.served, client_ca=self.trusted, crl=crl)
        with Broker(2, listeners={"mqtts": keys}) as broker:
            door = broker.at("mqtts")
            sessions = [self.session_of(door, self.mallory, version) for version in TLS_VERSIONS]
            with Client(door, tls=AUTHORITY.trust(self.alice)) as good:
                good.subscribe(self.topic, 1)
                self.authority.revoke(self.mallory)
                broker.reload()
                for context, session in sessions:
                    self.assert_refused(door, context)
                    self.assert_refused(door, context, session)
                self.assert_works(good)
            for version in TLS_VERSIONS:
                self.session_of(door, self.alice, version)

    def test_another_authority(self):
        keys = listener(ANY_PORT, self.served, client_ca=self.trusted)
        heirs = certificates.Authority("Heirs")
        heir = heirs.client("heir")
        with Broker(2, listeners={"mqtts": keys}) as broker:
            door = broker.at("mqtts")
            self.assert_refused(door, AUTHORITY.trust(heir))
            sessions = [self.session_of(door, self.alice, version) for version in TLS_VERSIONS]
            shutil.copy(heirs.certificate, self.trusted)
            broker.reload()
            for context, session in sessions:
                self.assert_refused(door, context)
                self.assert_refused(door, context, session)
            for version in TLS_VERSIONS:
                self.session_of(door, heir, version)


@linnet_only
class Ends(ReloadCase):
    """Who looks after a broker learns in time that a certificate ends."""

    def test_a_warning_and_what_sys_says(self):
        soon = AUTHORITY.server("soon", days=(-1, 10))
        served = put(soon, "served", self.folder)
        with Broker(listeners={"mqtts": listener(ANY_PORT, served)},
                    settings={"sys_interval": "1s"}) as broker:
            self.assertIsNotNone(broker.log.wait_for("warning", served.cert, "ends"),
                                 broker.log.text())
            with Client(broker, version=5) as client:
                client.subscribe("$SYS/broker/certificates/#", 0)
                said = {}
                while len(said) < 4:
                    message = client.receive()
                    said[message.topic.rsplit("/", 1)[1]] = message.payload.decode()
            self.assertEqual(said["file"], served.cert)
            self.assertEqual(said["name"], "localhost")
            self.assertIn(said["days"], ("9", "10"))
            self.assertRegex(said["ends"], r"^20..-..-..T..:..:..Z$")
            warnings = len(broker.log.lines("warning", served.cert))
            put(FIRST, "served", self.folder)
            broker.reload()
            self.assertEqual(len(broker.log.lines("warning", served.cert)), warnings)


if __name__ == "__main__":
    unittest.main()
