// SPDX-License-Identifier: Apache-2.0
//
// The log: it is bounded and in order, and its sink cannot stop a loop.

#include "trolley/bus/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/poller/printable.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"

namespace trolley::internal {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// --- Which lines are written -------------------------------------------------

constexpr LogKind kOneKind{"one.cc", 1};
constexpr LogKind kAnotherKind{"one.cc", 2};

Instant At(double seconds) { return Instant() + absl::Seconds(seconds); }

TEST(LogLimitsTest, P6_OfManyLinesAFewAreWrittenAndTheRestIsCounted) {
  LogLimits limits({.lines_at_once = 7, .interval = absl::Seconds(1)});
  std::string left_out;
  int admitted = 0;
  for (int i = 0; i < 7000; ++i) {
    admitted +=
        limits.Admit(kOneKind, "a", absl::StrCat("line ", i), At(1), left_out);
  }
  EXPECT_EQ(admitted, 7);
  EXPECT_TRUE(limits.any_left_out());
  EXPECT_FALSE(limits.Admit(kOneKind, "a", "more", At(1.9), left_out));
  EXPECT_TRUE(limits.Admit(kOneKind, "a", "more", At(2), left_out));
  EXPECT_EQ(left_out,
            "... 6,994 more lines of this kind were left out: line 7");
  EXPECT_FALSE(limits.any_left_out());
  EXPECT_FALSE(limits.Admit(kOneKind, "a", "one", At(2), left_out));
  EXPECT_TRUE(limits.Admit(kOneKind, "a", "more", At(3), left_out));
  EXPECT_EQ(left_out, "... 1 more line of this kind was left out: one");
  EXPECT_TRUE(limits.Admit(kOneKind, "a", "more", At(4), left_out));
  EXPECT_EQ(left_out, "");
}

TEST(LogLimitsTest, KindsAndSourcesAreToldApart) {
  LogLimits limits({.lines_at_once = 1, .interval = absl::Seconds(1)});
  std::string left_out;
  EXPECT_TRUE(limits.Admit(kOneKind, "a", "", At(1), left_out));
  EXPECT_FALSE(limits.Admit(kOneKind, "a", "", At(1), left_out));
  EXPECT_TRUE(limits.Admit(kOneKind, "b", "", At(1), left_out));
  EXPECT_TRUE(limits.Admit(kAnotherKind, "a", "", At(1), left_out));
}

TEST(LogLimitsTest, WhatWasLeftOutIsSaidWhenTheFloodIsOver) {
  LogLimits limits({.lines_at_once = 1, .interval = absl::Seconds(1)});
  std::string left_out;
  for (int i = 0; i < 3; ++i) {
    limits.Admit(kOneKind, "a", "x", At(1), left_out);
    limits.Admit(kOneKind, "b", "y", At(1.5), left_out);
  }
  EXPECT_THAT(limits.TakeDue(At(1.9)), IsEmpty());
  EXPECT_THAT(limits.TakeDue(At(2)), ElementsAre(EndsWith(": x")));
  EXPECT_THAT(limits.TakeAll(), ElementsAre(EndsWith(": y")));
  EXPECT_FALSE(limits.any_left_out());
  EXPECT_THAT(limits.TakeAll(), IsEmpty());
}

TEST(LogLimitsTest, ManySourcesAreBoundedAndCountAsOne) {
  LogLimits limits(
      {.lines_at_once = 2, .interval = absl::Seconds(1), .max_sources = 10});
  std::string left_out;
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) {
    admitted += limits.Admit(kOneKind, absl::StrCat(i), "x", At(1), left_out);
  }
  EXPECT_EQ(admitted, 10 + 2);
  // Those that are quiet make room.
  EXPECT_TRUE(limits.Admit(kOneKind, "new", "x", At(9), left_out));
  EXPECT_EQ(left_out, "");
  EXPECT_THAT(limits.TakeAll(), ElementsAre(StartsWith("... 988 more lines")));
}

TEST(LogLimitsTest, AnIntervalOfZeroLeavesNothingOut) {
  LogLimits limits({.lines_at_once = 1, .interval = absl::ZeroDuration()});
  std::string left_out;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(limits.Admit(kOneKind, "a", "", At(1), left_out));
  }
}

// --- The queue and its thread ------------------------------------------------

// A sink that a test can stop. Lives as long as a thread that is left behind.
struct Tap {
  absl::Mutex mutex;
  bool open ABSL_GUARDED_BY(mutex) = true;
  int entered ABSL_GUARDED_BY(mutex) = 0;
  int left ABSL_GUARDED_BY(mutex) = 0;
  std::vector<std::string> lines ABSL_GUARDED_BY(mutex);

