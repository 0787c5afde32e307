// SPDX-License-Identifier: Apache-2.0
//
// Which conditions of a descriptor a poller reports, and how often.

#include <errno.h>
#include <fcntl.h>

#include <cstdio>
#include <cstdlib>

#include "trolley/tests/poller/conformance.h"

namespace trolley {
namespace {

constexpr Ready kBoth = Ready::kReadable | Ready::kWritable;

TEST_P(PollerConformance, NothingReadyReportsNothing) {
  const TestPipe pipe(sys());
  Add(pipe.read.get(), Ready::kReadable);
  EXPECT_TRUE(Look().empty());
}

TEST_P(PollerConformance, DataIsReportedWithTheToken) {
  const TestPipe quiet(sys());
  const TestPipe busy(sys());
  const Token quiet_token = Add(quiet.read.get(), Ready::kReadable);
  const Token busy_token = Add(busy.read.get(), Ready::kReadable);
  Write(busy.write.get());
  const Reports reports = WaitFor(busy_token);
  EXPECT_EQ(reports.Of(busy_token), Ready::kReadable);
  EXPECT_EQ(reports.Times(quiet_token), 0);
  EXPECT_EQ(reports.ready.size(), 1u);
}

TEST_P(PollerConformance, DataThatComesDuringTheWaitEndsIt) {
  for (const Trigger trigger : Triggers()) {
    const TestPipe pipe(sys());
    const Token token = Add(pipe.read.get(), Ready::kReadable, trigger);
    rig().WhileWaiting([&] { Write(pipe.write.get()); });
    EXPECT_EQ(WaitFor(token).Of(token), Ready::kReadable);
    rig().Settle();  // before the pipe goes
    Remove(pipe.read.get(), token);
  }
}

TEST_P(PollerConformance, AConditionThatHoldsAtAddIsReported) {
  for (const Trigger trigger : Triggers()) {
    const TestPipe pipe(sys());
    Write(pipe.write.get());
    const Token token = Add(pipe.read.get(), Ready::kReadable, trigger);
    EXPECT_EQ(Look().Of(token), Ready::kReadable);
    Remove(pipe.read.get(), token);
  }
}

TEST_P(PollerConformance, AConditionThatHoldsAtModifyIsReportedAgain) {
  for (const Trigger trigger : Triggers()) {
    const TestPipe pipe(sys());
    Write(pipe.write.get());
    const Token token = Add(pipe.read.get(), Ready::kReadable, trigger);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(Look().Of(token), Ready::kReadable) << "round " << i;
      Modify(pipe.read.get(), token, Ready::kReadable, trigger);
    }
    Remove(pipe.read.get(), token);
  }
}

TEST_P(PollerConformance, LevelIsReportedOnEveryWaitWhileItLasts) {
  const TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable);
  Write(pipe.write.get(), 3);
  char byte = 0;
  for (int left = 3; left > 0; --left) {
    EXPECT_EQ(Look(/*room=*/4, /*waits=*/5).Times(token), 5);
    EXPECT_EQ(sys().Read(pipe.read.get(), {&byte, 1}), 1);
  }
  EXPECT_TRUE(Look().empty());
}

TEST_P(PollerConformance, WritableMeansThatThereIsRoom) {
  const TestPipe pipe(sys());
  const Token token = Add(pipe.write.get(), Ready::kWritable);
  EXPECT_EQ(Look().Of(token), Ready::kWritable);
  FillUp(pipe.write.get());
  EXPECT_TRUE(Look().empty());
  ReadAll(pipe.read.get());
  EXPECT_EQ(Look().Of(token), Ready::kWritable);
}

TEST_P(PollerConformance, BothDirectionsComeInOneEvent) {
  const TestSockets pair(sys());
  const Token token = Add(pair.a.get(), kBoth);
  EXPECT_EQ(Look().Of(token), Ready::kWritable);
  Write(pair.b.get());
  Reports reports;
  const WaitResult result = WaitOnce(reports, 8, Instant());
  EXPECT_EQ(result.events, 1u);
  EXPECT_EQ(reports.Of(token), kBoth);
}

