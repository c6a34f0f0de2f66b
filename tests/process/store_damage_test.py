"""Data files that are not what a broker has left: cut, overwritten, of a newer format, or as a
power cut leaves them; and directories that can't be written."""

import errno
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

from support.broker import WAIT_S, Broker, linnet_binary, linnet_only
from support.faults import SYNC_FAILED, FaultyBroker, read_trace, surviving_file
from support.kept import Kept

SEED = 20260402
RETAINED = 3_000
OWED = 1_000
PAGE_BYTES = 4_096
DATED = re.compile(r"data\.mdb\.damaged-\d{8}-\d{6}")
META_KEY = b"linnet"
META_SIZE = 5 + 4 + 7 * 8 + 8  # checksum and version; format; seeds, counts and times
NOBODY = 65_534
QUOTA_EXCEEDED = 0x97


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


class StoreCase(unittest.TestCase):
    def setUp(self):
        self.data_dir = tempfile.mkdtemp(prefix="linnet-test-")
        self.addCleanup(shutil.rmtree, self.data_dir, ignore_errors=True)
        self.file = pathlib.Path(self.data_dir, "data.mdb")

    def broker(self, data_dir=None):
        return Broker(2, data_dir=str(data_dir or self.data_dir))

    def fill(self, how):
        """A store with retained messages, and messages for a session; closed in order or not."""
        with self.broker() as broker, Kept(broker, "publisher") as publisher:
            publisher.open(clean=True, expiry_s=0)
            with Kept(broker, "kept") as client:
                client.open()
                client.subscribe("live", 1)
                client.leave()
            publisher.publish_all([(f"rested/{i}", "x" * 50) for i in range(RETAINED)], retain=True)
            publisher.publish_all([("live", f"{i}") for i in range(OWED)])
            if how == "kill":
                broker.process.kill()
                broker.process.wait()

    def run_to_its_end(self, data_dir, **options):
        return subprocess.run(
            [linnet_binary(), "run", "--listen", "mqtt://127.0.0.1:0", "--data-dir",
             str(data_dir)], capture_output=True, text=True, timeout=20, check=False, **options)

    def set_aside(self):
        return [name for name in os.listdir(self.data_dir) if DATED.match(name)]


