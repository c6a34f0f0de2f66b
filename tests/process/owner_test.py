"""Whom a kept session belongs to, over kill -9 and a restart: Mosquitto's tools with users."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support import scram
from support.broker import WAIT_S, Broker, linnet_only
from support.clients import MosquittoSub, mosquitto_pub, tool_arguments, unique

USERS = {"anna": "pencil", "bert": "rubber"}
VERSIONS = (3, 4, 5)


def login(user):
    return ["-u", user, "-P", USERS[user]] if user else []


def kept(client_id, user, version):
    """Options of mosquitto_sub: its session stays for ten minutes."""
    return ["-c", "-i", client_id, *login(user), *(["-x", "600"] if version == 5 else [])]


@linnet_only
class OwnerCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="linnet-owner-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        users = self.folder / "users.txt"
        for user, password in USERS.items():
            scram.add_user(users, user, password)
        self.settings = {"auth.password_file": users, "allow_anonymous": "true",
                         "log.level": "info"}
        (self.folder / "data").mkdir()

    def broker(self, threads):
        return Broker(threads, self.settings, str(self.folder / "data"))

    @staticmethod
    def kill(broker):
        broker.process.kill()
        broker.process.wait()

    def leave(self, broker, topic, client_id, user, version):
        """A session that a message waits in."""
        with MosquittoSub(broker, topic, *kept(client_id, user, version), version=version, qos=1):
            pass
        mosquitto_pub(broker, topic, f"for {client_id}", *login("bert"), qos=1)

    @staticmethod
    def run_tool(broker, topic, version, *options):
        """A finished mosquitto_sub. What waits for it may come before its SUBACK, and ends it."""
        return subprocess.run([*tool_arguments("mosquitto_sub", broker, version), "-t", topic,
                               "-q", "1", "-C", "1", "-W", str(WAIT_S), *options],
                              capture_output=True, text=True, timeout=2 * WAIT_S)

    def assert_refused(self, broker, topic, version, *options):
        done = self.run_tool(broker, topic, version, *options)
        self.assertEqual(done.returncode, 135 if version == 5 else 5, done.stdout + done.stderr)
        self.assertRegex(done.stderr.lower(), "not authori[sz]ed")
        self.assertEqual(done.stdout, "")

    def assert_others_are_refused(self, broker, topic, client_id, version):
        for user in ("bert", None):
            with self.subTest(version=version, user=user):
                self.assert_refused(broker, topic, version, *kept(client_id, user, version))
                self.assert_refused(broker, topic, version, "-i", client_id, *login(user))

    def assert_gets(self, broker, topic, client_id, user, version):
        done = self.run_tool(broker, topic, version, *kept(client_id, user, version))
        self.assertEqual((done.returncode, done.stdout), (0, f"for {client_id}\n"), done.stderr)


class Owners(OwnerCase):
    def test_a_session_stays_its_users(self):
        sessions = [(unique(f"topic{version}"), unique("dev"), version) for version in VERSIONS]
        with self.broker(2) as broker:
            for topic, client_id, version in sessions:
                self.leave(broker, topic, client_id, "anna", version)
            self.kill(broker)
        for threads in (1, 4):
            with self.broker(threads) as broker:
                for topic, client_id, version in sessions:
                    self.assert_others_are_refused(broker, topic, client_id, version)
                self.assertTrue(broker.log.lines("belongs to another user"))
                self.kill(broker)
        with self.broker(2) as broker:
            for topic, client_id, version in sessions:
                self.assert_gets(broker, topic, client_id, "anna", version)

    def test_a_session_without_a_user_is_anybodys(self):
        topic, client_id = unique("topic"), unique("dev")
        with self.broker(1) as broker:
            self.leave(broker, topic, client_id, None, 4)
            self.kill(broker)
        with self.broker(1) as broker:
            self.assert_gets(broker, topic, client_id, "anna", 4)
            self.kill(broker)
        with self.broker(1) as broker:
            self.assert_refused(broker, topic, 4, *kept(client_id, None, 4))


if __name__ == "__main__":
    unittest.main()
