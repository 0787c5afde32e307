// SPDX-License-Identifier: Apache-2.0
//
// Stream: asynchronous bytes over one descriptor, for an actor's coroutines:
// "read into this buffer and tell me when", "write this", "accept".
//
//   trolley::Stream stream(loop(), std::move(fd));
//   absl::StatusOr<size_t> n = co_await stream.Read(absl::MakeSpan(buffer));
//   absl::Status written = co_await stream.Write("hello\n");
//
// On a poller with completions the kernel does each operation, of a regular
// file too. On other pollers an operation is a call at once, and a wait if the
// kernel says so. A regular file is always ready there, so a slow disk holds up
// the loop. Results are the same everywhere.
//
// The constructor makes the descriptor non-blocking: a flag of the open file,
// which others that share it see, too. Where that must not be, as with standard
// input, OnlyRead() leaves the flag alone and looks whether there is something
// to read before each read.
//
// A stream that never waits still lets its loop go on: after kCallsPerTurn
// calls in a row it yields, and a long write goes in pieces.
//
// Ownership: owns the descriptor. Lives in an actor; cannot be moved.
// Threads:   loop thread only.
// Bounds:    one reader (or accepter) and one writer at a time, a second is
//            refused. The caller lends its buffers while it waits.
// Ends:      the destructor closes; what waits then is never resumed, so a
//            stream outlives the tasks that use it: make it an earlier member,
//            or the task's own. When either goes, nobody touches the buffer of
//            an operation under way any more: it must be older than the
//            co_await. What a read that is given up had taken is lost.

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
#include "trolley/actors/awaited.h"
#include "trolley/actors/task.h"
#include "trolley/bus/loop.h"
#include "trolley/poller/completions.h"
#include "trolley/poller/cxx20.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley {

class Stream final : private Watcher {
  class Attempt;
  class Transfer;
  class Accepting;

 public:
  // Calls made in a row before other work of the loop gets its turn.
  static constexpr int kCallsPerTurn = 16;
  // The longest piece of a write, in bytes. What a longer one would save in
  // calls is nothing beside the copying.
  static constexpr size_t kMostBytesPerWrite = 256 << 10;

  // Nothing is registered until somebody has to wait. Makes `fd` non-blocking;
  // if it cannot, every operation says why.
  Stream(Loop& loop, ScopedFd fd);
  // For Read() alone, of what may be shared: changes no flag (a sigio poller
  // sets O_ASYNC while it watches). A named pipe waits for its first writer.
  // Another process that reads from the same open file may take what was there:
  // the kernel then says so (pipes since Linux 6.5, sockets) or, of a terminal,
  // keeps the loop until there is more.
  struct OnlyRead {};
  Stream(Loop& loop, ScopedFd fd, OnlyRead);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int fd() const { return fd_.get(); }
  Sys& sys() const { return loop_.bus().sys(); }

  // Awaits to how many bytes were read (>= 1), or 0 at the end of the stream.
  // Errors: what the call says (poller/errno_status.h); Unimplemented if the
  // poller cannot watch this kind of descriptor; FailedPrecondition if another
  // coroutine reads already.
  Transfer Read(absl::Span<char> into);
  // The same of a stream socket: a read that does not fill its buffer has
  // emptied the socket, so the next one waits without trying. Not for sockets
  // by which descriptors come: there a short read says nothing.
  Transfer ReadSocket(absl::Span<char> into);

  // Writes all of `bytes`, which the caller keeps alive.
  // Unavailable: the reader is gone. Otherwise as Read.
  Task<absl::Status> Write(absl::string_view bytes);

  // Awaits to the next connection of a listening socket, close-on-exec and
  // non-blocking. One that was taken for an accepter who is gone is closed.
  // ResourceExhausted: no descriptor is left; also said when nobody connects,
  // so wait before trying again. InvalidArgument: it does not listen, or does
  // no longer. Otherwise as Read.
  Accepting Accept();

  // Who reads or accepts goes on, with Cancelled if nothing had come by then.
  void CancelReading();

