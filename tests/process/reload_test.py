"""SIGHUP and `linnet reload`: a changed configuration takes effect, all of it or nothing."""

import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import types
import unittest

from support import certificates, wire
from support.broker import WAIT_S, Broker, free_port, linnet_binary, linnet_only
from support.certificates import RawTls, put
from support.clients import (Client, MosquittoSub, mosquitto_pub, tool_arguments, unique)

SUCCESS, NOT_AUTHORIZED = 0, 0x87
PROXY_LINE = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n"


def linnet(*arguments):
    """A finished `linnet …`."""
    return subprocess.run([linnet_binary(), *map(str, arguments)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=3 * WAIT_S)


def password_line(user, password):
    """As mosquitto_passwd writes it."""
    salt = os.urandom(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101, 64)
    salt_text, key_text = (base64.b64encode(data).decode() for data in (salt, key))
    return f"{user}:$7$101${salt_text}${key_text}\n"


class FileBroker(Broker):
    """A broker with a file of its own, which write() replaces: keys like "limits.packet_size_max",
    listeners beside that of every test, and whatever TOML comes last."""

    def __init__(self, folder, threads=2, more=(), **file):
        super().__init__(threads)
        self.path = pathlib.Path(folder, "linnet.toml")
        self._file, self._more = file, more

    def _command(self):
        self.write(**self._file)
        command = [linnet_binary(), "run", "--config", str(self.path), "--data-dir", self.data_dir]
        for setting in [f"threads={self.threads}", *self._more,
                        *os.environ.get("LINNET_SETTINGS", "").split()]:
            command += ["--set", setting]
        return command

    def write(self, keys=None, listeners=(), text="", own=True):
        lines = [f"{key} = {json.dumps(value)}" for key, value in (keys or {}).items()]
        for listener in [*([{"url": self.url}] if own else []), *listeners]:
            lines += ["[[listener]]", *(f"{key} = {json.dumps(listener[key])}" for key in listener)]
        self.path.write_text("\n".join([*lines, text, ""]))

    def command(self, *arguments, code=0):
        """What `linnet reload` says, on standard output or, if it fails, on standard error."""
        done = linnet("reload", "--data-dir", self.data_dir, *arguments)
        if done.returncode != code:
            raise AssertionError(f"{done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout if code == 0 else done.stderr

    def report(self, **file):
        """That of `linnet reload` after write()."""
        self.write(**file)
        return json.loads(self.command("--json"))


def door_of(report, scheme="mqtt"):
    """Where the listener is that a report tells of as new."""
    for line in report["changed"]:
        if found := re.fullmatch(rf"listener {scheme}://127\.0\.0\.1:(\d+)\S*: is new", line):
            return types.SimpleNamespace(host="127.0.0.1", port=int(found[1]))
    raise AssertionError(f"no new listener: {report}")


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), WAIT_S).close()
        return False
    except ConnectionRefusedError:
        return True


@linnet_only
class ReloadCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="linnet-reload-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.topic = unique()

    def broker(self, **options):
        return FileBroker(self.folder, **options)

    def client(self, broker, **options):
        client = Client(broker, version=5, **options).connect()
        self.addCleanup(client.disconnect)
        return client

    def assert_works(self, client, topic=None):
        topic = topic or self.topic
        client.subscribe(topic, 1)
        client.publish(topic, b"still here", 1)
        self.assertEqual(client.receive().payload, b"still here")


