// SPDX-License-Identifier: Apache-2.0
//
// Stream: asynchronous bytes over one descriptor, for an actor's coroutines:
// "read into this buffer and tell me when", "write this", "accept".
//
//   trolley::Stream stream(loop(), std::move(fd));
//   absl::StatusOr<size_t> n = co_await stream.Read(absl::MakeSpan(buffer));
//   absl::Status written = co_await stream.Write("hello\n");
//
// Each operation makes its system call at once and waits only if the kernel
// says so. On a poller with edges the descriptor is registered once; on others
// it is watched while somebody waits. A regular file, which is always ready,
// works on every poller. A stream that never waits still lets its loop go on:
// after kCallsPerTurn calls in a row it yields.
//
// Ownership: owns the descriptor. Lives in an actor; cannot be moved.
// Threads:   loop thread only.
// Bounds:    one reader and one writer at a time; buffers are the caller's.
// Ends:      the destructor closes; what waits then is never resumed, so a
//            stream outlives the tasks that use it: make it an earlier member,
//            or the task's own.

#ifndef TROLLEY_ACTORS_STREAM_H_
#define TROLLEY_ACTORS_STREAM_H_

#include <coroutine>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "trolley/actors/task.h"
#include "trolley/bus/loop.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley {

class Stream final : private Watcher {
  template <typename Call>
  class Operation;

 public:
  // Calls made in a row before other work of the loop gets its turn.
  static constexpr int kCallsPerTurn = 16;

  // `fd` is non-blocking. Nothing is registered until somebody has to wait.
  Stream(Loop& loop, ScopedFd fd);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int fd() const { return fd_.get(); }
  Sys& sys() const { return loop_.bus().sys(); }

  // Awaits to the result of `call`, made as often as it says EAGAIN, each time
  // `direction` is ready. A result below 0 is -errno and becomes a Status that
  // names the system call `what`.
  template <typename Call>
  Operation<Call> Do(Ready direction, SysCall what, Call call) {
    return Operation<Call>(*this, direction, what, std::move(call));
  }

  // Awaits to how many bytes were read (>= 1), or 0 at the end of the stream.
  // Errors: what the call says (poller/errno_status.h); Unimplemented if the
  // poller cannot watch this kind of descriptor.
  auto Read(absl::Span<char> into) {
    return Do(Ready::kReadable, SysCall::kRead,
              [this, into] { return sys().Read(fd(), into); });
  }

  // Writes all of `bytes`, which the caller keeps alive.
  // Unavailable: the reader is gone. Otherwise as Read.
  Task<absl::Status> Write(absl::string_view bytes);

 private:
  // A coroutine that waits for one direction, or for its next turn.
  class Waiter : public Timer {
   public:
    bool await_ready() { return Try() && !stream_.MustYield(); }
    absl::StatusOr<size_t> await_resume() {
      if (!error_.ok()) return std::move(error_);
      if (result_ < 0) {
        return ErrnoStatus(static_cast<int>(result_), what_,
                           absl::StrCat("fd ", stream_.fd()));
      }
      return static_cast<size_t>(result_);
    }
    bool await_suspend(std::coroutine_handle<> at);

   protected:
    Waiter(Stream& stream, Ready direction, SysCall what)
        : stream_(stream), direction_(direction), what_(what) {}
    ~Waiter() override { stream_.Forget(this); }

   private:
    friend class Stream;
    // Makes the call. False: it would block.
    bool Try();
    virtual ssize_t Call() = 0;
    void OnTimer() override { loop().Resume(*handler_, at_); }
    Loop& loop() { return stream_.loop_; }

    Stream& stream_;
    const Ready direction_;
    const SysCall what_;
    ssize_t result_ = 0;
    absl::Status error_;
    SuspendedHandler* handler_ = nullptr;
    std::coroutine_handle<> at_;
  };

  template <typename F>
  class [[nodiscard]] Operation final : public Waiter {
   public:
    Operation(Stream& stream, Ready direction, SysCall what, F call)
        : Waiter(stream, direction, what), call_(std::move(call)) {}

   private:
    ssize_t Call() override { return call_(); }
    F call_;
  };

  void OnReady(Ready ready) override;
  bool MustYield();
  absl::Status Wait(Waiter& waiter);
  void Forget(Waiter* waiter);
  // Tells the poller what is waited for now.
  absl::Status Rearm();

  Loop& loop_;
  ScopedFd fd_;
  std::optional<Token> token_;  // while it is registered
  Ready armed_ = Ready::kNone;  // what the poller watches for
  int calls_ = 0;               // in a row, without giving way
  Waiter* reader_ = nullptr;
  Waiter* writer_ = nullptr;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_STREAM_H_
