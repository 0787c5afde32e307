// SPDX-License-Identifier: Apache-2.0
//
// Descriptors: calls the Watcher of a descriptor when it is ready, and the
// Operation that has ended. It gives each watch a token of its own. So an event
// that the kernel has returned cannot reach the next user of the same
// descriptor number.
//
// Ownership: part of a loop; borrows the watchers and the descriptors.
// Threads:   loop thread only.
// Bounds:    those of the poller.
// Ends:      a user calls Unwatch() before it closes the descriptor.

#ifndef TROLLEY_BUS_LOOP_DESCRIPTORS_H_
#define TROLLEY_BUS_LOOP_DESCRIPTORS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/bus/thread/thread_checker.h"
#include "trolley/bus/watcher.h"
#include "trolley/poller/completions.h"
#include "trolley/poller/poller.h"

namespace trolley::internal {

class Descriptors {
 public:
  explicit Descriptors(Poller& poller)
      : poller_(poller), completions_(poller.completions()) {}

  // Null: the poller has none.
  Completions* completions() const { return completions_; }

  // Watches `fd` for `watcher`. Errors: as Poller::Add.
  absl::StatusOr<Token> Watch(int fd, Interest interest, Watcher* watcher);

  // Changes what a token waits for. NotFound: Unwatch() was called. Others: as
  // Poller::Modify.
  absl::Status Change(Token token, Interest interest);

  // After it returns the watcher is not called. A second call does nothing.
  void Unwatch(Token token);

  // Calls the watcher of each event whose token is still watched.
  void Dispatch(absl::Span<const Event> events);
  // Calls the operations that have ended.
  void DispatchCompleted();

  // True: no descriptor is watched and no operation is pending.
  bool empty() const {
    return used_ == 0 && (completions_ == nullptr || completions_->idle());
  }

 private:
  struct Slot {
    Watcher* watcher = nullptr;  // null: free
    int fd = -1;
    uint32_t generation = 0;
  };

  Slot* Find(Token token);

  Poller& poller_;
  Completions* const completions_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  size_t used_ = 0;
  [[no_unique_address]] ThreadChecker thread_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_DESCRIPTORS_H_
