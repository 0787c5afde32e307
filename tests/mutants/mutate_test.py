# SPDX-License-Identifier: Apache-2.0
"""Each change and each error of mutate.py, over small texts."""

import os
import sys
import unittest

sys.path.append(
    os.path.join(os.path.dirname(os.path.realpath(__file__)), "../tidy"))
import cases  # noqa: E402
import mutate  # noqa: E402
from mutant import After, Before, Instead, Mutant, Skip, Swap  # noqa: E402

ON = "::trolley::IsMutant(1)"

# (what it shows, the code behind the mark, the change, the code of the copy)
CHANGES = [
    ("Skip", "a();\nb();\n", Skip(), f"if (!{ON}) a();\nb();\n"),
    ("SkipUnless", "a();\n", Skip(unless="b"), f"if (!{ON} || (b)) a();\n"),
    ("Instead", "a();\n", Instead("b();"), f"if ({ON}) {{ b(); }} else a();\n"),
    ("Before", "a();\n", Before("b();"), f"if ({ON}) {{ b(); }} a();\n"),
    ("After", "a();\n", After("b();"), f"a(); if ({ON}) {{ b(); }} \n"),
    ("AfterInABlock", "if (a) {\n  b();\n}\n", After("c();"),
     f"if (a) {{ if ({ON}) {{ c(); }} \n  b();\n}}\n"),
    ("Swap", "a(b);\na(b);\n", Swap("b", "c"),
     f"a(({ON} ? (c) : (b)));\na(b);\n"),
    # Whole words alone, and however the line is broken.
    ("SwapOfAWord", "a(ab, b, bc);\n", Swap("b", "c"),
     f"a(ab, ({ON} ? (c) : (b)), bc);\n"),
    ("SwapOverALineBreak", "a(b +\n  c);\n", Swap("b + c", "d"),
     f"a(({ON} ? (d) : (b +\n  c)));\n"),
]

# (what it shows, the code behind the mark, how much of it is the statement)
STATEMENTS = [
    ("Call", "a(b);\nc();\n", "a(b);"),
    ("OverLines", "a(b,\n  c);\nd();\n", "a(b,\n  c);"),
    ("IfAndReturn", "if (a) return b;\nc();\n", "if (a) return b;"),
    ("IfAndAValue", "if (a) return {.b = c};\nd();\n",
     "if (a) return {.b = c};"),
    ("HeadOfIf", "if (a) {\n  b();\n}\n", "if (a) {"),
    ("HeadOfElse", "} else if (a) {\n  b();\n}\n", "else if (a) {"),
    ("HeadWithAttribute", "if (a)\n    [[unlikely]] {\n  b();\n}\n",
     "if (a)\n    [[unlikely]] {"),
    ("HeadOfFor", "for (a; b; c) {\n  d();\n}\n", "for (a; b; c) {"),
    ("ForWithoutBlock", "for (a; b; c) d();\ne();\n", "for (a; b; c) d();"),
    ("HeadOfAFunction", "int a() const {\n  return b;\n}\n", "int a() const {"),
    ("BlockOfOneLine", "int a() const { return b; }\nint c();\n",
     "int a() const { return b; }"),
    ("Initializer", ": a(b), c{d} {}\n", ": a(b), c{d} {}"),
    ("ValueInBraces", "A a{.b = c,\n    .d = e};\nf();\n",
     "A a{.b = c,\n    .d = e};"),
    ("Lambda", "auto a = [b] {\n  c();\n};\nd();\n", "auto a = [b] {\n  c();\n};"),
    ("LambdaAsArgument", "a([&] {\n  b();\n});\nc();\n",
     "a([&] {\n  b();\n});"),
    ("PartOfAnExpression", "b && c) {\n  d();\n}\n", "b && c"),
    ("LastOfAList", ".a = b};\nc();\n", ".a = b"),
    ("CommentsAndLiterals", "a(';', \"{;\", /* ; */ 1'000);  // ;\nb();\n",
     "a(';', \"{;\", /* ; */ 1'000);"),
]

