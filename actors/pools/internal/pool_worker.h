// SPDX-License-Identifier: Apache-2.0
//
// PoolWorker: the seat of one worker of a pool, over its restarts.
//
//   state       the seat             SeatTaken        SeatEmpty
//   kStarting   an object is made    kRunning         kResting
//   kRunning    an object sits there                  kResting
//   kResting    empty                                 -
//
// Restart() makes it kStarting again, at once or after a pause. A worker that
// drains gets no more messages. Its object ends when its mailbox is empty. If
// it fails before that, a further object handles the rest.
//
// Ownership: PoolWorkers.
// Threads:   loop thread only: that of the pool.
// Bounds:    PoolOptions::max_restarts instants.
// Ends:      the destructor ends the worker and its seat.

#ifndef TROLLEY_ACTORS_POOLS_INTERNAL_POOL_WORKER_H_
#define TROLLEY_ACTORS_POOLS_INTERNAL_POOL_WORKER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "trolley/actors/context.h"
#include "trolley/actors/pools/pool_messages.h"
#include "trolley/actors/pools/pool_options.h"
#include "trolley/actors/seat.h"
#include "trolley/actors/watch.h"
#include "trolley/bus/timer.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

class PoolWorker final : private Timer {
 public:
  enum class State : uint8_t { kStarting, kRunning, kResting };

  // `watch`: of the seat; it tells of the end of its loop. Makes an object.
  PoolWorker(ActorContext context, const PoolOptions& options, Seat seat,
             Watch watch)
      : context_(context),
        options_(options),
        seat_(std::move(seat)),
        watch_(std::move(watch)) {
    seat_.Fill();
  }

  const Address& address() const { return seat_.address(); }
  State state() const { return state_; }
  bool running() const { return state_ == State::kRunning; }
  // 0: it does not drain.
  uint64_t drained_by() const { return drained_by_; }
  bool drains() const { return drained_by_ != 0; }
  bool free() const { return running() && !drains() && load == 0; }

  // From the messages of the seat.
  void Taken();
  void Emptied() { state_ = State::kResting; }

  // A message that has waited is to be sent to it, and has not been sent yet.
  void Promise() { promised_ = true; }
  // It was sent, or it never will be.
  void KeepPromise();

  // Makes a further object. False: it has been restarted as often as the
  // options allow.
  bool Restart();
  // Call number `by` (not 0) of ResizePool takes it out. It drains from now on,
  // or when the message that was promised to it has been sent.
  void Drain(uint64_t by);
  // It has drained, or cannot. Its name is free soon.
  void End();
  bool ended() const { return ended_; }

  PoolWorkerInfo Info() const;

  size_t index = 0;    // in the pool, unless it drains
  uint32_t load = 0;   // messages in flight that the pool waits for
  uint64_t given = 0;  // messages that its mailbox took from the pool

 private:
  void OnTimer() override { Fill(); }
  void Fill() {
    state_ = State::kStarting;
    seat_.Fill();
  }
  void GoOnDraining();

  const ActorContext context_;
  const PoolOptions& options_;
  Seat seat_;
  Watch watch_;
  State state_ = State::kStarting;
  bool promised_ = false;
  bool ended_ = false;
  uint64_t drained_by_ = 0;
  std::deque<Instant> restarts_;  // within the window, the oldest first
  uint64_t all_restarts_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_POOLS_INTERNAL_POOL_WORKER_H_
