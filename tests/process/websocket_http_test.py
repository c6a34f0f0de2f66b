"""HTTP's side of a WebSocket listener: upgrades, origins, proxies, pages and refusals."""

import shutil
import subprocess
import unittest

from support import certificates, wire
from support.broker import WAIT_S, BrokerCase, linnet_only
from support.certificates import listener
from support.clients import unique
from support.websocket import BINARY, PROTOCOL_ERROR, Visits, frame

AUTHORITY = certificates.Authority()
WS = "ws://127.0.0.1:0/mqtt"


class HttpCase(Visits, BrokerCase):
    """Fewer complaints a class than the log shows in a short time, where they are looked at."""

    threads = 1
    listeners = {"ws": {"url": WS}}

    def setUp(self):
        self.door = self.broker.at("ws")


@linnet_only
class Upgrades(HttpCase):
    listeners = {"ws": {"url": WS}, "bare": {"url": "ws://127.0.0.1:0"},
                 "elsewhere": {"url": "ws://127.0.0.1:0/a/b"}}

    def status(self, name="ws", path="/mqtt", **headers):
        raw = self.raw(name)
        raw.send(raw.request(path, **headers))
        answer = raw.response()
        if answer.status != 101:
            # An answer with an end: the client may not wait for more.
            self.assertEqual(answer.headers["connection"].lower(), "close")
            self.assertIn("content-length", answer.headers)
            raw.expect_end()
        raw.close()
        return answer.status

    def test_subprotocols(self):
        for offer, chosen in {"mqtt": "mqtt", "mqttv3.1": "mqttv3.1", "mqttv3.1, mqtt": "mqtt",
                              "chat, mqtt": "mqtt"}.items():
            with self.subTest(offer):
                answer = self.raw().upgrade(Sec_WebSocket_Protocol=offer)
                self.assertEqual(answer.headers["sec-websocket-protocol"], chosen)
                self.assertNotIn("sec-websocket-extensions", answer.headers)
        for offer in (None, "chat", "mqtts", ""):
            with self.subTest(offer):
                self.assertEqual(self.status(Sec_WebSocket_Protocol=offer), 400)

    def test_paths(self):
        for name, paths in {"ws": {"/mqtt": 101, "/mqtt?token=1": 101, "/mqttx": 404,
                                   "/mqtt/": 404, "/other": 404},
                            "bare": {"/mqtt": 101, "/": 101, "/other": 404},
                            "elsewhere": {"/a/b": 101, "/mqtt": 404, "/a": 404}}.items():
            for path, status in paths.items():
                with self.subTest(name, path=path):
                    self.assertEqual(self.status(name, path), status)

    def test_versions(self):
        raw = self.raw()
        raw.send(raw.request(Sec_WebSocket_Version="12"))
        answer = raw.response()
        self.assertEqual((answer.status, answer.headers.get("sec-websocket-version")), (426, "13"))
        self.assertEqual(self.status(version="HTTP/1.0"), 400)

    def test_what_is_missing(self):
        for name, statuses in {"Sec_WebSocket_Key": (400,), "Host": (400,), "Upgrade": (400, 426),
                               "Connection": (400, 426)}.items():
            with self.subTest(name):
                self.assertIn(self.status(**{name: None}), statuses)

    def test_what_smugglers_send(self):
        for name, value in (("Content-Length", "5"), ("Transfer-Encoding", "chunked"),
                            ("X", "1\r\nHost: other"), ("X", "1\r\nSec-WebSocket-Key: AAAA")):
            with self.subTest(name):
                self.assertEqual(self.status(**{name: value}), 400)

    def test_names_are_case_insensitive(self):
        raw = self.raw()
        raw.send(raw.request(Upgrade="WebSocket", Connection="keep-alive, UPGRADE"))
        self.assertEqual(raw.response().status, 101)