# (what it shows, the text of a.cc, the change, the sentence of the error)
ERRORS = [
    ("NoMark", "a();\n", Skip(), "no source marks P1_A"),
    ("MarkTwice", "// mutant: P1_A\na();\n// mutant: P1_A\nb();\n", Skip(),
     "a.cc:3: P1_A is marked here and in a.cc:1"),
    ("MarkOfNoTable", "// mutant: P1_A, P1_B\na();\n", Skip(),
     "a.cc:1: no table has P1_B"),
    ("NoMarkAtAll", "// mutant: P1_A P1_B\na();\n", Skip(),
     "a.cc:1: a mark is \"// mutant: NAME, NAME\""),
    ("MarkWithoutName", "// mutant:\na();\n", Skip(), "a.cc:1: a mark is"),
    ("NoStatement", "{\n  // mutant: P1_A\n}\n", Skip(),
     "a.cc:2: no statement follows"),
    ("TokenIsNotThere", "// mutant: P1_A\na();\nb();\n", Swap("b", "c"),
     "a.cc:1: the statement of P1_A has \"b\" 0 times, not once"),
    ("TokenTwice", "// mutant: P1_A\na(b, b);\n", Swap("b", "c"),
     "a.cc:1: the statement of P1_A has \"b\" 2 times, not once"),
]


class MutateTest(unittest.TestCase):

  def change(self, code, change, wrong):
    self.assertEqual(
        mutate.HEADER + "// mutant: P1_A\n" + wrong,
        mutate.mutate([Mutant("P1_A", change, "")],
                      {"a.cc": "// mutant: P1_A\n" + code})["a.cc"])

  # Skip shows where a statement begins, and After where it ends.
  def statement(self, code, statement):
    start = code.index(statement)
    end = start + len(statement)
    self.change(code, Skip(),
                code[:start] + f"if (!{ON}) " + code[start:])
    self.change(code, After("z();"),
                code[:end] + f" if ({ON}) {{ z(); }} " + code[end:])

  def error(self, text, change, sentence):
    with self.assertRaises(ValueError) as caught:
      mutate.mutate([Mutant("P1_A", change, "")], {"a.cc": text})
    self.assertIn(sentence, str(caught.exception))
    self.assertNotIn("\n", str(caught.exception))

  def test_source_without_a_mistake_is_copied_as_it_is(self):
    copies = mutate.mutate(
        [Mutant("P1_A", Skip(), "")],
        {"a.cc": "// mutant: P1_A\na();\n", "b.cc": "// a mutant: or not\n"})
    self.assertEqual("// a mutant: or not\n", copies["b.cc"])

  def test_mutants_of_one_statement(self):
    table = [Mutant("P1_A", Skip(), ""), Mutant("P1_B", Swap("a", "b"), ""),
             Mutant("P1_C", Before("c();"), ""), Mutant("P1_D", After("d();"), "")]
    on = [f"::trolley::IsMutant({number})" for number in range(5)]
    text = "// mutant: P1_A, P1_B\n// mutant: P1_C, P1_D\na();\n"
    copy = mutate.mutate(table, {"a.cc": text})["a.cc"]
    self.assertIn(f"\nif ({on[3]}) {{ c(); }} if (!{on[1]}) "
                  f"({on[2]} ? (b) : (a))(); if ({on[4]}) {{ d(); }} \n", copy)

  def test_two_mutants_of_one_token_are_refused(self):
    table = [Mutant("P1_A", Swap("a + b", "c"), ""),
             Mutant("P1_B", Swap("b", "c"), "")]
    with self.assertRaisesRegex(ValueError, "P1_A and P1_B change the same"):
      mutate.mutate(table, {"a.cc": "// mutant: P1_A, P1_B\nd(a + b);\n"})

  def test_mark_in_two_sources_is_refused(self):
    text = "// mutant: P1_A\na();\n"
    with self.assertRaisesRegex(ValueError, "b.cc:1: .* and in a.cc:1"):
      mutate.mutate([Mutant("P1_A", Skip(), "")], {"a.cc": text, "b.cc": text})

  def test_name_twice_in_the_table_is_refused(self):
    with self.assertRaisesRegex(ValueError, "the table has P1_A twice"):
      mutate.mutate([Mutant("P1_A", Skip(), "")] * 2,
                    {"a.cc": "// mutant: P1_A\na();\n"})


def _add(method, rows):
  for name, *arguments in rows:
    setattr(MutateTest, f"test_{method}_{name}",
            lambda self, a=arguments: getattr(self, method)(*a))


_add("change", CHANGES)
_add("statement", STATEMENTS)
_add("error", ERRORS)

if __name__ == "__main__":
  sys.exit(cases.run(MutateTest))