  void Take(absl::string_view line) {
    absl::MutexLock lock(&mutex);
    ++entered;
    mutex.Await(absl::Condition(&open));
    lines.emplace_back(line);
    ++left;
  }
  void Open(bool now) {
    absl::MutexLock lock(&mutex);
    open = now;
  }
  void AwaitEntered(int n) {
    absl::MutexLock lock(&mutex);
    const auto so_many = [this, n]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      return entered >= n;
    };
    mutex.Await(absl::Condition(&so_many));
  }
  void AwaitLeft(int n) {
    absl::MutexLock lock(&mutex);
    const auto so_many = [this, n]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      return left >= n;
    };
    mutex.Await(absl::Condition(&so_many));
  }
  std::vector<std::string> Lines() {
    absl::MutexLock lock(&mutex);
    return lines;
  }
};

BusLog::Sink Into(const std::shared_ptr<Tap>& tap) {
  return [tap](absl::string_view line) { tap->Take(line); };
}

LogOptions NoLimits() { return {.interval = absl::ZeroDuration()}; }

TEST(BusLogTest, LinesComeInOrderAndAllBeforeTheEnd) {
  auto tap = std::make_shared<Tap>();
  LogOptions options = NoLimits();
  options.max_waiting_lines = 5000;
  options.patience = absl::Hours(1);
  BusLog log(options, Into(tap));
  ASSERT_TRUE(log.Start().ok());
  for (int i = 0; i < 3000; ++i) log.Write(absl::StrCat(i), "", kOneKind);
  log.Close();
  const std::vector<std::string> lines = tap->Lines();
  ASSERT_THAT(lines, SizeIs(3000));
  for (int i = 0; i < 3000; ++i) EXPECT_EQ(lines[i], absl::StrCat(i));
  EXPECT_EQ(log.counts().written, 3000u);
  log.Write("too late", "", kOneKind);
  EXPECT_EQ(log.counts().dropped, 1u);
}

TEST(BusLogTest, P6_WhatWaitsIsBoundedInLinesAndASinkThatIsStuckLeftBehind) {
  absl::Notification gone;
  std::shared_ptr<Tap> tap(new Tap, [&](Tap* last) {
    delete last;
    gone.Notify();
  });
  tap->Open(false);
  LogOptions options = NoLimits();
  options.max_waiting_lines = 10;
  options.patience = absl::Milliseconds(1);
  {
    BusLog log(options, Into(tap));
    ASSERT_TRUE(log.Start().ok());
    log.Write("in the sink", "", kOneKind);
    tap->AwaitEntered(1);
    for (int i = 0; i < 1000; ++i) log.Write("x", "", kOneKind);
    EXPECT_EQ(log.counts().dropped, 990u);
    EXPECT_FALSE(log.Flush(absl::ZeroDuration()));
    log.Close();
    EXPECT_EQ(log.counts().written, 0u);
  }
  tap->Open(true);
  // The log's thread ends and no longer calls the sink. Then the sink goes.
  tap->AwaitLeft(1);
  EXPECT_THAT(tap->Lines(), ElementsAre("in the sink"));
  tap.reset();
  gone.WaitForNotification();
}

TEST(BusLogTest, P6_WhatWaitsIsBoundedInBytes) {
  auto tap = std::make_shared<Tap>();
  tap->Open(false);
  LogOptions options = NoLimits();
  options.max_waiting_bytes = 4096;
  options.patience = absl::Hours(1);
  BusLog log(options, Into(tap));
  ASSERT_TRUE(log.Start().ok());
  log.Write("in the sink", "", kOneKind);
  tap->AwaitEntered(1);
  for (int i = 0; i < 100; ++i) {
    log.Write(std::string(1000, 'x'), "", kOneKind);
  }
  EXPECT_EQ(log.counts().dropped, 96u);
  tap->Open(true);
  log.Close();
  EXPECT_THAT(tap->Lines(), SizeIs(6));
  EXPECT_EQ(tap->Lines().back(),
            "... 96 lines were dropped: the log took no more (LogOptions)");
}

TEST(BusLogTest, WhatWasDroppedIsSaidWhereItIsMissing) {
  auto tap = std::make_shared<Tap>();
  tap->Open(false);
  LogOptions options = NoLimits();
  options.max_waiting_lines = 1;
  options.patience = absl::Hours(1);
  BusLog log(options, Into(tap));
  ASSERT_TRUE(log.Start().ok());
  log.Write("1", "", kOneKind);
  tap->AwaitEntered(1);
  log.Write("2", "", kOneKind);
  log.Write("3", "", kOneKind);
  tap->Open(true);
  log.Flush(absl::InfiniteDuration());
  log.Write("4", "", kOneKind);
  log.Close();
  EXPECT_THAT(tap->Lines(),
              ElementsAre("1", "2", StartsWith("... 1 line was dropped"), "4"));
}

