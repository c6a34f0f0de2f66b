"""`linnet passwd`: files of users and passwords, for Linnet and for Mosquitto."""

import json
import os
import pathlib
import pty
import shutil
import signal
import stat
import subprocess
import tempfile
import termios
import unittest

from support.broker import WAIT_S, Log, free_port, linnet_binary, linnet_only

QUICK = ["--iterations", "1000"]


def passwd(*arguments, password=None, **options):
    """A finished `linnet passwd`; the password comes by standard input."""
    given = {"stdin": subprocess.DEVNULL} if password is None else {"input": password}
    return subprocess.run([linnet_binary(), "passwd", *map(str, arguments)], text=True,
                          capture_output=True, timeout=WAIT_S, **given, **options)


def users_of(text):
    return [line.split(":")[0] for line in text.splitlines() if line and line[0] != "#"]


@linnet_only
class PasswdCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="linnet-passwd-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.file = self.folder / "users.txt"

    def ok(self, *arguments, **options):
        done = passwd(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def fails(self, code, words, *arguments, **options):
        done = passwd(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(words, done.stderr)
        return done

    def set(self, user, password="secret", *arguments):
        return self.ok(*arguments, *QUICK, self.file, user, password=password)

    def right(self, user, password):
        """Whether the password is; anything else than right or wrong fails."""
        code = passwd("--check", self.file, user, password=password).returncode
        self.assertIn(code, (0, 1))
        return code == 0

    def mode(self):
        return stat.S_IMODE(self.file.stat().st_mode)

    def assert_only_the_file(self):
        self.assertEqual([path.name for path in self.folder.iterdir()], [self.file.name])


class Setting(PasswdCase):
    def test_all_kinds(self):
        for kind, prefix in (("pbkdf2", "$7$100000$"),
                             ("argon2id", "$argon2id$v=19$m=19456,t=2,p=1$"),
                             ("scram", "SCRAM-SHA-256$100000:")):
            with self.subTest(kind):
                self.ok("--kind", kind, self.file, kind, password="secret")
                self.assertIn(f"\n{kind}:{prefix}", "\n" + self.file.read_text())
                self.assertTrue(self.right(kind, "secret"))
                self.assertFalse(self.right(kind, "Secret"))
        self.assertEqual(len(self.file.read_text().splitlines()), 3)

    def test_other_lines_stay(self):
        self.file.write_text("# staff\n\nanna:x\r\n# guests\nbob:y\n")
        done = self.set("anna")
        lines = self.file.read_text().split("\n")
        self.assertRegex(lines.pop(2), r"^anna:\$7\$1000\$")
        self.assertEqual(lines, ["# staff", "", "# guests", "bob:y", ""])
        # Somebody should know of the line that is no hash, and see nothing of it.
        self.assertIn(f"warning: the broker will refuse this file: {self.file}:5: ", done.stderr)
        self.set("bob")
        self.set("carl")
        self.assertEqual(users_of(self.file.read_text()), ["anna", "bob", "carl"])
        self.assertTrue(self.right("bob", "secret"))

    def test_only_the_first_line_of_standard_input_counts(self):
        for given in ("secret\nmore\n", "secret\r\n", "secret"):
            with self.subTest(given):
                self.set("anna", given)
                self.assertTrue(self.right("anna", "secret"))
                self.assertFalse(self.right("anna", "secret more"))
        self.set("anna", " a:b c$\n")
        self.assertTrue(self.right("anna", " a:b c$"))
        self.assertFalse(self.right("anna", "a:b c$"))

    def test_no_password(self):
        for given in ("", "\n", "\r\n"):
            self.fails(1, "the password is empty", self.file, "anna", password=given)
        self.fails(1, "longer than 65535", self.file, "anna", password="x" * 65536)
        self.assertFalse(self.file.exists())
        self.set("anna", "x" * 65535)
        self.assertTrue(self.right("anna", "x" * 65535))

    def test_batch_warns(self):
        done = self.ok("-b", *QUICK, self.file, "anna", "secret")
        self.assertIn("other users of this machine can see", done.stderr)
        self.assertTrue(self.right("anna", "secret"))
        self.ok("-c", "--force", "-b", *QUICK, "--", self.file, "bob", "-secret")
        self.assertTrue(self.right("bob", "-secret"))
        self.assertNotIn("anna", self.file.read_text())

    def test_create(self):
        self.ok("-c", *QUICK, self.file, "anna", password="one")
        before = self.file.read_bytes()
        self.fails(1, "--force", "-c", *QUICK, self.file, "bob", password="two")
        self.assertEqual(self.file.read_bytes(), before)
        self.ok("-c", "--force", *QUICK, self.file, "bob", password="two")
        self.assertEqual(users_of(self.file.read_text()), ["bob"])
        self.assert_only_the_file()

    def test_scram_beyond_ascii_warns(self):
        self.assertIn("ASCII", self.ok("--kind", "scram", "-I", "4096", self.file, "zoë",
                                       password="über").stderr)
        self.assertTrue(self.right("zoë", "über"))

    def test_two_at_once_lose_nobody(self):
        names = [f"user-{i}" for i in range(24)]
        running = [subprocess.Popen([linnet_binary(), "passwd", "-b", *QUICK, self.file, name, "x"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                   for name in names]
        for process in running:
            _, errors = process.communicate(timeout=WAIT_S)
            self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(sorted(users_of(self.file.read_text())), sorted(names))
        self.assert_only_the_file()


class Files(PasswdCase):
    def test_modes(self):
        self.set("anna")
        self.assertEqual(self.mode(), 0o600)
        for mode in (0o640, 0o660, 0o644):
            self.file.chmod(mode)
            done = self.set("anna")
            self.assertEqual(self.mode(), mode)
            self.assertEqual("chmod o-r" in done.stderr, mode == 0o644)

    def test_a_file_that_all_may_write_to(self):
        self.set("anna")
        self.file.chmod(0o606)
        before = self.file.read_bytes()
        self.fails(1, "chmod o-w", *QUICK, self.file, "bob", password="x")
        self.fails(2, "chmod o-w", "--check", self.file, "anna", password="secret")
        self.assertEqual(self.file.read_bytes(), before)

    @unittest.skipIf(os.geteuid() != 0, "only root gives files away")
    def test_the_owner_stays(self):
        self.set("anna")
        os.chown(self.file, 65534, 65533)
        self.set("anna")
        facts = self.file.stat()
        self.assertEqual((facts.st_uid, facts.st_gid), (65534, 65533))

    def test_a_symbolic_link_stays_one(self):
        real = self.folder / "real"
        real.mkdir()
        self.file.symlink_to(real / "users.txt")
        self.fails(1, "symbolic link to nowhere", *QUICK, self.file, "anna", password="x")
        (real / "users.txt").write_text("# mine\n")
        self.set("anna")
        self.assertTrue(self.file.is_symlink())
        self.assertTrue((real / "users.txt").read_text().startswith("# mine\nanna:$7$"))
        self.assertEqual(os.listdir(real), ["users.txt"])

    def test_no_regular_file(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        for place in (fifo, self.folder):
            self.fails(1, "no regular file", *QUICK, place, "anna", password="x")
        self.assertTrue(stat.S_ISFIFO(fifo.stat().st_mode))

    def test_no_folder(self):
        self.fails(1, "nowhere", *QUICK, self.folder / "nowhere" / "f", "anna", password="x")

    def test_delete(self):
        for user in ("anna", "bob"):
            self.set(user)
        with self.file.open("a") as file:
            file.write("# the end\n")
        self.ok("-D", self.file, "anna")
        self.assertEqual(users_of(self.file.read_text()), ["bob"])
        self.assertTrue(self.file.read_text().endswith("# the end\n"))
        self.fails(1, "has no user anna", "--delete", self.file, "anna")
        self.fails(1, "has no user", "--delete", self.folder / "missing", "anna")
        self.assert_only_the_file()


class Checking(PasswdCase):
    def test_exit_codes(self):
        self.set("anna")
        self.ok("--check", self.file, "anna", password="secret\n")
        self.fails(1, "not the password of anna", "--check", self.file, "anna", password="x")
        self.fails(1, "has no user bob", "--check", self.file, "bob", password="secret")
        self.fails(2, "cannot be read", "--check", self.folder / "missing", "anna", password="x")
        with self.file.open("a") as file:
            file.write("bob:hunter2\n")
        done = self.fails(2, f"{self.file}:2: ", "--check", self.file, "anna", password="secret")
        self.assertNotIn("hunter2", done.stderr)

    def test_wrong_usage(self):
        given = {"password": "secret"}
        for arguments in ([], [self.file], [self.file, "a:b"], [self.file, "#a"],
                          [self.file, "a\n"],
                          [self.file, "anna", "secret"], ["-b", self.file, "anna"],
                          ["-D", "--check", self.file, "anna"], ["-U", self.file, "anna"],
                          ["--force", self.file, "anna"], ["--kind", "md5", self.file, "anna"],
                          ["-b", "--stdin", self.file, "anna", "x"],
                          ["-D", "-I", "9", self.file, "anna"],
                          ["--iterations", "999", self.file, "anna"],
                          ["--iterations", "10000001", self.file, "anna"],
                          ["--iterations", "-1", self.file, "anna"],
                          ["--kind", "scram", "--iterations", "4095", self.file, "anna"],
                          ["--kind", "argon2id", "--iterations", "100000", self.file, "anna"]):
            with self.subTest(arguments):
                self.assertEqual(passwd(*arguments, **given).returncode, 2)
        self.assertFalse(self.file.exists())

    def test_json(self):
        answer = json.loads(self.ok("--json", *QUICK, self.file, "anna", password="x").stdout)
        self.assertEqual(answer, {"ok": True, "file": str(self.file), "user": "anna",
                                  "action": "set", "created": True, "replaced": False,
                                  "kind": "pbkdf2"})
        answer = json.loads(self.ok("--json", "--check", self.file, "anna", password="x").stdout)
        self.assertEqual((answer["ok"], answer["action"]), (True, "check"))
        failed = passwd("--json", "--check", self.file, "anna", password="y")
        self.assertEqual(json.loads(failed.stdout)["ok"], False)
        answer = json.loads(self.ok("--json", "-D", self.file, "anna").stdout)
        self.assertEqual(answer["action"], "delete")


class Upgrading(PasswdCase):
    def test_plain_text(self):
        self.set("done", "hashed before")
        with self.file.open("a") as file:
            file.write("# plain\nanna:se:cret\nbob:pass word\r\n")
        self.file.chmod(0o640)
        answer = json.loads(self.ok("-U", "--json", *QUICK, self.file).stdout)
        self.assertEqual((answer["hashed"], answer["kept"]), (2, 1))
        for user, password in (("done", "hashed before"), ("anna", "se:cret"),
                               ("bob", "pass word")):
            self.assertTrue(self.right(user, password))
        text = self.file.read_text()
        self.assertNotIn("cret", text)
        self.assertIn("# plain\nanna:", text)
        self.assertEqual(self.mode(), 0o640)
        # Once more changes nothing.
        answer = json.loads(self.ok("--upgrade", "--json", self.file).stdout)
        self.assertEqual((answer["hashed"], answer["kept"]), (0, 3))
        self.assertEqual(self.file.read_text(), text)

    def test_all_or_nothing(self):
        for text, words in (("anna:one\nbob\n", ":2: there is no colon"),
                            ("anna:one\nbob:$7$101$x\n", ":2: the hash has no salt"),
                            ("anna:one\nbob:x\nanna:two\n", "anna is in line 1 already"),
                            ("anna:one\nbob:\n", ":2: the password is empty")):
            self.file.write_text(text)
            self.file.chmod(0o600)
            self.fails(1, words, "-U", *QUICK, self.file)
            self.assertEqual(self.file.read_text(), text)
        self.fails(1, "is not there", "-U", self.folder / "missing")


class Terminal(PasswdCase):
    def start(self, *arguments):
        """A process on a terminal of its own, that terminal's other side, and what it shows."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, theirs)
        process = subprocess.Popen([linnet_binary(), "passwd", *map(str, arguments)], stdin=theirs,
                                   stdout=theirs, stderr=theirs, start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, os.fdopen(ours, "r+b", buffering=0), theirs

    def read_until(self, terminal, words):
        shown = b""
        while words not in shown:
            shown += terminal.read(1)
        return shown

    def echoes(self, terminal):
        return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)

    def test_asks_twice_and_shows_nothing(self):
        process, terminal, theirs = self.start(*QUICK, self.file, "anna")
        with terminal:
            shown = self.read_until(terminal, b"Password of anna: ")
            self.assertFalse(self.echoes(theirs))
            terminal.write(b"secret\n")
            shown += self.read_until(terminal, b"once more: ")
            terminal.write(b"secret\n")
            shown += self.read_until(terminal, b"is in it now")
            self.assertEqual(process.wait(WAIT_S), 0)
            self.assertNotIn(b"secret", shown)
            self.assertTrue(self.echoes(theirs))
        self.assertTrue(self.right("anna", "secret"))

    def test_the_two_differ(self):
        process, terminal, theirs = self.start(*QUICK, self.file, "anna")
        with terminal:
            self.read_until(terminal, b": ")
            terminal.write(b"secret\n")
            self.read_until(terminal, b": ")
            terminal.write(b"sceret\n")
            self.read_until(terminal, b"the two passwords differ")
            self.assertEqual(process.wait(WAIT_S), 1)
            self.assertTrue(self.echoes(theirs))
        self.assertFalse(self.file.exists())

    def test_a_signal_leaves_the_terminal_as_it_was(self):
        process, terminal, theirs = self.start(*QUICK, self.file, "anna")
        with terminal:
            self.read_until(terminal, b": ")
            self.assertFalse(self.echoes(theirs))
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(WAIT_S), -signal.SIGTERM)
            self.assertTrue(self.echoes(theirs))

    def test_check_and_stdin_ask_once(self):
        self.set("anna")
        for option in (["--check"], ["--stdin", *QUICK]):
            process, terminal, _ = self.start(*option, self.file, "anna")
            with terminal:
                self.read_until(terminal, b"Password of anna: ")
                terminal.write(b"secret\n")
                self.assertEqual(process.wait(WAIT_S), 0)
        self.assertTrue(self.right("anna", "secret"))


class Mosquitto(PasswdCase):
    """Files go from one broker to the other."""

    def mosquitto_passwd(self, *arguments):
        subprocess.run(["mosquitto_passwd", *map(str, arguments)], check=True, capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=WAIT_S)

    def test_its_files_are_read(self):
        self.mosquitto_passwd("-c", "-b", self.file, "anna", "secret")
        self.mosquitto_passwd("-b", self.file, "zoë", "pa:ss wörd")
        self.mosquitto_passwd("-H", "sha512", "-b", self.file, "old", "salted")
        self.mosquitto_passwd("-I", "5000", "-b", self.file, "more", "work")
        text = self.file.read_text()
        for start in ("anna:$7$101$", "old:$6$", "more:$7$5000$"):
            self.assertIn("\n" + start, "\n" + text)
        for user, password in (("anna", "secret"), ("zoë", "pa:ss wörd"), ("old", "salted"),
                               ("more", "work")):
            self.assertTrue(self.right(user, password))
            self.assertFalse(self.right(user, password + "x"))

    def test_its_upgrade_is_read(self):
        self.file.write_text("anna:secret\nbob:other\n")
        self.mosquitto_passwd("-U", self.file)
        self.assertTrue(self.right("anna", "secret"))
        self.assertTrue(self.right("bob", "other"))

    def start_broker(self):
        for _ in range(5):
            port = free_port()
            conf = self.folder / "mosquitto.conf"
            conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\nuser root\n"
                            f"password_file {self.file}\n")
            process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", str(conf)],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            log = Log(process.stdout)
            if log.wait_for(" running"):
                return port
            process.kill()
        self.fail(log.text())

    def publish(self, port, user, password):
        return subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-u", user,
                               "-P", password, "-t", "t", "-m", "x"], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=WAIT_S)

    def test_our_files_let_people_in(self):
        self.ok(self.file, "anna", password="secret")
        self.set("zoë", "pa:ss wörd")
        port = self.start_broker()
        for user, password in (("anna", "secret"), ("zoë", "pa:ss wörd")):
            self.assertEqual(self.publish(port, user, password).returncode, 0, user)
            refused = self.publish(port, user, password + "x")
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(b"not authorised", refused.stderr.lower())


if __name__ == "__main__":
    unittest.main()
