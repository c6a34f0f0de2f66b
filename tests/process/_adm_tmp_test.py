"""`linnet store`: on a stopped store and on a broker that runs."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from support.broker import WAIT_S, Broker, linnet_binary, linnet_only
from support.clients import Client

RETAINED = 30
OWED = 20


def store(action, *arguments):
    """A finished `linnet store ACTION`."""
    return subprocess.run([linnet_binary(), "store", action, *arguments], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=3 * WAIT_S)


def fill(broker):
    """A kept session with messages that wait for it, and retained messages."""
    with Client(broker, "keeper", clean=False) as keeper:
        keeper.subscribe("work/#", qos=1)
    with Client(broker) as publisher:
        for i in range(RETAINED):
            publisher.publish(f"house/{i}", f"value-{i:02}-" + "r" * 2000, retain=True, qos=1)
        for i in range(OWED):
            publisher.publish(f"work/{i}", "w" * 500, qos=1)


def garble_one(data):
    """Changes one retained message, wherever the file has a copy of it."""
    return data.replace(b"value-07-", b"value-x7-")


def publish_one(broker):
    """One more retained message."""
    with Client(broker) as publisher:
        publisher.publish("house/new", "value", retain=True, qos=1)


@linnet_only
class StoreCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="linnet-store-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = self.folder / "data"
        self.data.mkdir()

    @property
    def data_file(self):
        return self.data / "data.mdb"

    def run_store(self, action, *arguments):
        return store(action, *arguments, "--data-dir", str(self.data))

    def ask(self, action, *arguments, code=0):
        """The answer as JSON."""
        result = self.run_store(action, *arguments, "--json")
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        self.assertEqual(len(result.stdout.splitlines()), 1, result.stdout)
        return json.loads(result.stdout)

    def broker(self):
        return Broker(threads=2, data_dir=str(self.data))

    def assert_filled(self, answer):
        self.assertTrue(answer["ok"])
        self.assertEqual(answer["sessions"], 1)
        self.assertEqual(answer["outgoing_messages"], OWED)
        self.assertEqual(answer["retained_messages"], RETAINED)


class Stopped(StoreCase):
    """A store that no broker uses."""

    def setUp(self):
        super().setUp()
        with self.broker() as broker:
            fill(broker)

    def test_stats(self):
        answer = self.ask("stats")
        self.assert_filled(answer)
        self.assertFalse(answer["running"])
        self.assertEqual(answer["file_bytes"], self.data_file.stat().st_size)
        self.assertGreater(answer["used_bytes"], RETAINED * 2000)
        self.assertLessEqual(answer["used_bytes"] + answer["free_bytes"], answer["map_bytes"])
        self.assertEqual(answer["records"]["retained"], RETAINED)
        self.assertNotIn("commits", answer)

    def test_stats_for_people(self):
        result = self.run_store("stats")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for words in (str(self.data), "not in use", "sessions    1, with 20 messages",
                      "retained    30 messages", "free for reuse"):
            self.assertIn(words, result.stdout)

    def test_check(self):
        answer = self.ask("check")
        self.assert_filled(answer)
        self.assertTrue(answer["sound"])
        self.assertEqual(answer["problems"], [])
        self.assertEqual(self.run_store("check").stdout, "sound: 1 sessions, 20 messages for them, "
                                                         "30 retained messages\n")

    def test_check_finds_a_flipped_bit(self):
        self.data_file.write_bytes(garble_one(self.data_file.read_bytes()))
        answer = self.ask("check", code=1)
        self.assertTrue(answer["ok"])
        self.assertFalse(answer["sound"])
        self.assertIn("topic house/7 is damaged", answer["problems"][0])
        result = self.run_store("check")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"(?s)topic house/.*damaged: 1 sessions")

    def test_a_damaged_store_is_not_opened(self):
        self.data_file.write_bytes(b"no store at all" * 10_000)
        for action in (["stats"], ["compact"], ["backup", str(self.folder / "copy")]):
            result = self.run_store(*action)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn("damaged", result.stderr)
        self.assertFalse((self.folder / "copy").exists())

    def test_compact(self):
        with self.broker() as broker, Client(broker) as publisher:
            for i in range(RETAINED):
                publisher.publish(f"house/{i}", "", retain=True, qos=1)
        before = self.data_file.stat()
        answer = self.ask("compact")
        self.assertEqual(answer["bytes_before"], before.st_size)
        self.assertEqual(answer["bytes_after"], self.data_file.stat().st_size)
        self.assertLess(answer["bytes_after"], answer["bytes_before"])
        self.assertEqual(self.data_file.stat().st_mode, before.st_mode)
        self.assertFalse(pathlib.Path(f"{self.data_file}.compact").exists())
        self.assertTrue(self.ask("check")["sound"])
        self.assertEqual(self.ask("stats")["outgoing_messages"], OWED)

    def test_backup_is_a_store(self):
        copy = self.folder / "far" / "copy"
        answer = self.ask("backup", str(copy))
        self.assertEqual(answer["file"], str(copy / "data.mdb"))
        self.assertEqual(answer["bytes"], (copy / "data.mdb").stat().st_size)
        result = store("check", "--data-dir", str(copy), "--json")
        self.assert_filled(json.loads(result.stdout))
        with Broker(threads=1, data_dir=str(copy)) as broker:
            keeper = Client(broker, "keeper", clean=False).connect()
            self.addCleanup(keeper.disconnect)
            topics = {keeper.inbox.get(timeout=WAIT_S).topic for _ in range(OWED)}
            self.assertEqual(topics, {f"work/{i}" for i in range(OWED)})

    def test_backup_overwrites_nothing(self):
        copy = self.folder / "copy"
        self.ask("backup", str(copy))
        answer = self.ask("backup", str(copy), code=1)
        self.assertFalse(answer["ok"])
        self.assertIn("is there already", answer["error"])
        self.assertEqual(os.listdir(copy), ["data.mdb"])

    def test_asking_changes_nothing_for_the_broker(self):
        self.ask("stats")
        self.ask("check")
        with self.broker() as broker:
            self.assertEqual(broker.log.lines("not closed in order"), [])


class Running(StoreCase):
    """A broker that uses the store is asked through its control socket."""

    def test_all_of_it(self):
        with self.broker() as broker:
            fill(broker)
            self.assertTrue((self.data / "control.sock").is_socket())
            stats = self.ask("stats")
            self.assert_filled(stats)
            self.assertTrue(stats["running"])
            self.assertGreater(stats["commits"], 0)
            self.assertEqual(stats["alarm"], "")
            self.assertIn("in use by a broker", self.run_store("stats").stdout)
            check = self.ask("check")
            self.assert_filled(check)
            self.assertTrue(check["sound"])
            self.ask("backup", str(self.folder / "copy"))
            copy = store("check", "--data-dir", str(self.folder / "copy"), "--json")
            self.assert_filled(json.loads(copy.stdout))
            refused = self.ask("backup", str(self.folder / "copy"), code=1)
            self.assertIn("is there already", refused["error"])
            self.assertGreater(self.ask("compact")["bytes_after"], 0)
            # It goes on with the new file.
            publish_one(broker)
            self.assertEqual(self.ask("stats")["retained_messages"], RETAINED + 1)
        self.assertEqual(self.ask("check")["retained_messages"], RETAINED + 1)
        self.assertFalse((self.data / "control.sock").exists())

    def test_a_relative_folder_is_the_callers(self):
        with self.broker() as broker:
            fill(broker)
            result = subprocess.run([linnet_binary(), "store", "backup", "copy", "--data-dir",
                                     str(self.data)], cwd=self.folder, capture_output=True,
                                    text=True, timeout=WAIT_S)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertTrue((self.folder / "copy" / "data.mdb").exists())

    def test_a_second_broker_is_refused(self):
        with self.broker() as broker:
            second = subprocess.run([linnet_binary(), "run", "--listen", "mqtt://127.0.0.1:0",
                                     "--data-dir", str(self.data)], capture_output=True, text=True,
                                    timeout=WAIT_S)
            self.assertEqual(second.returncode, 2)
            self.assertIn(f"process {broker.process.pid} holds the data directory {self.data}",
                          second.stderr)
            self.assertTrue(self.ask("stats")["ok"])

    def test_a_dead_brokers_socket_is_replaced(self):
        with self.broker() as broker:
            fill(broker)
            broker.process.send_signal(signal.SIGKILL)
            broker.process.wait(WAIT_S)
            self.assertTrue((self.data / "control.sock").is_socket())
            self.assertFalse(self.ask("stats")["running"])
        with self.broker() as broker:
            self.assertTrue(broker.log.lines("not closed in order", "sound"))
            self.assertTrue(self.ask("stats")["running"])


class DamagedAtStart(StoreCase):
    """A broker starts on whatever is left of its store."""

    def setUp(self):
        super().setUp()
        with self.broker() as broker:
            fill(broker)

    def start_on_damage(self, data):
        self.data_file.write_bytes(data)
        # As after a crash: the mark of an orderly end is gone.
        (self.data / "linnet.lock").write_bytes(b"")
        with self.broker() as broker:
            lines = broker.log.lines("error", "damaged store is now") or broker.log.lines(
                "error", "nothing was left")
            self.assertEqual(len(lines), 1, broker.log.text())
            self.assertEqual(len(list(self.data.glob("data.mdb.damaged-*"))), 1)
            publish_one(broker)
            return lines[0], self.ask("stats")

    def test_one_bad_record(self):
        line, stats = self.start_on_damage(garble_one(self.data_file.read_bytes()))
        self.assertIn("1 sessions, 20 messages for them and 29 retained messages", line)
        self.assertEqual(stats["retained_messages"], RETAINED)
        self.assertEqual(stats["outgoing_messages"], OWED)

    def test_no_heads(self):
        data = self.data_file.read_bytes()
        line, _stats = self.start_on_damage(bytes(8192) + data[8192:])
        self.assertIn("1 sessions, 20 messages for them and 30 retained messages", line)

    def test_half_a_file(self):
        stats = self.ask("stats")  # much of the file is there only for what will come
        size = stats["used_bytes"] + stats["free_bytes"]
        self.start_on_damage(self.data_file.read_bytes()[:size // 2])

    def test_garbage(self):
        line, stats = self.start_on_damage(os.urandom(300_000))
        self.assertIn("nothing was left", line)
        self.assertEqual(stats["retained_messages"], 1)


class Usage(StoreCase):
    def test_wrong_usage(self):
        for arguments in ([], ["fly"], ["backup"], ["stats", "--fly"], ["stats", "check"],
                          ["stats", "--set", "thread=1"], ["stats", "--config", "/nowhere.toml"]):
            with self.subTest(arguments):
                result = subprocess.run([linnet_binary(), "store", *arguments],
                                        capture_output=True, text=True, timeout=WAIT_S)
                self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
                self.assertNotEqual(result.stderr, "")

    def test_no_store_there(self):
        for action in ("stats", "check", "compact"):
            result = self.run_store(action)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertTrue(re.match(rf"linnet: there is no store in {self.data}", result.stderr),
                            result.stderr)
        self.assertEqual(os.listdir(self.data), [])
        self.assertIn("no store", self.ask("stats", code=1)["error"])

    def test_the_directory_may_stand_in_the_configuration(self):
        path = self.folder / "linnet.toml"
        path.write_text(f'data_dir = "{self.data}"\n')
        result = store("stats", "--config", str(path))
        self.assertEqual(result.returncode, 1)
        self.assertIn(str(self.data), result.stderr)


if __name__ == "__main__":
    unittest.main()
