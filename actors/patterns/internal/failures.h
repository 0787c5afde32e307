// SPDX-License-Identifier: Apache-2.0
//
// Failures: the errors of tasks that have failed, for the text of one error.
//
//   Failures failures(/*named=*/4);
//   failures.Add(index, status);
//   return failures.Explain(succeeded, needed, count);
//
// Ownership: a value.
// Threads:   one.
// Bounds:    the text names so many failures, each with kMostText bytes.

#ifndef TROLLEY_ACTORS_PATTERNS_INTERNAL_FAILURES_H_
#define TROLLEY_ACTORS_PATTERNS_INTERNAL_FAILURES_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"

namespace trolley::internal {

// The bytes of another error's text that an error of a pattern repeats.
inline constexpr size_t kMostText = 200;

// The code and the text of `error`, cut to kMostText bytes.
std::string Brief(const absl::Status& error);

// InvalidArgument: a quorum of `needed` of `count` tasks.
absl::Status NoSuchQuorum(size_t needed, size_t count);

class Failures {
 public:
  explicit Failures(size_t named) : named_(named) {}

  void Add(size_t index, const absl::Status& error);
  size_t count() const { return count_; }
  // The code is that of the last failure.
  absl::Status Explain(size_t succeeded, size_t needed, size_t count) const;

 private:
  const size_t named_;
  size_t count_ = 0;
  std::string text_;
  absl::StatusCode last_ = absl::StatusCode::kUnknown;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PATTERNS_INTERNAL_FAILURES_H_
