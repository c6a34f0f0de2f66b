"""How Linnet's costs grow, and what machines carry: `./dev bench scale`. It measures matching by
itself and a broker with its clients, and writes scale.md. README.md has the details.

    python3 bench/scale.py --linnet build/release/linnet --matching build/release/bench_matching \\
        --folder build/some-empty-folder --quick

Exit codes: 0, or 2 if a measurement failed."""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import brokers
import figures
import processes
import scale_clients as clients
import scale_report

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE_S = 300
PARTS = ("matching", "connections", "subscriptions", "stored", "payload", "threads")

# Bounds that no measurement reaches.
SETTINGS = {"limits.packet_size_max": "2MiB", "limits.retained_messages_max": "4000000",
            "limits.retained_bytes_max": "8GiB", "limits.backlog_messages_max": "4000000",
            "limits.backlog_bytes_max": "8GiB"}
FILES_BESIDE = 500  # descriptors that are not connections
OUTSTANDING_BYTES = 16 << 20
RATE = 10_000  # messages a second, of all connections together
FILL_BYTES = 16  # of a stored message's payload


def options():
    parser = argparse.ArgumentParser(prog="./dev bench scale", description=__doc__.split("\n\n")[0])
    parser.add_argument("--linnet", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--matching", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--folder", required=True, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="small sizes; nothing is written then")
    parser.add_argument("--only", nargs="+", metavar="PART", choices=PARTS,
                        help="these parts alone; nothing is written then: " + ", ".join(PARTS))
    parser.add_argument("--seconds", type=float, help="of each rate (3; quick: 1)")
    parser.add_argument("--no-write", action="store_true", help="leave bench/scale.* as they are")
    chosen = parser.parse_args()
    chosen.seconds = chosen.seconds or (1 if chosen.quick else 3)
    if chosen.seconds <= 0:
        parser.error("--seconds is more than 0")
    return chosen


class Linnet(processes.Linnet):
    def command(self, folder, port):
        command = super().command(folder, port)
        for key, value in SETTINGS.items():
            command += ["--set", f"{key}={value}"]
        return command


# Looking -----------------------------------------------------------------------------------------


def cpu_us(pid):
    """User and system time of all threads of a process so far."""
    return time.clock_gettime((~pid << 3) | 2) * 1e6


def settled_cpu_us(pid):
    """When it has done what it has put off, and nothing more for a while."""
    before = cpu_us(pid)
    for _ in range(100):
        time.sleep(0.1)
        now = cpu_us(pid)
        if now - before < 300:
            return now
        before = now
    return before


def anonymous_bytes(pid):
    """Memory that is its own; when no more of it comes or goes."""
    before = kib_of(f"/proc/{pid}/status", "RssAnon:")
    for _ in range(50):
        time.sleep(0.1)
        now = kib_of(f"/proc/{pid}/status", "RssAnon:")
        if now == before:
            break
        before = now
    return before * 1024


def kib_of(file, name):
    found = re.search(rf"^{name}\s+(\d+)", pathlib.Path(file).read_text(), re.M)
    return int(found.group(1))


def slab_bytes():
    """Of the whole kernel: what sockets and all else of fixed size take."""
    return kib_of("/proc/meminfo", "Slab:") * 1024


# Measuring ---------------------------------------------------------------------------------------


