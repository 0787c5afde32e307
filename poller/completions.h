// SPDX-License-Identifier: Apache-2.0
//
// Completions: reads, writes and accepts that the poller does itself. It is a
// second interface of pollers whose Capabilities say `completion`. The caller
// starts an Operation and lends it a buffer. The poller's Wait() gives it to
// the kernel and reports when an operation has ended.
//
//   completions->Start(operation);
//   WaitResult r = *poller->Wait(absl::MakeSpan(events), next_timer);
//   if (r.completed) {
//     while (Operation* done = completions->TakeCompleted()) {
//       done->OnCompletion();
//     }
//   }
//   ...
//   operation.Cancel();  // before its buffer goes
//
// Ownership: the caller owns the operation, its buffer and its descriptor. It
//            keeps all three until TakeCompleted() returns the operation or
//            Cancel() returns. The poller owns its Completions.
// Threads:   all methods: the thread that calls Poller::Wait.
// Bounds:    any number of operations. Those that the kernel cannot take yet
//            wait in the poller, in the order in which they were started.
// Ends:      with the poller, when no operation is pending.
//
// The test suite //tests/poller:conformance checks an implementation against
// this page.

#ifndef TROLLEY_POLLER_COMPLETIONS_H_
#define TROLLEY_POLLER_COMPLETIONS_H_

#include <cstddef>
#include <cstdint>

#include "trolley/poller/cxx20.h"

namespace trolley {

class Completions;

// One read, write or accept. Derive a class and override OnCompletion().
class Operation {
 public:
  enum class Kind : uint8_t {
    kRead,    // as read(); a file is read at its current position
    kWrite,   // as write(); a file is written at its current position
    kAccept,  // as accept4() with SOCK_CLOEXEC and SOCK_NONBLOCK
  };
  struct Request {
    Kind kind = Kind::kRead;
    int fd = -1;
    char* data = nullptr;  // kWrite does not change it; kAccept ignores it
    size_t size = 0;       // in bytes; a poller may transfer fewer
  };

  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  // Calls Cancel(). If the buffer is destroyed earlier, such as a member of
  // the derived class, the derived class's destructor must call Cancel().
  virtual ~Operation() { Cancel(); }

  // Called by the caller of TakeCompleted(), as above; see result(). May start,
  // cancel or destroy any operation, also this one.
  virtual void OnCompletion() = 0;

  // As Completions::Cancel(). Does nothing if it is not pending.
  inline void Cancel();

  // True from Start() until TakeCompleted() returned it or it was cancelled.
  bool pending() const { return started_at_ != nullptr; }

  // Valid when the operation has ended:
  //
  //   kRead    >= 0: bytes read; 0 is the end of the stream
  //   kWrite   >= 0: bytes written
  //   kAccept  >= 0: the descriptor of the connection
  //   any      < 0: -errno
  int64_t result() const { return result_; }

  // Set it before Start(). Do not change it until the operation has ended.
  Request request;

  // --- For implementations of Completions ---
  void Begin(Completions& at) { started_at_ = &at; }
  void SetResult(int64_t result) { result_ = result; }
  // Called in TakeCompleted(), before it returns, and in Cancel().
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

  // Begins the operation, in the next Wait at the latest. Never fails: an error
  // is the result of the operation. The result -EAGAIN means that this poller
  // cannot do this operation on this kind of descriptor; use Poller::Add and
  // wait until the descriptor is ready.
  virtual void Start(Operation& operation) = 0;

  // Ends a pending operation. After it returns, the kernel no longer touches
  // the buffer, and TakeCompleted() does not return the operation. Its result:
  //
  //   -ECANCELED  cancelled in time; no byte was transferred
  //   any other   the operation had ended first; the caller closes a
  //               connection that it accepted
  virtual void Cancel(Operation& operation) = 0;

  // Returns an operation that has ended; each one once. Null when there is
  // none. While there is one, Wait sets WaitResult::completed and does not
  // wait.
  virtual Operation* TakeCompleted() = 0;

  // True when no operation is pending.
  virtual bool idle() const = 0;
};

inline void Operation::Cancel() {
  if (started_at_ != nullptr) started_at_->Cancel(*this);
}

}  // namespace trolley

#endif  // TROLLEY_POLLER_COMPLETIONS_H_
