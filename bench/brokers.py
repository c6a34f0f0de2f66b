"""Linnet beside the brokers that are installed, in the same run: `./dev bench`. It starts each of
them anew for each measurement, lets `linnet bench` measure, and writes tables. README.md has the
details.

    python3 bench/brokers.py --linnet build/release/linnet --folder build/some-empty-folder --quick

Exit codes: 0 if everything came, 1 if Linnet has lost messages, 2 if the measurement failed."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
import time

import figures
import processes
from figures import LINNET, MEASUREMENTS, MOSQUITTO, NATS

HERE = pathlib.Path(__file__).resolve().parent
QUIET_S = 10
STARTS = 5
KEPT = 1000  # retained messages in the store that a broker starts on
PATIENCE_S = 120  # beyond the time that a measurement takes by itself


def options():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--linnet", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--folder", required=True, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--only", nargs="+", metavar="NAME",
                        help="these measurements alone; nothing is written then: "
                        + ", ".join(one.name for one in MEASUREMENTS))
    parser.add_argument("--rounds", type=int, help="of which the medians are shown (3; quick: 1)")
    parser.add_argument("--seconds", type=float, help="of each measurement (5; quick: 1)")
    parser.add_argument("--threads", default="1,2,4",
                        help="of Linnet; the first is always 1 (default: 1,2,4)")
    parser.add_argument("--no-write", action="store_true", help="leave bench/results.* as they are")
    chosen = parser.parse_args()
    names = {one.name for one in MEASUREMENTS}
    for name in chosen.only or []:
        if name not in names:
            parser.error(f"there is no measurement {name}; there are {', '.join(sorted(names))}")
    if not re.fullmatch(r"\d+(,\d+)*", chosen.threads):
        parser.error("--threads are numbers with commas between: 1,2,4")
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 3)
    chosen.seconds = chosen.seconds or (1 if chosen.quick else 5)
    if chosen.rounds < 1 or chosen.seconds <= 0:
        parser.error("--rounds and --seconds are more than 0")
    return chosen


# Brokers and machine -----------------------------------------------------------------------------


def installed_brokers(linnet, threads):
    """{label: kind}, in the order of the columns."""
    kinds = {LINNET: processes.Linnet(linnet, 1)}
    if program := processes.find_program("mosquitto"):
        kinds[MOSQUITTO] = processes.Mosquitto(program)
    if program := processes.find_program("nats-server"):
        kinds[NATS] = processes.Nats(program)
    for count in sorted({int(word) for word in threads.split(",")} - {0, 1}):
        kinds[f"{LINNET} {count} shards"] = processes.Linnet(linnet, count)
    return kinds


def first_line(*command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return (done.stdout.splitlines() or ["unknown"])[0].strip()


def field_of(file, pattern):
    try:
        found = re.search(pattern, pathlib.Path(file).read_text(), re.M)
    except OSError:
        return None
    return found.group(1).strip() if found else None


def machine(kinds):
    """What figures without it are worth nothing."""
    linnet = kinds[LINNET].program
    cache = pathlib.Path(linnet).resolve().parent / "CMakeCache.txt"
    compiler = field_of(cache, r"^CMAKE_CXX_COMPILER:\w+=(.*)$")
    memory_kib = field_of("/proc/meminfo", r"^MemTotal:\s+(\d+)")
    versions = {LINNET: first_line(linnet, "--version")}
    if MOSQUITTO in kinds:
        versions[MOSQUITTO] = first_line(kinds[MOSQUITTO].program, "-h")
    if NATS in kinds:
        versions[NATS] = first_line(kinds[NATS].program, "--version")
    git = ("git", "-C", str(HERE))
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "../src", "../CMakeLists.txt"],
                             stderr=subprocess.DEVNULL, check=False).returncode == 1
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "cpu": field_of("/proc/cpuinfo", r"^model name\s*:\s*(.*)$") or platform.machine(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(int(memory_kib or 0) / 2**20, 1),
            "kernel": f"{platform.system()} {platform.release()}",
            "compiler": first_line(compiler, "--version") if compiler else "unknown",
            "build": field_of(cache, r"^CMAKE_BUILD_TYPE:\w+=(.*)$") or "unknown",
            "commit": first_line(*git, "rev-parse", "--short", "HEAD")
            + (" and changes" if changed else ""),
            "versions": versions,
            "load_at_start": [round(load, 2) for load in os.getloadavg()]}


# Measuring ---------------------------------------------------------------------------------------


class Runs:
    def __init__(self, chosen, kinds):
        self.chosen = chosen
        self.kinds = kinds
        self.results = {}

    def all(self):
        """Rounds; in each, every measurement with one broker after the other."""
        measurements = [one for one in MEASUREMENTS
                        if not self.chosen.only or one.name in self.chosen.only]
        for number in range(1, self.chosen.rounds + 1):
            for measurement in measurements:
                for label, kind in self.kinds.items():
                    if " " in label and not measurement.scales:
                        continue
                    progress(f"round {number} of {self.chosen.rounds}: {measurement.name}, {label}")
                    sample = self.one(measurement, kind)
                    samples = self.results.setdefault(measurement.name, {})
                    samples.setdefault(label, []).append(sample)
        progress("")
        return self.results

    def one(self, measurement, kind):
        folder = self.chosen.folder / "broker"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            if measurement.name == "start":
                return self.starts(kind, folder)
            with processes.Broker(kind, folder) as broker:
                if measurement.name == "quiet":
                    return self.quiet(broker)
                return self.bench(measurement, broker)
        except (RuntimeError, OSError, KeyError, ValueError) as error:
            return figures.failed_sample(str(error))

    def bench(self, measurement, broker):
        command = [self.chosen.linnet, "bench", *measurement.words, "--json",
                   "--url", f"mqtt://127.0.0.1:{broker.port}", "--pid", str(broker.pid)]
        if measurement.timed:
            command += ["--duration", f"{self.chosen.seconds * 1000:.0f}ms"]
            if measurement.name != "connect":
                command += ["--warmup", f"{min(self.chosen.seconds / 2, 1) * 1000:.0f}ms"]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=self.chosen.seconds + PATIENCE_S, check=False)
        except subprocess.TimeoutExpired:
            return figures.failed_sample("no end in time")
        if not done.stdout:
            return figures.failed_sample(done.stderr.strip())
        report = json.loads(done.stdout)
        if "error" in report:
            return figures.failed_sample(report["error"])
        return figures.sample_of(measurement, report)

    @staticmethod
    def starts(kind, folder):
        with processes.Broker(kind, folder) as broker:
            if kind.needs_data:
                processes.retain_messages(broker.port, KEPT)
        times = []
        for _ in range(STARTS):
            with processes.Broker(kind, folder) as broker:
                times.append(broker.start_ms)
        return {**figures.failed_sample(""), "values": {"start": figures.median(times)}}

    @staticmethod
    def quiet(broker):
        time.sleep(1)
        before = broker.wakeups()
        time.sleep(QUIET_S)
        values = {"wakeups": broker.wakeups() - before, "rss": broker.resident_mib()}
        return {**figures.failed_sample(""), "values": values}


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
    elif text:
        sys.stderr.write(text + "\n")
    sys.stderr.flush()


# Reporting ---------------------------------------------------------------------------------------


def report_text(chosen, about, results, kinds):
    columns = [label for label in kinds if " " not in label]
    shards = [label for label in kinds if " " in label]
    lines = ["# Linnet beside other brokers", "",
             "Written by `./dev bench`; [README.md](README.md) says what is measured, and how.", "",
             f"{about['date']}, commit {about['commit']}, medians of {chosen.rounds} rounds; "
             f"{chosen.seconds:g} s for each measurement.",
             f"{about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB, "
             f"{about['kernel']}; {about['compiler']}, {about['build']}.",
             "Load at the start: " + ", ".join(f"{load:.2f}" for load in about["load_at_start"])
             + "; at the end: " + ", ".join(f"{load:.2f}" for load in about["load_at_end"]) + ".",
             "; ".join(f"{name}: {text}" for name, text in about["versions"].items()) + ".", "",
             figures.main_table(results, columns)]
    if shards and any(figures.shards_rows(results, shards)):
        lines += ["", figures.shards_table(results, shards)]
    if any(one.scales or one.name == "connect" for one in MEASUREMENTS if one.name in results):
        lines += ["", figures.rates_table(results, columns)]
    return "\n".join(lines) + "\n"


def report_json(chosen, about, results, kinds):
    columns = [label for label in kinds if " " not in label]
    shards = [label for label in kinds if " " in label]
    rows = [{"measurement": row["measurement"], "figure": row["figure"].key,
             "what": row["figure"].title, "unit": row["figure"].unit, "medians": row["values"],
             "of_mosquitto": row["ratio"], "target": figures.target_text(row["figure"]),
             "met": None if row["missed"] is None else not row["missed"], "missed": row["missed"]}
            for row in figures.judged_rows(results, columns)]
    more = [{"measurement": measurement.name, "medians": dict(zip([LINNET, *shards], values)),
             "target": limit, "met": None if over is None else not over}
            for measurement, values, limit, over in figures.shards_rows(results, shards)]
    return json.dumps({"about": about, "rounds": chosen.rounds, "seconds": chosen.seconds,
                       "rows": rows, "shards": more, "samples": results}, indent=1) + "\n"


def main():
    chosen = options()
    # Both end what was started on their way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if processes.open_files_max() < 11_000:
        progress("fewer than 11,000 open files are allowed: the idle connections will fail\n")
    kinds = installed_brokers(chosen.linnet, chosen.threads)
    about = machine(kinds)
    results = Runs(chosen, kinds).all()
    about["load_at_end"] = [round(load, 2) for load in os.getloadavg()]
    text = report_text(chosen, about, results, kinds)
    print(text, end="")
    # A glance must not replace what was measured with care.
    if not (chosen.no_write or chosen.only or chosen.quick):
        (HERE / "results.md").write_text(text)
        (HERE / "results.json").write_text(report_json(chosen, about, results, kinds))
    if any(sample["error"] for samples in results.values() for label, ones in samples.items()
           if label.startswith(LINNET) for sample in ones):
        return 2
    return 1 if figures.lost_by_linnet(results) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