@linnet_only
class Origins(HttpCase):
    """A page of a stranger must not use the broker of who visits it."""

    listeners = {"ws": {"url": WS},
                 "list": {"url": WS, "origins": ["https://app.example.com",
                                                 "http://other.test:8080"]},
                 "all": {"url": WS, "origins": ["*"]}}

    def assert_answers(self, name, expected):
        for origin, status in expected.items():
            with self.subTest(name, origin=origin):
                raw = self.raw(name)
                raw.send(raw.request(Origin=origin))
                answer = raw.response()
                self.assertEqual(answer.status, status)
                if status == 403:
                    self.assertIn(b"origins", answer.body)
                raw.close()

    def test_by_default(self):
        self.assert_answers("ws", {
            None: 101, "http://localhost": 101, "http://localhost:3000": 101,
            "https://127.0.0.1:8443": 101, "http://[::1]:80": 101, "http://dev.localhost": 101,
            "null": 403, "http://evil.test": 403, "https://example.com": 403,
            "http://localhost.evil.test": 403, "http://127.0.0.1.evil.test": 403,
            "http://evil.test/localhost": 403, "http://localhost@evil.test": 403, "": 403,
            "file://": 403})

    def test_the_host_header_is_not_believed(self):
        """Who has made a name of theirs resolve to loopback sends it as Host, too."""
        raw = self.raw()
        raw.send(raw.request(Origin=f"http://evil.test:{self.door.port}",
                             Host=f"evil.test:{self.door.port}"))
        self.assertEqual(raw.response().status, 403)

    def test_a_list(self):
        self.assert_answers("list", {
            "https://app.example.com": 101, "https://APP.example.com": 101,
            "https://app.example.com:443": 101, "http://other.test:8080": 101,
            "http://localhost": 101, "http://app.example.com": 403,
            "https://app.example.com:8443": 403, "http://other.test": 403,
            "https://x.app.example.com": 403, "https://app.example.com.evil.test": 403,
            "null": 403})

    def test_all(self):
        self.assert_answers("all", {"http://evil.test": 101, "https://example.com:1": 101})


