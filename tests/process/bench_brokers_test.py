"""`./dev bench`: it starts Linnet and Mosquitto, measures both, and prints what came out."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

from support.broker import REPOSITORY, WAIT_S, linnet_binary, linnet_only

PROGRAM = pathlib.Path(REPOSITORY, "bench", "brokers.py")


def measure(*options):
    with tempfile.TemporaryDirectory(prefix="linnet-test-") as folder:
        return subprocess.run(
            [sys.executable, "-B", str(PROGRAM), "--linnet", linnet_binary(), "--folder", folder,
             "--quick", *options],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=6 * WAIT_S)


def rows_of(text):
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in text.splitlines() if line.startswith("|")]
    return {row[0]: dict(zip(rows[0][1:], row[1:])) for row in rows[2:]}


@linnet_only
class Brokers(unittest.TestCase):
    def test_both_are_measured(self):
        results = [PROGRAM.with_name("results.md"), PROGRAM.with_name("results.json")]
        before = [path.read_bytes() if path.exists() else None for path in results]
        done = measure("--seconds", "0.3", "--threads", "1,2", "--only", "p2p-qos1", "start")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # The first one of the tables.
        rows = rows_of("|" + done.stdout.split("\n\n|")[1])
        self.assertEqual(list(rows), ["10 to 10, QoS 1, 16 B", "exec to ready, with a store"])
        for row in rows.values():
            for broker in ("Linnet", "Mosquitto"):
                self.assertGreater(float(row[broker]), 0, row)
            self.assertNotIn("Linnet lost", row["notes"])
        self.assertIn("Linnet 2 shards", done.stdout)
        # A part of it does not replace what all of it gave.
        after = [path.read_bytes() if path.exists() else None for path in results]
        self.assertEqual(after, before)

    def test_usage(self):
        for options, words in ((["--only", "p3p"], "there is no measurement p3p"),
                               (["--threads", "many"], "numbers with commas"),
                               (["--rounds", "-1"], "more than 0")):
            with self.subTest(options):
                done = measure(*options)
                self.assertEqual(done.returncode, 2)
                self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
