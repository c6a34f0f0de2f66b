"""`linnet cert`: what it makes is good for OpenSSL's tools, and what it refuses is explained."""

import json
import os
import pathlib
import re
import select
import shutil
import stat
import subprocess
import tempfile
import time
import tomllib
import unittest

from support.broker import WAIT_S, Log, linnet_binary, linnet_only


def openssl(*arguments, text=None):
    """A finished `openssl ...`."""
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=WAIT_S,
                          **({"input": text} if text is not None
                             else {"stdin": subprocess.DEVNULL}))


class Peer:
    """`openssl s_server` on a free port of 127.0.0.1, for some connections."""

    def __init__(self, *arguments):
        self._process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.port = self._wait_for_port()

    def _wait_for_port(self):
        output = b""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            if not select.select([self._process.stdout], [], [], end - time.monotonic())[0]:
                break
            piece = os.read(self._process.stdout.fileno(), 4096)
            output += piece
            found = re.search(rb"ACCEPT 127\.0\.0\.1:(\d+)\n", output)
            if found:
                return int(found.group(1))
            if not piece:
                break
        self._end()
        raise RuntimeError(f"s_server did not start: {output.decode()}")

    def connect(self, *arguments):
        """A finished `openssl s_client` that closes after the handshake."""
        return openssl("s_client", "-connect", f"127.0.0.1:{self.port}", "-brief", *arguments)

    def _end(self):
        self._process.kill()
        self._process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end()


@linnet_only
class CertCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="linnet-cert-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.certs = self.folder / "certs"

    def cert(self, *arguments, code=0):
        """What it prints: on standard output if it is to work, else on standard error."""
        result = subprocess.run([linnet_binary(), "cert", *arguments], cwd=self.folder,
                                capture_output=True, text=True, stdin=subprocess.DEVNULL,
                                timeout=WAIT_S)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stderr if code else result.stdout

    def path(self, name):
        return str(self.certs / name)

    def verify(self, name, *arguments):
        return openssl("verify", "-x509_strict", "-CAfile", self.path("ca.crt"), *arguments,
                       self.path(name))

    def text_of(self, name):
        return openssl("x509", "-in", self.path(name), "-noout", "-text").stdout

    def mode(self, name):
        return stat.S_IMODE((self.certs / name).stat().st_mode)


class Authority(CertCase):
    def test_it_is_one(self):
        said = self.cert("ca", "--name", "Home CA", "--days", "100")
        self.assertIn("made certs/ca.crt and certs/ca.key", said)
        text = self.text_of("ca.crt")
        for part in ("Subject: CN = Home CA", "CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign",
                     "ASN1 OID: prime256v1", "ecdsa-with-SHA256",
                     "X509v3 Basic Constraints: critical", "X509v3 Key Usage: critical"):
            self.assertIn(part, text)
        self.assertEqual(self.mode("ca.key"), 0o600)
        self.assertEqual(self.verify("ca.crt").returncode, 0)

    def test_rsa(self):
        self.cert("ca", "--rsa", "--dir", "old")
        text = openssl("x509", "-in", str(self.folder / "old" / "ca.crt"), "-noout", "-text").stdout
        self.assertIn("Public-Key: (3072 bit)", text)
        self.assertIn("sha256WithRSAEncryption", text)
        self.assertIn("--dir old", self.cert("ca", "--dir", "old", "--force"))

    def test_it_is_not_replaced_unasked(self):
        self.cert("ca")
        before = (self.certs / "ca.key").read_bytes()
        said = self.cert("ca", code=1)
        self.assertIn("certs/ca.key exists", said)
        self.assertIn("--force", said)
        self.assertEqual((self.certs / "ca.key").read_bytes(), before)
        self.cert("ca", "--force")
        self.assertNotEqual((self.certs / "ca.key").read_bytes(), before)

    def test_a_folder_that_cannot_be(self):
        (self.folder / "file").write_text("")
        self.assertIn("file/certs can't be made", self.cert("ca", "--dir", "file/certs", code=1))


