"""What the process gives up: the rights of root, core dumps, and system calls that it does not need."""

import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

from support import certificates, wire
from support.broker import (WAIT_S, Broker, BrokerCase, free_port, linnet_binary, linnet_only)
from support.certificates import listener, put
from support.clients import Client, MosquittoSub, mosquitto_pub, unique

root_only = unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
# They trace their own process when it ends, to find leaks.
unfiltered_only = unittest.skipUnless(os.environ.get("LINNET_MEMORY_FACTOR", "1") == "1",
                                      "sanitizers need system calls of their own")
USER = pwd.getpwnam("daemon")  # Debian has it everywhere
AUTHORITY = certificates.Authority()


def status(broker):
    """What the kernel says about each thread: /proc/PID/task/*/status as dictionaries."""
    result = []
    for path in pathlib.Path(f"/proc/{broker.process.pid}/task").glob("*/status"):
        lines = (line.partition(":") for line in path.read_text("ascii").splitlines())
        result.append({name: value.split() for name, _, value in lines})
    return result


def lowest_free_port():
    """A port that only root may have; None if this machine has none free."""
    for port in range(1023, 600, -1):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    return None


class FolderCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="linnet-hardening-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.topic = unique()

    def make_data(self, user=0):
        self.data.mkdir()
        os.chown(self.data, user, -1)
        return str(self.data)

    def refused(self, *arguments, **options):
        """What `linnet run` says before it ends with exit code 2."""
        done = subprocess.run([linnet_binary(), "run", "--data-dir", str(self.data), "--listen",
                               f"mqtt://127.0.0.1:{free_port()}", *arguments], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT_S,
                              **options)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr.splitlines()[-1]

    def assert_works(self, broker):
        with Client(broker) as client:
            client.subscribe(self.topic, 2)
            client.publish(self.topic, b"still here", 2)
            self.assertEqual(client.receive().payload, b"still here")


