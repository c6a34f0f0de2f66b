"""The commands that look into a broker that runs."""

import json
import subprocess

from .broker import WAIT_S, Log, linnet_binary


def linnet(*arguments, **options):
    """A finished `linnet …`."""
    return subprocess.run([linnet_binary(), *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=3 * WAIT_S, **options)


class Admin:
    """Asks one broker.

    >>> admin = Admin(self, self.broker)
    >>> admin("clients")              # what it prints
    >>> admin.json("clients")         # the same as JSON
    """

    def __init__(self, test, broker):
        self.test, self.broker = test, broker

    def __call__(self, *arguments, code=0):
        done = linnet(*arguments, "--data-dir", self.broker.data_dir)
        self.test.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr or done.stdout

    def json(self, *arguments, code=0):
        done = linnet(*arguments, "--json", "--data-dir", self.broker.data_dir)
        self.test.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def client(self, client_id):
        """What `linnet sessions ID` says of it; None if there is no session."""
        done = linnet("sessions", client_id, "--json", "--data-dir", self.broker.data_dir)
        return json.loads(done.stdout)["sessions"][0] if done.returncode == 0 else None


class Following:
    """`linnet trace` or another command that goes on; entered when it follows."""

    def __init__(self, broker, *arguments):
        self._command = [linnet_binary(), *arguments, "--data-dir", broker.data_dir]

    def __enter__(self):
        self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.log, self.errors = Log(self.process.stdout), Log(self.process.stderr)
        if "--json" not in self._command and not self.errors.wait_for("tracing"):
            raise AssertionError(f"it does not follow: {self.errors.text()}")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.wait_for_end()
        self.errors.wait_for_end()
