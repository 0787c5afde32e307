# SPDX-License-Identifier: Apache-2.0
"""Each length of time and each deadline has a test with extreme values.

They are found in the headers (parameters and public fields that are an
absl::Duration or an Instant), in the .proto files (google.protobuf.Duration,
and fields with such a name), and in the flags and options of the tools. A test
must try the extreme values of each with ForEachExtreme("<its name>", ...); see
tests/poller/extreme_durations.h.
"""

import re

from tree import code_of, line_of

_FOLDERS = ("poller", "bus", "actors", "proto", "tools")

# These hand on what they are given to what has a case.
COVERED_BY = {
    "actors/actor.h SendAfter(after)": "Actor::TellAfter",
    "actors/ask.h AskAwaiterBase(deadline)": "Ref::Ask",
    "actors/ask.h AskAwaiterBase(within)": "Ref::Ask",
    "actors/ask.h AskAwaiter(deadline)": "Ref::Ask",
    "actors/ask.h AskAwaiter(within)": "Ref::Ask",
    "actors/ask_when_room.h AskWhenRoomAwaiter(deadline)": "Ref::AskWhenRoom",
    "actors/ask_when_room.h AskWhenRoomAwaiter(within)": "Ref::AskWhenRoom",
    "actors/ask_when_room.h NoRoomWithin(within)": "Ref::AskWhenRoom",
    "actors/behaviour/phases_report.h PhaseReport::took": "the clock",
    "actors/behaviour/phases_report.h PhasesReport::took": "the clock",
    "actors/internal/ask_from_actor.h AskFromActor(timeout)": "Ref::Ask",
    "actors/internal/ask_from_actor.h AskWhenRoomFromActor(timeout)":
        "Ref::AskWhenRoom",
    "actors/internal/ask_from_actor.h BeginAsk(timeout)": "Ref::Ask",
    "actors/internal/ask_from_actor.h BegunAsk::deadline": "Ref::Ask",
    "actors/internal/ask_from_actor.h BegunAsk::within": "Ref::Ask",
    "actors/internal/blocking_ask.h AskFromThread(timeout)": "Ref::AskAndWait",
    "actors/internal/blocking_ask.h Wait(timeout)": "Ref::AskAndWait",
    "actors/link/internal/peer_asks.h AnswerWhen(deadline)": "RemoteNames",
    "actors/link/internal/peer_asks.h Await(deadline)": "RemoteNames",
    "actors/link/remote_names.h LookUp(timeout)": "Find and Await",
    "actors/link/internal/link_sender.h ReadLedger(until)":
        "LinkOptions::heartbeat",
    "actors/grpc/internal/connections.h Close(patience)": "a constant",
    "actors/grpc/internal/open_call.h AwaitNone(timeout)": "a constant",
    "actors/grpc/internal/open_call.h Begin(limit)": "Alarms::Set",
    "actors/bridge/internal/grpc_transport.h AwaitOpen(deadline)":
        "GrpcLinkOptions::connect_timeout",
    "actors/bridge/internal/topic_forwarder.h Parts::resume_within":
        "BridgeOptions::resume_within",
    "actors/context.h SetTimer(deadline)": "TimerQueue::Set",
    "actors/context.h Sleep(d)": "Actor::Sleep",
    "actors/internal/callback_ask.h AskWithCallback(timeout)": "Ref::AskThen",
    "actors/internal/callback_ask.h CallbackAsk(timeout)": "Ref::AskThen",
    "actors/internal/outgoing_message.h Build(deadline)":
        "Ref::Ask and TellWith",
    "actors/internal/outgoing_message.h NewEnvelope(deadline)":
        "Ref::Ask and TellWith",
    "actors/internal/outgoing_message.h Parse(deadline)":
        "LinkTell and LinkAsk",
    "actors/internal/send_from_loop.h SendFromLoop(deadline)": "Ref::Ask",
    "actors/internal/send_from_loop.h SendSimply(deadline)": "Ref::Ask",
    "actors/internal/send_from_loop.h SendWithRoom(deadline)": "Ref::Ask",
    "actors/internal/outgoing_message.h TakeRoomAndBuild(deadline)": "Ref::Ask",
    "bus/test_options.h Drive(within)": "SimBus::RunUntil",
    "actors/send.h BeginSend(within)": "Ref::SendWithin",
    "actors/send.h SendAwaiter(within)": "Ref::SendWithin",
    "actors/supervision/supervisor.h Arm(after)": "the options of a supervisor",
    "actors/tls/internal/tls_credentials.h NewSsl(now)": "the clock",
    "actors/pipe/internal/named_pipe_dialer.h NamedPipeDialer(wait)":
        "LinkOptions::handshake_deadline",
    "actors/systemd/service_notifier.h EachLoopAnswers(limit)":
        "ServiceNotifierOptions::watchdog",
    "actors/rpc/grpc_stub.h Begin(deadline)": "GrpcDeadline(left)",
    "actors/rpc/internal/call_stream.h Limits::patience":
        "ActorServiceOptions::stream_patience",
    "actors/rpc/internal/check_field.h Time(value)": "the options of actors/rpc",
    "actors/rpc/internal/slow_clients.h CancelIfIdle(since)": "the clock",
    "actors/rpc/internal/slow_clients.h SlowClients(patience)":
        "ActorServiceOptions::stream_patience",
    "actors/rpc/internal/stub_calls.h Begin(left)": "GrpcDeadline(left)",
    "actors/tcp/internal/address_limits.h Admit(now)": "the clock",
    "actors/tcp/internal/address_limits.h Entry::at": "the clock",
    "actors/tcp/internal/address_limits.h Fill(now)": "the clock",
    "actors/tcp/internal/address_limits.h ForgetIdle(now)": "the clock",
    "actors/tcp/internal/connect_tcp.h ConnectTcp(timeout)":
        "TcpLinkOptions::connect_timeout",
    "actors/testing/probe.h Missing(within)": "ProbeOf::Expect",
    "actors/wire.h Make(deadline)": "LinkTell and LinkAsk",
    "actors/wire.h Prepare(deadline)": "LinkTell and LinkAsk",
    "bus/loop/bus_core.h Inspect(timeout)": "Bus::Inspect",
    "bus/loop/bus_core.h Shutdown(deadline)": "Bus::Shutdown",
    "actors/async_condition.h Waiter(until)": "AsyncCondition::Wait",
    "actors/internal/sleep.h SleepAwaiter(until)": "Actor::Sleep",
    "actors/wire.h Ask(timeout)": "LoopClock::After",
    "bus/crossing/bus_state.h NoReplyWithin(time)": "Ref::Ask and AskAndWait",
    "bus/loop/early_requests.h SendAt(at)": "Actor::TellAfter",
    "bus/loop/early_requests.h Timed::at": "Actor::TellAfter",
    "bus/message/envelope.h Envelope::deadline": "TellOptions::deadline",
    "bus/message/envelope.h Head::deadline": "TellOptions::deadline",
    "bus/loop/expiry.h Arm(at)": "TimerQueue::Set",
    "bus/loop/expiry.h Look(now)": "the clock",
    "bus/loop/expiry.h LookAtHandlers(now)": "the clock",
    "bus/loop/expiry.h LookAtMailbox(now)": "the clock",
    "bus/loop/expiry.h Watch(deadline)": "TellOptions::deadline",
    "bus/log/log.h Flush(limit)": "a constant",
    "bus/loop/message_router.h HasQueued(deadline)": "TellOptions::deadline",
    "bus/mailbox/suspended_handler.h OnCancel(now)": "the clock",
    "bus/mailbox/suspended_handler.h SetTold(cancel_at)": "CancelToken",
    "bus/log/log_limits.h Admit(now)": "the clock",
    "bus/log/log_limits.h Bucket::filled": "the clock",
    "bus/log/log_limits.h BucketOf(now)": "the clock",
    "bus/log/log_limits.h Fill(now)": "the clock",
    "bus/log/log_limits.h TakeDue(now)": "the clock",
    "bus/loop/loop.h Poll(deadline)": "Poller::Wait",
    "bus/loop/scheduled_message.h Set(at)": "Actor::TellAfter",
    "bus/loop/timer_queue.h Entry(deadline)": "TimerQueue::Set",
    "poller/sim.h Idle(deadline)": "SimWorld::StepTime",
    "tools/trolley/arguments.h GetDuration(otherwise)": "a constant",
    "tools/trolley/call_limit.h CallLimit(timeout)": "trolley --timeout",
    "tools/trolley/look_at_pollers.h LookAtPollers(measure)":
        "trolley --measure",
    "tools/trolley/reach.h Reach(limit)": "a constant",
    "tools/trolley/wake_cost.h MeasureWakeCost(limit)": "trolley --measure",
}

