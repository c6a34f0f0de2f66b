"""`linnet pub`, `linnet sub` and `linnet rr` as processes, and Mosquitto's tools beside them."""

import contextlib
import pathlib
import signal
import subprocess
import tempfile

from .broker import WAIT_S, Log, free_port, linnet_binary


def command_of(kind, name):
    """The command of `name` (pub, sub, rr) as Linnet's or as Mosquitto's."""
    return [linnet_binary(), name] if kind == "linnet" else [f"mosquitto_{name}"]


def run_tool(kind, name, broker, *arguments, **options):
    """Runs it to its end. `broker` has a port, or is a list of options that say where it is."""
    options = {"stdin": subprocess.DEVNULL, "timeout": 2 * WAIT_S, **options}
    if "input" in options:
        del options["stdin"]
    return subprocess.run([*command_of(kind, name), *place(broker), *arguments],
                          capture_output=True, **options)


def place(broker):
    return broker if isinstance(broker, list) else ["-h", "127.0.0.1", "-p", str(broker.port)]


class Sub:
    """`linnet sub` or mosquitto_sub, entered when it is subscribed; ends with `count` messages."""

    def __init__(self, broker, *arguments, kind="linnet", count=1, subscribed=1):
        self._command = [*command_of(kind, "sub"), *place(broker), *arguments, "-d"]
        if count:
            self._command += ["-C", str(count), "-W", str(2 * WAIT_S)]
        self._kind, self._subscribed = kind, subscribed

    def __enter__(self):
        # Mosquitto's tools say on standard output what they do.
        is_linnet = self._kind == "linnet"
        command = self._command if is_linnet else ["stdbuf", "-oL", *self._command]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE if is_linnet else subprocess.STDOUT)
        self.log = Log(self.process.stderr if is_linnet else self.process.stdout)
        if not self.log.wait_for("SUBACK"):
            self.__exit__()
            raise AssertionError(f"{self._command}: no SUBACK\n{self.log.text()}")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._kind == "linnet":
            self.process.stdout.close()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def output(self):
        """All that it has printed, when it has ended; and its exit code."""
        if self._kind == "linnet":
            text = self.process.stdout.read()
            return text, self.process.wait(2 * WAIT_S)
        self.process.wait(2 * WAIT_S)
        self.log.wait_for_end()
        lines = [line for line in self.log.lines() if not line.startswith(
            ("Client ", "Subscribed "))]
        return "".join(line + "\n" for line in lines).encode(), self.process.returncode


class Mosquitto:
    """Mosquitto on a port of its own; kill() and start() again."""

    def __init__(self):
        self.port = free_port()
        self._folder = contextlib.ExitStack()

    def __enter__(self):
        folder = self._folder.enter_context(tempfile.TemporaryDirectory(prefix="linnet-test-"))
        self._conf = pathlib.Path(folder, "mosquitto.conf")
        self._conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                              "max_topic_alias 10\n")
        return self.start()

    def start(self):
        self._process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", str(self._conf)],
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        log = Log(self._process.stdout)
        if not log.wait_for(" running"):
            raise RuntimeError(f"Mosquitto did not start:\n{log.text()}")
        return self

    def kill(self):
        self._process.kill()
        self._process.wait()

    def __exit__(self, *_):
        self.kill()
        self._folder.close()