@linnet_only
class Damaged(StoreCase):
    def spoilt(self, how, spoil):
        """Spoils a store; starts a broker on it, which must serve. Returns how many retained
        messages and messages for the session it has kept, and checks that these are right."""
        shutil.rmtree(self.data_dir)
        os.mkdir(self.data_dir)
        self.fill(how)
        spoil()
        with self.broker() as broker:
            kept, owed = self._retained(broker), self._owed(broker)
            with Kept(broker, "new") as client:
                client.open()
                client.subscribe("new", 1)
                self.assertEqual(client.publish("new", "works"), 0)
                self.assertEqual(client.receive_all(1)[0].payload, b"works")
            told = broker.log.lines("error", "damaged")
            broker.process.kill()
            broker.process.wait()
        with self.broker() as broker:  # once is enough
            self.assertEqual(self._retained(broker), kept)
            self.assertFalse(broker.log.lines("error", "damaged"))
        return kept, owed, told

    def _retained(self, broker):
        with Kept(broker, "reader") as reader:
            reader.open(clean=True, expiry_s=0)
            reader.publish("rested/~last", "end", retain=True)
            reader.subscribe("rested/#", 1)
            found = {}
            for message in reader.deliveries():
                if message.topic == "rested/~last":
                    break
                self.assertEqual(message.payload, b"x" * 50)
                found[message.topic] = True
        return len(found)

    def _owed(self, broker):
        with Kept(broker, "kept") as client:
            if not client.open():
                return 0
            found = [int(message.payload) for message in client.drain(broker, "end")]
            client.leave()
        self.assertEqual(found, sorted(set(found)))
        return len(found)

    def test_cut(self):
        for how in ("stop", "kill"):
            with self.subTest(how):
                kept, _, told = self.spoilt(how, self._cut)
                self.assertTrue(told)
                self.assertEqual(len(self.set_aside()), 1)
                self.assertLess(kept, RETAINED)

    def _cut(self):
        used = len(self.file.read_bytes().rstrip(b"\0"))
        os.truncate(self.file, used // 2 // PAGE_BYTES * PAGE_BYTES)

    def test_some_pages_overwritten(self):
        chance = random.Random(SEED)

        def spoil():
            data = bytearray(self.file.read_bytes())
            used = [at for at in range(2 * PAGE_BYTES, len(data), PAGE_BYTES)
                    if b"rested/" in data[at:at + PAGE_BYTES].replace(b"\0", b"/")]
            for at in used[::8]:
                data[at:at + PAGE_BYTES] = chance.randbytes(PAGE_BYTES)
            self.file.write_bytes(data)

        kept, owed, told = self.spoilt("kill", spoil)
        self.assertTrue(told)
        self.assertEqual(len(self.set_aside()), 1)
        self.assertGreater(kept, RETAINED // 2)
        self.assertLess(kept, RETAINED)
        self.assertGreater(owed, OWED // 2)

    def test_all_overwritten(self):
        for how in ("stop", "kill"):
            with self.subTest(how):
                kept, owed, told = self.spoilt(
                    how, lambda: self.file.write_bytes(random.Random(SEED).randbytes(500_000)))
                self.assertTrue(told)
                self.assertEqual((kept, owed), (0, 0))
                self.assertEqual(len(self.set_aside()), 1)

    def test_empty(self):
        self.assertEqual(self.spoilt("stop", lambda: self.file.write_bytes(b""))[:2], (0, 0))

    def test_the_heads_overwritten(self):
        def spoil():
            with open(self.file, "r+b") as file:
                file.write(bytes(2 * PAGE_BYTES))

        kept, _, told = self.spoilt("kill", spoil)
        self.assertTrue(told)
        self.assertGreater(kept, RETAINED * 9 // 10)


@linnet_only
class Refused(StoreCase):
    def test_a_newer_format(self):
        self.fill("stop")
        data = bytearray(self.file.read_bytes())
        changed = 0
        for match in re.finditer(re.escape(META_KEY), bytes(data)):
            record = data[match.end():match.end() + META_SIZE]
            if struct.unpack("<I", record[:4])[0] != crc32c(META_KEY + record[4:]):
                continue
            record[5:9] = struct.pack("<I", 1_000)
            record[:4] = struct.pack("<I", crc32c(META_KEY + record[4:]))
            data[match.end():match.end() + META_SIZE] = record
            changed += 1
        self.assertGreater(changed, 0, "the head record was not found")
        self.file.write_bytes(data)
        result = self.run_to_its_end(self.data_dir)
        self.assertIn(result.returncode, (1, 2), result.stderr)
        self.assertIn("1000", result.stderr)
        self.assertIn("upgrade", result.stderr)
        self.assertEqual(self.file.read_bytes(), bytes(data))
        self.assertEqual(self.set_aside(), [])

    def test_a_directory_that_cant_be_written(self):
        os.chmod(self.data_dir, 0o555)
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        try:
            result = self.run_to_its_end(self.data_dir, **options)
        except PermissionError:
            self.skipTest("another user may not run the binary")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn(self.data_dir, result.stderr)


@linnet_only
class PowerCut(StoreCase):
    """What the disk holds of a real broker's file at moments of its life."""

    MESSAGES = 150
    CUTS = 8

    def life(self, durability, failures=0):
        """The trace, and when each message was acknowledged."""
        trace = pathlib.Path(self.data_dir, "trace")
        live = pathlib.Path(self.data_dir, "live")
        live.mkdir()
        acknowledged = []
        with FaultyBroker(2, {"durability": durability}, str(live), trace=trace) as broker, \
                Kept(broker, "kept") as client, Kept(broker, "publisher") as publisher:
            client.open()
            client.subscribe("live/#", 1)
            client.leave()
            publisher.open(clean=True, expiry_s=0)
            acknowledged.append(time.monotonic_ns())
            for i in range(self.MESSAGES):
                if failures and i % (self.MESSAGES // failures) == 5:
                    broker.faults.fail_syncs(errno.EIO, count=1, skip=i % 2)
                self._publish(publisher, i)
                acknowledged.append(time.monotonic_ns())
            broker.process.kill()
            broker.process.wait()
        return read_trace(trace), acknowledged

    def _publish(self, publisher, number):
        """Until it is accepted: while the disk fails, it may be refused."""
        end = time.monotonic() + WAIT_S
        while (code := publisher.publish(f"live/{number % 7}", f"{number}",
                                         retain=number % 3 == 0)) != 0:
            self.assertEqual(code, QUOTA_EXCEEDED)
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def found_after(self, steps, cut_ns, name):
        directory = pathlib.Path(self.data_dir, name)
        directory.mkdir()
        (directory / "data.mdb").write_bytes(
            surviving_file([step for step in steps if step.time_ns <= cut_ns]))
        with self.broker(directory) as broker, Kept(broker, "kept") as client:
            if not client.open():
                return []
            return [int(message.payload) for message in client.drain(broker, name)]

    def losses(self, steps, acknowledged):
        chance = random.Random(SEED)
        losses = 0
        for number in range(self.CUTS):
            count = chance.randrange(self.MESSAGES + 1)
            found = self.found_after(steps, acknowledged[count], f"cut-{number}")
            # One more may be there: it was committed, and its acknowledgement on the way.
            self.assertEqual(found, list(range(len(found))))
            losses += len(found) < count
        return losses

    def test_nothing_acknowledged_is_lost(self):
        self.assertEqual(self.losses(*self.life("commit")), 0)

    def test_nothing_acknowledged_is_lost_where_syncs_fail(self):
        steps, acknowledged = self.life("commit", failures=4)
        self.assertGreaterEqual(sum(step.kind == SYNC_FAILED for step in steps), 3)
        self.assertEqual(self.losses(steps, acknowledged), 0)

    def test_without_syncs_losses_are_found(self):
        self.assertGreater(self.losses(*self.life("none")), 0)


if __name__ == "__main__":
    unittest.main()
