// SPDX-License-Identifier: Apache-2.0
//
// Stream: reads, writes and accepts on one descriptor, in the coroutines of an
// actor.
//
//   trolley::Stream stream(context(), std::move(fd));
//   absl::StatusOr<size_t> n = co_await stream.Read(absl::MakeSpan(buffer));
//   absl::Status written = co_await stream.Write("hello\n");
//   absl::StatusOr<ScopedFd> peer = co_await listening.Accept();
//
// A poller with completions lets the kernel do each operation, on regular files
// too. On other pollers a stream makes the call at once, and waits if the call
// says EAGAIN; a regular file never says so, so there a slow disk stops the
// loop for a while. The results are the same.
//
// The constructor sets O_NONBLOCK, which all processes that share the open file
// see. OnlyRead, for standard input, leaves it alone and asks before each read
// whether there are bytes.
//
// Ownership: owns the descriptor. Lives in an actor; cannot be moved.
// Threads:   loop thread only.
// Bounds:    one reader (or accepter) and one writer at a time; a second one
//            fails. After kCallsPerTurn calls in a row other work has its turn.
//            A buffer must stay valid until its awaiter or the stream is
//            destroyed.
// Ends:      the destructor closes the descriptor. Coroutines that wait never
//            resume, so declare the stream before the tasks that use it. The
//            bytes of a read that is given up are lost.

#ifndef TROLLEY_ACTORS_STREAM_H_
#define TROLLEY_ACTORS_STREAM_H_

#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "trolley/actors/context.h"
#include "trolley/actors/internal/awaited.h"
#include "trolley/actors/task.h"
#include "trolley/bus/loop/loop.h"
#include "trolley/poller/completions.h"
#include "trolley/poller/cxx20.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley {

class Stream final : private Watcher {
  class CallAwaiter;
  class TransferAwaiter;
  class AcceptAwaiter;

 public:
  // Calls in a row before other work of the loop has its turn; a count.
  static constexpr int kCallsPerTurn = 16;
  // The longest piece of a write, in bytes: at this size the copying costs far
  // more than the call.
  static constexpr size_t kMostBytesPerWrite = 256 << 10;

  // Sets O_NONBLOCK. If that fails, each operation returns that error.
  Stream(ActorContext context, ScopedFd fd);
  // For Read() of a descriptor that others may share: changes no flag (but a
  // sigio poller sets O_ASYNC while it watches). A read of a named pipe waits
  // for the first writer. If another process takes the bytes first, the read
  // waits for more; on a terminal, and on pipes before Linux 6.5, the loop
  // stops until there are more.
  struct OnlyRead {};
  Stream(ActorContext context, ScopedFd fd, OnlyRead);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int fd() const { return fd_.get(); }
  Sys& sys() const { return loop_.bus().sys(); }

  // Gives the number of bytes, at least 1; 0 at the end of the stream.
  //   Unimplemented        the poller cannot watch this kind of descriptor
  //   FailedPrecondition   another coroutine reads already
  //   Cancelled            CancelReading()
  //   other                of the system call (poller/errno_status.h)
  TransferAwaiter Read(absl::Span<char> into);
  // The same for a stream socket, with fewer calls: after a read that did not
  // fill its buffer the next one waits first. Not for a socket that receives
  // descriptors: there the rest could wait until the next event.
  TransferAwaiter ReadSocket(absl::Span<char> into);

  // Writes all of `bytes`; they must stay valid until then. Unavailable: the
  // reader has gone. Others as Read.
  Task<absl::Status> Write(absl::string_view bytes);

  // Gives the next good connection of a listening socket: CLOEXEC, NONBLOCK.
  //   ResourceExhausted    no descriptor is left. It may come without a client:
  //                        wait before you try again.
  //   InvalidArgument      the socket does not listen
  //   other                as Read
  AcceptAwaiter Accept();

  // The reader or accepter goes on; with Cancelled if nothing has come.
  void CancelReading() { Cancel(reader_); }
  // The writer goes on; with Cancelled if it waits.
  void CancelWriting() { Cancel(writer_); }

  // For other system calls: gives the result of `call`. After EAGAIN it is made
  // again when `direction` is ready. A result below 0 is -errno and becomes a
  // Status that names the system call `what`.
  template <typename Call>
  internal::Awaited<CallAwaiter, Call> Do(Ready direction, SysCall what,
                                          Call&& call) {
    return internal::Awaited<CallAwaiter, Call>(*this, direction, what,
                                                std::forward<Call>(call));
  }