# Results, which no caller chooses.
RESULTS = {
    "bus/shutdown_report.h ShutdownReport::took",
    "tools/trolley/wake_cost.h WakeCost::least",
    "tools/trolley/wake_cost.h WakeCost::median",
}

# Cases of what is written down nowhere as a length of time.
ALSO = {
    "actors/link/link.h LinkAsk",
    "actors/link/stream_link.h NextBackoff()",
    "proto/control.proto grpc-timeout",
}

_TYPED = re.compile(r"\b(?:absl::Duration|(?:trolley::)?Instant)&?\s+(\w+)\s*"
                    r"(?=[;=,){])")
_SCOPE = re.compile(r"\b(?:class|struct)\s+(?:[A-Z_]+\s+)?(\w+)[^;(){}]*$")
_NOT_A_FIELD = re.compile(r"\b(?:static|constexpr|inline)\b[^;{}]*$")
_PROTO_FIELD = re.compile(
    r"^\s*(?:repeated |optional )?([\w.]+)\s+(\w+)\s*=\s*\d+", re.MULTILINE)
_PROTO_NAME = re.compile(r"(?:_ns|_ms|_millis|_micros|_seconds|timeout|deadline|"
                         r"duration)$")
_OPTION = re.compile(r'GetDuration\(\s*"(\w+)"')
_CASE = re.compile(r'(?:ForEachExtreme|ExpectWithinADay)\(\s*((?:"[^"]*"\s*)+)')


