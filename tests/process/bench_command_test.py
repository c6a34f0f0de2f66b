"""`linnet bench`: it measures Linnet and Mosquitto, and notices whatever a broker does wrong."""

import json
import pathlib
import signal
import subprocess
import tempfile
import unittest

from support import certificates, wire
from support.broker import WAIT_S, Broker, Log, free_port, linnet_binary, linnet_only
from support.stub import StubBroker
from support.users import Folder

SMALL = {
    "p2p": ["--messages", "400"],
    "fanout": ["--subs", "20", "--messages", "50"],
    "fanin": ["--pubs", "20", "--messages", "400"],
    "wildcard": ["--subs", "50", "--topics", "200", "--messages", "400"],
    "shared": ["--messages", "400"],
    "idle": ["--clients", "50"],
    "connect": ["--clients", "5", "--messages", "60"],
    "retained": ["--topics", "200"],
    "offline": ["--messages", "400"],
}


def bench(url, scenario, *arguments, timeout_s=3 * WAIT_S):
    return subprocess.run([linnet_binary(), "bench", scenario, "--url", url, *arguments], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s)


class BenchCase(unittest.TestCase):
    def measure(self, url, scenario, *arguments, code=0):
        """The report as JSON; the exit code has to be `code`."""
        done = bench(url, scenario, *arguments, "--json")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count("\n"), 1, done.stdout)
        report = json.loads(done.stdout)
        self.assertEqual(report["ok"], code == 0)
        self.assertEqual(done.stderr != "", "error" in report, done.stderr)
        return report

    def assert_clean(self, report):
        for key in ("lost", "pending", "duplicated", "out_of_order", "alien", "refused", "stalls"):
            self.assertEqual(report[key], 0, f"{key} in {report}")

    def assert_all_scenarios(self, url, *arguments):
        for scenario, options in SMALL.items():
            with self.subTest(scenario):
                report = self.measure(url, scenario, *options, *arguments)
                self.assert_clean(report)
                self.assertEqual(report["scenario"], scenario)
                self.assert_counts(scenario, report)

    def assert_counts(self, scenario, report):
        counts = {phase["name"]: phase["count"] for phase in report["phases"]}
        self.assertEqual(counts.pop("run", None),
                         {"p2p": 400, "fanout": 1000, "fanin": 400, "shared": 400,
                          # By the seed, which is the same each time.
                          "wildcard": 616}.get(scenario))
        self.assertEqual(counts, {"idle": {"connected": 50, "subscribed": 50},
                                  "connect": {"connect": 60},
                                  "retained": {"set": 200, "fetch": 200, "clear": 200},
                                  "offline": {"queue": 400, "drain": 400}}.get(scenario, {}))


