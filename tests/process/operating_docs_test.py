"""What docs/operating.md says: its examples work, and no topic below $SYS is left out."""

import pathlib
import re
import subprocess
import time
import unittest

from support.admin import linnet
from support.broker import REPOSITORY, WAIT_S, Broker, linnet_binary, linnet_only
from support.clients import Client
from support.documents import Walk, blocks, section
from support.users import Folder

TOPICS = 77  # that a broker without certificates has
DOCUMENT = pathlib.Path(REPOSITORY, "docs", "operating.md")


def documented_topics(text):
    """The names in the table of $SYS, with `.../x` written out."""
    topics, last = set(), ""
    for name in re.findall(r"`([^`]+)`", text):
        if name.startswith("$SYS/broker/"):
            last = name
        elif name.startswith(".../"):
            last = last.rsplit("/", 1)[0] + name[3:]
        else:
            continue
        topics.add(last)
    return topics


@linnet_only
class Operating(unittest.TestCase):
    def setUp(self):
        self.text = DOCUMENT.read_text()

    def test_a_first_look(self):
        self.assertEqual(Walk(self, DOCUMENT, "A first look").go().commands, 4)

    def test_all_topics_below_sys(self):
        table = section(self.text, "Topics below $SYS")
        documented = documented_topics(table)
        found = set()
        with Broker(1, {"sys_interval": "1h"}) as broker, Client(broker) as client:
            client.subscribe("$SYS/#")
            deadline = time.monotonic() + WAIT_S
            while len(found) < TOPICS and time.monotonic() < deadline:
                found.add(client.receive().topic)
            client.subscribe("$SYS/broker/version")  # whatever else there is comes before it
            client.receive()
            self.assertEqual(client.inbox.qsize(), 0)
        loads = {topic for topic in found if topic.startswith("$SYS/broker/load/")}
        for name in ("messages/sent", "publish/received", "publish/sent", "publish/dropped",
                     "bytes/received", "bytes/sent", "connections", "sockets"):
            self.assertIn(f"`{name}`", table)
            self.assertIn(f"$SYS/broker/load/{name}/15min", loads)
        self.assertEqual(len(loads), 27)
        loads -= documented
        # This one needs messages that were written; certificates need a listener that has them.
        documented -= {"$SYS/broker/store/bytes/written per message",
                       "$SYS/broker/certificates/..."}
        self.assertEqual(sorted(found - loads), sorted(documented))

    def test_steps_of_a_trace(self):
        source = pathlib.Path(REPOSITORY, "src", "session", "watch.cpp").read_text()
        names = re.findall(r'"(\w+)"', re.search(r"kNames\{(.*?)\}", source, re.S)[1])
        documented = re.findall(r"(?m)^\| `(\w+)` \|", section(self.text, "Trace"))
        self.assertEqual(sorted(documented), sorted(names))

    def test_the_file_of_toml_is_one(self):
        folder = Folder(self.addCleanup)
        examples = [lines for language, lines in blocks(self.text) if language == "toml"]
        self.assertEqual(len(examples), 1)
        folder.file("linnet.toml", "\n".join(examples[0]) + "\n")
        done = subprocess.run([linnet_binary(), "check", "--config", "linnet.toml"],
                              cwd=folder.path, capture_output=True, text=True, timeout=WAIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_levels_by_file_command_and_reload(self):
        folder = Folder(self.addCleanup)
        lines = next(lines for language, lines in blocks(self.text) if language == "toml")
        with Broker(1, config="\n".join(lines)) as broker:
            def level():
                done = linnet("log", "--data-dir", broker.data_dir)
                return re.search(r"(?m)^session +(\w+)$", done.stdout)[1]

            self.assertEqual(level(), "debug")
            for line in section(self.text, "Logs").splitlines():
                if line.startswith("linnet log "):
                    script = line.replace("--data-dir data", f"--data-dir '{broker.data_dir}'")
                    function = f'linnet() {{ "{linnet_binary()}" "$@"; }}\n'
                    subprocess.run(["bash", "-e", "-c", function + script], cwd=folder.path,
                                   check=True, timeout=WAIT_S)
            self.assertEqual(level(), "default")
            broker.reload()
            self.assertEqual(level(), "debug")
            with Client(broker) as client:
                self.assertIsNotNone(broker.log.wait_for(client.client_id, "has connected"))


if __name__ == "__main__":
    unittest.main()
