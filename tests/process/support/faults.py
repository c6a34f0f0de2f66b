"""A broker on a bad disk and with a wrong clock: the real binary, with tests/faults preloaded.

    with FaultyBroker(data_dir=directory) as broker:
        broker.faults.fail_writes(errno.EIO)
        ...
        broker.faults.heal()

LINNET_FAULTS_LIBRARY names the library (default: beside the binary). Only the data file is
concerned.
"""

import collections
import contextlib
import mmap
import os
import pathlib
import shutil
import struct
import tempfile
import time
import unittest

from .broker import WAIT_S, Broker, linnet_binary

# As in tests/faults/orders.hpp.
ORDERS = ("write_error", "write_count", "write_skip", "sync_error", "sync_count", "sync_skip",
          "disk_bytes", "sync_delay_us", "hold_syncs", "wall_offset_ms", "writes", "syncs",
          "failures", "syncs_held")
# As in tests/faults/trace.hpp.
OPENED, WRITTEN, SIZED, SYNCED, SYNC_FAILED, SYNCED_PART, MARK = range(1, 8)
FOR_EVER = -1

Step = collections.namedtuple("Step", "kind file time_ns offset size data")


def library():
    path = os.environ.get("LINNET_FAULTS_LIBRARY")
    path = pathlib.Path(path) if path else pathlib.Path(linnet_binary()).parent / "libfaults.so"
    if not path.exists():
        raise unittest.SkipTest(f"there is no {path}: a build with sanitizers?")
    return path


class Faults:
    """The orders for one library; they last over restarts of the broker."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory, "orders")
        self.path.write_bytes(bytes(8 * len(ORDERS)))
        with open(self.path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self.set(disk_bytes=-1)

    def close(self):
        self._memory.close()

    def set(self, **orders):
        for name, value in orders.items():
            struct.pack_into("q", self._memory, 8 * ORDERS.index(name), value)

    def get(self, name):
        return struct.unpack_from("q", self._memory, 8 * ORDERS.index(name))[0]

    def fail_writes(self, error, count=FOR_EVER, skip=0):
        self.set(write_skip=skip, write_count=count, write_error=error)

    def fail_syncs(self, error, count=FOR_EVER, skip=0):
        """A sync that fails has lost what it was to save, whatever the next one says."""
        self.set(sync_skip=skip, sync_count=count, sync_error=error)

    def fill_disk(self, data_dir, left=0):
        self.set(disk_bytes=os.stat(pathlib.Path(data_dir, "data.mdb")).st_size + left)

    def heal(self):
        self.set(write_error=0, sync_error=0, disk_bytes=-1, sync_delay_us=0, hold_syncs=0)

    @contextlib.contextmanager
    def held_syncs(self):
        """No sync ends within the block."""
        self.set(hold_syncs=1)
        try:
            yield
        finally:
            self.set(hold_syncs=0)

    def wait_for(self, name, at_least):
        end = time.monotonic() + WAIT_S
        while self.get(name) < at_least:
            if time.monotonic() > end:
                raise AssertionError(f"{name} is {self.get(name)}, not {at_least}")
            time.sleep(0.002)


class FaultyBroker(Broker):
    """`trace`: a file that every write and sync is recorded in."""

    def __init__(self, threads=1, settings=None, data_dir=None, port=0, trace=None):
        super().__init__(threads, settings, data_dir, port)
        self._library = library()
        self._trace = trace
        self._fault_dir = tempfile.mkdtemp(prefix="linnet-faults-")
        self.faults = Faults(self._fault_dir)

    def __exit__(self, *details):
        self.faults.heal()
        try:
            super().__exit__(*details)
        finally:
            self.faults.close()
            shutil.rmtree(self._fault_dir, ignore_errors=True)

    def _command(self):
        variables = [f"LD_PRELOAD={self._library}", f"LINNET_FAULTS={self.faults.path}"]
        if self._trace:
            variables.append(f"LINNET_FAULTS_TRACE={self._trace}")
        return ["env", *variables, *super()._command()]


def read_trace(path):
    """What was done to the data file, in order."""
    data, at, steps = pathlib.Path(path).read_bytes(), 0, []
    head = struct.Struct("5Q")
    while at + head.size <= len(data):
        kind, file, time_ns, offset, size = head.unpack_from(data, at)
        at += head.size
        written = data[at:at + size] if kind == WRITTEN else b""
        at += len(written)
        steps.append(Step(kind, file, time_ns, offset, size, written))
    return steps


def surviving_file(steps):
    """The bytes that are certainly on the disk after the steps."""
    durable, pending = bytearray(), []
    for step in steps:
        if step.kind in (WRITTEN, SIZED):
            pending.append(step)
        elif step.kind == SYNCED:
            for one in pending:
                _apply(durable, one)
            pending = []
        elif step.kind == SYNC_FAILED:
            pending = []
        elif step.kind == SYNCED_PART:
            own = [one for one in pending if (one.offset, one.size) == (step.offset, step.size)]
            for one in own[-1:]:
                _apply(durable, one)
                pending.remove(one)
    return bytes(durable)


def _apply(durable, step):
    end = step.offset if step.kind == SIZED else step.offset + step.size
    if len(durable) < end:
        durable.extend(bytes(end - len(durable)))
    if step.kind == WRITTEN:
        durable[step.offset:end] = step.data
