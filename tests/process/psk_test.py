"""TLS with pre-shared keys (TLS-PSK), as small devices without certificates use it."""

import pathlib
import re
import subprocess
import tempfile
import unittest

from support import certificates, wire
from support.broker import WAIT_S, Broker, BrokerCase, linnet_binary, linnet_only
from support.certificates import listener, s_client
from support.clients import Client, MosquittoSub, mosquitto_pub, tool_arguments, unique

KEY, OTHER_KEY = "00112233445566778899aabbccddeeff", "ff" * 32
AUTHORITY = certificates.Authority()
KEYS = AUTHORITY.file("keys.psk", f"lamp:{KEY}\n# a comment\n\nheater:{OTHER_KEY}\n")
ANY_PORT = "mqtts://127.0.0.1:0"
BOTH = listener(ANY_PORT, AUTHORITY.server("server"), psk_file=KEYS)
TLS_VERSIONS = ("-tls1_2", "-tls1_3")


def tool_options(identity="lamp", key=KEY):
    return ["--psk", key, "--psk-identity", identity]


class PskCase(BrokerCase):
    threads = 2
    settings = {"log.level": "debug"}
    listeners = {"psk": listener(ANY_PORT, None, psk_file=KEYS)}

    def setUp(self):
        self.topic = unique()
        self.door = self.broker.at("psk")

    def assert_tool_refused(self, *options):
        done = subprocess.run([*tool_arguments("mosquitto_pub", self.door, 4), "-t", "t", "-m", "x",
                               *options], capture_output=True, timeout=WAIT_S)
        self.assertNotEqual(done.returncode, 0)


class Keys(PskCase):
    def test_messages(self):
        for identity, key in (("lamp", KEY), ("heater", OTHER_KEY)):
            for version in (3, 4, 5):
                options = tool_options(identity, key)
                with self.subTest(identity, version=version), \
                        MosquittoSub(self.door, self.topic, *options, version=version,
                                     qos=2) as sub:
                    mosquitto_pub(self.door, self.topic, "secret", *options, version=version,
                                  qos=2)
                    self.assertEqual(sub.messages(), [(2, False, self.topic, "secret")])

    @linnet_only  # Mosquitto keeps to TLS 1.2
    def test_versions(self):
        for option in TLS_VERSIONS:
            with self.subTest(option):
                text = s_client(self.door, option, "-psk_identity", "lamp", "-psk", KEY)
                self.assertRegex(text, "Cipher is (?!\\(NONE\\))")
                self.assertNotIn("alert", text)

    @linnet_only
    def test_the_identity_is_the_user_name(self):
        for option in TLS_VERSIONS:
            with self.subTest(option):
                client_id = unique()
                s_client(self.door, option, "-psk_identity", "heater", "-psk", OTHER_KEY,
                         data=wire.connect(client_id) + wire.disconnect())
                line = self.broker.log.wait_for(client_id, "has connected")
                self.assertIn('"heater"', line)

    @linnet_only
    def test_ciphers(self):
        """With forward secrecy where the client can, and never without encryption."""
        text = s_client(self.door, "-tls1_2", "-psk_identity", "lamp", "-psk", KEY)
        self.assertRegex(text, "Cipher is (ECDHE|DHE)-PSK")
        text = s_client(self.door, "-tls1_2", "-psk_identity", "lamp", "-psk", KEY,
                        "-cipher", "PSK-NULL-SHA256:ECDHE-PSK-NULL-SHA256:@SECLEVEL=0")
        self.assertIn("Cipher is (NONE)", text)


class Refusals(PskCase):
    def test_wrong_key(self):
        self.assert_tool_refused(*tool_options("lamp", OTHER_KEY))

    def test_unknown_identity(self):
        self.assert_tool_refused(*tool_options("nobody", KEY))

    def test_no_key(self):
        self.assert_tool_refused("--cafile", AUTHORITY.certificate)

    def test_identities_are_whole_names(self):
        for identity in ("lam", "lampe", "LAMP", "# a comment", ""):
            with self.subTest(identity):
                text = s_client(self.door, "-tls1_2", "-psk_identity", identity, "-psk", KEY)
                self.assertRegex(text, "alert (unknown psk identity|decrypt|handshake)")

    @linnet_only
    def test_the_log_names_the_client_and_no_key(self):
        for option in TLS_VERSIONS:
            for identity in ("stranger", "lamp"):
                before = len(self.broker.log.lines("session", "key"))
                s_client(self.door, option, "-psk_identity", identity, "-psk", "ab" * 16)
                self.assertTrue(self.broker.log.wait_for_more(before, "127.0.0.1", "key"),
                                self.broker.log.text())
        for key in (KEY, OTHER_KEY, "ab" * 16):
            self.assertNotIn(key, self.broker.log.text())


