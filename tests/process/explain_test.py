"""`linnet explain`: what it says of rules, and that an acl_file means what it means to Mosquitto."""

import json
import os
import pathlib
import random
import struct
import subprocess
import tempfile
import unittest

from support import wire
from support.broker import WAIT_S, Log, free_port, linnet_binary, linnet_only

RULES = """
[[auth.user]]
name = "alice"
groups = ["staff"]

[[auth.group]]
name = "staff"
roles = ["operator"]

[[auth.rule]]
effect = "deny"
topics = ["plant/secret/#"]

[[auth.rule]]
users = ["bob"]
topics = ["#"]

[[auth.rule]]
roles = ["operator"]
retain = "never"
publish = ["plant/+/set"]

[[auth.rule]]
subscribe = ["plant/#", "own/${clientid}/${cert.cn}"]
qos_max = 1
"""

ACL = """\
# Before the first user: anonymous clients
topic read open/#
topic deny open/closed
topic readwrite with spaces
topic write a b c

user alice
topic readwrite home/#
topic deny home/+/lock
  topic   read   sensors/+/value  \r
user alice smith
topic write home/x

user bob
topic read deep
topic read
topic write $x/bob
user alice
topic deny home/x

pattern deny open/never
pattern read open/%u
pattern write dev-%c/in/%u%c
pattern write %u/home
pattern read %%c
"""
CLIENTS = (None, "c1"), ("alice", "c1"), ("alice smith", "c2"), ("bob", "c2"), ("a+b", "c1"), \
    ("bob", "c#")
TOPICS = ("open", "open/a", "open/closed", "open/never", "open/bob", "with spaces", "a b c", "home",
          "home/x", "home/x/lock", "sensors/1/value", "deep", "read", "$x/bob", "dev-c1/in/alicec1",
          "dev-c2/in/bobc2", "alice/home", "%c2", "%cc2", "nothing")
LEVELS = ("a", "b", "+", "x")


def random_acl(seed):
    choice = random.Random(seed).choice
    lines = []
    for _ in range(14):
        line = choice(["topic", "topic", "pattern", "user"])
        if line == "user":
            lines += [f"user {choice(['alice', 'bob'])}"]
            continue
        levels = [choice(LEVELS) for _ in range(choice([1, 2, 2]))]
        if line == "pattern" and choice([True, False]):
            levels[0] = choice(["%c", "b%c"])
        if choice([True, False, False]):
            levels += ["#"]
        lines += [f"{line} {choice(['read', 'write', 'readwrite', 'deny'])} {'/'.join(levels)}"]
    return "\n".join(lines) + "\n"


RANDOM_CLIENTS = (None, "a"), ("alice", "b"), ("bob", "c")
RANDOM_TOPICS = ("a", "b", "a/b", "b/a", "bb/x", "a/b/x", "x/x/a", "c")


