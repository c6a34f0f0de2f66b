"""The scanner of the tidy test finds what it must find."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import scan  # noqa: E402

BODY = "\n".join(["  work();"] * 70)


def longest(text):
    return max((function.lines, function.name) for function in scan.functions(text))


class Functions(unittest.TestCase):
    def test_each_form_of_a_function_is_measured(self):
        forms = {
            "f": "int f(int a) {\nBODY\n}",
            "g": "void Room::g() const noexcept(noexcept(a())) {\nBODY\n}",
            "h": "auto h() -> std::vector<int> {\nBODY\n}",
            "Room": "Room::Room(int a)\n    : a_(a), b_{1, 2}, c_(d(e)) {\nBODY\n}",
            "lambda": "auto x = [this](int a) mutable {\nBODY\n};",
            "operator==": "bool operator==(A a, A b) {\nBODY\n}",
            "~Room": "Room::~Room() {\nBODY\n}",
            "t": "template <class T>\nvoid t(T a) requires std::integral<T> {\nBODY\n}",
            "TEST": "TEST(Suite, Name) {\nBODY\n}",
        }
        for name, text in forms.items():
            with self.subTest(name):
                lines, found = longest(text.replace("BODY", BODY))
                self.assertEqual(found, name)
                self.assertGreater(lines, 69)

    def test_what_is_not_a_function_is_not(self):
        for text in ("struct A {\nBODY\n};", "constexpr std::array kKeys{\nBODY\n};",
                     "namespace a {\nBODY\n}", "if (a) {\nBODY\n}", "enum class A { \nBODY\n};"):
            self.assertEqual([f for f in scan.functions(text.replace("BODY", BODY))
                              if f.lines > 69], [], text)

    def test_braces_in_literals_and_comments_do_not_count(self):
        text = 'void f() {\n  a("}{");  // }\n  b(\'{\', 1\'000);  /* { */ c(R"(} ")");\n}\nint x;\n'
        self.assertEqual([(f.name, f.lines) for f in scan.functions(text)], [("f", 4)])


class ParameterLists(unittest.TestCase):
    def counts(self, text):
        return [found.parameters for found in scan.parameter_lists(text)]

    def test_declarations(self):
        six = "int a, const B& b, std::map<C, D> c, E* e, F f = {1, 2}, G g"
        for text in (f"void f({six});", f"Result<int> Room::f({six}) const {{}}",
                     f"Room::Room({six}) : a_(a) {{}}", f"auto x = []({six}) {{ return 1; }};",
                     f"[[nodiscard]] std::unique_ptr<X> f(\n    {six});"):
            self.assertEqual(self.counts(text), [6], text)

    def test_calls_do_not_count(self):
        for text in ("f(a, b, c, d, e, g);", "return f(a, b, c, d, e, g);",
                     "x.push_back(cat(a, \" b \", c, d, e, g));", "const X x(a, b, c, d, e, f);"):
            self.assertEqual(self.counts(text), [], text)


if __name__ == "__main__":
    unittest.main()