@linnet_only
class WithCertificate(PskCase):
    """One port for those with a key and those without."""

    listeners = {"psk": BOTH}

    def test_both(self):
        with MosquittoSub(self.door, self.topic, *tool_options()) as by_key, \
                MosquittoSub(self.door, self.topic, "--cafile", AUTHORITY.certificate) as trusting:
            mosquitto_pub(self.door, self.topic, "to both", *tool_options())
            for sub in (by_key, trusting):
                self.assertEqual(sub.messages(), [(0, False, self.topic, "to both")])

    def test_a_wrong_key_is_not_served_instead(self):
        self.assert_tool_refused(*tool_options("lamp", OTHER_KEY))

    def test_user_names(self):
        """Who has a key proves it, though there is a certificate to be had as well."""
        client_id = unique()
        with Client(self.door, client_id, tls=AUTHORITY.trust()):
            line = self.broker.log.wait_for(client_id, "has connected")
            self.assertNotRegex(line, "lamp|heater")
        for option in TLS_VERSIONS:
            with self.subTest(option):
                client_id = unique()
                s_client(self.door, option, "-psk_identity", "lamp", "-psk", KEY,
                         data=wire.connect(client_id) + wire.disconnect())
                line = self.broker.log.wait_for(client_id, "has connected")
                self.assertIn('"lamp"', line)


@linnet_only
class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="linnet-psk-")
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name, "keys.psk")

    def test_bad_lines(self):
        for text, line in (("lamp\n", 1), (f"lamp:{KEY}\nheater:xyz\n", 2), (f":{KEY}\n", 1),
                           (f"a:{KEY}\na:{OTHER_KEY}\n", 2), ("lamp:123\n", 1)):
            with self.subTest(text):
                self.file.write_text(text)
                done = subprocess.run(
                    [linnet_binary(), "run", "--listen", ANY_PORT, "--data-dir",
                     self.file.parent, "--set", f"tls.psk_file={self.file}"],
                    capture_output=True, text=True, timeout=WAIT_S)
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr + done.stdout,
                                 f"{re.escape(str(self.file))}.*\\b{line}\\b")
                for secret in (KEY, OTHER_KEY, "xyz"):
                    self.assertNotIn(secret, done.stderr + done.stdout)

    def test_reload(self):
        """A key that is taken away is good no longer, one that is new at once."""
        self.file.write_text(f"lamp:{KEY}\n")
        keys = listener(ANY_PORT, None, psk_file=str(self.file))
        with Broker(listeners={"psk": keys}) as broker:
            door = broker.at("psk")
            with MosquittoSub(door, "t", *tool_options()) as old:
                self.file.write_text(f"heater:{OTHER_KEY}\n")
                broker.reload()
                mosquitto_pub(door, "t", "new", *tool_options("heater", OTHER_KEY))
                self.assertEqual(old.messages(), [(0, False, "t", "new")])
            with self.assertRaises(AssertionError):
                mosquitto_pub(door, "t", "x", *tool_options())

    def test_made_by_linnet(self):
        done = subprocess.run([linnet_binary(), "cert", "psk", "pump", "--file", str(self.file)],
                              capture_output=True, text=True, timeout=WAIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        identity, _, key = self.file.read_text().strip().partition(":")
        self.assertEqual(identity, "pump")
        keys = listener(ANY_PORT, None, psk_file=str(self.file))
        with Broker(listeners={"psk": keys}) as broker:
            mosquitto_pub(broker.at("psk"), "t", "x", *tool_options("pump", key))


if __name__ == "__main__":
    unittest.main()
