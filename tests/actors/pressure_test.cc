// SPDX-License-Identifier: Apache-2.0
//
// A small echo service over every poller, also with chaos, while descriptors
// are short, signals come, descriptor numbers are reused and processes fork. No
// event is lost, nothing spins, nothing is early, and the service works again
// when the trouble is over.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/stream.h"
#include "trolley/tests/bus/bus_form.h"

namespace trolley {
namespace {

// How long the listener leaves a socket alone that it has no descriptor for.
constexpr absl::Duration kPause = absl::Milliseconds(2);

class Connection : public Actor {
 public:
  explicit Connection(ScopedFd fd) : fd_(std::move(fd)) {}

 protected:
  void OnStart() override {
    stream_.emplace(context(), std::move(fd_));
    RunInBackground(Echo());
  }

 private:
  Task<absl::Status> Echo() {
    char buffer[64];
    for (;;) {
      const absl::StatusOr<size_t> n =
          co_await stream_->Read(absl::MakeSpan(buffer));
      if (!n.ok() || *n == 0) break;
      const absl::Status written =
          co_await stream_->Write(absl::string_view(buffer, *n));
      if (!written.ok()) break;
    }
    Stop();
    co_return absl::OkStatus();
  }

  ScopedFd fd_;
  std::optional<Stream> stream_;
};

struct Ping {};

class Listener : public Actor {
 public:
  Listener(ScopedFd fd, int loops, std::atomic<int>& refusals)
      : fd_(std::move(fd)), loops_(loops), refusals_(refusals) {}

  int On(const Ping&) { return 42; }

 protected:
  void OnStart() override {
    stream_.emplace(context(), std::move(fd_));
    RunInBackground(Accept());
  }

 private:
  Task<absl::Status> Accept() {
    for (int next = 0;; next = (next + 1) % loops_) {
      absl::StatusOr<ScopedFd> accepted = co_await stream_->Accept();
      if (absl::IsResourceExhausted(accepted.status())) {
        ++refusals_;
        co_await Sleep(kPause);
        continue;
      }
      if (!accepted.ok()) co_return accepted.status();
      Spawn<Connection>({.loop = next}, *std::move(accepted)).IgnoreError();
    }
  }

  ScopedFd fd_;
  const int loops_;
  std::atomic<int>& refusals_;
  std::optional<Stream> stream_;
};

class PressureTest : public testing::TestWithParam<BusForm> {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);  // a connection that ends is a failure to see
    address_.sun_family = AF_UNIX;
    const std::string name = "trolley-pressure-" + std::to_string(::getpid());
    std::memcpy(address_.sun_path + 1, name.data(), name.size());
    size_ = offsetof(sockaddr_un, sun_path) + 1 + name.size();
    ScopedFd listener(
        RealSys(), RealSys().Socket(
                       AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ASSERT_EQ(RealSys().Bind(listener.get(), address(), size_), 0);
    ASSERT_EQ(RealSys().Listen(listener.get(), 64), 0);
    auto made = Bus::Create({.loops = LoopsOf(GetParam())});
    ASSERT_TRUE(made.ok()) << made.status();
    bus_ = *std::move(made);
    auto spawned = bus_->Spawn<Listener>({.loop = 0}, std::move(listener),
                                         GetParam().loops, refusals_);
    ASSERT_TRUE(spawned.ok()) << spawned.status();
    listener_ = *spawned;
  }

  static ScopedFd NewSocket() {
    return ScopedFd(RealSys(),
                    RealSys().Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }
  void Connect(const ScopedFd& socket) {
    int done = 0;
    do {
      done = RealSys().Connect(socket.get(), address(), size_);
    } while (done == -EINTR);
    ASSERT_EQ(done, 0);
  }
  static void Send(const ScopedFd& socket, char byte) {
    ASSERT_EQ(RealSys().Write(socket.get(), {&byte, 1}), 1);
  }
  static void Receive(const ScopedFd& socket, char byte) {
    char got = 0;
    ssize_t n = 0;
    do {
      n = RealSys().Read(socket.get(), absl::MakeSpan(&got, 1));
    } while (n == -EINTR);
    ASSERT_EQ(n, 1);
    ASSERT_EQ(got, byte);
  }
  static void RoundTrip(const ScopedFd& socket, char byte) {
    Send(socket, byte);
    Receive(socket, byte);
  }
  void AskOnce() {
    ASSERT_EQ(*listener_->AskAndWait(Ping{}, absl::InfiniteDuration()), 42);
  }
  const sockaddr* address() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }

  std::atomic<int> refusals_{0};
  std::unique_ptr<Bus> bus_;
  std::optional<Ref<Listener>> listener_;

 private:
  sockaddr_un address_ = {};
  socklen_t size_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Forms, PressureTest,
                         testing::ValuesIn(ThreadedBusForms()), BusFormName);

// Takes every descriptor there is, and gives them back.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = std::min<rlim_t>(few.rlim_cur, 256);
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    int fd = 0;
    while ((fd = RealSys().Dup(STDERR_FILENO)) >= 0) {
      taken_.emplace_back(RealSys(), fd);
    }
    EXPECT_EQ(fd, -EMFILE);
  }
  ~NoDescriptors() {
    taken_.clear();
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0);
  }

 private:
  rlimit before_;
  std::vector<ScopedFd> taken_;
};