def _enclosing(code, position, opening, closing):
  """Where the innermost `opening` that is open at `position` stands, or -1."""
  depth = 0
  for at in range(position - 1, -1, -1):
    if code[at] == closing:
      depth += 1
    elif code[at] == opening:
      if depth == 0:
        return at
      depth -= 1
  return -1


def _name(code, match):
  """"Function(parameter)" or "Struct::field"; None if it is neither."""
  name = match.group(1)
  brace = _enclosing(code, match.start(), "{", "}")
  paren = _enclosing(code, match.start(), "(", ")")
  if paren > brace:
    function = re.search(r"(operator\W+|\w+)\s*$", code[:paren])
    tail = code[match.end():]
    end = re.search(r"\)[^;{]*[;{]", tail)
    if end and re.search(r"\b(?:override|final)\b", end.group(0)):
      return None  # the case is that of the interface
    return f"{function.group(1).strip()}({name})" if function else None
  scope = _SCOPE.search(code[:brace]) if brace >= 0 else None
  line = code[code.rfind("\n", 0, match.start()) + 1:match.start()]
  if not scope or name.endswith("_") or _NOT_A_FIELD.search(line):
    return None
  return f"{scope.group(1)}::{name}"


def lengths_of_time(tree):
  """Each name, and where it is."""
  found = {}
  for path, text in tree.below(_FOLDERS, (".h",)):
    code = code_of(text)
    for match in _TYPED.finditer(code):
      name = _name(code, match)
      if name:
        found[f"{path} {name}"] = f"{path}:{line_of(code, match.start())}"
  for path, text in tree.below(_FOLDERS, (".proto",)):
    message = None
    for number, line in enumerate(re.sub(r"//[^\n]*", "", text).split("\n"), 1):
      started = re.match(r"\s*message (\w+)", line)
      message = started.group(1) if started else message
      field = _PROTO_FIELD.match(line)
      if message and field and (field.group(1) == "google.protobuf.Duration" or
                                _PROTO_NAME.search(field.group(2))):
        found[f"{path} {message}.{field.group(2)}"] = f"{path}:{number}"
  for path, text in tree.below(("tools/trolley",), (".cc",)):
    for match in _OPTION.finditer(text):
      found[f"tools/trolley --{match.group(1)}"] = (
          f"{path}:{line_of(text, match.start())}")
  return found


def times_are_tested_at_their_ends(tree):
  found = lengths_of_time(tree)
  cases = {}
  for path, text in tree.cpp(("tests",)):
    if path == "tests/poller/extreme_durations.h":
      continue
    for match in _CASE.finditer(text):
      case = "".join(re.findall(r'"([^"]*)"', match.group(1)))
      cases[case] = f"{path}:{line_of(text, match.start())}"
  known = set(cases) | set(COVERED_BY) | RESULTS
  problems = [
      f'{found[name]}: {name}: go through the extremes of it in a test: '
      f'ForEachExtreme("{name}", ...).'
      for name in sorted(set(found) - known)]
  problems += [
      f"{cases[name]}: {name}: there is no such length of time any more."
      for name in sorted(set(cases) - set(found) - ALSO)]
  problems += [
      f"tests/tidy/check_times.py: {name}: there is no such length of time any "
      f"more."
      for name in sorted((set(COVERED_BY) | RESULTS) - set(found))
      if tree.files.get(name.split(" ")[0]) is not None]
  return problems
