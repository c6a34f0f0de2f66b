"""A rough reader of C++: comments, includes, functions and their parameters. It does not parse; it
counts braces and brackets in text whose comments and literals are blanked."""

import collections
import re

Function = collections.namedtuple("Function", "name line lines")
Parameters = collections.namedtuple("Parameters", "name line parameters")

TOKENS = re.compile(
    r"""//[^\n]*|/\*.*?\*/"""
    r"""|(?:u8|u|U|L)?R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)\""""
    r"""|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])*'""", re.DOTALL)

NOT_FUNCTIONS = {"if", "for", "while", "switch", "catch", "return", "sizeof", "decltype", "alignof",
                 "noexcept", "requires", "static_assert", "constexpr", "alignas", "defined",
                 "co_return", "co_await", "throw", "new", "delete", "and", "or", "not"}

# What may stand between the parameters and the body of a function, but for noexcept(...).
QUALIFIERS = re.compile(r"(?:\s|const\b|override\b|final\b|mutable\b|noexcept\b(?!\s*\()|&"
                        r"|->[^{};=]*|requires\b[^{};]*)*")
NOEXCEPT = re.compile(r"noexcept\s*(?=\()")


def _blank(text):
    """As long as the text, with the same lines."""
    return re.sub(r"[^\n]", " ", text)


def _replace(text, keep_literals):
    def one(match):
        found = match.group(0)
        if found.startswith(("//", "/*")):
            return _blank(found)
        if keep_literals:
            return found
        # A literal stays something, so that an argument that is one still counts.
        return "0" + _blank(found)[1:] if len(found) > 1 else found
    return TOKENS.sub(one, text)


def without_comments(text):
    return _replace(text, keep_literals=True)


def _blanked(text):
    """No comments, no literals, no preprocessor lines."""
    text = _replace(text, keep_literals=False)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: _blank(m.group(0)), text,
                  flags=re.MULTILINE)


def all_includes(text):
    """(line, path) of each #include."""
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        found = re.match(r"\s*#\s*include\s*[<\"]([^>\"]+)[>\"]", line)
        if found:
            yield number, found.group(1)


def quoted_includes(text):
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        found = re.match(r"\s*#\s*include\s*\"([^\"]+)\"", line)
        if found:
            yield number, found.group(1)


def _match_close(text, start):
    """The place of the bracket that closes the one at start, or the end of the text."""
    opening = text[start]
    closing = {"(": ")", "{": "}", "[": "]"}[opening]
    depth = 0
    for found in re.compile(f"[{re.escape(opening + closing)}]").finditer(text, start):
        depth += 1 if found.group(0) == opening else -1
        if depth == 0:
            return found.start()
    return len(text)


def _skip_qualifiers(text, place):
    while True:
        place = QUALIFIERS.match(text, place).end()
        found = NOEXCEPT.match(text, place)
        if not found:
            return place
        place = _match_close(text, found.end()) + 1


def _skip_initializers(text, place):
    """Behind the members that a constructor initializes: at its body's brace."""
    while True:
        found = re.compile(r"\s*[:,]?\s*[\w:]+(?:<[^;{}()]*>)?\s*(?:\.\.\.)?\s*([({])").match(
            text, place)
        if not found:
            return place
        place = _match_close(text, found.start(1)) + 1
        behind = re.compile(r"\s*(?:\.\.\.)?\s*([,{])").match(text, place)
        if not behind:
            return place
        place = behind.start(1)
        if text[place] == "{":
            return place


def _candidates(text):
    """(name, opening, closing) of all that looks like name(...)."""
    for found in re.finditer(r"([\w~]+|operator\s*[^\s\w(]+|operator\s*\(\s*\)|\])\s*(\()", text):
        name = found.group(1)
        if name in NOT_FUNCTIONS:
            continue
        yield name, found.start(2), _match_close(text, found.start(2))


def functions(text):
    """Every function and lambda with a body: from the line of its name to that of its last brace."""
    text = _blanked(text)
    for name, opening, closing in _candidates(text):
        place = _skip_qualifiers(text, closing + 1)
        if text[place:place + 1] == ":" and text[place:place + 2] != "::":
            place = _skip_initializers(text, place)
        if text[place:place + 1] != "{":
            continue
        first = text.count("\n", 0, opening) + 1
        last = text.count("\n", 0, _match_close(text, place)) + 1
        yield Function("lambda" if name == "]" else name, first, last - first + 1)


def _split_parameters(inside):
    """How many parameters there are; commas within brackets do not count."""
    depth, count = 0, 1
    for character in inside.replace("->", "  "):
        if character in "(<[{":
            depth += 1
        elif character in ")>]}":
            depth -= 1
        elif character == "," and depth == 0:
            count += 1
    return count if inside.strip() else 0


def _declares(text, name, opening, inside):
    """Whether name(inside) declares: a type stands before the name, and each parameter has one."""
    if name == "]":
        return True
    before = text[max(0, opening - 200):opening]
    before = before[:before.rfind(name)] if name in before else before
    typed = re.search(r"(?:[\w>\]&*]\s+|[&*>]\s*)(?:[\w<>]+::)*$", before)
    keyword = re.search(r"\b(?:return|co_return|co_await|throw|case|else|new)\s+(?:\w+::)*$", before)
    first = inside.split(",")[0].strip()
    looks_typed = re.match(r"(?:const\s+)?[\w:]+(?:<.*)?(?:\s*[&*]+\s*|\s+)\w+", first)
    # Constructors have no type before them; what they are called with has none within.
    constructor = name[:1].isupper() and re.search(r"(?:^|[;{}:])\s*(?:explicit\s+|constexpr\s+)*"
                                                   r"(?:\w+::)*$", before)
    return bool(looks_typed and not keyword and (typed or constructor))


def parameter_lists(text):
    """Every declaration and definition of a function, and every lambda."""
    text = _blanked(text)
    for name, opening, closing in _candidates(text):
        inside = text[opening + 1:closing]
        count = _split_parameters(inside)
        if count > 1 and _declares(text, name, opening, inside):
            yield Parameters("lambda" if name == "]" else name, text.count("\n", 0, opening) + 1,
                             count)
