// SPDX-License-Identifier: Apache-2.0
//
// What becomes of messages when a child restarts: a Ref goes on working, the
// mailbox is kept or dropped, and the ledger tells of each message.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/watch.h"
#include "trolley/tests/supervision/supervision_fixture.h"

namespace trolley {
namespace {

using MailboxTest = SupervisionTest;

Ledger operator-(Ledger a, const Ledger& b) {
  a.attempted -= b.attempted;
  a.accepted -= b.accepted;
  a.refused -= b.refused;
  a.handled -= b.handled;
  a.failed -= b.failed;
  a.expired -= b.expired;
  a.dead_lettered -= b.dead_lettered;
  return a;
}

TEST_F(MailboxTest, P20_ARefWorksOverRestarts) {
  Spawn("app", {.max_restarts = 100, .backoff = kAtOnce}, {Worker("a")});
  const Ref<TestWorker> a = *sim().bus().Find<TestWorker>("app/a");
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(*sim().Ask(a, Echo{i}, absl::Seconds(1)), i);
    ASSERT_EQ(a.Tell(Crash{}), Delivery::kAccepted);
    sim().RunUntilIdle();
    EXPECT_EQ(sim().bus().FindAddress("app/a").value_or(Address()),
              a.address());
  }
  EXPECT_EQ(*sim().Ask(a, Echo{7}, absl::Seconds(1)), 7);
}

// The third of ten messages kills the child. The ledger of each policy.
TEST_F(MailboxTest, P20_TheMailboxIsKeptOrDroppedAndTheLedgerIsExact) {
  for (const bool keep : {true, false}) {
    SCOPED_TRACE(absl::StrCat("keep: ", keep));
    testing::ForEachSeed(20, [&](uint64_t seed) {
      Begin(1, seed);
      Spawn("app", {}, {Worker("a", {.keep_mailbox = keep})});
      Take();
      const Ref<TestWorker> a = Find("app/a");
      const Ledger before = sim().ledger();
      for (int i = 1; i <= 10; ++i) {
        if (i == 3) {
          EXPECT_EQ(a.Tell(Crash{}), Delivery::kAccepted);
        } else {
          EXPECT_EQ(a.Tell(Note{i}), Delivery::kAccepted);
        }
      }
      sim().RunUntilIdle();
      EXPECT_EQ(Take(), "a=1 a=2 -a");
      Ledger so_far = sim().ledger() - before;
      EXPECT_EQ(so_far.failed, 1u);
      EXPECT_EQ(so_far.dead_lettered, keep ? 0u : 7u);
      EXPECT_EQ(so_far.queued(), keep ? 7u : 0u);
      // During the backoff the mailbox takes more, and keeps it.
      EXPECT_EQ(a.Tell(Note{11}), Delivery::kAccepted);
      sim().RunFor(absl::Seconds(1));
      EXPECT_EQ(Take(),
                keep ? "+a a=4 a=5 a=6 a=7 a=8 a=9 a=10 a=11" : "+a a=11");
      const Ledger all = sim().ledger() - before;
      EXPECT_EQ(all.failed, 1u);
      EXPECT_EQ(all.expired, 0u);
      EXPECT_EQ(all.refused, 0u);
      EXPECT_EQ(all.dead_lettered, keep ? 0u : 7u);
      EXPECT_TRUE(all.Balances()) << all.ToString();
    });
  }
}

TEST_F(MailboxTest, P20_TheFatalMessageIsNotHandledAgain) {
  Spawn("app", {.max_restarts = 3, .backoff = kAtOnce}, {Worker("a")});
  Take();
  const Ref<TestWorker> a = Find("app/a");
  std::optional<absl::Status> reply;
  a.AskThen(Crash{}, absl::Hours(1),
            [&](absl::Status got) { reply = std::move(got); });
  a.Tell(Note{1});
  a.Tell(Crash{});
  a.Tell(Note{2});
  sim().RunFor(absl::Seconds(1));
  EXPECT_EQ(Take(), "-a +a a=1 -a +a a=2");
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->code(), absl::StatusCode::kInternal) << *reply;
}

