"""What `./dev bench scale` makes of its measurements: tables, and what a machine carries. Nothing
here starts or reads anything: see scale.py.

A part that was not measured is an empty list, and has no table."""

import dataclasses

import figures

KIB, MIB, GIB = 2**10, 2**20, 2**30
FIGURES_OF_TEXT = 3

# What the second half of scale.md rests on, in words there.
USER_PART = 0.35  # of the memory: 70 % of memory_max, which is half of it by default
ALL_PART = 0.6  # of the memory: the broker with its sockets; the rest is the system's
DISK_BYTES = 16 * GIB  # limits.store_size_max
BUSY = 0.7  # of each core; what is left is for bursts
PUBLISH_EVERY_S = 10
PING_EVERY_S = 60


@dataclasses.dataclass(frozen=True)
class Machine:
    name: str
    cores: int
    memory: int
    speed: float  # of a core, to one of the machine that was measured


MACHINES = (Machine("board", 1, 256 * MIB, 0.15), Machine("gateway", 4, 2 * GIB, 0.4),
            Machine("server", 32, 128 * GIB, 1.0))


def number(value):
    """As people read it: no more figures than mean something."""
    if value is None:
        return figures.NONE
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{FIGURES_OF_TEXT}g}"


def rounded(value):
    """Computed and not measured: two figures are more than enough."""
    if value < 10:
        return f"{value:.2g}"
    size = 10 ** (len(str(int(value))) - 2)
    return f"{int(value / size) * size:,}"


