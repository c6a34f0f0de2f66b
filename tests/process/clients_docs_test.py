"""What docs/clients.md says: its examples work, and it leaves no exit code and no key out."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

from support.broker import REPOSITORY, WAIT_S, Broker, linnet_binary, linnet_only
from support.documents import blocks
from support.tools import run_tool

DOCUMENT = pathlib.Path(REPOSITORY, "docs", "clients.md")


@linnet_only
class Document(unittest.TestCase):
    def setUp(self):
        self.text = DOCUMENT.read_text()

    def examples(self):
        return [line for language, lines in blocks(self.text) if language == "sh" for line in lines]

    def test_examples(self):
        """With the broker's port. What waits for messages ends by its -W, or by their number."""
        lines = self.examples()
        self.assertGreater(len(lines), 12)
        with Broker() as broker, tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "password.txt").write_text("secret\n")
            for line in lines:
                with self.subTest(line):
                    self.run_line(line, broker, folder)

    def run_line(self, line, broker, folder):
        line = re.sub(r"\blinnet (pub|sub|rr)\b", f"'{linnet_binary()}' \\1", line)
        if "1883" in line:
            line = line.replace("1883", str(broker.port))
        else:
            line += f" -p {broker.port}"
        line = line.replace("localhost", "127.0.0.1")
        done = subprocess.run(["bash", "-c", line], cwd=folder, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=3 * WAIT_S)
        codes = (0, 27) if "-W" in line else (0,)
        self.assertIn(done.returncode, codes, done.stdout + done.stderr)
        self.assertEqual(done.stderr, "")

    def test_options_are_options(self):
        """Every option that is named exists."""
        help_text = "".join(
            subprocess.run([linnet_binary(), command, "--help"], text=True, check=True,
                           capture_output=True, timeout=WAIT_S).stdout
            for command in ("pub", "sub", "rr"))
        options = set(re.findall(r"(?<![\w-])--?[\w-]+", help_text))
        text = self.text.split("## Differences")[0]
        named = set(re.findall(r"`(--?[\w-]+)", text))
        self.assertGreater(len(named), 20)
        self.assertEqual(named - options, set())

    def test_keys(self):
        """Every key of the JSON is explained."""
        with Broker() as broker:
            run_tool("linnet", "pub", broker, "-t", "a", "-m", "x", "-r", "-q", "1", "-D",
                     "publish", "content-type", "text/plain")
            lines = [run_tool("linnet", "sub", broker, "-t", "a", "-q", "1", "--json", "-C", "1"),
                     run_tool("linnet", "pub", broker, "-t", "a", "-n", "-q", "1", "--json")]
            for done in lines:
                for key in json.loads(done.stdout):
                    self.assertRegex(self.text, f"`{key}`|\"{key}\"")


if __name__ == "__main__":
    unittest.main()
