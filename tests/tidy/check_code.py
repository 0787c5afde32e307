# SPDX-License-Identifier: Apache-2.0
"""Calls that only certain files may make, or no file."""

import re

from tree import code_of, line_of

PRODUCT = ("poller", "bus", "actors", "proto", "tools")

# Each holds one idea that needs a weaker order.
MAY_WEAKEN_ORDER = {
    "bus/crossing/handoff.h": "the hand-off between threads",
    "bus/mailbox/cell.cc": "actor slots, published once",
    "bus/mailbox/cell.h": "actor slots, published once",
    "bus/mailbox/credit_pool.h": "mailbox credits",
    "bus/message/envelope_pool.h": "envelopes on their way home",
    "bus/ledger.h": "counters with one writer",
    "bus/crossing/loop_inbox.h": "the actor that runs, for a thread that looks",
    "bus/crossing/bus_references.h": "the usual count of references",
    "bus/ref_counted.h": "the usual count of references",
}

# The waits of plain threads that have a limit. Both follow
# std::chrono::steady_clock.
MAY_WAIT_WITH_A_LIMIT = ("bus/log/log.cc", "bus/thread/monitor.h")

MAY_TELL_THE_TIME_OF_DAY = {
    "actors/grpc/internal/control_state.cc": "when the service started, to be shown",
}

# Beside poller/*.cc.
MAY_CALL_THE_KERNEL = {
    "actors/child/internal/start_process.cc":
        "between clone and exec, where the memory is that of another process",
}

# These sleep to keep a rhythm. They do not wait for something.
MAY_SLEEP = {
    "tests/poller/conformance_time.cc": "a signal each half millisecond",
    "tests/clock/preloaded_clock.cc": "stands in for the C library's",
}

# Tests that look again and again: the kernel has no event for what they wait
# for, or a wait of the test would change it.
MAY_SPIN = {
    "tests/actors/pipe_reader_test.cc": "until a pipe is empty",
    "tests/clock/control_wall_clock_test.cc": "counts all waits of a process",
    "tests/clock/wall_clock_test.cc": "counts all waits of a process",
    "tests/lib/process.cc": "what /proc alone says of a thread",
}

_FENCE = re.compile(r"\batomic_(?:thread|signal)_fence\b")
_WEAK_ORDER = re.compile(
    r"\bmemory_order(?:_|::)(?:relaxed|consume|acquire|release|acq_rel)\b")
_SLEEP = re.compile(
    r"\b(?:sleep|usleep|nanosleep|clock_nanosleep|sleep_for|sleep_until|"
    r"SleepFor|AbslInternalSleepFor)\s*\(")
# Those of Abseil, and of the standard library on system_clock, follow the wall
# clock; so do gRPC's alarms and times of day given to it.
_TIMED_WAIT = re.compile(
    r"\b(?:WaitForNotificationWith(?:Timeout|Deadline)|"
    r"(?:Await|Wait|LockWhen|ReaderLockWhen)With(?:Timeout|Deadline)|"
    r"SleepFor|AbslInternalSleepFor|sleep_for|sleep_until|"
    r"(?:(?<=\.)|(?<=->))(?:wait_for|wait_until)|"
    r"try_lock_for|try_lock_until|try_acquire_for|try_acquire_until|"
    r"system_clock|grpc::Alarm|AsyncNext|"
    r"pthread_cond_timedwait|sem_timedwait|pthread_mutex_timedlock)\b")
# Each call does a part of the work, or sleeps until it is done.
_MOVES_ON = re.compile(r"\b(?:[rR]ead|[wW]rite|getline|StepTime|Keep|"
                       r"compare_exchange_(?:weak|strong))\s*\(|"
                       r"== Delivery::kAccepted\b")
_NO_BODY = re.compile(r"\s*(?:;|\{\s*\}|\{?\s*std::this_thread::yield\(\);)")
_TIME_OF_DAY = re.compile(r"\babsl::Now\s*\(|\bgettimeofday\s*\(|"
                          r"\bCLOCK_REALTIME\b|\bGPR_CLOCK_REALTIME\b")
_SHELL_SLEEP = re.compile(r"^[^#\n]*(?:^|[;&|(]|\bdo\b|\bthen\b)\s*sleep\s",
                          re.MULTILINE)
_SKIP_WITHOUT_REASON = re.compile(r'\bGTEST_SKIP\(\)(?!\s*<<\s*(?:"[^"]|[\w(:]))')

_CALLS = (
    "accept|accept4|bind|clone|close|close_range|connect|dup|dup2|dup3|"
    "epoll_create|epoll_create1|epoll_ctl|epoll_pwait|epoll_pwait2|epoll_wait|"
    "eventfd|execv|execve|execvp|execvpe|fchmod|fcntl|flock|fork|fstat|"
    "ftruncate|getsockname|getsockopt|io_uring_[a-z_]+|ioctl|kill|listen|"
    "lseek|lstat|madvise|mkdir|mmap|munmap|open|openat|pause|pipe|pipe2|poll|"
    "ppoll|prctl|pread|preadv|pselect|pwrite|pwritev|read|readv|recv|recvfrom|"
    "recvmsg|rename|rmdir|select|send|sendmsg|sendto|setsockopt|shutdown|"
    "signalfd|sigtimedwait|socket|socketpair|splice|stat|syscall|"
    "timerfd_create|timerfd_settime|unlink|vfork|waitid|waitpid|write|writev")
