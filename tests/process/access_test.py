"""Who may connect: passwords, nobody's name, certificates, pre-shared keys, Unix sockets, and the
order of these. With Mosquitto's tools and paho."""

import os
import pathlib
import subprocess
import unittest

from support import certificates, scram, users, wire
from support.broker import WAIT_S, Broker, BrokerCase, linnet_binary, linnet_only
from support.clients import Client, MosquittoSub, mosquitto_pub, unique
from support.users import LET_IN, NOT_AUTHORIZED, WRONG_LOGIN, Folder, answers, publish_as

RULE = "[[auth.rule]]\n"


@linnet_only
class Passwords(BrokerCase):
    listeners = {"open": {"url": "mqtt://127.0.0.1:0", "allow_anonymous": True},
                 "unix": {"url": "unix:"}}

    @classmethod
    def setUpClass(cls):
        folder = Folder(cls.addClassCleanup)
        cls.listeners = {**cls.listeners, "unix": {"url": f"unix:{folder.path}/mqtt.sock"}}
        cls.settings = {"auth.password_file": folder.users(anna="secret", empty="")}
        super().setUpClass()

    def test_who_comes_in(self):
        for login, expected in ((("anna", "secret"), LET_IN), (("anna", "Secret"), WRONG_LOGIN),
                                (("bob", "secret"), WRONG_LOGIN), (("anna", ""), WRONG_LOGIN),
                                (("anna",), WRONG_LOGIN), ((), NOT_AUTHORIZED)):
            with self.subTest(login):
                self.assertEqual(answers(self.broker, *login), expected)
                # Twice: what was verified is remembered, what was wrong is not.
                self.assertEqual(answers(self.broker, *login), expected)

    def test_an_empty_password_is_one(self):
        with Client(self.broker, version=5, login=("empty", "")) as client:
            client.publish("t", "x", 1)
        self.assertEqual(answers(self.broker, "empty", "x"), WRONG_LOGIN)

    def test_paho(self):
        for version, refused in ((3, 4), (4, 4), (5, 0x86)):
            with self.subTest(version=version):
                with Client(self.broker, version=version, login=("anna", "secret")) as client:
                    client.publish("t", "x", 1)
                client = Client(self.broker, version=version, login=("anna", "wrong")).start()
                self.addCleanup(client.disconnect)
                self.assertEqual(client.reason(), refused)

    def test_the_written_word_lets_nameless_clients_in(self):
        door = self.broker.at("open")
        self.assertEqual(answers(door), LET_IN)
        self.assertEqual(answers(door, "anna", "secret"), LET_IN)
        self.assertEqual(answers(door, "anna", "wrong"), WRONG_LOGIN)

    def test_a_unix_socket_is_loopback(self):
        door = self.broker.at("unix")
        self.assertEqual(answers(door), NOT_AUTHORIZED)
        self.assertEqual(answers(door, "anna", "secret"), LET_IN)

    def test_the_log_knows_why(self):
        self.assertEqual(answers(self.broker, "carol", "secret"), WRONG_LOGIN)
        self.assertIsNotNone(self.broker.log.wait_for("there is no such user",
                                                      "Bad User Name or Password"))
        self.assertEqual(self.broker.log.lines("secret"), [])

    def test_clients_do_not_learn_which_users_there_are(self):
        told = set()
        for user in ("anna", "bob"):
            client = Client(self.broker, version=5, login=(user, "wrong")).start()
            self.addCleanup(client.disconnect)
            told.add(str(client.connack[2]))
        self.assertEqual(len(told), 1, told)
        self.assertIn("the user name or the password is wrong", told.pop())


@linnet_only
class WithoutLogins(BrokerCase):
    def test_loopback_takes_anybody(self):
        self.assertEqual(answers(self.broker), LET_IN)
        self.assertEqual(answers(self.broker, "anna", "anything"), LET_IN)