class Access(ReloadCase):
    def user(self, broker, name):
        client = Client(broker, version=5)
        client.paho.username_pw_set(name, "secret")
        client.start()
        self.addCleanup(client.disconnect)
        return client

    def test_users(self):
        users = self.folder / "users.txt"
        lines = {name: password_line(name, "secret") for name in ("alice", "bob", "carol")}
        users.write_text(lines["alice"] + lines["bob"])
        with self.broker(keys={"auth.password_file": str(users)}) as broker:
            alice, bob = self.user(broker, "alice"), self.user(broker, "bob")
            self.assertEqual((alice.reason(), bob.reason()), (SUCCESS, SUCCESS))
            self.assertNotEqual(self.user(broker, "carol").reason(), SUCCESS)
            users.write_text(lines["alice"] + lines["carol"])
            lines_of_log = "\n".join(broker.reload())
            self.assertIn("auth.password_file: users are read again", lines_of_log)
            self.assertEqual(bob.wait_for_disconnect(), NOT_AUTHORIZED)
            self.assertNotEqual(self.user(broker, "bob").reason(), SUCCESS)
            self.assertEqual(self.user(broker, "carol").reason(), SUCCESS)
            self.assert_works(alice)
            self.assertNotIn("$7$", lines_of_log)

    def test_who_was_anonymous(self):
        users = self.folder / "users.txt"
        users.write_text(password_line("alice", "secret"))
        with self.broker() as broker:
            nameless = self.client(broker)
            report = broker.report(keys={"auth.password_file": str(users)})
            self.assertIn(f'auth.password_file: "" -> "{users}"', report["changed"])
            self.assertEqual(nameless.wait_for_disconnect(), NOT_AUTHORIZED)

    def test_rules(self):
        def rules(subscribe, publish):
            return f"[[auth.rule]]\nsubscribe = {subscribe}\n[[auth.rule]]\npublish = {publish}\n"

        with self.broker(text=rules(["a/#", "b/#"], ["a/#", "b/#", "c/#"])) as broker:
            receiver, sender = self.client(broker), self.client(broker)
            receiver.subscribe([("a/#", 1), ("b/#", 1)])
            sender.publish("b/x", b"before", 1)
            self.assertEqual(receiver.receive().payload, b"before")
            with wire.RawClient(broker.port) as raw:
                raw.connect(unique(), version=5)
                raw.send(wire.publish("c/x", b"1", 1, version=5))
                # Success, or that nobody has subscribed.
                self.assertLess((raw.expect(wire.PUBACK).body[2:3] or b"\0")[0], 0x80)
                broker.write(text=rules(["a/#"], ["a/#", "b/#"]))
                broker.command()
                raw.send(wire.publish("c/x", b"1", 1, version=5))
                self.assertEqual(raw.expect(wire.PUBACK).body[2], NOT_AUTHORIZED)
            sender.publish("b/x", b"after", 1)
            sender.publish("a/x", b"fence", 1)
            self.assertEqual(receiver.receive_until(b"fence"), [])
            self.assertEqual(receiver.subscribe("b/#", 1), [NOT_AUTHORIZED])

    def test_acl_file(self):
        acl = self.folder / "acl.txt"
        acl.write_text("topic readwrite a/#\n")
        with self.broker(keys={"auth.acl_file": str(acl)}) as broker:
            client = self.client(broker)
            self.assertEqual(client.subscribe("b/#", 1), [NOT_AUTHORIZED])
            acl.write_text("topic readwrite b/#\n")
            self.assertIn("auth.acl_file: rules are read again", broker.command())
            self.assert_works(client, "b/x")