@linnet_only
@root_only
class BecomingAUser(FolderCase):
    def broker(self, **options):
        settings = {"user": USER.pw_name, **options.pop("settings", {})}
        return Broker(2, settings, data_dir=str(self.data), **options)

    def test_nothing_of_root_is_left(self):
        for name in (USER.pw_name, str(USER.pw_uid)):
            with self.subTest(name), self.broker(settings={"user": name}) as broker:
                self.assert_works(broker)
                threads = status(broker)
                self.assertGreaterEqual(len(threads), 4)
                groups = {str(group) for group in os.getgrouplist(USER.pw_name, USER.pw_gid)}
                for thread in threads:
                    self.assertEqual(thread["Uid"], [str(USER.pw_uid)] * 4)
                    self.assertEqual(thread["Gid"], [str(USER.pw_gid)] * 4)
                    self.assertEqual(set(thread["Groups"]), groups)
                    self.assertEqual(thread["NoNewPrivs"], ["1"])
                    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                        self.assertEqual(int(thread[kind][0], 16), 0, kind)

    def test_the_store_belongs_to_the_user_and_survives(self):
        broker = self.broker().start()
        with Client(broker, "keeper", clean=False) as keeper:
            keeper.subscribe("work", qos=1)
        with Client(broker) as publisher:
            publisher.publish("work", b"owed", 1)
            publisher.publish("house", b"retained", 1, retain=True)
        broker.process.send_signal(signal.SIGKILL)
        broker.kill()
        for path in (self.data, *self.data.iterdir()):
            self.assertEqual((path.stat().st_uid, path.stat().st_gid),
                             (USER.pw_uid, USER.pw_gid), path)
        with self.broker() as broker, Client(broker, "keeper", clean=False) as keeper:
            self.assertEqual(keeper.receive().payload, b"owed")
            keeper.subscribe("house", 1)
            self.assertEqual(keeper.receive().payload, b"retained")

    def test_a_store_of_root_is_given_to_the_user(self):
        with Broker(1, data_dir=str(self.data)) as broker, Client(broker) as client:
            client.publish("house", b"retained", 1, retain=True)
        self.assertEqual((self.data / "data.mdb").stat().st_uid, 0)
        with self.broker() as broker, Client(broker) as client:
            client.subscribe("house", 1)
            self.assertEqual(client.receive().payload, b"retained")
            self.assertEqual((self.data / "data.mdb").stat().st_uid, USER.pw_uid)

    def test_other_folders_stay_as_they_are(self):
        self.make_data()
        notes = self.data / "notes.txt"
        notes.write_text("not Linnet's")
        self.assertIn("may not write there", self.refused("--set", f"user={USER.pw_name}"))
        self.assertEqual((self.data.stat().st_uid, notes.stat().st_uid), (0, 0))

    def test_a_link_in_the_folder_leads_nowhere(self):
        self.make_data(USER.pw_uid)
        secret = self.folder / "secret"
        secret.write_text("root's")
        secret.chmod(0o600)
        (self.data / "linnet.lock").symlink_to(secret)
        self.assertIn("linnet.lock", self.refused("--set", f"user={USER.pw_name}"))
        self.assertEqual((secret.read_text(), secret.stat().st_uid), ("root's", 0))

    def test_ports_and_keys_that_only_root_has(self):
        port = lowest_free_port()
        if port is None:
            self.skipTest("no port below 1024 is free")
        self.make_data(USER.pw_uid)
        served = put(AUTHORITY.server("server"), "served", str(self.folder))
        os.chmod(served.key, 0o600)
        with self.broker(listeners={"mqtts": listener(f"mqtts://127.0.0.1:{port}",
                                                      served)}) as broker:
            door = broker.at("mqtts", "localhost")
            mosquitto_pub(door, self.topic, "x", "--cafile", AUTHORITY.certificate, qos=1)
            # What it can't read any more is said, and the old key stays.
            self.assertIn(served.key, "\n".join(broker.reload()))
            mosquitto_pub(door, self.topic, "x", "--cafile", AUTHORITY.certificate, qos=1)
            os.chown(served.key, USER.pw_uid, -1)
            self.assertIn("read again", "\n".join(broker.reload()))

    def test_unix_sockets_belong_to_the_user(self):
        self.make_data(USER.pw_uid)
        run = self.folder / "run"
        run.mkdir()
        os.chown(run, USER.pw_uid, USER.pw_gid)
        path = run / "mqtt.sock"
        with self.broker(listeners={"unix": {"url": f"unix:{path}"}}) as broker:
            found = path.stat()
            self.assertTrue(stat.S_ISSOCK(found.st_mode))
            self.assertEqual((found.st_uid, found.st_gid), (USER.pw_uid, USER.pw_gid))
            mosquitto_pub(broker.at("unix"), self.topic, "x", qos=1)
        self.assertFalse(path.exists())

    def test_without_a_store(self):
        with self.broker(settings={"persistence": "false"}) as broker:
            self.assert_works(broker)

    def test_the_tools_of_root_work(self):
        with self.broker() as broker, Client(broker) as client:
            client.publish("house", b"retained", 1, retain=True)
            done = subprocess.run([linnet_binary(), "store", "stats", "--json", "--data-dir",
                                   str(self.data)], capture_output=True, timeout=WAIT_S)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(json.loads(done.stdout)["bytes_written"], 0)

    def test_ordinary_users_cannot_become_another(self):
        self.make_data(65_534)
        complaint = self.refused("--set", f"user={USER.pw_name}", user=65_534)
        self.assertIn("can't become another one", complaint)
        # The same user is no change.
        settings = ["--set", "user=nobody", "--listen", "unix:/nowhere/there.sock"]
        self.assertIn("/nowhere/there.sock", self.refused(*settings, user=65_534))


@linnet_only
class UnknownUser(FolderCase):
    def test_it_is_refused(self):
        for name in ("nobody-of-this-name", "3999999999"):
            with self.subTest(name):
                complaint = self.refused("--set", f"user={name}")
                self.assertIn(f'user = "{name}": this machine has no such user', complaint)
                self.assertFalse(self.data.exists())


READ_MEMORY = """
import sys
open(f"/proc/{sys.argv[1]}/mem", "rb").close()
"""


