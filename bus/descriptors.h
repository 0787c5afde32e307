// SPDX-License-Identifier: Apache-2.0
//
// Descriptors: who is told when a descriptor of a loop is ready, or when an
// operation on one has ended. It hands out the tokens that the poller speaks
// in, so an event already taken from the kernel cannot reach the next owner of
// a descriptor number.
//
// Ownership: part of a loop; borrows the watchers and the descriptors.
// Threads:   loop thread only.
// Bounds:    the poller's.
// Ends:      whoever watches a descriptor unwatches it before closing it.

#ifndef TROLLEY_BUS_DESCRIPTORS_H_
#define TROLLEY_BUS_DESCRIPTORS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/poller/completions.h"
#include "trolley/poller/poller.h"

namespace trolley {

class Watcher {
 public:
  // May watch, change and unwatch any descriptor, its own included.
  virtual void OnReady(Ready ready) = 0;

 protected:
  ~Watcher() = default;
};

class Descriptors {
 public:
  explicit Descriptors(Poller& poller)
      : poller_(poller), completions_(poller.completions()) {}

  // Null where the poller has none.
  Completions* completions() const { return completions_; }

  // Watches `fd` for `watcher`. Errors: as Poller::Add.
  absl::StatusOr<Token> Watch(int fd, Interest interest, Watcher* watcher);

  // Changes what a token waits for. NotFound: the token is not watched any
  // more; otherwise as Poller::Modify.
  absl::Status Change(Token token, Interest interest);

  // After it returns the watcher is not called. A token not watched any more
  // does nothing.
  void Unwatch(Token token);

  // Calls the watcher of each event whose token is still watched.
  void Dispatch(absl::Span<const Event> events);
  // Tells the operations that have ended so.
  void DispatchCompleted();

  // Nothing is watched and no operation is pending.
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
};

}  // namespace trolley

#endif  // TROLLEY_BUS_DESCRIPTORS_H_
