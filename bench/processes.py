"""Brokers in processes of their own, for `./dev bench`: started in a folder, watched, and ended.

    with Broker(kind, folder) as broker:
        broker.port, broker.pid, broker.start_ms, broker.memory(), broker.wakeups()

Every broker listens on 127.0.0.1 alone, at a port that was free."""

import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import time

START_S = 30
STOP_S = 10
LOOK_S = 0.0002  # how often the log is looked at for the word that it is ready

# Bounds that no scenario reaches: a broker that drops messages does less work.
LINNET_SETTINGS = {"limits.outbox_bytes_max": "64MiB", "limits.half_open_per_address_max": "20000",
                   "limits.half_open_max": "20000"}

MOSQUITTO_CONF = """listener {port} 127.0.0.1
allow_anonymous true
user root
max_queued_messages 0
max_inflight_messages 100
connection_messages false
"""

NATS_CONF = """server_name: bench
listen: "127.0.0.1:{other_port}"
max_connections: 100000
write_deadline: "60s"
max_pending: 1GB
jetstream {{ store_dir: "{folder}/jetstream" }}
mqtt {{ listen: "127.0.0.1:{port}", max_ack_pending: 65535, ack_wait: "60s" }}
"""


def find_program(name):
    """Where a program is, also where only root looks; None if it is not installed."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Linnet:
    ready = "broker: ready"
    needs_data = True

    def __init__(self, program, threads):
        self.program = program
        self.threads = threads

    def command(self, folder, port):
        command = [self.program, "run", "--listen", f"mqtt://127.0.0.1:{port}",
                   "--data-dir", str(folder / "data"), "--set", f"threads={self.threads}"]
        for key, value in LINNET_SETTINGS.items():
            command += ["--set", f"{key}={value}"]
        return command


class Mosquitto:
    ready = " running"
    needs_data = False  # it keeps nothing by default

    def __init__(self, program):
        self.program = program

    def command(self, folder, port):
        conf = folder / "mosquitto.conf"
        conf.write_text(MOSQUITTO_CONF.format(port=port))
        return [self.program, "-c", str(conf)]


class Nats:
    ready = "Server is ready"
    needs_data = True

    def __init__(self, program):
        self.program = program

    def command(self, folder, port):
        conf = folder / "nats.conf"
        conf.write_text(NATS_CONF.format(port=port, other_port=free_port(), folder=folder))
        return [self.program, "-c", str(conf)]


class Broker:
    """`folder` has its data, which stay there for the next start."""

    def __init__(self, kind, folder):
        self.kind = kind
        self.folder = pathlib.Path(folder).resolve()
        self.process = None
        self.port = 0
        self.start_ms = 0.0

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(3):
            self.port = free_port()
            if self._start():
                return self
            if "in use" not in self._said():
                break
        raise RuntimeError("does not start: " + " ".join(self._said()[-300:].split()))

    def __exit__(self, *_):
        self.end()

    def _log(self):
        return self.folder / "log"

    def _start(self):
        command = self.kind.command(self.folder, self.port)
        # A file and no pipe: nobody would read that later, and it would fill up.
        with open(self._log(), "wb") as log:
            # It returns when the program has been executed.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)
        begun = time.monotonic()
        while self.kind.ready not in self._said():
            if self.process.poll() is not None or time.monotonic() - begun > START_S:
                self.end()
                return False
            time.sleep(LOOK_S)
        self.start_ms = (time.monotonic() - begun) * 1000
        return True

    def _said(self):
        return (self.folder / "log").read_text(errors="replace")

    def end(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    # Watching ------------------------------------------------------------------------------------

    def resident_mib(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines()
                    if line.startswith("VmRSS:")) / 1024

    def wakeups(self):
        """How often its threads have waited for something, since each began."""
        count = 0
        for status in pathlib.Path(f"/proc/{self.pid}/task").glob("*/status"):
            for line in status.read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches:"):
                    count += int(line.split()[1])
        return count


# Filling a store ---------------------------------------------------------------------------------


def retain_messages(port, count):
    """Sets retained messages, each under a topic of its own, with QoS 1."""
    with socket.create_connection(("127.0.0.1", port), START_S) as connection:
        connection.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04fill")
        connection.settimeout(START_S)
        answers = b""
        packets = []
        for number in range(1, count + 1):
            topic = f"bench/kept/{number}".encode()
            body = len(topic).to_bytes(2, "big") + topic + number.to_bytes(2, "big") + b"kept"
            packets.append(b"\x33" + bytes([len(body)]) + body)
        connection.sendall(b"".join(packets[:100]))
        sent = min(100, count)
        # CONNACK and each PUBACK are 4 bytes. Another one may follow each that came.
        while len(answers) < 4 * (count + 1):
            received = connection.recv(65536)
            if not received:
                raise RuntimeError("ends the connection that fills its store")
            answers += received
            may_send = min(count, max(0, len(answers) // 4 - 1) + 100)
            connection.sendall(b"".join(packets[sent:may_send]))
            sent = max(sent, may_send)
        connection.sendall(b"\xe0\x00")


def open_files_max():
    """As many as the system allows, for this process and those that it starts."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
