// SPDX-License-Identifier: Apache-2.0
//
// TopWords: answers questions about the words of all counters. Other processes
// know it as "wordcount/top". It is interleaved: while one question waits
// for the end of the input, it answers others.
//
// Ownership: the bus owns it.
// Threads:   as any actor.
// Bounds:    its mailbox. Questions that wait hold at most half of it.
// Ends:      with the bus.

#ifndef TROLLEY_EXAMPLES_WORDCOUNT_TOP_H_
#define TROLLEY_EXAMPLES_WORDCOUNT_TOP_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/examples/wordcount/counter.h"
#include "trolley/examples/wordcount/wordcount.pb.h"

namespace wordcount {

// Every word of the input has been counted.
struct InputEnded {
  absl::Status status;  // of the reading
  uint64_t lines = 0;
};

// The questions that other processes may ask.
using TopService = trolley::Protocol<Top(TopQuery), Progress(ProgressQuery)>;

class TopWords : public trolley::Actor {
 public:
  using Receives = TopService;
  static constexpr bool kInterleaved = true;

  explicit TopWords(std::vector<trolley::Ref<Counter>> counters)
      : counters_(std::move(counters)) {}

  trolley::Task<absl::StatusOr<Top>> On(const TopQuery& query);
  trolley::Task<absl::StatusOr<Progress>> On(const ProgressQuery&);
  void On(const InputEnded& m);

 protected:
  // Ends the questions that wait for the end of the input with an error.
  void OnDrain() override;

 private:
  trolley::Task<absl::StatusOr<Share>> Collect(uint32_t k);
  Progress Describe(const Share& all) const;

  const std::vector<trolley::Ref<Counter>> counters_;
  trolley::AsyncCondition ended_;
  std::optional<InputEnded> end_;  // once it has ended
  bool drains_ = false;
};

}  // namespace wordcount

#endif  // TROLLEY_EXAMPLES_WORDCOUNT_TOP_H_
