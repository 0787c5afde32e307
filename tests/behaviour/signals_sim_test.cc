// SPDX-License-Identifier: Apache-2.0
//
// Signals on a simulated bus, and signals that cannot be caught.

#include <signal.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/signals.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {
namespace {

struct Begin {
  std::vector<int> signals;
};

class Taker : public Actor {
 public:
  explicit Taker(std::vector<int>* got) : got_(*got) {}
  absl::Status On(const Begin& m) { return signals_.Start(this, m.signals); }
  void On(const Signalled& m) { got_.push_back(m.signal); }

 private:
  std::vector<int>& got_;
  Signals signals_;
};

class SimSignalsTest : public ::testing::Test {
 protected:
  absl::Status Start(const std::vector<int>& signals) {
    return sim_.Ask(taker_, Begin{signals}, absl::Seconds(1));
  }
  static bool IsDefault(int signal) {
    struct sigaction now;
    sigaction(signal, nullptr, &now);
    return now.sa_handler == SIG_DFL;
  }

  std::vector<int> got_;
  testing::SimBus sim_;
  Ref<Taker> taker_ = sim_.Spawn<Taker>({}, &got_);
};

TEST_F(SimSignalsTest, ASimulatedPollerHasNoSignalsAndTheTestSendsThem) {
  EXPECT_FALSE(Start({SIGUSR1}).ok());
  EXPECT_TRUE(IsDefault(SIGUSR1));
  taker_.Tell(Signalled{.signal = SIGHUP});
  sim_.RunUntilIdle();
  EXPECT_EQ(got_, std::vector<int>{SIGHUP});
}

TEST_F(SimSignalsTest, SignalsThatCannotBeCaughtAreRefusedByName) {
  for (const int signal :
       {SIGKILL, SIGSTOP, SIGSEGV, SIGPIPE, SIGIO, SIGRTMIN, 0, -1, 1000}) {
    const absl::Status refused = Start({signal});
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
    EXPECT_TRUE(
        absl::StrContains(refused.message(), absl::StrCat("signal ", signal)))
        << refused;
  }
}

}  // namespace
}  // namespace trolley