TEST(BusLogTest, ASinkThatThrowsIsCountedAndCalledAgain) {
  auto calls = std::make_shared<std::atomic<int>>(0);
  BusLog log(NoLimits(), [calls](absl::string_view line) {
    ++*calls;
    if (line == "1") throw std::runtime_error("no");
    if (line == "2") throw 2;
  });
  ASSERT_TRUE(log.Start().ok());
  for (int i = 1; i <= 3; ++i) log.Write(absl::StrCat(i), "", kOneKind);
  EXPECT_TRUE(log.Flush(absl::InfiniteDuration()));
  EXPECT_EQ(*calls, 3);
  EXPECT_EQ(log.counts().failed, 2u);
  EXPECT_EQ(log.counts().written, 1u);
}

TEST(BusLogTest, ASinkMayLog) {
  auto tap = std::make_shared<Tap>();
  std::unique_ptr<BusLog> log;
  log = std::make_unique<BusLog>(NoLimits(), [&](absl::string_view line) {
    if (line == "first") log->Write("second", "", kOneKind);
    tap->Take(line);
  });
  ASSERT_TRUE(log->Start().ok());
  log->Write("first", "", kOneKind);
  tap->AwaitLeft(2);
  EXPECT_THAT(tap->Lines(), ElementsAre("first", "second"));
  log->Close();
}

TEST(BusLogTest, ThreeMegabytesOfAnythingAreOneShortLine) {
  auto tap = std::make_shared<Tap>();
  BusLog log(NoLimits(), Into(tap));
  ASSERT_TRUE(log.Start().ok());
  std::string text;
  while (text.size() < (3 << 20)) text += "\x1b[2J\n\r\xff\u202e";
  log.Write(text, "", kOneKind);
  log.Close();
  ASSERT_THAT(tap->Lines(), SizeIs(1));
  EXPECT_LE(tap->Lines()[0].size(), BusLog::kMaxLineBytes);
  EXPECT_EQ(Printable(tap->Lines()[0], kWholeText), tap->Lines()[0]);
}

TEST(BusLogTest, TheEndSaysWhatWasLeftOut) {
  for (const bool own_thread : {true, false}) {
    auto tap = std::make_shared<Tap>();
    BusLog log({.lines_at_once = 1, .interval = absl::Hours(1)}, Into(tap),
               own_thread ? nullptr : &MonotonicClock());
    ASSERT_TRUE(log.Start().ok());
    for (int i = 0; i < 9; ++i) log.Write("x", "", kOneKind);
    log.Close();
    EXPECT_THAT(tap->Lines(),
                ElementsAre("x",
                            "... 8 more lines of this kind were left out: "
                            "x"));
    EXPECT_EQ(log.counts().left_out, 8u);
  }
}

TEST(BusLogTest, OptionsAtTheirEndsWorkOrAreRefused) {
  struct Case {
    std::function<void(LogOptions&)> set;
    absl::string_view refused;  // the field; empty: it works
  };
  constexpr auto kMost = static_cast<size_t>(-1);
  const std::vector<Case> cases = {
      {[](LogOptions& o) { o.lines_at_once = 0; }, "lines_at_once"},
      {[](LogOptions& o) { o.lines_at_once = 1; }, ""},
      {[](LogOptions& o) { o.lines_at_once = UINT32_MAX; }, ""},
      {[](LogOptions& o) { o.interval = -absl::Nanoseconds(1); }, "interval"},
      {[](LogOptions& o) { o.interval = absl::ZeroDuration(); }, ""},
      {[](LogOptions& o) { o.interval = absl::Nanoseconds(1); }, ""},
      {[](LogOptions& o) { o.interval = absl::Hours(24); }, ""},
      {[](LogOptions& o) { o.interval = absl::InfiniteDuration(); },
       "interval"},
      {[](LogOptions& o) { o.max_sources = 0; }, "max_sources"},
      {[](LogOptions& o) { o.max_sources = 1; }, ""},
      {[](LogOptions& o) { o.max_sources = UINT32_MAX; }, ""},
      {[](LogOptions& o) { o.max_waiting_lines = 0; }, "max_waiting_lines"},
      {[](LogOptions& o) { o.max_waiting_lines = 1; }, ""},
      {[](LogOptions& o) { o.max_waiting_lines = UINT32_MAX; }, ""},
      {[](LogOptions& o) { o.max_waiting_bytes = 4095; }, "max_waiting_bytes"},
      {[](LogOptions& o) { o.max_waiting_bytes = 4096; }, ""},
      {[=](LogOptions& o) { o.max_waiting_bytes = kMost; }, ""},
      {[](LogOptions& o) { o.patience = -absl::Seconds(1); }, "patience"},
      {[](LogOptions& o) { o.patience = absl::ZeroDuration(); }, ""},
      {[](LogOptions& o) { o.patience = absl::InfiniteDuration(); },
       "patience"},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    BusOptions options;
    options.log = [](absl::string_view) {};
    cases[i].set(options.log_limits);
    auto bus = Bus::Create(options);
    if (!cases[i].refused.empty()) {
      EXPECT_TRUE(absl::IsInvalidArgument(bus.status())) << bus.status();
      EXPECT_THAT(std::string(bus.status().message()),
                  HasSubstr(std::string(cases[i].refused)));
      continue;
    }
    ASSERT_TRUE(bus.ok()) << bus.status();
    for (int n = 0; n < 50; ++n) StateOf(**bus)->Log("x", absl::StrCat(n));
    EXPECT_TRUE(StateOf(**bus)->log().Flush(absl::InfiniteDuration()));
    const LogCounts counts = StateOf(**bus)->log().counts();
    EXPECT_GE(counts.written + counts.left_out + counts.dropped, 50u);
  }
}

