// SPDX-License-Identifier: Apache-2.0
//
// DrawnTurns: chooses which loop of a SimBus has the next turn. In each round
// every loop has a turn. Which one comes next is drawn. A loop that had work in
// its turn may have further turns before the others have theirs.
//
// A loop that is held has no turns until its time has come.
//
// Ownership: part of a SimBus; borrows its clock.
// Threads:   one, that of the test.
// Bounds:    kMostTurnsMore further turns in a round.
// Ends:      with the SimBus.

#ifndef TROLLEY_ACTORS_TESTING_INTERNAL_DRAWN_TURNS_H_
#define TROLLEY_ACTORS_TESTING_INTERNAL_DRAWN_TURNS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "trolley/bus/test_options.h"
#include "trolley/poller/clock.h"

namespace trolley::internal {

class DrawnTurns final : public TurnOrder {
 public:
  // So many turns of one loop in a row are seldom, and an actor that always has
  // work does not keep the others for ever.
  static constexpr size_t kMostTurnsMore = 8;

  // `draw`: a number below its argument. Null: always 0, which gives one loop
  // after the other, a turn each.
  DrawnTurns(const Clock& clock, std::function<uint64_t(uint64_t)> draw)
      : clock_(clock), draw_(std::move(draw)) {}

  std::optional<uint32_t> Next(uint32_t loops) override;
  void Had(bool worked) override;
  bool Holds(uint32_t loop) const override;

  // From now on `loop` is held until `until`. It replaces an earlier hold.
  void Hold(uint32_t loop, Instant until);
  // Ends all holds.
  void ReleaseAll() { held_until_.clear(); }
  // When the next hold ends; infinite: there is none that ends.
  Instant NextRelease() const;

  // Called before and after each turn.
  std::function<void()> before_turn;
  std::function<void(uint32_t loop)> after_turn;

 private:
  const Clock& clock_;
  const std::function<uint64_t(uint64_t)> draw_;
  std::vector<Instant> held_until_;  // by loop; shorter: not held

  bool in_round_ = false;
  std::vector<uint32_t> waiting_;  // have had no turn in this round
  std::vector<uint32_t> worked_;   // had work in their last turn of it
  size_t turns_more_ = 0;
  uint32_t current_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TESTING_INTERNAL_DRAWN_TURNS_H_
