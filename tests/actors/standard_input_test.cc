// SPDX-License-Identifier: Apache-2.0
//
// OpenForReading("-") behaves as `cat -`, for each kind of standard input and
// over each poller. Each case is a process of its own, whose descriptor 0 the
// test has made.

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/pipe_reader.h"
#include "trolley/poller/pollers.h"
#include "trolley/tests/lib/process.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;

class Collector : public Actor {
 public:
  Collector(std::string& all, absl::Notification& ended)
      : all_(all), ended_(ended) {}
  void On(const PipePiece& piece) { absl::StrAppend(&all_, piece.bytes, "|"); }
  void On(const PipeEnd& end) {
    if (!end.status.ok()) absl::StrAppend(&all_, end.status.ToString());
    ended_.Notify();
  }

 private:
  std::string& all_;
  absl::Notification& ended_;
};

// The lines of standard input, each with a '|' after it, or what went wrong.
std::string ReadStandardInput(const std::string& poller) {
  auto bus = Bus::Create({.loops = {{.poller = poller}}});
  if (!bus.ok()) return bus.status().ToString();
  auto input = OpenForReading(RealSys(), "-");
  if (!input.ok()) return input.status().ToString();
  std::string all;
  absl::Notification ended;
  auto collector = (*bus)->Spawn<Collector>({}, all, ended);
  auto reader = (*bus)->Spawn<PipeReader>({}, *std::move(input), *collector);
  if (!reader.ok()) return reader.status().ToString();
  ended.WaitForNotification();
  (*bus)->Shutdown(absl::InfiniteDuration());
  return all;
}

class StandardInputTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    absl::Status made =
        CreatePoller(GetParam(), RealSys(), MonotonicClock()).status();
    if (!made.ok()) GTEST_SKIP() << "not on this machine: " << made;
  }

  // Starts a process that reads `fd` as its standard input (-1: it has none).
  // `become` runs first, for example to change its user.
  void Start(
      int fd, const std::function<void()>& become = [] {}) {
    ASSERT_EQ(::pipe2(said_, O_CLOEXEC), 0);
    child_ = ::fork();
    ASSERT_GE(child_, 0);
    if (child_ != 0) {
      ::close(said_[1]);
      return;
    }
    if (fd >= 0) ::dup2(fd, 0);
    for (int other = 3; other < 64; ++other) {
      if (other != said_[1]) ::close(other);
    }
    if (fd < 0) ::close(0);
    become();
    const std::string all = ReadStandardInput(GetParam());
    ::_exit(::write(said_[1], all.data(), all.size()) < 0);
  }

  // What it said.
  std::string Said() {
    std::string all;
    char to[4096];
    ssize_t n;
    while ((n = ::read(said_[0], to, sizeof(to))) > 0) all.append(to, n);
    ::close(said_[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child_, &status, 0), child_);
    EXPECT_EQ(status, 0);
    return all;
  }
  std::string Read(int fd) {
    Start(fd);
    return Said();
  }

  void Put(int fd, const std::string& bytes) {
    EXPECT_EQ(::write(fd, bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }

  const TempFolder folder_;
  int said_[2];
  pid_t child_ = -1;
};

TEST_P(StandardInputTest, AFileGoesOnFromWhereItStandsAndIsLeftAtItsEnd) {
  const int fd =
      ::open((folder_ / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  Put(fd, "one\ntwo\nthree\n");
  ASSERT_EQ(::lseek(fd, 4, SEEK_SET), 4);
  EXPECT_EQ(Read(fd), "two|three|");
  EXPECT_EQ(::lseek(fd, 0, SEEK_CUR), 14);
  EXPECT_EQ(Read(fd), "");
  ::close(fd);
}

TEST_P(StandardInputTest, ANamedPipeWhoseWriterHasGoneIsAtItsEnd) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  for (const std::string before : {"", "x\n"}) {
    const int writer = ::open((folder_ / "fifo").c_str(), O_RDWR | O_CLOEXEC);
    const int fd = ::open((folder_ / "fifo").c_str(), O_RDONLY | O_CLOEXEC);
    Put(writer, before);
    ::close(writer);
    EXPECT_EQ(Read(fd), before.empty() ? "" : "x|");
    ::close(fd);
  }
}

TEST_P(StandardInputTest, APipeAndASocketAreReadAndTheirFlagsStay) {
  for (const bool socket : {false, true}) {
    int fds[2];
    ASSERT_EQ(socket ? ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)
                     : ::pipe2(fds, O_CLOEXEC),
              0);
    const int flags = ::fcntl(fds[0], F_GETFL);
    Start(fds[0]);
    Put(fds[1], "a\nb\n");
    EXPECT_EQ(::fcntl(fds[0], F_GETFL) & ~O_ASYNC, flags);
    ::close(fds[1]);
    EXPECT_EQ(Said(), "a|b|");
    EXPECT_EQ(::fcntl(fds[0], F_GETFL), flags);
    ::close(fds[0]);
  }
}

// Other processes with the same terminal never get EAGAIN, not even if this
// process is killed while it waits for a line.
TEST_P(StandardInputTest, ATerminalIsReadToItsEndAndItsFlagsStay) {
  int terminal = -1;
  int fd = -1;
  ASSERT_EQ(::openpty(&terminal, &fd, nullptr, nullptr, nullptr), 0);
  const int flags = ::fcntl(fd, F_GETFL);
  Start(fd);
  Put(terminal, "a\n\x04");
  EXPECT_EQ(Said(), "a|");
  EXPECT_EQ(::fcntl(fd, F_GETFL) & O_NONBLOCK, flags & O_NONBLOCK);

  Start(fd);
  Put(terminal, "b\n");
  ::kill(child_, SIGKILL);
  int status = 0;
  EXPECT_EQ(::waitpid(child_, &status, 0), child_);
  ::close(said_[0]);
  EXPECT_EQ(::fcntl(fd, F_GETFL) & O_NONBLOCK, flags & O_NONBLOCK);
  ::close(terminal);
  ::close(fd);
}

TEST_P(StandardInputTest, APipeOfAnotherUserIsRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  ASSERT_EQ(::fchmod(fds[0], 0600), 0);
  Put(fds[1], "a\n");
  ::close(fds[1]);
  Start(fds[0], [] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(3);
  });
  EXPECT_EQ(Said(), "a|");
  ::close(fds[0]);
}

TEST_P(StandardInputTest, WhatCannotBeReadIsSaid) {
  EXPECT_THAT(Read(-1), HasSubstr("standard input is closed"));
  // What a library made before main began, in a process that has none.
  const int counter = ::eventfd(0, EFD_CLOEXEC);
  EXPECT_THAT(Read(counter), HasSubstr("standard input is closed"));
  ::close(counter);
  const int writing =
      ::open((folder_ / "file").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  EXPECT_THAT(Read(writing), HasSubstr("not open for reading"));
  ::close(writing);
  const int folder =
      ::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT_THAT(Read(folder), HasSubstr("standard input is a directory"));
  ::close(folder);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(Read(null), "");
  ::close(null);
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const NamedPoller& poller : BuiltinPollers()) {
    names.emplace_back(poller.name);
  }
  return names;
}
INSTANTIATE_TEST_SUITE_P(Pollers, StandardInputTest, testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace trolley
