"""A broker in a process of its own, for tests: started, watched, stopped.

    with Broker(threads=2, settings={"limits.connect_timeout": "300ms"}) as broker:
        connect_to(broker.port)

LINNET names the binary (default: build/release/linnet). BROKER=mosquitto starts Debian's Mosquitto
instead, which shows whether a test that fails is right; what only Linnet promises is then skipped.
LINNET_SETTINGS has further settings for every broker, as in LINNET_SETTINGS="seccomp=true threads=4".
"""

import collections
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import types
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
WAIT_S = 20  # the longest that anything may take, on a slow and busy machine
STOP_S = 10
IS_LINNET = os.environ.get("BROKER", "linnet") == "linnet"

linnet_only = unittest.skipUnless(IS_LINNET, "only Linnet promises this")

MOSQUITTO_SETTINGS = {"limits.packet_size_max": "max_packet_size"}
# The keys of a listener.
MOSQUITTO_KEYS = {"tls.cert": "certfile", "tls.key": "keyfile", "tls.client_ca": "cafile",
                  "tls.crl": "crlfile", "tls.psk_file": "psk_hint linnet\npsk_file"}


def raise_descriptor_limit():
    """As many open files as the system allows: for this process and those that it starts."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def linnet_binary():
    path = os.environ.get("LINNET") or REPOSITORY / "build" / "release" / "linnet"
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"there is no broker at {path}: build it (./dev build) or set LINNET")
    return str(path)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Log:
    """The lines that a process writes, read by a thread of its own until their end."""

    def __init__(self, stream):
        self._lines = []
        self._ended = False
        self._changed = threading.Condition()  # its lock is re-entrant: see wait_for()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        with stream:
            for line in stream:
                with self._changed:
                    self._lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def lines(self, *words):
        """The lines so far that contain all of the words."""
        with self._changed:
            return [line for line in self._lines if all(word in line for word in words)]

    def text(self):
        return "\n".join(self.lines())

    def wait_for(self, *words, timeout_s=WAIT_S):
        """The first line with all of the words, or None after the time or the log's end."""
        def found():
            return self.lines(*words) or self._ended

        with self._changed:
            self._changed.wait_for(found, timeout_s)
            return next(iter(self.lines(*words)), None)

    def wait_for_more(self, count, *words, timeout_s=WAIT_S):
        """Whether more than `count` lines with all of the words have come, in time."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.lines(*words)) > count, timeout_s)

    def wait_for_end(self, timeout_s=WAIT_S):
        self._thread.join(timeout_s)


class Broker:
    """One broker process on a free port of 127.0.0.1, with a data directory of its own.

    `listeners` adds doors beside that: {"mqtts": {"url": "mqtts://127.0.0.1:0", "tls.cert": …}};
    at("mqtts") says where such a door is. `config` is TOML that follows them in the file."""

    host = "127.0.0.1"

    def __init__(self, threads=1, settings=None, data_dir=None, port=0, listeners=None,
                 config=""):
        self.threads = threads
        self.settings = dict(settings or {})
        self.listeners = dict(listeners or {})
        self.config = config
        self.doors = {}
        self.port = port
        self._own_port = port == 0
        self.process = None
        self.log = None
        self._own_dir = data_dir is None
        self.data_dir = data_dir

    def __enter__(self):
        return self.start()

    def __exit__(self, exception_type, exception, traceback):
        if self.process is None:
            return
        if exception_type not in (None, unittest.SkipTest):
            self.kill()
            self._show_log()
        elif self.process.poll() is None:
            self.stop()
        else:
            self.kill()

    # Start and stop ------------------------------------------------------------------------------

    def start(self):
        raise_descriptor_limit()
        if IS_LINNET:
            linnet_binary()
        if self._own_dir:
            self.data_dir = tempfile.mkdtemp(prefix="linnet-test-")
        for _ in range(5):
            if self._own_port:
                self.port = free_port()
            if self._start_once():
                return self
            output = self.log.text()
            self.process = None
            if "in use" not in output:
                break
        self._remove_data()
        raise RuntimeError(f"the broker did not start; its log:\n{output}")

    def _start_once(self):
        self.process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.log = Log(self.process.stdout)
        # Mosquitto says "running", Linnet "ready".
        if self.log.wait_for("ready" if IS_LINNET else " running"):
            self._find_doors()
            return True
        self.process.kill()
        self.process.wait()
        self.log.wait_for_end()
        return False

    def _command(self):
        if not IS_LINNET:
            return self._mosquitto_command()
        where = ["--config", self._config_file()] if self.listeners or self.config \
            else ["--listen", self.url]
        command = [linnet_binary(), "run", *where, "--data-dir", self.data_dir,
                   "--set", f"threads={self.threads}"]
        for setting in os.environ.get("LINNET_SETTINGS", "").split():
            command += ["--set", setting]
        for key, value in self.settings.items():
            command += ["--set", f"{key}={value}"]
        return command

    def _mosquitto_command(self):
        conf = pathlib.Path(self.data_dir, "mosquitto.conf")
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "sys_interval 1",
                 "user root", "max_queued_messages 0", "set_tcp_nodelay true"]
        lines += [f"{MOSQUITTO_SETTINGS[key]} {value}" for key, value in self.settings.items()
                  if key in MOSQUITTO_SETTINGS]
        lines += self._mosquitto_listeners()
        conf.write_text("\n".join(lines) + "\n")
        return ["/usr/sbin/mosquitto", "-c", str(conf)]

    def stop(self):
        """Asks for an orderly end. The exit code has to be 0, and to come in time."""
        if not IS_LINNET:
            return self.kill()  # it sleeps through some signals
        self.terminate()
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"no end within {STOP_S} s of SIGTERM; log:\n{self.log.text()}")
        self.kill()
        if code != 0:
            raise AssertionError(f"exit code {code} after SIGTERM; log:\n{self.log.text()}")

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        """Ends the process at once, if it still runs, and clears up. The log can still be read."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.wait_for_end()
        self._remove_data()

    def _remove_data(self):
        if self._own_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    # Listeners -----------------------------------------------------------------------------------

    def _config_file(self):
        lines = []
        for keys in [{"url": self.url}, *self.listeners.values()]:
            # What JSON says is TOML, too.
            lines += ["[[listener]]", *(f"{key} = {json.dumps(keys[key])}" for key in keys)]
        path = pathlib.Path(self.data_dir, "linnet-test.toml")
        path.write_text("\n".join(lines) + f"\n{self.config}")
        return str(path)

    def _mosquitto_listeners(self):
        """As far as Mosquitto knows such keys."""
        lines = []
        for name, keys in self.listeners.items():
            scheme, _, path = keys["url"].partition(":")
            port = 0 if scheme == "unix" else self.doors[name].port if name in self.doors \
                else free_port()
            self.doors[name] = types.SimpleNamespace(host=self.host, port=port, path=path)
            lines += [f"listener {port} {path if scheme == 'unix' else self.host}"]
            lines += [f"{MOSQUITTO_KEYS[key]} {keys[key]}" for key in keys if key in MOSQUITTO_KEYS]
            if "tls.client_ca" in keys:
                required = keys.get("tls.client_certificate", "required") == "required"
                lines += [f"require_certificate {str(required).lower()}"]
        return lines

    def _find_doors(self):
        """The ports that the system has chosen: the log names the listeners in their order."""
        if not IS_LINNET:
            return
        shown = [line.split("listening on ")[1] for line in self.log.lines("listening on ")]
        for name, url in zip(self.listeners, shown[1:]):
            scheme, _, path = url.partition(":")
            port = 0 if scheme == "unix" else int(url.split("://")[1].split("/")[0].split(":")[-1])
            self.doors[name] = types.SimpleNamespace(host=self.host, port=port, path=path)

    def at(self, name, host=None):
        """A door in the place of a broker: its host, port and (of a Unix socket) path."""
        door = self.doors[name]
        return types.SimpleNamespace(host=host or door.host, port=door.port, path=door.path)

    def reload(self):
        """SIGHUP. Returns the lines of the log that came of it, when it is done."""
        before, done = len(self.log.lines()), len(self.log.lines("SIGHUP"))
        self.process.send_signal(signal.SIGHUP)
        if not self.log.wait_for_more(done, "SIGHUP"):
            raise AssertionError(f"nothing was said of SIGHUP; log:\n{self.log.text()}")
        return self.log.lines()[before:]

    # Questions -----------------------------------------------------------------------------------

    def complaint(self, *words):
        """The one line that a bad client (its address is among the words) is worth."""
        line = self.log.wait_for(*words)
        lines = self.log.lines(*words)
        if len(lines) != 1:
            raise AssertionError(f"one line with {words} was due; {len(lines)} came: {lines}")
        return line

    @property
    def url(self):
        return f"mqtt://{self.host}:{self.port}"

    def _show_log(self):
        tail = collections.deque(self.log.lines(), maxlen=40)
        print("\n--- the end of the broker's log:", *tail, "---", sep="\n", flush=True)


class BrokerCase(unittest.TestCase):
    """A test class with one broker for all of its tests. Override `threads`, `settings`,
    `listeners` and `config`."""

    threads = 2
    settings = {}
    listeners = {}
    config = ""
    broker = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.broker = Broker(cls.threads, cls.settings, listeners=cls.listeners,
                            config=cls.config).start()

    @classmethod
    def tearDownClass(cls):
        broker, cls.broker = cls.broker, None
        if broker.process.poll() is not None:
            broker.kill()
            raise AssertionError(
                f"the broker ended by itself ({broker.process.returncode}):\n{broker.log.text()}")
        broker.stop()
        super().tearDownClass()
