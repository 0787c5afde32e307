// SPDX-License-Identifier: Apache-2.0
//
// Splitter: cuts lines into words (runs of A-Za-z, in lower case) and sends
// them to the counters. The same word always goes to the same counter.
//
// Back pressure: when the mailbox of a counter is full, the splitter waits.
// Then the mailbox of the splitter fills, and the reader of the input waits.
//
// Ownership: the bus owns it.
// Threads:   as any actor.
// Bounds:    its mailbox; one batch of about kBatchBytes for each counter.
// Ends:      with the bus.

#ifndef TROLLEY_EXAMPLES_WORDCOUNT_SPLITTER_H_
#define TROLLEY_EXAMPLES_WORDCOUNT_SPLITTER_H_

#include <string>
#include <vector>

#include "trolley/actors/pipe_reader.h"
#include "trolley/examples/wordcount/counter.h"
#include "trolley/examples/wordcount/top.h"

namespace wordcount {

class Splitter : public trolley::Actor {
 public:
  Splitter(std::vector<trolley::Ref<Counter>> counters,
           trolley::Ref<TopWords> top)
      : counters_(std::move(counters)),
        top_(std::move(top)),
        batches_(counters_.size()) {}

  trolley::Task<absl::Status> On(const trolley::PipePiece& line);
  trolley::Task<absl::Status> On(const trolley::PipeEnd& end);

 private:
  // Words are sent in batches of about this many bytes.
  static constexpr size_t kBatchBytes = 4096;

  // Deals the words of `line` to the batches; true if one of them is full.
  bool Split(const std::string& line);
  trolley::Task<absl::Status> Flush(size_t at_least_bytes);

  const std::vector<trolley::Ref<Counter>> counters_;
  const trolley::Ref<TopWords> top_;
  std::vector<std::string> batches_;  // one for each counter
};

}  // namespace wordcount

#endif  // TROLLEY_EXAMPLES_WORDCOUNT_SPLITTER_H_
