"""Clients that prove by a certificate who they are."""

import itertools
import ssl
import subprocess
import tempfile
import unittest

from support import certificates, wire
from support.broker import IS_LINNET, WAIT_S, Broker, BrokerCase, linnet_binary, linnet_only
from support.certificates import RawTls, listener
from support.clients import MosquittoSub, mosquitto_pub, tool_arguments, unique

AUTHORITY = certificates.Authority()
STRANGERS = certificates.Authority("Another authority")
# The same name, and another key: a name alone proves nothing.
IMPOSTORS = certificates.Authority(AUTHORITY.name)
SERVER = AUTHORITY.server("server")
ALICE = AUTHORITY.client("alice")
ANY_PORT = "mqtts://127.0.0.1:0"
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def trusting(url=ANY_PORT, **keys):
    return listener(url, SERVER, client_ca=AUTHORITY.certificate, **keys)


def tool_options(identity=None):
    more = ["--cert", identity.cert, "--key", identity.key] if identity else []
    return ["--cafile", AUTHORITY.certificate, *more]


class MutualCase(BrokerCase):
    threads = 2

    def setUp(self):
        self.topic = unique()

    def assert_served(self, door, identity):
        with MosquittoSub(door, self.topic, *tool_options(identity)) as sub:
            mosquitto_pub(door, self.topic, "known", *tool_options(identity))
            self.assertEqual(sub.messages(), [(0, False, self.topic, "known")])

    def assert_refused(self, door, identity, version=None, pattern=None):
        """By a TLS alert, before a CONNECT is looked at."""
        with self.assertRaises(ssl.SSLError) as caught:
            # TLS 1.3 refuses when the client's handshake is done already.
            with RawTls(door, AUTHORITY.trust(identity, version)) as raw:
                raw.socket.recv(1)
        if pattern:
            self.assertRegex(str(caught.exception), pattern)

    def user_of(self, door, identity, **options):
        """The log's line about the client."""
        client_id = unique()
        with RawTls(door, AUTHORITY.trust(identity, **options)) as raw:
            raw.connect(client_id)
            return self.broker.log.wait_for(client_id, "has connected")


class Required(MutualCase):
    listeners = {"mqtts": trusting(crl=AUTHORITY.revoke())}

    def setUp(self):
        super().setUp()
        self.door = self.broker.at("mqtts")

    def test_one_of_ours(self):
        self.assert_served(self.door, ALICE)
        for version in VERSIONS:
            with RawTls(self.door, AUTHORITY.trust(ALICE, version)) as raw:
                raw.connect(unique())

    def test_none(self):
        for version in VERSIONS:
            with self.subTest(version):
                self.assert_refused(self.door, None, version, "CERTIFICATE_REQUIRED|HANDSHAKE_FAIL")
        command = [*tool_arguments("mosquitto_pub", self.door, 4), *tool_options()]
        done = subprocess.run([*command, "-t", "t", "-m", "x"], capture_output=True, timeout=WAIT_S)
        self.assertNotEqual(done.returncode, 0)

    def test_strangers(self):
        for authority in (STRANGERS, IMPOSTORS):
            for version in VERSIONS:
                with self.subTest(authority.name, version=version):
                    self.assert_refused(self.door, authority.client("mallory"), version,
                                        "UNKNOWN_CA|BAD_CERTIFICATE|DECRYPT_ERROR")

    def test_expired(self):
        for days, name in (((-10, -1), "expired"), ((1, 10), "early")):
            for version in VERSIONS:
                with self.subTest(name, version=version):
                    self.assert_refused(self.door, AUTHORITY.client(name, days=days), version,
                                        "EXPIRED|BAD_CERTIFICATE")

    def test_a_servers_certificate_is_not_a_clients(self):
        self.assert_refused(self.door, AUTHORITY.server("not-a-client"))


@linnet_only
class Complaints(MutualCase):
    """Fewer than the log shows in a short time."""

    listeners = {"mqtts": trusting()}

    def test_the_log_says_why(self):
        expired = AUTHORITY.client("old-bob", days=(-10, -1))
        for identity, pattern in ((None, "no certificate"),
                                  (expired, "expired.*\\d{4}-\\d\\d-\\d\\d"),
                                  (STRANGERS.client("eve"), "signed by .*tls.client_ca")):
            raw = wire.RawClient(self.broker.at("mqtts").port)
            with raw:
                try:
                    raw.socket = AUTHORITY.trust(identity).wrap_socket(
                        raw.socket, server_hostname="localhost")
                    raw.socket.recv(1)
                except (ssl.SSLError, ConnectionError):
                    pass
                self.assertRegex(self.broker.complaint(raw.address), pattern)


class Revoked(MutualCase):
    mallory = AUTHORITY.client("mallory")
    listeners = {"required": trusting(crl=AUTHORITY.revoke(mallory, name="revoked.crl"))}
    if IS_LINNET:  # Mosquitto believes anybody where a certificate is optional
        listeners["optional"] = {**listeners["required"], "tls.client_certificate": "optional"}

    def test_revoked(self):
        for name, version in itertools.product(self.listeners, VERSIONS):
            with self.subTest(name, version=version):
                self.assert_refused(self.broker.at(name), self.mallory, version, "REVOKED")

    def test_others_are_not(self):
        for name in self.listeners:
            self.assert_served(self.broker.at(name), ALICE)


