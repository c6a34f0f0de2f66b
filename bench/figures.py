"""What `./dev bench` measures, what Linnet must reach, and how samples become tables. Nothing here
starts or reads anything: see brokers.py.

A sample is what one run of one measurement with one broker gave:
    {"values": {"cpu": 0.21}, "rate": 2e6, "broker": 99, "generator": 80, "lost": 0, "error": ""}
rate is deliveries or connections a second, broker and generator are percents of one core."""

import dataclasses
import re
import statistics

LINNET = "Linnet"
MOSQUITTO = "Mosquitto"
NATS = "NATS"
NONE = "–"
GENERATOR_BUSY = 90  # percent of a core
SHARDS_FACTOR, SHARDS_US = 1.4, 0.15  # what more shards may cost, whichever is more


@dataclasses.dataclass(frozen=True)
class Figure:
    """One row of the table. `share` is 31 where Linnet may take 1/31 of what Mosquitto takes."""
    key: str
    title: str
    unit: str
    at_most: float = None
    share: float = None
    below: bool = False  # at_most itself is too much
    like_best: bool = False  # no worse than the best of the peers


@dataclasses.dataclass(frozen=True)
class Measurement:
    """`words` go to `linnet bench`; without any, a broker is only started and watched."""
    name: str
    words: tuple
    figures: tuple
    scales: bool = False  # also with more shards
    timed: bool = True  # takes --duration


def _traffic(name, title, words, at_most, share):
    return Measurement(name, tuple(words.split()),
                       (Figure("cpu", title, "us", at_most, share),), scales=True)


MEASUREMENTS = (
    _traffic("p2p", "10 to 10, QoS 0, 16 B", "p2p --qos 0 --payload 16", 0.24, 31),
    _traffic("p2p-1k", "10 to 10, QoS 0, 1 KiB", "p2p --qos 0 --payload 1024", 0.60, 15),
    _traffic("p2p-qos1", "10 to 10, QoS 1, 16 B", "p2p --qos 1 --payload 16", 0.40, 25),
    _traffic("p2p-qos2", "10 to 10, QoS 2, 16 B", "p2p --qos 2 --payload 16", 0.75, 43),
    _traffic("fanout", "1 to 100, QoS 0, 16 B", "fanout --subs 100 --qos 0 --payload 16", 0.10, 75),
    _traffic("fanout-1000", "1 to 1,000, QoS 1, 16 B", "fanout --subs 1000 --qos 1 --payload 16",
             0.60, 24),
    _traffic("fanin", "1,000 to 1, QoS 0, 16 B", "fanin --pubs 1000 --qos 0 --payload 16", 0.54, 9),
    _traffic("wildcard", "10 to 2,000 filters with + and #, QoS 0", "wildcard --subs 2000 --qos 0",
             0.80, 9),
    Measurement("connect", ("connect", "--clients", "50"),
                (Figure("cpu", "connect and disconnect, 50 at a time", "us", 20),)),
    Measurement("latency", tuple("p2p --qos 1 --payload 16 --rate 5000".split()),
                (Figure("p99", "latency at 5,000/s, QoS 1, p99", "ms", share=5),
                 Figure("p50", "latency at 5,000/s, QoS 1, p50", "ms", like_best=True))),
    Measurement("idle", ("idle", "--clients", "10000"),
                (Figure("alone", "idle connection, RSS", "B", 650),
                 Figure("subscribed", "idle connection with a subscription, RSS", "B", 900)),
                timed=False),
    Measurement("start", (),
                (Figure("start", "exec to ready, with a store", "ms", 20, below=True),)),
    Measurement("quiet", (), (Figure("rss", "no clients, RSS", "MiB", 6, below=True),
                              Figure("wakeups", "no clients, wake-ups in 10 s", "", 0))),
)


# Samples -----------------------------------------------------------------------------------------


