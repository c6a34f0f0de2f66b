"""What clients may do: messages, subscriptions and Wills that rules deny, and what is told."""

import unittest

from support.broker import BrokerCase, linnet_only
from support.clients import Client, make_properties, unique
from support.users import Folder, publish_as

NOT_AUTHORIZED = 0x87
CONFIG = """
[[auth.user]]
name = "anna"
groups = ["staff"]

[[auth.group]]
name = "staff"
roles = ["operator"]

[[auth.rule]]
users = ["admin"]
topics = ["#"]

[[auth.rule]]
effect = "deny"
topics = ["+/secret/#"]

[[auth.rule]]
roles = ["operator"]
publish = ["plant/+/set"]
retain = "never"

[[auth.rule]]
shared = "never"
users = ["*"]
subscribe = ["plant/#", "${username}/#"]

[[auth.rule]]
users = ["*"]
publish = ["${username}/#", "open/${clientid}"]

[[auth.rule]]
subscribe = ["slow/#"]
qos_max = 1

[[auth.rule]]
shared = "only"
subscribe = ["jobs/#"]
"""
ACL = """\
topic read lobby

user bob
topic readwrite garden/#
topic deny garden/shed

pattern write in/%u/%c
"""


class RulesCase(BrokerCase):
    config = CONFIG

    @classmethod
    def setUpClass(cls):
        folder = Folder(cls.addClassCleanup)
        logins = {user: "x" for user in ("admin", "anna", "bob")}
        cls.settings = {"auth.password_file": folder.users(**logins), "allow_anonymous": "true",
                        "auth.acl_file": folder.file("acl", ACL)}
        super().setUpClass()

    def client(self, user=None, client_id=None, version=5, **more):
        client = Client(self.broker, client_id or unique(), version,
                        login=(user, "x") if user else None, **more)
        self.addCleanup(client.disconnect)
        return client


@linnet_only
class Messages(RulesCase):
    def test_what_is_denied_does_not_arrive(self):
        """Acknowledged and dropped in MQTT 3; in MQTT 5 its sender is told."""
        with self.client("admin") as reader:
            reader.subscribe("plant/#", 2)
            for version in (3, 4, 5):
                with self.client("bob", version=version) as sender:
                    for qos in (0, 1, 2):
                        with self.subTest(version=version, qos=qos):
                            sender.publish("plant/1/set", "denied", qos)
                            sender.publish("bob/x", "x", qos)
            with self.client("anna") as sender:
                sender.publish("plant/1/set", "end", 1)
            self.assertEqual(reader.receive_until(b"end"), [])

    def test_the_code_of_mqtt_5(self):
        for version, told in ((4, False), (5, True)):
            done = publish_as(self.broker, "bob", "x", version=version, topic="plant/1/set")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual("Not authorized" in done.stderr, told, done.stderr)

    def test_roles_and_retain(self):
        for more, told in (((), False), (("-r",), True)):
            done = publish_as(self.broker, "anna", "x", *more, version=5, topic="plant/1/set")
            self.assertEqual("Not authorized" in done.stderr, told, done.stderr)

    def test_the_log_names_all(self):
        name = unique()
        done = publish_as(self.broker, "bob", "x", "-i", name, version=5, topic="a/secret/b")
        self.assertEqual(done.returncode, 0)
        line = self.broker.log.wait_for(name, '"bob"', '"a/secret/b"')
        self.assertIsNotNone(line)
        self.assertRegex(line, r"must not publish to .*linnet-test\.toml:\d+")

    def test_names_do_not_become_wildcards(self):
        name = unique()
        for client_id, topic, told in ((name, f"open/{name}", False), (name, "open/x", True),
                                       ("+", "open/x", True), ("#", "open/#x", True)):
            done = publish_as(self.broker, "bob", "x", "-i", client_id, version=5,
                              topic=topic.replace("#", ""))
            self.assertEqual("Not authorized" in done.stderr, told, (client_id, topic))

    def test_the_acl_file_comes_last(self):
        name = unique()
        for topic, told in (("garden/x", False), ("garden/shed", True), ("garden/secret/x", True),
                            (f"in/bob/{name}", False), ("in/bob/x", True), ("in/anna/x", True)):
            done = publish_as(self.broker, "bob", "x", "-i", name, version=5, topic=topic)
            self.assertEqual("Not authorized" in done.stderr, told, topic)


