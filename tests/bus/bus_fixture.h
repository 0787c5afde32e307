// SPDX-License-Identifier: Apache-2.0
//
// BusFixture: one bus under test, in every form of a bus (bus_form.h): with
// loops on threads of their own over each poller that this machine allows, or
// all on the thread of the test over the simulated poller.
//
//   using OrderTest = BusFixture;
//   TROLLEY_FOR_EACH_BUS(OrderTest);
//   TEST_P(OrderTest, P1_...) {
//     Bus& bus = Start();
//     ...
//     Await(done);       // drives the loops if they have no threads
//   }
//
// Threads: the test's. Waits have no deadline; the time limit of the test ends
//          them.

#ifndef TROLLEY_TESTS_BUS_BUS_FIXTURE_H_
#define TROLLEY_TESTS_BUS_BUS_FIXTURE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/poller/sim.h"
#include "trolley/tests/bus/bus_form.h"

namespace trolley {

// Lines that a bus logged.
class LogLines {
 public:
  void Add(absl::string_view line);
  std::vector<std::string> Get() const;
  // How many contain all of `parts`.
  int Count(std::vector<std::string> parts) const;

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

class BusFixture : public testing::TestWithParam<BusForm> {
 protected:
  ~BusFixture() override;

  // Starts a bus of this form; `adjust` may change the options first. The bus
  // before it, if any, ends.
  Bus& Start(const std::function<void(BusOptions&)>& adjust = nullptr);
  Bus& bus() { return *bus_; }
  // Ends the bus without Shutdown().
  void Destroy() { bus_.reset(); }

  bool simulated() const { return GetParam().simulated(); }
  int loops() const { return GetParam().loops; }
  // Loop `i`, or the last if the bus has fewer.
  int LoopAt(int i) const { return i < loops() ? i : loops() - 1; }
  SimWorld& world() { return *world_; }
  // All that has been logged so far.
  LogLines& log();

  void Await(const absl::Notification& happened) {
    AwaitThat([&] { return happened.HasBeenNotified(); },
              [&] { happened.WaitForNotification(); });
  }
  // In a simulated world: runs until nothing can happen any more.
  void Settle();

  // The bus's own view, once every loop has answered.
  BusInfo Look();

 private:
  void AwaitThat(const std::function<bool()>& happened,
                 const std::function<void()>& block);
  // Moves virtual time to the next timer. False if there is none.
  bool StepTime();

  LogLines log_;
  std::optional<SimWorld> world_;
  std::unique_ptr<Bus> bus_;
};

#define TROLLEY_FOR_EACH_BUS(suite)                                     \
  INSTANTIATE_TEST_SUITE_P(Forms, suite, testing::ValuesIn(BusForms()), \
                           BusFormName)

}  // namespace trolley

#endif  // TROLLEY_TESTS_BUS_BUS_FIXTURE_H_