# ::read( is the kernel's; Frame::read( and reader->read( are not.
_QUALIFIED_CALL = re.compile(r"(?<![\w>:])::(" + _CALLS + r")\s*\(")
# These names have no other meaning, so :: is not needed to tell.
_PLAIN_CALL = re.compile(
    r"(?<![\w.>:])(accept4|epoll_(?:create1?|ctl|p?wait2?)|eventfd|fork|"
    r"io_uring_[a-z_]+|pipe2|ppoll|pselect|recvmsg|sendmsg|signalfd|"
    r"socketpair|timerfd_\w+|vfork|waitpid)\s*\(")


def _find(pattern, path, text, what):
  return [f"{path}:{line_of(text, m.start())}: {m.group(0).strip()}: {what}"
          for m in pattern.finditer(text)]


def fences_are_banned(tree):
  problems = []
  for path, text in tree.cpp():
    problems += _find(_FENCE, path, code_of(text),
                      "TSan cannot see a fence; make the transition one "
                      "read-modify-write, as bus/crossing/handoff.h does.")
  return problems


def weak_memory_orders_have_few_homes(tree):
  problems = []
  for path, text in tree.cpp(PRODUCT):
    if path not in MAY_WEAKEN_ORDER:
      problems += _find(_WEAK_ORDER, path, code_of(text),
                        "leave it out (seq_cst), or give the idea a header of "
                        "its own and a line in tests/tidy/check_code.py.")
  return problems


def tests_do_not_sleep(tree):
  problems = []
  what = ("wait for the event without a limit, or use the virtual clock; a "
          "sleep is too long and too short.")
  for path, text in tree.cpp(("tests",)):
    if path not in MAY_SLEEP:
      problems += _find(_SLEEP, path, code_of(text), what)
  for path, text in tree.below(("tests",), (".sh",)):
    problems += _find(_SHELL_SLEEP, path, text, what)
  return problems


def _end_of_parentheses(code, at):
  """Behind the parenthesis that opens at `at`."""
  depth = 0
  for i in range(at, len(code)):
    depth += {"(": 1, ")": -1}.get(code[i], 0)
    if depth == 0:
      return i + 1
  return len(code)


def tests_do_not_spin(tree):
  problems = []
  for path, text in tree.cpp(("tests",)):
    if (path in MAY_SPIN or path.startswith("tests/bench/") or
        path.endswith("_bench.cc")):
      continue
    code = code_of(text)
    for loop in re.finditer(r"\b(?:while|for) (?=\()", code):
      end = _end_of_parentheses(code, loop.end())
      condition = code[loop.end():end]
      # "} while (...);" on one line is the end of a do.
      ends_do = code[:loop.start()].rstrip(" ").endswith("}")
      if (not ends_do and _NO_BODY.match(code, end) and
          not _MOVES_ON.search(" ".join(condition.split()))):
        problems.append(
            f"{path}:{line_of(code, loop.start())}: {loop[0]}{condition}: a "
            "busy wait; wait for an event (absl::Notification, "
            "Address::WhenEnded), or ask with tests/bus/ask_until.h.")
  return problems


def waits_follow_the_monotonic_clock(tree):
  problems = []
  for path, text in tree.cpp(PRODUCT + ("examples",)):
    if path not in MAY_WAIT_WITH_A_LIMIT:
      problems += _find(_TIMED_WAIT, path, code_of(text),
                        "may follow the wall clock; wait with bus/latch.h or "
                        "bus/thread/monitor.h.")
    if path not in MAY_TELL_THE_TIME_OF_DAY:
      problems += _find(_TIME_OF_DAY, path, code_of(text),
                        "read MonotonicClock(), or say in tests/tidy/"
                        "check_code.py who is shown a time of day.")
  return problems


def skips_give_a_reason(tree):
  problems = []
  for path, text in tree.cpp():
    problems += _find(_SKIP_WITHOUT_REASON, path, text,
                      'say why: GTEST_SKIP() << "needs io_uring".')
  return problems


def system_calls_live_in_the_poller(tree):
  problems = []
  for path, text in tree.cpp(PRODUCT):
    if ((path.startswith("poller/") and path.endswith(".cc")) or
        path in MAY_CALL_THE_KERNEL):
      continue
    for pattern in (_QUALIFIED_CALL, _PLAIN_CALL):
      problems += _find(pattern, path, code_of(text),
                        "go through poller/sys.h, so that a test can make "
                        "this call fail.")
  return problems
