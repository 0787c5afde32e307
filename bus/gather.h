// SPDX-License-Identifier: Apache-2.0
//
// Gather: asks every loop for something and collects the answers, in the order
// of their arrival. The loops share it, and whoever lets go of it last runs
// `done`: a loop that has answered, or one that has ended without.
//
// Thread-safe.

#ifndef TROLLEY_BUS_GATHER_H_
#define TROLLEY_BUS_GATHER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "trolley/bus/actor_pages.h"
#include "trolley/bus/loop.h"

namespace trolley {

template <typename Answer>
class Gather {
 public:
  using Done = std::function<void(std::vector<Answer>)>;

  explicit Gather(Done done) : done_(std::move(done)) {}
  Gather(const Gather&) = delete;
  Gather& operator=(const Gather&) = delete;
  ~Gather() { done_(std::move(answers_)); }

  // question(Loop&) of every loop, in its next turn.
  template <typename Question>
  static void Now(BusState& bus, Question question, Done done) {
    auto gather = std::make_shared<Gather>(std::move(done));
    for (uint32_t i = 0; i < bus.loops(); ++i) {
      Loop::Post(bus.port(i), [gather, question](Loop& loop) {
        gather->Add(question(loop));
      });
    }
  }

  // The same, when it has nothing to do the next time.
  template <typename Question>
  static void WhenIdle(BusState& bus, Question question, Done done) {
    auto gather = std::make_shared<Gather>(std::move(done));
    for (uint32_t i = 0; i < bus.loops(); ++i) {
      Loop::Post(bus.port(i), [gather, question](Loop& loop) {
        loop.WhenIdle(
            [gather, question](Loop& idle) { gather->Add(question(idle)); });
      });
    }
  }

  // From every loop an Answer that begin(Loop&) makes, and that
  // visit(Answer&, Loop&, Cell&) gets to see each actor with, in steps of one
  // turn each.
  template <typename Begin, typename Visit>
  static void OfActors(BusState& bus, Begin begin, Visit visit, Done done) {
    auto gather = std::make_shared<Gather>(std::move(done));
    for (uint32_t i = 0; i < bus.loops(); ++i) {
      Chores::Post(bus.port(i), [gather, begin, visit, answer = Answer(),
                                 slot = uint32_t{0},
                                 end = uint32_t{0}](Loop& loop) mutable {
        if (slot == 0) {
          answer = begin(loop);
          end = loop.port().cells.used();  // those that come later do not count
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

}  // namespace trolley

#endif  // TROLLEY_BUS_GATHER_H_
