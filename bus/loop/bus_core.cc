// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/bus_core.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/bus/latch.h"
#include "trolley/bus/loop/actor_pages.h"
#include "trolley/bus/loop/gather.h"
#include "trolley/bus/thread/start_thread.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

absl::StatusOr<std::unique_ptr<Poller>> MakePoller(const LoopOptions& options,
                                                   BusState& bus,
                                                   std::string& passed_over) {
  if (options.factory != nullptr) {
    return options.factory(bus.sys(), bus.clock());
  }
  if (options.poller != "auto") {
    return CreatePoller(options.poller, bus.sys(), bus.clock());
  }
  absl::StatusOr<PollerChoice> choice =
      ChoosePoller(Requirements{}, bus.sys(), bus.clock());
  if (!choice.ok()) return choice.status();
  passed_over = absl::StrJoin(
      choice->refused, "; ",
      [](std::string* to, const PollerChoice::Refusal& refusal) {
        absl::StrAppend(to, refusal.name, ": ", refusal.why.message());
      });
  return std::move(choice->poller);
}

// The name of the thread: LoopOptions::thread_name, or "loop 3".
std::string NameOfThread(const Loop& loop) {
  const std::string& name = loop.options().thread_name;
  return name.empty() ? absl::StrCat("loop ", loop.index()) : name;
}

// The BusInfo of a bus with these loops.
void GatherLoops(BusState::Ptr state, std::function<void(BusInfo)> done) {
  BusState& bus = *state;
  Gather<LoopInfo>::Now(
      bus, [](Loop& loop) { return loop.inspector().Loop(); },
      [state = std::move(state),
       done = std::move(done)](std::vector<LoopInfo> loops) {
        std::sort(loops.begin(), loops.end(),
                  [](const LoopInfo& a, const LoopInfo& b) {
                    return a.index < b.index;
                  });
        BusInfo info;
        info.loops = std::move(loops);
        info.ledger = state->ReadLedger();
        info.log = state->log().counts();
        done(std::move(info));
      });
}

}  // namespace

BusCore::BusCore(BusOptions options)
    : state_(BusState::Ptr::Adopt(new BusState(std::move(options)))) {}

absl::Status BusCore::Start() {
  absl::Status started = StartLoops();
  if (started.ok()) return started;
  // A failed Start(): no loop runs, so there is nothing to shut down.
  loops_.clear();
  state_->log().Close();
  report_ = std::make_unique<ShutdownReport>();
  return started;
}

absl::Status BusCore::StartLoops() {
  if (absl::Status log = state_->log().Start(); !log.ok()) return log;
  for (uint32_t i = 0; i < state_->loops(); ++i) {
    std::string& passed_over = state_->inbox(i).passed_over;
    absl::StatusOr<std::unique_ptr<Poller>> poller =
        MakePoller(state_->options().loops[i], *state_, passed_over);
    if (!poller.ok()) {
      return absl::Status(
          poller.status().code(),
          absl::StrCat("loop ", i, ": ", poller.status().message()));
    }
    if (!passed_over.empty() &&
        (i == 0 || passed_over != state_->inbox(i - 1).passed_over)) {
      state_->Log(absl::StrCat("loop ", i, " has the poller ",
                               std::string((*poller)->capabilities().name),
                               ", as auto could not take ", passed_over));
    }
    loops_.push_back(std::make_shared<Loop>(state_, i, *std::move(poller)));
    state_->inbox(i).loop = loops_.back();
  }
  if (state_->options().for_tests.single_threaded) return absl::OkStatus();
  return StartThreads();
}

absl::Status BusCore::StartThreads() {
  for (const std::shared_ptr<Loop>& loop : loops_) {
    absl::StatusOr<std::thread> thread =
        StartThread(absl::StrCat("the thread of loop ", loop->index()),
                    {.name = NameOfThread(*loop), .cpus = loop->options().cpus},
                    [loop] { loop->Run(); });
    if (thread.ok()) {
      threads_.push_back(*std::move(thread));
      continue;
    }
    // The loops that run have no actors, and end at once.
    for (uint32_t i = 0; i < threads_.size(); ++i) {
      Loop::Post(state_->inbox(i), [](Loop& running) { running.End(); });
      threads_[i].join();
    }
    threads_.clear();
    return thread.status();
  }
  return absl::OkStatus();
}