class Server(CertCase):
    def setUp(self):
        super().setUp()
        self.cert("ca")

    def test_a_client_believes_it_under_its_names_only(self):
        self.cert("server", "broker.example", "127.0.0.1", "::1")
        with Peer("-cert", self.path("server.crt"), "-key", self.path("server.key")) as peer:
            trust = ("-CAfile", self.path("ca.crt"), "-verify_return_error")
            for name in (("-verify_hostname", "broker.example"), ("-verify_ip", "127.0.0.1"),
                         ("-verify_ip", "::1")):
                result = peer.connect(*trust, *name)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertIn("Verification: OK", result.stderr)
            result = peer.connect(*trust, "-verify_hostname", "other.example")
            self.assertIn("hostname mismatch", result.stderr)

    def test_this_machines_names(self):
        said = self.cert("server")
        for name in ("localhost", "127.0.0.1", "::1"):
            self.assertIn(name, said)
        for check in (("-verify_hostname", "localhost"), ("-verify_ip", "127.0.0.1")):
            result = self.verify("server.crt", "-purpose", "sslserver", *check)
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_what_it_prints_is_a_listener(self):
        said = self.cert("server", "broker.example", "--out", "second \"one\"")
        listener, = tomllib.loads(said)["listener"]
        self.assertEqual(listener["url"], "mqtts://*:8883")
        self.assertEqual(listener["tls"], {"cert": self.path('second "one".crt'),
                                           "key": self.path('second "one".key'),
                                           "client_ca": self.path("ca.crt")})
        self.assertIn("-h broker.example", said)

    def test_renewing(self):
        self.cert("server", "a.example")
        os.chmod(self.path("server.key"), 0o640)
        self.assertIn("server.key exists", self.cert("server", "a.example", code=1))
        before = self.text_of("server.crt")
        said = self.cert("server", "a.example", "--force")
        tomllib.loads(said)
        kept = re.search(r"kept as certs/(server-[0-9A-F]+\.crt);", said).group(1)
        self.assertNotEqual(self.text_of("server.crt"), before)
        self.assertEqual(self.text_of(kept), before)
        self.assertEqual(self.mode("server.key"), 0o640)
        self.assertEqual(sorted(os.listdir(self.certs)),
                         ["ca.crt", "ca.key", kept, "server.crt", "server.key"])

    def test_it_does_not_outlive_its_authority(self):
        self.cert("ca", "--force", "--days", "10")
        self.assertIn("when its authority ends", self.cert("server", "a.example"))
        end = openssl("x509", "-in", self.path("ca.crt"), "-noout", "-enddate").stdout
        self.assertEqual(openssl("x509", "-in", self.path("server.crt"), "-noout",
                                 "-enddate").stdout, end)

    def test_refusals(self):
        for arguments, code, text in (
                (("mqtts://a:8883",), 2, "neither a DNS name nor an IP address"),
                (("a.example", "--days", "826"), 2, "from 1 to 825"),
                (("a.example", "--days", "0"), 2, "--days"),
                (("a.example", "--out", "ca"), 2, "the authority's own files"),
                (("a.example", "--out", "../a"), 2, "no /"),
                (("a.example", "--dir", "nowhere"), 1, "linnet cert ca"),
                (("a.example", "--what"), 2, "--what")):
            with self.subTest(arguments):
                self.assertIn(text, self.cert("server", *arguments, code=code))
        self.assertEqual(sorted(os.listdir(self.certs)), ["ca.crt", "ca.key"])

    def test_a_key_with_a_passphrase_is_named_and_not_asked_for(self):
        openssl("pkey", "-in", self.path("ca.key"), "-aes256", "-passout", "pass:secret", "-out",
                self.path("locked.key"))
        os.replace(self.path("locked.key"), self.path("ca.key"))
        self.assertIn("without a passphrase", self.cert("server", "a.example", code=1))