TEST_P(PollerConformance, OnlyWhatWasAskedForIsReported) {
  const TestSockets pair(sys());
  Write(pair.b.get());
  const Token token = Add(pair.a.get(), Ready::kReadable);
  EXPECT_EQ(Look().Of(token), Ready::kReadable);
  Modify(pair.a.get(), token, Ready::kWritable);
  EXPECT_EQ(Look().Of(token), Ready::kWritable);
  Modify(pair.a.get(), token, kBoth);
  EXPECT_EQ(Look().Of(token), kBoth);
}

TEST_P(PollerConformance, AnEmptyInterestIsSilentUntilItChanges) {
  for (const Trigger trigger : Triggers()) {
    const TestSockets pair(sys());
    Write(pair.b.get());
    const Token token = Add(pair.a.get(), Ready::kNone, trigger);
    EXPECT_TRUE(Look().empty());
    Modify(pair.a.get(), token, Ready::kReadable, trigger);
    EXPECT_EQ(Look().Of(token), Ready::kReadable);
    Modify(pair.a.get(), token, Ready::kNone, trigger);
    EXPECT_TRUE(Look().empty());
    Modify(pair.a.get(), token, Ready::kWritable, trigger);
    EXPECT_EQ(Look().Of(token), Ready::kWritable);
    Remove(pair.a.get(), token);
  }
}

TEST_P(PollerConformance, Pitfall10_EndOfAPipeIsReadableAndHangup) {
  TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable);
  pipe.write.reset();
  EXPECT_EQ(WaitFor(token).Of(token), Ready::kReadable | Ready::kHangup);
}

TEST_P(PollerConformance, Pitfall10_EndOfAPipeAfterDataKeepsTheData) {
  TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable);
  Write(pipe.write.get(), 5);
  pipe.write.reset();
  EXPECT_EQ(WaitFor(token).Of(token), Ready::kReadable | Ready::kHangup);
  EXPECT_EQ(ReadAll(pipe.read.get()), 5u);
}

TEST_P(PollerConformance, APipeWithoutReaderIsInError) {
  for (const bool full : {false, true}) {
    TestPipe pipe(sys());
    if (full) FillUp(pipe.write.get());
    const Token token = Add(pipe.write.get(), Ready::kWritable);
    pipe.read.reset();
    EXPECT_EQ(WaitFor(token).Of(token), kBoth | Ready::kError);
    Remove(pipe.write.get(), token);
  }
}

TEST_P(PollerConformance, Pitfall11_HalfCloseIsReadableAndNoHangup) {
  TestSockets pair(sys());
  const Token token = Add(pair.a.get(), Ready::kReadable);
  ASSERT_EQ(sys().Shutdown(pair.b.get(), SHUT_WR), 0);
  const Ready expected = capabilities().rdhup
                             ? Ready::kReadable | Ready::kReadHangup
                             : Ready::kReadable;
  EXPECT_EQ(WaitFor(token).Of(token), expected);
  char byte = 0;
  EXPECT_EQ(sys().Read(pair.a.get(), {&byte, 1}), 0);
  Write(pair.a.get());  // the other direction lives
}

TEST_P(PollerConformance, Pitfall11_FullCloseIsHangup) {
  TestSockets pair(sys());
  const Token token = Add(pair.a.get(), Ready::kReadable);
  pair.b.reset();
  const Ready expected =
      capabilities().rdhup
          ? Ready::kReadable | Ready::kHangup | Ready::kReadHangup
          : Ready::kReadable | Ready::kHangup;
  EXPECT_EQ(WaitFor(token).Of(token), expected);
}

