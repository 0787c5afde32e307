// SPDX-License-Identifier: Apache-2.0
//
// BusCore::Shutdown, in the order of its steps.

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "trolley/bus/latch.h"
#include "trolley/bus/loop/bus_core.h"
#include "trolley/bus/loop/gather.h"

namespace trolley::internal {

class BusCore::Ending {
 public:
  Ending(BusCore& bus, absl::Duration deadline)
      : bus_(bus),
        state_(*bus.state_),
        began_(state_.clock().Now()),
        half_(began_ + deadline / 2),
        end_(began_ + deadline) {
    for (uint32_t i = 0; i < state_.loops(); ++i) {
      turns_.push_back(state_.inbox(i).stats.turns.Read());
    }
  }

  ShutdownReport Run() {
    state_.BeginDraining();
    Collect<bool>(half_, [this](auto done) {
      Gather<bool>::OfActors(
          state_, [](Loop&) { return true; },
          [](bool&, Loop& loop, Cell& cell) { loop.lifecycle().Drain(cell); },
          std::move(done));
    });
    // mutant: P10_WhatIsUnderWayIsNotWaitedFor
    report_.clean = WaitUntilQuiet();
    const uint64_t dead_before = state_.ReadLedger().dead_lettered;
    StopActors();
    EndLoops();
    report_.ledger = state_.ReadLedger();
    report_.abandoned =
        report_.ledger.dead_lettered - dead_before + report_.ledger.queued();
    report_.took = state_.clock().Now() - began_;
    return std::move(report_);
  }

 private:
  // The answers of all loops that have not ended; nullopt: one has not answered
  // by `until`. `begin(done)` asks the loops and passes the answers to `done`.
  template <typename Answer, typename Begin>
  std::optional<std::vector<Answer>> Collect(Instant until, Begin begin) {
    struct Shared {
      std::vector<Answer> answers;
      Latch ready;
    };
    auto shared = std::make_shared<Shared>();
    begin([shared](std::vector<Answer> answers) {
      shared->answers = std::move(answers);
      shared->ready.Open();
    });
    if (!Await(shared->ready, until)) return std::nullopt;
    return std::move(shared->answers);
  }

  bool Await(Latch& happened, Instant until) {
    Drive(happened, until);
    return happened.Wait(until - state_.clock().Now());
  }

  // For the captures of a command: opens `done` when the command is destroyed.
  // A loop whose poller breaks ends by itself and drops the command.
  static auto OpenWhenGone(std::shared_ptr<Latch> done) {
    return absl::Cleanup([done = std::move(done)] { done->Open(); });
  }

  // Runs a single-threaded bus. At least one turn, so that a command runs also
  // when there is no time left.
  void Drive(const Latch& done, Instant until) {
    if (!state_.options().for_tests.single_threaded) return;
    while (bus_.RunTurns() && !done.is_open() && state_.clock().Now() < until) {
    }
  }

  // No message is on its way if two looks saw the same counts, all accepted
  // messages were done with, and no loop had work at either look (Mattern's
  // four-counter method for termination detection, 1987). A message whose
  // handler waits for something outside of the bus is not waited for: if no ask
  // is under way, every suspended handler is of this kind.
  bool WaitUntilQuiet() {
    std::optional<Ledger> before;
    for (;;) {
      const auto loops = Collect<LoopInfo>(half_, [this](auto done) {
        Gather<LoopInfo>::WhenIdle(
            state_, [](Loop& loop) { return loop.inspector().Loop(); },
            std::move(done));
      });
      if (!loops.has_value()) return false;
      uint64_t waiting = 0;
      uint64_t asks = 0;
      for (const LoopInfo& loop : *loops) {
        waiting += loop.suspended_messages;
        asks += loop.pending_asks;
      }
      const Ledger now = state_.ReadLedger();
      const bool quiet = asks == 0 && now.queued() == waiting;
      if (quiet && before == now) return waiting == 0;
      if (state_.clock().Now() >= half_ ||
          (state_.options().for_tests.single_threaded && before == now)) {
        return false;
      }
      // No progress since the last look: sleeps 1 ms, so that the looks do not
      // take the time of the loops.
      if (before == now) Latch().Wait(absl::Milliseconds(1));
      before = now;
    }
  }

  struct Started {
    uint64_t sequence;
    ActorId id;
  };