 private:
  // A coroutine that waits until a direction is ready, or for its next turn.
  class Waiter : private Timer {
   public:
    bool await_ready() { return !Enter() || (Try() && !stream_->MustYield()); }
    bool await_suspend(std::coroutine_handle<> at);
    absl::StatusOr<size_t> await_resume();

   protected:
    Waiter(Stream& stream, Ready direction, SysCall what)
        : stream_(&stream),
          loop_(stream.loop_),
          direction_(direction),
          what_(what) {}
    ~Waiter() override { Leave(); }

    // Becomes the stream's one reader or writer. False: there is another.
    bool Enter();
    void Leave();
    void Suspend(std::coroutine_handle<> at);
    // False: it cannot, and error_ says why.
    bool WaitUntilReady();
    void Resume() {
      loop_.coroutines().Resume(*handler_, std::exchange(at_, {}));
    }
    // Makes the call. False: it would block.
    bool Try();
    virtual ssize_t Call() = 0;
    // After it poller and kernel do not touch the operation; outcome_ is final.
    virtual void Cancel() {
      if (std::exchange(waits_, false)) outcome_ = -ECANCELED;
    }
    // The stream is being destroyed: nothing resumes the coroutine.
    void Abandon();

    Stream* stream_;  // null: it was destroyed
    internal::Loop& loop_;
    ssize_t outcome_ = 0;

   private:
    friend class Stream;
    void OnTimer() override { Resume(); }

    const Ready direction_;
    const SysCall what_;
    bool waits_ = false;  // until direction_ is ready
    absl::Status error_;
    internal::SuspendedHandler* handler_ = nullptr;
    std::coroutine_handle<> at_;
  };

  class [[nodiscard]] CallAwaiter : public Waiter {
   public:
    CallAwaiter(Stream& stream, Ready direction, SysCall what,
                absl::AnyInvocable<ssize_t()> call)
        : Waiter(stream, direction, what), call_(std::move(call)) {}

   private:
    ssize_t Call() override { return call_(); }

    absl::AnyInvocable<ssize_t()> call_;
  };

  // A read, a write or an accept; done by the poller if it has completions.
  class [[nodiscard]] TransferAwaiter : public Waiter, private Operation {
   public:
    bool await_ready() {
      if (stream_->completions_ == nullptr && !KnownToBlock()) {
        return Waiter::await_ready();
      }
      return !Enter();
    }
    bool await_suspend(std::coroutine_handle<> at);
    ~TransferAwaiter() override { TransferAwaiter::Cancel(); }

   protected:
    friend class Stream;
    using Operation::Kind;
    TransferAwaiter(Stream& stream, Ready direction, SysCall what,
                    Request request, bool short_means_empty = false);
    void Cancel() override;

   private:
    // True: a read would say EAGAIN. outcome_ says it without a call.
    bool KnownToBlock() {
      if (!short_means_empty_ || !stream_->emptied_) return false;
      outcome_ = -EAGAIN;
      return true;
    }
    ssize_t Call() override;
    void OnCompletion() override;

    const bool short_means_empty_;  // see ReadSocket()
  };

  class [[nodiscard]] AcceptAwaiter final : public TransferAwaiter {
   public:
    ~AcceptAwaiter() override;
    absl::StatusOr<ScopedFd> await_resume();

   private:
    friend class Stream;
    explicit AcceptAwaiter(Stream& stream);
    Sys& sys_;
    bool taken_ = false;
  };

  TransferAwaiter WriteSome(absl::string_view bytes);
  ssize_t ReadIfReady(absl::Span<char> into);
  void OnReady(Ready ready) override;
  bool MustYield();
  void Cancel(Waiter* waiter);
  // Tells the poller which directions have a waiter.
  absl::Status Rearm();

  internal::Loop& loop_;
  ScopedFd fd_;
  Completions* completions_;    // null: not used
  std::optional<Token> token_;  // while it is registered
  Ready armed_ = Ready::kNone;  // what the poller watches for
  int unusable_ = 0;            // -errno of the constructor
  bool looks_first_ = false;    // before each read; see OnlyRead
  bool nonblocking_ = true;
  int calls_ = 0;             // in a row, since the last yield
  bool emptied_ = false;      // by a read, and no event has come since
  bool ends_ = false;         // an event said that the other end has closed
  Waiter* reader_ = nullptr;  // or accepter
  Waiter* writer_ = nullptr;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_STREAM_H_