TEST_P(PollerConformance, HangupReachesWhoOnlyWrites) {
  TestSockets pair(sys());
  FillUp(pair.a.get());
  const Token token = Add(pair.a.get(), Ready::kWritable);
  EXPECT_TRUE(Look().empty());
  pair.b.reset();
  const Ready ready = WaitFor(token).Of(token);
  EXPECT_TRUE(Any(ready & Ready::kHangup));
  EXPECT_TRUE(Any(ready & Ready::kReadable));
}

TEST_P(PollerConformance, Pitfall13_EdgeDoesNotRepeatARemainderButModifyDoes) {
  if (!capabilities().edge) GTEST_SKIP() << "no edge trigger";
  const TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable, Trigger::kEdge);
  Write(pipe.write.get(), 2);
  EXPECT_EQ(Look().Times(token), 1);
  char byte = 0;
  EXPECT_EQ(sys().Read(pipe.read.get(), {&byte, 1}), 1);
  EXPECT_EQ(Look().Times(token), 0);
  Modify(pipe.read.get(), token, Ready::kReadable, Trigger::kEdge);
  EXPECT_EQ(Look().Times(token), 1);
}

TEST_P(PollerConformance, Pitfall14_EdgeReportsEachChangeAfterADrain) {
  if (!capabilities().edge) GTEST_SKIP() << "no edge trigger";
  const TestSockets pair(sys());
  const Token token = Add(pair.a.get(), kBoth, Trigger::kEdge);
  EXPECT_TRUE(Any(Look().Of(token) & Ready::kWritable));
  for (int i = 0; i < 10; ++i) {
    Write(pair.b.get(), 3);
    // kWritable may come with it, since the registration asked for both.
    EXPECT_TRUE(Any(WaitFor(token).Of(token) & Ready::kReadable));
    EXPECT_EQ(ReadAll(pair.a.get()), 3u);
    EXPECT_FALSE(Any(Look().Of(token) & Ready::kReadable)) << "round " << i;
  }
}

TEST_P(PollerConformance, EdgeReportsTheHangupAfterTheData) {
  if (!capabilities().edge) GTEST_SKIP() << "no edge trigger";
  TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable, Trigger::kEdge);
  Write(pipe.write.get());
  EXPECT_EQ(WaitFor(token).Of(token), Ready::kReadable);
  pipe.write.reset();
  EXPECT_TRUE(Any(WaitFor(token).Of(token) & Ready::kHangup));
}

TEST_P(PollerConformance, Pitfall17_OneshotDisarmsBothDirectionsUntilModify) {
  if (!capabilities().oneshot) GTEST_SKIP() << "no oneshot trigger";
  const TestSockets pair(sys());
  FillUp(pair.a.get());
  const Token token = Add(pair.a.get(), kBoth, Trigger::kOneshot);
  EXPECT_TRUE(Look().empty());
  Write(pair.b.get());
  EXPECT_EQ(Look().Times(token), 1);
  ReadAll(pair.b.get());  // there is room again, but no request is armed
  Write(pair.b.get());
  EXPECT_TRUE(Look().empty());
  Modify(pair.a.get(), token, Ready::kWritable, Trigger::kOneshot);
  EXPECT_EQ(Look().Of(token), Ready::kWritable);
  EXPECT_TRUE(Look().empty());
}

TEST_P(PollerConformance, OneshotReportsAHangupOnceOnly) {
  if (!capabilities().oneshot) GTEST_SKIP() << "no oneshot trigger";
  TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable, Trigger::kOneshot);
  pipe.write.reset();
  EXPECT_EQ(Look().Times(token), 1);
  EXPECT_TRUE(Look().empty());
}

TEST_P(PollerConformance, TriggersMayChangeFromOneToAnother) {
  const TestPipe pipe(sys());
  Write(pipe.write.get());
  const Token token = Add(pipe.read.get(), Ready::kReadable);
  for (const Trigger trigger : Triggers()) {
    Modify(pipe.read.get(), token, Ready::kReadable, trigger);
    EXPECT_EQ(Look(/*room=*/4, /*waits=*/5).Times(token),
              trigger == Trigger::kLevel ? 5 : 1);
    Modify(pipe.read.get(), token, Ready::kReadable);
    EXPECT_EQ(Look(/*room=*/4, /*waits=*/5).Times(token), 5);
  }
}

