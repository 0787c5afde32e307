// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/choices.h"

#include <algorithm>

#include "trolley/actors/testing/seeds.h"

namespace trolley::testing {

Choices::Choices(uint64_t seed, internal::RecordedChoices given)
    : seed_(seed),
      replays_(true),
      given_(std::move(given)),
      random_(0),
      turn_random_(0) {
  const int before = CountFailures();
  failed_ = [before] { return CountFailures() > before; };
}

// Two generators: a draw more of the body does not change the turns.
Choices::Choices(uint64_t seed)
    : seed_(seed),
      replays_(false),
      random_(SimRandom::Mix(seed + 1)),
      turn_random_(SimRandom::Mix(~seed)) {
  const int before = CountFailures();
  failed_ = [before] { return CountFailures() > before; };
}

uint64_t Choices::Draw(const std::vector<uint64_t>& given, SimRandom& random,
                       std::vector<uint64_t>& drawn, uint64_t bound) const {
  const size_t at = drawn.size();
  if (at >= kMostRecorded) return 0;
  const uint64_t largest = std::max<uint64_t>(bound, 1) - 1;
  const uint64_t value = !replays_           ? random.Below(largest + 1)
                         : at < given.size() ? std::min(given[at], largest)
                                             : 0;
  drawn.push_back(value);
  return value;
}

}  // namespace trolley::testing