TEST_P(PressureTest, P12_WithoutDescriptorsServiceGoesOnAndComesBack) {
  const ScopedFd served = NewSocket();
  const ScopedFd waiting = NewSocket();
  Connect(served);
  RoundTrip(served, 'a');
  const Instant start = MonotonicClock().Now();
  {
    const NoDescriptors none;
    Connect(waiting);
    Send(waiting, 'w');
    // Until it was refused a few times: it waits, and the others do not.
    for (char byte = 0; refusals_.load() < 3; ++byte) RoundTrip(served, byte);
    EXPECT_LT(RealSys().Openat(AT_FDCWD, "/dev/null", O_RDONLY, 0), 0);
    AskOnce();
  }
  // As often as the pauses allow, and some for what the kernel does first.
  const absl::Duration took = MonotonicClock().Now() - start;
  EXPECT_LE(refusals_.load(), absl::ToInt64Milliseconds(took) / 2 + 5);
  Receive(waiting, 'w');
  RoundTrip(served, 'z');
}

std::atomic<int> signals_seen{0};
void CountSignal(int /*signal*/) { ++signals_seen; }

TEST_P(PressureTest, Pitfall24_AStormOfSignalsLosesNothingAndHurriesNothing) {
  struct sigaction action = {};
  action.sa_handler = CountSignal;  // without SA_RESTART
  // It stays: the last signals may come after the timer has stopped.
  ASSERT_EQ(::sigaction(SIGALRM, &action, nullptr), 0);
  // Not to this thread: to those of the loops.
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  ::pthread_sigmask(SIG_BLOCK, &alarm, nullptr);
  signals_seen = 0;
  const itimerval each_millisecond = {.it_interval = {0, 1000},
                                      .it_value = {0, 1000}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &each_millisecond, nullptr), 0);

  const ScopedFd client = NewSocket();
  Connect(client);
  for (char byte = 0; signals_seen.load() < 60 && !HasFailure(); ++byte) {
    RoundTrip(client, byte);
    AskOnce();
  }
  // A handler that never replies: the deadline ends the ask, and not before.
  class Silent : public Actor {
   public:
    Task<int> On(Ping) {
      co_await Sleep(absl::Hours(1));
      co_return 0;
    }
  };
  auto silent = bus_->Spawn<Silent>({.loop = GetParam().loops - 1});
  const Instant start = MonotonicClock().Now();
  EXPECT_FALSE(silent->AskAndWait(Ping{}, absl::Milliseconds(20)).ok());
  EXPECT_GE(MonotonicClock().Now() - start, absl::Milliseconds(20));

  const itimerval never = {};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
}

// Each connection ends before the next begins, so its number is the next one's;
// a second one that stays must get its own answers and no other's.
TEST_P(PressureTest, Pitfall1_NumbersThatAreUsedAgainKeepTheirEventsApart) {
  const ScopedFd stays = NewSocket();
  Connect(stays);
  for (int i = 0; i < 150 && !HasFailure(); ++i) {
    ScopedFd comes = NewSocket();
    Connect(comes);
    Send(stays, static_cast<char>(i));
    Send(comes, static_cast<char>(i + 100));
    Receive(comes, static_cast<char>(i + 100));
    if (i % 2 == 0) Send(comes, 'x');  // what it never reads goes with it
    comes.reset();
    Receive(stays, static_cast<char>(i));
  }
}

TEST_P(PressureTest, Pitfall5_ChildrenThatEndOrExecDisturbNothing) {
  const ScopedFd client = NewSocket();
  Connect(client);
  for (int i = 0; i < 6 && !HasFailure(); ++i) {
    const char byte = static_cast<char>(i);
    Send(client, byte);
    const pid_t child = ::fork();
    if (child == 0) {
      if (i % 2 == 0) ::_exit(0);
      ::execl("/bin/true", "true", nullptr);
      ::_exit(127);
    }
    ASSERT_GT(child, 0);
    Receive(client, byte);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    RoundTrip(client, byte);
    AskOnce();
    const ScopedFd another = NewSocket();
    Connect(another);
    RoundTrip(another, byte);
  }
}

}  // namespace
}  // namespace trolley
