// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/bus.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/bus/actor_pages.h"
#include "trolley/bus/gather.h"
#include "trolley/bus/latch.h"
#include "trolley/bus/start_thread.h"
#include "trolley/poller/printable.h"

namespace trolley {
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

// The loops of a bus, and what is known of it as a whole.
void GatherLoops(BusState::Ptr state, std::function<void(BusInfo)> done) {
  BusState& bus = *state;
  Gather<LoopInfo>::Now(
      bus, [](Loop& loop) { return loop.Inspect(); },
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

BusState::Ptr NewState(BusOptions options) {
  return BusState::Ptr::Adopt(new BusState(std::move(options)));
}

void DieUnlessOk(const absl::Status& status) {
  if (status.ok()) return;
  std::fputs(
      absl::StrCat("cannot start the bus: ", status.ToString(), "\n").c_str(),
      stderr);
  std::exit(EXIT_FAILURE);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Bus>> Bus::Create(BusOptions options) {
  if (absl::Status checked = ValidateBusOptions(options); !checked.ok()) {
    return checked;
  }
  auto bus = std::unique_ptr<Bus>(new Bus(NewState(std::move(options))));
  if (absl::Status started = bus->Start(); !started.ok()) {
    // No loop runs, so there is nothing to shut down.
    bus->loops_.clear();
    bus->state_->log().Close();
    bus->report_ = std::make_unique<ShutdownReport>();
    return started;
  }
  return bus;
}

Bus Bus::CreateOrDie(BusOptions options) {
  DieUnlessOk(ValidateBusOptions(options));
  return Bus(NewState(std::move(options)), OrDie{});
}

Bus::Bus(BusState::Ptr state, OrDie) : state_(std::move(state)) {
  const absl::Status started = Start();
  if (!started.ok()) state_->log().Close();
  DieUnlessOk(started);
}

absl::Status Bus::Start() {
  if (absl::Status log = state_->log().Start(); !log.ok()) return log;
  for (uint32_t i = 0; i < state_->loops(); ++i) {
    std::string& passed_over = state_->port(i).passed_over;
    absl::StatusOr<std::unique_ptr<Poller>> poller =
        MakePoller(state_->options().loops[i], *state_, passed_over);
    if (!poller.ok()) {
      return absl::Status(
          poller.status().code(),
          absl::StrCat("loop ", i, ": ", poller.status().message()));
    }
    if (!passed_over.empty() &&
        (i == 0 || passed_over != state_->port(i - 1).passed_over)) {
      state_->Log(absl::StrCat("loop ", i, " has the poller ",
                               std::string((*poller)->capabilities().name),
                               ", as auto could not take ", passed_over));
    }
    loops_.push_back(std::make_shared<Loop>(state_, i, *std::move(poller)));
    state_->port(i).loop = loops_.back();
  }
  if (state_->options().single_threaded) return absl::OkStatus();
  return StartThreads();
}

absl::Status Bus::StartThreads() {
  for (const std::shared_ptr<Loop>& loop : loops_) {
    absl::StatusOr<std::thread> thread =
        StartThread(absl::StrCat("the thread of loop ", loop->index()),
                    [loop] { loop->Run(); });
    if (thread.ok()) {
      threads_.push_back(*std::move(thread));
      continue;
    }
    // Those that run have no actors yet, and end at once.
    for (uint32_t i = 0; i < threads_.size(); ++i) {
      Loop::Post(state_->port(i), [](Loop& running) { running.End(); });
      threads_[i].join();
    }
    threads_.clear();
    return thread.status();
  }
  return absl::OkStatus();
}

Bus::~Bus() {
  // A bus that could not start has nobody to tell.
  if (loops_.size() == state_->loops()) Shutdown(absl::ZeroDuration());
}

absl::StatusOr<Address> Bus::FindClass(absl::string_view name,
                                       const ActorClass* wanted) const {
  const Names::Entry entry = state_->names().Find(name);
  if (!entry.id) return state_->NoSuchActor(name);
  if (entry.actor_class != wanted) {
    return absl::FailedPreconditionError(
        absl::StrCat("the actor \"", name, "\" is a ",
                     entry.actor_class->name(), ", not a ", wanted->name()));
  }
  return Address(state_, entry.id);
}

void Bus::Inspect(std::function<void(BusInfo)> done) const {
  GetActorPage(state_, ActorPlace(), std::numeric_limits<uint32_t>::max(),
               [state = state_, done = std::move(done)](ActorPage page) {
                 auto all = std::make_shared<ActorPage>(std::move(page));
                 GatherLoops(state, [all, done](BusInfo info) {
                   info.actors = std::move(all->actors);
                   done(std::move(info));
                 });
               });
}

void Bus::InspectLoops(std::function<void(BusInfo)> done) const {
  GatherLoops(state_, std::move(done));
}

void Bus::ListActors(ActorPlace from, uint32_t most,
                     std::function<void(ActorPage)> done) const {
  GetActorPage(state_, from, std::max<uint32_t>(most, 1), std::move(done));
}

absl::StatusOr<BusInfo> Bus::Inspect(absl::Duration timeout) const {
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

void Bus::RunUntilIdle() {
  while (RunTurns()) {
  }
}

bool Bus::RunTurns() {
  bool worked = false;
  // A turn each: an actor that is never done may be waiting for another loop.
  for (const std::shared_ptr<Loop>& loop : loops_) worked |= loop->RunOnce();
  if (worked) return true;
  for (const std::shared_ptr<Loop>& loop : loops_) worked |= loop->Settle();
  return worked;
}

}  // namespace trolley