@linnet_only
class Brokers(BenchCase):
    def test_linnet(self):
        with Broker(threads=2) as broker:
            self.assert_all_scenarios(broker.url, "--pid", str(broker.process.pid))

    def test_mosquitto(self):
        folder = Folder(self.addCleanup)
        port = free_port()
        conf = folder.file("mosquitto.conf", f"listener {port} 127.0.0.1\nallow_anonymous true\n"
                                             "user root\nmax_queued_messages 0\n")
        process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", str(conf)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        log = Log(process.stdout)
        self.assertIsNotNone(log.wait_for(" running"), log.text())
        self.assert_all_scenarios(f"mqtt://127.0.0.1:{port}", "--pid", str(process.pid))

    def test_versions_and_qualities(self):
        with Broker() as broker:
            for version in ("3", "4", "5"):
                for qos in ("0", "1", "2"):
                    for scenario in ("p2p", "shared"):
                        with self.subTest(scenario, version=version, qos=qos):
                            report = self.measure(broker.url, scenario, "--messages", "300",
                                                  "--protocol", version, "--qos", qos)
                            self.assert_clean(report)
                            self.assertEqual(report["phases"][0]["count"], 300)

    def test_figures(self):
        with Broker() as broker:
            report = self.measure(broker.url, "p2p", "--duration", "300ms", "--warmup", "100ms",
                                  "--qos", "1", "--pid", str(broker.process.pid))
        (phase,) = report["phases"]
        self.assertGreater(phase["count"], 0)
        self.assertAlmostEqual(phase["per_second"], phase["count"] / phase["seconds"], 3)
        self.assertGreater(phase["broker"]["cpu_us"], 0)
        self.assertGreater(phase["generator"]["cpu_us"], 0)
        self.assertGreaterEqual(report["broker_memory"]["peak_bytes"],
                                report["broker_memory"]["resident_bytes"])
        latency = phase["latency_us"]
        order = [latency[key] for key in ("p50", "p90", "p99", "p99_9", "max")]
        self.assertEqual(order, sorted(order))
        self.assertGreater(order[0], 0)
        self.assertGreater(latency["count"], 0)

    def test_rate(self):
        """So many messages in so much time, and not faster."""
        with Broker() as broker:
            report = self.measure(broker.url, "p2p", "--messages", "200", "--rate", "1000")
        self.assert_clean(report)
        self.assertGreaterEqual(report["phases"][0]["seconds"], 0.19)

    def test_payloads(self):
        with Broker() as broker:
            for size in (0, 4, 8, 16, 100_000):
                with self.subTest(size):
                    report = self.measure(broker.url, "p2p", "--messages", "100", "--payload",
                                          str(size))
                    self.assertEqual(report["phases"][0]["count"], 100)
                    self.assertEqual(report["lost"], 0)
                    self.assertEqual(report["duplicated"], 0 if size >= 8 else None)
                    self.assertEqual("latency_us" in report["phases"][0], size >= 16)

    def test_leaves_nothing_behind(self):
        with Broker() as broker:
            for scenario in ("retained", "offline"):
                self.measure(broker.url, scenario, *SMALL[scenario])
            stats = json.loads(subprocess.run(
                [linnet_binary(), "store", "stats", "--json", "--data-dir", broker.data_dir],
                text=True, capture_output=True, check=True, timeout=WAIT_S).stdout)
        text = json.dumps(stats)
        self.assertEqual((stats["sessions"], stats["retained_messages"]), (0, 0), text)

    def test_text(self):
        with Broker() as broker:
            done = bench(broker.url, "p2p", "--messages", "200", "--pid", str(broker.process.pid))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for words in ("10 publishers, 10 subscribers", "delivered", "p99.9", "us of CPU for each",
                      "lost: 0, duplicated: 0, out of order: 0", "resident, peak"):
            self.assertIn(words, done.stdout)


@linnet_only
class Doors(BenchCase):
    """TLS, WebSocket, Unix sockets and logins."""

    @classmethod
    def setUpClass(cls):
        cls.authority = certificates.Authority()
        cls.server = cls.authority.server("server")

    def test_doors(self):
        with tempfile.TemporaryDirectory(prefix="linnet-bench-") as folder:
            path = f"{folder}/mqtt.sock"
            listeners = {
                "mqtts": certificates.listener("mqtts://127.0.0.1:0", self.server),
                "wss": certificates.listener("wss://127.0.0.1:0", self.server),
                "ws": {"url": "ws://127.0.0.1:0"},
                "unix": {"url": f"unix:{path}"},
            }
            with Broker(listeners=listeners) as broker:
                for scheme in listeners:
                    url = f"unix:{path}" if scheme == "unix" else \
                        f"{scheme}://127.0.0.1:{broker.at(scheme).port}"
                    trust = ["--ca", str(self.authority.certificate)] if scheme[-1] == "s" and \
                        scheme != "ws" else []
                    for options in (["p2p", "--qos", "2"], ["p2p", "--payload", "100000"],
                                    ["fanin", "--pubs", "10"]):
                        with self.subTest(scheme, options=options):
                            report = self.measure(url, *options, "--messages", "200", *trust)
                            self.assert_clean(report)
                            self.assertEqual(report["phases"][0]["count"], 200)

    def test_whom_to_believe(self):
        listeners = {"mqtts": certificates.listener("mqtts://127.0.0.1:0", self.server)}
        with Broker(listeners=listeners) as broker:
            url = f"mqtts://127.0.0.1:{broker.at('mqtts').port}"
            report = self.measure(url, "p2p", "--messages", "10", code=1)
            self.assertRegex(report["error"], "certificate")
            self.assert_clean(self.measure(url, "p2p", "--messages", "10", "--insecure"))

    def test_client_certificates(self):
        client = self.authority.client("client")
        listeners = {"mqtts": certificates.listener(
            "mqtts://127.0.0.1:0", self.server, client_ca=self.authority.certificate)}
        with Broker(listeners=listeners) as broker:
            url = f"mqtts://127.0.0.1:{broker.at('mqtts').port}"
            trust = ["p2p", "--messages", "10", "--ca", str(self.authority.certificate)]
            self.assertIn("error", self.measure(url, *trust, code=1))
            self.assert_clean(self.measure(url, *trust, "--cert", str(client.cert), "--key",
                                           str(client.key)))

    def test_logins(self):
        folder = Folder(self.addCleanup)
        settings = {"auth.password_file": folder.users(ada="secret")}
        with Broker(settings=settings) as broker:
            small = ["p2p", "--messages", "10", "--user", "ada"]
            self.assert_clean(self.measure(broker.url, *small, "--password", "secret"))
            file = folder.file("password", "secret\n")
            self.assert_clean(self.measure(broker.url, *small, "--password-file", str(file)))
            for version, words in (("4", "Bad user name or password|Not authorized"),
                                   ("5", r"\(0x8[67]\)")):
                report = self.measure(broker.url, *small, "--password", "wrong", "--protocol",
                                      version, code=1)
                self.assertRegex(report["error"], f"subscriber .* refuses the connection: .*{words}")