BusCore::~BusCore() { Shutdown(absl::ZeroDuration()); }

absl::StatusOr<Address> BusCore::Find(absl::string_view name) const {
  const NameRegistry::Entry entry = state_->names().Find(name);
  if (!entry.id) return state_->NoSuchActor(name);
  return Address(state_, entry.id);
}

absl::StatusOr<Address> BusCore::Find(absl::string_view name,
                                      const ActorClass* wanted) const {
  const NameRegistry::Entry entry = state_->names().Find(name);
  if (!entry.id) return state_->NoSuchActor(name);
  if (entry.actor_class != wanted) {
    return absl::FailedPreconditionError(
        absl::StrCat("the actor \"", name, "\" is a ",
                     entry.actor_class->name(), ", not a ", wanted->name()));
  }
  return Address(state_, entry.id);
}

void BusCore::Inspect(std::function<void(BusInfo)> done) const {
  GetActorPage(state_, ActorPosition(), std::numeric_limits<uint32_t>::max(),
               [state = state_, done = std::move(done)](ActorPage page) {
                 auto all = std::make_shared<ActorPage>(std::move(page));
                 GatherLoops(state, [all, done](BusInfo info) {
                   info.actors = std::move(all->actors);
                   done(std::move(info));
                 });
               });
}

void BusCore::InspectLoops(std::function<void(BusInfo)> done) const {
  GatherLoops(state_, std::move(done));
}

void BusCore::ListActors(ActorPosition from, uint32_t most,
                         std::function<void(ActorPage)> done) const {
  GetActorPage(state_, from, std::max<uint32_t>(most, 1), std::move(done));
}

absl::StatusOr<BusInfo> BusCore::Inspect(absl::Duration timeout) const {
  struct Answer {
    BusInfo info;
    Latch ready;
  };
  auto answer = std::make_shared<Answer>();
  Inspect([answer](BusInfo info) {
    answer->info = std::move(info);
    answer->ready.Open();
  });
  if (!answer->ready.Wait(timeout)) {
    return absl::DeadlineExceededError(
        absl::StrCat("a loop did not answer within ",
                     absl::FormatDuration(timeout), "; a handler keeps it"));
  }
  std::vector<ActorInfo>& actors = answer->info.actors;
  std::sort(actors.begin(), actors.end(),
            [](const ActorInfo& a, const ActorInfo& b) {
              return a.start_sequence < b.start_sequence;
            });
  return std::move(answer->info);
}

void BusCore::RunUntilIdle() {
  while (RunTurns()) {
  }
}

Instant BusCore::NextTimer() const {
  Instant next = Instant::Infinite();
  for (const std::shared_ptr<Loop>& loop : loops_) {
    if (!IsHeld(*loop)) next = std::min(next, loop->timers().next());
  }
  return next;
}

bool BusCore::RunTurns() {
  bool worked = false;
  // One turn of each loop: an actor that always has work may wait for another
  // loop.
  if (turn_order_ == nullptr) {
    // mutant: P18_TheLoopsHaveTheirTurnsAsItComes
    for (const std::shared_ptr<Loop>& loop : loops_) worked |= loop->RunOnce();
  } else {
    while (const auto loop = turn_order_->Next(loops_.size())) {
      const bool had_work = loops_[*loop]->RunOnce();
      turn_order_->Had(had_work);
      worked |= had_work;
    }
  }
  if (worked) return true;
  for (const std::shared_ptr<Loop>& loop : loops_) {
    if (!IsHeld(*loop)) worked |= loop->PrepareToSleep();
  }
  return worked;
}

}  // namespace trolley::internal
