"""The bounds on instructions and allocations: what is made of counts, and that the counts of this
build are within them."""

import os
import pathlib
import shutil
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("LINNET_SOURCE_DIR",
                                     pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "bench"))

import instructions  # noqa: E402

# The design's word: no allocation per message in the steady state. What has to be kept until it is
# acknowledged, or is large enough to be sent from where it stands, is a message of its own.
WITHOUT_ALLOCATIONS = ("p2p", "p2p-1k", "p2p-v5", "p2p-rules", "fanout", "fanin", "wildcard",
                       "shared")
PROGRAM = os.environ.get("LINNET_BENCH_INSTRUCTIONS")


def counts(instructions_each, allocations_each=0.0):
    return {"instructions": instructions_each, "allocations": allocations_each,
            "deliveries": 1000}


class Bounds(unittest.TestCase):
    bounds = instructions.bounds_of({"p2p": counts(500.0), "qos1": counts(800.0, 0.5)}, "GCC 12")

    def complaint(self, name, *now):
        return instructions.complaint(name, counts(*now), self.bounds["scenarios"].get(name))

    def test_what_was_counted_is_within_its_bounds(self):
        self.assertEqual(self.complaint("p2p", 500.0), "")
        self.assertEqual(self.complaint("p2p", 549.9, 0.0004), "")
        self.assertEqual(self.complaint("qos1", 800.0, 0.549), "")

    def test_more_instructions_are_named_with_the_way_out(self):
        said = self.complaint("p2p", 551.0)
        for word in ("p2p", "551", "500", "550", instructions.RENEW, "callgrind_annotate"):
            self.assertIn(word, said)

    def test_no_allocations_stay_none(self):
        self.assertIn("0.010 allocations", self.complaint("p2p", 500.0, 0.01))
        self.assertIn("0.600 allocations", self.complaint("qos1", 800.0, 0.6))

    def test_a_new_scenario_needs_bounds(self):
        self.assertIn(instructions.RENEW, self.complaint("new", 1.0))

    def test_what_has_become_cheaper_is_said(self):
        self.assertEqual(instructions.stale({"p2p": counts(449.0)}, self.bounds), ["p2p"])
        self.assertEqual(instructions.stale({"p2p": counts(451.0)}, self.bounds), [])
        self.assertEqual(instructions.stale({"qos1": counts(800.0, 0.2)}, self.bounds), ["qos1"])

    def test_table(self):
        rows = instructions.table({"p2p": counts(510.0), "new": counts(9.0)}, self.bounds)
        self.assertIn("| p2p | 510 | 500 | +2.0% | 0.000 | 0.000 |", rows)
        self.assertIn("| new | 9 | – | – | 0.000 | – |", rows)


@unittest.skipUnless(PROGRAM, "this build has no program whose instructions could be counted")
class Counts(unittest.TestCase):
    """A benchmark's bound: it says nothing of time, and is the same on a busy machine."""

    def setUp(self):
        self.build = instructions.ask(PROGRAM, "--build")
        self.names = instructions.ask(PROGRAM, "--list").split()
        self.bounds = instructions.read_bounds()

    def test_every_scenario_has_bounds_and_the_other_way_round(self):
        self.assertEqual(sorted(self.bounds["scenarios"]), sorted(self.names),
                         f"{instructions.RENEW} renews the bounds")

    def test_bounds_allow_no_allocations_for_small_messages_of_qos_0(self):
        for name in WITHOUT_ALLOCATIONS:
            self.assertEqual(self.bounds["scenarios"][name]["allocations"], 0, name)

    def test_all_scenarios_are_within_their_bounds(self):
        if shutil.which("valgrind") is None:
            self.skipTest("there is no valgrind")
        if self.build != self.bounds["build"]:
            self.skipTest(f"this is {self.build}, and the bounds are of {self.bounds['build']}")
        with tempfile.TemporaryDirectory() as folder:
            counted = instructions.count_all(PROGRAM, self.names, folder)
        self.assertEqual("\n".join(instructions.complaints(counted, self.bounds)), "")


if __name__ == "__main__":
    unittest.main()
