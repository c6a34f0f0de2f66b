"""`linnet pub`, `linnet sub` and `linnet rr` against Linnet and Mosquitto, and crossed with
Mosquitto's tools: what one sends the other prints, byte for byte."""

import contextlib
import json
import os
import subprocess
import tempfile
import threading
import unittest

from support import certificates
from support.broker import WAIT_S, Broker, BrokerCase, Log, free_port, linnet_binary, linnet_only
from support.clients import Client, make_properties, unique
from support.tools import Mosquitto, Sub, run_tool

VERSIONS = ("mqttv31", "mqttv311", "mqttv5")
PAIRS = (("linnet", "linnet"), ("linnet", "mosquitto"), ("mosquitto", "linnet"))


class PubSubCase(BrokerCase):
    def setUp(self):
        self.topic = unique("pubsub")

    def pub(self, *arguments, code=0, broker=None, kind="linnet", **options):
        done = run_tool(kind, "pub", broker or self.broker, *arguments, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done


@linnet_only
class Crossed(unittest.TestCase):
    """Either tool at either end of either broker."""

    def assert_all(self, broker):
        for sender, receiver in PAIRS:
            for version in VERSIONS:
                for qos in "012":
                    with self.subTest(sender=sender, receiver=receiver, version=version, qos=qos):
                        self.assert_passes(broker, sender, receiver, version, qos)

    def assert_passes(self, broker, sender, receiver, version, qos):
        topic = unique()
        common = ["-t", topic, "-q", qos, "-V", version]
        with Sub(broker, *common, "-F", "%q %t %p", kind=receiver, count=2) as sub:
            for text in ("one", "two: [1,2]"):
                done = run_tool(sender, "pub", broker, *common, "-m", text)
                self.assertEqual(done.returncode, 0, done.stderr)
            text, code = sub.output()
        self.assertEqual((text.decode(), code),
                         (f"{qos} {topic} one\n{qos} {topic} two: [1,2]\n", 0))

    def test_linnet(self):
        with Broker(threads=2) as broker:
            self.assert_all(broker)

    def test_mosquitto(self):
        with Mosquitto() as broker:
            self.assert_all(broker)


@linnet_only
class Requests(unittest.TestCase):
    def assert_answered(self, broker, kind, *arguments):
        topic, answer = unique(), threading.Event()
        with Client(broker, version=5) as responder:
            responder.subscribe(topic, 1)

            def serve():
                message = responder.inbox.get(timeout=WAIT_S)
                properties = message.properties
                responder.paho.publish(properties.ResponseTopic, b"re: " + message.payload, 1,
                                       properties=self.echo(properties))
                answer.set()

            thread = threading.Thread(target=serve)
            thread.start()
            done = run_tool(kind, "rr", broker, "-t", topic, "-m", "ask", "-W", str(WAIT_S),
                            *arguments)
            thread.join()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"re: ask\n", b""))

    @staticmethod
    def echo(request):
        data = getattr(request, "CorrelationData", None)
        return make_properties("PUBLISH", **({"CorrelationData": data} if data else {}))

    def test_answers(self):
        with Broker() as linnet, Mosquitto() as mosquitto:
            mosquitto.host = "127.0.0.1"
            for broker in (linnet, mosquitto):
                self.assert_answered(broker, "linnet")
                self.assert_answered(broker, "linnet", "-e", "own/answers", "-q", "2")
                self.assert_answered(broker, "mosquitto", "-e", "own/answers")

    def test_silence(self):
        with Broker() as broker:
            done = run_tool("linnet", "rr", broker, "-t", "nobody", "-n", "-W", "0.2", "-q", "1")
            self.assertEqual(done.returncode, 27)
            self.assertIn(b"nobody is subscribed", done.stderr)