class Mosquitto:
    """Debian's, with an acl_file in which the user "publisher" may do all."""

    def __init__(self, folder, acl):
        path = pathlib.Path(folder, "acl")
        path.write_text(acl)
        path.chmod(0o644)
        for _ in range(5):
            self.port = free_port()
            conf = pathlib.Path(folder, "mosquitto.conf")
            conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                            f"acl_file {path}\nuser root\n")
            self._process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", str(conf)],
                                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                             stderr=subprocess.STDOUT)
            log = Log(self._process.stdout)
            if log.wait_for(" running"):
                return
            self._process.kill()
            self._process.wait()
        raise RuntimeError(f"Mosquitto did not start:\n{log.text()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def client(self, user, client_id):
        flags = 2 | (0x80 if user is not None else 0)
        body = wire.string("MQTT") + bytes([5, flags]) + struct.pack("!H", 60) + b"\0"
        body += wire.string(client_id) + (wire.string(user) if user is not None else b"")
        client = wire.RawClient(self.port)
        client.send(wire.packet(wire.CONNECT << 4, body))
        answer = client.expect(wire.CONNACK)
        assert answer.body[1] == 0, answer
        return client


def publish(client, topic):
    """Whether it was let through."""
    client.send(wire.publish(topic, b"x", qos=1, version=5))
    while True:
        answer = client.receive()
        if answer.type == wire.PUBACK:
            return len(answer.body) < 3 or answer.body[2] < 0x80


def receives(client, publisher, topic):
    client.subscribe(topic, version=5)
    assert publish(publisher, topic)
    client.send(wire.packet(wire.PINGREQ << 4, b""))
    found = False
    while True:
        answer = client.receive()
        if answer.type == wire.PINGRESP:
            return found
        found = found or answer.type == wire.PUBLISH


class ExplainCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="linnet-explain-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o755)
        self.config = pathlib.Path(self.folder, "linnet.toml")

    def run_explain(self, *arguments):
        return subprocess.run([linnet_binary(), "explain", "--config", self.config, *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=WAIT_S)

    def ask(self, *arguments):
        done = self.run_explain("--json", *arguments)
        self.assertEqual(done.stderr, "")
        answer = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if answer["verdict"] == "denied" else 0)
        return answer


@linnet_only
class Explain(ExplainCase):
    def setUp(self):
        super().setUp()
        self.config.write_text(RULES)

    def test_allowed_by_a_role(self):
        answer = self.ask("--user", "alice", "publish", "plant/1/set")
        self.assertEqual(answer["verdict"], "allowed")
        self.assertEqual(answer["rule"], {"number": 3, "place": f"{self.config}:18",
                                          "text": 'allow roles "operator" publish "plant/+/set" '
                                                  "retain never"})
        self.assertEqual((answer["groups"], answer["roles"]), (["staff"], ["operator"]))
        self.assertEqual([(rule["number"], rule["look"]) for rule in answer["looked_at"]],
                         [(1, "topic"), (3, "decides")])
        self.assertEqual(answer["others"], 1)

    def test_denied(self):
        for arguments, looks in (
                (("publish", "plant/1/set"), ["topic", "topic"]),
                (("--group", "staff", "publish", "plant/1/set", "--retain"),
                 ["topic", "retain", "topic"]),
                (("receive", "plant/1", "--qos", "2"), ["topic", "qos"])):
            with self.subTest(arguments):
                answer = self.ask(*arguments)
                self.assertEqual((answer["verdict"], answer["rule"], answer["reason"]),
                                 ("denied", None, "no rule matches"))
                self.assertEqual([rule["look"] for rule in answer["looked_at"]], looks)

    def test_subscriptions(self):
        for topic, verdict, qos in (("plant/1/#", "allowed", 1), ("plant/#", "partly", 1),
                                    ("$share/g/plant/1", "allowed", 1), ("other", "denied", 0),
                                    ("own/c/n", "allowed", 1), ("own/d/n", "denied", 0)):
            with self.subTest(topic):
                answer = self.ask("--clientid", "c", "--cert-cn", "n", "subscribe", topic)
                self.assertEqual((answer["verdict"], answer["qos_max"]), (verdict, qos))

    def test_text(self):
        done = self.run_explain("--user", "alice", "publish", "plant/secret/set")
        self.assertEqual(done.returncode, 1)
        place = f"rule 1 ({self.config}:10)"
        self.assertEqual(done.stdout.splitlines(), [
            "denied: alice may not publish to plant/secret/set",
            f'by {place}: deny topics "plant/secret/#"',
            "groups: staff", "roles: operator", "rules that were looked at:",
            f'  {place}: deny topics "plant/secret/#"', "    it decides"])
        done = self.run_explain("subscribe", "plant/#")
        self.assertEqual(done.returncode, 0)
        self.assertIn("partly: an anonymous client may subscribe with plant/#, and gets the "
                      "messages of those of its topics that it may receive; with QoS 1 at most\n",
                      done.stdout)

    def test_wrong_usage(self):
        for arguments in ((), ("publish",), ("publish", "a/#"), ("publish", ""),
                          ("subscribe", "a#"), ("subscribe", "$share/g"),
                          ("publish", "a", "--qos", "3"), ("receive", "a", "--retain"),
                          ("fly", "a")):
            with self.subTest(arguments):
                done = self.run_explain(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertNotEqual(done.stderr, "")

    def test_wrong_files(self):
        acl = pathlib.Path(self.folder, "acl")
        acl.write_text("topic read a\nnonsense\nuser\n")
        self.config.write_text(f'auth.acl_file = "{acl}"\n[[auth.rule]]\ntopics = ["a#"]\n')
        done = self.run_explain("publish", "a")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        starts = [f"{self.config}:2: auth.rule.topics: ", f"{acl}:2: ", f"{acl}:3: "]
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), len(starts))
        for line, start in zip(lines, starts):
            self.assertTrue(line.startswith(start), line)

    def test_without_rules(self):
        self.config.write_text("")
        self.assertEqual(self.ask("publish", "a")["reason"], "there are no rules")


@linnet_only
class LikeMosquitto(ExplainCase):
    def compare(self, acl, clients, topics):
        acl += "user publisher\ntopic #\ntopic $x/#\n"
        allowed = 0
        with Mosquitto(self.folder, acl) as mosquitto, \
                mosquitto.client("publisher", "p") as publisher:
            self.config.write_text(f'auth.acl_file = "{self.folder}/acl"\n')
            for user, client_id in clients:
                who = ["--clientid", client_id, *(["--user", user] if user is not None else [])]
                for topic in topics:
                    with mosquitto.client(user, client_id) as client:
                        theirs = publish(client, topic), receives(client, publisher, topic)
                    ours = tuple(self.ask(*who, action, topic)["verdict"] == "allowed"
                                 for action in ("publish", "receive"))
                    self.assertEqual(ours, theirs, f"{user} {client_id} {topic}\n{acl}")
                    allowed += sum(ours)
        self.assertGreater(allowed, 0)

    def test_by_hand(self):
        self.compare(ACL, CLIENTS, TOPICS)

    def test_random(self):
        for seed in range(6):
            with self.subTest(seed):
                self.compare(random_acl(seed), RANDOM_CLIENTS, RANDOM_TOPICS)

    def test_an_empty_file(self):
        """It denies all that it does not allow."""
        self.compare("", CLIENTS[:2] + (("publisher", "c"),), ("a",))


if __name__ == "__main__":
    unittest.main()
