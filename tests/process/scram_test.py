"""Enhanced authentication of MQTT 5 (section 4.12) by SCRAM-SHA-256: with MQTT.js, and by hand
where a library would not."""

import pathlib
import tempfile
import unittest

from support import scram, wire
from support.broker import Broker, BrokerCase, linnet_only
from support.clients import run_mqttjs, unique
from support.scram import AGAIN, CONTINUE, METHOD, Exchange, ScramClient

SUCCESS, MALFORMED, PROTOCOL_ERROR, BAD_LOGIN, NOT_AUTHORIZED = 0, 0x81, 0x82, 0x86, 0x87
USERS = {"anna": "pencil", "bert": "gr\u00fcn, \u00df und 5 Meter", "a,b=c": "p"}


class ScramCase(BrokerCase):
    """`USERS` are in the password file, and "old", whose entry is of Mosquitto's kind."""

    more_settings = {}

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="linnet-scram-")
        cls.addClassCleanup(folder.cleanup)
        users = pathlib.Path(folder.name, "users.txt")
        for user, password in USERS.items():
            scram.add_user(users, user, password)
        scram.add_user(users, "old", "pencil", kind="pbkdf2")
        cls.settings = {"auth.password_file": users, "log.level": "debug", **cls.more_settings}
        super().setUpClass()

    def client(self):
        client = ScramClient(self.broker.port)
        self.addCleanup(client.close)
        return client

    def logged_in(self, user="anna", client_id=None):
        client, exchange = self.client(), Exchange(user, USERS[user])
        answer = client.log_in(exchange, client_id or unique())
        self.assertEqual(answer[:3], (wire.CONNACK, SUCCESS, METHOD))
        exchange.verify(answer.data)
        return client

    def assert_works(self, client):
        topic = unique()
        client.subscribe(topic, 1, version=5)
        client.send(wire.publish(topic, b"x", 1, 7, version=5))
        found = [client.receive() for _ in range(2)]
        self.assertEqual({packet.type for packet in found}, {wire.PUBLISH, wire.PUBACK})
        identifier = next(wire.parse_publish(packet, 5).packet_id for packet in found
                          if packet.type == wire.PUBLISH)
        client.send(wire.acknowledge(wire.PUBACK, identifier))

    def assert_ends(self, client, packet_type, *reasons):
        """One last packet with one of the reasons, and then the end."""
        last = [scram.parse_answer(packet) for packet in client.drain_until_closed()]
        self.assertEqual([answer.type for answer in last], [packet_type], last)
        self.assertIn(last[0].reason, reasons)
        self.assertFalse((last[0].data or b"").startswith(b"v="))

    def assert_refused(self, client, packet_type, *reasons):
        """The end, whatever it is said with; if anything, with one of the reasons."""
        last = [scram.parse_answer(packet) for packet in client.drain_until_closed()]
        self.assertLessEqual(len(last), 1, last)
        for answer in last:
            self.assertEqual(answer.type, packet_type)
            self.assertGreaterEqual(answer.reason, 0x80)
            if reasons:
                self.assertIn(answer.reason, reasons)


