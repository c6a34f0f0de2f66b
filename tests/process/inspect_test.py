"""`linnet status`, `clients`, `sessions`, `kick`, `retained` and `log`: what goes on in a broker that
runs, and setting it right."""

import json
import socket
import struct
import tempfile
import unittest

from support import wire
from support.admin import Admin, linnet
from support.broker import WAIT_S, BrokerCase, linnet_only
from support.clients import Client, MosquittoSub, mosquitto_pub, unique

ADMINISTRATIVE_ACTION = 0x98


class InspectCase(BrokerCase):
    def setUp(self):
        self.admin = Admin(self, self.broker)


@linnet_only
class Lists(InspectCase):
    settings = {"seccomp": "true"}

    def test_status(self):
        with Client(self.broker) as client:
            client.publish(unique(), b"x", 1)
            text = self.admin("status")
            self.assertRegex(text, r"(?m)^health +healthy$")
            self.assertRegex(text, r"(?m)^broker +Linnet [\d.]+, up for .*, 2 threads, in /")
            self.assertRegex(text, r"(?m)^clients +[1-9]\d* connected, ")
            status = self.admin.json("status")
        self.assertTrue(status["ok"])
        self.assertEqual(status["health"], "healthy")
        self.assertEqual(status["threads"], 2)
        self.assertGreater(status["counters"]["publish_received"], 0)
        self.assertEqual(status["listeners"], [self.broker.url])

    def test_clients_and_sessions(self):
        prefix = unique()
        names = [f"{prefix}-{number}" for number in range(5)]
        clients = [Client(self.broker, name, version=5).connect() for name in names[1:]]
        away = Client(self.broker, names[0], clean=False).connect()
        away.subscribe([(f"{prefix}/#", 1), (f"$share/g/{prefix}", 0)])
        away.disconnect()
        mosquitto_pub(self.broker, f"{prefix}/x", "waits", qos=1)
        try:
            text = self.admin("clients", "--after", prefix)
            self.assertEqual([line.split()[0] for line in text.splitlines()][:5],
                             ["CLIENT", *names[1:]])
            self.assertRegex(text, rf"(?m)^{names[1]} +- +127\.0\.0\.1:\d+ +MQTT 5\.0 ")
            listed = self.admin.json("sessions", "--after", prefix, "--limit", "3")
            self.assertEqual([one["client_id"] for one in listed["sessions"]], names[:3])
            self.assertEqual(listed["next"], names[2])
            first = listed["sessions"][0]
            self.assertEqual((first["connected"], first["backlog_messages"], first["expiry_s"]),
                             (False, 1, 2_592_000))  # limits.session_expiry_max
            text = self.admin("sessions", names[0])
            self.assertRegex(text, r"(?m)^connected +no$")
            self.assertRegex(text, rf"(?m)^subscribed +{prefix}/# with QoS 1$")
            self.assertRegex(text, rf"(?m)^subscribed +\$share/g/{prefix} with QoS 0$")
            self.assertIn("there is no session", self.admin("sessions", unique(), code=1))
            # Pages follow each other without a hole.
            everything = self.admin.json("sessions", "--limit", "100000")["sessions"]
            ids = [one["client_id"] for one in everything]
            self.assertEqual(ids, sorted(ids, key=str.encode))
            self.assertLessEqual(set(names), set(ids))
        finally:
            for client in clients:
                client.disconnect()
            self.admin("kick", names[0], "--end-session")

    def test_many_pages(self):
        """More than the broker gives at once."""
        prefix = unique()
        raws = []
        try:
            for number in range(1100):
                raw = wire.RawClient(self.broker.port)
                raws.append(raw)
                raw.send(wire.packet(wire.CONNECT << 4, wire.string("MQTT") + bytes([4, 2]) +
                                     struct.pack("!H", 60) + wire.string(f"{prefix}-{number:04}")))
            for raw in raws:
                raw.expect(wire.CONNACK)
            listed = self.admin.json("clients", "--after", prefix, "--limit", "1100")["sessions"]
            self.assertEqual([one["client_id"] for one in listed],
                             [f"{prefix}-{number:04}" for number in range(1100)])
        finally:
            for raw in raws:
                raw.close()

    def test_names_that_would_drive_a_terminal(self):
        name = f"\x1b[2J\u009b31m\u202e{unique()}"
        with Client(self.broker, name, version=4):
            for arguments in (("clients", "--limit", "1000"), ("sessions", name)):
                text = self.admin(*arguments)
                self.assertNotRegex(text, "[\x1b\u009b\u202e]")
                self.assertIn("\\x1b[2J", text)
            done = linnet("clients", "--json", "--data-dir", self.broker.data_dir,
                          "--limit", "1000")
            self.assertNotRegex(done.stdout, "[\x1b\u009b\u202e]")
            self.assertIn(name, [one["client_id"] for one in json.loads(done.stdout)["sessions"]])
            self.assertEqual(self.admin("kick", name).strip(),
                             "disconnected; its session has ended")

    def test_kick(self):
        will = unique()
        client = Client(self.broker, version=5)
        client.paho.will_set(will, b"gone")
        client.connect()
        with MosquittoSub(self.broker, will) as sub:
            self.assertIn("disconnected", self.admin("kick", client.client_id))
            self.assertEqual(client.wait_for_disconnect(), ADMINISTRATIVE_ACTION)
            self.assertEqual(sub.messages(), [(0, False, will, "gone")])
        self.assertIn("there is no session", self.admin("kick", client.client_id, code=1))
        self.assertIsNotNone(self.broker.log.wait_for(client.client_id, "by an administrator"))

    def test_kick_of_a_kept_session(self):
        client = Client(self.broker, clean=False).connect()
        topic = unique()
        client.subscribe(topic, 1)
        self.assertEqual(self.admin("kick", client.client_id),
                         "disconnected; its session goes on\n")
        client.wait_for_disconnect()
        error = self.admin("kick", client.client_id, code=1)
        self.assertIn("is not connected", error)
        again = Client(self.broker, client.client_id, clean=False).connect()
        self.assertTrue(again.session_present())
        again.disconnect()
        self.assertEqual(self.admin("kick", client.client_id, "--end-session"),
                         "it was not connected; its session has ended\n")
        again = Client(self.broker, client.client_id, clean=False).connect()
        self.assertFalse(again.session_present())
        again.disconnect()
        self.admin("kick", client.client_id, "--end-session")

    def test_retained(self):
        prefix = unique()
        for number in range(3):
            mosquitto_pub(self.broker, f"{prefix}/{number}", f"value {number}", qos=1, retain=True)
        mosquitto_pub(self.broker, f"{prefix}/long", "\x1b[2J" + "x" * 100, qos=1, retain=True)
        text = self.admin("retained", "ls", f"{prefix}/+")
        self.assertRegex(text, rf"(?m)^{prefix}/1 +1 +7 B +value 1$")
        self.assertRegex(text, rf"(?m)^{prefix}/long +1 +104 B +\\x1b\[2Jx+\.\.$")
        listed = self.admin.json("retained", "ls", f"{prefix}/#", "--limit", "2")
        self.assertEqual([one["topic"] for one in listed["messages"]],
                         [f"{prefix}/0", f"{prefix}/1"])
        rest = self.admin.json("retained", "ls", f"{prefix}/#", "--after", listed["next"])
        self.assertEqual([one["topic"] for one in rest["messages"]],
                         [f"{prefix}/2", f"{prefix}/long"])
        with Client(self.broker) as client:
            client.subscribe(f"{prefix}/#")
            client.receive_payloads(4)
            self.assertEqual(self.admin("retained", "rm", f"{prefix}/1"), "erased: 1\n")
            self.assertEqual(client.receive().payload, b"")
        self.assertEqual(self.admin("retained", "rm", f"{prefix}/#"), "erased: 3\n")
        self.assertEqual(self.admin.json("retained", "ls", f"{prefix}/#")["messages"], [])
        self.assertEqual(self.admin("retained", "rm", f"{prefix}/#"), "erased: 0\n")
        self.assertIn("is a topic filter", self.admin("retained", "rm", "a#", code=1))

    def test_a_thousand_retained_messages_are_gone_when_it_says_so(self):
        prefix = unique()
        with Client(self.broker, inflight=500) as client:
            sent = [client.publish_later(f"{prefix}/{number}/x", b"x", 1, retain=True)
                    for number in range(1000)]
            for one in sent:
                client.wait_for_publish(one)
        self.assertEqual(len(self.admin.json("retained", "ls", f"{prefix}/#", "--limit", "5000")
                             ["messages"]), 1000)
        self.assertEqual(self.admin("retained", "rm", f"{prefix}/+/x"), "erased: 1000\n")
        self.assertEqual(self.admin.json("retained", "ls", f"{prefix}/#")["messages"], [])

    def test_log_levels(self):
        client_id = unique()
        with Client(self.broker, client_id):
            pass
        self.assertEqual(self.broker.log.lines(client_id, "has connected"), [])
        try:
            text = self.admin("log", "session=debug", "auth=warn")
            self.assertRegex(text, r"(?m)^session +debug$")
            self.assertRegex(text, r"(?m)^auth +warn$")
            self.assertRegex(text, r"(?m)^store +default$")
            with Client(self.broker, client_id) as client:
                line = self.broker.log.wait_for(client_id, "has connected")
            self.assertIn(f'client "{client.client_id}" (127.0.0.1:', line)
            self.assertEqual(self.admin.json("log")["levels"]["session"], "debug")
        finally:
            self.admin("log", "session=default", "auth=default")
        self.assertEqual(self.admin.json("log")["levels"]["session"], "default")
        self.assertIn("no room \"nothing\"", self.admin("log", "nothing=info", code=1))
        self.assertIn("the level of auth", self.admin("log", "auth=loud", code=1))
        self.assertEqual(linnet("log", "auth").returncode, 2)

    def test_strangers_requests(self):
        """The socket itself, spoken to by hand."""
        for request, error in ((b'{"command":"kick"}', "client_id"),
                               (b'{"command":"clients","limit":0}', "limit"),
                               (b'{"command":"clients","limit":"x"}', "limit"),
                               (b'{"command":"sessions","after":7}', "after"),
                               (b'{"command":"trace"}', "filter"),
                               (b'{"command":"trace","filter":"a#"}', "filter"),
                               (b'{"command":"top","interval_ms":1}', "interval_ms"),
                               (b'{"command":"retained.list"}', "filter"),
                               (b'{"command":"log","levels":[]}', "levels")):
            with self.subTest(request), socket.socket(socket.AF_UNIX) as raw:
                raw.settimeout(WAIT_S)
                raw.connect(f"{self.broker.data_dir}/control.sock")
                raw.sendall(request + b"\n")
                answer = json.loads(raw.makefile().readline())
                self.assertFalse(answer["ok"])
                self.assertIn(error, answer["error"])


