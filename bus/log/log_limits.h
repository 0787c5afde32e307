// SPDX-License-Identifier: Apache-2.0
//
// LogLimits: decides which lines of a log are written, and counts the others.
// Each kind of line from each source has a bucket of tokens; a line costs one.
//
// Ownership: part of BusLog.
// Threads:   one at a time, under the lock of BusLog.
// Bounds:    LogOptions::max_sources buckets, and one for each kind.
// Ends:      TakeAll() returns the counts that are left.

#ifndef TROLLEY_BUS_LOG_LOG_LIMITS_H_
#define TROLLEY_BUS_LOG_LOG_LIMITS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/strings/string_view.h"
#include "trolley/bus/log_kind.h"
#include "trolley/bus/options.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

class LogLimits {
 public:
  explicit LogLimits(const LogOptions& options) : options_(options) {}

  // True: the line may be written now. Then `left_out` becomes the line to
  // write before it, "how many were left out", or empty.
  bool Admit(LogKind kind, absl::string_view source, absl::string_view text,
             Instant now, std::string& left_out);

  // True: lines were left out whose number was not written yet.
  bool any_left_out() const { return buckets_left_out_ > 0; }

  // The lines "how many were left out": of the buckets that have a token again,
  // and of all buckets.
  std::vector<std::string> TakeDue(Instant now) { return Take(&now); }
  std::vector<std::string> TakeAll() { return Take(nullptr); }

 private:
  struct Bucket {
    uint32_t tokens = 0;
    Instant filled;           // when the last token was added
    uint64_t left_out = 0;    // lines
    std::string for_example;  // the first of them, cut
  };
  // File, line, source; in an order that is the same in each run.
  using Key = std::tuple<std::string_view, int, std::string>;

  Bucket& BucketOf(LogKind kind, absl::string_view source, Instant now);
  void Fill(Bucket& bucket, Instant now) const;
  std::string TakeLeftOut(Bucket& bucket);
  std::vector<std::string> Take(const Instant* due);

  const LogOptions options_;
  std::map<Key, Bucket> buckets_;
  size_t buckets_left_out_ = 0;  // buckets whose left_out is above 0
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOG_LOG_LIMITS_H_