TEST_P(PollerConformance, TriggersThatAreNotClaimedAreRefused) {
  const TestPipe pipe(sys());
  const auto refuses = [&](Trigger trigger, bool claimed) {
    if (claimed) return;
    const Token token = NewToken();
    EXPECT_EQ(poller()
                  .Add(pipe.read.get(), token, {Ready::kReadable, trigger})
                  .code(),
              absl::StatusCode::kUnimplemented);
    // The refused Add left nothing behind.
    const Token second = Add(pipe.read.get(), Ready::kReadable);
    EXPECT_EQ(poller()
                  .Modify(pipe.read.get(), second, {Ready::kReadable, trigger})
                  .code(),
              absl::StatusCode::kUnimplemented);
    Remove(pipe.read.get(), second);
  };
  refuses(Trigger::kEdge, capabilities().edge);
  refuses(Trigger::kOneshot, capabilities().oneshot);
}

TEST_P(PollerConformance, Pitfall19_ARegularFileIsAlwaysReadyOrRefused) {
  if (virtual_time()) GTEST_SKIP() << "a simulated world has no files";
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  const int fd = ::fileno(file);
  const Token token = NewToken();
  const absl::Status added = poller().Add(fd, token, {kBoth});
  if (capabilities().any_fd) {
    EXPECT_TRUE(added.ok()) << added;
    EXPECT_EQ(Look(/*room=*/4, /*waits=*/3).Times(token), 3);
    EXPECT_EQ(Look().Of(token), kBoth);
    Remove(fd, token);
  } else {
    EXPECT_EQ(added.code(), absl::StatusCode::kUnimplemented) << added;
    EXPECT_EQ(poller().Remove(fd, token).code(), absl::StatusCode::kNotFound);
    EXPECT_TRUE(Look().empty());
  }
  std::fclose(file);
}

TEST_P(PollerConformance, Pitfall16_NoReadyDescriptorIsPassedOverForEver) {
  constexpr int kCount = 20;
  std::vector<TestPipe> pipes;
  std::vector<Token> tokens;
  for (int i = 0; i < kCount; ++i) {
    pipes.emplace_back(sys());
    Write(pipes.back().write.get());
    tokens.push_back(Add(pipes.back().read.get(), Ready::kReadable));
  }
  // There is room for one event and no pipe is read: each must get its turn.
  const Reports reports = Look(/*room=*/1, /*waits=*/3 * kCount);
  for (const Token token : tokens) EXPECT_GE(reports.Times(token), 1);
}

TEST_P(PollerConformance, WhatDidNotFitComesWithTheNextWait) {
  for (const Trigger trigger : Triggers()) {
    constexpr int kCount = 50;
    std::vector<TestPipe> pipes;
    std::vector<Token> tokens;
    for (int i = 0; i < kCount; ++i) {
      pipes.emplace_back(sys());
      tokens.push_back(Add(pipes.back().read.get(), Ready::kReadable, trigger));
      Write(pipes.back().write.get());
    }
    const Reports reports = Look(/*room=*/7, /*waits=*/2 * kCount);
    for (int i = 0; i < kCount; ++i) {
      if (trigger == Trigger::kLevel) {
        EXPECT_GE(reports.Times(tokens[i]), 1) << i;
      } else {
        EXPECT_EQ(reports.Times(tokens[i]), 1) << i;
      }
      Remove(pipes[i].read.get(), tokens[i]);
    }
  }
}

TEST_P(PollerConformance, NoRoomForAnEventIsAnError) {
  EXPECT_EQ(poller().Wait({}, Instant()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace trolley
