"""Disks that are full, fail or lie, and clocks that jump: the real broker on a data file that
tests/faults spoils. What was acknowledged stays, what can't be stored is refused, QoS 0 goes on, and
service comes back by itself."""

import errno
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support import wire
from support.broker import Broker, linnet_binary, linnet_only
from support.clients import unique
from support.faults import FaultyBroker
from support.kept import Kept

QUOTA_EXCEEDED = 0x97
ALARM = "$SYS/broker/store/alarm"


def kill(broker):
    broker.process.kill()
    broker.process.wait()


class FaultCase(unittest.TestCase):
    settings = {"log.level": "info"}

    def setUp(self):
        self.data_dir = tempfile.mkdtemp(prefix="linnet-test-")
        self.addCleanup(shutil.rmtree, self.data_dir, ignore_errors=True)

    def faulty(self, **settings):
        return FaultyBroker(1, {**self.settings, **settings}, self.data_dir)

    @staticmethod
    def away(broker, topic_filter="kept/#", client_id="away"):
        with Kept(broker, client_id) as client:
            client.open()
            client.subscribe(topic_filter, 1)
            client.leave()

    def owed(self, broker, client_id="away"):
        """What the session that was away has got."""
        with Kept(broker, client_id) as client:
            self.assertTrue(client.open())
            return [message.payload.decode() for message in client.drain(broker, unique())]

    def alarm(self, broker):
        with Kept(broker, "looks") as client:
            client.open(clean=True, expiry_s=0)
            client.subscribe(ALARM)
            return client.next_delivery().payload.decode()


@linnet_only
class FullDisk(FaultCase):
    def test_durable_work_is_refused_until_there_is_room(self):
        with self.faulty() as broker:
            self.away(broker)
            accepted = []
            with Kept(broker, "p") as publisher, Kept(broker, "live") as live:
                publisher.open(clean=True, expiry_s=0)
                live.open(clean=True, expiry_s=0)
                live.subscribe("live", 1)
                self.assertEqual(publisher.publish("kept/0", "before"), 0)
                accepted.append("before")
                broker.faults.fill_disk(self.data_dir)
                code, number = 0, 0
                while code == 0:  # what was taken ahead is used up first
                    number += 1
                    payload = f"{number}." + "x" * 100_000
                    code = publisher.publish("kept/1", payload)
                    if code == 0:
                        accepted.append(payload)
                self.assertEqual(code, QUOTA_EXCEEDED)
                self.assertTrue(broker.log.wait_for("error", "no room"))
                self.assertIn("no room", self.alarm(broker))
                publisher.publish("live", "qos 0", 0)
                self.assertEqual(live.next_delivery().payload, b"qos 0")
                self.assertEqual(publisher.publish("live", "qos 1"), 0)
                self.assertEqual(live.next_delivery().payload, b"qos 1")
                broker.faults.heal()
                self.assertTrue(broker.log.wait_for("works again"))
                self.assertEqual(publisher.publish("kept/2", "after"), 0)
                accepted.append("after")
            self.assertEqual(self.alarm(broker), "none")
            kill(broker)
        with Broker(1, self.settings, self.data_dir) as second:
            self.assertEqual(self.owed(second), accepted)

    def test_the_limit_of_the_file_is_a_full_disk_too(self):
        settings = {**self.settings, "limits.store_size_max": "2MiB"}
        with Broker(1, settings, self.data_dir) as broker:
            self.away(broker)
            accepted = []
            with Kept(broker, "p") as publisher:
                publisher.open(clean=True, expiry_s=0)
                code = 0
                while code == 0:
                    payload = f"{len(accepted)}." + "x" * 10_000
                    code = publisher.publish("kept/1", payload)
                    if code == 0:
                        accepted.append(payload)
                self.assertEqual(code, QUOTA_EXCEEDED)
                self.assertGreater(len(accepted), 20)
            # Who takes what it is owed makes room. (A fence would need some itself.)
            with Kept(broker, "away") as client:
                self.assertTrue(client.open())
                found = [one.payload.decode() for one in client.receive_all(len(accepted))]
                client.settle()
            self.assertEqual(found, accepted)
            self.assertTrue(broker.log.wait_for("works again"))
            with Kept(broker, "p") as publisher:
                publisher.open(clean=True, expiry_s=0)
                self.assertEqual(publisher.publish("kept/1", "again"), 0)

    def test_an_mqtt3_publisher_gets_no_acknowledgement(self):
        with self.faulty(**{"limits.refuse_timeout": "300ms"}) as broker:
            self.away(broker)
            broker.faults.fail_writes(errno.ENOSPC)
            with Kept(broker, "old", version=4) as publisher:
                publisher.open(clean=True)
                with self.assertRaises(wire.Closed):
                    publisher.publish("kept/1", "x")


