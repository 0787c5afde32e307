// SPDX-License-Identifier: Apache-2.0
//
// P16: every poller keeps the same contract. --gtest_filter=*/NAME runs one
// poller.

#include "trolley/tests/poller/conformance.h"

#include "trolley/poller/pollers.h"
#include "trolley/poller/sim.h"
#include "trolley/tests/poller/emulated_completions.h"

namespace trolley {
namespace {

// The world of a SimPoller as a rig: "while waiting" is a little later.
class SimRig final : public ConformanceRig {
 public:
  explicit SimRig(uint64_t seed) : world_(seed) {}

  Sys& sys() override { return world_.sys(); }
  const Clock& clock() override { return world_.clock(); }
  absl::StatusOr<std::unique_ptr<Poller>> NewPoller(Sys& /*sys*/) override {
    return world_.NewPoller();
  }
  void WhileWaiting(std::function<void()> action) override {
    world_.At(world_.clock().Now() + absl::Milliseconds(1), std::move(action));
  }
  void Settle() override {}

 private:
  SimWorld world_;
};

std::vector<ConformanceSubject> Subjects() {
  std::vector<ConformanceSubject> subjects;
  for (const NamedPoller& poller : BuiltinPollers()) {
    ConformanceSubject subject =
        OnKernel(std::string(poller.name), poller.create);
    subject.spins = poller.name == "busy";
    subject.may_be_refused = poller.name == "io_uring";
    subjects.push_back(std::move(subject));
  }
  subjects.push_back(OnKernel(
      "emulated",
      [](Sys& sys,
         const Clock& clock) -> absl::StatusOr<std::unique_ptr<Poller>> {
        auto inner = CreatePoller("epoll", sys, clock);
        if (!inner.ok()) return inner.status();
        return std::make_unique<EmulatedCompletions>(sys, *std::move(inner));
      }));
  for (const uint64_t seed : {1, 2, 3}) {
    subjects.push_back(
        {.name = "sim_seed" + std::to_string(seed),
         .new_rig = [seed] { return std::make_unique<SimRig>(seed); }});
  }
  return subjects;
}

INSTANTIATE_TEST_SUITE_P(P16, PollerConformance, testing::ValuesIn(Subjects()),
                         SubjectName);

}  // namespace
}  // namespace trolley
