# SPDX-License-Identifier: Apache-2.0
"""Public rooms, private rooms, and no way round in circles.

A public header stands directly in poller/, bus/ or actors/, or directly in the
folder of a transport: actors/link/, actors/unix/, actors/tcp/, actors/grpc/.
Every header in a deeper folder is internal. The headers of proto/ are internal to links.
"""

import posixpath
import re

from tree import code_of, line_of

PRODUCT = ("poller", "bus", "proto", "actors")
# Folders below actors/ with public headers; they are written as users.
PUBLIC_FOLDERS = ("actors/link", "actors/unix", "actors/pipe", "actors/tcp",
                  "actors/tls", "actors/grpc", "actors/bridge",
                  "actors/systemd",
                  "actors/supervision", "actors/pools", "actors/patterns",
                  "actors/behaviour", "actors/child", "actors/testing",
                  "actors/topics", "actors/remote_topics", "actors/rpc")
PAGE = "docs/headers.md"

# Of tests, what is public there: suites for an embedder's own parts.
_PUBLIC_TESTS = ("tests/poller/conformance.h", "tests/poller/chaos_poller.h")

# Small tools for plain threads; not the insides of a bus.
_COMMON = ("bus/thread/", "proto/")

# Files that need each other, and why. A pair, never more.
PAIRS = {
    ("actors/internal/ref_access", "actors/ref"):
        "the library's way to the private part of a ref is its friend",
    ("bus/message/envelope", "bus/message/external_ask"):
        "the envelope of an ask names the object that waits for the reply, and "
        "that object is called with the envelope",
    ("bus/mailbox/cell", "bus/mailbox/suspended_handler"):
        "a cell lists its handlers that wait; each knows its cell",
    ("bus/loop/timer_queue", "bus/timer"):
        "a timer that is armed knows its queue, to cancel itself",
    ("poller/completions", "poller/operation_queue"):
        "an operation under way knows its queue, to cancel itself",
    ("poller/sim", "poller/sim/sim_poller"):
        "the simulated world makes its pollers, which wait by its clock",
}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"trolley/([^"]+)"',
                      re.MULTILINE)
_DEFINES = re.compile(
    r"^(?:template\s*<[^;{}]*>\s*)?(?:class|struct)\s+"
    r"(?:(?:alignas\([^)]*\)|\[\[[^\]]*\]\]|[A-Z_]{6,})\s+)*"
    r"(\w+)(?:<[^;{}]*>)?(?:\s+final)?\s*(?::[^;{]*)?\{", re.MULTILINE)
# At the start of a line: nested classes do not count.
_FORWARD = re.compile(
    r"^(?:template\s*<[^;{}]*>\s*)?(?:class|struct)\s+(\w+);", re.MULTILINE)
_FRIEND = re.compile(r"^\s*friend\s+(?:class|struct)\s+(?:\w*::)*(\w+);",
                     re.MULTILINE)
_NAMESPACE = re.compile(r"^namespace ([\w:]+) \{$", re.MULTILINE)
# Namespaces of other projects, for a class of theirs that is declared here.
_FOREIGN = ("google::protobuf",)


def is_public(path):
  if path in _PUBLIC_TESTS:
    return True
  folder = posixpath.dirname(path)
  return (path.endswith(".h") and
          folder in ("poller", "bus", "actors") + PUBLIC_FOLDERS)


def _may_include(path, included):
  """Whether `path`, which is outside of the core, may include `included`."""
  if is_public(included) or included.endswith(".pb.h"):
    return True
  for transport in PUBLIC_FOLDERS:
    if path.startswith(transport + "/"):
      own = any(included.startswith(t + "/internal/") for t in PUBLIC_FOLDERS)
      return own or included.startswith(_COMMON)
  # A tool or an example has headers of its own.
  return included.startswith(("tools/", "examples/"))


def users_include_public_headers(tree):
  """Links, the control service, tools and examples are written as users."""
  problems = []
  for path, text in tree.cpp(PUBLIC_FOLDERS + ("tools", "examples")):
    for match in _INCLUDE.finditer(text):
      if not _may_include(path, match.group(1)):
        problems.append(
            f"{path}:{line_of(text, match.start())}: {match.group(1)} is "
            f"internal. Use a public header ({PAGE}); if none will do, the "
            f"public interface lacks something: add it there.")
  return problems


def users_name_no_internals(tree):
  """As above, by name: a public header may include internal ones."""
  internal = {match.group(1)
              for path, text in tree.below(("poller", "bus", "actors"), (".h",))
              if not is_public(path) and not path.startswith(PUBLIC_FOLDERS)
              for match in _DEFINES.finditer(code_of(text))}
  problems = []
  for path, text in tree.cpp(PUBLIC_FOLDERS + ("tools", "examples")):
    for match in re.finditer(r"\binternal::(\w+)", code_of(text)):
      if match.group(1) in internal:
        problems.append(
            f"{path}:{line_of(text, match.start())}: {match.group(0)} is "
            f"internal to the bus. Use a public header ({PAGE}).")
  return problems