def values_of(measurement, report):
    """What the figures of a measurement are, in a report of `linnet bench --json`."""
    phases = {phase["name"]: phase for phase in report["phases"]}
    if measurement.name == "idle":
        alone = phases["connected"]["bytes_each"]
        return {"alone": alone, "subscribed": alone + phases["subscribed"]["bytes_each"]}
    phase = phases.get("run") or phases["connect"]
    if measurement.name == "latency":
        return {key: phase["latency_us"][key] / 1000 for key in ("p50", "p99")}
    return {"cpu": phase["broker"]["cpu_us_each"]}


def sample_of(measurement, report):
    phase = report["phases"][-1]
    return {"values": values_of(measurement, report), "rate": phase.get("per_second"),
            "broker": phase["broker"].get("cpu_percent"),
            "generator": phase["generator"].get("cpu_percent"),
            "lost": report["lost"], "error": ""}


def failed_sample(error):
    return {"values": {}, "rate": None, "broker": None, "generator": None, "lost": 0,
            "error": error}


def median(values):
    """Of those that are there; None if there are none."""
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def median_value(samples, key):
    return median([sample["values"].get(key) for sample in samples])


def median_of(samples, key):
    return median([sample[key] for sample in samples])


# Targets -----------------------------------------------------------------------------------------


def share_text(value, other):
    """How a value relates to another one: 1/31 if it is that much smaller, else 1.2."""
    if value is None or other is None:
        return NONE
    if other == 0:
        return "1" if value == 0 else NONE
    if value == 0:
        return "0"
    times = other / value
    if times < 1:
        return f"{1 / times:.2g}" if times > 0.1 else f"{1 / times:.0f}"
    return f"1/{times:.1f}" if times < 10 else f"1/{times:.0f}"


def value_text(value, unit):
    if value is None:
        return NONE
    if unit in ("B", ""):
        return f"{value:,.0f}"
    return f"{value:,.3f}" if value < 10 else f"{value:,.1f}"


def limit_text(value, unit):
    return f"{value:.2f}" if unit == "us" and value < 1 else f"{value:g}"


def target_text(figure):
    parts = []
    if figure.at_most is not None:
        parts.append(("< " if figure.below else "") + limit_text(figure.at_most, figure.unit))
    if figure.share is not None:
        parts.append(f"1/{figure.share:g}")
    if figure.like_best:
        parts.append("the best peer's")
    return " and ".join(parts)


def missed(figure, value, mosquitto, best_peer):
    """Which targets a value misses, as words; None if they cannot be judged."""
    if value is None:
        return None
    words = []
    if figure.at_most is not None:
        fine = value < figure.at_most if figure.below else value <= figure.at_most
        if not fine:
            words.append("value")
    if figure.share is not None and mosquitto is not None and value * figure.share > mosquitto:
        words.append("ratio")
    if figure.like_best and best_peer is not None and value > best_peer:
        words.append("ratio")
    unknown = (figure.share is not None and mosquitto is None) or \
        (figure.like_best and best_peer is None)
    return None if unknown and not words else words


def met_text(words):
    if words is None:
        return "?"
    return f"no: {' and '.join(words)}" if words else "yes"


def shards_limit(one_shard):
    return max(SHARDS_FACTOR * one_shard, one_shard + SHARDS_US)


def shortened(error):
    """Without where it happened, which is different each time."""
    for noise in (r"mqtt://[\d.:]+ ", r"^\w+ \d+: "):
        error = re.sub(noise, "", error)
    return error.replace("|", "/").replace("\n", " ")


def notes(brokers, samples):
    """What a reader of a row has to know: who lost, failed, or had to wait for the generator."""
    words = []
    for broker in brokers:
        ones = samples.get(broker, [])
        lost = sum(sample["lost"] for sample in ones)
        if lost:
            words.append(f"{broker} lost {lost:,}")
        busy = median_of(ones, "generator")
        if busy is not None and busy >= GENERATOR_BUSY:
            words.append(f"generator-bound with {broker}")
        words += sorted({f"{broker}: {shortened(sample['error'])}" for sample in ones
                         if sample["error"]})
    return "; ".join(words)