@linnet_only
class Output(PubSubCase):
    def lines(self, *arguments, messages=(("on",),), qos="1"):
        """What is printed of messages, each of them arguments of pub."""
        with Sub(self.broker, "-t", self.topic + "/#", "-q", qos, *arguments,
                 count=len(messages)) as sub:
            for message in messages:
                self.pub("-t", f"{self.topic}/a", "-q", qos, *(
                    ["-m", *message] if message else ["-n"]))
            text, code = sub.output()
        self.assertEqual(code, 0)
        return text

    def test_raw(self):
        """As mosquitto_sub prints it, whatever the bytes."""
        data = bytes(range(256)) + b"\x1b[2J\n\xff"
        for arguments in ([], ["-v"], ["-N"], ["-v", "-N"], ["-F", "%t|%p|%l|%x|%X|%q|%r|%%"],
                          ["-F", "%12l|%-30t|%.3t|\\t"]):
            expected = None
            for kind in ("mosquitto", "linnet"):
                # Its standard output must be a pipe that nobody else writes to.
                with tempfile.TemporaryFile() as file, Client(self.broker) as client:
                    program = [linnet_binary(), "sub"] if kind == "linnet" else ["mosquitto_sub"]
                    for payload in (b"", data):
                        client.publish(self.topic, payload, 1, retain=True)
                        process = subprocess.run(
                            [*program, "-p", str(self.broker.port), "-t", self.topic, "-C", "1",
                             "-W", str(WAIT_S) if payload else "1", *arguments], stdout=file,
                            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                        self.assertEqual(process.returncode, 0 if payload else 27)
                    file.seek(0)
                    text = file.read()
                expected = text if expected is None else expected
                self.assertEqual(text, expected, arguments)

    def test_json(self):
        text = self.lines("--json", messages=[
            ("21.5", "-D", "publish", "user-property", "a", "b", "-D", "publish", "content-type",
             "text/plain", "-D", "publish", "correlation-data", "x")])
        message = json.loads(text)
        self.assertEqual(message["topic"], f"{self.topic}/a")
        self.assertEqual((message["qos"], message["retain"], message["payload"]), (1, 0, "21.5"))
        self.assertEqual(message["properties"], {
            "content-type": "text/plain", "correlation-data": "x",
            "user-property": [{"name": "a", "value": "b"}]})

    def test_empty_messages(self):
        self.assertEqual(self.lines("-v", messages=[()]), f"{self.topic}/a (null)\n".encode())
        self.assertEqual(self.lines(messages=[(), ("x",)]), b"x\n")

    def test_retained_messages(self):
        for name in "ab":
            self.pub("-t", f"{self.topic}/{name}", "-m", name, "-r", "-q", "1")
        sub = ["-t", f"{self.topic}/#", "-W", "1"]
        done = run_tool("linnet", "sub", self.broker, *sub, "-R")
        self.assertEqual((done.returncode, done.stdout), (27, b""))
        with Sub(self.broker, "-t", f"{self.topic}/#", "--retained-only", count=0) as retained:
            self.pub("-t", f"{self.topic}/c", "-m", "c")
            self.assertEqual(retained.output(), (b"a\nb\n", 0))
        done = run_tool("linnet", "sub", self.broker, "-t", f"{self.topic}/#", "-T",
                        f"{self.topic}/b", "--remove-retained", "-C", "1", "-W", str(WAIT_S))
        self.assertEqual((done.returncode, done.stdout), (0, b"a\n"))
        done = run_tool("linnet", "sub", self.broker, "-t", f"{self.topic}/#", "-C", "1", "-W",
                        str(WAIT_S))
        self.assertEqual((done.returncode, done.stdout), (0, b"b\n"))

    def test_the_reader_goes(self):
        """As in `linnet sub | head -1`."""
        with Sub(self.broker, "-t", self.topic, "-W", "60", count=0) as sub:
            self.pub("-t", self.topic, "-m", "first")
            self.assertEqual(sub.process.stdout.readline(), b"first\n")
            sub.process.stdout.close()
            self.assertEqual(sub.process.wait(WAIT_S), 0)

    def test_a_reader_that_rests(self):
        """The connection stays, and all comes in the end."""
        with Sub(self.broker, "-t", self.topic, "-q", "1", "-k", "1", "-W", "60", count=0) as sub:
            count, payload = 200, "x" * 10_000
            self.pub("-t", self.topic, "-q", "1", "-m", payload, "--repeat", str(count))
            self.assertTrue(sub.log.wait_for_more(0, "sends PINGREQ"))
            for _ in range(count):
                self.assertEqual(sub.process.stdout.readline().decode(), payload + "\n")
            sub.interrupt()
            self.assertEqual(sub.output(), (b"", 0))


@linnet_only
class Input(PubSubCase):
    def received(self, count, *arguments, **options):
        with Sub(self.broker, "-t", self.topic, "-q", "2", "-F", "<%p>", count=count) as sub:
            self.pub("-t", self.topic, "-q", "2", *arguments, **options)
            text, code = sub.output()
        self.assertEqual(code, 0)
        return text

    def test_lines(self):
        self.assertEqual(self.received(4, "-l", input=b"one\n\n three\nlast"),
                         b"<one>\n<>\n< three>\n<last>\n")
        count = 3000
        lines = b"".join(b"%d\n" % number for number in range(count))
        self.assertEqual(self.received(count, "-l", "-M", "10", input=lines),
                         b"".join(b"<%d>\n" % number for number in range(count)))

    def test_many_lines(self):
        """More than fits into the socket, from a file, which nobody waits for."""
        count = 100_000
        with tempfile.TemporaryFile() as file:
            file.write(b"".join(b"line number %d\n" % number for number in range(count)))
            for qos in "01":
                file.seek(0)
                self.pub("-t", self.topic, "-l", "-q", qos, stdin=file)

    def test_files(self):
        data = os.urandom(300_000)
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            self.assertEqual(self.received(1, "-f", file.name), b"<" + data + b">\n")
            with open(file.name, "rb") as lines:
                self.assertEqual(self.received(1, "-s", stdin=lines), b"<" + data + b">\n")

    def test_too_large_files(self):
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(1 << 33)
            done = self.pub("-t", self.topic, "-f", file.name, code=1)
            self.assertIn(b"a message has at most", done.stderr)
        done = self.pub("-t", self.topic, "-f", "/nowhere/file", code=1)
        self.assertIn(b"/nowhere/file cannot be read", done.stderr)

    def test_too_large_for_the_broker(self):
        done = self.pub("-t", self.topic, "-s", "-q", "1", input=bytes(2 << 20), code=1)
        self.assertIn(b"Packet too large", done.stderr)

    def test_repeat(self):
        self.assertEqual(self.received(3, "-m", "x", "--repeat", "3", "--repeat-delay", "0.01"),
                         b"<x>\n" * 3)
        self.assertEqual(self.received(1, "-n"), b"<>\n")

    def test_json(self):
        done = self.pub("-t", self.topic, "-l", "-q", "1", "--json", input=b"a\nbc\n")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([(line["number"], line["payloadlen"], line["reason_code"])
                          for line in lines], [(1, 1, 16), (2, 2, 16)])

    def test_topic_aliases(self):
        with Mosquitto() as broker:
            for where in (self.broker, broker):
                with Sub(where, "-t", self.topic, "-V", "5", count=3) as sub:
                    self.pub("-t", self.topic, "-D", "publish", "topic-alias", "5", "-l",
                             input=b"a\nb\nc\n", broker=where)
                    self.assertEqual(sub.output(), (b"a\nb\nc\n", 0))


@linnet_only
class Ends(PubSubCase):
    def test_interrupt(self):
        """DISCONNECT, and 0: the will stays away."""
        with Client(self.broker) as client:
            client.subscribe(self.topic + "/#")
            with Sub(self.broker, "-t", self.topic, "--will-topic", f"{self.topic}/will",
                     "--will-payload", "gone", count=0) as sub:
                sub.interrupt()
                self.assertEqual(sub.output(), (b"", 0))
                self.assertTrue(sub.log.wait_for("sends DISCONNECT"))
            with Sub(self.broker, "-t", self.topic, "--will-topic", f"{self.topic}/will",
                     "--will-payload", "gone", count=0) as sub:
                sub.process.kill()
            self.assertEqual(client.inbox.get(timeout=WAIT_S).payload, b"gone")
            self.assertTrue(client.inbox.empty())

    def test_wrong_usage(self):
        for command, arguments in (
                ("pub", ["-t", "a"]), ("pub", ["-t", "a/#", "-m", "x"]), ("sub", []),
                ("sub", ["-t", "a", "-q", "3"]), ("sub", ["-t", "a", "-c"]), ("rr", ["-n"]),
                ("sub", ["-t", "a", "-D", "publish", "nonsense", "x"]),
                ("sub", ["-t", "a", "-F", "%z"]), ("pub", ["-L", "http://a", "-t", "a", "-n"]),
                ("sub", ["-t", "a", "--no-such-option"]), ("sub", ["-t", "a", "-p", "0"])):
            with self.subTest(command, arguments=arguments):
                done = run_tool("linnet", command, [], *arguments)
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertNotEqual(done.stderr, b"")

    def test_no_broker(self):
        port = free_port()
        for command in ("pub", "sub", "rr"):
            more = [] if command == "sub" else ["-n"]
            done = run_tool("linnet", command, ["-p", str(port)], "-t", "a", *more)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr.decode(), f"linnet: mqtt://localhost:{port} cannot be "
                             "connected to: Connection refused\n")

    def test_subscribed(self):
        done = run_tool("linnet", "sub", self.broker, "-t", self.topic, "-E")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_help(self):
        for command in ("pub", "sub", "rr"):
            done = run_tool("linnet", command, [], "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn(b"Examples:", done.stdout)
            self.assertIn(b"--json", done.stdout)


@linnet_only
class Sessions(PubSubCase):
    def test_kept_session(self):
        session = ["-t", self.topic, "-i", unique(), "-c", "-q", "1"]
        for version in VERSIONS:
            with self.subTest(version):
                sub = [*session, "-V", version]
                self.assertEqual(run_tool("linnet", "sub", self.broker, *sub, "-E").returncode, 0)
                for text in ("a", "b", "c"):
                    self.pub("-t", self.topic, "-q", "1", "-m", text)
                # The third stays in the session.
                for count, expected in (("2", b"a\nb\n"), ("1", b"c\n")):
                    done = run_tool("linnet", "sub", self.broker, *sub, "-C", count, "-W",
                                    str(WAIT_S))
                    self.assertEqual((done.returncode, done.stdout), (0, expected))

    def test_unsubscribe(self):
        session = ["-i", unique(), "-c", "-q", "1"]
        run_tool("linnet", "sub", self.broker, "-t", self.topic, *session, "-E")
        done = run_tool("linnet", "sub", self.broker, "-U", self.topic, *session, "-E")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        done = self.pub("-t", self.topic, "-q", "1", "-n", "--json")
        self.assertEqual(json.loads(done.stdout)["reason_code"], 16)


@linnet_only
class Reconnects(unittest.TestCase):
    def test_sub(self):
        """The broker is killed, and comes back: so does the subscription."""
        port = free_port()
        with contextlib.ExitStack() as stack:
            data_dir = stack.enter_context(tempfile.TemporaryDirectory())
            first = stack.enter_context(Broker(port=port, data_dir=data_dir))
            for qos in "012":
                with Sub(first, "-t", "a", "-q", qos, "-v", "-R", count=2) as sub:
                    self.assertEqual(run_tool("linnet", "pub", first, "-t", "a", "-m", "before",
                                              "-q", qos).returncode, 0)
                    self.assertEqual(sub.process.stdout.readline(), b"a before\n")
                    first.kill()
                    self.assertTrue(sub.log.wait_for("connecting again in"))
                    first = stack.enter_context(Broker(port=port, data_dir=data_dir))
                    self.assertTrue(sub.log.wait_for_more(1, "receives SUBACK"))
                    self.assertEqual(run_tool("linnet", "pub", first, "-t", "a", "-m", "after",
                                              "-q", qos).returncode, 0)
                    self.assertEqual(sub.output(), (b"a after\n", 0))

    def test_pub(self):
        """What is not acknowledged is sent again: no line is lost at QoS 1, none doubled at 2."""
        for qos in "12":
            for more in ([], ["-c", "-i", f"sender{qos}", "-V", "mqttv311"]):
                with self.subTest(qos, more=more):
                    self.assert_lines_survive(qos, more)

    def assert_lines_survive(self, qos, more):
        port, count = free_port(), 400
        with contextlib.ExitStack() as stack:
            data_dir = stack.enter_context(tempfile.TemporaryDirectory())
            broker = stack.enter_context(Broker(port=port, data_dir=data_dir))
            keep = ["-i", "keeper", "-c", "-q", "2", "-t", "lines"]
            self.assertEqual(run_tool("linnet", "sub", broker, *keep, "-E").returncode, 0)
            sender = subprocess.Popen(
                [linnet_binary(), "pub", "-p", str(port), "-t", "lines", "-l", "-q", qos, "-d",
                 *more], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
            stack.callback(sender.wait)
            stack.callback(sender.kill)
            log = Log(sender.stderr)
            sender.stdin.write(b"".join(b"%d\n" % number for number in range(300)))
            sender.stdin.flush()
            self.assertTrue(log.wait_for_more(50, "receives PUB"))
            broker.kill()
            sender.stdin.write(b"".join(b"%d\n" % number for number in range(300, count)))
            sender.stdin.close()
            self.assertTrue(log.wait_for("connecting again in"))
            broker = stack.enter_context(Broker(port=port, data_dir=data_dir))
            self.assertEqual(sender.wait(2 * WAIT_S), 0, log.text()[-2000:])
            done = run_tool("linnet", "sub", broker, *keep, "-C", str(count), "-W", str(WAIT_S))
            numbers = [int(line) for line in done.stdout.split()]
            if qos == "1":
                # One that came twice takes the place of another one of the first `count`.
                done = run_tool("linnet", "sub", broker, *keep, "-W", "1")
                numbers += [int(line) for line in done.stdout.split()]
                self.assertEqual(sorted(set(numbers)), list(range(count)))
            else:
                self.assertEqual(numbers, list(range(count)))

    def test_refusal_is_final(self):
        """Somebody with the same identifier: one of the two gives way."""
        with Broker() as broker:
            with Sub(broker, "-t", "a", "-i", "same", count=0) as first:
                with Sub(broker, "-t", "a", "-i", "same", count=0):
                    self.assertEqual(first.output(), (b"", 1))
                    self.assertTrue(first.log.wait_for("Session taken over (0x8E)"))


AUTHORITY = certificates.Authority()
KEYS = AUTHORITY.file("keys.psk", "lamp:00112233445566778899aabbccddeeff\n")


@linnet_only
class Transports(PubSubCase):
    listeners = {
        "mqtts": certificates.listener("mqtts://127.0.0.1:0", AUTHORITY.server("server")),
        "ws": {"url": "ws://127.0.0.1:0/mqtt"},
        "wss": certificates.listener("wss://127.0.0.1:0/mqtt", AUTHORITY.server("server")),
        "unix": {"url": f"unix:{tempfile.gettempdir()}/linnet-{unique()}.sock"},
        "psk": certificates.listener("mqtts://127.0.0.1:0", None, psk_file=KEYS),
    }

    def assert_works(self, *where):
        with Sub([*where], "-t", self.topic, "-q", "1") as sub:
            self.pub("-t", self.topic, "-q", "1", "-m", "hello", broker=[*where])
            self.assertEqual(sub.output(), (b"hello\n", 0))

    def test_urls(self):
        for name in ("mqtts", "ws", "wss"):
            with self.subTest(name):
                path = "" if name == "mqtts" else "/mqtt"
                self.assert_works("-L", f"{name}://localhost:{self.broker.at(name).port}{path}",
                                  *([] if name == "ws" else ["--cafile", AUTHORITY.certificate]))
        self.assert_works("-L", self.listeners["unix"]["url"])

    def test_options(self):
        port = str(self.broker.at("mqtts").port)
        self.assert_works("-h", "localhost", "-p", port, "--cafile", AUTHORITY.certificate)
        self.assert_works("--unix", self.broker.at("unix").path)
        self.assert_works("--ws", "-h", "127.0.0.1", "-p", str(self.broker.at("ws").port))

    def test_pre_shared_keys(self):
        where = ["-p", str(self.broker.at("psk").port), "--psk-identity", "lamp", "--psk"]
        for version in ("tlsv1.2", "tlsv1.3"):
            with self.subTest(version):
                self.assert_works(*where, "00112233445566778899aabbccddeeff", "--tls-version",
                                  version)
        self.pub("-t", "t", "-n", broker=[*where, "ff"], code=1)

    def test_whom_to_believe(self):
        where = ["-p", str(self.broker.at("mqtts").port)]
        done = self.pub("-t", "t", "-n", broker=[*where, "--tls-use-os-certs"], code=1)
        self.assertIn(b"certificate", done.stderr)
        self.pub("-t", "t", "-n", broker=[*where, "--insecure"])
        self.pub("-t", "t", "-n", broker=[*where, "--insecure", "--cafile", AUTHORITY.certificate])
        other = certificates.Authority("Another")
        self.pub("-t", "t", "-n", code=1,
                 broker=[*where, "--insecure", "--cafile", other.certificate])


del BrokerCase, PubSubCase

if __name__ == "__main__":
    unittest.main()