@linnet_only
class FailingDisk(FaultCase):
    def check_recovery(self, spoil, log_words):
        with self.faulty() as broker:
            self.away(broker)
            with Kept(broker, "p") as publisher:
                publisher.open(clean=True, expiry_s=0)
                self.assertEqual(publisher.publish("kept/1", "before"), 0)
                spoil(broker.faults)
                self.assertEqual(publisher.publish("kept/1", "refused"), QUOTA_EXCEEDED)
                self.assertTrue(broker.log.wait_for("error", *log_words))
                publisher.publish("kept/1", "qos 0", 0)
                publisher.ping()
                broker.faults.heal()
                self.assertTrue(broker.log.wait_for("works again"))
                self.assertEqual(publisher.publish("kept/1", "after"), 0)
            kill(broker)
        with Broker(1, self.settings, self.data_dir) as second:
            self.assertEqual([one for one in self.owed(second) if one != "refused"],
                             ["before", "after"])

    def test_writes_fail(self):
        self.check_recovery(lambda faults: faults.fail_writes(errno.EIO), ["can't be written"])

    def test_syncs_fail(self):
        self.check_recovery(lambda faults: faults.fail_syncs(errno.EIO), ["can't be written"])

    def test_a_sync_that_fails_once_and_then_lies(self):
        """What it was to save is lost, whatever the next sync says: it is written again."""
        with self.faulty() as broker:
            self.away(broker)
            with Kept(broker, "p") as publisher:
                publisher.open(clean=True, expiry_s=0)
                broker.faults.fail_syncs(errno.EIO, count=1)
                self.assertEqual(publisher.publish("kept/1", "1"), 0)
                self.assertEqual(publisher.publish("kept/1", "2"), 0)
            kill(broker)
        with Broker(1, self.settings, self.data_dir) as second:
            self.assertEqual(self.owed(second), ["1", "2"])

    def test_puback_waits_for_a_slow_sync_and_qos0_does_not(self):
        with self.faulty() as broker:
            self.away(broker)
            with Kept(broker, "p") as publisher, Kept(broker, "live") as live:
                publisher.open(clean=True, expiry_s=0)
                live.open(clean=True, expiry_s=0)
                live.subscribe("#", 0)
                with broker.faults.held_syncs():
                    before = broker.faults.get("syncs_held")
                    publisher.send_publish("kept/1", "1", 1, 7)
                    broker.faults.wait_for("syncs_held", before + 1)
                    self.assertEqual(live.next_delivery().payload, b"1")
                    publisher.send_publish("live", "2", 0)
                    self.assertEqual(live.next_delivery().payload, b"2")
                    publisher.ping()
                    publisher.nothing_comes()
                self.assertEqual(publisher.expect(wire.PUBACK).body[:2], b"\0\7")

    def test_a_full_way_to_the_writer_stops_durable_publishers_alone(self):
        settings = {"limits.store_queue_messages_max": "16"}
        with self.faulty(**settings) as broker:
            self.away(broker)
            with Kept(broker, "p") as durable, Kept(broker, "q") as other, \
                    Kept(broker, "live") as live:
                for client in (durable, other, live):
                    client.open(clean=True, expiry_s=0)
                live.subscribe("live", 0)
                with broker.faults.held_syncs():
                    for number in range(1, 61):
                        durable.send_publish("kept/1", str(number), 1, number)
                    broker.faults.wait_for("syncs_held", 1)
                    other.send_publish("live", "goes on", 0)
                    self.assertEqual(live.next_delivery().payload, b"goes on")
                for number in range(1, 61):
                    answer = durable.expect(wire.PUBACK)
                    self.assertEqual(int.from_bytes(answer.body[:2], "big"), number)
            self.assertEqual(self.owed(broker), [str(number) for number in range(1, 61)])


