// SPDX-License-Identifier: Apache-2.0
//
// SupervisionTest: a supervisor and workers on a SimBus. Each worker writes
// down what it does, and fails when the test says so.
//
//   TEST_F(SupervisionTest, ...) {
//     Ref<Supervisor> app = Spawn("app", {}, {Worker("a"), Worker("b")});
//     sim().RunFor(absl::Seconds(1));
//     EXPECT_EQ(Take(), "+a +b");
//     Tell("app/a", Crash{});
//     ...
//   }
//
//   +a     OnStart() of worker a
//   !a     OnStartTask() of worker a has finished
//   -a     OnStop() of worker a
//   a=7    worker a handles Note{7}
//
// Ownership: the fixture owns the record and the bus.
// Threads:   that of the test.

#ifndef TROLLEY_TESTS_SUPERVISION_SUPERVISION_FIXTURE_H_
#define TROLLEY_TESTS_SUPERVISION_SUPERVISION_FIXTURE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {

struct Note {
  int number;
};
struct Crash {};
struct Leave {};  // the worker stops itself
struct Echo {
  int number;
};
// The handler waits for so long.
struct Hold {
  absl::Duration length;
};

// What the workers have done, and what their next starts do.
struct Record {
  std::vector<std::string> events;
  std::vector<absl::Duration> times;  // of the events, from the begin on
  Instant begin;
  // Called in OnStart() of the worker of that name; may throw.
  std::map<std::string, std::function<void()>> on_start;
  // How long its OnStartTask() takes, and what it returns.
  std::map<std::string, absl::Duration> start_takes;
  std::map<std::string, absl::Status> start_returns;

  void Add(Instant now, std::string event) {
    events.push_back(std::move(event));
    times.push_back(now - begin);
  }
};

class TestWorker : public Actor {
 public:
  TestWorker(Record* record, std::string name)
      : record_(*record), name_(std::move(name)) {}

  void On(const Note& m) { Add(absl::StrCat(name_, "=", m.number)); }
  void On(const Crash&) { throw std::runtime_error("boom"); }
  void On(const Leave&) { Stop(); }
  int On(const Echo& m) { return m.number; }
  Task<> On(Hold m) { co_await Sleep(m.length); }

 protected:
  void OnStart() override {
    Add("+" + name_);
    const auto at = record_.on_start.find(name_);
    if (at != record_.on_start.end()) at->second();
  }
  void OnStop() override { Add("-" + name_); }

  void Add(std::string event) {
    record_.Add(context().Now(), std::move(event));
  }

  Record& record_;
  const std::string name_;
};

// A worker whose start takes some time.
class SlowWorker : public TestWorker {
 public:
  using TestWorker::TestWorker;

  Task<absl::Status> OnStartTask() {
    co_await Sleep(record_.start_takes[name_]);
    const absl::Status status = record_.start_returns[name_];
    if (status.ok()) Add("!" + name_);
    co_return status;
  }
};

class SupervisionTest : public ::testing::Test {
 protected:
  explicit SupervisionTest(int loops = 1) { Begin(loops, std::nullopt); }

  // Ends the bus, and begins with another one.
  void Begin(int loops, std::optional<uint64_t> seed) {
    sim_.reset();
    record_ = Record();
    log_.clear();
    sim_ = std::make_unique<testing::SimBus>(testing::SimBusOptions{
        .loops = loops, .seed = seed, .adjust = [this](BusOptions& options) {
          options.log = [this](absl::string_view line) {
            log_.emplace_back(line);
          };
        }});
    record_.begin = sim_->Now();
  }

  testing::SimBus& sim() { return *sim_; }
  Record& record() { return record_; }

  template <typename A = TestWorker>
  ChildSpec Worker(const std::string& name, ChildOptions options = {}) {
    options.name = name;
    return Child<A>(std::move(options), &record_, name);
  }
  static ChildSpec Tree(const std::string& name, SupervisorOptions options,
                        std::vector<ChildSpec> children,
                        ChildOptions child = {}) {
    child.name = name;
    return Child<Supervisor>(std::move(child), options, std::move(children));
  }
  // Starts a supervisor, and runs what is due.
  Ref<Supervisor> Spawn(const std::string& name, SupervisorOptions options,
                        std::vector<ChildSpec> children) {
    const Ref<Supervisor> spawned =
        sim().Spawn<Supervisor>({.name = name}, options, std::move(children));
    sim().RunUntilIdle();
    return spawned;
  }

  // The worker of that name, also while no object is there.
  Ref<TestWorker> Find(const std::string& name) {
    absl::StatusOr<Address> found = sim().bus().FindAddress(name);
    if (!found.ok()) {
      ADD_FAILURE() << found.status();
      return Ref<TestWorker>();
    }
    return Ref<TestWorker>(*found);
  }
  // Tells the worker, and runs what is due.
  template <typename M>
  void Tell(const std::string& name, M message) {
    EXPECT_EQ(Find(name).Tell(std::move(message)), Delivery::kAccepted) << name;
    sim().RunUntilIdle();
  }

  // The events since the last call, with spaces between them.
  std::string Take() {
    std::string all = absl::StrJoin(record_.events, " ");
    record_.events.clear();
    record_.times.clear();
    return all;
  }
  // The same with times: "+a@0 +b@1.5".
  std::string TakeTimed() {
    std::vector<std::string> timed;
    for (size_t i = 0; i < record_.events.size(); ++i) {
      timed.push_back(absl::StrCat(record_.events[i], "@",
                                   absl::ToDoubleSeconds(record_.times[i])));
    }
    Take();
    return absl::StrJoin(timed, " ");
  }

  std::vector<ChildInfo> ChildrenOf(const Ref<Supervisor>& supervisor) {
    auto children = sim().Ask(supervisor, GetChildren{}, absl::Seconds(1));
    EXPECT_TRUE(children.ok()) << children.status();
    return children.ok() ? *std::move(children) : std::vector<ChildInfo>();
  }
  // "a up, b waiting"
  std::string StatesOf(const Ref<Supervisor>& supervisor) {
    return absl::StrJoin(ChildrenOf(supervisor), ", ",
                         [](std::string* to, const ChildInfo& child) {
                           absl::StrAppend(to, child.name, " ",
                                           ChildStateName(child.state));
                         });
  }
  ChildInfo ChildOf(const Ref<Supervisor>& supervisor,
                    const std::string& name) {
    for (ChildInfo& child : ChildrenOf(supervisor)) {
      if (child.name == name) return std::move(child);
    }
    ADD_FAILURE() << "no child " << name;
    return {};
  }
  // Why it has ended; kUnknown: it runs.
  ExitReason EndOf(const Address& actor) {
    auto reason = std::make_shared<ExitReason>();
    const EndWatch watch = actor.WhenEnded(
        [reason](const ActorEnd& end) { *reason = end.reason; });
    sim().RunUntilIdle();
    actor.ForgetWhenEnded(watch);
    return *reason;
  }
  bool Logged(absl::string_view text) const {
    for (const std::string& line : log_) {
      if (absl::StrContains(line, text)) return true;
    }
    return false;
  }

 private:
  Record record_;  // the workers use it until the bus has ended
  std::vector<std::string> log_;
  std::unique_ptr<testing::SimBus> sim_;
};

// No backoff: a restart comes at once.
inline constexpr Backoff kAtOnce = {.first = absl::ZeroDuration()};

}  // namespace trolley

#endif  // TROLLEY_TESTS_SUPERVISION_SUPERVISION_FIXTURE_H_