class Scale:
    def __init__(self, chosen):
        self.chosen = chosen
        self.quick = chosen.quick
        self.failures = []
        self.files = processes.open_files_max()
        self.connections_max = self.files - FILES_BESIDE

    def broker(self, threads=1):
        folder = self.chosen.folder / "broker"
        shutil.rmtree(folder, ignore_errors=True)
        return processes.Broker(Linnet(self.chosen.linnet, threads), folder)

    def all(self):
        parts = [part for part in PARTS if not self.chosen.only or part in self.chosen.only]
        measured = {}
        for part in parts:
            for name, rows in getattr(self, part)().items():
                measured[name] = rows
        brokers.progress("")
        return measured

    # Matching, without a broker ------------------------------------------------------------------

    def match(self, **words):
        brokers.progress("matching: " + " ".join(f"{key} {value}" for key, value in words.items()))
        command = [self.chosen.matching]
        for key, value in words.items():
            command += [f"--{key.replace('_', '-')}", str(value)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        if done.returncode != 0:
            raise RuntimeError("bench_matching: " + done.stderr.strip())
        return json.loads(done.stdout)

    def matching(self):
        sizes = (1, 10, 100, 1000, 10_000)
        sizes += () if self.quick else (100_000, 1_000_000)
        kinds = ("exact", "plus", "leading", "hash", "mixed")
        levels = [(level, "exact") for level in (1, 2, 4, 8, 16, 32, 64)]
        levels += [(level, kind) for kind in ("plus", "hash") for level in (4, 16, 64)]
        every = 8 if self.quick else 12
        hard = [{"what": f"every combination of + and {every} levels", "matching": 2**every,
                 **self.match(kind="all", levels=every)}]
        for each in (100, 1000):
            clients_count = 100 if self.quick else 1000
            row = self.match(filters=clients_count * each, filters_each=each, same=1)
            hard.append({"what": f"{clients_count:,} clients with the same {each:,} filters",
                         "matching": clients_count, **row})
        return {"matching": [self.match(filters=size, kind=kind)
                             for size in sizes for kind in kinds],
                "depth": [self.match(filters=1000, levels=level, kind=kind)
                          for level, kind in levels],
                "hard": hard}

    # A broker and its clients --------------------------------------------------------------------

    def bench(self, broker, *words):
        command = [self.chosen.linnet, "bench", *map(str, words), "--json", "--warmup", "1s",
                   "--duration", f"{self.chosen.seconds * 1000:.0f}ms",
                   "--url", f"mqtt://127.0.0.1:{broker.port}", "--pid", str(broker.pid)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        if not done.stdout:
            raise RuntimeError("linnet bench: " + done.stderr.strip())
        report = json.loads(done.stdout)
        if "error" in report or report["lost"] > 0:
            raise RuntimeError("linnet bench " + " ".join(map(str, words)) + ": "
                               + report.get("error", f"{report['lost']} messages are lost"))
        return report["phases"][-1]

    def message_us(self, count, qos, threads=1):
        """CPU time for a message, in and out, of so many connections at an even pace. None if the
        machine does not keep that pace."""
        pairs = count // 2
        try:
            with self.broker(threads) as broker:
                phase = self.bench(broker, "p2p", "--pubs", pairs, "--subs", pairs, "--topics",
                                   pairs, "--rate", RATE, "--qos", qos, "--payload", 16)
        except RuntimeError as error:
            self.failures.append(str(error))
            return None
        return phase["broker"]["cpu_us_each"]

    def connections(self):
        sizes = (100, 1000) if self.quick else (100, 1000, 5000, 10_000, 20_000)
        sizes = sorted({min(size, self.connections_max) for size in sizes})
        rows = []
        for size in sizes:
            brokers.progress(f"connections: {size}")
            row = self.idle(size)
            row["message_us"] = self.message_us(size, 0)
            row["message_qos1_us"] = self.message_us(size, 1)
            rows.append(row)
        return {"connections": rows}

    def idle(self, size):
        """Memory of connections that do nothing, each with a broker that has had no others."""
        with self.broker() as broker:
            crowd = clients.Crowd(broker.port)
            # What is taken once, by the first of them.
            crowd.grow(1)
            own, kernel = anonymous_bytes(broker.pid), slab_bytes()
            crowd.grow(size + 1)
            connected, sockets = anonymous_bytes(broker.pid), slab_bytes()
            crowd.subscribe(lambda one: [f"fleet/g{one // 1000}/d{one % 1000}/state"], begin=1)
            subscribed = anonymous_bytes(broker.pid)
            before = cpu_us(broker.pid)
            crowd.ping()
            ping = (settled_cpu_us(broker.pid) - before) / (size + 1)
            crowd.close()
        # Both ends are on this machine.
        return {"connections": size, "alone": (connected - own) / size,
                "subscribed": (subscribed - own) / size, "kernel": (sockets - kernel) / size / 2,
                "ping_us": ping}

    def subscriptions(self):
        """Filters that are all different, from clients with 1,000 each."""
        sizes = (10_000,) if self.quick else (10_000, 100_000, 1_000_000)
        rows = []
        for size in sizes:
            brokers.progress(f"subscriptions: {size}")
            each = 1000
            with self.broker() as broker:
                crowd = clients.Crowd(broker.port)
                crowd.grow(size // each)
                own, used = anonymous_bytes(broker.pid), settled_cpu_us(broker.pid)
                crowd.subscribe(lambda one: [f"fleet/g{one}/d{filter_of}/state"
                                             for filter_of in range(each)])
                used = settled_cpu_us(broker.pid) - used
                rows.append({"filters": size, "connections": size // each,
                             "bytes_each": (anonymous_bytes(broker.pid) - own) / size,
                             "cpu_us": used / size})
                crowd.close()
        return {"subscriptions": rows}

    def stored(self):
        counts = (2_000, 20_000) if self.quick else (10_000, 100_000, 1_000_000)
        payload = b"x" * FILL_BYTES
        rows = []
        for count in counts:
            brokers.progress(f"stored: {count}")
            with self.broker() as broker:
                rows.append(self.fill(broker, "retained", count,
                                      ((f"fleet/g{one // 1000}/d{one % 1000}/state", payload, True)
                                       for one in range(count))))
            sleepers = 10
            with self.broker() as broker:
                clients.sleeper(broker.port, "away", "fleet/#")
                rows.append(self.fill(broker, "queued", count,
                                      (("fleet/g0/d0/state", payload, False)
                                       for _ in range(count))))
            with self.broker() as broker:
                for one in range(sleepers):
                    clients.sleeper(broker.port, f"away-{one}", "fleet/#")
                row = self.fill(broker, f"queued, for each of {sleepers} sessions",
                                count // sleepers, (("fleet/g0/d0/state", payload, False)
                                                    for _ in range(count // sleepers)))
                rows.append({**row, "messages": count, **{key: row[key] / sleepers
                                                          for key in ("cpu_us", "disk", "memory")}})
        return {"stored": sorted(rows, key=lambda row: row["what"])}

    def fill(self, broker, what, count, messages):
        own, used = anonymous_bytes(broker.pid), settled_cpu_us(broker.pid)
        disk = self.used_bytes(broker)
        clients.publish_all(broker.port, messages)
        used = settled_cpu_us(broker.pid) - used
        return {"what": what, "messages": count, "cpu_us": used / count,
                "disk": (self.used_bytes(broker) - disk) / count,
                "memory": (anonymous_bytes(broker.pid) - own) / count}

    def used_bytes(self, broker):
        """Of the data file, in use."""
        done = subprocess.run([self.chosen.linnet, "store", "stats", "--json", "--data-dir",
                               str(broker.folder / "data")], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        if done.returncode != 0:
            raise RuntimeError("linnet store stats: " + (done.stderr or done.stdout).strip())
        return json.loads(done.stdout)["used_bytes"]

    def payload(self):
        sizes = (16, 1024, 65_536) if self.quick else (16, 256, 1024, 4096, 16_384, 65_536,
                                                       262_144, 1_048_576)
        rows = []
        for size in sizes:
            brokers.progress(f"payload: {size}")
            outstanding = max(10, min(10_000, OUTSTANDING_BYTES // size))
            with self.broker() as broker:
                phase = self.bench(broker, "p2p", "--payload", size, "--outstanding", outstanding)
            rows.append({"payload": size, "cpu_us": phase["broker"]["cpu_us_each"],
                         "rate": phase["per_second"]})
        return {"payload": rows}

    def threads(self):
        rows = []
        for count in (1, 2):
            brokers.progress(f"threads: {count}")
            with self.broker(count) as broker:
                # A thread takes some of its memory with its first client.
                crowd = clients.Crowd(broker.port)
                crowd.grow(8 * count)
                crowd.close()
                own = anonymous_bytes(broker.pid)
                row = {"threads": count, "rss_mib": broker.resident_mib(),
                       "anonymous_mib": own / 2**20}
            row["message_us"] = self.message_us(100 if self.quick else 1000, 1, count)
            with self.broker(count) as broker:
                row["batched_us"] = self.bench(broker, "p2p")["broker"]["cpu_us_each"]
            rows.append(row)
        return {"threads": rows}


# The command -------------------------------------------------------------------------------------


def main():
    chosen = options()
    # What was started is ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    about = brokers.machine({figures.LINNET: Linnet(chosen.linnet, 1)})
    scale = Scale(chosen)
    measured = scale.all()
    about["quick"] = chosen.quick
    about["load_at_end"] = [round(load, 2) for load in os.getloadavg()]
    text = scale_report.report_text(about, measured)
    print(text, end="")
    # A glance must not replace what was measured with care.
    if not (chosen.no_write or chosen.only or chosen.quick):
        (HERE / "scale.md").write_text(text)
        (HERE / "scale.json").write_text(json.dumps({"about": about, **measured}, indent=1) + "\n")
    for failure in scale.failures:
        print(f"scale: {failure}", file=sys.stderr)
    return 2 if scale.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (RuntimeError, OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
        print(f"scale: {error}", file=sys.stderr)
        sys.exit(2)