class Settings(ReloadCase):
    def test_limits(self):
        with self.broker(keys={"limits.packet_size_max": "1KiB"}) as broker:
            old = self.client(broker)
            self.assertEqual(old.connack[2].MaximumPacketSize, 1024)
            report = broker.report(keys={"limits.packet_size_max": "64KiB"})
            self.assertEqual(report["changed"], ['limits.packet_size_max: "1KiB" -> "64KiB"'])
            with Client(broker, version=4) as client:
                client.subscribe(self.topic, 1)
                client.publish(self.topic, b"x" * 5000, 1)
                self.assertEqual(len(client.receive().payload), 5000)
            self.assertEqual(self.client(broker).connack[2].MaximumPacketSize, 65536)
            self.assert_works(old)

    def test_what_a_client_was_told_holds(self):
        with self.broker() as broker, wire.RawClient(broker.port) as raw:
            raw.connect(unique(), version=5)
            broker.report(keys={"limits.receive_maximum": 1, "limits.topic_alias_max": 0,
                                "limits.packet_size_max": "1KiB"})
            alias = b"\x23\0\x05"
            raw.send(*(wire.publish("t", b"x" * 5000, 1, number, 5, alias)
                       for number in range(1, 51)))
            for _ in range(50):
                raw.expect(wire.PUBACK)

    def test_connections_max(self):
        def let_in():
            client = Client(broker, version=5).start()
            self.addCleanup(client.disconnect)
            return client.connack is not None and client.reason() == SUCCESS

        with self.broker(keys={"limits.connections_max": 1}) as broker:
            self.assertEqual([let_in(), let_in()], [True, False])
            broker.report(keys={"limits.connections_max": 3})
            self.assertEqual([let_in(), let_in(), let_in()], [True, True, False])
            broker.report(keys={"limits.connections_max": 2})
            self.assertFalse(let_in())

    def test_log_level(self):
        with self.broker() as broker:
            before = len(broker.log.lines("reload"))
            broker.report(keys={"log.level": "error"})
            broker.report(keys={"log.level": "error", "limits.inflight_max": 10})
            self.assertEqual(len(broker.log.lines("reload")), before)
            broker.write()
            self.assertIn('log.level: "error" -> "info"', "\n".join(broker.reload()))

    def test_sys_interval(self):
        with self.broker(keys={"sys_interval": "never"}) as broker:
            client = self.client(broker)
            client.subscribe("$SYS/broker/uptime", 0)
            broker.report(keys={"sys_interval": "1s"})
            client.receive()
            broker.report(keys={"sys_interval": "never"})
            client.unsubscribe("$SYS/broker/uptime")
            self.assert_works(client)

    def test_what_needs_a_restart(self):
        with self.broker(more=["persistence=true"]) as broker:
            keys = {"limits.store_size_max": "1GiB", "log.format": "json",
                    "limits.inflight_max": 10}
            for changed in (["limits.inflight_max: 100 -> 10"], []):
                report = broker.report(keys=keys)
                self.assertTrue(report["applied"])
                self.assertEqual(report["changed"], changed)
                self.assertEqual(sorted(report["needs_restart"]), [
                    'limits.store_size_max: "16GiB" -> "1GiB"', 'log.format: "text" -> "json"'])
            self.assertIn("needs a restart: log.format", broker.command())
            self.assertEqual(broker.report()["needs_restart"], [])

    def test_what_the_command_line_says_stays(self):
        with self.broker(more=["limits.inflight_max=7"]) as broker:
            self.assertEqual(broker.report(keys={"limits.inflight_max": 10})["changed"], [])