class Optional(MutualCase):
    settings = {"log.level": "debug"}
    listeners = {"mqtts": trusting(client_certificate="optional")}

    def setUp(self):
        super().setUp()
        self.door = self.broker.at("mqtts")

    def test_with_and_without(self):
        for identity in (None, ALICE):
            self.assert_served(self.door, identity)

    @linnet_only
    def test_a_bad_one_is_worse_than_none(self):
        self.assert_refused(self.door, STRANGERS.client("eve"))
        self.assert_refused(self.door, AUTHORITY.client("late", days=(-10, -1)))

    @linnet_only
    def test_user_names(self):
        self.assertIn('"alice"', self.user_of(self.door, ALICE))
        self.assertNotIn("alice", self.user_of(self.door, None))


@linnet_only
class UserNames(MutualCase):
    settings = {"log.level": "debug"}
    person = AUTHORITY.client("bob", ["email:bob@example.com", "DNS:bob.test"],
                              subject="/C=DE/O=Example Org/CN=bob")
    nameless = AUTHORITY.client("nameless", subject="/O=No name")
    listeners = {kind: trusting(identity=kind) for kind in ("cn", "subject", "san", "none")}
    listeners["default"] = trusting()

    def test_user_names(self):
        expected = {"cn": '"bob"', "default": '"bob"', "san": '"bob@example.com"',
                    "subject": '"CN=bob,O=Example Org,C=DE"'}
        for kind, name in expected.items():
            with self.subTest(kind):
                self.assertIn(name, self.user_of(self.broker.at(kind), self.person))
        self.assertNotIn("bob", self.user_of(self.broker.at("none"), self.person))

    def test_no_such_name_in_the_certificate(self):
        """It must not become somebody else: the client is nobody, or refused."""
        for kind in ("cn", "san"):
            with self.subTest(kind):
                line = ""
                try:
                    line = self.user_of(self.broker.at(kind), self.nameless)
                except (AssertionError, ssl.SSLError, wire.Closed):
                    pass
                self.assertNotRegex(line or "", '"No name"|as ""')

    def test_resumed(self):
        for version in VERSIONS:
            with self.subTest(version):
                context, client_id = AUTHORITY.trust(self.person, version), unique()
                with RawTls(self.broker.at("cn"), context) as first:
                    first.connect(unique())
                    session = first.socket.session
                with RawTls(self.broker.at("cn"), context, session=session) as second:
                    self.assertTrue(second.socket.session_reused)
                    second.connect(client_id)
                    line = self.broker.log.wait_for(client_id, "has connected")
                    self.assertIn('"bob"', line)

    def test_a_session_of_a_listener_that_asks_nobody(self):
        """A ticket from elsewhere must not stand for a certificate."""
        with Broker(listeners={"open": listener(ANY_PORT, SERVER), "closed": trusting()}) as broker:
            for version in VERSIONS:
                context = AUTHORITY.trust(version=version)
                with RawTls(broker.at("open"), context) as first:
                    first.connect(unique())
                    session = first.socket.session
                with self.assertRaises(ssl.SSLError):
                    with RawTls(broker.at("closed"), context, session=session) as second:
                        second.socket.recv(1)


@linnet_only
class MadeByLinnet(unittest.TestCase):
    """From nothing to mutual TLS with `linnet cert` and Mosquitto's tools."""

    def test_all_the_way(self):
        with tempfile.TemporaryDirectory(prefix="linnet-cert-") as folder:
            def cert(*arguments):
                done = subprocess.run([linnet_binary(), "cert", *arguments, "--dir", folder],
                                      capture_output=True, text=True, timeout=WAIT_S)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

            cert("ca")
            cert("server", "localhost", "127.0.0.1")
            for name in ("sensor", "lost"):
                cert("client", name)
            cert("revoke", f"{folder}/lost.crt")
            keys = {"url": ANY_PORT, "tls.cert": f"{folder}/server.crt",
                    "tls.key": f"{folder}/server.key", "tls.client_ca": f"{folder}/ca.crt",
                    "tls.crl": f"{folder}/ca.crl"}
            with Broker(listeners={"mqtts": keys}) as broker:
                self.use(broker.at("mqtts"), folder)

    def use(self, door, folder):
        def options(name):
            return ["--cafile", f"{folder}/ca.crt", "--cert", f"{folder}/{name}.crt",
                    "--key", f"{folder}/{name}.key"]

        for host in ("localhost", "127.0.0.1"):
            door.host = host
            with MosquittoSub(door, "t", *options("sensor")) as sub:
                mosquitto_pub(door, "t", "made by linnet", *options("sensor"))
                self.assertEqual(sub.messages(), [(0, False, "t", "made by linnet")])
        with self.assertRaises(AssertionError):
            mosquitto_pub(door, "t", "x", *options("lost"))


if __name__ == "__main__":
    unittest.main()
