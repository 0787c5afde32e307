// SPDX-License-Identifier: Apache-2.0
//
// EarlyRequests: what an actor's constructor asked of its loop before the loop
// had the actor. The loop does it: timers are armed when it gets the actor,
// tasks begin when OnStart() has returned, a stop goes before OnStart().
//
// Ownership: by the spawner, then with the actor to its loop.
// Threads:   whoever owns it.
// Bounds:    what the constructor asked for.
// Ends:      done by the loop; what is left is dropped with it.

#ifndef TROLLEY_BUS_EARLY_REQUESTS_H_
#define TROLLEY_BUS_EARLY_REQUESTS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "trolley/bus/envelope.h"
#include "trolley/bus/envelope_pool.h"
#include "trolley/bus/suspended_handler.h"

namespace trolley {

class EarlyRequests {
 public:
  struct Timed {
    uint64_t id;
    Envelope* message;  // of the heap
    Instant at;
  };

  EarlyRequests() = default;
  EarlyRequests(const EarlyRequests&) = delete;
  EarlyRequests& operator=(const EarlyRequests&) = delete;
  ~EarlyRequests() {
    for (Timed& timed : timed_) Drop(timed.message);
    for (SuspendedHandler* task : tasks_) task->frame.destroy();
  }

  // Takes `message`. Returns its id, different from those that loops give.
  uint64_t SendAt(Envelope* message, Instant at) {
    const uint64_t id = kEarly | (timed_.size() + 1);
    timed_.push_back({.id = id, .message = message, .at = at});
    return id;
  }
  // True: it will not come.
  bool Cancel(uint64_t id) {
    for (Timed& timed : timed_) {
      if (timed.id != id || timed.message == nullptr) continue;
      Drop(std::exchange(timed.message, nullptr));
      return true;
    }
    return false;
  }
  // Takes a task that has not begun.
  void Run(SuspendedHandler* task) { tasks_.push_back(task); }
  void Stop() { stop_ = true; }

  // For the loop. Those cancelled have no message.
  std::vector<Timed> TakeTimed() { return std::exchange(timed_, {}); }
  std::vector<SuspendedHandler*> TakeTasks() {
    return std::exchange(tasks_, {});
  }
  bool has_tasks() const { return !tasks_.empty(); }
  bool stop() const { return stop_; }

 private:
  static constexpr uint64_t kEarly = uint64_t{1} << 63;

  static void Drop(Envelope* message) {
    if (message == nullptr) return;
    message->type->drop(message);
    EnvelopePool::PutToHeap(message);
  }

  std::vector<Timed> timed_;
  std::vector<SuspendedHandler*> tasks_;
  bool stop_ = false;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_EARLY_REQUESTS_H_
