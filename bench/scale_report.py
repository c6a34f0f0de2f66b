"""The words of bench/scale.md around the tables of `./dev bench scale`."""

import scale_tables as tables

HEAD = """# What Linnet's costs grow with, and what machines carry

Written by `./dev bench scale`; [README.md](README.md) says what is measured, and how. The first part
was measured; the last, what machines carry, is computed from it.
"""

MATCHING = """
## Finding a topic's subscribers

Each filter is fleet/g12/d345/state, with 1,000 devices in each group, or has a `+` in its last level
(plus) or its first (leading), or a `#` in its last (hash); mixed is a third each of exact, plus and
hash. Each topic has one filter that matches. Cold is a walk through the trie, warm a hit in the cache
of routes, evicted what a message costs if its topics are too many for that cache (4 MiB for each
thread): the walk, the new route, and the old one's end.

{matching}

{growth}

It does not grow with the filters as such: what grows is the part of the tables that the processor's
caches do not hold. A warm topic costs the same with any number of filters.

{subscriptions}

## Levels

1,000 filters each. One that shares its first levels with others takes memory for the rest alone.

{depth}

A walk takes time in proportion to the topic's levels, as far as filters reach: levels below the
deepest filter cost nothing. A warm topic costs only its hash.

## Many matches

{hard}

The walk takes time for each filter that matches, and for each receiver, as delivering does. A route
of many receivers takes 24 bytes for each of them in the cache: where those of the topics in use are
larger than the cache, none of them is warm.
"""

CONNECTIONS = """
## Connections

Each connection is a session that ends with it, MQTT 3.1.1 over TCP. The kernel's part is what its
tables grew by (`Slab` of /proc/meminfo), halved, since both ends were on this machine; buffers of data
on its way come on top. Messages are 16 bytes at 10,000 a second over all connections, half of which
publish to the other half: so each costs its own system calls at both ends, but for what comes
together by chance.

{connections}

Memory grows in proportion, in steps where tables double. A message's cost does not depend on the
connections that are quiet; it grows with how rarely two messages come in the same turn.
"""

SUBSCRIPTIONS = """
## Subscriptions in a broker

All different, 1,000 of each client, of four levels.

{filters}
"""

STORED = """
## Retained and queued messages

Payloads of 16 bytes, QoS 1, topics of about 20 bytes, from one publisher with 100 messages in flight.
Queued messages wait for a kept session that is away, or for ten of them, with one body for all: the
costs are then for each of the ten. Memory is what the broker keeps beside the file, whose pages are
the kernel's cache and not counted.

{stored}

Memory is that of the writer, whatever the number; disk grows in proportion. One session's messages
are written one behind the other, and fill the pages of the file; those of many sessions, and retained
ones, come between others and leave pages half full.
"""

PAYLOAD = """
## Payload

QoS 0, 10 publishers to 10 subscribers, as fast as it goes: many small messages are in one packet of
the network. The load generator ran on the same machine.

{payload}

Below about 1 KiB the message costs, above 16 KiB its bytes do: what the kernel copies twice and Linnet
once.
"""

THREADS = """
## Threads

The same messages as with connections: QoS 1, 16 bytes, 10,000 a second, from half of the clients to
the other half; and in bulk those of 16 bytes of the part before. With two threads half of the messages
go from one to the other.

{threads}
"""