// --- A whole bus -------------------------------------------------------------

struct Throw {
  std::string text;
};
struct Ping {};

class Thrower : public Actor {
 public:
  void On(const Throw& m) { throw std::runtime_error(m.text); }
  int On(const Ping&) { return 1; }
};

using LogTest = BusFixture;
TROLLEY_FOR_EACH_BUS(LogTest);

TEST_P(LogTest, P7_TheSinkIsNeverCalledByALoopThatHasAThread) {
  std::atomic<int> on_a_loop{0}, lines{0};
  Bus& bus = Start([&](BusOptions& options) {
    options.log = [&](absl::string_view) {
      ++lines;
      on_a_loop += Loop::Current() != nullptr;
    };
  });
  for (int i = 0; i < 5; ++i) {
    bus.Spawn<Thrower>({.loop = LoopAt(i)})->Tell(Throw{"bang"});
  }
  bus.Shutdown(absl::Seconds(60));
  EXPECT_EQ(lines, 5);
  EXPECT_EQ(on_a_loop, simulated() ? 5 : 0);
}

// The address in the sink keeps the bus, and the bus keeps the sink.
TEST_P(LogTest, ABusWhoseSinkHasAnAddressIsFreed) {
  auto reader = std::make_shared<Address>();
  const std::weak_ptr<Address> sink_has = reader;
  Start([&](BusOptions& options) {
    options.log = [reader](absl::string_view) {};
  });
  *reader = bus().Spawn<Thrower>({.loop = LoopAt(1)})->address();
  reader = nullptr;
  Destroy();
  EXPECT_TRUE(sink_has.expired());
}

TEST_P(LogTest, P8_ASinkThatThrowsEndsNothing) {
  Bus& bus = Start([](BusOptions& options) {
    options.log = [](absl::string_view) { throw std::runtime_error("no"); };
  });
  for (int i = 0; i < 5; ++i) {
    bus.Spawn<Thrower>({.loop = LoopAt(i)})->Tell(Throw{"bang"});
  }
  auto alive = *bus.Spawn<Thrower>({});
  alive.Tell(Ping{});
  const ShutdownReport report = bus.Shutdown(absl::Seconds(60));
  EXPECT_TRUE(report.clean) << report.ToString();
  EXPECT_EQ(report.ledger.handled, 1u);
  EXPECT_EQ(StateOf(bus)->log().counts().failed, 5u);
}

TEST_P(LogTest, P8_TheTextOfAnExceptionIsMadePrintableAndCut) {
  Bus& bus = Start();
  std::string text = "\x1b[2J\nforged line\xff";
  text.resize(3 << 20, 'x');
  bus.Spawn<Thrower>({})->Tell(Throw{text});
  bus.Shutdown(absl::Seconds(60));
  ASSERT_EQ(log().Count({"threw"}), 1);
  const std::string line = log().Get()[0];
  EXPECT_THAT(line, HasSubstr("\\x1b[2J\\x0aforged line\\xff"));
  EXPECT_THAT(line, EndsWith("..."));
  EXPECT_LE(line.size(), kMaxTextBytes + 200);
}