@linnet_only
class Subscriptions(RulesCase):
    def test_what_is_granted(self):
        for version, denied in ((3, 0x80), (4, 0x80), (5, NOT_AUTHORIZED)):
            with self.subTest(version=version), self.client("bob", version=version) as client:
                for topic_filter, expected in (
                        ("bob/#", 2), ("anna/#", denied), ("plant/secret/#", denied),
                        ("slow/x", 1), ("#", 1), ("$SYS/#", denied), ("lobby", denied),
                        ("$share/g/plant/#", denied), ("$share/g/jobs/x", 2),
                        ("$share/g/jobs/#", denied)):  # some of it: jobs/secret/#
                    self.assertEqual(client.subscribe(topic_filter, 2), [expected], topic_filter)
                self.assertEqual(client.subscribe([("anna/#", 1), ("bob/x", 1)]), [denied, 1])
        with self.client() as nobody:
            self.assertEqual(nobody.subscribe("lobby", 1), [1])
            self.assertEqual(nobody.subscribe("plant/#", 1), [NOT_AUTHORIZED])

    def test_part_of_a_filter(self):
        """Live, retained and queued messages: only what may be received is sent."""
        own, name = unique(), unique()
        with self.client("admin") as admin:
            for topic in (f"plant/{own}", f"plant/secret/{own}", f"anna/{own}"):
                admin.publish(topic, "retained", 1, retain=True)
                self.addCleanup(publish_as, self.broker, "admin", "x", "-r", "-n", topic=topic)
            with self.client("bob", name, version=4, clean=False) as bob:
                bob.subscribe("#", 1)
                admin.publish("plant/1", "live", 1)
                admin.publish("plant/secret/1", "live", 1)
                admin.publish("anna/1", "live", 1)
                admin.publish("bob/end", "end 1", 1)
                topics = [one.topic for one in bob.receive_until(b"end 1")]
                self.assertEqual(set(topics) & {f"plant/{own}", f"plant/secret/{own}",
                                                f"anna/{own}"}, {f"plant/{own}"})
                self.assertEqual([one for one in topics if one.endswith("/1")], ["plant/1"])
            for topic in ("plant/secret/2", "plant/2", "anna/2", "bob/2"):
                admin.publish(topic, "queued", 1)
            admin.publish("bob/end", "end 2", 1)
            with self.client("bob", name, version=4, clean=False) as bob:
                topics = [one.topic for one in bob.receive_until(b"end 2")]
            self.assertEqual(topics, ["plant/2", "bob/2"])


@linnet_only
class Wills(RulesCase):
    def test_a_will_that_is_denied(self):
        for version, refused in ((4, 5), (5, NOT_AUTHORIZED)):
            for topic, expected in (("bob/will", 0), ("anna/will", refused),
                                    ("bob/secret/will", refused)):
                with self.subTest(version=version, topic=topic):
                    client = self.client("bob", version=version)
                    client.paho.will_set(topic, "gone", 1)
                    self.assertEqual(client.start().reason(), expected)
                    client.disconnect()

    def test_a_will_that_is_allowed_comes(self):
        with self.client("admin") as admin:
            admin.subscribe("bob/#", 1)
            client = self.client("bob")
            client.paho.will_set("bob/will", "gone", 1)
            client.connect().drop()
            self.assertEqual(admin.receive().payload, b"gone")


@linnet_only
class Owners(RulesCase):
    def test_another_users_session_is_not_found(self):
        name = unique()
        forever = make_properties("CONNECT", SessionExpiryInterval=600)
        with self.client("bob", name, properties=forever, clean=False) as bob:
            bob.subscribe("bob/#", 1)
        other = self.client("anna", name, properties=forever, clean=False)
        self.assertEqual(other.start().reason(), NOT_AUTHORIZED)
        with self.client("bob", name, properties=forever, clean=False) as bob:
            self.assertTrue(bob.session_present())


if __name__ == "__main__":
    unittest.main()