@linnet_only
class MqttJs(ScramCase):
    def run_task(self, *words):
        with self.subTest(words):
            run_mqttjs("scram.mjs", self.broker.port, 5, more=words)

    def test_logins(self):
        for user, password in USERS.items():
            self.run_task("login", user, password)

    def test_wrong_logins(self):
        for user, password in (("anna", "Pencil"), ("anna", ""), ("nobody", "pencil"),
                               ("old", "pencil"), ("ANNA", "pencil")):
            self.run_task("refused", user, password)

    def test_other_methods(self):
        for method in ("SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "scram-sha-256", "GS2-KRB5"):
            self.run_task("method", method)

    def test_wrong_the_second_time(self):
        self.run_task("again", "anna", "pencil", "anna", "Pencil")
        self.run_task("again", "anna", "pencil", "bert", USERS["bert"])
        self.run_task("again", "anna", "pencil", "nobody", "pencil")
        self.run_task("again", "anna", "pencil", "old", "pencil")


@linnet_only
class Log(ScramCase):
    """On a broker of its own: what many clients do wrong is not logged line by line."""

    def test_the_log_says_what_clients_do_not_learn(self):
        for user, words in (("anna", ["anna", "wrong"]), ("nobody", ["no user", "nobody"]),
                            ("old", ["old", "linnet passwd --kind scram"])):
            client = self.client()
            self.assertEqual(client.log_in(Exchange(user, "wrong"), unique()).reason, BAD_LOGIN)
            self.assertIsNotNone(self.broker.log.wait_for(client.address, *words), words)


@linnet_only
class Decoys(unittest.TestCase):
    """What a user looks like whom there is none of does not change, like that of one there is."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="linnet-scram-")
        self.addCleanup(folder.cleanup)
        self.data = pathlib.Path(folder.name, "data")
        self.data.mkdir()
        self.users = pathlib.Path(folder.name, "users.txt")
        scram.add_user(self.users, "anna", "pencil")
        self.settings = {"auth.password_file": self.users}

    def shape(self, broker, user):
        client, exchange = ScramClient(broker.port), Exchange(user, "wrong")
        self.addCleanup(client.close)
        answer = client.begin(exchange, unique())
        return [part for part in answer.data.split(b",") if not part.startswith(b"r=")]

    def shapes(self, broker):
        return [self.shape(broker, user) for user in ("anna", "nobody", "no one")]

    def test_they_stay_over_reloads_and_restarts(self):
        with Broker(settings=self.settings, data_dir=self.data) as broker:
            before = self.shapes(broker)
            broker.reload()
            self.assertEqual(self.shapes(broker), before)
        self.assertEqual((self.data / "decoy.secret").stat().st_mode & 0o777, 0o600)
        with Broker(settings=self.settings, data_dir=self.data) as broker:
            self.assertEqual(self.shapes(broker), before)
        anna, nobody, no_one = before
        self.assertEqual(anna[1:], nobody[1:])
        self.assertNotEqual(nobody, no_one)

    def test_without_persistence_they_stay_over_reloads(self):
        settings = {**self.settings, "persistence": "false"}
        with Broker(settings=settings, data_dir=self.data) as broker:
            before = self.shapes(broker)
            broker.reload()
            self.assertEqual(self.shapes(broker), before)
        self.assertFalse((self.data / "decoy.secret").exists())


@linnet_only
class Logins(ScramCase):
    def test_each_answer_names_the_method(self):
        client, exchange = self.client(), Exchange("anna", "pencil", "y,,")
        first = client.begin(exchange, unique())
        self.assertEqual(first[:3], (wire.AUTH, CONTINUE, METHOD))
        client.send(scram.auth(CONTINUE, exchange.final(first.data)))
        last = client.answer()
        self.assertEqual(last[:3], (wire.CONNACK, SUCCESS, METHOD))
        exchange.verify(last.data)
        self.assert_works(client)

    def test_nobody_can_tell_which_users_there_are(self):
        answers = set()
        for user in ("anna", "nobody", "old"):
            client, exchange = self.client(), Exchange(user, "wrong")
            first = client.begin(exchange, "one-and-the-same")
            _, salt, iterations = first.data.decode().split(",")
            client.send(scram.auth(CONTINUE, exchange.final(first.data)))
            last = client.receive()
            self.assertEqual(client.drain_until_closed(), [])
            self.assertEqual(scram.parse_answer(last).reason, BAD_LOGIN)
            answers.add((len(salt), iterations, last))
        self.assertEqual(len(answers), 1, answers)

    def test_salts_of_strangers_stay(self):
        salts = [self.client().begin(Exchange(user, ""), unique()).data.decode().split(",")[1]
                 for user in ("nobody", "nobody", "somebody")]
        self.assertEqual(salts[0], salts[1])
        self.assertNotEqual(salts[0], salts[2])

    def test_a_failed_login_touches_no_session(self):
        client_id = unique()
        first, second = self.logged_in(client_id=client_id), self.client()
        answer = second.log_in(Exchange("anna", "wrong"), client_id)
        self.assertEqual(answer[:2], (wire.CONNACK, BAD_LOGIN))
        self.assert_works(first)

    def test_what_was_overheard_opens_nothing(self):
        heard = Exchange("anna", "pencil")
        client = self.client()
        message = heard.final(client.begin(heard, unique()).data)
        client.send(scram.auth(CONTINUE, message))
        self.assertEqual(client.answer().reason, SUCCESS)
        thief = self.client()
        thief.begin(heard, unique())
        thief.send(scram.auth(CONTINUE, message))
        self.assert_refused(thief, wire.CONNACK)

    def test_messages_that_are_none(self):
        for first in (b"", b"n", b"n,,", b"n,,n=,r=abc", b"n,,n=anna",
                      b"p=tls-exporter,,n=anna,r=x", b"n,a=bert,n=anna,r=abc",
                      b"n,,m=x,n=anna,r=abc", b"n,,n=\xff,r=abc",
                      b"n,,n=anna,r=abc,x=" + b"x" * 5000):
            with self.subTest(first=first[:40]):
                client = self.client()
                client.send(scram.connect(unique(), first))
                self.assert_refused(client, wire.CONNACK)
        for final in (b"", b"c=biws", b"c=biws,r=abc,p=AAAA", b"n,,n=anna,r=abc", b"\0" * 5000):
            with self.subTest(final=final[:40]):
                client = self.client()
                client.begin(Exchange("anna", "pencil"), unique())
                client.send(scram.auth(CONTINUE, final))
                self.assert_refused(client, wire.CONNACK)

    def test_nothing_but_auth_before_connack(self):
        """MQTT-3.1.2-30. Before a good CONNACK there is no DISCONNECT of the server's."""
        others = {"PINGREQ": wire.packet(wire.PINGREQ << 4, b""),
                  "SUBSCRIBE": wire.subscribe("#", version=5),
                  "PUBLISH": wire.publish("t", b"x", version=5),
                  "CONNECT": scram.connect(unique(), b"n,,n=anna,r=abc"),
                  "AUTH 0x19": scram.auth(AGAIN, b"n,,n=anna,r=abc"),
                  "AUTH 0x00": scram.auth(SUCCESS, b"c=biws"),
                  "another method": scram.auth(CONTINUE, b"c=biws", "SCRAM-SHA-1"),
                  "no method": scram.auth(CONTINUE, b"c=biws", None)}
        for name, packet in others.items():
            with self.subTest(name):
                client = self.client()
                client.begin(Exchange("anna", "pencil"), unique())
                client.send(packet)
                self.assert_refused(client, wire.CONNACK)

    def test_a_client_may_give_up(self):
        client = self.client()
        client.begin(Exchange("anna", "pencil"), unique())
        client.send(wire.disconnect())
        self.assertEqual(client.drain_until_closed(), [])

    def test_no_method_no_auth(self):
        """MQTT-4.12.0-6 and 7. The entry is good for a plain password, too."""
        client = self.client()
        client.send(scram.connect(unique(), None, None, "anna", "pencil"))
        self.assertEqual(client.answer(), (wire.CONNACK, SUCCESS, None, None))
        self.assert_works(client)
        client.send(scram.auth(AGAIN, Exchange("anna", "pencil").first()))
        self.assert_ends(client, wire.DISCONNECT, PROTOCOL_ERROR)

    def test_data_without_a_method(self):
        client = self.client()
        client.send(scram.connect(unique(), b"n,,n=anna,r=abc", None, "anna", "pencil"))
        self.assert_refused(client, wire.CONNACK, PROTOCOL_ERROR)


@linnet_only
class Again(ScramCase):
    """A DISCONNECT has no 0x86 and no 0x8C (MQTT-3.14.2-1)."""

    def test_messages_go_on_meanwhile(self):
        client, exchange = self.logged_in(), Exchange("anna", "pencil")
        client.send(scram.auth(AGAIN, exchange.first()))
        first = client.answer()
        self.assertEqual(first[:3], (wire.AUTH, CONTINUE, METHOD))
        self.assert_works(client)
        client.send(scram.auth(CONTINUE, exchange.final(first.data)))
        last = client.answer()
        self.assertEqual(last[:3], (wire.AUTH, SUCCESS, METHOD))
        exchange.verify(last.data)
        self.assert_works(client)

    def test_many_times(self):
        client = self.logged_in()
        for _ in range(3):
            exchange = Exchange("anna", "pencil")
            answer = client.log_in_again(exchange)
            self.assertEqual(answer[:3], (wire.AUTH, SUCCESS, METHOD))
            exchange.verify(answer.data)
        self.assert_works(client)

    def test_wrong_passwords(self):
        client = self.logged_in()
        exchange = Exchange("anna", "wrong")
        client.send(scram.auth(AGAIN, exchange.first()))
        client.send(scram.auth(CONTINUE, exchange.final(client.answer().data)))
        self.assert_ends(client, wire.DISCONNECT, NOT_AUTHORIZED)

    def test_other_users(self):
        """Right password or not: the session is anna's."""
        for user, password in (("bert", USERS["bert"]), ("nobody", "x"), ("old", "pencil")):
            with self.subTest(user):
                client, exchange = self.logged_in(), Exchange(user, password)
                answer = client.log_in_again(exchange)
                self.assertEqual(answer[:2], (wire.DISCONNECT, NOT_AUTHORIZED))
                self.assertEqual(client.drain_until_closed(), [])

    def test_another_method(self):
        """MQTT-4.12.1-1."""
        for method in ("SCRAM-SHA-1", None):
            with self.subTest(method):
                client = self.logged_in()
                client.send(scram.auth(AGAIN, b"n,,n=anna,r=abc", method))
                self.assert_ends(client, wire.DISCONNECT, PROTOCOL_ERROR)

    def test_out_of_turn(self):
        for reason in (CONTINUE, SUCCESS, 0x42):
            with self.subTest(reason):
                client = self.logged_in()
                client.send(scram.auth(reason, b"c=biws,r=abc,p=AAAA"))
                self.assert_ends(client, wire.DISCONNECT, PROTOCOL_ERROR, MALFORMED)

    def test_twice_at_once(self):
        client = self.logged_in()
        client.send(scram.auth(AGAIN, b"n,,n=anna,r=abc"))
        self.assertEqual(client.answer().reason, CONTINUE)
        client.send(scram.auth(AGAIN, b"n,,n=anna,r=abc"))
        self.assert_ends(client, wire.DISCONNECT, PROTOCOL_ERROR)


@linnet_only
class Stalled(ScramCase):
    more_settings = {"limits.connect_timeout": "500ms"}

    def test_a_login_has_an_end(self):
        client = self.client()
        client.begin(Exchange("anna", "pencil"), unique())
        self.assert_refused(client, wire.CONNACK)


if __name__ == "__main__":
    unittest.main()