@linnet_only
class WrongBrokers(BenchCase):
    """Nothing that a broker does wrong goes unnoticed."""

    def measure_stub(self, stub, *arguments, pairs=2, code=1):
        pairs = str(pairs)
        return self.measure(stub.url, "p2p", "--pubs", pairs, "--subs", pairs, "--topics", pairs,
                            "--messages", "100", "--wait", "2s", *arguments, code=code)

    def test_a_right_one(self):
        with StubBroker() as stub:
            for qos in ("0", "1", "2"):
                for version in ("4", "5"):
                    self.assert_clean(self.measure_stub(stub, "--qos", qos, "--protocol", version,
                                                        code=0))

    def test_lost(self):
        def lose_the_tenth(broker, source, message):
            if broker.messages != 10:
                broker.deliver(message)
            broker.acknowledge(source, message)

        for qos, code in (("0", 0), ("1", 1), ("2", 1)):
            with self.subTest(qos), StubBroker(lose_the_tenth) as stub:
                report = self.measure_stub(stub, "--qos", qos, code=code)
                self.assertEqual(report["lost"], 1)
                self.assertEqual(report["phases"][0]["count"], 99)
                self.assertEqual((report["duplicated"], report["out_of_order"]), (0, 0))

    def test_all_lost(self):
        with StubBroker(StubBroker.acknowledge) as stub:
            report = self.measure_stub(stub, "--qos", "1")
        self.assertEqual(report["lost"], 100)
        self.assertGreaterEqual(report["stalls"], 1)

    def test_duplicated(self):
        def repeat_the_tenth(broker, source, message):
            if broker.messages == 10:
                broker.deliver(message)
            broker.serve(source, message)

        for qos, code in (("0", 0), ("1", 0), ("2", 1)):
            with self.subTest(qos), StubBroker(repeat_the_tenth) as stub:
                report = self.measure_stub(stub, "--qos", qos, code=code)
                self.assertEqual((report["lost"], report["duplicated"]), (0, 1))

    def test_a_late_duplicate(self):
        """One that comes after all that was due."""
        kept = []

        def repeat_at_the_end(broker, source, message):
            kept.append(message)
            broker.serve(source, message)
            if broker.messages == 100:
                broker.deliver(kept[0])

        with StubBroker(repeat_at_the_end) as stub:
            report = self.measure_stub(stub, "--qos", "2", pairs=1)
            self.assertEqual(report["duplicated"], 1)

    def test_out_of_order(self):
        kept = []

        def hold_back_the_first(broker, source, message):
            kept.append(message)
            if len(kept) > 1:
                broker.deliver(message)
            if len(kept) == 50:
                broker.deliver(kept[0])
            broker.acknowledge(source, message)

        with StubBroker(hold_back_the_first) as stub:
            report = self.measure_stub(stub, pairs=1, code=0)
        self.assertEqual((report["lost"], report["out_of_order"]), (0, 1))

    def test_alien(self):
        def invent(broker, source, message):
            if broker.messages == 10:
                broker.deliver(message, b"x" * 16)
                broker.deliver(message, b"another size")
            broker.serve(source, message)

        with StubBroker(invent) as stub:
            report = self.measure_stub(stub)
        self.assertEqual((report["alien"], report["lost"]), (2, 0))

    def test_refused_messages(self):
        def refuse_the_tenth(broker, source, message):
            if broker.messages == 10:
                return broker.acknowledge(source, message, 0x97)
            return broker.serve(source, message)

        for qos in ("1", "2"):
            with self.subTest(qos), StubBroker(refuse_the_tenth) as stub:
                report = self.measure_stub(stub, "--qos", qos, "--protocol", "5")
                self.assertEqual((report["refused"], report["lost"]), (1, 0))
                self.assertEqual(report["refusal"], "Quota exceeded (0x97)")

    def test_never_acknowledged(self):
        with StubBroker(lambda broker, _, message: broker.deliver(message)) as stub:
            report = self.measure_stub(stub, "--qos", "1", "--inflight", "5")
        self.assertIn("takes no more messages", report["error"])

    def test_acknowledged_twice(self):
        def acknowledge_twice(broker, source, message):
            broker.serve(source, message)
            broker.acknowledge(source, message)

        with StubBroker(acknowledge_twice) as stub:
            report = self.measure_stub(stub, "--qos", "1")
        self.assertIn("acknowledged what was not sent", report["error"])

    def test_refused_connection(self):
        for version, connack, words in (("4", b"\x20\x02\0\5", "Not authorized (5)"),
                                        ("5", b"\x20\x03\0\x87\0", "Not authorized (0x87)"),
                                        ("5", b"\x20\x02\0\1", "Unacceptable protocol version"),
                                        ("4", b"\x20\x01\0", "broken CONNACK"),
                                        ("4", b"HTTP/1.1 400 Bad Request\r\n", "is it an MQTT")):
            with self.subTest(words), StubBroker(connack=connack) as stub:
                report = self.measure_stub(stub, "--protocol", version)
                self.assertIn(words, report["error"])
                self.assertEqual(report["phases"], [])

    def test_refused_subscription(self):
        for suback, words in ((b"\x90\x03\0\1\x80", "refuses the subscription"),
                              (b"\x90\x03\0\1\0", "grants QoS 0 where QoS 1"),
                              (b"\x90\x02\0\1", "broken SUBACK")):
            with self.subTest(words), StubBroker(suback=suback) as stub:
                self.assertIn(words, self.measure_stub(stub, "--qos", "1")["error"])

    def test_hostile_bytes(self):
        for data, words in ((b"\x30\xff\xff\xff\x7f", "packet that is broken, or larger"),
                            (b"\x30\xff\xff\xff\xff\x01", "packet that is broken, or larger"),
                            (b"\x30\x02\xff\xff", "broken PUBLISH"),
                            (b"\x36\x05\0\1a\0\1", "broken PUBLISH"),
                            (b"\x10\x00", "packet that was not due"),
                            (b"\x40\x02\0\1", "packet that was not due")):
            def send_it(broker, *_, data=data):
                for peer in broker.peers():
                    if peer.filters:
                        peer.send(data)

            with self.subTest(data), StubBroker(send_it) as stub:
                report = self.measure_stub(stub)
                self.assertRegex(report["error"], f"subscriber [01]: .*{words}")

    def test_disconnected(self):
        def disconnect(broker, source, _):
            if source.version == 5:
                source.send(b"\xe0\x01\x8b")
            source.close()

        for version, words in (("4", "has (closed|broken)"), ("5", r"shutting down \(0x8B\)")):
            with self.subTest(version), StubBroker(disconnect) as stub:
                report = self.measure_stub(stub, "--qos", "1", "--protocol", version)
                self.assertRegex(report["error"], f"publisher [01]: .*{words}")
                self.assertEqual(report["lost"], 0)

    def test_a_websocket_that_is_none(self):
        with StubBroker(connack=b"") as stub:
            done = bench(stub.url.replace("mqtt:", "ws:"), "p2p", "--messages", "1", "--wait", "1s",
                         timeout_s=2 * WAIT_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not answer", done.stderr)


@linnet_only
class Ends(BenchCase):
    def test_nobody_listens(self):
        report = self.measure(f"mqtt://127.0.0.1:{free_port()}", "p2p", code=1)
        self.assertIn("cannot be connected to: Connection refused", report["error"])

    def test_a_name(self):
        with Broker() as broker:
            self.assert_clean(self.measure(f"mqtt://localhost:{broker.port}", "p2p", "--messages",
                                           "10"))

    def test_no_such_host(self):
        report = self.measure("mqtt://no-such-host.invalid", "p2p", code=1)
        self.assertIn("no-such-host.invalid", report["error"])

    def test_no_such_process(self):
        with Broker() as broker:
            report = self.measure(broker.url, "p2p", "--pid", "4194999", code=1)
        self.assertIn("no process 4194999", report["error"])

    def test_broker_is_killed(self):
        server = certificates.Authority().server("server")
        listeners = {"mqtts": certificates.listener("mqtts://127.0.0.1:0", server),
                     "ws": {"url": "ws://127.0.0.1:0"}}
        for scheme in ("mqtt", "mqtts", "ws"):
            with self.subTest(scheme), Broker(listeners=listeners) as broker:
                port = broker.port if scheme == "mqtt" else broker.at(scheme).port
                trust = ["--insecure"] if scheme == "mqtts" else []
                process = subprocess.Popen(
                    [linnet_binary(), "bench", "p2p", "--url", f"{scheme}://127.0.0.1:{port}",
                     "--qos", "1", "--duration", "60s", "--warmup", "0s", "--json", *trust],
                    text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE)
                self.wait_for_traffic(broker)
                broker.process.kill()
                broker.process.wait()
                out, error = process.communicate(timeout=WAIT_S)
                self.assertEqual(process.returncode, 1, error)
                report = json.loads(out)
                self.assertRegex(report["error"], "has (closed|broken)")
                self.assertIn(report["error"], error)
                self.assertEqual(report["lost"], 0)
                self.assertGreater(report["phases"][0]["count"], 0)

    def wait_for_traffic(self, broker):
        """Messages come to others, too, while it runs: then its clients are there."""
        raw = wire.RawClient(broker.port)
        self.addCleanup(raw.close)
        raw.connect("watch")
        raw.subscribe("bench/#")
        for _ in range(5000):
            raw.expect(wire.PUBLISH)

    def test_interrupt(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number), Broker() as broker:
                process = subprocess.Popen(
                    [linnet_binary(), "bench", "p2p", "--url", broker.url, "--qos", "1",
                     "--duration", "60s", "--warmup", "0s", "--json"], text=True,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                self.wait_for_traffic(broker)
                process.send_signal(number)
                out, error = process.communicate(timeout=WAIT_S)
                self.assertEqual((process.returncode, error), (0, ""))
                report = json.loads(out)
                self.assertTrue(report["interrupted"])
                self.assert_clean(report)
                self.assertGreater(report["phases"][0]["count"], 0)

    def test_wrong_usage(self):
        for arguments, words in ((["p2q"], "p2p, fanout"),
                                 (["p2p", "--qos", "3"], "--qos"),
                                 (["p2p", "--qos", "many"], "--qos"),
                                 (["p2p", "--duration", "soon"], "--duration"),
                                 (["p2p", "--url", "http://127.0.0.1"], "--url"),
                                 (["p2p", "--ca", "x"], "TLS"),
                                 (["p2p", "--password-file", "/nonexistent", "--user", "a"],
                                  "/nonexistent"),
                                 ([], "SCENARIO")):
            with self.subTest(arguments):
                done = subprocess.run([linnet_binary(), "bench", *arguments], text=True,
                                      capture_output=True, timeout=WAIT_S)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(words, done.stderr)

    def test_help(self):
        done = subprocess.run([linnet_binary(), "bench", "--help"], text=True, capture_output=True,
                              timeout=WAIT_S)
        self.assertEqual(done.returncode, 0)
        for words in (*SMALL, "linnet bench p2p", "Exit codes"):
            self.assertIn(words, done.stdout)


if __name__ == "__main__":
    unittest.main()
