"""What docs/access.md and docs/limits.md say: their examples work, and no key is left out."""

import pathlib
import re
import subprocess
import sys
import unittest

from support.broker import REPOSITORY, WAIT_S, Broker, linnet_binary, linnet_only
from support.documents import Walk, blocks, section
from support.users import Folder, publish_as, Service

ACCESS = pathlib.Path(REPOSITORY, "docs", "access.md")
LIMITS = pathlib.Path(REPOSITORY, "docs", "limits.md")


def keys(section_name):
    """The keys of a section, with their defaults."""
    table = subprocess.run([linnet_binary(), "check", "--print-keys-markdown"], text=True,
                           capture_output=True, timeout=WAIT_S, check=True).stdout
    found = re.search(rf"^### `\[{re.escape(section_name)}\]`\n(.*?)(?=^### |\Z)", table,
                      re.M | re.S)[1]
    return re.findall(r"^\| `(\w+)` \| ([^|]*) \|", found, re.M)


@linnet_only
class Access(unittest.TestCase):
    def setUp(self):
        self.text = ACCESS.read_text()

    def test_first_setup(self):
        walk = Walk(self, ACCESS, "First setup").go()
        self.assertEqual(walk.commands, 4)

    def test_tokens(self):
        """From the key to the message, with openssl alone."""
        folder = Folder(self.addCleanup)
        parts = blocks(section(self.text, "From key to message"))
        scripts = ["\n".join(lines) for language, lines in parts if language == "sh"]
        self.assertEqual(len(scripts), 2)

        def run(script, port=0):
            function = f'mosquitto_pub() {{ command mosquitto_pub -p {port} -V 5 "$@"; }}\n'
            done = subprocess.run(["bash", "-e", "-c", function + script], cwd=folder.path,
                                  capture_output=True, text=True, timeout=WAIT_S)
            self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

        run(scripts[0])
        settings = {"auth.jwt.keys": f"{folder.path}/token.pub",
                    "auth.jwt.issuer": "https://id.example", "auth.jwt.audience": "broker"}
        with Broker(1, settings) as broker:
            run(scripts[1], broker.port)
            # What the token's rules do not allow is denied.
            with self.assertRaisesRegex(AssertionError, "Not authorized"):
                run(scripts[1].replace("-t sensors/anna", "-t sensors/bob"), broker.port)

    def test_rules(self):
        """The example of rules, and what `linnet explain` says of it."""
        folder = Folder(self.addCleanup)
        example = next(lines for language, lines in blocks(section(self.text, "An example"))
                       if language == "toml")
        folder.file("linnet.toml", "\n".join(example) + "\n")
        command, *expected = blocks(section(self.text, "Why may it not?"))[0][1]
        words = command.removeprefix("$ linnet ").split()
        done = subprocess.run([linnet_binary(), *words], cwd=folder.path, capture_output=True,
                              text=True, timeout=WAIT_S)
        self.assertEqual(done.stdout.splitlines(), expected)
        self.assertEqual(done.returncode, 1)

    def test_every_file_of_toml_is_one(self):
        """Each example is taken, but for files and users that it names."""
        folder = Folder(self.addCleanup)
        examples = [lines for language, lines in blocks(self.text) if language == "toml"]
        self.assertGreater(len(examples), 9)
        for lines in examples:
            with self.subTest(lines):
                folder.file("linnet.toml", "\n".join(lines) + "\n")
                done = subprocess.run([linnet_binary(), "check", "--config", "linnet.toml"],
                                      cwd=folder.path, capture_output=True, text=True,
                                      timeout=WAIT_S)
                wrong = [line for line in done.stderr.splitlines()
                         if re.match(r"linnet\.toml:", line)
                         and "tls.cert: is missing" not in line]
                self.assertEqual(wrong, [])

    def test_the_service(self):
        """The whole service in Python: its users, and what it says of others."""
        folder = Folder(self.addCleanup)
        parts = blocks(section(self.text, "A whole service in Python"))
        program = "\n".join(next(lines for language, lines in parts if language == "python"))
        user = subprocess.run(
            [sys.executable, "-c", "import getpass\ngetpass.getpass = lambda: 'secret'\n" + program,
             "anna"],
            capture_output=True, text=True, timeout=WAIT_S, check=True).stdout.strip()
        self.assertRegex(user, r'^"anna": "[0-9a-f]{32}:[0-9a-f]+",$')
        names = {}
        exec(program.split("if len(sys.argv)")[0].replace("USERS = {", f"USERS = {{ {user}"), names)
        service = Service(lambda question: (200, names["judge"](question)), self.addCleanup)
        with Broker(1, {"auth.http.url": service.url}) as broker:
            for login, topic, expected in ((("anna", "secret"), "people/anna/x", (0, False)),
                                           (("anna", "secret"), "people/bob/x", (0, True)),
                                           (("anna", "wrong"), "t", (0x86, True)),
                                           (("bob", "secret"), "t", (0x86, True))):
                done = publish_as(broker, *login, version=5, topic=topic)
                self.assertEqual(done.returncode, expected[0], done.stderr)
                if not expected[0]:
                    self.assertEqual("Not authorized" in done.stderr, expected[1], topic)


class Links(unittest.TestCase):
    def test_they_lead_somewhere(self):
        """Files and headings."""
        def anchors(path):
            titles = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
            return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}

        count = 0
        for page in (*ACCESS.parent.glob("*.md"), ACCESS.parents[1] / "README.md"):
            for path, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", page.read_text()):
                target = page.parent / path if path else page
                with self.subTest(page=page.name, path=path, anchor=anchor):
                    self.assertTrue(target.exists())
                    self.assertTrue(not anchor or anchor in anchors(target))
                count += 1
        self.assertGreater(count, 50)


@linnet_only
class Limits(unittest.TestCase):
    def test_every_limit_stands_there_with_its_default(self):
        text = LIMITS.read_text()
        shown = dict(re.findall(r"^\| `([\w.]+)`[^|]*\| ([^|]*?) \|", text, re.M))
        missing = [key for key, default in keys("limits")
                   if not shown.get(key, "").startswith(default)]
        self.assertEqual(missing, [])
        for part in ("rates", "rates.client", "rates.user", "rates.address"):
            missing = [key for key, default in keys(part) if shown.get(key) != default]
            self.assertEqual(missing, [], part)
        for part in ("auth.ban", "auth.http"):
            missing = [key for key, default in keys(part)
                       if default[1:2].isdigit() or default[2:3].isdigit()
                       if shown.get(f"{part}.{key}") != default]
            self.assertEqual(missing, [], part)


if __name__ == "__main__":
    unittest.main()
