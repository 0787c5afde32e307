// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/poller/conformance.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <thread>

#include "trolley/tests/lib/process.h"

namespace trolley {
namespace {

rusage UsageOfThisThread() {
  rusage usage = {};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage;
}

absl::Duration ProcessorTime(const rusage& usage) {
  return absl::DurationFromTimeval(usage.ru_utime) +
         absl::DurationFromTimeval(usage.ru_stime);
}

class KernelRig final : public ConformanceRig {
 public:
  explicit KernelRig(ConformanceFactory create) : create_(std::move(create)) {}
  ~KernelRig() override { Settle(); }

  Sys& sys() override { return RealSys(); }
  const Clock& clock() override { return MonotonicClock(); }
  absl::StatusOr<std::unique_ptr<Poller>> NewPoller(Sys& sys) override {
    return create_(sys, MonotonicClock());
  }

  // Looks whether the thread sleeps, and gives up after a while: a poller that
  // spins never does, and the promise holds either way.
  void WhileWaiting(std::function<void()> action) override {
    const pid_t waiting = RealSys().Gettid();
    threads_.emplace_back([waiting, action = std::move(action)] {
      int looks = 0;
      AwaitSleepOf(waiting, [&looks] { return ++looks == 200; });
      action();
    });
  }

  void Settle() override {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  const ConformanceFactory create_;
  std::vector<std::thread> threads_;
};

}  // namespace

ConformanceSubject OnKernel(std::string name, ConformanceFactory create) {
  return {.name = std::move(name), .new_rig = [create = std::move(create)] {
            return std::make_unique<KernelRig>(create);
          }};
}

std::string SubjectName(
    const testing::TestParamInfo<ConformanceSubject>& info) {
  return info.param.name;
}

std::ostream& operator<<(std::ostream& out, const ConformanceSubject& subject) {
  return out << subject.name;
}

Ready Reports::Of(Token token) const {
  const auto it = ready.find(token.Pack());
  return it == ready.end() ? Ready::kNone : it->second;
}

int Reports::Times(Token token) const {
  const auto it = times.find(token.Pack());
  return it == times.end() ? 0 : it->second;
}

TestPipe::TestPipe(Sys& sys) {
  int fds[2] = {-1, -1};
  EXPECT_EQ(sys.Pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  read = ScopedFd(sys, fds[0]);
  write = ScopedFd(sys, fds[1]);
}

TestSockets::TestSockets(Sys& sys) {
  int fds[2] = {-1, -1};
  EXPECT_EQ(sys.Socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                           0, fds),
            0);
  a = ScopedFd(sys, fds[0]);
  b = ScopedFd(sys, fds[1]);
}

void PollerConformance::SetUp() {
  rig_ = GetParam().new_rig();
  descriptors_before_ = OpenDescriptors();
  absl::StatusOr<std::unique_ptr<Poller>> made = rig_->NewPoller(rig_->sys());
  if (!made.ok() && GetParam().may_be_refused) {
    GTEST_SKIP() << "not available on this machine: " << made.status();
  }
  ASSERT_TRUE(made.ok()) << made.status();
  poller_ = *std::move(made);
}

// P11, in every case: the descriptors of the poller go with it.
void PollerConformance::TearDown() {
  rig_->Settle();  // a failed case may leave without its wake
  poller_.reset();
  const int before = descriptors_before_;
  EXPECT_EQ(OpenDescriptors(), before) << "the poller left descriptors open";
  rig_.reset();
}

Token PollerConformance::Add(int fd, Ready ready, Trigger trigger) {
  const Token token = NewToken();
  const absl::Status status = poller_->Add(fd, token, {ready, trigger});
  EXPECT_TRUE(status.ok()) << "Add(" << fd << "): " << status;
  return token;
}

void PollerConformance::Modify(int fd, Token token, Ready ready,
                               Trigger trigger) {
  const absl::Status status = poller_->Modify(fd, token, {ready, trigger});
  EXPECT_TRUE(status.ok()) << "Modify(" << fd << "): " << status;
}

void PollerConformance::Remove(int fd, Token token) {
  const absl::Status status = poller_->Remove(fd, token);
  EXPECT_TRUE(status.ok()) << "Remove(" << fd << "): " << status;
}

ProcessorWatch::ProcessorWatch() {
  const rusage usage = UsageOfThisThread();
  switches_ = usage.ru_nvcsw;
  used_ = ProcessorTime(usage);
}

bool ProcessorWatch::Slept() const {
  return UsageOfThisThread().ru_nvcsw != switches_;
}

absl::Duration ProcessorWatch::Used() const {
  return ProcessorTime(UsageOfThisThread()) - used_;
}

// A wake that came before the wait shows nothing about the deadline. So this
// waits again until the thread has slept.
void PollerConformance::ExpectWaitsUntilWoken(Instant deadline) {
  for (bool slept = false; !slept && !HasFailure();) {
    rig().WhileWaiting([this] { poller().Wake(); });
    const ProcessorWatch watch;
    Reports reports;
    WaitOnce(reports, 8, deadline);
    slept = !sleeps_to_wait() || watch.Slept();
    EXPECT_TRUE(reports.woken) << "came back before " << deadline.nanos();
    rig().Settle();
  }
}

// A poller that spins always uses the processor, as far as it gets it, which is
// little on a busy machine. A poller that sleeps may not sleep in one try: if
// the thread did not run for a while, the deadline has passed before its wait
// begins. So there are several tries, and one of them must succeed.
void PollerConformance::ExpectNothingComesAndNothingSpins() {
  constexpr int kTries = 10;
  constexpr absl::Duration kMostUsed = absl::Milliseconds(5);
  for (int i = 1;; ++i) {
    const ProcessorWatch watch;
    const Instant deadline = clock().Now() + absl::Milliseconds(60);
    Reports reports;
    WaitOnce(reports, 8, deadline);
    const bool slept = watch.Slept();
    const absl::Duration used = watch.Used();
    EXPECT_TRUE(reports.empty());
    EXPECT_GE(clock().Now(), deadline);
    if (!sleeps_to_wait() || (slept && used < kMostUsed)) return;
    if (i == kTries || HasFailure()) {
      ADD_FAILURE() << "in each of " << i << " waits it spun; in the last it "
                    << (slept ? "slept, and used " : "never slept, and used ")
                    << used << " of a processor";
      return;
    }
  }
}

WaitResult PollerConformance::WaitOnce(Reports& into, size_t room,
                                       Instant deadline) {
  std::vector<Event> events(room);
  const absl::StatusOr<WaitResult> result =
      poller_->Wait(absl::MakeSpan(events), deadline);
  if (!result.ok()) {
    ADD_FAILURE() << "Wait: " << result.status();
    return {};
  }
  EXPECT_LE(result->events, room);
  std::map<uint64_t, int> in_this_wait;
  for (size_t i = 0; i < std::min(result->events, room); ++i) {
    const uint64_t packed = events[i].token.Pack();
    EXPECT_TRUE(Any(events[i].ready)) << "an event that says nothing";
    EXPECT_EQ(++in_this_wait[packed], 1) << "twice in one Wait";
    into.ready[packed] = into.ready[packed] | events[i].ready;
    ++into.times[packed];
  }
  into.woken = into.woken || result->woken;
  return *result;
}

Reports PollerConformance::Look(size_t room, int waits) {
  Reports reports;
  for (int i = 0; i < waits; ++i) WaitOnce(reports, room, Instant());
  return reports;
}

Reports PollerConformance::WaitUntil(
    const std::function<bool(const Reports&)>& done, size_t room) {
  Reports reports;
  while (!done(reports) && !HasFailure()) {
    WaitOnce(reports, room, Instant::Infinite());
  }
  return reports;
}

Reports PollerConformance::WaitFor(Token token) {
  return WaitUntil([token](const Reports& r) { return r.Times(token) > 0; });
}

void PollerConformance::Write(int fd, size_t count) {
  const std::string bytes(count, 'x');
  EXPECT_EQ(sys().Write(fd, bytes), static_cast<ssize_t>(count));
}

void PollerConformance::FillUp(int fd) {
  const std::string bytes(4096, 'x');
  ssize_t written = 0;
  while ((written = sys().Write(fd, bytes)) > 0) {
  }
  EXPECT_EQ(written, -EAGAIN);
}

size_t PollerConformance::ReadAll(int fd) {
  std::vector<char> to(4096);
  size_t total = 0;
  ssize_t count = 0;
  while ((count = sys().Read(fd, absl::MakeSpan(to))) > 0) {
    total += static_cast<size_t>(count);
  }
  return total;
}

std::vector<Trigger> PollerConformance::Triggers() {
  std::vector<Trigger> triggers = {Trigger::kLevel};
  if (capabilities().edge) triggers.push_back(Trigger::kEdge);
  if (capabilities().oneshot) triggers.push_back(Trigger::kOneshot);
  return triggers;
}

}  // namespace trolley