@linnet_only
class Pages(HttpCase):
    """Plain HTTP, with curl."""

    listeners = {"ws": {"url": WS},
                 "wss": listener("wss://127.0.0.1:0/mqtt", AUTHORITY.server("server"))}


    @classmethod
    def setUpClass(cls):
        if not shutil.which("curl"):
            raise RuntimeError("curl is missing: install Debian's package curl")
        super().setUpClass()

    def curl(self, path, *arguments, scheme="http"):
        """The status, the head and the body of what comes."""
        door = self.broker.at("wss" if scheme == "https" else "ws")
        done = subprocess.run(
            ["curl", "-s", "-i", "--max-time", str(WAIT_S), "--cacert", AUTHORITY.certificate,
             *arguments, f"{scheme}://localhost:{door.port}{path}"],
            capture_output=True, timeout=WAIT_S + 5)
        self.assertEqual(done.returncode, 0, done.stderr)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        return int(head.split()[1]), head.decode().lower(), body.decode()

    def test_the_page(self):
        for scheme in ("http", "https"):
            status, head, body = self.curl("/", scheme=scheme)
            self.assertEqual(status, 200)
            self.assertIn("content-type: text/html", head)
            self.assertIn("content-security-policy: default-src 'none'", head)
            self.assertIn("x-content-type-options: nosniff", head)
            self.assertRegex(body, "(?s)Linnet.*MQTT")
        status, head, body = self.curl("/", "--head")
        self.assertEqual((status, body), (200, ""))
        self.assertNotIn("content-length: 0\r", head)

    def test_other_requests(self):
        for path, arguments, status in (
                ("/nothing", [], 404), ("/favicon.ico", [], 404), ("/", ["-X", "POST"], 405),
                ("/", ["-d", "a=b"], 405), ("/mqtt", ["-X", "DELETE"], 405), ("/mqtt", [], 426),
                ("/", ["-H", "X-Long: " + "a" * 9000], 431), ("/" + "a" * 9000, [], 431)):
            with self.subTest(path[:20], arguments=str(arguments)[:40]):
                found, head, body = self.curl(path, *arguments)
                if status == 431:
                    self.assertIn(found, (431, 414))
                else:
                    self.assertEqual(found, status)
                self.assertIn("connection: close", head)
                self.assertTrue(body)
                if status == 405:
                    self.assertRegex(head, "allow: .*get")
                if status == 426:
                    self.assertIn("upgrade: websocket", head)

    def test_nothing_of_a_request_comes_back_unescaped(self):
        for arguments in (["-H", "Origin: http://<script>alert(1)</script>", "-H",
                           "Upgrade: websocket", "-H", "Connection: Upgrade", "-H",
                           "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Protocol: mqtt", "-H",
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="], []):
            _, head, body = self.curl("/mqtt?<script>alert(1)</script>", *arguments)
            self.assertNotIn("<script>", head + body)

    def answer_to(self, data):
        raw = self.raw()
        raw.send(data)
        answer = raw.response()
        raw.expect_end()
        return answer.status, raw.address

    def test_what_is_no_http(self):
        for data in (b"GET\r\n\r\n", b"GET / HTTP/1.1\nHost: x\r\r\n\r\n", b"HELLO\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"GET / HTTP/1.1\r\n folded: x\r\n\r\n",
                     b"GET / HTTP/3.7\r\nHost: x\r\n\r\n"):
            with self.subTest(data):
                self.assertIn(self.answer_to(data)[0], (400, 405, 505))

    def test_two_requests_at_once(self):
        """There is one answer per connection; what follows it is nobody's."""
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        self.assertEqual(self.answer_to(request * 2)[0], 200)


@linnet_only
class Complaints(HttpCase):
    def test_the_log_says_who_and_why(self):
        for data, pattern in ((wire.connect("plain"), "mqtt://|HTTP|WebSocket"),
                              (b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", "404|path"),
                              (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "wss://|TLS"),
                              (b"GET / HTTP/1.1\r\nX: " + b"a" * 9000, "431|long|8")):
            with self.subTest(data[:20]):
                raw = self.raw()
                raw.send(data)
                raw.socket.settimeout(WAIT_S)
                self.drain(raw)
                self.assertRegex(self.broker.complaint(raw.address), pattern)

    def test_a_foreign_origin(self):
        raw = self.raw()
        raw.send(raw.request(Origin="http://evil.test"))
        self.drain(raw)
        self.assertRegex(self.broker.complaint(raw.address), "evil.test.*origins")

    def test_bad_frames(self):
        raw = self.open()
        raw.connect("bad-frames")
        raw.send(frame(BINARY, b"x", mask=None))
        raw.expect_close(PROTOCOL_ERROR)
        self.assertRegex(self.broker.complaint(raw.address), "bad-frames.*[Mm]ask")

    @staticmethod
    def drain(raw):
        try:
            while raw.socket.recv(4096):
                pass
        except ConnectionResetError:
            pass


@linnet_only
class Proxies(HttpCase):
    """Who stands behind a proxy, by X-Forwarded-For."""

    settings = {"log.level": "debug"}
    listeners = {"ws": {"url": WS},
                 "trusting": {"url": WS, "trusted_proxies": ["127.0.0.1", "10.0.0.0/8"],
                              "allow_anonymous": True}}

    def name_of_client(self, name, forwarded):
        raw, client_id = self.open(name, X_Forwarded_For=forwarded), unique()
        raw.connect(client_id)
        line = self.broker.log.wait_for(client_id, "has connected")
        return line, raw.address

    def test_believed_from_those_who_are_trusted(self):
        for forwarded, client in {"192.0.2.7": "192.0.2.7", "6.6.6.6, 192.0.2.7": "192.0.2.7",
                                  "192.0.2.7, 10.1.2.3": "192.0.2.7",
                                  "2001:db8::7": "2001:db8::7"}.items():
            with self.subTest(forwarded):
                line, address = self.name_of_client("trusting", forwarded)
                self.assertIn(client, line)
                self.assertNotIn(address, line)

    def test_not_from_others(self):
        for name, forwarded in (("ws", "192.0.2.7"), ("trusting", "nonsense"), ("trusting", None)):
            with self.subTest(name, forwarded=forwarded):
                line, address = self.name_of_client(name, forwarded)
                self.assertIn(address, line)


if __name__ == "__main__":
    unittest.main()
