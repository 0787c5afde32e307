// SPDX-License-Identifier: Apache-2.0
//
// Signals in the process of the test. raise() returns when the handler of the
// signal has run on the thread that called it. So the test knows how many
// signals there were. signals_test sends them from another process.

#include <signal.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/signals.h"
#include "trolley/actors/bus.h"
#include "trolley/bus/latch.h"

namespace trolley {
namespace {

// What the actor has been told.
class Told {
 public:
  void Add(uint64_t times) {
    absl::MutexLock lock(&mutex_);
    times_.push_back(times);
  }
  std::vector<uint64_t> Await(size_t messages) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&] {
      mutex_.AssertReaderHeld();
      return times_.size() >= messages;
    };
    mutex_.Await(absl::Condition(&enough));
    return times_;
  }

  absl::Notification go_on;  // the handler of the first one waits for it

 private:
  absl::Mutex mutex_;
  std::vector<uint64_t> times_ ABSL_GUARDED_BY(mutex_);
};

struct Listen {
  int signal;
};

class Listener : public Actor {
 public:
  explicit Listener(Told* told) : told_(*told) {}
  absl::Status On(const Listen& m) { return signals_.Start(this, {m.signal}); }
  void On(const Signalled& m) {
    told_.Add(m.times);
    told_.go_on.WaitForNotification();
  }

 private:
  Told& told_;
  Signals signals_;
};

class SignalsInProcessTest : public ::testing::Test {
 protected:
  Told told_;
  Bus bus_ = Bus::CreateOrDie({});
  Ref<Listener> listener_ = *bus_.Spawn<Listener>({}, &told_);
};

TEST_F(SignalsInProcessTest, ThoseThatComeWhileOneIsHandledAreCounted) {
  ASSERT_TRUE(
      listener_.AskAndWait(Listen{SIGUSR1}, absl::InfiniteDuration()).ok());
  raise(SIGUSR1);
  EXPECT_EQ(told_.Await(1), (std::vector<uint64_t>{1}));
  for (int i = 0; i < 3; ++i) raise(SIGUSR1);
  told_.go_on.Notify();
  EXPECT_EQ(told_.Await(2), (std::vector<uint64_t>{1, 3}));
}

TEST_F(SignalsInProcessTest, TheEndOfTheActorRestoresWhatWasThere) {
  ASSERT_NE(signal(SIGUSR2, SIG_IGN), SIG_ERR);
  ASSERT_TRUE(
      listener_.AskAndWait(Listen{SIGUSR2}, absl::InfiniteDuration()).ok());
  struct sigaction now = {};
  sigaction(SIGUSR2, nullptr, &now);
  EXPECT_NE(now.sa_handler, SIG_IGN);
  Latch ended;
  listener_.address().WhenEnded([&](const ActorEnd&) { ended.Open(); });
  listener_.Stop();
  ended.Wait();
  sigaction(SIGUSR2, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_IGN);
}

}  // namespace
}  // namespace trolley