def bytes_text(value):
    for unit, size in (("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if value >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g} B"


# Matching ----------------------------------------------------------------------------------------

KINDS = ("exact", "plus", "leading", "hash", "mixed")


def matching_table(rows):
    """Filters down, kinds across: cold, and warm for the worst of them."""
    sizes = sorted({row["filters"] for row in rows})
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    cells = []
    for size in sizes:
        by_kind = {row["kind"]: row for row in rows if row["filters"] == size}
        missed = by_kind.get("mixed", {}).get("missed_ns") or None
        warm = max(row["warm_ns"] for row in by_kind.values())
        cells.append([f"{size:,}", *(number(by_kind[kind]["cold_ns"]) if kind in by_kind
                                     else figures.NONE for kind in kinds),
                      number(missed), number(warm)])
    return figures.table(["filters", *(f"{kind}, cold ns" for kind in kinds),
                          "mixed, evicted ns", "warm ns, at most"], cells)


def subscription_table(rows):
    cells = [[f"{row['filters']:,}", row["kind"], number(row["bytes_each"]),
              number(row["interest_bytes_each"]), number(row["subscribe_ns"]),
              number(row["unsubscribe_ns"])]
             for row in rows if row["filters"] >= 1000 and row["kind"] in ("exact", "mixed")]
    return figures.table(["filters", "kind", "B each", "B each, of another shard",
                          "subscribe ns", "unsubscribe ns"], cells)


def depth_table(rows):
    cells = [[str(row["levels"]), row["kind"], number(row["cold_ns"]), number(row["warm_ns"]),
              number(row["bytes_each"]), number(row["subscribe_ns"])] for row in rows]
    return figures.table(["levels", "kind", "cold ns", "warm ns", "B each", "subscribe ns"], cells)


def hard_table(rows):
    cells = [[row["what"], f"{row['filters']:,}", f"{row['targets']:,}", number(row["cold_ns"]),
              number(row["cold_ns"] / row["matching"]), number(row["warm_ns"]),
              number(row["subscribe_ns"])] for row in rows]
    return figures.table(["what", "filters", "receivers of a message", "cold ns",
                          "cold ns for each filter that matches", "warm ns", "subscribe ns"], cells)


# The broker --------------------------------------------------------------------------------------


def connections_table(rows):
    # What fewer of them take is lost among what else the kernel does.
    cells = [[f"{row['connections']:,}", number(row["alone"]), number(row["subscribed"]),
              number(row["kernel"] if row["connections"] >= 1000 else None),
              number(row["ping_us"]), number(row.get("message_us")),
              number(row.get("message_qos1_us"))] for row in rows]
    return figures.table(["connections", "B each", "with a subscription", "kernel, B each",
                          "PINGREQ us", "message us", "QoS 1 us"], cells)


def filters_table(rows):
    cells = [[f"{row['filters']:,}", f"{row['connections']:,}", number(row["bytes_each"]),
              number(row["cpu_us"])] for row in rows]
    return figures.table(["subscriptions", "clients", "B each", "CPU us each"], cells)


def stored_table(rows):
    cells = [[row["what"], f"{row['messages']:,}", number(row["disk"]), number(row["memory"]),
              number(row["cpu_us"])] for row in rows]
    return figures.table(["what", "messages", "disk, B each", "memory, B each", "CPU us each"],
                         cells)


def payload_table(rows):
    cells = [[bytes_text(row["payload"]), number(row["cpu_us"]),
              number(row["cpu_us"] * 1000 / row["payload"] * KIB), f"{row['rate']:,.0f}",
              number(row["rate"] * row["payload"] / MIB)] for row in rows]
    return figures.table(["payload", "CPU us", "CPU ns for each KiB", "messages/s", "MiB/s"], cells)


def threads_table(rows):
    cells = [[str(row["threads"]), number(row["rss_mib"]), number(row["anonymous_mib"]),
              number(row["message_us"]), number(row["batched_us"])] for row in rows]
    return figures.table(["threads", "RSS, MiB", "of its own, MiB", "each by itself, us",
                          "in bulk, us"], cells)


# Machines ----------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Costs:
    """What everything below is computed from; bytes and microseconds."""
    base: float  # of a broker without clients, one thread
    thread: float  # of each further one
    connection: float  # with its session and one subscription
    kernel: float  # of its socket
    subscription: float
    interest: float  # of a filter, on each shard that is not its own
    message_us: float  # QoS 1, in and out, each packet by itself
    message_shards_us: float  # the same, if all messages go to another shard: what is added
    batched_us: float  # QoS 0, many in one packet of the network
    batched_shards_us: float  # as above
    ping_us: float
    retained_disk: float
    queued_disk: float


def costs_of(measured):
    """None if a part is missing. The rows of each part are in the order of their sizes."""
    parts = ("matching", "connections", "stored", "payload", "threads")
    if any(not measured.get(part) for part in parts):
        return None
    one, *more = measured["threads"]
    known = [row for row in measured["connections"] if row["message_qos1_us"] is not None]
    if not known or any(row["message_us"] is None for row in measured["threads"]):
        return None
    connected = max(known, key=lambda row: row["connections"])
    filters = max((row for row in measured["matching"] if row["kind"] == "mixed"),
                  key=lambda row: row["filters"])
    stored = {row["what"]: row for row in measured["stored"]}  # the largest of each

    def added(key):
        return max(more[0][key] - one[key], 0) if more else 0

    return Costs(base=one["anonymous_mib"] * MIB, thread=added("anonymous_mib") * MIB,
                 connection=connected["subscribed"], kernel=connected["kernel"],
                 subscription=filters["bytes_each"], interest=filters["interest_bytes_each"],
                 message_us=connected["message_qos1_us"], ping_us=connected["ping_us"],
                 # A message goes to another of two shards half of the time.
                 message_shards_us=2 * added("message_us"),
                 batched_us=measured["payload"][0]["cpu_us"],
                 batched_shards_us=2 * added("batched_us"),
                 retained_disk=stored["retained"]["disk"],
                 queued_disk=stored["queued, for each of 10 sessions"]["disk"])


def carries(costs, machine):
    """What a machine carries of each kind alone, and of devices that do a bit of everything."""
    shards = min(machine.cores, 64)
    user = max(USER_PART * machine.memory - costs.base - (shards - 1) * costs.thread, 0)
    of_others = (shards - 1) * costs.interest
    crossing = (shards - 1) / shards
    message_us = costs.message_us + costs.message_shards_us * crossing
    cpu_us = BUSY * shards * machine.speed * 1e6  # in a second
    device_us = message_us / PUBLISH_EVERY_S + costs.ping_us / PING_EVERY_S
    each = costs.connection + of_others
    bounds = {"broker's memory": user / each,
              "memory with sockets": max((ALL_PART - USER_PART) * machine.memory + user, 0)
              / (each + costs.kernel),
              "processor": cpu_us / device_us}
    first = min(bounds, key=bounds.get)
    return {"machine": machine, "message_us": message_us / machine.speed,
            "idle": min(bounds["broker's memory"], bounds["memory with sockets"]),
            "filters": user / (costs.subscription + of_others),
            "messages": cpu_us / message_us,
            "batched": cpu_us / (costs.batched_us + costs.batched_shards_us * crossing),
            "bounds": bounds, "devices": bounds[first], "first": first,
            "retained": DISK_BYTES / costs.retained_disk, "queued": DISK_BYTES / costs.queued_disk}


def machines_table(costs):
    carried = [carries(costs, machine) for machine in MACHINES]

    def row(title, value):
        return [title, *map(value, carried)]

    rows = [row("cores, memory", lambda one: f"{one['machine'].cores}, "
                                             f"{bytes_text(one['machine'].memory)}"),
            row("speed of a core (assumed)", lambda one: f"{one['machine'].speed:g}"),
            row("idle connections, with a subscription each", lambda one: rounded(one["idle"])),
            row("subscriptions, if there is little else", lambda one: rounded(one["filters"])),
            row("messages a second, QoS 1, each by itself", lambda one: rounded(one["messages"])),
            row("messages a second, QoS 0, in bulk", lambda one: rounded(one["batched"]))]
    for bound in carried[0]["bounds"]:
        rows.append(row(f"devices, as the {bound} allows",
                        lambda one, bound=bound: rounded(one["bounds"][bound])))
    rows += [row("**devices**", lambda one: f"**{rounded(one['devices'])}**"),
             row("what ends first", lambda one: one["first"]),
             row("retained messages in 16 GiB", lambda one: rounded(one["retained"])),
             row("queued messages in 16 GiB", lambda one: rounded(one["queued"]))]
    return figures.table(["", *(f"one {one['machine'].name}" for one in carried)], rows)


def costs_table(costs):
    rows = [["base", "a broker without clients, one thread", bytes_number(costs.base)],
            ["t", "each further thread", bytes_number(costs.thread)],
            ["c", "a connection with its session and one subscription",
             bytes_number(costs.connection)],
            ["k", "its socket, in the kernel", bytes_number(costs.kernel)],
            ["s", "a subscription", bytes_number(costs.subscription)],
            ["i", "a filter, on each shard that is not its subscriber's",
             bytes_number(costs.interest)],
            ["m", "a message of QoS 1, 16 B, in and out, each by itself",
             f"{number(costs.message_us)} us"],
            ["x", "what is added if it goes to another shard",
             f"{number(costs.message_shards_us)} us"],
            ["b", "a message of QoS 0, 16 B, in and out, in bulk",
             f"{number(costs.batched_us)} us"],
            ["y", "what is added to it if it goes to another shard",
             f"{number(costs.batched_shards_us)} us"],
            ["p", "a PINGREQ", f"{number(costs.ping_us)} us"],
            ["r", "a retained message, on the disk", bytes_number(costs.retained_disk)],
            ["q", "a queued message, on the disk, for each of several sessions",
             bytes_number(costs.queued_disk)]]
    return figures.table(["", "what", "cost"], rows)


def bytes_number(value):
    return f"{number(value)} B"
