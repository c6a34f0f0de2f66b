"""The README's first conversation: its commands work, and print what it says."""

import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

from support.broker import REPOSITORY, WAIT_S, Broker, Log, linnet_binary, linnet_only
from support.documents import Walk, blocks, section

SECTION = "A first conversation"
README = pathlib.Path(REPOSITORY, "README.md")
TOOLS = ("mosquitto_pub", "mosquitto_sub")
DEBUG_LINE = re.compile(r"(Client \S+ (sending|received) [A-Z]+|Subscribed \(mid)\b")


class Program:
    """One command, sent to the test's broker."""

    def __init__(self, broker, words):
        self.words = words
        # -d tells when the subscription stands; its lines are no part of the conversation.
        debug = ["-d"] if words[0] == "mosquitto_sub" else []
        self._process = subprocess.Popen(
            ["stdbuf", "-oL", words[0], *debug, "-h", broker.host, "-p", str(broker.port),
             *words[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self._log = Log(self._process.stdout)

    def wait_for_subscription(self):
        """Or for its end: what waits for a client may come before its SUBACK."""
        self._log.wait_for("received SUBACK")

    def finish(self):
        """What it has printed. It has to end by itself, and well."""
        try:
            code = self._process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            code = "none: it does not end"
        self.kill()
        if code != 0:
            raise AssertionError(
                f"{shlex.join(self.words)}: exit code {code}\n{self._log.text()}")
        return [line for line in self._log.lines() if not DEBUG_LINE.match(line)]

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._log.wait_for_end()


class Reader:
    """Does what a reader does. The commands of a block follow each other, but a subscriber that
    ends its block stays in its terminal until its output is asked for."""

    def __init__(self, broker):
        self._broker = broker
        self._listening = []
        self._printed = []
        self.commands = 0

    def enter(self, lines):
        commands = [shlex.split(line, comments=True) for line in lines]
        commands = [words for words in commands if words and words[0] in TOOLS]
        for number, words in enumerate(commands, start=1):
            program = Program(self._broker, words)
            self.commands += 1
            self._listening.append(program)
            if number < len(commands) or words[0] == "mosquitto_pub":
                self._printed += self._listening.pop().finish()
            else:
                program.wait_for_subscription()

    def printed(self):
        """All that was printed since the last question."""
        while self._listening:
            self._printed += self._listening.pop(0).finish()
        printed, self._printed = self._printed, []
        return printed

    def leave(self):
        for program in self._listening:
            program.kill()


class Readme(unittest.TestCase):
    def setUp(self):
        self.text = README.read_text()

    def test_begins_with_the_two_commands(self):
        self.assertEqual(blocks(self.text)[0], ("sh", ["./dev run", "./dev test"]))

    @linnet_only
    def test_conversation(self):
        conversation = blocks(section(self.text, SECTION))
        self.assertGreater(len([language for language, _ in conversation if language != "sh"]), 3)
        for threads in (1, 2):
            with self.subTest(threads=threads), Broker(threads) as broker:
                reader = Reader(broker)
                self.addCleanup(reader.leave)
                for language, lines in conversation:
                    if language == "sh":
                        reader.enter(lines)
                    else:
                        self.assertEqual(reader.printed(), lines)
                self.assertEqual(reader.printed(), [], "the README does not show this output")
                self.assertGreater(reader.commands, 5)

    @linnet_only
    def test_over_tls(self):
        parts = blocks(section(self.text, "Over TLS, and from a browser"))
        lines = [line for language, body in parts if language == "sh"
                 for line in "\n".join(body).replace("\\\n", " ").splitlines()]
        self.assertGreater(len(lines), 4)
        with tempfile.TemporaryDirectory(prefix="linnet-readme-") as folder:
            port = None
            for line in lines:
                words = shlex.split(line.replace("build/release/linnet", linnet_binary()))
                if words[1] == "run":
                    port = self.serve(folder, [word.replace("8883", "0") for word in words])
                    continue
                words = [word.replace("8883", str(port)) for word in words]
                done = subprocess.run(words, cwd=folder, timeout=WAIT_S, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}")
            self.assertIn("This is Linnet", done.stdout)

    def serve(self, folder, words):
        """Starts the broker of a command line; its port."""
        process = subprocess.Popen([*words, "--data-dir", f"{folder}/data"], cwd=folder,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        log = Log(process.stderr)
        self.assertIsNotNone(log.wait_for("ready"), log.text())
        return re.search(r":(\d+)$", log.lines("listening on any://")[0])[1]

    @linnet_only
    def test_users_and_rules(self):
        Walk(self, README, "Users and rules", "build/release/linnet").go()

    def test_links_lead_somewhere(self):
        links = re.findall(r"\]\(([^)#:]+)\)", self.text)
        self.assertGreater(len(links), 4)
        for link in links:
            self.assertTrue((README.parent / link).exists(), link)


if __name__ == "__main__":
    unittest.main()