def names_stand_where_they_belong(tree):
  """An internal header names nothing but trolley::internal; a public one more.
  """
  problems = []
  for path, text in tree.below(("poller", "bus", "actors"), (".h",)):
    found = [match for match in _NAMESPACE.finditer(text)
             if match.group(1) not in _FOREIGN]
    if not is_public(path):
      problems += [
          f"{path}:{line_of(text, match.start())}: this folder is internal, so "
          f"its names belong in namespace trolley::internal."
          for match in found if match.group(1) != "trolley::internal"]
    elif found and all("internal" in match.group(1) for match in found):
      problems.append(
          f"{path}: a public header without a public name. Move it into an "
          f"internal folder.")
  return problems


def unit_of(path):
  return re.sub(r"\.(?:h|cc)$", "", path)


def graph_of(tree):
  """{unit: {unit it needs: where it says so}}; a unit is a .h and its .cc.

  An include is a need, and so is a class that is declared or befriended here
  and defined elsewhere.
  """
  defined = {}
  for path, text in tree.below(PRODUCT, (".h",)):
    for match in _DEFINES.finditer(code_of(text)):
      defined.setdefault(match.group(1), set()).add(unit_of(path))
  graph = {}
  for path, text in tree.cpp(PRODUCT):
    unit = unit_of(path)
    needs = graph.setdefault(unit, {})
    for match in _INCLUDE.finditer(text):
      other = unit_of(match.group(1))
      if other != unit and match.group(1) in tree.files:
        needs.setdefault(other, f"{path}:{line_of(text, match.start())}")
    code = code_of(text)
    for expression in (_FORWARD, _FRIEND):
      for match in expression.finditer(code):
        homes = defined.get(match.group(1), set())
        if unit in homes or len(homes) != 1:
          continue
        needs.setdefault(next(iter(homes)),
                         f"{path}:{line_of(code, match.start(1))}")
  return graph


def cycles_of(graph):
  """The strongly connected sets of more than one unit (Tarjan, 1972)."""
  index, low, on_stack, stack, found = {}, {}, set(), [], []

  def visit(root):
    work = [(root, iter(sorted(graph.get(root, {}))))]
    index[root] = low[root] = len(index)
    stack.append(root)
    on_stack.add(root)
    while work:
      unit, others = work[-1]
      for other in others:
        if other not in index:
          index[other] = low[other] = len(index)
          stack.append(other)
          on_stack.add(other)
          work.append((other, iter(sorted(graph.get(other, {})))))
          break
        if other in on_stack:
          low[unit] = min(low[unit], index[other])
      else:
        work.pop()
        if work:
          low[work[-1][0]] = min(low[work[-1][0]], low[unit])
        if low[unit] == index[unit]:
          members = []
          while True:
            member = stack.pop()
            on_stack.discard(member)
            members.append(member)
            if member == unit:
              break
          if len(members) > 1:
            found.append(sorted(members))

  for unit in sorted(graph):
    if unit not in index:
      visit(unit)
  return sorted(found)


def units_need_each_other_one_way(tree):
  graph = graph_of(tree)
  problems = []
  met = set()
  for members in cycles_of(graph):
    if tuple(members) in PAIRS or tuple(reversed(members)) in PAIRS:
      met.add(frozenset(members))
      continue
    edges = [f"  {graph[a][b]}: {a} needs {b}"
             for a in members for b in members if b in graph.get(a, {})]
    problems.append(
        f"{members[0]}: {len(members)} units need each other: "
        f"{', '.join(members)}. Cut one of these:\n" + "\n".join(edges))
  problems += [
      f"tests/tidy/check_rooms.py: {a} and {b} no longer need each other; take "
      f"the pair out." for a, b in PAIRS
      if frozenset((a, b)) not in met and a + ".h" in tree.files]
  return problems


def the_bus_knows_no_actors(tree):
  """Not by include (check_layers.py), and not by a name either."""
  problems = []
  for unit, needs in sorted(graph_of(tree).items()):
    layer = unit.split("/")[0]
    order = {"poller": 0, "proto": 0, "bus": 1, "actors": 2}
    for other, where in sorted(needs.items()):
      if order.get(other.split("/")[0], 0) > order[layer]:
        problems.append(f"{where}: {unit} names a class of {other}, which is "
                        f"above it.")
  return problems


_ROW = re.compile(r"^\| `trolley/([^`]+\.h)` \|([^|]*)\|", re.MULTILINE)
_LABEL = re.compile(r"^## `(?:@trolleybus)?//:(\w+)`", re.MULTILINE)


def public_headers_have_a_page(tree):
  """docs/headers.md lists each public header once, with a sentence."""
  text = tree.files.get(PAGE)
  if text is None:
    return [f"{PAGE} is not there: the public headers by label."]
  listed = {}
  for match in _ROW.finditer(text):
    path = match.group(1)
    where = f"{PAGE}:{line_of(text, match.start())}"
    if path in listed and not path.endswith(".pb.h"):
      yield_text = f"{where}: {path} stands here twice."
      listed.setdefault("problems", []).append(yield_text)
    listed[path] = where
    if len(match.group(2).strip()) < 10:
      listed.setdefault("problems", []).append(
          f"{where}: say in a sentence what {path} is for.")
  problems = listed.pop("problems", [])
  public = {path for path in tree.files if is_public(path)}
  problems += [f"{PAGE}: {path} is public and is not listed; or move it into "
               f"an internal folder." for path in sorted(public - set(listed))]
  problems += [f"{where}: {path} is no public header."
               for path, where in sorted(listed.items())
               if path not in public and not path.endswith(".pb.h")]
  return problems
