"""What `linnet sub` shows on a terminal: colours, and nothing that a message could do with it."""

import os
import pty
import re
import select
import subprocess
import time
import unittest

from support.broker import WAIT_S, BrokerCase, linnet_binary
from support.clients import unique
from support.tools import run_tool

COLOUR = re.compile(r"\x1b\[\d+m")


class Terminal(BrokerCase):
    def setUp(self):
        self.topic = unique("terminal")

    def shown(self, payload, *arguments, name="a", environment=None):
        """What a terminal gets of a retained message."""
        done = run_tool("linnet", "pub", self.broker, "-t", f"{self.topic}/{name}", "-s", "-r",
                        "-q", "1", input=payload)
        self.assertEqual(done.returncode, 0, done.stderr)
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [linnet_binary(), "sub", "-p", str(self.broker.port), "-t", f"{self.topic}/#", "-C",
             "1", "-W", str(WAIT_S), *arguments], stdin=subprocess.DEVNULL, stdout=follower,
            stderr=subprocess.PIPE, env={**os.environ, "TERM": "xterm", "NO_COLOR": "",
                                         **(environment or {})})
        os.close(follower)
        data, end = b"", time.monotonic() + 2 * WAIT_S
        while time.monotonic() < end and select.select([leader], [], [], WAIT_S)[0]:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # the other side has gone
                break
            if not piece:
                break
            data += piece
        os.close(leader)
        _, errors = process.communicate(timeout=WAIT_S)
        self.assertEqual((process.returncode, errors), (0, b""))
        return data.decode().replace("\r\n", "\n")

    def test_json(self):
        text = self.shown(b'{"temperature":21.50,"ok":true,"of":["a"]}')
        self.assertIn("\x1b[36m" + self.topic + "/a\x1b[0m", text)
        self.assertIn("\x1b[33m21.50\x1b[0m", text)
        self.assertEqual(COLOUR.sub("", text), f"{self.topic}/a (retained)\n" + "{\n  "
                         '"temperature": 21.50,\n  "ok": true,\n  "of": ["a"]\n}\n')

    def test_text(self):
        text = self.shown("21.5 °C".encode())
        self.assertEqual(COLOUR.sub("", text), f"{self.topic}/a (retained) 21.5 °C\n")

    def test_bytes(self):
        text = COLOUR.sub("", self.shown(b"\x1b]0;owned\x07\xff"))
        self.assertEqual(text, f"{self.topic}/a (retained)\n00000000  1b 5d 30 3b 6f 77 6e 65  "
                         "64 07 ff                 |.]0;owned..|\n")

    def test_nothing_is_obeyed(self):
        hostile = "\x1b[2J\u202e\x9b31m\r\x08".encode()
        for arguments in ([], ["-v"], ["-F", "%t %p %C"], ["--json"], ["--json", "--pretty"],
                          ["-F", "%j"], ["-F", "%j", "--pretty"]):
            for environment in ({}, {"NO_COLOR": "1"}):
                text = self.shown(hostile, *arguments, name="\x1b[2J\u202e",
                                  environment=environment)
                self.assertNotRegex(COLOUR.sub("", text), "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
                self.assertEqual("\x1b" in text and "NO_COLOR" in environment, False)

    def test_colours_in_a_pipe(self):
        self.shown(b"[1]")
        for color, expected in (("auto", b"[1]\n"), ("never", b"[1]\n"),
                                ("always", b"[\x1b[33m1\x1b[0m]\n")):
            done = run_tool("linnet", "sub", self.broker, "-t", f"{self.topic}/a", "-C", "1",
                            "--color", color)
            self.assertEqual((done.returncode, done.stdout), (0, expected))


del BrokerCase

if __name__ == "__main__":
    unittest.main()
