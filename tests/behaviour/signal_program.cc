// SPDX-License-Identifier: Apache-2.0
//
// A program that is sent signals by a test, in one of two forms.
//
//   signal_program actor POLLER [block] SIGNAL...
//     An actor has the signals, such as HUP, and prints "got HUP 1". With
//     `block` main() blocks them first. It obeys the lines of its input:
//       hold, release   the handler of a signal waits, and goes on
//       start, stop     Signals::Start() and Stop()
//       signals         prints the masks of the loop, the process and a child
//       second          another actor tries to have the same signals
//       starve          tries Start() without a free descriptor
//       fork            a child without exec gets the first signal
//       end             the actor ends
//
//   signal_program until DEADLINE SECOND_AFTER [FORM]
//     RunUntilSignal(). DEADLINE and SECOND_AFTER as absl::ParseDuration(). It
//     prints "ready" when the signals are caught. The forms:
//       actor   it also ends with an actor, which ends with the input
//       hang    an ask keeps the shutdown waiting
//       stuck   a handler does not return
//       bad     a signal that cannot be caught
//       ignore  main() ignores SIGINT before
//       phases  the shutdown has a phase

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/run_until_signal.h"
#include "trolley/actors/behaviour/shutdown_phases.h"
#include "trolley/actors/behaviour/signals.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/mains_signals.h"
#include "trolley/bus/latch.h"

namespace trolley {
namespace {

void Print(const std::string& line) {
  const std::string text = line + "\n";
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) std::abort();
}

int NumberOf(const std::string& name) {
  for (int signal = 1; signal < 32; ++signal) {
    if (name == sigabbrev_np(signal)) return signal;
  }
  return 0;
}

// "SigBlk=... SigIgn=... SigCgt=..." of a /proc/.../status.
std::string MasksOf(const std::string& path) {
  std::ifstream file(path);
  std::string line, masks;
  while (std::getline(file, line)) {
    for (const char* key : {"SigBlk", "SigIgn", "SigCgt"}) {
      if (absl::StartsWith(line, key)) {
        absl::StrAppend(&masks, masks.empty() ? "" : " ", key, "=",
                        line.substr(line.find('\t') + 1));
      }
    }
  }
  return masks;
}

bool IsCaught(int signal) {
  const std::string masks = MasksOf("/proc/self/status");
  uint64_t caught = 0;
  return absl::SimpleHexAtoi(masks.substr(masks.rfind('=') + 1), &caught) &&
         (caught >> (signal - 1) & 1) != 0;
}

struct Command {
  std::string text;
};

class Taker : public Actor {
 public:
  explicit Taker(std::vector<int> signals) : signals_(std::move(signals)) {}

  Task<> On(Signalled m) {
    Print(absl::StrCat("got ", sigabbrev_np(m.signal), " ", m.times));
    while (holds_) co_await Sleep(absl::Milliseconds(1));
  }
  std::string On(const Command& m) {
    if (m.text == "hold" || m.text == "release") {
      holds_ = m.text == "hold";
      return m.text;
    }
    if (m.text == "start") return Start();
    if (m.text == "stop") {
      taken_.Stop();
      return "stopped";
    }
    if (m.text == "starve") return Starve();
    if (m.text == "signals") return Masks();
    if (m.text == "end") {
      Stop();
      return "ends";
    }
    return "what?";
  }
  // Beside the handler of a signal that holds.
  static constexpr bool kInterleaved = true;