def can_read_memory(broker):
    """Whether another program of the broker's user can."""
    # As root this is a question about the user that the broker has become.
    user = USER.pw_uid if os.geteuid() == 0 else os.geteuid()
    group = {"group": USER.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run([sys.executable, "-c", READ_MEMORY, str(broker.process.pid)], user=user,
                          stderr=subprocess.DEVNULL, timeout=WAIT_S, **group)
    return done.returncode == 0


@linnet_only
class CoreDumps(FolderCase):
    user = {"user": USER.pw_name} if os.geteuid() == 0 else {}

    def core_limits(self, process_id):
        limits = pathlib.Path(f"/proc/{process_id}/limits").read_text("ascii")
        return next(line.split()[4:6] for line in limits.splitlines() if "core file" in line)

    def test_none_by_default(self):
        with Broker(1, self.user, data_dir=str(self.data)) as broker:
            self.assertEqual(self.core_limits(broker.process.pid), ["0", "0"])
            self.assertFalse(can_read_memory(broker))

    def test_where_they_are_wanted(self):
        settings = {**self.user, "core_dumps": "true"}
        with Broker(1, settings, data_dir=str(self.data)) as broker:
            self.assertEqual(self.core_limits(broker.process.pid), self.core_limits("self"))
            try:
                tracing = pathlib.Path("/proc/sys/kernel/yama/ptrace_scope").read_text("ascii")
            except FileNotFoundError:
                tracing = "0"
            if tracing.strip() == "0":
                self.assertTrue(can_read_memory(broker))


@linnet_only
@unfiltered_only
class SystemCalls(BrokerCase):
    threads = 2
    settings = {"seccomp": "true"}

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="linnet-seccomp-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        served = put(AUTHORITY.server("filtered"), "served", folder.name)
        cls.listeners = {"mqtts": listener("mqtts://127.0.0.1:0", served),
                         "ws": {"url": "ws://127.0.0.1:0/mqtt"},
                         "wss": listener("wss://127.0.0.1:0/mqtt", served),
                         "unix": {"url": f"unix:{folder.name}/mqtt.sock"}}
        super().setUpClass()

    def setUp(self):
        self.topic = unique()

    def store(self, action, *arguments):
        done = subprocess.run([linnet_binary(), "store", action, "--data-dir",
                               self.broker.data_dir, *arguments], text=True, timeout=3 * WAIT_S,
                              stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_all_threads_are_filtered(self):
        threads = status(self.broker)
        self.assertGreaterEqual(len(threads), 4)
        for thread in threads:
            self.assertEqual((thread["Seccomp"], thread["NoNewPrivs"]), (["2"], ["1"]))

    def test_tools(self):
        authority = ["--cafile", AUTHORITY.certificate]
        for name, door, options in (("mqtt", self.broker, []),
                                    ("mqtts", self.broker.at("mqtts", "localhost"), authority),
                                    ("unix", self.broker.at("unix"), [])):
            for qos in (0, 1, 2):
                with self.subTest(name, qos=qos), \
                        MosquittoSub(door, self.topic, *options, qos=qos) as sub:
                    mosquitto_pub(door, self.topic, "x", *options, qos=qos)
                    self.assertEqual(sub.messages(), [(qos, False, self.topic, "x")])

    def test_websocket(self):
        for name, tls in (("ws", None), ("wss", AUTHORITY.trust())):
            with self.subTest(name), Client(self.broker.at(name, "localhost"), websocket="/mqtt",
                                            tls=tls) as client:
                client.subscribe(self.topic, 1)
                client.publish(self.topic, b"x" * 100_000, 1)
                self.assertEqual(len(client.receive().payload), 100_000)

    def test_a_client_that_breaks_the_rules(self):
        with wire.RawClient(self.broker.port) as raw:
            raw.send(b"GET / HTTP/1.1\r\n\r\n")
            raw.drain_until_closed()

    def test_kept_sessions(self):
        with Client(self.broker, self.topic, clean=False) as keeper:
            keeper.subscribe(self.topic, 2)
        with Client(self.broker) as publisher:
            for number in range(100):
                publisher.publish(self.topic, b"%d" % number + b"x" * 10_000, 2)
        with Client(self.broker, self.topic, clean=False) as keeper:
            for number in range(100):
                self.assertTrue(keeper.receive().payload.startswith(b"%d" % number))

    def test_reload(self):
        lines = "\n".join(self.broker.reload())
        self.assertEqual(lines.count("read again"), 2, lines)

    def test_store_commands(self):
        with Client(self.broker) as client:
            client.publish(f"{self.topic}/retained", b"x" * 1000, 1, retain=True)
        self.store("stats")
        self.store("check")
        self.store("compact")
        self.store("backup", str(self.folder / self.topic))
        self.assertTrue((self.folder / self.topic / "data.mdb").exists())


@linnet_only
@unfiltered_only
class FilteredStart(FolderCase):
    def test_restart_after_a_kill(self):
        settings = {"seccomp": "true"}
        broker = Broker(2, settings, data_dir=str(self.data)).start()
        with Client(broker) as client:
            client.publish("house", b"retained", 1, retain=True)
        broker.kill()
        with Broker(2, settings, data_dir=str(self.data)) as broker, Client(broker) as client:
            client.subscribe("house", 1)
            self.assertEqual(client.receive().payload, b"retained")


if __name__ == "__main__":
    unittest.main()
