"""Instructions and allocations for each delivery, counted by callgrind, against the bounds of
instructions.json: `./dev bench instructions`. README.md has the details.

    python3 bench/instructions.py --program build/release/bench_instructions --only p2p

Exit codes: 0 if all is within its bounds, 1 if not, 2 if the measurement failed."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BOUNDS_FILE = HERE / "instructions.json"
TOLERANCE = 0.10  # above what was counted when the bounds were written
STALE = 0.10  # so much below it, new bounds would keep what was gained
ALLOCATIONS_NONE = 0.0005  # a growing buffer here and there is not an allocation per message
RENEW = "./dev bench instructions --write"
PATIENCE_S = 300
# The C library chooses its copying by the processor; this choice every processor has.
TUNABLES = "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM"


class Failure(Exception):
    """The measurement failed."""


# Counting ----------------------------------------------------------------------------------------


def ask(program, word):
    done = subprocess.run([program, word], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True, timeout=PATIENCE_S, check=False)
    if done.returncode != 0:
        raise Failure(f"{program} {word} ends with {done.returncode}")
    return done.stdout.strip()


def count(program, scenario, folder):
    """{"instructions", "allocations", "deliveries"}: the first two for each delivery."""
    out = pathlib.Path(folder) / f"callgrind.{scenario}"
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no",
               f"--callgrind-out-file={out}", program, scenario]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False,
                              env={**os.environ, "GLIBC_TUNABLES": TUNABLES})
    except subprocess.TimeoutExpired:
        raise Failure(f"{scenario}: no end in time") from None
    if done.returncode != 0:
        raise Failure(f"{scenario}: " + " ".join(done.stderr.split())[-400:])
    total = re.search(r"^(?:totals|summary): (\d+)", out.read_text(errors="replace"), re.M)
    if total is None or int(total.group(1)) == 0:
        raise Failure(f"{scenario}: callgrind has counted nothing; build again with the package "
                      "valgrind installed")
    report = json.loads(done.stdout)
    each = report["deliveries"]
    return {"instructions": int(total.group(1)) / each, "allocations": report["allocations"] / each,
            "deliveries": each}


def count_all(program, names, folder):
    """{name: counts}; each on a core of its own, which does not change them."""
    if shutil.which("valgrind") is None:
        raise Failure("this needs the package valgrind")
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        counted = pool.map(lambda name: count(program, name, folder), names)
        return dict(zip(names, counted))


# Bounds ------------------------------------------------------------------------------------------


def bounds_of(counted, build):
    """What instructions.json holds."""
    return {"build": build,
            "scenarios": {name: {"instructions": round(one["instructions"], 1),
                                 "allocations": allocations_kept(one["allocations"])}
                          for name, one in counted.items()}}


def allocations_kept(allocations):
    return 0 if allocations <= ALLOCATIONS_NONE else round(allocations, 3)


def allocations_max(known):
    return known * (1 + TOLERANCE) if known > 0 else ALLOCATIONS_NONE


def complaint(name, now, known):
    """What is wrong with a scenario's counts, in words; empty if they are within the bounds."""
    if known is None:
        return f"{name}: instructions.json has no bounds for it. {RENEW} adds them."
    said = []
    most = known["instructions"] * (1 + TOLERANCE)
    if now["instructions"] > most:
        said.append(f"{now['instructions']:,.0f} instructions for each delivery, which were "
                    f"{known['instructions']:,.0f} and may be {most:,.0f}")
    if now["allocations"] > allocations_max(known["allocations"]):
        said.append(f"{now['allocations']:.3f} allocations for each delivery, which were "
                    f"{known['allocations']:.3f}")
    if not said:
        return ""
    return (f"{name}: {'; '.join(said)}. `./dev bench instructions --only {name} --keep FOLDER` "
            f"leaves there what callgrind_annotate reads. If it has to be so, {RENEW} renews the "
            "bounds.")


def complaints(counted, bounds):
    known = bounds["scenarios"]
    return [said for name, now in counted.items() if (said := complaint(name, now, known.get(name)))]


def stale(counted, bounds):
    """Scenarios that have become so much cheaper that their bounds say little."""
    known = bounds["scenarios"]
    return [name for name, now in counted.items()
            if name in known
            and (now["instructions"] < known[name]["instructions"] * (1 - STALE)
                 or now["allocations"] < known[name]["allocations"] * (1 - STALE)
                 - ALLOCATIONS_NONE)]


def table(counted, bounds):
    known = bounds["scenarios"] if bounds else {}
    lines = ["| scenario | instructions | known | change | allocations | known |",
             "|---|---:|---:|---:|---:|---:|"]
    for name, now in counted.items():
        before = known.get(name)
        cells = [name, f"{now['instructions']:,.0f}"]
        if before:
            change = now["instructions"] / before["instructions"] - 1
            cells += [f"{before['instructions']:,.0f}", f"{change:+.1%}"]
        else:
            cells += ["–", "–"]
        cells += [f"{now['allocations']:.3f}", f"{before['allocations']:.3f}" if before else "–"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def read_bounds():
    return json.loads(BOUNDS_FILE.read_text()) if BOUNDS_FILE.exists() else None


# The command -------------------------------------------------------------------------------------


def options():
    parser = argparse.ArgumentParser(prog="./dev bench instructions",
                                     description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--only", nargs="+", metavar="SCENARIO", help="these scenarios alone")
    parser.add_argument("--keep", metavar="FOLDER", type=pathlib.Path,
                        help="leave callgrind's files there, for callgrind_annotate")
    parser.add_argument("--write", action="store_true", help="renew the bounds")
    return parser.parse_args()


def run(chosen):
    build = ask(chosen.program, "--build")
    there_are = ask(chosen.program, "--list").split()
    names = [name for name in there_are if not chosen.only or name in chosen.only]
    if unknown := set(chosen.only or ()) - set(there_are):
        raise Failure(f"there is no scenario {sorted(unknown)[0]}; there are "
                      + ", ".join(there_are))
    with tempfile.TemporaryDirectory() as temporary:
        if chosen.keep:
            chosen.keep.mkdir(parents=True, exist_ok=True)
        counted = count_all(chosen.program, names, chosen.keep or temporary)
    bounds = read_bounds()
    print(table(counted, bounds))
    if chosen.write:
        fresh = bounds_of(counted, build)
        if chosen.only and bounds:
            if bounds["build"] != build:
                raise Failure(f"the other bounds are of {bounds['build']}: renew all of them")
            fresh["scenarios"] = {**bounds["scenarios"], **fresh["scenarios"]}
        BOUNDS_FILE.write_text(json.dumps(fresh, indent=1) + "\n")
        return 0
    if bounds is None:
        raise Failure(f"there are no bounds; {RENEW} writes them")
    if bounds["build"] != build:
        print(f"The bounds are of {bounds['build']}, this is {build}: not compared.")
        return 0
    wrong = complaints(counted, bounds)
    print("".join(f"\n{said}" for said in wrong), end="\n" if wrong else "")
    if gained := stale(counted, bounds):
        print(f"\nCheaper than the bounds say: {', '.join(gained)}. {RENEW} keeps what was gained.")
    return 1 if wrong else 0


def main():
    try:
        return run(options())
    except (Failure, OSError, ValueError, KeyError) as error:
        print(f"instructions: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
