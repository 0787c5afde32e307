// SPDX-License-Identifier: Apache-2.0
//
// Gather: asks all loops of a bus a question, collects the answers in the order
// in which they come, and calls `done` with them:
//
//   Gather<LoopInfo>::Now(
//       bus, [](Loop& loop) { return loop.inspector().Loop(); },
//       [](std::vector<LoopInfo> answers) { ... });
//
// A loop that has ended gives no answer. `done` is called once, by the thread
// that drops the last reference: a loop that answers, or the caller if all
// loops have ended.
//
// Ownership: the questions on their way share it.
// Threads:   thread-safe.
// Bounds:    one question and one answer for each loop.
// Ends:      when each loop has answered its question or has dropped it.

#ifndef TROLLEY_BUS_LOOP_GATHER_H_
#define TROLLEY_BUS_LOOP_GATHER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "trolley/bus/loop/actor_pages.h"
#include "trolley/bus/loop/loop.h"

namespace trolley::internal {

template <typename Answer>
class Gather {
 public:
  using Done = std::function<void(std::vector<Answer>)>;

  explicit Gather(Done done) : done_(std::move(done)) {}
  Gather(const Gather&) = delete;
  Gather& operator=(const Gather&) = delete;
  ~Gather() { done_(std::move(answers_)); }

  // Calls question(Loop&) on each loop in its next turn.
  template <typename Question>
  static void Now(BusState& bus, Question question, Done done) {
    auto gather = std::make_shared<Gather>(std::move(done));
    for (uint32_t i = 0; i < bus.loops(); ++i) {
      Loop::Post(bus.inbox(i), [gather, question](Loop& loop) {
        gather->Add(question(loop));
      });
    }
  }

  // The same, but when the loop next has nothing to do.
  template <typename Question>
  static void WhenIdle(BusState& bus, Question question, Done done) {
    auto gather = std::make_shared<Gather>(std::move(done));
    for (uint32_t i = 0; i < bus.loops(); ++i) {
      Loop::Post(bus.inbox(i), [gather, question](Loop& loop) {
        loop.WhenIdle(
            [gather, question](Loop& idle) { gather->Add(question(idle)); });
      });
    }
  }

  // On each loop begin(Loop&) makes an Answer, and visit(Answer&, Loop&, Cell&)
  // completes it: called for each actor of the loop, in steps of one turn.
  template <typename Begin, typename Visit>
  static void OfActors(BusState& bus, Begin begin, Visit visit, Done done) {
    auto gather = std::make_shared<Gather>(std::move(done));
    for (uint32_t i = 0; i < bus.loops(); ++i) {
      Loop::PostWork(bus.inbox(i), [gather, begin, visit, answer = Answer(),
                                    slot = uint32_t{0},
                                    end = uint32_t{0}](Loop& loop) mutable {
        if (slot == 0) {
          answer = begin(loop);
          end = loop.inbox().cells.used();  // later actors are not visited
        }
        if (VisitActors(loop, slot, end, [&](Cell& cell) {
              visit(answer, loop, cell);
              return true;
            })) {
          return true;
        }
        gather->Add(std::move(answer));
        return false;
      });
    }
  }

 private:
  void Add(Answer answer) {
    absl::MutexLock lock(&mutex_);
    answers_.push_back(std::move(answer));
  }

  const Done done_;
  absl::Mutex mutex_;
  std::vector<Answer> answers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_GATHER_H_
