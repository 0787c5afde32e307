// SPDX-License-Identifier: Apache-2.0
//
// ChildOwner: an actor of a test that owns a child process, does what the test
// tells it, and keeps a diary that the test reads.
//
//   Diary diary;
//   auto owner = *bus.Spawn<ChildOwner>({}, diary);
//   ASSERT_TRUE(Do(owner, StartIt{{.argv = {"cat"}}}).ok());
//   owner.Tell(Say{"a line"});
//   EXPECT_THAT(diary.AwaitOutput(1), ElementsAre("a line"));
//
// Ownership: the test owns the diary, which outlives the actor.
// Threads:   Diary: thread-safe. Waits have no limit; that of the test is their
//            clock.
// Bounds:    none.
// Ends:      with the bus.

#ifndef TROLLEY_TESTS_CHILD_CHILD_OWNER_H_
#define TROLLEY_TESTS_CHILD_CHILD_OWNER_H_

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/child/child_process.h"

namespace trolley {

// Runs until a signal ends it, and reads nothing.
inline const std::vector<std::string> kRunsForEver = {"tail", "-f",
                                                      "/dev/null"};

inline std::vector<std::string> Shell(std::string script) {
  return {"/bin/sh", "-c", std::move(script)};
}

// Waits for the end of any process, also of one that is not a child.
class ProcessWatch {
 public:
  explicit ProcessWatch(pid_t pid)
      : fd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;
  ~ProcessWatch() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool found() const { return fd_ >= 0; }
  void AwaitEnd() const {
    if (!found()) return;  // it has ended
    pollfd item = {.fd = fd_, .events = POLLIN, .revents = 0};
    while (::poll(&item, 1, -1) < 0) {
      ASSERT_EQ(errno, EINTR);
    }
  }

 private:
  const int fd_;
};

class Diary {
 public:
  void Add(const ChildOutput& m) {
    absl::MutexLock lock(&mutex_);
    if (m.child != child_) number_ = 0;
    child_ = m.child;
    EXPECT_EQ(m.number, ++number_);
    output_.push_back(m.bytes);
  }
  void Add(const ChildEnd& m) {
    absl::MutexLock lock(&mutex_);
    ends_.push_back(m);
    // A text of its own: TSan does not see the count by which Abseil's statuses
    // share theirs.
    ends_.back().output =
        absl::Status(m.output.code(), std::string(m.output.message()));
  }
  void AddWritten(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    written_ = absl::Status(status.code(), std::string(status.message()));
  }

  // The output, when there are `count` lines or more.
  std::vector<std::string> AwaitOutput(size_t count) {
    const auto enough = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return output_.size() >= count;
    };
    absl::MutexLock lock(&mutex_, absl::Condition(&enough));
    return output_;
  }
  // The ChildEnd number `count`.
  ChildEnd AwaitEnd(size_t count = 1) {
    const auto enough = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return ends_.size() >= count;
    };
    absl::MutexLock lock(&mutex_, absl::Condition(&enough));
    return ends_[count - 1];
  }
  // How the SayAll ended.
  absl::Status AwaitWritten() {
    const auto over = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return written_.has_value();
    };
    absl::MutexLock lock(&mutex_, absl::Condition(&over));
    return *written_;
  }

  std::vector<std::string> output() { return AwaitOutput(0); }
  size_t ends() {
    absl::MutexLock lock(&mutex_);
    return ends_.size();
  }
  bool written() {
    absl::MutexLock lock(&mutex_);
    return written_.has_value();
  }

 private:
  absl::Mutex mutex_;
  ActorId child_ ABSL_GUARDED_BY(mutex_);  // of the last output
  uint64_t number_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> output_ ABSL_GUARDED_BY(mutex_);
  std::vector<ChildEnd> ends_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> written_ ABSL_GUARDED_BY(mutex_);
};

// While it is closed, the owner keeps its first ChildOutput in hand. It is of
// the loop of the owner: see Open().
struct OutputGate {
  bool open = true;
  AsyncCondition opened;
};
inline void Open(Bus& bus, int loop, const std::shared_ptr<OutputGate>& gate) {
  bus.RunOnLoop(loop, [gate] {
    gate->open = true;
    gate->opened.Notify();
  });
}

struct StartIt {  // the reply is the pid
  ChildProcessOptions options;
};
struct Say {
  std::string piece;
};
struct SayAll {  // waits for room before each
  std::vector<std::string> pieces;
};
struct SayUntilFull {  // how many were accepted
  std::string piece;
};
struct Waiting {};  // bytes
struct EndInput {};
struct StopIt {};
struct KillIt {};
struct Throw {};

class ChildOwner : public Actor {
 public:
  explicit ChildOwner(Diary& diary, std::shared_ptr<OutputGate> gate =
                                        std::make_shared<OutputGate>())
      : diary_(diary), gate_(std::move(gate)) {}

  absl::StatusOr<pid_t> On(const StartIt& m) {
    absl::Status started = process_.Start(this, m.options);
    if (!started.ok()) return started;
    return process_.pid();
  }
  Delivery On(const Say& m) { return process_.Write(m.piece); }
  void On(const SayAll& m) {
    RunInBackground([this, pieces = m.pieces]() -> Task<absl::Status> {
      absl::Status written;
      for (const std::string& piece : pieces) {
        written = co_await process_.WriteWhenRoom(piece);
        if (!written.ok()) break;
      }
      diary_.AddWritten(written);
      co_return absl::OkStatus();
    });
  }
  int On(const SayUntilFull& m) {
    int accepted = 0;
    Delivery delivery;
    while ((delivery = process_.Write(m.piece)) == Delivery::kAccepted) {
      ++accepted;
    }
    EXPECT_EQ(delivery, Delivery::kFull);
    return accepted;
  }
  size_t On(const Waiting&) { return process_.waiting_bytes(); }
  void On(const EndInput&) { process_.CloseInput(); }
  void On(const StopIt&) { process_.Stop(); }
  void On(const KillIt&) { process_.Kill(); }
  void On(const Throw&) { throw std::runtime_error("told to"); }

  Task<void> On(ChildOutput m) {
    while (!gate_->open) co_await gate_->opened.Wait();
    EXPECT_EQ(m.child, process_.id());
    diary_.Add(m);
  }
  void On(const ChildEnd& m) {
    EXPECT_EQ(m.child, process_.id());
    EXPECT_EQ(m.pid, process_.pid());
    EXPECT_FALSE(process_.running());
    diary_.Add(m);
  }

 private:
  Diary& diary_;
  const std::shared_ptr<OutputGate> gate_;
  ChildProcess process_;
};

// Asks the owner and waits: the reply, or an error of the ask.
template <typename M>
auto Do(const Ref<ChildOwner>& owner, M message) {
  return owner.AskAndWait(std::move(message), absl::InfiniteDuration());
}

}  // namespace trolley

#endif  // TROLLEY_TESTS_CHILD_CHILD_OWNER_H_
