"""What `./dev bench scale` makes of its measurements: costs, and what machines carry."""

import os
import pathlib
import sys
import unittest

SOURCE = pathlib.Path(os.environ.get("LINNET_SOURCE_DIR",
                                     pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "bench"))

import scale_clients as clients  # noqa: E402
import scale_report  # noqa: E402
import scale_tables as tables  # noqa: E402
from scale_tables import GIB, MIB, Costs, Machine  # noqa: E402

COSTS = Costs(base=2 * MIB, thread=MIB, connection=1000, kernel=4000, subscription=200, interest=100,
              message_us=8, message_shards_us=4, batched_us=0.5, batched_shards_us=0.2, ping_us=6,
              retained_disk=128, queued_disk=256)

MATCH = {"kind": "mixed", "filters": 1000, "levels": 4, "targets": 1, "cold_ns": 200.0,
         "missed_ns": 0, "warm_ns": 25.0, "subscribe_ns": 300.0, "unsubscribe_ns": 400.0,
         "bytes_each": 180.0, "interest_bytes_each": 115.0}
CONNECTED = {"connections": 1000, "alone": 700.0, "subscribed": 900.0, "kernel": 4000.0,
             "ping_us": 5.0, "message_us": 6.0, "message_qos1_us": 9.0}
MEASURED = {
    "matching": [MATCH, {**MATCH, "filters": 1_000_000, "cold_ns": 1600.0, "bytes_each": 178.0}],
    "depth": [MATCH], "hard": [{**MATCH, "what": "all", "matching": 4096}],
    "connections": [{**CONNECTED, "connections": 10, "kernel": 1.0}, CONNECTED],
    "subscriptions": [{"filters": 10, "connections": 1, "bytes_each": 9.0, "cpu_us": 1.0}],
    "stored": [{"what": what, "messages": 10, "disk": disk, "memory": 0.0, "cpu_us": 3.0}
               for what, disk in (("retained", 120.0), ("queued", 90.0),
                                  ("queued, for each of 10 sessions", 95.0))],
    "payload": [{"payload": 16, "cpu_us": 0.2, "rate": 1e6}],
    "threads": [{"threads": 1, "rss_mib": 9.0, "anonymous_mib": 2.0, "message_us": 9.0,
                 "batched_us": 0.2},
                {"threads": 2, "rss_mib": 9.0, "anonymous_mib": 2.5, "message_us": 10.5,
                 "batched_us": 0.3}],
}
ABOUT = {"date": "today", "commit": "c", "cpu": "CPU", "cores": 2, "memory_gib": 4.0,
         "kernel": "Linux", "compiler": "g++", "build": "Release", "load_at_start": [0.0],
         "load_at_end": [0.0]}


class Machines(unittest.TestCase):
    def test_one_core_pays_nothing_for_others(self):
        one = tables.carries(COSTS, Machine("one", 1, GIB, 1.0))
        self.assertAlmostEqual(one["messages"], 0.7e6 / 8)
        self.assertAlmostEqual(one["batched"], 0.7e6 / 0.5)
        self.assertAlmostEqual(one["filters"], (0.35 * GIB - 2 * MIB) / 200)

    def test_more_cores_know_each_others_filters_and_send_each_other_messages(self):
        four = tables.carries(COSTS, Machine("four", 4, GIB, 0.5))
        self.assertAlmostEqual(four["messages"], 0.7e6 * 4 * 0.5 / (8 + 4 * 3 / 4))
        user = 0.35 * GIB - 2 * MIB - 3 * MIB
        self.assertAlmostEqual(four["filters"], user / (200 + 3 * 100))
        self.assertAlmostEqual(four["batched"], 0.7e6 * 4 * 0.5 / (0.5 + 0.2 * 3 / 4))
        self.assertAlmostEqual(four["bounds"]["broker's memory"], user / (1000 + 3 * 100))

    def test_the_first_bound_is_named(self):
        slow = tables.carries(COSTS, Machine("slow", 1, GIB, 0.001))
        self.assertEqual(slow["first"], "processor")
        self.assertAlmostEqual(slow["devices"], 0.7e6 * 0.001 / (8 / 10 + 6 / 60))
        quick = tables.carries(COSTS, Machine("quick", 1, GIB, 1.0))
        self.assertEqual(quick["first"], "memory with sockets")
        self.assertAlmostEqual(quick["devices"], (0.6 * GIB - 2 * MIB) / 5000)

    def test_memory_that_does_not_suffice_carries_nothing(self):
        self.assertEqual(tables.carries(COSTS, Machine("tiny", 1, MIB, 1.0))["filters"], 0)

    def test_costs_come_from_the_largest_sizes(self):
        costs = tables.costs_of(MEASURED)
        self.assertEqual((costs.kernel, costs.subscription, costs.queued_disk), (4000, 178, 95))
        self.assertAlmostEqual(costs.thread, 0.5 * MIB)
        self.assertAlmostEqual(costs.message_shards_us, 3.0)
        self.assertAlmostEqual(costs.batched_shards_us, 0.2)

    def test_what_could_not_be_measured_is_left_out(self):
        failed = {**CONNECTED, "connections": 5000, "kernel": 9.0, "message_qos1_us": None}
        measured = {**MEASURED, "connections": [CONNECTED, failed]}
        self.assertEqual(tables.costs_of(measured).kernel, 4000)
        self.assertIn("| 5,000 ", scale_report.report_text(ABOUT, measured).replace("  ", ""))
        self.assertIsNone(tables.costs_of({**MEASURED, "connections": [failed]}))

    def test_without_a_part_there_are_no_costs(self):
        self.assertIsNone(tables.costs_of({**MEASURED, "payload": []}))


class Text(unittest.TestCase):
    def test_all_parts(self):
        text = scale_report.report_text(ABOUT, MEASURED)
        for words in ("1,000 times as many, a walk takes 8.0 times as long", "| 1,000,000 ",
                      "queued, for each of 10 sessions", "what ends first", "computed and not measured"):
            self.assertIn(words, text)
        self.assertNotIn("{", text)

    def test_a_part_alone(self):
        text = scale_report.report_text(ABOUT, {"payload": MEASURED["payload"]})
        self.assertIn("## Payload", text)
        self.assertNotIn("What machines carry\n\n**", text)

    def test_numbers(self):
        self.assertEqual([tables.number(value) for value in (None, 0, 0.1234, 12.345, 1234.5)],
                         ["–", "0", "0.123", "12.3", "1,234"])
        self.assertEqual([tables.rounded(value) for value in (3.14159, 1234.5, 98765432)],
                         ["3.1", "1,200", "98,000,000"])
        self.assertEqual([tables.bytes_text(value) for value in (16, 2048, 256 * MIB)],
                         ["16 B", "2 KiB", "256 MiB"])


class Packets(unittest.TestCase):
    def test_lengths(self):
        self.assertEqual(clients.packet(0x30, b"x" * 127)[:2], b"\x30\x7f")
        self.assertEqual(clients.packet(0x30, b"x" * 128)[:3], b"\x30\x80\x01")

    def test_publish(self):
        self.assertEqual(clients.publish("a", b"b", 0), b"\x32\x06\0\1a\0\1b")
        self.assertEqual(clients.publish("a", b"b", 65_535, retain=True), b"\x33\x06\0\1a\0\1b")

    def test_subscribe(self):
        self.assertEqual(clients.subscribe(["a", "b"], 1), b"\x82\x0a\0\1\0\1a\1\0\1b\1")


if __name__ == "__main__":
    unittest.main()