def lost_by_linnet(results):
    return sum(sample["lost"] for samples in results.values()
               for broker, ones in samples.items() if broker.startswith(LINNET)
               for sample in ones)


# Tables ------------------------------------------------------------------------------------------


def is_number(text):
    return text == NONE or re.fullmatch(r"[\d.,/]+", text) is not None


def table(head, rows):
    """Of Markdown, in columns of equal width, so that it can be read on a terminal, too."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    right = [bool(rows) and all(is_number(row[column]) for row in rows)
             for column in range(len(head))]

    def line(cells):
        padded = [cell.rjust(width) if to_right else cell.ljust(width)
                  for cell, width, to_right in zip(cells, widths, right)]
        return f"| {' | '.join(padded)} |"

    rule = [("-" * (width - 1) + ":") if to_right else "-" * width
            for width, to_right in zip(widths, right)]
    return "\n".join([line(head), line(rule), *map(line, rows)])


def judged_rows(results, brokers):
    """One dictionary for each figure that was measured. `results` is
    {measurement's name: {broker: [sample]}}."""
    rows = []
    peers = [broker for broker in brokers if broker != LINNET]
    for measurement in MEASUREMENTS:
        samples = results.get(measurement.name)
        if samples is None:
            continue
        for figure in measurement.figures:
            values = {broker: median_value(samples.get(broker, []), figure.key)
                      for broker in brokers}
            others = [values[peer] for peer in peers if values[peer] is not None]
            mine, mosquitto = values.get(LINNET), values.get(MOSQUITTO)
            words = missed(figure, mine, mosquitto, min(others, default=None))
            rows.append({"measurement": measurement.name, "figure": figure, "values": values,
                         "ratio": share_text(mine, mosquitto), "missed": words,
                         "notes": notes(brokers, samples)})
    return rows


def main_table(results, brokers):
    head = ["what", "unit", *brokers, "of Mosquitto", "target", "met", "notes"]
    rows = []
    for row in judged_rows(results, brokers):
        figure = row["figure"]
        cells = [value_text(row["values"][broker], figure.unit) for broker in brokers]
        rows.append([figure.title, figure.unit, *cells, row["ratio"], target_text(figure),
                     met_text(row["missed"]), row["notes"]])
    return table(head, rows)


def shards_rows(results, shards):
    """(title, values, limit, missed) where more shards were measured; `shards` has their labels."""
    for measurement in MEASUREMENTS:
        samples = results.get(measurement.name)
        if samples is None or not measurement.scales:
            continue
        figure = measurement.figures[0]
        one = median_value(samples.get(LINNET, []), figure.key)
        values = [median_value(samples.get(label, []), figure.key) for label in shards]
        limit = None if one is None else shards_limit(one)
        over = None
        if limit is not None and None not in values:
            over = [label.removeprefix(f"{LINNET} ") for label, value in zip(shards, values)
                    if value > limit]
        yield measurement, [one, *values], limit, over


def shards_table(results, shards):
    head = ["CPU us for each delivery", LINNET, *shards, "target", "met", "notes"]
    rows = []
    for measurement, values, limit, over in shards_rows(results, shards):
        rows.append([measurement.figures[0].title, *[value_text(value, "us") for value in values],
                     value_text(limit, "us"), met_text(over),
                     notes(shards, results[measurement.name])])
    return table(head, rows)


def rates_table(results, brokers):
    """By the wall clock, and how busy the broker and the generator were meanwhile."""
    head = ["a second, by the wall clock"]
    for broker in brokers:
        head += [broker, "CPU %", "generator %"]
    rows = []
    for measurement in MEASUREMENTS:
        samples = results.get(measurement.name)
        if samples is None or not (measurement.scales or measurement.name == "connect"):
            continue
        cells = [measurement.figures[0].title]
        for broker in brokers:
            ones = samples.get(broker, [])
            cells += [value_text(median_of(ones, "rate"), "B"),
                      value_text(median_of(ones, "broker"), "B"),
                      value_text(median_of(ones, "generator"), "B")]
        rows.append(cells)
    return table(head, rows)
