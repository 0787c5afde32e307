// SPDX-License-Identifier: Apache-2.0
//
// Gather: asks every loop for something and collects the answers.
//
// Thread-safe. Each loop that answers, or has ended, counts down once; the last
// one runs `done`.

#ifndef TROLLEY_BUS_GATHER_H_
#define TROLLEY_BUS_GATHER_H_

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/mutex.h"
#include "trolley/bus/loop.h"

namespace trolley {

enum class When { kNow, kIdle };  // kIdle: the next time it has nothing to do

template <typename Answer>
class Gather : public std::enable_shared_from_this<Gather<Answer>> {
 public:
  using Answers = std::vector<Answer>;  // in the order of their arrival

  static void Start(BusState& bus, When when,
                    std::function<Answer(Loop&)> question,
                    std::function<void(Answers)> done) {
    auto gather = std::make_shared<Gather>(bus.loops(), std::move(done));
    for (uint32_t i = 0; i < bus.loops(); ++i) {
      // Counts down as it goes, be it unanswered: a loop that ends drops it.
      absl::Cleanup answered = [gather] { gather->CountDown(); };
      auto answer = [gather, question, answered = std::move(answered)](
                        Loop& loop) { gather->Add(question(loop)); };
      Loop::Post(bus.port(i),
                 [when, answer = std::move(answer)](Loop& loop) mutable {
                   if (when == When::kNow) {
                     answer(loop);
                   } else {
                     loop.WhenIdle(std::move(answer));
                   }
                 });
    }
  }

  Gather(uint32_t loops, std::function<void(Answers)> done)
      : done_(std::move(done)), missing_(loops) {}

 private:
  void Add(Answer answer) {
    absl::MutexLock lock(&mutex_);
    answers_.push_back(std::move(answer));
  }

  void CountDown() {
    Answers answers;
    {
      absl::MutexLock lock(&mutex_);
      if (--missing_ > 0) return;
      answers = std::move(answers_);
    }
    done_(std::move(answers));
  }

  const std::function<void(Answers)> done_;
  absl::Mutex mutex_;
  uint32_t missing_ ABSL_GUARDED_BY(mutex_);
  Answers answers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley

#endif  // TROLLEY_BUS_GATHER_H_
