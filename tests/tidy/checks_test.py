#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each check must find the fault in a bad sample, and none in a good one.

Words the checks ban everywhere are written in two halves here.
"""

import os
import sys
import tempfile
import unittest

import cases
import check_code
import check_files
import check_format
import check_layers
import check_mutants
import check_options
import check_promises
import check_public_labels
import check_rooms
import check_times
import check_verbs
import check_words
from tree import Tree, code_of

SPDX = "// SPDX-License-Identifier: " + "Apache-2.0\n"


class ChecksTest(unittest.TestCase):

  def catches(self, check, path, text, **others):
    tree = Tree({path: text, **others})
    self.assertEqual(1, len(check(tree)), check(tree))

  def allows(self, check, path, text, **others):
    self.assertEqual([], check(Tree({path: text, **others})))

  def test_comments_and_literals_are_not_code(self):
    text = 'a(); // b()\n/* c()\n */ d("e()"); f(\'"\'); R"x(g())x"; 1\'000;'
    code = code_of(text)
    for name in "bceg":
      self.assertNotIn(name + "(", code)
    for name in "adf":
      self.assertIn(name + "(", code)
    self.assertEqual(text.count("\n"), code.count("\n"))

  def test_layers(self):
    check = check_layers.includes_follow_the_layers
    self.catches(check, "poller/a.h", '#include "trolley/bus/loop/loop.h"\n')
    self.catches(check, "bus/a.cc", '#include "trolley/actors/actor.h"\n')
    self.catches(check, "bus/a.cc", '#include "trolley/proto/frame.h"\n')
    self.catches(check, "proto/a.cc", '#include "trolley/poller/event.h"\n')
    self.catches(check, "actors/a.h", '#include "trolley/tests/bus/x.h"\n')
    self.catches(check, "tools/a.cc", '#  include <trolley/tests/x.h>\n')
    self.allows(check, "bus/a.cc", '#include "trolley/poller/event.h"\n')
    self.allows(check, "tests/a.cc", '#include "trolley/actors/actor.h"\n')

  def test_core(self):
    check = check_layers.core_includes_abseil_alone
    self.catches(check, "bus/a.h", "#include <google/protobuf/message.h>\n")
    self.catches(check, "poller/a.h", "#include <grpcpp/grpcpp.h>\n")
    self.allows(check, "actors/a.h", "#include <grpcpp/grpcpp.h>\n")
    self.allows(check, "bus/a.h", '#include "absl/time/time.h"\n')

  def test_public_paths(self):
    check = check_layers.own_headers_are_included_by_public_path
    header = {"bus/b.h": ""}
    self.catches(check, "bus/a.h", '#include "b.h"\n', **header)
    self.catches(check, "bus/a.h", '#include "bus/b.h"\n', **header)
    self.catches(check, "tests/a.cc", '#include "../bus/b.h"\n', **header)
    self.allows(check, "bus/a.h", '#include "trolley/bus/b.h"\n', **header)
    self.allows(check, "tests/a.cc", '#include "b.h"\n', **{"tests/b.h": ""})

  def test_rooms(self):
    check = check_rooms.users_include_public_headers
    inside = '#include "trolley/bus/loop/loop.h"\n'
    self.catches(check, "actors/unix/a.cc", inside)
    self.catches(check, "actors/grpc/internal/a.h", inside)
    self.catches(check, "examples/x/a.cc", inside)
    self.catches(check, "tools/trolley/a.cc",
                 '#include "trolley/actors/internal/handler.h"\n')
    self.catches(check, "tools/trolley/a.cc",
                 '#include "trolley/bus/thread/monitor.h"\n')
    self.catches(check, "examples/x/a.cc", '#include "trolley/proto/frame.h"\n')
    self.allows(check, "actors/unix/a.cc",
                '#include "trolley/bus/thread/monitor.h"\n'
                '#include "trolley/actors/link/internal/x.h"\n'
                '#include "trolley/proto/frame.h"\n'
                '#include "trolley/bus/address.h"\n')
    self.allows(check, "actors/actor.cc", inside)
    self.allows(check, "tools/trolley/a.cc",
                '#include "trolley/proto/control.pb.h"\n'
                '#include "trolley/tools/trolley/b.h"\n')

  def test_namespaces(self):
    check = check_rooms.names_stand_where_they_belong
    public = "namespace trolley {\nclass A {\n};\n}  // namespace trolley\n"
    internal = public.replace("trolley", "trolley::internal")
    self.catches(check, "bus/loop/a.h", public)
    self.catches(check, "actors/grpc/internal/a.h",
                 public.replace("trolley", "trolley::control"))
    self.catches(check, "actors/unix/a.h", internal)
    self.allows(check, "bus/loop/a.h", internal)
    self.allows(check, "bus/a.h", public)
    self.allows(check, "bus/a.h", public + internal)

  def test_internal_names(self):
    check = check_rooms.users_name_no_internals
    cell = {"bus/mailbox/cell.h": "struct Cell {\n};\n",
            "actors/link/internal/x.h": "class X {\n};\n"}
    self.catches(check, "actors/unix/a.cc", "internal::Cell* c;\n", **cell)
    self.catches(check, "examples/x/a.cc", "trolley::internal::Cell c;\n",
                 **cell)
    self.allows(check, "actors/unix/a.cc", "internal::X x;\n", **cell)
    self.allows(check, "actors/actor.cc", "internal::Cell* c;\n", **cell)
    self.allows(check, "tests/a.cc", "internal::Cell* c;\n", **cell)

  def test_befriended_by_its_full_name(self):
    self.catches(
        check_rooms.units_need_each_other_one_way, "bus/a.h",
        '#include "trolley/bus/b.h"\nnamespace internal {\nclass A {\n};\n}\n',
        **{"bus/b.h": "class B {\n  friend class internal::A;\n};\n"})

  def test_cycles(self):
    check = check_rooms.units_need_each_other_one_way
    b = {"bus/b.h": "class B {\n};\n"}
    needs_b = '#include "trolley/bus/b.h"\n'
    # By include, by forward declaration, and by friend.
    self.catches(check, "bus/a.h", needs_b,
                 **{"bus/b.h": '#include "trolley/bus/a.h"\n'})
    self.catches(check, "bus/a.h", needs_b + "class A {\n};\n",
                 **{"bus/b.h": "class A;\nclass B {\n};\n"})
    self.catches(check, "bus/a.h", needs_b + "class A final : X {\n};\n",
                 **{"bus/b.h": "class B {\n  friend class A;\n};\n"})
    # A .cc belongs to its header.
    self.catches(check, "bus/a.cc", needs_b,
                 **{"bus/b.h": '#include "trolley/bus/a.h"\n', "bus/a.h": ""})
    # Three in a circle are one problem.
    self.catches(check, "bus/a.h", needs_b,
                 **{"bus/b.h": '#include "trolley/bus/c.h"\n',
                    "bus/c.h": '#include "trolley/bus/a.h"\n'})
    self.allows(check, "bus/a.h", needs_b, **b)
    self.allows(check, "bus/a.h", needs_b + "// class A;\n",
                **{"bus/b.h": "// friend class A;\n"})

  def test_a_pair_that_is_none_is_taken_out(self):
    check = check_rooms.units_need_each_other_one_way
    a, b = sorted(check_rooms.PAIRS)[0]
    self.catches(check, a + ".h", "", **{b + ".h": ""})

  def test_layers_by_name(self):
    check = check_rooms.the_bus_knows_no_actors
    ref = {"actors/ref.h": "template <typename A>\nclass Ref {\n};\n"}
    self.catches(check, "bus/a.h", "template <typename A>\nclass Ref;\n", **ref)
    self.catches(check, "bus/a.h", "class X {\n  friend class Ref;\n};\n",
                 **ref)
    self.allows(check, "actors/a.h", "class Ref;\n", **ref)
    remote = {"actors/remote.h":
              "template <typename... M>\nclass Remote<P<M...>> : X {\n};\n"}
    self.catches(check, "bus/a.h", "class X {\n  friend class Remote;\n};\n",
                 **remote)

  def test_page_of_headers(self):
    check = check_rooms.public_headers_have_a_page
    header = {"bus/a.h": ""}
    row = "| `trolley/bus/a.h` | what it is for |\n"
    self.catches(check, "docs/headers.md", "", **header)
    self.catches(check, "docs/headers.md", row + row, **header)
    self.catches(check, "docs/headers.md", row)
    self.catches(check, "docs/headers.md", "| `trolley/bus/a.h` | |\n", **header)
    self.catches(check, "docs/headers.md", row,
                 **{"bus/a.h": "", "actors/unix/b.h": ""})
    self.catches(check, "README.md", "", **header)
    self.allows(check, "docs/headers.md", row,
                **{"bus/a.h": "", "bus/loop/b.h": "", "proto/c.h": ""})

  def test_words(self):
    check = check_words.words_are_those_of_the_page
    page = ("| word | meaning | in the code |\n| --- | --- | --- |\n"
            "| loop | a thread | `Loop` |\n\n"
            "| not | but |\n| --- | --- |\n| `Port` | `Loop` |\n")
    code = {"bus/a.h": "class Loop {};"}
    self.catches(check, "docs/architecture.md", page,
                 **{"bus/a.h": "class Loop {};\nclass Port {};"})
    self.catches(check, "docs/architecture.md",
                 page.replace("a thread | `Loop`", "a thread | loop"), **code)
    self.catches(check, "docs/architecture.md",
                 page.replace("a thread | `Loop`", "a thread | `Ring`"), **code)
    self.catches(check, "docs/architecture.md",
                 page.replace("`Port` | `Loop`", "`Port` | `Ring`"), **code)
    self.catches(check, "docs/architecture.md", "", **code)
    self.allows(check, "docs/architecture.md", page,
                **{"bus/a.h": "class Loop {};  // no Port"})

  def test_options_at_their_extremes(self):
    name = "bus/a.h AOptions"

    def check(no_numbers=(), covered_by=()):
      return lambda tree: check_options.options_are_tested_at_their_extremes(
          tree, dict(no_numbers), dict(covered_by))

    struct = "struct AOptions {\n  uint32_t most = 1;\n};\n"
    tried = {"tests/a_test.cc": "AtExtremes<AOptions>(each, use);\n"}
    other = {"tests/b_test.cc": "AtExtremes<\n    x::BOptions>(each, use);\n"}
    self.allows(check(), "bus/a.h", struct, **tried)
    self.allows(check(), "bus/a.h", "struct AOptions;\n")
    self.allows(check(), "bus/a.cc", struct)
    self.catches(check(), "bus/a.h", struct)
    self.catches(check(), "proto/a.h", struct)
    self.catches(check(), "tests/poller/a.h", struct)
    self.catches(check(), "bus/a.h", struct.replace(" {", " : BOptions {"),
                 **other)
    # The use in a comment is none.
    self.catches(check(), "bus/a.h", struct,
                 **{"tests/a_test.cc": "// " + tried["tests/a_test.cc"]})
    # Rows of the tables, and stale ones.
    no_number = struct.replace("uint32_t most = 1", "std::string name")
    no_numbers = check(no_numbers={name: "a name"})
    self.allows(no_numbers, "bus/a.h", no_number)
    for number in ("size_t most = 1;", "int most;", "bool all = {};",
                   "double share = .5;", "std::size_t most{1};"):
      self.catches(no_numbers, "bus/a.h",
                   struct.replace("uint32_t most = 1;", number))
    self.catches(no_numbers, "bus/a.h", no_number, **tried)
    self.catches(no_numbers, "bus/a.h", "")
    covered = check(covered_by={name: "BOptions"})
    self.allows(covered, "bus/a.h", struct, **other)
    self.catches(covered, "bus/a.h", struct)
    self.catches(covered, "bus/a.h", struct, **other, **tried)
    self.catches(covered, "bus/a.h", "", **other)

  def test_fences(self):
    check = check_code.fences_are_banned
    self.catches(check, "tests/a.cc", "std::atomic_thread_fence(x);")
    self.allows(check, "bus/a.h", "// no atomic_thread_fence here")

  def test_memory_orders(self):
    check = check_code.weak_memory_orders_have_few_homes
    weak = "x.load(std::memory_order_relaxed);"
    self.catches(check, "bus/a.h", weak)
    self.catches(check, "poller/a.cc", "x.load(std::memory_order::acquire);")
    self.allows(check, "bus/crossing/handoff.h", weak)
    self.allows(check, "bus/a.h", "x.load(std::memory_order_seq_cst);")
    self.allows(check, "tests/a.cc", weak)

  def test_sleeps(self):
    check = check_code.tests_do_not_sleep
    for call in ("sleep(1)", "::usleep (5)", "absl::SleepFor(d)",
                 "std::this_thread::sleep_for(1ms)", "nanosleep(&t, 0)"):
      self.catches(check, "tests/a_test.cc", f"f(); {call};")
    self.catches(check, "tests/a.sh", "while x; do sleep 1; done\n")
    self.catches(check, "tests/a.sh", "sleep 0.1\n")
    for path in check_code.MAY_SLEEP:
      self.allows(check, path, "nanosleep(&t, 0);")
    self.allows(check, "tests/a.sh", "# sleep 1\necho to sleep soundly\n")
    self.allows(check, "tests/a.cc", "FallAsleep(); oversleep(1); // sleep(1)")

  def test_spins(self):
    check = check_code.tests_do_not_spin
    for wait in ("while (!done) {\n}", "while (!done);", "while (a.load() < 3) {}",
                 "while (Ask(Get{}, 1)->open > 0) {\n  // soon\n}",
                 "while (!done) std::this_thread::yield();",
                 "while (!done) {\n  std::this_thread::yield();\n}",
                 "for (int i = 0; i < 9 && !done; ++i) {\n"
                 "  std::this_thread::yield();\n}",
                 "f();\nwhile (loop.RunOnce()) {\n}"):
      self.catches(check, "tests/a_test.cc", wait)
      self.allows(check, "tests/bench/a.cc", wait)
      self.allows(check, "bus/a.cc", wait)
    for path in check_code.MAY_SPIN:
      self.allows(check, path, "while (!done) {\n}")
    for loop in ("while (read(fd, &byte, 1) > 0) {\n}", "while (!a) Turn();",
                 "for (int i = 0; i < 9; ++i) Turn();",
                 "while (!x.compare_exchange_weak(a, b)) {\n}",
                 "do {\n  f();\n} while (!done);", "// while (!done) {}"):
      self.allows(check, "tests/a_test.cc", loop)

  def test_skips(self):
    check = check_code.skips_give_a_reason
    self.catches(check, "tests/a.cc", "GTEST_SKIP();")
    self.catches(check, "tests/a.cc", 'GTEST_SKIP() << "";')
    self.allows(check, "tests/a.cc", 'GTEST_SKIP() << "no io_uring";')
    self.allows(check, "tests/a.cc", "GTEST_SKIP()\n    << why.message();")

  def test_system_calls(self):
    check = check_code.system_calls_live_in_the_poller
    for call in ("::read(fd, b, n)", "::close (fd)", "x = ::socket(1, 2, 3)",
                 "epoll_ctl(a, b, c, d)", "fork()", "::io_uring_enter(1)"):
      self.catches(check, "bus/a.cc", f"{{ {call}; }}")
    self.catches(check, "poller/a.h", "{ ::write(fd, b, n); }")
    self.allows(check, "poller/a.cc", "::read(fd, b, n);")
    self.allows(check, "actors/child/internal/start_process.cc",
                "::clone(f, s, 0, a);")
    self.allows(check, "tests/a.cc", "::read(fd, b, n);")
    self.allows(check, "bus/a.cc", "File::read(b); f.read(b); p->close(); "
                "// ::read(fd)\nsys->recvmsg(fd); Sys::accept4(fd); stat(a);")

  def test_waits(self):
    check = check_code.waits_follow_the_monotonic_clock
    for wait in ("done.WaitForNotificationWithTimeout(d)",
                 "m.AwaitWithDeadline(c, t)", "v->WaitWithTimeout(&m, d)",
                 "absl::SleepFor(d)", "v.wait_for(l, d)", "v.wait_until(l, t)",
                 "t = std::chrono::system_clock::now()", "grpc::Alarm a;",
                 "t = absl::Now()", "clock_gettime(CLOCK_REALTIME, &t)"):
      self.catches(check, "actors/a.h", f"{{ {wait}; }}")
      self.catches(check, "examples/a/b.cc", f"{{ {wait}; }}")
      self.allows(check, "tests/a.cc", f"{{ {wait}; }}")
      self.allows(check, "bus/a.h", f"// {wait}")
    self.allows(check, "bus/thread/monitor.h", "v.wait_until(l, t);")
    self.allows(check, "poller/a.h", "int Enter(unsigned wait_for);")
    self.allows(check, "actors/grpc/internal/control_state.cc", "start(absl::Now())")
    self.allows(check, "bus/a.cc", "done.WaitForNotification(); latch.Wait(d);")

  def test_times(self):
    check = check_times.times_are_tested_at_their_ends
    header = ("class A {\n public:\n  void Wait(int n, absl::Duration limit);\n"
              "  void Look(Instant at) override;\n private:\n"
              "  Instant at_;\n};\n"
              "struct B {\n  absl::Duration pause = absl::Seconds(1);\n"
              "  static constexpr absl::Duration kMost = absl::Hours(1);\n};\n"
              "inline void F() {\n  const Instant now = Now();\n}\n")
    wait = 'ForEachExtreme("bus/a.h A_", [] {});'.replace("A_", "Wait(limit)")
    pause = 'ForEachExtreme(\n    "bus/a.h "\n    "B::pause",\n    f);'
    both = {"tests/a.cc": wait + pause}
    self.allows(check, "bus/a.h", header, **both)
    self.catches(check, "bus/a.h", header, **{"tests/a.cc": wait})
    self.catches(check, "bus/a.h", header, **{"tests/a.cc": pause})
    # What a test names is there.
    self.catches(check, "bus/a.h", header,
                 **{"tests/a.cc": wait + pause +
                    'ForEachExtreme("bus/a.h B::gone", f);'})
    proto = ("message A {\n  google.protobuf.Duration rest = 1;\n"
             "  int64 count = 2;\n}\n")
    self.catches(check, "proto/a.proto", proto)
    self.catches(check, "proto/a.proto", "message A { }\nmessage B {\n"
                 "  // in all\n  int64 left_ns = 3;\n}\n")
    self.allows(check, "proto/a.proto", proto, **{
        "tests/a.cc": 'ForEachExtreme("proto/a.proto A.rest", f);'})
    self.catches(check, "tools/trolley/a.cc", 'GetDuration("pause", x);')

  def test_mutants(self):
    check = check_mutants.marks_and_tables_match
    mark = "// mutant: P1_A, P1_B\nf();\n"
    table = 'MUTANTS = [\n    Mutant(\n        "P1_A", Skip(), ""),\n'
    table += '    Mutant("P1_B", Skip(), ""),\n]\n'
    rows = {"tests/bus/mutants/table.py": table}
    self.allows(check, "bus/a.cc", mark, **rows)
    self.catches(check, "bus/a.cc", mark + "  // mutant: P1_C\n", **rows)
    self.catches(check, "bus/a.cc", mark + "  // mutant: P1_B\n", **rows)
    self.catches(check, "bus/a.cc", "// mutant: P1_A\nf();\n", **rows)
    rows["tests/links/mutants/other_table.py"] = 'Mutant("P1_A", Skip(), ""),'
    self.catches(check, "bus/a.cc", mark, **rows)

  def test_verbs(self):
    check = check_verbs.verbs_have_rows
    header = ("class Actor : public B {\n protected:\n"
              "  // Ends it.\n  void Stop();\n"
              "  template <typename F>\n"
              "  void Run(F f) {\n    helper(f);\n  }\n"
              " private:\n  void Hidden();\n};\n")
    table = "tests/bus/verbs_test.cc"
    self.allows(check, "actors/actor.h", header,
                **{table: "p.Stop(); p.Run<F>(f);"})
    self.catches(check, "actors/actor.h", header, **{table: "p.Stop();"})
    self.catches(check, "actors/actor.h", header, **{table: "p.Run(f);"})

  def test_license(self):
    check = check_files.sources_name_their_license
    self.catches(check, "bus/a.h", "// a header\n")
    self.catches(check, "tools/run", "#!/bin/sh\n")
    self.catches(check, "bus/BUILD.bazel", "x()\n")
    self.allows(check, "bus/a.h", SPDX)
    self.allows(check, "tools/run", "#!/bin/sh\n" + SPDX)
    self.allows(check, "README.md", "# Trolleybus\n")

  def test_guards(self):
    check = check_files.include_guards_follow_the_path
    good = ("#ifndef TROLLEY_BUS_A_B_H_\n#define TROLLEY_BUS_A_B_H_\n"
            "#endif  // TROLLEY_BUS_A_B_H_\n")
    self.catches(check, "bus/a_b.h", good.replace("A_B", "AB"))
    self.catches(check, "bus/a_b.h", "#pragma once\n")
    self.catches(check, "bus/a_b.h", good + "int after;\n")
    self.allows(check, "bus/a_b.h", good)
    self.allows(check, "bus/a/b.h", good)

  def test_header_size(self):
    check = check_files.headers_fit_in_the_head
    self.catches(check, "bus/a.h", "\n" * 251)
    self.allows(check, "bus/a.h", "\n" * 250)
    self.allows(check, "bus/a.cc", "\n" * 251)

  def test_todos(self):
    check = check_files.todos_name_an_issue
    self.catches(check, "bus/a.h", "// TO" + "DO: later\n")
    self.catches(check, "bus/a.h", "// TO" + "DO(me): later\n")
    self.catches(check, "bus/a.h", "// FIX" + "ME\n")
    self.allows(check, "bus/a.h", "// TO" + "DO(#12): later\n")

  def test_machine_paths(self):
    check = check_files.no_path_of_one_machine
    for folder in ("work", "root", "home"):
      self.catches(check, "docs/a.md", f"see /{folder}" + "/notes.txt")
    self.allows(check, "docs/a.md", "$HOME/x, a/work/b, ~/root/x, /tmp/x")

  def test_public_labels(self):
    check = check_public_labels.public_labels_are_tried_from_outside
    alias = ('alias(\n    name = "a",\n    visibility = '
             '["//visibility:public"],\n)\n')
    row = 'PUBLIC_LABELS = {\n    "a": ["trolley/bus/a.h"],\n}\n'
    good = {check_public_labels.TABLE: row,
            check_public_labels.USES + "a.cc": ""}
    self.allows(check, "BUILD.bazel", alias, **good)
    self.allows(check, "BUILD.bazel", alias + alias.replace(
        '"a"', '"b"').replace("public", "private"), **good)
    self.catches(check, "BUILD.bazel", alias, **{check_public_labels.TABLE: row})
    self.catches(check, "BUILD.bazel", "", **good)
    both = alias + alias.replace('"a"', '"b"')
    self.catches(check, "BUILD.bazel", both, **good)

  def test_public_headers(self):
    check = check_public_labels.public_headers_are_listed
    table = {check_public_labels.TABLE:
             'PUBLIC_LABELS = {\n    "a": ["trolley/bus/a.h"],\n}\n'}
    there = {**table, "bus/a.h": ""}
    self.allows(check, "README.md", '#include "trolley/bus/a.h"', **there)
    self.allows(check, "tests/a.cc", '#include "trolley/bus/b.h"', **there)
    self.catches(check, "README.md", '#include "trolley/bus/b.h"', **there)
    self.catches(check, "examples/a.cc", '#include "trolley/bus/b.h"', **there)
    self.catches(check, "README.md", "", **table)

  def test_comments_fit(self):
    check = check_format.comments_fit
    self.catches(check, "bus/a.h", "int x;  // " + "x" * 70 + "\n")
    self.allows(check, "bus/a.h", "int x;  // " + "x" * 69 + "\n")

  def test_format(self):
    if not check_format.formatter_is_there():
      self.skipTest(f"there is no {check_format.FORMATTER} here")
    with tempfile.TemporaryDirectory() as root:
      files = {"good.cc": "int x;\n", "bad.cc": "int  x ;\n",
               ".clang-format": "BasedOnStyle: Google\n"}
      for name, text in files.items():
        with open(os.path.join(root, name), "w", encoding="utf-8") as file:
          file.write(text)
      found = check_format.files_are_formatted(Tree(files, root))
    self.assertEqual(1, len(found), found)
    self.assertIn("bad.cc:1:", found[0])

  def test_promises(self):
    check = check_promises.promises_and_tests_match
    doc = {"docs/guarantees.md": "P1. Order.\nP12. Ends.\n"}
    test = "TEST(A, P1_Order) {}\nTEST_F(B, P12_Ends) {}\n"
    self.allows(check, "tests/a.cc", test, **doc)
    self.catches(check, "tests/a.cc", test.replace("P12", "Q"), **doc)
    self.catches(check, "tests/a.cc", test + "TEST_P(C, P2_X) {}", **doc)
    script = {"tests/model/run.sh": "echo P12_Ends\n"}
    self.allows(check, "tests/a.cc", "TEST(A, P1_O) {}", **doc, **script)
    self.assertTrue(check_promises.promises_are_written_down(Tree(doc)))
    self.assertFalse(check_promises.promises_are_written_down(Tree({})))


if __name__ == "__main__":
  sys.exit(cases.run(ChecksTest))
