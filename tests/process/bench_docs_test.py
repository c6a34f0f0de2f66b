"""What docs/benchmark.md says: its examples work, and it leaves nothing out."""

import json
import pathlib
import re
import subprocess
import unittest

from support.broker import REPOSITORY, WAIT_S, Broker, linnet_binary, linnet_only
from support.documents import blocks

DOCUMENT = pathlib.Path(REPOSITORY, "docs", "benchmark.md")

# What makes an example short: that of its scenario, unless the example says it itself.
SHORT = {"connect": ["--messages", "100"], "idle": [], "retained": [], "offline": []}
SHORT_OTHERS = ["--duration", "200ms", "--warmup", "0s"]


def keys_of(value):
    """All keys of an object, and of what is in it."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value), set())
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set()


@linnet_only
class Document(unittest.TestCase):
    def setUp(self):
        self.text = DOCUMENT.read_text()

    def examples(self):
        return [line for language, lines in blocks(self.text) if language == "sh" for line in lines]

    def test_examples(self):
        lines = self.examples()
        self.assertGreater(len(lines), 8)
        with Broker() as broker:
            pid = f"pidof() {{ echo {broker.process.pid}; }}\n"
            for line in lines:
                with self.subTest(line):
                    scenario = line.split()[2]
                    more = SHORT.get(scenario, SHORT_OTHERS)
                    if "--url" in line:
                        line = line.replace(":1883", f":{broker.port}")
                    else:
                        more = [*more, "--url", broker.url]
                    command = line.replace("linnet", f"'{linnet_binary()}'", 1)
                    done = subprocess.run(["bash", "-c", pid + " ".join([command, *more])],
                                          text=True, capture_output=True, timeout=3 * WAIT_S)
                    self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_options(self):
        """The table has the options that there are."""
        help_text = subprocess.run([linnet_binary(), "bench", "--help"], text=True, check=True,
                                   capture_output=True, timeout=WAIT_S).stdout
        options = set(re.findall(r"^  (?:-\w,)?(--[\w-]+)", help_text, re.M)) - {"--help"}
        self.assertGreater(len(options), 15)
        table = set(re.findall(r"`(--[\w-]+)`", "\n".join(
            line.split("|")[1] for line in self.text.splitlines() if line.startswith("| `--"))))
        self.assertEqual(options, table)

    def test_keys(self):
        """Every key of the reports is explained."""
        with Broker() as broker:
            for scenario in (["p2p", "--messages", "100"], ["idle", "--clients", "10"]):
                done = subprocess.run(
                    [linnet_binary(), "bench", *scenario, "--url", broker.url, "--pid",
                     str(broker.process.pid), "--json"], text=True, check=True, timeout=WAIT_S,
                    capture_output=True)
                for key in keys_of(json.loads(done.stdout)):
                    self.assertIn(f"`{key}`", self.text)


if __name__ == "__main__":
    unittest.main()
