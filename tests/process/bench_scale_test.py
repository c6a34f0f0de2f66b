"""`./dev bench scale`: it starts brokers, fills them, and prints what that cost."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

from support.broker import REPOSITORY, WAIT_S, linnet_binary, linnet_only

PROGRAM = pathlib.Path(REPOSITORY, "bench", "scale.py")


def measure(*options):
    with tempfile.TemporaryDirectory(prefix="linnet-test-") as folder:
        return subprocess.run(
            [sys.executable, "-B", str(PROGRAM), "--linnet", linnet_binary(), "--folder", folder,
             "--matching", "/bin/false", "--quick", "--seconds", "0.3", *options],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=6 * WAIT_S)


def cells_of(text, heading):
    """The rows of the table behind a heading, without its head."""
    lines = text.split(heading, 1)[1].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in lines if line.startswith("|")]
    return rows[2:]


@linnet_only
class Scale(unittest.TestCase):
    def test_what_is_stored_costs_disk(self):
        done = measure("--only", "stored")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = cells_of(done.stdout, "## Retained and queued messages")
        self.assertEqual({row[0] for row in rows},
                         {"queued", "queued, for each of 10 sessions", "retained"})
        for row in rows:
            disk = float(row[2].replace(",", ""))
            self.assertTrue(30 < disk < 1000, row)
        self.assertNotIn("What machines carry", done.stdout.split("## ")[-1])

    def test_subscriptions_cost_memory(self):
        done = measure("--only", "subscriptions")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        [row] = cells_of(done.stdout, "## Subscriptions in a broker")
        self.assertEqual(row[:2], ["10,000", "10"])
        self.assertGreater(float(row[2].replace(",", "")), 50, row)

    def test_a_failure_is_said(self):
        done = measure("--only", "matching")
        self.assertEqual(done.returncode, 2)
        self.assertIn("bench_matching", done.stderr)


if __name__ == "__main__":
    unittest.main()