@linnet_only
class BelowMqtt(BrokerCase):
    """Names that are proven before CONNECT, and rules about them."""

    @classmethod
    def setUpClass(cls):
        cls.authority = certificates.Authority()
        cls.anna = cls.authority.client("anna", names=["email:anna@example.org"])
        server = cls.authority.server("server")
        folder = Folder(cls.addClassCleanup)
        psk = folder.file("psk.txt", "sensor-7:00112233445566778899aabbccddeeff\n")
        optional = certificates.listener("mqtts://127.0.0.1:0", server,
                                         client_ca=cls.authority.certificate,
                                         client_certificate="optional")
        cls.listeners = {
            "certificates": optional,
            "nameless": {**optional, "tls.identity": "none"},
            "psk": {"url": "mqtts://127.0.0.1:0", "tls.psk_file": psk},
            "unix": {"url": f"unix:{folder.path}/mqtt.sock"},
        }
        cls.settings = {"auth.password_file": folder.users(anna="secret", bob="secret")}
        cls.config = f"""
[[auth.unix]]
uid = "{os.getuid() + 1}"
user = "other"

[[auth.unix]]
uid = "{os.getuid()}"
gid = "{os.getgid()}"
user = "tester"
""" + """
[[auth.rule]]
publish = ["cn/${cert.cn}/#", "san/${cert.san}", "name/${username}/#"]
subscribe = ["#"]
"""
        super().setUpClass()

    def may(self, door, topic, *more, version=5):
        """mosquitto_pub says so of the PUBACK."""
        done = publish_as(self.broker.at(door), *more, version=version, topic=topic)
        self.assertEqual(done.returncode, 0, done.stderr)
        return "Not authorized" not in done.stderr

    def tls(self, *identity):
        more = ["--cafile", self.authority.certificate]
        for one in identity:
            more += ["--cert", one.cert, "--key", one.key]
        return more

    def test_a_certificate(self):
        anna = self.tls(self.anna)
        for topic, allowed in (("cn/anna/x", True), ("name/anna/x", True), ("cn/bob/x", False),
                               ("san/anna@example.org", True), ("name/bob/x", False)):
            self.assertEqual(self.may("certificates", topic, None, None, *anna), allowed, topic)
        # The certificate's name counts, and not that of CONNECT, nor its password.
        self.assertTrue(self.may("certificates", "name/anna/x", "bob", "wrong", *anna))
        self.assertFalse(self.may("certificates", "name/bob/x", "bob", "secret", *anna))

    def test_without_a_certificate(self):
        door, trust = self.broker.at("certificates"), self.tls()
        self.assertEqual(answers(door, None, None, *trust), NOT_AUTHORIZED)
        self.assertEqual(answers(door, "bob", "wrong", *trust), WRONG_LOGIN)
        self.assertTrue(self.may("certificates", "name/bob/x", "bob", "secret", *trust))

    def test_a_certificate_that_names_nobody(self):
        door, anna = self.broker.at("nameless"), self.tls(self.anna)
        self.assertEqual(answers(door, None, None, *anna), NOT_AUTHORIZED)
        self.assertTrue(self.may("nameless", "name/bob/x", "bob", "secret", *anna))
        # A rule may be about the certificate nevertheless.
        self.assertTrue(self.may("nameless", "cn/anna/x", "bob", "secret", *anna))

    def test_a_pre_shared_key(self):
        key = ["--psk-identity", "sensor-7", "--psk", "00112233445566778899aabbccddeeff"]
        self.assertTrue(self.may("psk", "name/sensor-7/x", None, None, *key))
        self.assertFalse(self.may("psk", "name/anna/x", "anna", "secret", *key))
        self.assertFalse(self.may("psk", "cn/sensor-7/x", None, None, *key))

    def test_a_process(self):
        self.assertTrue(self.may("unix", "name/tester/x"))
        self.assertFalse(self.may("unix", "name/anna/x", "anna", "secret"))
        with MosquittoSub(self.broker.at("unix"), "name/#", qos=1) as subscriber:
            mosquitto_pub(self.broker.at("unix"), "name/tester/x", "here", qos=1)
            self.assertEqual([one[3] for one in subscriber.messages()], ["here"])