MACHINES = """
## What machines carry

**This is computed and not measured.** The costs below were measured on the machine named above, with
one and two threads; nothing was measured on more cores, on a board, or with more connections than in
the tables. The speed of a core is assumed, as a part of a core here: measure a board with
`linnet bench p2p --rate` and put its own figure in. Memory and disk do not depend on it.

{costs}

{machines}

The formulas, for *T* cores (as many threads: set `threads`, whose default is at most 4) of the speed
*v*, and *R* of memory:

| what | formula |
|---|---|
| memory of the broker | *U* = {user:g} *R* − base − (*T* − 1) t: 70 % of the default `memory_max`, where the first step of [pressure](../docs/limits.md#memory) begins |
| idle connections | the smaller of *U* / (c + (*T* − 1) i) and (*U* + {kernel:g} *R*) / (c + (*T* − 1) i + k) |
| subscriptions | *U* / (s + (*T* − 1) i): every thread knows the filters of all others |
| messages a second, each by itself | {busy:g} *T* *v* / (m + x (*T* − 1) / *T*): a message goes to another thread that often |
| in bulk | {busy:g} *T* *v* / (b + y (*T* − 1) / *T*) |
| devices | each has one connection and one subscription, publishes every {publish} s with QoS 1 to one subscriber, and pings every {ping} s; the least of what memory and processor allow |
| retained, queued | `limits.store_size_max` (16 GiB by default) / r, / q |

Keys that end before these figures, and have to be raised: `limits.connections_max` and
`limits.sessions_max` (100,000), `limits.retained_messages_max` (1,000,000), `limits.retained_bytes_max`
(1 GiB), `limits.subscriptions_max` (10,000 of a session), `limits.backlog_messages_max` (100,000 of a
session), `limits.store_size_max`; and the system's number of open files.

What they leave out: TLS (about 20 KiB more for each connection, and its handshakes), the sync of the
disk that a durable message waits for ([durability](../docs/durability.md)), the bandwidth of the network
and of memory that 32 cores share, and a mailbox's cost where one of many threads gets most of the
messages. A 32-bit board keeps at most 512 MiB on its disk.
"""


def growth_text(rows):
    mixed = sorted((row for row in rows if row["kind"] == "mixed" and row["filters"] >= 1000),
                   key=lambda row: row["filters"])
    if len(mixed) < 2:
        return ""
    first, last = mixed[0], mixed[-1]
    return (f"From {first['filters']:,} to {last['filters']:,} mixed filters, "
            f"{last['filters'] / first['filters']:,.0f} times as many, a walk takes "
            f"{last['cold_ns'] / first['cold_ns']:.1f} times as long.")


def about_text(about):
    return "\n".join([
        "", f"{about['date']}, commit {about['commit']}.",
        f"{about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB, {about['kernel']}; "
        f"{about['compiler']}, {about['build']}.",
        "Load at the start: " + ", ".join(f"{load:.2f}" for load in about["load_at_start"])
        + "; at the end: " + ", ".join(f"{load:.2f}" for load in about["load_at_end"]) + ".",
        *(["", "**With the small sizes of `--quick`: a glance, to be replaced.**"]
          if about.get("quick") else [])])


def report_text(about, measured):
    """The parts that were measured; what machines carry needs them all."""
    text = HEAD + about_text(about) + "\n"
    if rows := measured.get("matching"):
        text += MATCHING.format(matching=tables.matching_table(rows), growth=growth_text(rows),
                                subscriptions=tables.subscription_table(rows),
                                depth=tables.depth_table(measured["depth"]),
                                hard=tables.hard_table(measured["hard"]))
    for part, words, name, table in (
            ("connections", CONNECTIONS, "connections", tables.connections_table),
            ("subscriptions", SUBSCRIPTIONS, "filters", tables.filters_table),
            ("stored", STORED, "stored", tables.stored_table),
            ("payload", PAYLOAD, "payload", tables.payload_table),
            ("threads", THREADS, "threads", tables.threads_table)):
        if rows := measured.get(part):
            text += words.format(**{name: table(rows)})
    if costs := tables.costs_of(measured):
        text += MACHINES.format(costs=tables.costs_table(costs),
                                machines=tables.machines_table(costs), user=tables.USER_PART,
                                kernel=round(tables.ALL_PART - tables.USER_PART, 2), busy=tables.BUSY,
                                publish=tables.PUBLISH_EVERY_S, ping=tables.PING_EVERY_S)
    return text