@linnet_only
class WithoutBroker(unittest.TestCase):
    def test_nobody_answers(self):
        with tempfile.TemporaryDirectory() as folder:
            for arguments in (("status",), ("clients",), ("sessions",), ("kick", "x"), ("log",),
                              ("retained", "ls"), ("retained", "rm", "#"), ("top",),
                              ("trace", "--client", "x")):
                with self.subTest(arguments):
                    done = linnet(*arguments, "--data-dir", folder)
                    self.assertEqual((done.returncode, done.stdout), (1, ""))
                    self.assertIn("no broker runs here", done.stderr)
                    done = linnet(*arguments, "--data-dir", folder, "--json")
                    self.assertFalse(json.loads(done.stdout)["ok"])
        done = linnet("status", "--set", "persistence=false")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no control socket", done.stderr)
        self.assertEqual(linnet("status", "--set", "nonsense=1").returncode, 2)
        self.assertEqual(linnet("trace").returncode, 2)

    def test_help_has_examples(self):
        for command in (["status"], ["clients"], ["sessions"], ["kick"], ["retained", "ls"],
                        ["retained", "rm"], ["top"], ["trace"], ["log"]):
            with self.subTest(command):
                text = linnet(*command, "--help").stdout
                self.assertIn("Examples:\n  linnet " + " ".join(command), text)
                for option in ("--json", "--data-dir", "--config", "--set"):
                    self.assertIn(option, text)


if __name__ == "__main__":
    unittest.main()
