"""What `./dev bench` makes of its samples: medians, ratios, targets and tables."""

import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(os.environ.get("LINNET_SOURCE_DIR",
                                   pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(ROOT / "bench"))

import figures  # noqa: E402
from figures import LINNET, MOSQUITTO, NATS, Figure  # noqa: E402

TWO, FOUR = "Linnet 2 shards", "Linnet 4 shards"


def measurement(name):
    return next(one for one in figures.MEASUREMENTS if one.name == name)


def sample(generator=50, lost=0, error="", **values):
    return {"values": values, "rate": 1000.0, "broker": 99.0, "generator": generator, "lost": lost,
            "error": error}


def results_of(name, **values_of_brokers):
    """One measurement, with a sample for each value of the figure `cpu`."""
    labels = {"linnet": LINNET, "mosquitto": MOSQUITTO, "nats": NATS, "two": TWO, "four": FOUR}
    return {name: {labels[broker]: [sample(cpu=value) for value in values]
                   for broker, values in values_of_brokers.items()}}


def cells(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


class Samples(unittest.TestCase):
    def test_median(self):
        self.assertEqual(figures.median([3, 1, 2]), 2)
        self.assertEqual(figures.median([4, None, 2]), 3)
        self.assertIsNone(figures.median([None]))
        self.assertIsNone(figures.median([]))

    def test_failed_rounds_do_not_count(self):
        samples = [sample(cpu=1.0), figures.failed_sample("gone"), sample(cpu=3.0)]
        self.assertEqual(figures.median_value(samples, "cpu"), 2)
        self.assertEqual(figures.median_of(samples, "rate"), 1000)

    def test_reports(self):
        phase = {"name": "run", "per_second": 5.0, "latency_us": {"p50": 100.0, "p99": 2500.0},
                 "broker": {"cpu_us_each": 0.2, "cpu_percent": 90.0},
                 "generator": {"cpu_percent": 40.0}}
        report = {"lost": 7, "phases": [phase]}
        one = figures.sample_of(measurement("p2p"), report)
        self.assertEqual(one, {"values": {"cpu": 0.2}, "rate": 5.0, "broker": 90.0,
                               "generator": 40.0, "lost": 7, "error": ""})
        self.assertEqual(figures.sample_of(measurement("latency"), report)["values"],
                         {"p50": 0.1, "p99": 2.5})
        report["phases"] = [{**phase, "name": "connected", "bytes_each": 600.0},
                            {**phase, "name": "subscribed", "bytes_each": 200.0}]
        self.assertEqual(figures.sample_of(measurement("idle"), report)["values"],
                         {"alone": 600, "subscribed": 800})


class Targets(unittest.TestCase):
    def test_value_and_ratio_are_told_apart(self):
        figure = Figure("cpu", "", "us", 0.24, 31)
        self.assertEqual(figures.missed(figure, 0.24, 8.0, 8.0), [])
        self.assertEqual(figures.missed(figure, 0.25, 8.0, 8.0), ["value"])
        self.assertEqual(figures.missed(figure, 0.24, 7.0, 7.0), ["ratio"])
        self.assertEqual(figures.missed(figure, 0.25, 7.0, 7.0), ["value", "ratio"])

    def test_at_most_includes_the_limit_and_below_does_not(self):
        self.assertEqual(figures.missed(Figure("a", "", "B", 6), 6, None, None), [])
        self.assertEqual(figures.missed(Figure("a", "", "B", 6, below=True), 6, None, None),
                         ["value"])

    def test_the_best_peer(self):
        figure = Figure("p50", "", "ms", like_best=True)
        self.assertEqual(figures.missed(figure, 1.0, 2.0, 1.0), [])
        self.assertEqual(figures.missed(figure, 1.1, 2.0, 1.0), ["ratio"])

    def test_what_is_not_known_is_not_judged(self):
        figure = Figure("cpu", "", "us", 0.24, 31)
        self.assertIsNone(figures.missed(figure, None, 8.0, 8.0))
        self.assertIsNone(figures.missed(figure, 0.1, None, None))
        self.assertEqual(figures.missed(figure, 0.3, None, None), ["value"])
        self.assertIsNone(figures.missed(Figure("p50", "", "ms", like_best=True), 1.0, None, None))
        self.assertEqual([figures.met_text(words) for words in (None, [], ["value", "ratio"])],
                         ["?", "yes", "no: value and ratio"])

    def test_more_shards(self):
        self.assertAlmostEqual(figures.shards_limit(0.1), 0.25)
        self.assertAlmostEqual(figures.shards_limit(1.0), 1.4)
        results = results_of("p2p", linnet=[0.2], two=[0.35], four=[0.36])
        ((_, values, limit, over),) = figures.shards_rows(results, [TWO, FOUR])
        self.assertEqual((values, over), ([0.2, 0.35, 0.36], ["4 shards"]))
        self.assertAlmostEqual(limit, 0.35)

    def test_more_shards_are_not_judged_without_one(self):
        ((_, _, limit, over),) = figures.shards_rows(results_of("p2p", two=[0.35]), [TWO])
        self.assertEqual((limit, over), (None, None))

    def test_every_figure_has_a_target_and_every_name_is_its_own(self):
        names = [one.name for one in figures.MEASUREMENTS]
        self.assertEqual(len(names), len(set(names)))
        for one in figures.MEASUREMENTS:
            for figure in one.figures:
                self.assertTrue(figures.target_text(figure), figure)


class Texts(unittest.TestCase):
    def test_ratios(self):
        for value, other, text in ((1, 31, "1/31"), (2, 9, "1/4.5"), (1, 1, "1/1.0"),
                                   (3, 2, "1.5"), (40, 2, "20"), (0, 100, "0"), (0, 0, "1"),
                                   (1, 0, "–"), (None, 1, "–"), (1, None, "–")):
            with self.subTest(value=value, other=other):
                self.assertEqual(figures.share_text(value, other), text)

    def test_values(self):
        for value, unit, text in ((0.2044, "us", "0.204"), (20.94, "us", "20.9"),
                                  (692.4, "B", "692"), (1234567, "B", "1,234,567"),
                                  (0, "", "0"), (None, "us", "–")):
            with self.subTest(value=value, unit=unit):
                self.assertEqual(figures.value_text(value, unit), text)

    def test_targets(self):
        self.assertEqual(figures.target_text(Figure("a", "", "us", 0.6, 24)), "0.60 and 1/24")
        self.assertEqual(figures.target_text(Figure("a", "", "ms", 20, below=True)), "< 20")
        self.assertEqual(figures.target_text(Figure("a", "", "ms", like_best=True)),
                         "the best peer's")

    def test_notes(self):
        samples = {LINNET: [sample(generator=95, cpu=1), sample(generator=97, cpu=1)],
                   MOSQUITTO: [sample(lost=1200), sample(lost=34)],
                   NATS: [figures.failed_sample("subscriber 2: mqtt://127.0.0.1:41 grants less"),
                          figures.failed_sample("subscriber 7: mqtt://127.0.0.1:42 grants less")]}
        self.assertEqual(figures.notes([LINNET, MOSQUITTO, NATS], samples),
                         "generator-bound with Linnet; Mosquitto lost 1,234; NATS: grants less")

    def test_lost_by_linnet_alone(self):
        results = {"p2p": {LINNET: [sample(lost=1)], TWO: [sample(lost=2)],
                           MOSQUITTO: [sample(lost=4)]}}
        self.assertEqual(figures.lost_by_linnet(results), 3)


class Tables(unittest.TestCase):
    def test_columns_are_aligned(self):
        text = figures.table(["name", "us"], [["a longer name", "0.1"], ["short", "1,234"]])
        lines = text.splitlines()
        self.assertEqual({len(line) for line in lines}, {len(lines[0])})
        self.assertEqual(cells(text)[1], ["-" * 13, "----:"])
        self.assertTrue(lines[2].endswith("|   0.1 |"), text)

    def test_main_table(self):
        results = results_of("p2p", linnet=[0.2, 0.9, 0.1], mosquitto=[8.0, 8.0, 7.0])
        rows = cells(figures.main_table(results, [LINNET, MOSQUITTO]))
        self.assertEqual(rows[0], ["what", "unit", LINNET, MOSQUITTO, "of Mosquitto", "target",
                                   "met", "notes"])
        self.assertEqual(rows[2:], [["10 to 10, QoS 0, 16 B", "us", "0.200", "8.000", "1/40",
                                     "0.24 and 1/31", "yes", ""]])

    def test_main_table_without_peers(self):
        rows = cells(figures.main_table(results_of("p2p", linnet=[0.2]), [LINNET]))
        self.assertEqual(rows[2][2:6], ["0.200", "–", "0.24 and 1/31", "?"])

    def test_shards_table(self):
        results = results_of("p2p", linnet=[0.2], two=[0.3], four=[0.9])
        rows = cells(figures.shards_table(results, [TWO, FOUR]))
        self.assertEqual(rows[2][1:6], ["0.200", "0.300", "0.900", "0.350", "no: 4 shards"])

    def test_rates_table(self):
        rows = cells(figures.rates_table(results_of("connect", linnet=[20.0]), [LINNET]))
        self.assertEqual(rows[2][1:], ["1,000", "99", "50"])


if __name__ == "__main__":
    unittest.main()
