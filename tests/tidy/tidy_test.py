"""The numbers and layers that the sources keep. There is no list of exceptions."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import scan  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
FUNCTION_LINES_MAX = 69
FILE_LINES_MAX = 500
LINE_COLUMNS_MAX = 100
PARAMETERS_MAX = 5

# From the ground up; a row may include the rows before it.
ROWS = [
    {"base"},
    {"mqtt", "net", "config"},
    {"tls", "web"},
    {"router", "store", "auth"},
    {"session"},
    {"shard"},
    {"client"},
    {"transport", "control", "hub", "bridge", "cluster", "bench", "pubsub"},
    {"broker"},
    {"cli"},
]
ROW_OF = {room: row for row, rooms in enumerate(ROWS) for room in rooms}

# A dependency's headers, and who may include them.
DOORS = [
    (r"lmdb\.h$", r"src/store/"),
    (r"openssl/", r"src/(tls|auth)/"),
    (r"argon2\.h$", r"src/auth/"),
    (r"boost/beast", r"src/(web|hub)/"),
    (r"toml\+\+/", r"src/config/"),
    (r"spdlog/", r"src/base/log\.cpp$"),
    (r"CLI/", r"src/cli/"),
    (r"seccomp\.h$", r"src/cli/"),
]

# Asio, Beast and spdlog in a header would be in half of all compilations; web's own headers, which
# its other files share, are seen by no other room.
NOT_IN_HEADERS = r"boost/asio|boost/beast|spdlog/"
HEADERS_OF_THEIR_OWN = r"src/web/(?!server\.hpp)"

# Words that have no place in src and include: where they have one, and what to use instead.
NOWHERE = r"$^"
BANNED = [
    (r"\bstd::shared_ptr\b|\bmake_shared\b", r"src/base/log\.cpp$",  # spdlog asks for it
     "one owner: std::unique_ptr or an intrusive count"),
    (r"(?<!\w)(?:std::)?(?:f|s|sn|v|vsn)?printf\s*\(", r"src/base/assert\.cpp$",
     "base/cat.hpp or base/log.hpp"),
    (r"\bstd::endl\b", NOWHERE, "'\\n'"),
    (r"\busing\s+namespace\s+std\s*;", NOWHERE, "names with std::"),
    (r"^\s*enum\s+(?!class\b)\w", NOWHERE, "enum class"),
    (r"^\s*#\s*include\s*<(?:format|expected)>", NOWHERE, "what GCC 12 has"),
]
UNFINISHED = r"\b(?:TODO|FIXME|XXX)\b"


def cpp_files(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp") and "node_modules" not in path.parts:
                yield path


class Tidy(unittest.TestCase):
    maxDiff = None

    def assert_none(self, complaints):
        self.assertEqual("\n".join(complaints), "")

    @classmethod
    def setUpClass(cls):
        cls.files = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
                     for path in cpp_files("src", "include", "tests", "bench")}
        cls.product = {name: text for name, text in cls.files.items()
                       if not name.startswith(("tests/", "bench/"))}

    def test_there_is_something_to_check(self):
        self.assertGreater(len(self.product), 5)

    def test_lengths(self):
        complaints = []
        for name, text in self.files.items():
            lines = text.splitlines()
            if len(lines) > FILE_LINES_MAX:
                complaints.append(f"{name}: {len(lines)} lines, at most {FILE_LINES_MAX}")
            for number, line in enumerate(lines, 1):
                if len(line) > LINE_COLUMNS_MAX:
                    complaints.append(f"{name}:{number}: {len(line)} columns, "
                                      f"at most {LINE_COLUMNS_MAX}")
        self.assert_none(complaints)

    def test_functions(self):
        complaints = []
        for name, text in self.files.items():
            for function in scan.functions(text):
                if function.lines > FUNCTION_LINES_MAX:
                    complaints.append(f"{name}:{function.line}: {function.name}: "
                                      f"{function.lines} lines, at most {FUNCTION_LINES_MAX}")
            for function in scan.parameter_lists(text):
                if function.parameters > PARAMETERS_MAX:
                    complaints.append(f"{name}:{function.line}: {function.name}: "
                                      f"{function.parameters} parameters, at most {PARAMETERS_MAX}")
        self.assert_none(complaints)

    def test_layers(self):
        complaints = []
        for name, text in self.product.items():
            room = name.split("/")[1] if name.startswith("src/") else None
            if room is not None and room not in ROW_OF:
                complaints.append(f"{name}: the room {room} has no row")
                continue
            for number, path in scan.quoted_includes(text):
                target = path.split("/")[0]
                allowed = room is not None and (target == room or (
                    target in ROW_OF and ROW_OF[target] < ROW_OF[room]))
                if not allowed:
                    complaints.append(f"{name}:{number}: must not include \"{path}\"")
        self.assert_none(complaints)

    def test_doors(self):
        complaints = []
        for name, text in self.product.items():
            for number, path in scan.all_includes(text):
                for pattern, door in DOORS:
                    if re.match(pattern, path) and not re.match(door, name):
                        complaints.append(f"{name}:{number}: {path} has its door in {door}")
                own = re.match(HEADERS_OF_THEIR_OWN, name)
                if name.endswith(".hpp") and not own and re.match(NOT_IN_HEADERS, path):
                    complaints.append(f"{name}:{number}: {path} does not belong in a header")
        toml = {name for name, text in self.product.items() if "<toml++/" in text}
        if len(toml) > 1:
            complaints.append(f"toml++ is in more than one file: {sorted(toml)}")
        self.assert_none(complaints)

    def test_headers_are_included_once(self):
        self.assert_none(f"{name}: no #pragma once" for name, text in self.files.items()
                         if name.endswith(".hpp") and "\n#pragma once\n" not in "\n" + text)

    def test_words(self):
        complaints = []
        for name, text in self.files.items():
            for number, line in enumerate(text.splitlines(), 1):
                if re.search(UNFINISHED, line):
                    complaints.append(f"{name}:{number}: unfinished: {line.strip()}")
        for name, text in self.product.items():
            for number, line in enumerate(scan.without_comments(text).splitlines(), 1):
                for pattern, home, instead in BANNED:
                    if re.search(pattern, line) and not re.match(home, name):
                        complaints.append(f"{name}:{number}: {line.strip()}: use {instead}")
        self.assert_none(complaints)


if __name__ == "__main__":
    unittest.main()
