"""`linnet check` on listeners: each fault has its line, and what the files say counts, too."""

import pathlib
import subprocess
import tempfile
import unittest

from support.broker import WAIT_S, linnet_binary, linnet_only
from support.certificates import Authority


@linnet_only
class CheckListeners(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority = Authority()
        cls.server = cls.authority.server("server")
        cls.other = cls.authority.server("other")
        cls.expired = cls.authority.server("expired", days=(-10, -1))

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="linnet-check-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "linnet.toml")

    def check(self, text, *command):
        self.path.write_text(text)
        return subprocess.run([linnet_binary(), *(command or ["check"]), "--config", self.path],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=WAIT_S)

    def assert_fault(self, text, start, *words):
        """One line, that of the listener in line 1, and the same when it is run."""
        for command in (["check"], ["run", "--data-dir", str(self.path.parent)]):
            with self.subTest(command):
                result = self.check(text, *command)
                self.assertEqual(result.returncode, 2, result.stderr)
                line, = result.stderr.splitlines()
                self.assertTrue(line.startswith(f"{self.path}:{start}: "), line)
                for word in words:
                    self.assertIn(word, line)

    def listener(self, cert, key, more=""):
        return (f'[[listener]]\nurl = "mqtts://127.0.0.1:0"\ntls.cert = "{cert}"\n'
                f'tls.key = "{key}"\n{more}\n')

    def test_good_certificates(self):
        text = self.listener(self.server.cert, self.server.key,
                             f'tls.client_ca = "{self.authority.certificate}"')
        result = self.check(text)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_common_files_wherever_they_stand(self):
        result = self.check('[[listener]]\nurl = "mqtts://127.0.0.1:0"\n'
                            f'[tls]\ncert = "{self.server.cert}"\nkey = "{self.server.key}"\n')
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_a_missing_file(self):
        self.assert_fault(self.listener("/nonexistent/a.crt", self.server.key), "1: listener.tls",
                          "/nonexistent/a.crt")

    def test_a_key_of_another_certificate(self):
        self.assert_fault(self.listener(self.server.cert, self.other.key), "1: listener.tls",
                          self.other.key)

    def test_an_expired_certificate(self):
        self.assert_fault(self.listener(self.expired.cert, self.expired.key), "1: listener.tls",
                          self.expired.cert, "expired")

    def test_keys_that_do_not_agree(self):
        self.assert_fault('[[listener]]\nurl = "wss://127.0.0.1:0"\n', "1: listener.tls.cert",
                          "linnet cert")
        self.assert_fault('[[listener]]\nurl = "unix:/tmp/x"\nmode = "0999"\n', "1: listener.mode")

    def test_two_listeners_at_one_place(self):
        self.assert_fault('[[listener]]\nurl = "mqtt://127.0.0.1:1883"\n'
                          '[[listener]]\nurl = "ws://127.0.0.1:1883"\n', "3: listener.url", "any://")
        self.assert_fault('[[listener]]\nurl = "mqtt://127.0.0.1:1883"\n'
                          '[[listener]]\nurl = "mqtt://127.0.0.1:1883"\n', "3: listener.url", "twice")
        result = self.check('[[listener]]\nurl = "mqtt://127.0.0.1:0"\n' * 2)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_the_command_line(self):
        def run(*arguments):
            return subprocess.run([linnet_binary(), "--listen", "mqtts://127.0.0.1:0", *arguments],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=WAIT_S)

        result = run()
        self.assertEqual(result.returncode, 2)
        self.assertTrue(result.stderr.startswith("--listen: tls.cert: is missing"), result.stderr)
        # A setting reaches the listener: what is wrong then is the other file.
        result = run("--set", f"tls.cert={self.server.cert}", "--set", "tls.key=/nonexistent/k")
        self.assertEqual(result.returncode, 2)
        self.assertIn("/nonexistent/k", result.stderr)


if __name__ == "__main__":
    unittest.main()