class Clients(CertCase):
    def setUp(self):
        super().setUp()
        self.cert("ca")

    def test_a_server_believes_it_until_it_is_revoked(self):
        self.cert("server", "broker.example")
        said = self.cert("client", "anna")
        self.cert("client", "bert")
        self.assertIn("--cert certs/anna.crt --key certs/anna.key", said)
        self.assertEqual(self.mode("anna.key"), 0o600)
        self.assertIn("Subject: CN = anna", self.text_of("anna.crt"))
        self.assertIn("TLS Web Client Authentication", self.text_of("anna.crt"))
        self.assertEqual(self.verify("anna.crt", "-purpose", "sslclient").returncode, 0)
        self.assertNotEqual(self.verify("anna.crt", "-purpose", "sslserver").returncode, 0)
        self.assertIn("with 1 certificate,", self.cert("revoke", "certs/anna.crt"))
        with Peer("-cert", self.path("server.crt"), "-key", self.path("server.key"), "-CAfile",
                  self.path("ca.crt"), "-Verify", "1", "-verify_return_error", "-CRL",
                  self.path("ca.crl"), "-crl_check", "-no_tls1_3") as peer:
            for name, code in (("anna", 1), ("bert", 0)):
                result = peer.connect("-cert", self.path(f"{name}.crt"), "-key",
                                      self.path(f"{name}.key"))
                self.assertEqual(result.returncode, code, name + ": " + result.stderr)
                if code:
                    self.assertIn("certificate revoked", result.stderr)

    def test_what_was_replaced_can_be_revoked(self):
        self.cert("client", "anna")
        command = re.search(r"^  linnet cert (revoke certs/anna-[0-9A-F]+\.crt)$",
                            self.cert("client", "anna", "--force"), re.M).group(1)
        self.assertIn("with 1 certificate,", self.cert(*command.split()))
        listed = ("-crl_check", "-CRLfile", self.path("ca.crl"))
        self.assertEqual(self.verify("anna.crt", *listed).returncode, 0)
        self.assertIn("certificate revoked",
                      self.verify(command.rsplit("/", 1)[1], *listed).stderr)

    def test_the_list_grows(self):
        self.assertIn("number 01 with 0 certificates", self.cert("revoke"))
        for number, name in enumerate(("anna", "bert"), 1):
            self.cert("client", name)
            self.cert("revoke", f"certs/{name}.crt", "--days", "30")
            text = openssl("crl", "-in", self.path("ca.crl"), "-noout", "-text").stdout
            self.assertEqual(text.count("Serial Number"), number)
            self.assertRegex(text, rf"CRL Number: \n\s+{number + 1}\n")
        self.assertIn("certs/anna.crt was revoked before", self.cert("revoke", "certs/anna.crt"))
        result = openssl("crl", "-in", self.path("ca.crl"), "-noout", "-CAfile",
                         self.path("ca.crt"))
        self.assertIn("verify OK", result.stderr)
        self.assertEqual(self.verify("anna.crt", "-crl_check", "-CRLfile",
                                     self.path("ca.crl")).returncode, 2)

    def test_refusals(self):
        self.cert("ca", "--dir", "other")
        self.cert("client", "eve", "--dir", "other")
        for arguments, code, text in (
                (("client",), 2, "NAME"),
                (("client", "a/b"), 2, "no /"),
                (("client", "ca", "--force"), 2, "the authority's own files"),
                (("client", "a\x1b[2J"), 2, "control character"),
                (("client", "a" * 65), 2, "64"),
                (("revoke", "other/eve.crt"), 1, "not signed by this authority"),
                (("revoke", "certs/ca.crt"), 1, "is the authority itself"),
                (("revoke", "certs/none.crt"), 1, "certs/none.crt can't be read"),
                (("show",), 2, "FILE"),
                ((), 2, "subcommand")):
            with self.subTest(arguments):
                said = self.cert(*arguments, code=code)
                self.assertIn(text, said)
                self.assertNotIn("\x1b", said)
        self.assertEqual(sorted(os.listdir(self.certs)), ["ca.crt", "ca.key"])


