// SPDX-License-Identifier: Apache-2.0
//
// Lab: an actor that runs what a test gives it, in a coroutine handler. It has
// no behaviour of its own, so a test shows a pattern and nothing else.
//
//   SimBus sim;
//   auto lab = sim.Spawn<Lab>({});
//   EXPECT_EQ(RunIn(sim, lab, [&](Lab& lab) -> Task<absl::Status> {
//     co_return co_await Within(absl::Seconds(1), lab.Later(1)); }), ...);
//
// Later(), Failing() and Never() are tasks to give to a pattern. Each counts
// itself in alive(), as long as its frame lives.
//
// Ownership: a test spawns it.
// Threads:   that of the test.

#ifndef TROLLEY_TESTS_PATTERNS_LAB_H_
#define TROLLEY_TESTS_PATTERNS_LAB_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley::testing {

class Lab;
using Experiment = std::function<Task<absl::Status>(Lab&)>;

struct Do {
  Experiment what;
};

// Counts itself in `count` as long as it lives.
class Counted {
 public:
  explicit Counted(int& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  int& count_;
};

class Lab : public Actor {
 public:
  static constexpr bool kInterleaved = true;

  Task<absl::Status> On(Do m) { co_return co_await m.what(*this); }

  using Actor::context;
  using Actor::RunInBackground;
  using Actor::Sleep;
  Instant Now() const { return context().Now(); }
  Ref<Lab> self() const { return Self(this); }

  // How many of the tasks below exist.
  int alive() const { return *alive_; }
  // The same, also when the actor has ended.
  std::shared_ptr<const int> alive_counter() const { return alive_; }

  // Returns `value` after so many milliseconds; 0: without waiting.
  Task<int> Later(int ms, int value = 0) {
    const auto alive = alive_;
    Counted counted(*alive);
    if (ms > 0) co_await Sleep(absl::Milliseconds(ms));
    co_return value;
  }
  // The same through a chain of tasks.
  Task<int> Deep(int depth, int ms, int value) {
    const auto alive = alive_;
    Counted counted(*alive);
    if (depth == 0) co_return co_await Later(ms, value);
    const int got = co_await Deep(depth - 1, ms, value);
    co_await Sleep(absl::ZeroDuration());
    co_return got;
  }
  Task<absl::StatusOr<int>> Result(int ms, absl::StatusOr<int> result) {
    const auto alive = alive_;
    Counted counted(*alive);
    if (ms > 0) co_await Sleep(absl::Milliseconds(ms));
    co_return result;
  }
  Task<absl::Status> Failing(int ms, absl::Status error) {
    const auto alive = alive_;
    Counted counted(*alive);
    if (ms > 0) co_await Sleep(absl::Milliseconds(ms));
    co_return error;
  }
  Task<int> Never() {
    const auto alive = alive_;
    Counted counted(*alive);
    co_await Sleep(absl::InfiniteDuration());
    co_return -1;
  }

 private:
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// Runs `what` in the handler of `lab`, and the bus until it has returned.
inline absl::Status RunIn(SimBus& sim, const Ref<Lab>& lab, Experiment what,
                          absl::Duration limit = absl::Hours(24)) {
  return sim.Ask(lab, Do{std::move(what)}, limit);
}

// Begins `what` and returns at once. The result is set when it has returned.
// After `limit` it is cancelled, if it waits.
using Outcome = std::shared_ptr<std::optional<absl::Status>>;
inline Outcome Begin(const Ref<Lab>& lab, Experiment what,
                     absl::Duration limit = absl::InfiniteDuration()) {
  auto outcome = std::make_shared<std::optional<absl::Status>>();
  lab.AskThen(Do{std::move(what)}, limit,
              [outcome](absl::Status status) { outcome->emplace(status); });
  return outcome;
}

}  // namespace trolley::testing

#endif  // TROLLEY_TESTS_PATTERNS_LAB_H_
