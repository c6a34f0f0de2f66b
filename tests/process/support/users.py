"""What proves who a client is: lines of password files, tokens, and a service that is asked by
HTTP. Also Mosquitto's tools as clients that may be refused."""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import time

from .broker import WAIT_S
from .certificates import openssl
from .clients import TOOL_VERSIONS

# What a refused client is told: (return code of MQTT 3.1.1, reason code of MQTT 5).
WRONG_LOGIN, NOT_AUTHORIZED, UNAVAILABLE, QUOTA = (4, 0x86), (5, 0x87), (3, 0x88), (3, 0x97)
LET_IN = (0, 0)


def password_line(user, password, iterations=101):
    """As mosquitto_passwd writes it."""
    salt = os.urandom(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, 64)
    salt_text, key_text = (base64.b64encode(data).decode() for data in (salt, key))
    return f"{user}:$7${iterations}${salt_text}${key_text}\n"


class Folder:
    """A folder for a test's files, until the test (or class) that gives `add_cleanup` ends."""

    def __init__(self, add_cleanup):
        folder = tempfile.TemporaryDirectory(prefix="linnet-access-")
        add_cleanup(folder.cleanup)
        self.path = folder.name

    def file(self, name, text):
        path = pathlib.Path(self.path, name)
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    def users(self, **passwords):
        """A password file of user="password"."""
        return self.file("users.txt", "".join(password_line(*one) for one in passwords.items()))


def publish_as(door, user=None, password=None, *more, version=4, topic="t"):
    """A finished mosquitto_pub. Its exit code is what CONNACK says."""
    where = ["-h", door.host, "-p", str(door.port)] if door.port else ["--unix", door.path]
    login = [*(["-u", user] if user is not None else []),
             *(["-P", password] if password is not None else [])]
    return subprocess.run(
        ["mosquitto_pub", *where, "-V", TOOL_VERSIONS[version], "-q", "1", "-t", topic, "-m", "x",
         *login, *more], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WAIT_S)


def answers(door, user=None, password=None, *more):
    """What CONNACK says to MQTT 3.1.1 and to MQTT 5."""
    return tuple(publish_as(door, user, password, *more, version=version).returncode
                 for version in (4, 5))


# Tokens ------------------------------------------------------------------------------------------


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned_token(claims, algorithm, **header):
    return ".".join(base64url(json.dumps(part).encode())
                    for part in ({"alg": algorithm, "typ": "JWT", **header}, claims))


def in_an_hour():
    return int(time.time()) + 3600


def token_by_secret(secret, claims, **header):
    """HS256."""
    text = unsigned_token(claims, "HS256", **header)
    return f"{text}.{base64url(hmac.digest(secret, text.encode(), 'sha256'))}"


def raw_ecdsa(der):
    """The two numbers of an ECDSA signature on P-256, without ASN.1."""
    numbers, rest = [], der[2:]
    while rest:
        numbers.append(int.from_bytes(rest[2:2 + rest[1]], "big"))
        rest = rest[2 + rest[1]:]
    return b"".join(number.to_bytes(32, "big") for number in numbers)


class TokenKey:
    """A key pair of openssl's making: `public` is the file for the broker."""

    KINDS = {"RS256": ["rsa", "-pkeyopt", "rsa_keygen_bits:2048"],
             "ES256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
             "EdDSA": ["ed25519"]}

    def __init__(self, folder, algorithm):
        self.algorithm = algorithm
        self.private, self.public = (f"{folder.path}/{algorithm}.{end}" for end in ("key", "pub"))
        self._signed = f"{folder.path}/{algorithm}.txt"
        openssl("genpkey", "-algorithm", *self.KINDS[algorithm], "-out", self.private)
        openssl("pkey", "-in", self.private, "-pubout", "-out", self.public)

    def token(self, claims, **header):
        text = unsigned_token(claims, self.algorithm, **header)
        pathlib.Path(self._signed).write_text(text)
        if self.algorithm == "EdDSA":
            signature = openssl("pkeyutl", "-sign", "-inkey", self.private, "-rawin", "-in",
                                self._signed)
        else:
            signature = openssl("dgst", "-sha256", "-sign", self.private, self._signed)
        if self.algorithm == "ES256":
            signature = raw_ecdsa(signature)
        return f"{text}.{base64url(signature)}"


# A service ---------------------------------------------------------------------------------------


class Service:
    """Answers by HTTP who may connect. `answer(question)` gives the status and the JSON; what was
    asked is in `questions`."""

    def __init__(self, answer, add_cleanup):
        self.questions, self.headers = [], []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.headers.append(dict(self.headers))
                service.questions.append(question)
                status, body = answer(question)
                data = b"" if body is None else json.dumps(body).encode()
                with contextlib.suppress(BrokenPipeError):  # who asked has waited long enough
                    self._send(status, data)

            def _send(self, status, data):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/mqtt"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._running = True
        add_cleanup(self.stop)

    def stop(self):
        if not self._running:
            return
        self._running = False
        self._server.shutdown()
        self._server.server_close()

    def asked(self, user):
        return len([one for one in self.questions if one["username"] == user])
