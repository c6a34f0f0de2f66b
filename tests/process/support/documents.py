"""The examples of documents, done as a reader would do them."""

import os
import pathlib
import re
import subprocess
import textwrap

from .broker import WAIT_S, Log, free_port, linnet_binary
from .users import Folder

PASSWORD = "secret"  # what the examples' users have


def section(text, title):
    """What stands between a heading and the next one of its rank or above."""
    found = re.search(rf"^(##+) {re.escape(title)}\n(.*?)(?=^##(?!#)|^\1 |\Z)", text, re.M | re.S)
    return found.group(2) if found else ""


def blocks(text):
    """The fenced blocks as pairs: language and lines."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    return [(language, body.splitlines()) for language, body in found]


class Walk:
    """Goes through a section: blocks of toml whose first line is a comment with a file's name are
    written, blocks of sh are run, and a block of text is what the last command has printed. `linnet
    run` goes on in the background, on a port of its own."""

    def __init__(self, test, document, title, program="linnet"):
        self._test = test
        self._blocks = blocks(section(pathlib.Path(document).read_text(), title))
        self._program = program
        self._folder = Folder(test.addCleanup).path
        self._port = str(free_port())
        self._printed = None
        self.commands = 0

    def go(self):
        for language, lines in self._blocks:
            if language == "toml" and re.fullmatch(r"# \S+", lines[0]):
                pathlib.Path(self._folder, lines[0][2:]).write_text("\n".join(lines) + "\n")
            elif language == "sh":
                self._enter(lines)
            elif language == "text":
                self._test.assertEqual(self._printed, lines)
        self._test.assertGreater(self.commands, 0)
        return self

    def _enter(self, lines):
        serves = [line for line in lines if line.startswith(f"{self._program} run")]
        rest = [line for line in lines if line not in serves]
        if rest:
            self._run("\n".join(rest))
        for line in serves:
            self._serve(line.removeprefix(self._program).split())

    def _run(self, script):
        """One script, so that its variables live as long as it."""
        functions = (f'linnet() {{ "{linnet_binary()}" "$@" < password; }}\n'
                     f'mosquitto_pub() {{ command mosquitto_pub -p {self._port} "$@"; }}\n'
                     f'mosquitto_sub() {{ command mosquitto_sub -p {self._port} "$@"; }}\n')
        pathlib.Path(self._folder, "password").write_text(f"{PASSWORD}\n")
        script = script.replace(f"{self._program} ", "linnet ")
        done = subprocess.run(["bash", "-e", "-c", functions + script], cwd=self._folder, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=3 * WAIT_S, env=dict(os.environ))
        self._test.assertEqual((done.returncode, done.stderr), (0, ""),
                               textwrap.indent(script, "  ") + done.stdout)
        self._printed = done.stdout.splitlines()
        self.commands += 1

    def _serve(self, words):
        process = subprocess.Popen(
            [linnet_binary(), *words, "--listen", f"mqtt://127.0.0.1:{self._port}", "--data-dir",
             f"{self._folder}/data"], cwd=self._folder, stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        self._test.addCleanup(process.wait)
        self._test.addCleanup(process.kill)
        log = Log(process.stderr)
        self._test.assertIsNotNone(log.wait_for("ready"), log.text())
        self.commands += 1
