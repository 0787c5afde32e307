// SPDX-License-Identifier: Apache-2.0
//
// A program starts without one or more of the descriptors 0 to 2, over each
// poller. No descriptor of a bus, its links, its listeners or its readers may
// get such a number. Each case is a process of its own.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/pipe_reader.h"
#include "trolley/actors/stream.h"
#include "trolley/actors/unix/unix_link.h"
#include "trolley/actors/unix/unix_listener.h"
#include "trolley/poller/pollers.h"
#include "trolley/tests/lib/process.h"

namespace trolley {
namespace {

// Takes one connection, which is where a poller with completions makes a
// descriptor past Sys, and says its number.
class Accepter : public Actor {
 public:
  Accepter(ScopedFd fd, int& number, absl::Notification& done)
      : fd_(std::move(fd)), number_(number), done_(done) {}

 protected:
  void OnStart() override { RunInBackground(Accept()); }

 private:
  Task<absl::Status> Accept() {
    Stream stream(context(), std::move(fd_));
    absl::StatusOr<ScopedFd> connection = co_await stream.Accept();
    number_ = connection.ok() ? connection->get() : -1;
    done_.Notify();
    co_return absl::OkStatus();
  }
  ScopedFd fd_;
  int& number_;
  absl::Notification& done_;
};

class Watcher : public Actor {
 public:
  explicit Watcher(absl::Notification& up) : up_(up) {}
  void On(const LinkUp&) { up_.Notify(); }
  void On(const LinkDown&) {}

 private:
  absl::Notification& up_;
};

class End : public Actor {
 public:
  explicit End(absl::Notification& ended) : ended_(ended) {}
  void On(const PipePiece&) {}
  void On(const PipeEnd&) { ended_.Notify(); }

 private:
  absl::Notification& ended_;
};

#define OR_RETURN(condition) \
  if (!(condition)) return __LINE__

// Not in line: g++ 12 -O1 takes the comparison of this with a bit for its
// opposite.
[[gnu::noinline]] bool IsClosed(int fd) { return ::fcntl(fd, F_GETFD) < 0; }

// Of 0 to 2 those in `closed` (bits) are closed, and no others.
bool AreClosed(int closed) {
  for (int fd = 0; fd <= 2; ++fd) {
    if (IsClosed(fd) != ((closed & 1 << fd) != 0)) return false;
  }
  return true;
}

// Everything at work. 0, or the line that failed.
int Work(int closed, const std::string& poller, const std::string& folder) {
  for (int fd = 0; fd <= 2; ++fd) {
    if ((closed & 1 << fd) != 0) ::close(fd);
  }
  Sys& sys = RealSys();
  auto bus = Bus::Create({.loops = {{.poller = poller}, {.poller = poller}}});
  OR_RETURN(bus.ok());

  auto plain = ListenUnix(sys, folder + "/plain");
  OR_RETURN(plain.ok());
  int number = -1;
  absl::Notification accepted;
  OR_RETURN((*bus)
                ->Spawn<Accepter>({}, ScopedFd(sys, sys.Dup(plain->fd())),
                                  number, accepted)
                .ok());
  const auto connected = ConnectUnix(sys, folder + "/plain");
  OR_RETURN(connected.ok());
  accepted.WaitForNotification();
  OR_RETURN(number > 2);

  auto socket = ListenUnix(sys, folder + "/links");
  OR_RETURN(socket.ok());
  OR_RETURN((*bus)->Spawn<UnixListener>({.loop = 0}, *std::move(socket)).ok());
  absl::Notification up;
  auto watcher = (*bus)->Spawn<Watcher>({}, up);
  UnixLinkOptions options;
  options.watcher = *watcher;
  OR_RETURN(
      (*bus)->Spawn<UnixLink>({.loop = 1}, folder + "/links", options).ok());
  up.WaitForNotification();

  absl::Notification ended;
  auto receiver = (*bus)->Spawn<End>({}, ended);
  auto file = OpenForReading(sys, "/dev/null");
  OR_RETURN(file.ok());
  OR_RETURN((*bus)->Spawn<PipeReader>({}, *std::move(file), *receiver).ok());
  ended.WaitForNotification();
  OR_RETURN(AreClosed(closed));
  return 0;
}

class StandardDescriptorsTest : public testing::TestWithParam<std::string> {};

TEST_P(StandardDescriptorsTest, P11_NoneOfABusIs0To2) {
  absl::Status made =
      CreatePoller(GetParam(), RealSys(), MonotonicClock()).status();
  if (!made.ok()) GTEST_SKIP() << "not on this machine: " << made;
  for (int closed = 0; closed < 8; ++closed) {
    const TempFolder folder;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(Work(closed, GetParam(), folder.path()));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "closed: " << closed << "; failed in line "
        << (WIFEXITED(status) ? WEXITSTATUS(status) : -status);
  }
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const NamedPoller& poller : BuiltinPollers()) {
    names.emplace_back(poller.name);
  }
  return names;
}
INSTANTIATE_TEST_SUITE_P(Pollers, StandardDescriptorsTest,
                         testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace trolley