TEST_P(LogTest, P8_AnAskerGetsTheTextPrintableAndCut) {
  if (simulated()) GTEST_SKIP() << "a plain thread cannot wait for this bus";
  Bus& bus = Start();
  std::string text = "\x1b[2J\nforged line\xff";
  text.resize(3 << 20, 'x');
  const absl::Status heard =
      bus.Spawn<Thrower>({})->AskAndWait(Throw{text}, absl::InfiniteDuration());
  EXPECT_EQ(heard.code(), absl::StatusCode::kInternal);
  const std::string said(heard.message());
  EXPECT_THAT(said, HasSubstr("\\x1b[2J\\x0aforged line\\xff"));
  EXPECT_LE(said.size(), kMaxTextBytes + 200);
}

// Standard error is `fd` while this lives.
class StandardErrorIs {
 public:
  explicit StandardErrorIs(int fd) : before_(::fcntl(2, F_DUPFD_CLOEXEC, 10)) {
    ::dup2(fd, 2);
  }
  ~StandardErrorIs() {
    ::dup2(before_, 2);
    ::close(before_);
  }

 private:
  const int before_;
};

// A pipe, as full as it can be.
struct FullPipe {
  FullPipe() {
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (::write(ends[1], "x", 1) == 1) {
    }
    ::fcntl(ends[1], F_SETFL, 0);
  }
  ~FullPipe() {
    ::close(ends[0]);  // ends a write that waits
    ::close(ends[1]);
  }
  int ends[2];
};

TEST_P(LogTest, P10_AStandardErrorThatIsNotReadStopsNothing) {
  if (simulated()) GTEST_SKIP() << "a simulated bus writes by itself";
  FullPipe pipe;
  StandardErrorIs full(pipe.ends[1]);
  Bus& bus = Start([](BusOptions& options) {
    options.log = nullptr;
    options.log_limits.interval = absl::ZeroDuration();
    options.log_limits.patience = absl::Milliseconds(1);
  });
  for (int i = 0; i < 2000; ++i) {
    bus.Spawn<Thrower>({.loop = LoopAt(i % 3)})->Tell(Throw{"bang"});
  }
  for (int i = 0; i < loops(); ++i) {
    auto alive = *bus.Spawn<Thrower>({.loop = i});
    EXPECT_EQ(*alive.AskAndWait(Ping{}, absl::InfiniteDuration()), 1);
  }
  EXPECT_TRUE(bus.Shutdown(absl::Hours(1)).clean);
  const LogCounts counts = StateOf(bus)->log().counts();
  EXPECT_EQ(counts.written, 0u);
  EXPECT_GE(counts.dropped, 2000u - 1);
  Destroy();
}

TEST(LogProcessTest, P10_SigtermEndsAProgramWhoseStandardErrorIsNotRead) {
  FullPipe pipe;
  int ready[2];
  ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::dup2(pipe.ends[1], 2);
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &term, nullptr);
    bool clean = false;
    {
      auto bus = *Bus::Create({});
      for (int i = 0; i < 100; ++i) {
        bus->Spawn<Thrower>({})->Tell(Throw{"bang"});
      }
      auto alive = *bus->Spawn<Thrower>({});
      if (!alive.AskAndWait(Ping{}, absl::InfiniteDuration()).ok()) ::_exit(3);
      if (::write(ready[1], "r", 1) != 1) ::_exit(4);
      int got = 0;
      ::sigwait(&term, &got);
      clean = bus->Shutdown(absl::Hours(1)).clean;
    }
    std::exit(clean ? 0 : 5);  // as main() does
  }
  char byte = 0;
  EXPECT_EQ(::read(ready[0], &byte, 1), 1);
  ::kill(child, SIGTERM);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(LogProcessTest, AStandardErrorThatIsClosedIsCounted) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  StandardErrorIs closed(ends[1]);
  auto bus = *Bus::Create({});
  bus->Spawn<Thrower>({})->Tell(Throw{"bang"});
  bus->Shutdown(absl::Hours(1));
  EXPECT_EQ(StateOf(*bus)->log().counts().failed, 1u);
  ::close(ends[1]);
}

TEST(LogProcessTest, LinesGoToStandardErrorWithTheirPrefix) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  {
    StandardErrorIs pipe(ends[1]);
    auto bus = *Bus::Create({});
    StateOf(*bus)->Log("one\ntwo");
    bus->Shutdown(absl::Hours(1));
  }
  char text[100];
  const ssize_t n = ::read(ends[0], text, sizeof(text));
  EXPECT_EQ(std::string(text, n > 0 ? n : 0), "trolley: one\\x0atwo\n");
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace trolley::internal
