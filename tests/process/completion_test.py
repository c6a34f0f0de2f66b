"""What the shells offer at Tab, and the manual pages: both follow the options of the binary."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from support.broker import REPOSITORY, WAIT_S, linnet_binary, linnet_only

PACKAGING = REPOSITORY / "packaging"
SCRIPTS = PACKAGING / "completion"


def linnet(*arguments):
    done = subprocess.run([linnet_binary(), *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=WAIT_S)
    return done


def offered(*words):
    """The lines for a command line whose last word is unfinished."""
    done = linnet("complete", "--", *words)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.splitlines()


def words_of(lines):
    return [line.partition("\t")[0] for line in lines]


def help_of(*command):
    """The options and the commands that --help shows, hidden ones left out."""
    text = linnet(*command, "--help").stdout
    options = re.findall(r"^  (?:-\w,)?(--[\w-]+)", text, re.M)
    commands = re.findall(r"^  (\w+)  ", text.partition("Subcommands:\n")[2], re.M)
    return set(options), commands


def all_commands():
    """Every command with words of its own: (), ("cert",), ("cert", "ca") …"""
    waiting, found = [()], []
    while waiting:
        command = waiting.pop()
        found.append(command)
        waiting += [(*command, name) for name in help_of(*command)[1]]
    return found


@linnet_only
class Complete(unittest.TestCase):
    def test_every_option_and_command_is_offered(self):
        commands = all_commands()
        self.assertGreater(len(commands), 15)
        for command in commands:
            with self.subTest(command=command):
                options, parts = help_of(*command)
                self.assertIn("--help", options)
                self.assertLessEqual(options, set(words_of(offered(*command, "--"))))
                self.assertLessEqual(set(parts), set(words_of(offered(*command, ""))))

    def test_what_is_hidden_is_not_offered(self):
        self.assertEqual(offered("check", "--print"), [])
        for name in ("complete", "manual"):
            self.assertNotIn(name, words_of(offered(name[:3])))

    def test_only_what_begins_so_with_its_meaning(self):
        self.assertEqual(offered("ru"), ["run\tServe until SIGTERM or SIGINT"])
        self.assertEqual(words_of(offered("run", "--da")), ["--data-dir"])
        self.assertEqual(offered("run", "--nonsense"), [])
        self.assertEqual(offered("nonsense", "x"), [])

    def test_values(self):
        self.assertEqual(offered("run", "--config", ""), [":files"])
        self.assertEqual(offered("run", "--config", "a", "--data-dir", "x"), [":folders"])
        self.assertEqual(offered("run", "--config=x"), [":files"])
        self.assertEqual(offered("passwd", ""), [":files"])
        self.assertEqual(offered("cert", "show", "a.crt", "b"), [":files"])
        self.assertIn("fanout", offered("bench", ""))
        self.assertEqual(offered("bench", "fanout", "--qos", ""), ["0", "1", "2"])
        self.assertEqual(offered("ban", "add", "192.0.2.1", "x"), [])

    def test_options_end_at_two_dashes(self):
        self.assertEqual(offered("passwd", "--", "-"), [":files"])
        self.assertEqual(offered("passwd", "--", "users.txt", "-"), [])

    def test_an_option_that_falls_through_may_come_late(self):
        self.assertIn("--config", words_of(offered("explain", "publish", "a/b", "--c")))
        self.assertNotIn("--listen", words_of(offered("check", "--")))

    def test_settings(self):
        self.assertEqual(words_of(offered("run", "--set", "limits.qo")), ["limits.qos_max="])
        self.assertEqual(offered("run", "--set", "durability="),
                         [f"durability={word}" for word in ("commit", "interval", "none")])
        self.assertEqual(offered("run", "--set", "seccomp=t"), ["seccomp=true"])
        self.assertEqual(words_of(offered("run", "--set=limits.qo")), ["--set=limits.qos_max="])
        self.assertEqual(offered("run", "--set", "listener."), [])

    def test_no_words_at_all(self):
        self.assertEqual(offered(), [])


class ShellCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="linnet-completion-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "linnet").symlink_to(linnet_binary())
        (self.folder / "my file.toml").touch()
        (self.folder / "my folder").mkdir()

    def run_in(self, *command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=WAIT_S, cwd=self.folder,
                              env={"PATH": f"{self.folder}/bin:/usr/bin:/bin", "TERM": "dumb",
                                   "HOME": str(self.folder), "LC_ALL": "C.UTF-8"})
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout.splitlines()


@linnet_only
class Bash(ShellCase):
    def complete(self, *pieces):
        """The pieces are the words as bash breaks them, also at = and :."""
        array = " ".join(f"'{piece}'" for piece in pieces)
        return self.run_in("bash", "-c", f"""
            compopt() {{ echo "$@"; }}
            source {SCRIPTS}/linnet.bash
            COMP_WORDS=({array}) COMP_CWORD={len(pieces) - 1}
            _linnet
            ((${{#COMPREPLY[@]}} == 0)) || printf '%s\\n' "${{COMPREPLY[@]}}" """)

    def test_commands_and_options(self):
        self.assertEqual(self.complete("linnet", "ru"), ["run"])
        self.assertEqual(self.complete("linnet", "run", "--da"), ["--data-dir"])
        self.assertEqual(self.complete("linnet", "nonsense", "x"), [])

    def test_names_of_files(self):
        self.assertEqual(self.complete("linnet", "check", "--config", "my"),
                         ["-o filenames", "my file.toml", "my folder"])
        self.assertEqual(self.complete("linnet", "run", "--data-dir", "my"),
                         ["-o filenames", "my folder"])
        self.assertEqual(self.complete("linnet", "run", "--data-dir", "=", "my"),
                         ["-o filenames", "my folder"])

    def test_settings(self):
        self.assertEqual(self.complete("linnet", "run", "--set", "limits.qo"),
                         ["-o nospace", "limits.qos_max="])
        self.assertEqual(self.complete("linnet", "run", "--set", "seccomp", "="), ["true", "false"])
        self.assertEqual(self.complete("linnet", "run", "--set", "seccomp", "=", "t"), ["true"])

    def test_words_with_colons_are_one(self):
        self.assertEqual(
            self.complete("linnet", "run", "--listen", "mqtt", ":", "//127.0.0.1", ":", "0", "--da"),
            ["--data-dir"])

    def test_it_is_registered(self):
        self.assertEqual(self.run_in("bash", "-c",
                                     f"source {SCRIPTS}/linnet.bash; complete -p linnet"),
                         ["complete -F _linnet linnet"])


@linnet_only
@unittest.skipUnless(shutil.which("fish"), "fish is not installed")
class Fish(ShellCase):
    def complete(self, line):
        return self.run_in("fish", "--no-config", "-c",
                           f"source {SCRIPTS}/linnet.fish; complete -C '{line}'")

    def test_commands_and_options(self):
        self.assertEqual(self.complete("linnet ru"), ["run\tServe until SIGTERM or SIGINT"])
        self.assertEqual(words_of(self.complete("linnet run --da")), ["--data-dir"])
        self.assertEqual(words_of(self.complete("linnet cert ")),
                         sorted(words_of(offered("cert", ""))))

    def test_names_of_files(self):
        self.assertEqual(words_of(self.complete("linnet check --config my")),
                         ["my file.toml", "my folder/"])
        self.assertEqual(words_of(self.complete("linnet run --data-dir my")), ["my folder/"])

    def test_settings(self):
        self.assertEqual(words_of(self.complete("linnet run --set limits.qo")), ["limits.qos_max="])
        self.assertEqual(words_of(self.complete("linnet run --set seccomp=")),
                         ["seccomp=false", "seccomp=true"])


@linnet_only
@unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
class Zsh(ShellCase):
    def complete(self, *words):
        """With stand-ins for what zsh's completion system has."""
        array = " ".join(f"'{word}'" for word in words)
        return self.run_in("zsh", "-f", "-c", f"""
            _call_program() {{ shift; eval "$@"; }}
            _files() {{ print -r -- files "$@"; }}
            _describe() {{ local name=$4; print -rl -- "${{@:5}}" ${{(P)name}}; }}
            words=({array}) CURRENT={len(words)}
            source {SCRIPTS}/linnet.zsh || echo nothing""")

    def test_commands_and_options(self):
        self.assertEqual(self.complete("linnet", "ru"), ["run:Serve until SIGTERM or SIGINT"])
        line, = self.complete("linnet", "run", "--da")
        self.assertTrue(line.startswith("--data-dir:"), line)
        self.assertEqual(self.complete("linnet", "nonsense", "x"), ["nothing"])

    def test_names_of_files(self):
        self.assertEqual(self.complete("linnet", "check", "--config", "my"), ["files"])
        self.assertEqual(self.complete("linnet", "run", "--data-dir", "my"), ["files -/"])

    def test_settings(self):
        space, none, key = self.complete("linnet", "run", "--set", "limits.qo")
        self.assertEqual((space, none), ("-S", ""))
        self.assertTrue(key.startswith("limits.qos_max=:"), key)
        self.assertEqual(self.complete("linnet", "run", "--set", "seccomp="),
                         ["seccomp=true", "seccomp=false"])


@linnet_only
class Manual(unittest.TestCase):
    def page(self, name):
        return (PACKAGING / "man" / name).read_text()

    def test_pages_are_up_to_date(self):
        for name, part in (("linnet.1", "commands"), ("linnet.toml.5", "keys")):
            with self.subTest(name):
                printed = linnet("manual", part).stdout
                self.assertGreater(len(printed), 1000)
                expected = self.page(f"{name}.in").replace(f'.\\" {part.upper()}\n', printed)
                self.assertEqual(self.page(name), expected, "run ./dev docs")

    def test_every_command_and_option_is_there(self):
        page = self.page("linnet.1").replace("\\-", "-")
        for command in all_commands()[1:]:
            section = page.partition(f'.SS "linnet {" ".join(command)}"\n')[2].partition("\n.S")[0]
            for option in help_of(*command)[0] - {"--help"}:
                self.assertIn(f"\\fB{option}\\fP", section, command)

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_roff_has_no_complaints(self):
        for name in ("linnet.1", "linnet.toml.5"):
            done = subprocess.run(["groff", "-man", "-ww", "-z", "-K", "utf8", "-T", "utf8",
                                   str(PACKAGING / "man" / name)], capture_output=True, text=True,
                                  timeout=WAIT_S)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)

    def test_wrong_usage(self):
        self.assertEqual(linnet("manual", "nonsense").returncode, 2)


if __name__ == "__main__":
    unittest.main()
