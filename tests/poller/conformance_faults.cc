// SPDX-License-Identifier: Apache-2.0
//
// P13 for pollers: every system call may fail. The scenario below runs with its
// first call failing, then with its second, and so on, until a run meets no
// fault. Each step must succeed or return an error. If it returns success, its
// effect is checked. No descriptor may be left open.

#include <fcntl.h>

#include <string>

#include "trolley/poller/fault_sys.h"
#include "trolley/tests/lib/process.h"
#include "trolley/tests/poller/conformance.h"

namespace trolley {
namespace {

class FaultScenario {
 public:
  FaultScenario(Sys& sys, Poller& poller)
      : sys_(sys), poller_(poller), pipe_(sys), other_(sys) {}

  void Run() {
    const absl::Status added =
        poller_.Add(pipe_.read.get(), kToken, {Ready::kReadable});
    const absl::Status other_added =
        poller_.Add(other_.write.get(), kOther, {Ready::kWritable});
    if (!added.ok()) {
      EXPECT_EQ(poller_.Remove(pipe_.read.get(), kToken).code(),
                absl::StatusCode::kNotFound)
          << "a refused Add left a registration";
    }
    EXPECT_EQ(sys_.Write(pipe_.write.get(), {"x", 1}), 1);
    Expect(added.ok(), kToken, "after Add");
    Expect(other_added.ok(), kOther, "after Add");

    poller_.Wake();
    ExpectWoken();

    if (added.ok()) {
      const absl::Status silenced =
          poller_.Modify(pipe_.read.get(), kToken, {Ready::kNone});
      if (silenced.ok()) ExpectSilent(kToken);
      const absl::Status again =
          poller_.Modify(pipe_.read.get(), kToken, {Ready::kReadable});
      if (again.ok()) Expect(true, kToken, "after Modify");
      const absl::Status removed = poller_.Remove(pipe_.read.get(), kToken);
      EXPECT_TRUE(removed.ok()) << "Remove must not fail: " << removed;
      ExpectSilent(kToken);
    }
    poller_.Wake();
    ExpectWoken();
  }

 private:
  static constexpr Token kToken = {.slot = 1, .generation = 1};
  static constexpr Token kOther = {.slot = 2, .generation = 1};
  // More waits than one fault can spoil.
  static constexpr int kWaits = 6;

  bool Wait() {
    if (broken_) return false;
    Event events[4];
    const auto result = poller_.Wait(absl::MakeSpan(events), Instant());
    if (!result.ok()) {
      broken_ = true;  // said so: nothing more is expected of it
      return false;
    }
    woken_ = woken_ || result->woken;
    for (size_t i = 0; i < result->events; ++i) {
      seen_[events[i].token.Pack()] = true;
    }
    return true;
  }

  void Expect(bool registered, Token token, const char* when) {
    seen_.clear();
    for (int i = 0; i < kWaits; ++i) Wait();
    if (!broken_ && registered) {
      EXPECT_TRUE(seen_[token.Pack()]) << token.slot << " " << when;
    }
    if (!registered) {
      EXPECT_FALSE(seen_[token.Pack()]);
    }
  }

  void ExpectSilent(Token token) {
    seen_.clear();
    for (int i = 0; i < kWaits; ++i) Wait();
    EXPECT_FALSE(seen_[token.Pack()]) << "a token that must be silent";
  }

  void ExpectWoken() {
    woken_ = false;
    for (int i = 0; i < kWaits && !woken_; ++i) Wait();
    if (!broken_) {
      EXPECT_TRUE(woken_) << "a wake was lost";
    }
  }

  Sys& sys_;
  Poller& poller_;
  TestPipe pipe_;
  TestPipe other_;
  std::map<uint64_t, bool> seen_;
  bool woken_ = false;
  bool broken_ = false;
};

TEST_P(PollerConformance, P13_EverySystemCallMayFail) {
  for (size_t which = 0; which < 4; ++which) {
    uint64_t n = 1;
    for (;; ++n) {
      SCOPED_TRACE("fault " + std::to_string(n) + ", errno choice " +
                   std::to_string(which));
      const int before = OpenDescriptors();
      FaultSys faulty(sys());
      faulty.FailNthOfAny(n, which);
      {
        const absl::StatusOr<std::unique_ptr<Poller>> made =
            rig().NewPoller(faulty);
        if (made.ok()) {
          FaultScenario(sys(), **made).Run();
        } else {
          EXPECT_FALSE(made.status().message().empty());
        }
      }
      EXPECT_EQ(OpenDescriptors(), before);
      if (faulty.faults() == 0 || HasFailure()) break;
    }
    if (n == 1) GTEST_SKIP() << "makes no system call through Sys";
    std::cout << "errno choice " << which << ": " << n - 1 << " faults met\n";
  }
}

TEST_P(PollerConformance, P11_ItsDescriptorsAreClosedOnExec) {
  if (virtual_time()) GTEST_SKIP() << "it has no descriptors of its own";
  // Numbers below this one are taken; what a new poller opens is looked at.
  std::vector<bool> open_before(1024);
  for (int fd = 0; fd < 1024; ++fd) {
    open_before[fd] = sys().Fcntl(fd, F_GETFD) >= 0;
  }
  const absl::StatusOr<std::unique_ptr<Poller>> made = rig().NewPoller(sys());
  ASSERT_TRUE(made.ok()) << made.status();
  for (int fd = 0; fd < 1024; ++fd) {
    if (open_before[fd]) continue;
    const int flags = sys().Fcntl(fd, F_GETFD);
    if (flags >= 0) {
      EXPECT_NE(flags & FD_CLOEXEC, 0) << "fd " << fd;
    }
  }
}

}  // namespace
}  // namespace trolley
