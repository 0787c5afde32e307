// SPDX-License-Identifier: Apache-2.0
//
// Each event must belong to the right registration while descriptors are
// opened, closed and opened again.

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>

#include "trolley/tests/poller/conformance.h"

namespace trolley {
namespace {

constexpr Interest kRead = {.ready = Ready::kReadable};

TEST_P(PollerConformance, RegisteringTwiceIsRefusedAndHarmless) {
  const TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable);
  EXPECT_EQ(poller().Add(pipe.read.get(), NewToken(), kRead).code(),
            absl::StatusCode::kAlreadyExists);
  Write(pipe.write.get());
  EXPECT_EQ(WaitFor(token).Of(token), Ready::kReadable);
}

TEST_P(PollerConformance, WhatIsNotRegisteredIsNotFound) {
  const TestPipe pipe(sys());
  const Token token = NewToken();
  EXPECT_EQ(poller().Modify(pipe.read.get(), token, kRead).code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(poller().Remove(pipe.read.get(), token).code(),
            absl::StatusCode::kNotFound);
  ASSERT_TRUE(poller().Add(pipe.read.get(), token, kRead).ok());
  const Token other = NewToken();
  EXPECT_EQ(poller().Modify(pipe.read.get(), other, kRead).code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(poller().Remove(pipe.read.get(), other).code(),
            absl::StatusCode::kNotFound);
  Remove(pipe.read.get(), token);
  EXPECT_EQ(poller().Remove(pipe.read.get(), token).code(),
            absl::StatusCode::kNotFound);
}

TEST_P(PollerConformance, ADescriptorThatIsNotOpenIsInvalid) {
  TestPipe pipe(sys());
  const int number = pipe.read.get();
  pipe.read.reset();
  for (const Ready ready : {Ready::kReadable, Ready::kNone}) {
    EXPECT_EQ(poller().Add(number, NewToken(), {ready}).code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(poller().Add(-1, NewToken(), kRead).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Look().empty());
}

TEST_P(PollerConformance, TheReservedTokenIsInvalid) {
  const TestPipe pipe(sys());
  EXPECT_EQ(
      poller().Add(pipe.read.get(), {Token::kReservedSlot, 0}, kRead).code(),
      absl::StatusCode::kInvalidArgument);
}

TEST_P(PollerConformance, TheWholeTokenComesBack) {
  const Token tokens[] = {
      {0, 0},
      {0, std::numeric_limits<uint32_t>::max()},
      {Token::kReservedSlot - 1, std::numeric_limits<uint32_t>::max()},
      {0x8000'0000, 0x8000'0000}};
  for (const Token token : tokens) {
    const TestPipe pipe(sys());
    Write(pipe.write.get());
    ASSERT_TRUE(poller().Add(pipe.read.get(), token, kRead).ok());
    EXPECT_EQ(Look().Of(token), Ready::kReadable);
    Remove(pipe.read.get(), token);
  }
}

TEST_P(PollerConformance, Pitfall1_ANumberUsedAgainInABatchKeepsItsEvents) {
  for (const Trigger trigger : Triggers()) {
    TestPipe a(sys());
    TestPipe b(sys());
    Write(a.write.get());
    Write(b.write.get());
    const Token token_a = Add(a.read.get(), Ready::kReadable, trigger);
    const Token token_b = Add(b.read.get(), Ready::kReadable, trigger);
    // One of the two is reported; its handler closes the other, whose event
    // the poller may hold already, and opens a new one on the same number.
    Reports first;
    ASSERT_EQ(WaitOnce(first, /*room=*/1, Instant()).events, 1u);
    const bool a_first = first.Times(token_a) == 1;
    TestPipe& gone = a_first ? b : a;
    const Token gone_token = a_first ? token_b : token_a;
    const int number = gone.read.get();
    Remove(number, gone_token);
    gone.read.reset();
    TestPipe fresh(sys());
    ASSERT_EQ(fresh.read.get(), number) << "the number was not used again";
    const Token fresh_token = Add(number, Ready::kReadable, trigger);

    Reports reports = Look();
    EXPECT_EQ(reports.Times(gone_token), 0);
    EXPECT_EQ(reports.Times(fresh_token), 0);
    Write(fresh.write.get());
    reports = Look();
    EXPECT_EQ(reports.Times(gone_token), 0);
    EXPECT_GE(reports.Times(fresh_token), 1);
    Remove(number, fresh_token);
    TestPipe& other = a_first ? a : b;
    Remove(other.read.get(), a_first ? token_a : token_b);
  }
}

TEST_P(PollerConformance, Pitfall2_ADuplicateDoesNotReportAfterRemove) {
  TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable);
  const ScopedFd duplicate(sys(), sys().Dup(pipe.read.get()));
  Write(pipe.write.get());
  EXPECT_EQ(Look().Of(token), Ready::kReadable);
  Remove(pipe.read.get(), token);
  pipe.read.reset();
  EXPECT_TRUE(Look().empty());
}

TEST_P(PollerConformance, Pitfall2_RemoveAfterCloseStillEndsIt) {
  TestPipe pipe(sys());
  const TestPipe other(sys());
  const int number = pipe.read.get();
  const Token token = Add(number, Ready::kReadable);
  const Token other_token = Add(other.read.get(), Ready::kReadable);
  const ScopedFd duplicate(sys(), sys().Dup(number));
  Write(pipe.write.get());
  pipe.read.reset();  // too early: the duplicate keeps the file alive
  Remove(number, token);
  EXPECT_TRUE(Look().empty());
  Write(other.write.get());
  EXPECT_EQ(Look().Of(other_token), Ready::kReadable);
  poller().Wake();
  EXPECT_TRUE(WaitUntil([](const Reports& r) { return r.woken; }).woken);
}

TEST_P(PollerConformance, Pitfall3_RemoveCloseReopenBeforeTheNextWait) {
  TestPipe old_pipe(sys());
  const int number = old_pipe.read.get();
  const Token old_token = Add(number, Ready::kReadable);
  Look();
  Write(old_pipe.write.get());
  Remove(number, old_token);
  old_pipe.read.reset();
  const TestPipe fresh(sys());
  ASSERT_EQ(fresh.read.get(), number);
  const Token fresh_token = Add(number, Ready::kReadable);
  EXPECT_TRUE(Look().empty());
  Write(fresh.write.get());
  const Reports reports = WaitFor(fresh_token);
  EXPECT_EQ(reports.Times(old_token), 0);
  EXPECT_EQ(reports.Of(fresh_token), Ready::kReadable);
}

TEST_P(PollerConformance,
       Pitfall2_AReportedOneshotStaysSilentWhenOthersGoEarly) {
  if (!capabilities().oneshot) GTEST_SKIP() << "has no kOneshot";
  TestPipe closed(sys());
  TestSockets pair(sys());
  const Token oneshot = Add(pair.a.get(), Ready::kReadable, Trigger::kOneshot);
  pair.b.reset();  // a hangup, which lasts
  EXPECT_TRUE(Any(WaitFor(oneshot).Of(oneshot) & Ready::kReadable));
  const int number = closed.read.get();
  const Token early = Add(number, Ready::kReadable);
  const ScopedFd duplicate(sys(), sys().Dup(number));
  EXPECT_TRUE(Look().empty());
  closed.read.reset();  // before Remove
  Remove(number, early);
  EXPECT_TRUE(Look().empty()) << "reported again without Modify";
  Modify(pair.a.get(), oneshot, Ready::kReadable, Trigger::kOneshot);
  EXPECT_EQ(Look().Times(oneshot), 1);
}

TEST_P(PollerConformance, Pitfall4_ModifyAfterTheNumberWasUsedAgain) {
  TestPipe old_pipe(sys());
  const int number = old_pipe.read.get();
  const Token token = Add(number, Ready::kReadable);
  const ScopedFd duplicate(sys(), sys().Dup(number));
  Look();
  old_pipe.read.reset();  // without Remove: a bug of the caller
  const TestPipe fresh(sys());
  ASSERT_EQ(fresh.read.get(), number);
  const absl::Status modified = poller().Modify(number, token, kRead);
  Write(old_pipe.write.get());
  EXPECT_TRUE(Look().empty()) << "the file that is gone is reported";
  Write(fresh.write.get());
  if (modified.ok()) {
    EXPECT_EQ(Look().Of(token), Ready::kReadable);
  } else {
    EXPECT_EQ(modified.code(), absl::StatusCode::kInvalidArgument);
  }
  Remove(number, token);
  EXPECT_TRUE(Look().empty());
}

TEST_P(PollerConformance, Pitfall5_AForkedChildThatEndsDisturbsNothing) {
  if (virtual_time()) GTEST_SKIP() << "a simulated world does not fork";
  const TestPipe pipe(sys());
  const Token token = Add(pipe.read.get(), Ready::kReadable);
  Look();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (capabilities().fork_safe) {
      poller().Remove(pipe.read.get(), token).IgnoreError();
      DestroyPoller();
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  Write(pipe.write.get());
  EXPECT_EQ(WaitFor(token).Of(token), Ready::kReadable);
  poller().Wake();
  EXPECT_TRUE(WaitUntil([](const Reports& r) { return r.woken; }).woken);
}

TEST_P(PollerConformance, Pitfall7_AfterRemoveCloseReachesThePeerAtOnce) {
  TestSockets pair(sys());
  const Token token = Add(pair.a.get(), Ready::kReadable);
  Look();
  Remove(pair.a.get(), token);
  pair.a.reset();
  char byte = 0;
  EXPECT_EQ(sys().Read(pair.b.get(), {&byte, 1}), 0)
      << "the poller keeps the socket alive";
}

// An event has happened, and no Wait has taken it.
TEST_P(PollerConformance, Pitfall7_SoItIsWhenAnEventIsOnItsWay) {
  for (const Trigger trigger :
       {Trigger::kLevel, Trigger::kOneshot, Trigger::kEdge}) {
    SCOPED_TRACE(static_cast<int>(trigger));
    TestSockets pair(sys());
    const Token token = NewToken();
    const absl::Status added =
        poller().Add(pair.a.get(), token, {Ready::kReadable, trigger});
    if (absl::IsUnimplemented(added)) continue;  // it has no such trigger
    ASSERT_TRUE(added.ok()) << added;
    Look();
    Write(pair.b.get());
    Remove(pair.a.get(), token);
    pair.a.reset();
    char byte = 0;
    const ssize_t n = sys().Read(pair.b.get(), {&byte, 1});
    EXPECT_TRUE(n == 0 || n == -ECONNRESET)
        << n << ": the poller keeps the socket alive";
  }
}

TEST_P(PollerConformance, Pitfall8_NoEventAfterRemoveHoweverItRaces) {
  const TestPipe pipe(sys());
  for (int i = 0; i < 300; ++i) {
    const Token token = Add(pipe.read.get(), Ready::kReadable);
    if (i % 3 == 0) Look(/*room=*/4, /*waits=*/1);
    Write(pipe.write.get());
    if (i % 3 == 1) Look(/*room=*/4, /*waits=*/1);
    Remove(pipe.read.get(), token);
    EXPECT_EQ(Look(/*room=*/4, /*waits=*/2).Times(token), 0) << "round " << i;
    ReadAll(pipe.read.get());
  }
}

TEST_P(PollerConformance, Pitfall21_HighNumbersWorkOrAreOutOfRange) {
  if (virtual_time()) GTEST_SKIP() << "the numbers are not the kernel's";
  for (const int wanted : {1023, 1024, 1100, 5000}) {
    const TestPipe pipe(sys());
    const ScopedFd high(sys(),
                        sys().Fcntl(pipe.read.get(), F_DUPFD_CLOEXEC, wanted));
    if (!high) {
      std::cout << "no descriptor number " << wanted << " in this process\n";
      continue;
    }
    const Token token = NewToken();
    const absl::Status added = poller().Add(high.get(), token, kRead);
    if (high.get() > capabilities().max_fd) {
      EXPECT_EQ(added.code(), absl::StatusCode::kOutOfRange) << added;
      continue;
    }
    ASSERT_TRUE(added.ok()) << added;
    EXPECT_TRUE(Look().empty());
    Write(pipe.write.get());
    EXPECT_EQ(Look().Of(token), Ready::kReadable) << high.get();
    Remove(high.get(), token);
    EXPECT_TRUE(Look().empty());
  }
}

TEST_P(PollerConformance, Pitfall22_ABadDescriptorDoesNotSilenceTheOthers) {
  TestPipe bad(sys());
  const TestPipe good(sys());
  const int number = bad.read.get();
  const Token bad_token = Add(number, Ready::kReadable);
  const Token good_token = Add(good.read.get(), Ready::kReadable);
  Look();
  bad.read.reset();  // without Remove: a bug of the caller
  bad.write.reset();
  // A poller that pins the file may still report its end, but only once.
  Look();
  EXPECT_TRUE(Look().empty());
  Write(good.write.get());
  EXPECT_EQ(WaitFor(good_token).Of(good_token), Ready::kReadable);
  ReadAll(good.read.get());
  rig().WhileWaiting([this] { poller().Wake(); });
  EXPECT_TRUE(WaitUntil([](const Reports& r) { return r.woken; }).woken);
  rig().Settle();  // its thread opens files, which may get the number
  Remove(number, bad_token);
}

TEST_P(PollerConformance, Pitfall45_ManyAtOnceAndAllReady) {
  // Far more than any batch or ring inside a poller holds.
  const size_t count = std::min<size_t>(capabilities().max_descriptors,
                                        virtual_time() ? 300 : 1500);
  const TestPipe pipe(sys());
  Write(pipe.write.get());
  std::vector<ScopedFd> duplicates;
  std::vector<Token> tokens;
  for (size_t i = 0; i < count; ++i) {
    ScopedFd duplicate(sys(), sys().Dup(pipe.read.get()));
    if (!duplicate || duplicate.get() > capabilities().max_fd) break;
    tokens.push_back(Add(duplicate.get(), Ready::kReadable));
    duplicates.push_back(std::move(duplicate));
  }
  std::cout << duplicates.size() << " descriptors\n";
  ASSERT_GE(duplicates.size(), std::min<size_t>(count, 100));
  Reports reports;
  for (int i = 0; i < 200 && reports.ready.size() < tokens.size(); ++i) {
    WaitOnce(reports, /*room=*/256, Instant());
  }
  for (const Token token : tokens) EXPECT_GE(reports.Times(token), 1);
  for (size_t i = 0; i < duplicates.size(); ++i) {
    Remove(duplicates[i].get(), tokens[i]);
  }
  EXPECT_TRUE(Look().empty());
}

TEST_P(PollerConformance, MoreThanMaxDescriptorsIsResourceExhausted) {
  const size_t most = capabilities().max_descriptors;
  if (most > 4096)
    GTEST_SKIP() << "max_descriptors is more than 4096: " << most;
  const TestPipe pipe(sys());
  std::vector<ScopedFd> duplicates;
  for (size_t i = 0; i < most; ++i) {
    duplicates.emplace_back(sys(), sys().Dup(pipe.read.get()));
    Add(duplicates.back().get(), Ready::kReadable);
  }
  EXPECT_EQ(poller().Add(pipe.read.get(), NewToken(), kRead).code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_P(PollerConformance, EndsCleanlyWithRegistrationsAndAWakeLeft) {
  const TestPipe pipe(sys());
  Write(pipe.write.get());
  Add(pipe.read.get(), Ready::kReadable);
  poller().Wake();
  DestroyPoller();
  // The poller neither read the pipe nor closed it.
  EXPECT_EQ(ReadAll(pipe.read.get()), 1u);
}

}  // namespace
}  // namespace trolley
