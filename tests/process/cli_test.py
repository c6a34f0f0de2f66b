"""The command line: what scripts may rely on."""

import pathlib
import signal
import subprocess
import tempfile
import unittest

from support.broker import WAIT_S, Log, free_port, linnet_binary, linnet_only


def linnet(*arguments):
    """A finished run: its exit code, standard output and standard error."""
    return subprocess.run([linnet_binary(), *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=WAIT_S)


@linnet_only
class CommandLineCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="linnet-cli-")
        self.addCleanup(self.folder.cleanup)

    def file(self, text):
        path = pathlib.Path(self.folder.name, "linnet.toml")
        path.write_text(text)
        return str(path)

    def assert_refused(self, result, *words):
        """Exit code 2, nothing on standard output, the words on standard error."""
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stdout, "")
        for word in words:
            self.assertIn(word, result.stderr)


class Version(CommandLineCase):
    def test_version(self):
        for arguments in (["--version"], ["version"]):
            result = linnet(*arguments)
            self.assertEqual(result.returncode, 0)
            self.assertRegex(result.stdout, r"^linnet \d+\.\d+\.\d+ \(\S+ .+, \w+\)\n$")
            self.assertEqual(result.stderr, "")

    def test_help(self):
        result = linnet("--help")
        self.assertEqual(result.returncode, 0)
        for word in ("run", "check", "--config", "--listen", "--data-dir", "--set"):
            self.assertIn(word, result.stdout)
        self.assertNotIn("markdown", result.stdout)


class Check(CommandLineCase):
    def test_good_file(self):
        path = self.file("threads = 2\n[limits]\nqos_max = 1\n")
        result = linnet("check", "--config", path)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, f"{path}: ok\n", ""))

    def test_empty_file(self):
        path = self.file("")
        self.assertEqual(linnet("check", "--config", path).stdout, f"{path}: ok\n")

    def test_all_errors_each_on_its_line(self):
        path = self.file("thraeds = 2\n[limits]\nqos_max = 7\n")
        result = linnet("check", "--config", path)
        self.assert_refused(result)
        self.assertEqual(result.stderr.splitlines(), [
            f"{path}:1: thraeds: unknown key; did you mean threads?",
            f"{path}:3: limits.qos_max: 7 is out of range; allowed: 0 to 2"])

    def test_missing_file(self):
        result = linnet("check", "--config", "/nonexistent/linnet.toml")
        self.assert_refused(result)
        self.assertEqual(result.stderr,
                         "/nonexistent/linnet.toml: cannot be read: No such file or directory\n")

    def test_listener_errors_have_their_line(self):
        path = self.file('threads = 1\n[[listener]]\nurl = "mqtt://0.0.0.0:1883"\n')
        self.assert_refused(linnet("check", "--config", path), f"{path}:2: listener.url: ",
                            "allow_anonymous = true", "--allow-anonymous")
        path = self.file('[[listener]]\nurl = "gopher://127.0.0.1"\n')
        self.assert_refused(linnet("check", "--config", path), f"{path}:1: listener.url: ")

    def test_check_needs_a_file(self):
        self.assert_refused(linnet("check"), "--config")

    def test_keys_are_those_of_the_documentation(self):
        table = linnet("check", "--print-keys-markdown").stdout
        root = pathlib.Path(__file__).resolve().parents[2]
        self.assertTrue(table.startswith("### Top level\n"))
        self.assertIn(table, (root / "docs" / "configuration.md").read_text())


class WrongUsage(CommandLineCase):
    def test_unknown_words(self):
        for arguments in (["fly"], ["--fly"], ["run", "--fly"], ["run", "check"]):
            with self.subTest(arguments):
                self.assert_refused(linnet(*arguments))

    def test_bad_settings(self):
        for command in ([], ["run"]):
            self.assert_refused(linnet(*command, "--set", "thread=1"),
                                "--set: thread: unknown key; did you mean threads?")
            self.assert_refused(linnet(*command, "--set", "threads=65"), "out of range")
            self.assert_refused(linnet(*command, "--set", "threads"), "--set KEY=VALUE")

    def test_bad_listeners(self):
        self.assert_refused(linnet("--listen", "mqtt://0.0.0.0:0"), "--allow-anonymous")
        self.assert_refused(linnet("--listen", "127.0.0.1:1883"), "mqtt://")

    def test_unreadable_file(self):
        result = linnet("run", "--config", self.folder.name)
        self.assert_refused(result, "cannot be read: Is a directory")
        self.assertEqual(len(result.stderr.splitlines()), 1)


class Signals(CommandLineCase):
    def start(self):
        """A broker that serves, and its log, which is standard error."""
        process = subprocess.Popen(
            [linnet_binary(), "--listen", f"mqtt://127.0.0.1:{free_port()}",
             "--data-dir", self.folder.name],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        log = Log(process.stderr)
        self.assertTrue(log.wait_for("ready"), log.text())
        return process, log

    def assert_ends_in_good_order(self, process):
        self.assertEqual(process.wait(WAIT_S), 0)
        self.assertEqual(process.stdout.read(), b"")

    def test_stop_signals_end_in_good_order(self):
        for stop in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(stop.name):
                process, _ = self.start()
                process.send_signal(stop)
                self.assert_ends_in_good_order(process)

    def test_sighup_does_not_stop(self):
        process, log = self.start()
        process.send_signal(signal.SIGHUP)
        self.assertTrue(log.wait_for("SIGHUP"), log.text())
        process.send_signal(signal.SIGTERM)
        self.assert_ends_in_good_order(process)


if __name__ == "__main__":
    unittest.main()