class Listeners(ReloadCase):
    def test_one_comes_and_goes(self):
        for threads in (1, 3):
            with self.subTest(threads), self.broker(threads=threads) as broker:
                path = str(self.folder / "mqtt.sock")
                report = broker.report(listeners=[{"url": "mqtt://127.0.0.1:0"},
                                                  {"url": f"unix:{path}"}])
                door = door_of(report)
                clients = [self.client(door) for _ in range(8)]
                mosquitto_pub(types.SimpleNamespace(port=0, path=path), self.topic, "x", qos=1)
                report = broker.report()
                self.assertIn(f"listener mqtt://127.0.0.1:{door.port}: is closed; its connections "
                              "stay", report["changed"])
                self.assertTrue(refuses(door.port))
                self.assertFalse(os.path.exists(path))
                for client in clients:
                    self.assert_works(client, unique())
                # What the clients came through is forgotten by the reloads after their end.
                for client in clients:
                    client.disconnect()
                for _ in range(3):
                    self.assertEqual(broker.report()["changed"], [])
                mosquitto_pub(broker, self.topic, "x", qos=1)

    def test_its_settings_change(self):
        url = f"mqtt://127.0.0.1:{free_port()}"
        door = types.SimpleNamespace(host="127.0.0.1", port=int(url.rsplit(":", 1)[1]))
        with self.broker(listeners=[{"url": url}]) as broker:
            old = self.client(door)
            report = broker.report(listeners=[{"url": url, "deny": ["127.0.0.0/8"]}])
            self.assertEqual(report["changed"], [f'listener {url}: deny: [] -> ["127.0.0.0/8"]'])
            with wire.RawClient(door.port) as raw:
                self.assertEqual(raw.drain_until_closed(), [])
            self.assert_works(old)
            for _ in range(5):  # one entrance after the other
                broker.report(listeners=[{"url": url}])
                newer = self.client(door)
                broker.report(listeners=[{"url": url, "deny": ["127.0.0.1"]}])
                self.assert_works(newer, unique())
                newer.disconnect()
            self.assert_works(old)

    def test_anonymous_clients_are_asked_again(self):
        keys = {"url": "mqtt://127.0.0.1:0", "proxy_protocol": True,
                "trusted_proxies": ["127.0.0.1"], "allow_anonymous": True}
        with self.broker() as broker:
            door = door_of(broker.report(listeners=[keys]))
            with wire.RawClient(door.port) as first, wire.RawClient(door.port) as second:
                first.send(PROXY_LINE)
                first.connect(unique(), version=5)
                broker.report(listeners=[{**keys, "deny": ["203.0.113.0/24"]}])
                second.send(PROXY_LINE)
                second.connect(unique(), version=5)
                broker.report(listeners=[{**keys, "allow_anonymous": False}])
                for raw in (first, second):
                    self.assertEqual([packet.type for packet in raw.drain_until_closed()],
                                     [wire.DISCONNECT])

    def test_its_protocol_changes_while_clients_come(self):
        """The port is never closed, not for a moment."""
        done, failures, count = threading.Event(), [], [0]

        def keep_connecting():
            while not done.is_set():
                try:
                    with wire.RawClient(broker.port) as raw:
                        raw.connect(unique())
                        count[0] += 1
                except (AssertionError, OSError, wire.Closed) as failure:
                    failures.append(failure)

        with self.broker() as broker:
            url = f"any://127.0.0.1:{broker.port}"
            comer = threading.Thread(target=keep_connecting)
            comer.start()
            try:
                for _ in range(10):
                    report = broker.report(listeners=[{"url": url}], own=False)
                    self.assertEqual(report["changed"],
                                     [f'listener {broker.url}: url: "{broker.url}" -> "{url}"'])
                    with Client(broker, websocket="/mqtt") as client:
                        self.assert_works(client)
                    broker.report()
            finally:
                done.set()
                comer.join()
        self.assertEqual(failures, [])
        self.assertGreater(count[0], 0)

    def test_certificates(self):
        authority = certificates.Authority()
        served = put(authority.server("first"), "served", str(self.folder))
        with self.broker() as broker:
            listener = certificates.listener("mqtts://127.0.0.1:0", served)
            door = door_of(broker.report(listeners=[listener]), "mqtts")
            client = self.client(types.SimpleNamespace(host="localhost", port=door.port),
                                 tls=authority.trust())
            put(authority.server("second"), "served", str(self.folder))
            report = broker.report(listeners=[listener])
            self.assertEqual(report["changed"],
                             ["listener mqtts://127.0.0.1:0: certificates are read again"])
            with RawTls(types.SimpleNamespace(host="localhost", port=door.port),
                        authority.trust()) as raw:
                self.assertIn("second", str(raw.socket.getpeercert()["subject"]))
            self.assert_works(client)

    def test_what_a_file_of_a_socket_cannot_change(self):
        url = f"unix:{self.folder}/mqtt.sock"
        with self.broker(listeners=[{"url": url}]) as broker:
            report = broker.report(listeners=[{"url": url, "mode": "0600"}])
            self.assertEqual(report["needs_restart"], [f'listener {url}: mode: "" -> "0600"'])

    def test_under_a_filter_of_system_calls(self):
        if os.environ.get("LINNET_MEMORY_FACTOR", "1") != "1":
            self.skipTest("sanitizers need system calls of their own")
        with self.broker(more=["seccomp=true"]) as broker:
            path = str(self.folder / "mqtt.sock")
            report = broker.report(listeners=[{"url": "mqtt://localhost:0"},
                                              {"url": f"unix:{path}", "mode": "0600"}])
            self.assertTrue(report["applied"], report)
            mosquitto_pub(types.SimpleNamespace(port=0, path=path), self.topic, "x", qos=1)
            self.assertTrue(broker.report()["applied"])