  void StopActors() {
    auto found = Collect<std::vector<Started>>(end_, [this](auto done) {
      Gather<std::vector<Started>>::OfActors(
          state_,
          [](Loop& loop) {
            std::vector<Started> of_loop;
            of_loop.reserve(loop.inbox().cells.used());
            return of_loop;
          },
          [](std::vector<Started>& to, Loop&, Cell& cell) {
            to.push_back({cell.start_sequence(), cell.self});
          },
          std::move(done));
    });
    if (!found.has_value()) return;  // EndLoops() ends the actors
    std::vector<Started> actors;
    for (const std::vector<Started>& of_loop : *found) {
      actors.insert(actors.end(), of_loop.begin(), of_loop.end());
    }
    found.reset();
    std::sort(actors.begin(), actors.end(),
              [](const Started& a, const Started& b) {
                // mutant: P10_ActorsStopInTheOrderOfTheirStart
                return a.sequence > b.sequence;
              });
    for (auto first = actors.begin(); first != actors.end();) {
      const uint32_t loop = first->id.loop();
      std::vector<ActorId> run;  // actors of one loop that end one by one
      for (; first != actors.end() && first->id.loop() == loop; ++first) {
        run.push_back(first->id);
      }
      if (!EndOn(loop, std::move(run))) return;
    }
  }

  bool EndOn(uint32_t loop, std::vector<ActorId> actors) {
    auto ended = std::make_shared<Latch>();
    // mutant: P10_TheLastWordsAreNotHandled
    EndingActors endings{.ids = std::move(actors),
                         .handle_queued = report_.clean};
    Loop::PostWork(
        state_.inbox(loop),
        [endings = std::move(endings), over = OpenWhenGone(ended)](
            Loop& on) mutable { return on.runner().EndSome(endings); });
    return Await(*ended, end_);
  }

  void EndLoops() {
    // Waits at least so long. With a deadline of zero, a loop that has not yet
    // taken its command would be reported as a survivor.
    constexpr absl::Duration kGrace = absl::Milliseconds(200);
    const Instant until = std::max(end_, state_.clock().Now() + kGrace);
    if (state_.options().for_tests.single_threaded) {
      for (const auto& loop : bus_.loops_) loop->End();
      return;
    }
    std::vector<std::shared_ptr<Latch>> ended;
    for (uint32_t i = 0; i < state_.loops(); ++i) {
      auto done = ended.emplace_back(std::make_shared<Latch>());
      Loop::Post(state_.inbox(i),
                 [told = OpenWhenGone(done)](Loop& loop) { loop.End(); });
    }
    for (uint32_t i = 0; i < state_.loops(); ++i) {
      if (ended[i]->Wait(until - state_.clock().Now())) {
        bus_.threads_[i].join();
        continue;
      }
      report_.clean = false;
      report_.survivors.push_back(Survivor(i));
      bus_.threads_[i].detach();
    }
  }

  std::string Survivor(uint32_t loop) {
    const LoopInbox& inbox = state_.inbox(loop);
    const ActorId running = inbox.running();
    const MessageOps* message = inbox.running_message();
    // mutant: P10_AnActorThatKeepsItsLoopIsNotNamed
    if (!running) return absl::StrCat("loop ", loop);
    std::string text =
        absl::StrCat(state_.Describe(running), " on loop ", loop);
    if (message != nullptr) {
      absl::StrAppend(&text, ", in its handler of ", message->name());
    }
    // It has not ended its turn, so it is the one that ran at the beginning.
    if (inbox.stats.turns.Read() == turns_[loop]) {
      absl::StrAppend(
          &text, ", for ",
          absl::FormatDuration(absl::Trunc(state_.clock().Now() - began_,
                                           absl::Milliseconds(1))),
          " or longer");
    }
    return text;
  }

  BusCore& bus_;
  BusState& state_;
  const Instant began_;
  const Instant half_;
  const Instant end_;
  std::vector<uint64_t> turns_;  // of each loop, at the beginning
  ShutdownReport report_;
};

ShutdownReport BusCore::Shutdown(absl::Duration deadline) {
  if (report_ == nullptr) {
    report_ = std::make_unique<ShutdownReport>(Ending(*this, deadline).Run());
    threads_.clear();
    loops_.clear();
    state_->log().Close();
  }
  return *report_;
}

}  // namespace trolley::internal