@linnet_only
class WhileRunning(FaultCase):
    def test_a_file_that_is_cut_does_not_end_the_broker(self):
        with Broker(1, self.settings, self.data_dir) as broker:
            self.away(broker)
            with Kept(broker, "p") as publisher, Kept(broker, "live") as live:
                publisher.open(clean=True, expiry_s=0)
                live.open(clean=True, expiry_s=0)
                live.subscribe("live", 0)
                publisher.publish_all([("kept/1", "x" * 2000)] * 300)
                os.truncate(pathlib.Path(self.data_dir, "data.mdb"), 64 * 1024)
                with Kept(broker, "new") as reader:
                    reader.open(clean=True, expiry_s=0)
                    reader.subscribe("#", 0)
                publisher.publish("live", "still here", 0)
                self.assertEqual(live.next_delivery().payload, b"still here")
            self.assertIsNone(broker.process.poll())
            kill(broker)
        with Broker(1, self.settings, self.data_dir) as second:
            self.assertTrue(second.log.lines("error", "damaged"))
            self.assertTrue(list(pathlib.Path(self.data_dir).glob("data.mdb.damaged-*")))


@linnet_only
class AtStart(FaultCase):
    def run_to_the_end(self, data_dir):
        return subprocess.run([linnet_binary(), "run", "--listen", "mqtt://127.0.0.1:0", "--data-dir",
                               str(data_dir)], capture_output=True, text=True, timeout=20)

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_directory_that_cant_be_written(self):
        os.chmod(self.data_dir, 0o500)
        result = self.run_to_the_end(self.data_dir)
        self.assertEqual(result.returncode, 2)
        self.assertIn(self.data_dir, result.stderr)

    def test_a_directory_that_cant_be_made(self):
        blocked = pathlib.Path(self.data_dir, "file")
        blocked.write_text("no directory")
        result = self.run_to_the_end(blocked / "data")
        self.assertEqual(result.returncode, 2)
        self.assertIn(str(blocked), result.stderr)
        self.assertIn("data_dir", result.stderr)

    def test_a_second_broker_is_told_who_holds_the_directory(self):
        with Broker(1, self.settings, self.data_dir) as broker:
            result = self.run_to_the_end(self.data_dir)
            self.assertEqual(result.returncode, 2)
            self.assertIn(str(broker.process.pid), result.stderr)

    def test_without_persistence_nothing_is_left(self):
        settings = {**self.settings, "persistence": "false"}
        with Broker(1, settings, self.data_dir) as broker:
            self.away(broker)
            with Kept(broker, "p") as publisher:
                publisher.open(clean=True, expiry_s=0)
                self.assertEqual(publisher.publish("kept/1", "1"), 0)
            self.assertEqual(self.owed(broker), ["1"])
        self.assertEqual(os.listdir(self.data_dir), [])

    def test_the_relaxed_modes_serve_and_keep(self):
        for mode in ("interval", "none"):
            with self.subTest(mode):
                shutil.rmtree(self.data_dir)
                os.mkdir(self.data_dir)
                settings = {**self.settings, "durability": mode, "durability_interval": "50ms"}
                with Broker(2, settings, self.data_dir) as broker:
                    self.away(broker)
                    with Kept(broker, "p") as publisher:
                        publisher.open(clean=True, expiry_s=0)
                        publisher.publish_all([("kept/1", str(n)) for n in range(500)])
                        publisher.publish("kept/2", "twice", 2)
                with Broker(1, settings, self.data_dir) as second:
                    self.assertEqual(self.owed(second), [str(n) for n in range(500)] + ["twice"])


if __name__ == "__main__":
    unittest.main()
