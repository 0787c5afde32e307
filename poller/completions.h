// SPDX-License-Identifier: Apache-2.0
//
// Completions: reads, writes and accepts that a poller does itself. A second
// interface beside Poller, for those whose capabilities say `completion`: the
// caller starts an Operation and lends it a buffer; the poller's Wait takes it
// to the kernel and says when one has ended.
//
//   completions->Start(operation);
//   WaitResult r = *poller->Wait(absl::MakeSpan(events), next_timer);
//   if (r.completed) {
//     while (Operation* done = completions->TakeCompleted()) {
//       done->OnCompletion();
//     }
//   }
//
// Ownership: the caller owns the operation, its buffer and its descriptor, and
//            keeps all three until the operation has ended: taken, or
//            cancelled. The poller owns its Completions.
// Threads:   as Poller::Wait, all of it.
// Bounds:    any number of operations; beyond what the kernel takes at a time
//            they wait in the poller, first come, first served.
// Ends:      with the poller, when no operation is pending.
//
// //tests/poller:conformance holds an implementation to this page.

#ifndef TROLLEY_POLLER_COMPLETIONS_H_
#define TROLLEY_POLLER_COMPLETIONS_H_

#include <cstddef>
#include <cstdint>

#include "trolley/poller/cxx20.h"

namespace trolley {

class Completions;

// One thing that a poller is to do. Derive, and own it where it is used.
class Operation {
 public:
  enum class Kind : uint8_t {
    kRead,    // as read(); a file is read at its position
    kWrite,   // as write(); a file is written at its position
    kAccept,  // as accept4(), the connection close-on-exec and non-blocking
  };
  struct Request {
    Kind kind = Kind::kRead;
    int fd = -1;
    char* data = nullptr;  // kWrite only reads it; kAccept has none
    size_t size = 0;       // in bytes; a poller may do less of it
  };

  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  // Cancels. Whose buffer is a member of its own, or of something that goes
  // earlier, calls Cancel() before.
  virtual ~Operation() { Cancel(); }

  // It has ended and is the caller's again; see result(). May start, cancel or
  // destroy any operation, this one included.
  virtual void OnCompletion() = 0;

  // As Completions::Cancel(). Not pending: does nothing.
  inline void Cancel();

  // From Start() until it is taken or cancelled.
  bool pending() const { return started_at_ != nullptr; }

  // Of an operation that has ended: bytes, or the descriptor of a connection,
  // or -errno. 0 from a read is the end of the stream.
  int64_t result() const { return result_; }

  // Set before Start(), left alone until the end.
  Request request;

  // --- For who implements Completions ---
  void Begin(Completions& at) { started_at_ = &at; }
  void SetResult(int64_t result) { result_ = result; }
  // Before TakeCompleted() returns it, and in Cancel().
  void End() { started_at_ = nullptr; }

 private:
  friend class OperationQueue;

  Completions* started_at_ = nullptr;
  int64_t result_ = 0;
  class OperationQueue* queue_ = nullptr;
  Operation* previous_ = nullptr;
  Operation* next_ = nullptr;
};

class Completions {
 public:
  virtual ~Completions() = default;

  // Begins it, with the next Wait at the latest. Never fails: what goes wrong
  // is the operation's result. -EAGAIN: this poller cannot wait for this kind
  // of descriptor in this way; wait until it is ready instead.
  virtual void Start(Operation& operation) = 0;

  // Ends a pending operation. After it returns the kernel touches the buffer no
  // more, and TakeCompleted() does not return the operation. Its result says
  // what came first: -ECANCELED, and nothing was moved; or what it did, and a
  // connection that it accepted is the caller's to close.
  virtual void Cancel(Operation& operation) = 0;

  // The next operation that has ended, each one once; null when there is none.
  // A Wait sets WaitResult::completed when there is one, and does not wait.
  virtual Operation* TakeCompleted() = 0;

  // No operation is pending.
  virtual bool idle() const = 0;
};

inline void Operation::Cancel() {
  if (started_at_ != nullptr) started_at_->Cancel(*this);
}

}  // namespace trolley

#endif  // TROLLEY_POLLER_COMPLETIONS_H_
