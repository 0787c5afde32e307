// SPDX-License-Identifier: Apache-2.0
//
// TopWords: answers for all counters together; "wordcount/top" to the outside.
// Spawned interleaved, so that one question may wait for the end of the input
// while others are answered.

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

// What a question from another process may be.
using TopService = trolley::Protocol<Top(TopQuery), Progress(ProgressQuery)>;

class TopWords : public trolley::Actor {
 public:
  using Receives = trolley::Messages<TopQuery, ProgressQuery>;

  explicit TopWords(std::vector<trolley::Ref<Counter>> counters)
      : counters_(std::move(counters)) {}

  trolley::Task<absl::StatusOr<Top>> On(const TopQuery& query);
  trolley::Task<absl::StatusOr<Progress>> On(const ProgressQuery&);
  void On(const InputEnded& m);

 protected:
  // Those who wait for the end of the input are told that it will not come.
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