// An ask in the mailbox: answered by the next object, or it fails.
TEST_F(MailboxTest, P20_AsksInTheMailboxAreAnsweredOrFail) {
  for (const bool keep : {true, false}) {
    SCOPED_TRACE(keep);
    Begin(2, std::nullopt);
    Spawn("app", {}, {Worker("a", {.loop = 1, .keep_mailbox = keep})});
    const Ref<TestWorker> a = Find("app/a");
    std::optional<absl::StatusOr<int>> reply, impatient;
    a.Tell(Crash{});
    a.AskThen(Echo{5}, absl::Hours(1), [&](auto got) { reply = got; });
    a.AskThen(Echo{6}, absl::Milliseconds(1),
              [&](auto got) { impatient = got; });
    sim().RunFor(absl::Seconds(1));
    ASSERT_TRUE(reply.has_value());
    ASSERT_TRUE(impatient.has_value());
    if (keep) {
      ASSERT_TRUE(reply->ok()) << reply->status();
      EXPECT_EQ(**reply, 5);
      // The backoff is longer than it would wait.
      EXPECT_EQ(impatient->status().code(),
                absl::StatusCode::kDeadlineExceeded);
    } else {
      EXPECT_EQ(reply->status().code(), absl::StatusCode::kNotFound)
          << reply->status();
    }
  }
}

TEST_F(MailboxTest, P20_AMailboxIsBoundedWhileNoObjectIsThere) {
  Spawn("app", {.backoff = {.first = absl::Seconds(1), .jitter = 0}},
        {Worker("a", {.mailbox_capacity = 4})});
  Tell("app/a", Crash{});
  const Ref<TestWorker> a = Find("app/a");
  int accepted = 0;
  while (a.Tell(Note{accepted}) == Delivery::kAccepted) {
    ASSERT_LE(++accepted, 4);
  }
  EXPECT_EQ(accepted, 4);
  EXPECT_EQ(a.Tell(Note{9}), Delivery::kFull);
  Take();
  sim().RunFor(absl::Seconds(2));
  EXPECT_EQ(Take(), "+a a=0 a=1 a=2 a=3");
}

TEST_F(MailboxTest, P20_AWatcherHearsOfTheLastEndOnly) {
  class Watcher : public Actor {
   public:
    Watcher(const Address& watched, std::vector<Down>* downs)
        : watch_(Self(this), watched), downs_(*downs) {}
    void On(const Down& m) { downs_.push_back(m); }

   private:
    Watch watch_;
    std::vector<Down>& downs_;
  };
  std::vector<Down> downs;
  const Ref<Supervisor> app =
      Spawn("app", {.max_restarts = 1, .backoff = kAtOnce}, {Worker("a")});
  sim().Spawn<Watcher>({}, Find("app/a").address(), &downs);
  Tell("app/a", Crash{});
  EXPECT_EQ(downs.size(), 0u);
  Tell("app/a", Crash{});
  EXPECT_EQ(EndOf(app.address()).kind, ExitReason::Kind::kFailed);
  ASSERT_EQ(downs.size(), 1u);
  EXPECT_EQ(downs[0].name, "app/a");
  sim().Finish();
}

// In a group, the others handle their mailbox before they stop, and what comes
// later waits for their next object.
TEST_F(MailboxTest, P20_TheOthersOfAGroupLoseNothing) {
  testing::ForEachSeed(20, [&](uint64_t seed) {
    Begin(2, seed);
    Spawn("app", {.strategy = Strategy::kOneForAll},
          {Worker("a"), Worker("b", {.loop = 1})});
    const Ref<TestWorker> a = Find("app/a"), b = Find("app/b");
    Take();
    const Ledger before = sim().ledger();
    a.Tell(Crash{});
    for (int i = 0; i < 5; ++i) b.Tell(Note{i});
    sim().RunFor(absl::Milliseconds(10));
    for (int i = 5; i < 9; ++i) b.Tell(Note{i});
    sim().RunFor(absl::Seconds(1));
    const std::string events = Take();
    for (int i = 0; i < 9; ++i) {
      EXPECT_TRUE(absl::StrContains(events, absl::StrCat("b=", i))) << events;
    }
    const Ledger all = sim().ledger() - before;
    EXPECT_EQ(all.failed, 1u);
    EXPECT_EQ(all.dead_lettered, 0u);
    EXPECT_TRUE(all.Balances()) << all.ToString();
  });
}

}  // namespace
}  // namespace trolley