  // For calls of other kinds: awaits to the result of `call`, made as often as
  // it says EAGAIN, each time `direction` is ready. A result below 0 is -errno
  // and becomes a Status that names the system call `what`.
  template <typename Call>
  internal::Awaited<Attempt, Call> Do(Ready direction, SysCall what,
                                      Call&& call) {
    return internal::Awaited<Attempt, Call>(*this, direction, what,
                                            std::forward<Call>(call));
  }

 private:
  // A coroutine that waits for one direction, or for its next turn.
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
    void Resume() { loop_.Resume(*handler_, std::exchange(at_, {})); }
    // Makes the call. False: it would block.
    bool Try();
    virtual ssize_t Call() = 0;
    // From here on neither poller nor kernel is at it; outcome_ is final.
    virtual void Cancel() {
      if (std::exchange(waits_, false)) outcome_ = -ECANCELED;
    }
    // The stream is going.
    void Abandon() {
      Cancel();
      stream_ = nullptr;
    }

    Stream* stream_;  // null once it has gone
    Loop& loop_;
    ssize_t outcome_ = 0;

   private:
    friend class Stream;
    void OnTimer() override { Resume(); }

    const Ready direction_;
    const SysCall what_;
    bool waits_ = false;  // until direction_ is ready
    absl::Status error_;
    SuspendedHandler* handler_ = nullptr;
    std::coroutine_handle<> at_;
  };

  class [[nodiscard]] Attempt : public Waiter {
   public:
    Attempt(Stream& stream, Ready direction, SysCall what,
            absl::AnyInvocable<ssize_t()> call)
        : Waiter(stream, direction, what), call_(std::move(call)) {}

   private:
    ssize_t Call() override { return call_(); }

    absl::AnyInvocable<ssize_t()> call_;
  };

  // A read, a write or an accept: the poller's own, where it completes.
  class [[nodiscard]] Transfer : public Waiter, private Operation {
   public:
    bool await_ready() {
      if (stream_->completions_ == nullptr && !KnownToBlock()) {
        return Waiter::await_ready();
      }
      return !Enter();
    }
    bool await_suspend(std::coroutine_handle<> at);
    ~Transfer() override { Transfer::Cancel(); }

   protected:
    friend class Stream;
    using Operation::Kind;
    Transfer(Stream& stream, Ready direction, SysCall what, Request request,
             bool short_means_empty = false);
    void Cancel() override;

   private:
    // A read that was not tried, and would say EAGAIN.
    bool KnownToBlock() {
      if (!short_means_empty_ || !stream_->emptied_) return false;
      outcome_ = -EAGAIN;
      return true;
    }
    ssize_t Call() override;
    void OnCompletion() override;

    const bool short_means_empty_;  // see ReadSocket()
  };

  class [[nodiscard]] Accepting final : public Transfer {
   public:
    ~Accepting() override;
    absl::StatusOr<ScopedFd> await_resume();

   private:
    friend class Stream;
    explicit Accepting(Stream& stream);
    Sys& sys_;
    bool taken_ = false;
  };

  Transfer WriteSome(absl::string_view bytes);
  ssize_t ReadIfReady(absl::Span<char> into);
  void OnReady(Ready ready) override;
  bool MustYield();
  // Tells the poller what is waited for now.
  absl::Status Rearm();

  Loop& loop_;
  ScopedFd fd_;
  Completions* completions_;    // null: what has to wait waits until ready
  std::optional<Token> token_;  // while it is registered
  Ready armed_ = Ready::kNone;  // what the poller watches for
  int unusable_ = 0;            // -errno of what the constructor could not do
  bool looks_first_ = false;    // before each read; see OnlyRead
  bool nonblocking_ = true;
  int calls_ = 0;             // in a row, without giving way
  bool emptied_ = false;      // by a read, and nothing was heard since
  bool ends_ = false;         // the other end was heard to go
  Waiter* reader_ = nullptr;  // or accepter
  Waiter* writer_ = nullptr;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_STREAM_H_
