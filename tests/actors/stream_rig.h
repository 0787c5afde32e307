// SPDX-License-Identifier: Apache-2.0
//
// StreamRig: a bus on any poller, which the test drives turn by turn, and
// actors that run functions of the test. The pollers are the built-in ones,
// io_uring without completions, emulated completions, emulated completions that
// never wait, and the simulated world.
//
// Ownership: a test owns one, for one case.
// Threads:   one thread.

#ifndef TROLLEY_TESTS_ACTORS_STREAM_RIG_H_
#define TROLLEY_TESTS_ACTORS_STREAM_RIG_H_

#include <linux/io_uring.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/poller/sim.h"
#include "trolley/poller/uring/io_uring_poller.h"
#include "trolley/tests/poller/emulated_completions.h"

namespace trolley {

// A kernel whose io_uring waits for descriptors and does nothing else.
class OldKernel final : public Sys {
 public:
  intptr_t Call(SysCall call, Args args) override {
    const intptr_t result = RealSys().Call(call, args);
    if (call == SysCall::kIoUringRegister && args[1] == IORING_REGISTER_PROBE) {
      auto* const probe = reinterpret_cast<io_uring_probe*>(args[2]);
      probe->ops[IORING_OP_READ].flags = 0;
    }
    return result;
  }
};

// Runs a coroutine in the background.
class Worker : public Actor {
 public:
  using Body = std::function<Task<absl::Status>(Worker&)>;
  explicit Worker(Body body) : body_(std::move(body)) {}
  using Actor::context;
  using Actor::RunInBackground;
  using Actor::Sleep;

  struct Nothing {};
  void On(const Nothing&) {}

 protected:
  void OnStart() override { RunInBackground(body_(*this)); }

 private:
  const Body body_;
};

class StreamRig {
 public:
  static std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const NamedPoller& poller : BuiltinPollers()) {
      names.emplace_back(poller.name);
    }
    for (const char* name : {"io_uring_of_an_old_kernel", "emulated",
                             "emulated_that_never_waits", "sim"}) {
      names.emplace_back(name);
    }
    return names;
  }

  StreamRig(const std::string& name, uint64_t seed) {
    LoopOptions loop;
    BusOptions options;
    options.for_tests.single_threaded = true;
    options.log = [this](absl::string_view line) { log_ += std::string(line); };
    if (name == "sim") {
      world_.emplace(seed);
      options.for_tests.sys = &world_->sys();
      options.for_tests.clock = &world_->clock();
      loop.factory = [this](Sys&, const Clock&) { return world_->NewPoller(); };
    } else if (name == "io_uring_of_an_old_kernel") {
      options.for_tests.sys = &old_kernel_;
      loop.factory = internal::IoUringPoller::Create;
    } else if (name.starts_with("emulated")) {
      loop.factory = Emulated(name == "emulated_that_never_waits");
    } else {
      loop.factory = [name](Sys& sys, const Clock& clock) {
        return CreatePoller(name, sys, clock);
      };
    }
    if (options.for_tests.sys != nullptr) sys_ = options.for_tests.sys;
    if (options.for_tests.clock == nullptr) {
      refused_ = loop.factory(*sys_, MonotonicClock()).status();
    }
    if (!refused_.ok()) return;
    options.loops = {loop};
    bus_ = *Bus::Create(options);
  }

  ~StreamRig() {
    if (bus_ == nullptr) return;
    EXPECT_TRUE(bus_->Shutdown(absl::Seconds(5)).ledger.Balances());
    bus_.reset();
    EXPECT_EQ(log_, "");
  }

  // Why this machine has no such poller, if it has not.
  const absl::Status& refused() const { return refused_; }
  bool simulated() const { return world_.has_value(); }
  Sys& sys() { return *sys_; }
  Bus& bus() { return *bus_; }

  Ref<Worker> Spawn(Worker::Body body) {
    auto ref = bus_->Spawn<Worker>({}, std::move(body));
    EXPECT_TRUE(ref.ok()) << ref.status();
    return *ref;
  }
  // Until nothing is left to do but to wait for what the test does next.
  void Run() { bus_->RunUntilIdle(); }

 private:
  static PollerFactory Emulated(bool never_waits) {
    return [never_waits](
               Sys& sys,
               const Clock& clock) -> absl::StatusOr<std::unique_ptr<Poller>> {
      auto inner = CreatePoller("epoll", sys, clock);
      if (!inner.ok()) return inner.status();
      auto made = std::make_unique<EmulatedCompletions>(sys, *std::move(inner));
      made->set_never_waits(never_waits);
      return made;
    };
  }

  absl::Status refused_;
  std::string log_;
  std::optional<SimWorld> world_;
  OldKernel old_kernel_;
  Sys* sys_ = &RealSys();
  std::unique_ptr<Bus> bus_;
};

}  // namespace trolley

#endif  // TROLLEY_TESTS_ACTORS_STREAM_RIG_H_
