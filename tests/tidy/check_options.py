# SPDX-License-Identifier: Apache-2.0
"""Each struct of options has a test that tries its numbers at their extremes.

The structs are those of the headers whose names end in Options. A test names
one in AtExtremes<...> (tests/bus/option_fields.h). The others stand in one of
the two tables here. Lengths of time have a check of their own, check_times.py.
"""

import re

from tree import code_of, line_of

# Of tests/poller, the headers of public labels; all with options are.
_FOLDERS = ("poller", "bus", "actors", "proto", "tests/poller")

# They have no number of their own: why that is enough.
NO_NUMBERS = {
    "actors/tcp/tcp_link_options.h TcpLinkOptions":
        "how names are looked up, times for check_times.py, and the fields of "
        "two structs that have tests",
    "actors/tls/tls_options.h TlsLinkOptions":
        "a name, and the fields of two structs that have tests",
    "actors/tls/tls_options.h TlsOptions":
        "paths and names, and a time for check_times.py",
    "actors/bridge/grpc_link_options.h GrpcLinkOptions":
        "credentials, a time for check_times.py, and the fields of a struct "
        "that has tests",
    "actors/systemd/service_notifier.h ServiceNotifierOptions":
        "a path, and a time for check_times.py",
    "actors/tell_options.h TellOptions":
        "a deadline, for check_times.py, and a trace",
    "bus/thread/start_thread.h ThreadOptions":
        "internal; LoopOptions has the limits of the name and of the CPUs",
}

# The test of another struct, named here, tries the same fields.
COVERED_BY = {
    "actors/link/link_options.h LinkOptions": "UnixLinkOptions",
    "actors/link/link_options.h ListenerOptions": "UnixListenerOptions",
}

_STRUCT = re.compile(r"\b(?:struct|class)\s+(\w+Options)\b[^;{}()]*\{")
_TESTED = re.compile(r"\bAtExtremes<\s*(?:\w+::)*(\w+)\s*>")
_NUMBER = re.compile(
    r"^\s*(?:std::)?(?:u?int\d+_t|size_t|ssize_t|bool|char|int|short|long|"
    r"unsigned|float|double|mode_t|uid_t)\b[^;({]*[;{]", re.MULTILINE)


def _body(code, opening):
  """What stands between the brace at `opening` and its partner."""
  depth = 0
  for at in range(opening, len(code)):
    depth += {"{": 1, "}": -1}.get(code[at], 0)
    if depth == 0:
      return code[opening + 1:at]
  return code[opening + 1:]


def structs_of_options(tree):
  """For each name, such as "bus/options.h LoopOptions": line and body."""
  found = {}
  for path, text in tree.below(_FOLDERS, (".h",)):
    code = code_of(text)
    for match in _STRUCT.finditer(code):
      found[f"{path} {match.group(1)}"] = (line_of(code, match.start()),
                                           _body(code, match.end() - 1))
  return found


def options_are_tested_at_their_extremes(tree, no_numbers=None,
                                         covered_by=None):
  no_numbers = NO_NUMBERS if no_numbers is None else no_numbers
  covered_by = COVERED_BY if covered_by is None else covered_by
  found = structs_of_options(tree)
  tested = set()
  for _, text in tree.below(("tests",), (".cc",)):
    tested.update(_TESTED.findall(code_of(text)))
  problems = []
  for name, (line, body) in sorted(found.items()):
    path, struct = name.split(" ")
    here = f"{path}:{line}: {struct}"
    table = ("NO_NUMBERS" if name in no_numbers else
             "COVERED_BY" if name in covered_by else None)
    if table is None and struct not in tested:
      problems.append(f"{here}: try each of its numbers at its extremes in a "
                      f"test: AtExtremes<{struct}>(...), "
                      f"tests/bus/option_fields.h.")
    if table is not None and struct in tested:
      problems.append(f"{here}: a test has AtExtremes<{struct}>; take its row "
                      f"out of {table}.")
    if table == "NO_NUMBERS" and _NUMBER.search(body):
      problems.append(f"{here}: it has a number; take its row out of "
                      f"NO_NUMBERS, and write the test.")
    if table == "COVERED_BY" and covered_by[name] not in tested:
      problems.append(f"{here}: COVERED_BY says {covered_by[name]}, of which "
                      f"no test has an AtExtremes.")
  problems += [
      f"tests/tidy/check_options.py: {name}: there is no such struct any more."
      for name in sorted((set(no_numbers) | set(covered_by)) - set(found))]
  return problems