 private:
  std::string Start() {
    const absl::Status started = taken_.Start(this, signals_);
    return started.ok() ? "started" : started.ToString();
  }
  std::string Starve() {
    rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none = {0, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    const std::string result = Start();
    setrlimit(RLIMIT_NOFILE, &before);
    return result;
  }
  std::string Masks() {
    std::string masks =
        absl::StrCat("loop ", MasksOf("/proc/thread-self/status"));
    int pipes[2];
    if (pipe(pipes) != 0) return "no pipe";
    const absl::Status started = WithMainsSignals(context(), [&] {
      const pid_t child = fork();
      if (child == 0) {
        dup2(pipes[1], 1);
        execl("/bin/cat", "cat", "/proc/self/status", nullptr);
        _exit(1);
      }
    });
    close(pipes[1]);
    if (!started.ok()) return started.ToString();
    std::string text;
    char bytes[4096];
    ssize_t n;
    while ((n = read(pipes[0], bytes, sizeof(bytes))) > 0) {
      text.append(bytes, n);
    }
    close(pipes[0]);
    const std::string copy = absl::StrCat("/tmp/signal_program.", getpid());
    std::ofstream(copy) << text;
    absl::StrAppend(&masks, "; child ", MasksOf(copy));
    unlink(copy.c_str());
    return masks;
  }

  const std::vector<int> signals_;
  bool holds_ = false;
  Signals taken_;
};

std::string Fork(int signal) {
  const pid_t child = fork();
  if (child == 0) {
    raise(signal);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? absl::StrCat("killed by ", WTERMSIG(status))
                             : "not killed";
}

int RunActor(const std::vector<std::string>& arguments) {
  std::vector<int> signals;
  bool block = false;
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "block") {
      block = true;
    } else {
      signals.push_back(NumberOf(arguments[i]));
    }
  }
  if (block) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
  }
  Bus bus = Bus::CreateOrDie(
      {.loops = {{.poller = arguments[0]}, {.poller = arguments[0]}}});
  const auto taker = *bus.Spawn<Taker>({.loop = 0}, signals);
  std::optional<Ref<Taker>> second;
  const auto ask = [&](const Ref<Taker>& to, const std::string& text) {
    absl::StatusOr<std::string> reply =
        to.AskAndWait<Command>(absl::InfiniteDuration(), text);
    Print(reply.ok() ? *reply : reply.status().ToString());
  };
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "second") {
      if (!second.has_value()) {
        second = *bus.Spawn<Taker>({.loop = 1}, signals);
      }
      ask(*second, "start");
    } else if (line == "fork") {
      Print(Fork(signals[0]));
    } else if (line == "end") {
      Latch ended;
      taker.address().WhenEnded([&](const ActorEnd&) { ended.Open(); });
      ask(taker, "end");
      ended.Wait();
      Print(absl::StrCat("main ", MasksOf("/proc/self/status")));
    } else {
      ask(taker, line);
    }
  }
  return bus.Shutdown(absl::InfiniteDuration()).clean ? 0 : 1;
}

struct Never {};

class Silent : public Actor {
 public:
  Task<int> On(Never) {
    co_await Sleep(absl::InfiniteDuration());
    co_return 1;
  }
};

class Worker : public Actor {
 public:
  explicit Worker(std::string form) : form_(std::move(form)) {}
  void OnStart() override {
    RunInBackground([this]() -> Task<absl::Status> {
      // There is no event for this.
      while (!IsCaught(SIGTERM)) co_await Sleep(absl::Milliseconds(1));
      Print("ready");
      co_return absl::OkStatus();
    });
    if (form_ != "hang") return;
    silent_ = *Spawn<Silent>({});
    RunInBackground([this]() -> Task<absl::Status> {
      (void)co_await silent_.Ask(Never{}, absl::InfiniteDuration());
      co_return absl::OkStatus();
    });
  }
  void OnDrain() override {
    Print("drains");
    if (form_ == "stuck") {
      char byte;
      while (read(STDIN_FILENO, &byte, 1) > 0) {
      }
    }
  }

 private:
  const std::string form_;
  Ref<Silent> silent_;
};

absl::Duration DurationOf(const std::string& text) {
  absl::Duration length;
  if (!absl::ParseDuration(text, &length)) std::abort();
  return length;
}

int RunUntil(const std::vector<std::string>& arguments) {
  const std::string form = arguments.size() > 2 ? arguments[2] : "";
  if (form == "ignore") signal(SIGINT, SIG_IGN);
  Bus bus = Bus::CreateOrDie({.loops = std::vector<LoopOptions>(2)});
  const auto worker = *bus.Spawn<Worker>({.name = "worker", .loop = 1}, form);
  RunUntilSignalOptions options{.deadline = DurationOf(arguments[0]),
                                .second_after = DurationOf(arguments[1])};
  if (form == "bad") options.signals = {SIGTERM, SIGKILL};
  if (form == "actor") options.until_ended = worker.address();
  options.before_shutdown = [] { Print("before"); };
  const std::string before = MasksOf("/proc/self/status");
  std::thread reader([&] {
    // The end of the input ends the actor.
    if (form == "actor") {
      char byte;
      while (read(STDIN_FILENO, &byte, 1) > 0) {
      }
      worker.Stop();
    }
  });
  ShutdownPhases phases(bus);
  if (!phases.Add("workers", absl::InfiniteDuration(), {worker.address()})
           .ok()) {
    std::abort();
  }
  const int code = form == "phases" ? RunUntilSignal(phases, options)
                                    : RunUntilSignal(bus, options);
  reader.join();
  if (MasksOf("/proc/self/status") != before) Print("signals changed");
  return code;
}

}  // namespace
}  // namespace trolley

int main(int argc, char** argv) {
  const std::vector<std::string> rest(argv + 2, argv + argc);
  return std::strcmp(argv[1], "actor") == 0 ? trolley::RunActor(rest)
                                            : trolley::RunUntil(rest);
}
