// SPDX-License-Identifier: Apache-2.0
//
// EarlyRequests: what the constructor of an actor asks of its loop. The loop
// does it when it has the actor:
//
//   timers   armed when the loop gets the actor
//   a stop   ends the actor before OnStart()
//   tasks    begin after OnStart()
//
// Ownership: the spawner has it first. It goes to the loop with the actor.
// Threads:   the thread of its owner.
// Bounds:    what the constructor asks for.
// Ends:      the loop takes all. The destructor drops what was not taken.

#ifndef TROLLEY_BUS_LOOP_EARLY_REQUESTS_H_
#define TROLLEY_BUS_LOOP_EARLY_REQUESTS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "trolley/bus/mailbox/suspended_handler.h"
#include "trolley/bus/message/envelope.h"
#include "trolley/bus/message/envelope_pool.h"

namespace trolley::internal {

class EarlyRequests {
 public:
  struct Timed {
    uint64_t id;
    Envelope* message;  // from the heap; null: cancelled
    Instant at;
  };

  EarlyRequests() = default;
  EarlyRequests(const EarlyRequests&) = delete;
  EarlyRequests& operator=(const EarlyRequests&) = delete;
  ~EarlyRequests() {
    for (Timed& timed : timed_) Drop(timed.message);
    for (SuspendedHandler* task : tasks_) task->frame.destroy();
  }

  // Takes over `message`. Returns its id; no loop returns the same one.
  uint64_t SendAt(Envelope* message, Instant at) {
    const uint64_t id = kEarly | (timed_.size() + 1);
    timed_.push_back({.id = id, .message = message, .at = at});
    return id;
  }
  // True: the message will not come.
  bool Cancel(uint64_t id) {
    for (Timed& timed : timed_) {
      if (timed.id != id || timed.message == nullptr) continue;
      Drop(std::exchange(timed.message, nullptr));
      return true;
    }
    return false;
  }
  // Takes over a task that has not begun.
  void Run(SuspendedHandler* task) { tasks_.push_back(task); }
  void Stop() { stop_ = true; }

  // For the loop.
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
    message->ops->drop(message);
    EnvelopePool::PutToHeap(message);
  }

  std::vector<Timed> timed_;
  std::vector<SuspendedHandler*> tasks_;
  bool stop_ = false;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_EARLY_REQUESTS_H_
