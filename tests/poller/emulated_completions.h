// SPDX-License-Identifier: Apache-2.0
//
// EmulatedCompletions: adds completions to a poller without them. It makes the
// system call of an operation when its descriptor may be ready. The mutants of
// poller/completions.h are built on it. Streams also run on it, as a second
// implementation where io_uring is forbidden.
//
// Ownership: owns the other poller; borrows Sys.
// Threads:   as Poller.
// Bounds:    those of the other poller; one descriptor for each operation that
//            waits.

#ifndef TROLLEY_TESTS_POLLER_EMULATED_COMPLETIONS_H_
#define TROLLEY_TESTS_POLLER_EMULATED_COMPLETIONS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "trolley/poller/completions.h"
#include "trolley/poller/operation_queue.h"
#include "trolley/poller/poller.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {

class EmulatedCompletions : public Poller, public Completions {
 public:
  EmulatedCompletions(Sys& sys, std::unique_ptr<Poller> inner);
  ~EmulatedCompletions() override;

  // True: nothing that would have to wait is waited for (-EAGAIN).
  void set_never_waits(bool never) { never_waits_ = never; }

  absl::Status Add(int fd, Token token, Interest interest) override {
    return inner_->Add(fd, token, interest);
  }
  absl::Status Modify(int fd, Token token, Interest interest) override {
    return inner_->Modify(fd, token, interest);
  }
  absl::Status Remove(int fd, Token token) override {
    return inner_->Remove(fd, token);
  }
  absl::StatusOr<WaitResult> Wait(absl::Span<Event> events,
                                  Instant deadline) override;
  void Wake() override { inner_->Wake(); }
  const Capabilities& capabilities() const override { return capabilities_; }
  Completions* completions() override { return this; }

  void Start(Operation& operation) override;
  void Cancel(Operation& operation) override;
  Operation* TakeCompleted() override;
  bool idle() const override { return pending_ == 0; }

 protected:
  // What the call of an operation returns now.
  virtual int64_t Try(const Operation::Request& request);
  // Below Wait() of the operations: the other poller's.
  virtual absl::StatusOr<WaitResult> WaitInner(absl::Span<Event> events,
                                               Instant deadline) {
    return inner_->Wait(events, deadline);
  }

  Sys& sys_;
  const std::unique_ptr<Poller> inner_;
  OperationQueue waiting_;
  OperationQueue completed_;
  size_t pending_ = 0;

 private:
  // Of the duplicates that are watched; no caller happens to have such tokens.
  static constexpr uint32_t kGeneration = 0xe301'c0de;
  struct Watch {
    ScopedFd duplicate;
    Token token;
  };

  void TryAll();
  void WatchWaiting();
  void Unwatch(const Operation& operation);

  Capabilities capabilities_;
  bool never_waits_ = false;
  uint32_t last_slot_ = 0;
  std::map<const Operation*, Watch> watches_;
};

}  // namespace trolley

#endif  // TROLLEY_TESTS_POLLER_EMULATED_COMPLETIONS_H_