class Refused(ReloadCase):
    """Nothing at all changes where anything is wrong."""

    def assert_refused(self, broker, *words, **file):
        changed = {**file.pop("keys", {}), "limits.packet_size_max": "64KiB"}
        broker.write(keys=changed, **file)
        said = broker.command(code=1)
        for word in words:
            self.assertIn(word, said)
        self.assertIn("nothing was changed", said)
        report = json.loads(linnet("reload", "--data-dir", broker.data_dir, "--json").stdout)
        self.assertEqual((report["ok"], report["applied"], report["changed"]), (False, False, []))
        lines = "\n".join(broker.reload())
        for word in words:
            self.assertIn(word, lines)
        self.assertIn("SIGHUP", lines)
        self.assertEqual(self.client(broker).connack[2].MaximumPacketSize, 1 << 20)

    def test_files(self):
        users = self.folder / "users.txt"
        users.write_text("alice\n")
        with self.broker() as broker, socket.create_server(("127.0.0.1", 0)) as other:
            client = self.client(broker)
            port = other.getsockname()[1]
            self.assert_refused(broker, f"{broker.path}:", "threadz", "inflight_max",
                                keys={"threadz": 1, "limits.inflight_max": "many"})
            self.assert_refused(broker, f"{broker.path}:", text="what is this")
            self.assert_refused(broker, f"{users}:1", keys={"auth.password_file": str(users)})
            self.assert_refused(broker, f"{users}:1", "in use",
                                keys={"auth.password_file": str(users)},
                                listeners=[{"url": "mqtt://127.0.0.1:0"},
                                           {"url": f"mqtt://127.0.0.1:{port}"}])
            self.assert_refused(broker, "missing.crt", listeners=[
                {"url": "mqtts://127.0.0.1:0", "tls.cert": "missing.crt", "tls.key": "k"}])
            self.assert_refused(broker, "by the next", own=False,
                                listeners=[{"url": f"mqtt://localhost:{broker.port}"}])
            self.assert_works(client)
            self.assertTrue(broker.report()["applied"])
            broker.path.unlink()
            self.assertIn("linnet.toml", broker.command(code=1))

    def test_one_bad_certificate_keeps_the_others(self):
        authority = certificates.Authority()
        first, second = authority.server("first"), authority.server("second")
        good, bad = (put(first, name, str(self.folder)) for name in ("good", "bad"))
        with self.broker() as broker:
            listeners = [certificates.listener("mqtts://127.0.0.1:0", good),
                         certificates.listener("wss://127.0.0.1:0", bad)]
            door = door_of(broker.report(listeners=listeners), "mqtts")
            put(second, "good", str(self.folder))
            pathlib.Path(bad.cert).write_text("nonsense\n")
            self.assert_refused(broker, "bad.crt", listeners=listeners)
            with RawTls(types.SimpleNamespace(host="localhost", port=door.port),
                        authority.trust()) as raw:
                self.assertIn("first", str(raw.socket.getpeercert()["subject"]))

    def test_the_command_without_a_broker(self):
        done = linnet("reload", "--data-dir", self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no broker runs", done.stderr)
        self.assertEqual(linnet("reload", "--wrong").returncode, 2)
        self.assertEqual(linnet("reload", "--set", "threadz=1").returncode, 2)
        path = self.folder / "linnet.toml"
        path.write_text("persistence = false\n")
        done = linnet("reload", "--config", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("SIGHUP", done.stderr)
        path.write_text("threads = \"many\"\n")
        done = linnet("reload", "--config", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{path}:1", done.stderr)

    def test_without_a_store_by_signal(self):
        with self.broker(more=["persistence=false"]) as broker:
            broker.write(keys={"limits.packet_size_max": "64KiB"})
            broker.reload()
            self.assertEqual(self.client(broker).connack[2].MaximumPacketSize, 65536)


class UnderLoad(ReloadCase):
    def test_nothing_is_lost(self):
        reloads, portion = 20, 200
        count = reloads * portion
        keys = {"limits.transient_backlog_messages_max": count + 1}
        with self.broker(keys=keys) as broker:
            door = {"url": "mqtt://127.0.0.1:0"}
            with MosquittoSub(broker, self.topic, version=5, qos=1, count=count) as receiver:
                command = [*tool_arguments("mosquitto_pub", broker, 5), "-t", self.topic,
                           "-q", "1", "-l"]
                with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True) as sender:
                    for number in range(reloads):
                        first = number * portion
                        sender.stdin.writelines(f"{n}\n" for n in range(first, first + portion))
                        sender.stdin.flush()
                        file = {"keys": {**keys, "limits.inflight_max": 50 + number},
                                "listeners": [door] if number % 2 else [],
                                "text": f"[[auth.rule]]\ntopics = [\"#\", \"{number}\"]\n"}
                        if number % 4 < 2:
                            self.assertTrue(broker.report(**file)["applied"])
                        else:
                            broker.write(**file)
                            broker.reload()
                    said = sender.communicate(timeout=WAIT_S)[0]
                    self.assertEqual((sender.returncode, said), (0, ""))
                payloads = [int(payload) for _, _, _, payload in receiver.messages()]
            self.assertEqual(payloads, list(range(count)))

    def test_many_signals_and_a_stop(self):
        with self.broker() as broker:
            for _ in range(50):
                broker.process.send_signal(signal.SIGHUP)
            broker.stop()


if __name__ == "__main__":
    unittest.main()
