// SPDX-License-Identifier: Apache-2.0
//
// Ticker: the part of Every (actors/behaviour/every.h) that does not depend on
// the types of the actor and of the tick: which point in time is next, and how
// many have passed.
//
// The k-th point is start + k * period + jitter(k). The jitter is not longer
// than the period, so the points stay in order, and the last one that is due is
// found without a loop: it is that of the last whole period, or the one before.
//
// Ownership: the base of an Every.
// Threads:   loop thread only.
// Bounds:    one timer; the bounds of Every.
// Ends:      Stop(), or the destructor.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_TICKER_H_
#define TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_TICKER_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/behaviour/every_options.h"
#include "trolley/actors/behaviour/internal/one_in_flight.h"
#include "trolley/actors/context.h"
#include "trolley/bus/timer.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

class Ticker : private Timer {
 public:
  // See Every.
  void Stop() { Timer::Cancel(); }
  bool running() const { return armed(); }

 protected:
  Ticker() = default;
  ~Ticker() override = default;

  // See Every::Start(). `own_seed` is used if the options have none.
  absl::Status Begin(ActorContext context, const EveryOptions& options,
                     uint64_t own_seed);

  // Tells the actor of point `number`. `missed` points lie between it and the
  // one that was told before.
  virtual void Tell(uint64_t number, uint64_t missed,
                    OneInFlight::Token token) = 0;

 private:
  void OnTimer() override;
  void Arm();
  Instant PointOf(int64_t number) const;
  // The number of the last point that is not in the future.
  int64_t LastDue() const;

  std::optional<ActorContext> context_;  // set once it has begun
  EveryOptions options_;
  uint64_t seed_ = 0;
  Instant start_;
  int64_t passed_ = 0;  // the number of the last point that has passed
  int64_t told_ = 0;    // ... and of the last one that the actor was told of
  OneInFlight tick_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_TICKER_H_
