"""A service that is asked by HTTP who may connect: its answers, its failures, and what is
remembered."""

import threading
import unittest

from support.broker import WAIT_S, Broker, linnet_only
from support.clients import Client, mosquitto_pub, unique
from support.users import (LET_IN, NOT_AUTHORIZED, UNAVAILABLE, WRONG_LOGIN, Folder, Service,
                           answers, publish_as)

ALLOW, DENY, IGNORE = {"result": "allow"}, {"result": "deny"}, {"result": "ignore"}
MAXIMUM_CONNECT_TIME = 0xA0


def judge(question):
    """The answer is the user's name."""
    user = question["username"]
    return {"anna": (200, {**ALLOW, "cache": 60}), "once": (200, {**ALLOW, "cache": 0}),
            "empty": (204, None), "deny": (200, DENY), "401": (401, None), "403": (403, None),
            "500": (500, ALLOW), "302": (302, ALLOW), "text": (200, "allow"),
            "more": (200, {**ALLOW, "admin": True}), "other": (200, {**ALLOW, "user": "carol"}),
            "short": (200, {**ALLOW, "expires_in": 2}),
            "staff": (200, {**ALLOW, "groups": ["staff"], "acl": [
                {"permission": "allow", "action": "publish", "topic": "acl/${username}"}]}),
            }.get(user, (200, IGNORE))


@linnet_only
class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Folder(cls.addClassCleanup)
        cls.service = Service(judge, cls.addClassCleanup)
        settings = {"auth.http.url": cls.service.url,
                    "auth.http.authorization_file": cls.folder.file("secret", "Bearer 3f9a\nx\n"),
                    "auth.order": "http,password",
                    "auth.password_file": cls.folder.users(bob="secret", deny="secret")}
        config = ('[[auth.rule]]\ngroups = ["staff"]\npublish = ["staff"]\n'
                  '[[auth.rule]]\nusers = ["*"]\npublish = ["${username}", "t"]\n')
        cls.broker = Broker(2, settings, config=config).start()
        cls.addClassCleanup(cls.broker.stop)

    def test_yes_and_no(self):
        for user, expected in (("anna", LET_IN), ("empty", LET_IN), ("other", LET_IN),
                               ("deny", WRONG_LOGIN), ("403", WRONG_LOGIN),
                               ("nobody", WRONG_LOGIN)):
            with self.subTest(user):
                self.assertEqual(answers(self.broker, user, "secret"), expected)

    def test_what_is_not_understood_is_no(self):
        for user in ("401", "500", "302", "text", "more"):
            with self.subTest(user):
                self.assertEqual(answers(self.broker, user, "secret"), UNAVAILABLE)
        self.assertIsNotNone(self.broker.log.wait_for(self.service.url))

    def test_ignore_asks_the_next(self):
        self.assertEqual(answers(self.broker, "bob", "secret"), LET_IN)
        self.assertEqual(answers(self.broker, "bob", "wrong"), WRONG_LOGIN)
        # The service has said no: the password file is not asked any more.
        self.assertEqual(answers(self.broker, "deny", "secret"), WRONG_LOGIN)
        self.assertEqual(answers(self.broker), NOT_AUTHORIZED)

    def test_the_question(self):
        client_id = unique()
        mosquitto_pub(self.broker, "t", "x", "-i", client_id, "-u", "anna", "-P", "grün",
                      version=5)
        question = next(one for one in self.service.questions if one["clientid"] == client_id)
        self.assertEqual(question | {"listener": ""}, {
            "clientid": client_id, "username": "anna", "password": "grün", "address": "127.0.0.1",
            "listener": "", "certificate_cn": "", "protocol": 5})
        self.assertEqual(question["listener"], self.broker.url)
        self.assertEqual(self.service.headers[-1]["Authorization"], "Bearer 3f9a")
        self.assertEqual(self.broker.log.lines("grün"), [])

    def test_what_is_remembered(self):
        for user, count in (("once", 3), ("deny", 3)):
            before = self.service.asked(user)
            for _ in range(3):
                publish_as(self.broker, user, "remember", "-i", "same")
            self.assertEqual(self.service.asked(user) - before, count, user)
        before = self.service.asked("anna")
        for _ in range(5):  # each of the two threads remembers for itself
            done = publish_as(self.broker, "anna", "remember", "-i", "same")
            self.assertEqual(done.returncode, 0)
        self.assertIn(self.service.asked("anna") - before, (1, 2))
        publish_as(self.broker, "anna", "other", "-i", "same")
        self.assertGreaterEqual(self.service.asked("anna") - before, 2)

    def may(self, user, topic):
        done = publish_as(self.broker, user, "secret", version=5, topic=topic)
        self.assertEqual(done.returncode, 0, done.stderr)
        return "Not authorized" not in done.stderr

    def test_name_groups_and_rules(self):
        self.assertTrue(self.may("other", "carol"))
        self.assertFalse(self.may("other", "other"))
        for topic, allowed in (("staff", True), ("acl/staff", True), ("acl/anna", False)):
            self.assertEqual(self.may("staff", topic), allowed, topic)
        self.assertFalse(self.may("anna", "staff"))

    def test_a_session_ends_when_the_service_says(self):
        with Client(self.broker, version=5, login=("short", "x")) as client:
            self.assertEqual(client.wait_for_disconnect(), MAXIMUM_CONNECT_TIME)


@linnet_only
class Failures(unittest.TestCase):
    def test_one_that_does_not_answer(self):
        """Who is asked about is refused; others are served, and who is in stays in."""
        go_on = threading.Event()
        self.addCleanup(go_on.set)

        def answer(question):
            if question["username"] == "slow":
                go_on.wait(WAIT_S)
            return 200, {**ALLOW, "cache": 0}

        service = Service(answer, self.addCleanup)
        settings = {"auth.http.url": service.url, "auth.http.timeout": "300ms"}
        with Broker(1, settings) as broker, \
                Client(broker, version=5, login=("anna", "x")) as client:
            self.assertEqual(answers(broker, "slow", "x"), UNAVAILABLE)
            self.assertEqual(answers(broker, "anna", "x"), LET_IN)
            go_on.set()
            client.publish("t", "x", 1)

    def test_one_that_is_not_there(self):
        service = Service(judge, self.addCleanup)
        service.stop()
        with Broker(1, {"auth.http.url": service.url}) as broker:
            self.assertEqual(answers(broker, "anna", "x"), UNAVAILABLE)
            self.assertIsNotNone(broker.log.wait_for(service.url, "is refused"))


if __name__ == "__main__":
    unittest.main()