class WithTheBroker(CertCase):
    def publish(self, port, *arguments):
        return subprocess.run(
            ["mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-q", "1", "-t", "hello", "-m",
             "world", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=WAIT_S)

    def test_what_is_printed_is_served(self):
        """The three lines of docs/tls.md, with a port of the kernel's choice."""
        self.cert("ca")
        listener = self.cert("server").replace("*:8883", "127.0.0.1:0")
        self.cert("client", "anna")
        (self.folder / "linnet.toml").write_text(listener)
        broker = subprocess.Popen(
            [linnet_binary(), "run", "--config", "linnet.toml", "--data-dir", "data"],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        try:
            log = Log(broker.stderr)
            self.assertIsNotNone(log.wait_for("ready"), log.text())
            port = re.search(r"mqtts://127\.0\.0\.1:(\d+)", log.text()).group(1)
            trust = ("--cafile", "certs/ca.crt")
            result = self.publish(port, *trust, "--cert", "certs/anna.crt", "--key",
                                  "certs/anna.key")
            self.assertEqual(result.returncode, 0, result.stderr + log.text())
            self.assertNotEqual(self.publish(port, *trust).returncode, 0)
        finally:
            broker.kill()
            broker.wait()


class Psk(CertCase):
    def test_both_sides_agree_on_it(self):
        said = self.cert("psk", "sensor-7")
        key = re.search(r"^  ([0-9a-f]{64})$", said, re.M).group(1)
        self.assertEqual((self.certs / "psk.txt").read_text(), f"sensor-7:{key}\n")
        self.assertEqual(self.mode("psk.txt"), 0o600)
        with Peer("-nocert", "-psk_identity", "sensor-7", "-psk", key) as peer:
            result = peer.connect("-psk_identity", "sensor-7", "-psk", key)
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_others_stay(self):
        file = self.folder / "keys"
        file.write_text("# ours\nold:00ff\n")
        self.cert("psk", "new", "--file", "keys")
        first = file.read_text()
        self.assertTrue(first.startswith("# ours\nold:00ff\nnew:"))
        self.assertIn("has a key for new already",
                      self.cert("psk", "new", "--file", "keys", code=1))
        self.assertEqual(file.read_text(), first)
        self.assertIn("replaced", self.cert("psk", "new", "--file", "keys", "--force"))
        self.assertNotEqual(file.read_text(), first)
        self.assertEqual(len(file.read_text().splitlines()), 3)
        (self.folder / "pipe").symlink_to("/dev/null")
        self.assertIn("no regular file", self.cert("psk", "new", "--file", "pipe", code=1))
        self.assertTrue((self.folder / "pipe").is_symlink())
        self.assertIn("no colon", self.cert("psk", "a:b", "--file", "keys", code=2))


class Show(CertCase):
    def test_text_and_json(self):
        self.cert("ca", "--name", "Home CA")
        self.cert("server", "broker.example", "192.0.2.7")
        said = self.cert("show", "certs/server.crt", "certs/ca.crt")
        for part in ("certs/server.crt\n", "CN=broker.example", "CN=Home CA", "ECDSA P-256",
                     "DNS:broker.example, IP:192.0.2.7"):
            self.assertIn(part, said)
        answer = json.loads(self.cert("show", "--json", "certs/server.crt", "certs/ca.crt"))
        self.assertTrue(answer["ok"])
        server, authority = answer["certificates"]
        self.assertEqual(server["names"], ["DNS:broker.example", "IP:192.0.2.7"])
        self.assertEqual(server["uses"], ["server"])
        self.assertEqual(authority["uses"], ["authority"])
        fingerprint = openssl("x509", "-in", self.path("server.crt"), "-noout", "-fingerprint",
                              "-sha256").stdout.strip().split("=")[1]
        self.assertEqual(server["sha256"], fingerprint)

    def test_the_rest_is_shown_beside_a_bad_file(self):
        self.cert("ca")
        said = self.cert("show", "certs/ca.key", "certs/none.crt", code=1)
        self.assertIn("it is a private key", said)
        self.assertIn("certs/none.crt can't be read", said)

    def test_a_hostile_certificate_cannot_paint_the_terminal(self):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", str(self.folder / "k"), "-out", str(self.folder / "c"), "-utf8",
                "-subj", "/CN=a\x1b[2Jb")
        said = self.cert("show", "c")
        self.assertNotIn("\x1b", said)
        self.assertIn("[2Jb", said)


class Help(CertCase):
    def test_every_command_has_an_example(self):
        for action in ("ca", "server", "client", "psk", "revoke", "show"):
            self.assertIn(f"linnet cert {action}", self.cert(action, "--help"))
        self.assertIn("linnet cert server", self.cert("--help"))


if __name__ == "__main__":
    unittest.main()