@linnet_only
class Order(unittest.TestCase):
    def test_what_is_left_out_is_not_tried(self):
        folder = Folder(self.addCleanup)
        more = f'[[auth.unix]]\nuid = "{os.getuid()}"\nuser = "tester"\n'
        listeners = {"unix": {"url": f"unix:{folder.path}/mqtt.sock"}}
        topics = '[[auth.rule]]\npublish = ["${username}"]\n'
        for order, expected in (("unix,password", "tester"), ("password,unix", "anna")):
            settings = {"auth.password_file": folder.users(anna="secret"), "auth.order": order}
            with self.subTest(order), Broker(1, settings, listeners=listeners,
                                             config=more + topics) as broker:
                for name in ("tester", "anna"):
                    done = publish_as(broker.at("unix"), "anna", "secret", version=5, topic=name)
                    self.assertEqual("Not authorized" not in done.stderr, name == expected)
        settings["auth.order"] = "password"
        with Broker(1, settings, listeners=listeners, config=more) as broker:
            self.assertEqual(answers(broker.at("unix")), NOT_AUTHORIZED)
            self.assertEqual(answers(broker.at("unix"), "anna", "secret"), LET_IN)

    def test_scram_goes_with_passwords(self):
        folder = Folder(self.addCleanup)
        file = pathlib.Path(folder.path, "users.txt")
        scram.add_user(file, "anna", "secret")
        for order, expected in (("password", 0), ("certificate", 0x8C)):
            settings = {"auth.password_file": file, "auth.order": order}
            with self.subTest(order), Broker(1, settings) as broker, \
                    scram.ScramClient(broker.port) as client:
                answer = client.log_in(scram.Exchange("anna", "secret"), unique())
                self.assertEqual((answer.type, answer.reason), (wire.CONNACK, expected))


@linnet_only
class WrongFiles(unittest.TestCase):
    """Every error is named, with file and line, by `linnet check` and at the start."""

    def setUp(self):
        self.folder = Folder(self.addCleanup)

    def lines(self, *command):
        done = subprocess.run([linnet_binary(), *command, "--config",
                               str(pathlib.Path(self.folder.path, "linnet.toml"))],
                              cwd=self.folder.path, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=WAIT_S)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        return [line.removeprefix("linnet: ") for line in done.stderr.splitlines()
                if " warn" not in line[:40]]

    def assert_faults(self, config, *starts):
        self.folder.file("linnet.toml", '[[listener]]\nurl = "mqtt://127.0.0.1:0"\n' + config)
        for command in (["check"], ["run", "--data-dir", f"{self.folder.path}/data"]):
            lines = self.lines(*command)
            self.assertEqual(len(lines), len(starts), lines)
            for line, start in zip(lines, starts):
                self.assertTrue(line.startswith(start), line)
                self.assertNotIn("hunter2", line)

    def test_all_at_once(self):
        self.folder.file("users.txt", users.password_line("anna", "x") +
                         "bob:hunter2\n\nnobody\n" + users.password_line("anna", "y"))
        self.folder.file("acl", "topic read a\ntopc read b\ntopic read a/#/b\n")
        self.folder.file("keys.json", '{"keys": [{"kty": "oct"}, ]}')
        self.assert_faults('[auth]\npassword_file = "users.txt"\nacl_file = "acl"\n'
                           'jwt.keys = ["keys.json", "missing.pem"]\n'
                           '[[auth.unix]]\nuid = "no-such-user"\nuser = "x"\n',
                           "acl:2: ", "acl:3: ", "users.txt:2: ", "users.txt:4: ", "users.txt:5: ",
                           "keys.json: ", "missing.pem: ", "auth.unix.uid: ")

    def test_wrong_rules(self):
        self.assert_faults(RULE + 'publish = ["a/#/b"]\n' + RULE + 'topics = ["${user}/#"]\n',
                           *(f"{self.folder.path}/linnet.toml:{line}: " for line in (3, 5)))

    def test_a_service(self):
        self.assert_faults('[auth]\nhttp.url = "ftp://127.0.0.1/"\nhttp.authorization_file = "a"\n',
                           "auth.http.url", "auth.http.authorization_file")

    def test_logins_open_a_listener(self):
        """Beyond loopback, a way to log in is enough; a file that is wrong is not."""
        self.folder.users(anna="secret")
        config = '[[listener]]\nurl = "mqtt://*:0"\n'
        self.folder.file("linnet.toml", config)
        self.assertIn("listener.url", self.lines("check")[0])
        self.folder.file("linnet.toml", config + '[auth]\npassword_file = "users.txt"\n')
        done = subprocess.run([linnet_binary(), "check", "--config", "linnet.toml"], text=True,
                              cwd=self.folder.path, capture_output=True, timeout=WAIT_S)
        self.assertEqual((done.returncode, done.stdout), (0, "linnet.toml: ok\n"), done.stderr)


if __name__ == "__main__":
    unittest.main()
