// SPDX-License-Identifier: Apache-2.0
//
// Sockets that a service manager has opened: the environment is checked before
// it is believed, and a descriptor before it is used.

#include "trolley/actors/systemd/listen_sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/tcp/tcp_socket.h"
#include "trolley/actors/unix/unix_socket.h"
#include "trolley/tests/lib/process.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;

// The environment of a process that was started with sockets.
void Set(const std::string& pid, const std::string& fds,
         const std::string& names) {
  ::setenv("LISTEN_PID", pid.c_str(), 1);
  ::setenv("LISTEN_FDS", fds.c_str(), 1);
  ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
}
std::string Own() { return absl::StrCat(::getpid()); }

void ExpectNoVariables() {
  EXPECT_EQ(std::getenv("LISTEN_PID"), nullptr);
  EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);
  EXPECT_EQ(std::getenv("LISTEN_FDNAMES"), nullptr);
}

TEST(ListenSocketsTest, WithoutAServiceManagerThereAreNone) {
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_FDNAMES");
  const auto sockets = TakeListenSockets(RealSys());
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  EXPECT_TRUE(sockets->empty());
}

TEST(ListenSocketsTest, ThoseOfAnotherProcessAreLeftAlone) {
  Set(absl::StrCat(::getppid()), "2", "");
  const auto sockets = TakeListenSockets(RealSys());
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  EXPECT_TRUE(sockets->empty());
  ExpectNoVariables();
}

TEST(ListenSocketsTest, EachBadVariableIsNamed) {
  struct Case {
    std::string pid;
    std::string fds;
    std::string names;
    const char* text;
  };
  const Case cases[] = {
      {"", "1", "", "LISTEN_PID is "},
      {"-5", "1", "", "LISTEN_PID is -5"},
      {"0", "1", "", "LISTEN_PID is 0"},
      {"12x", "1", "", "LISTEN_PID is 12x"},
      {"99999999999", "1", "", "LISTEN_PID is 99999999999"},
      {"\x1b[31m", "1", "", "LISTEN_PID is \\x1b[31m"},
      {Own(), "", "", "LISTEN_FDS is "},
      {Own(), "-1", "", "LISTEN_FDS is -1"},
      {Own(), "1025", "", "LISTEN_FDS is 1025"},
      {Own(), "18446744073709551615", "", "LISTEN_FDS is 18446744073709551615"},
      {Own(), "2", "one", "LISTEN_FDNAMES has 1 names, and LISTEN_FDS is 2"},
      {Own(), "1", "one:two", "LISTEN_FDNAMES has 2 names"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.text);
    Set(each.pid, each.fds, each.names);
    const absl::Status status = TakeListenSockets(RealSys()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(each.text));
    ExpectNoVariables();
  }
}

// What is at the descriptors from 3 on belongs to the test program. So a child
// process puts its own ones there, and says by its exit code what it found.
int InChild(int (*run)()) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(run());
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int NewListener(int family, int type) {
  const int fd = ::socket(family, type, 0);
  sockaddr_in any = {};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof(any));
  if (type == SOCK_STREAM) ::listen(fd, 1);
  return fd;
}

TEST(ListenSocketsTest, EachHasItsNameAndIsClosedInChildren) {
  EXPECT_EQ(InChild([] {
              ::dup2(NewListener(AF_INET, SOCK_STREAM), 3);
              ::dup2(NewListener(AF_INET, SOCK_STREAM), 4);
              Set(Own(), "2", "links:\x1b[2J");
              auto sockets = TakeListenSockets(RealSys());
              if (!sockets.ok() || sockets->size() != 2) return 1;
              const ListenSocket& first = (*sockets)[0];
              const ListenSocket& second = (*sockets)[1];
              if (first.name != "links" || first.fd.get() != 3) return 2;
              if (second.name != "\\x1b[2J" || second.fd.get() != 4) return 3;
              if ((::fcntl(3, F_GETFD) & FD_CLOEXEC) == 0) return 4;
              if ((::fcntl(4, F_GETFD) & FD_CLOEXEC) == 0) return 5;
              const auto again = TakeListenSockets(RealSys());
              return again.ok() && again->empty() ? 0 : 6;
            }),
            0);
}

TEST(ListenSocketsTest, ADescriptorThatIsNotOpenIsNamed) {
  EXPECT_EQ(InChild([] {
              ::dup2(NewListener(AF_INET, SOCK_STREAM), 3);
              ::close(4);
              Set(Own(), "2", "");
              const absl::Status status = TakeListenSockets(RealSys()).status();
              if (!absl::IsFailedPrecondition(status)) return 1;
              return status.message().find("descriptor 4 ") ==
                             absl::string_view::npos
                         ? 2
                         : 0;
            }),
            0);
}

// --- What becomes a listener -----------------------------------------------

struct Adopts {
  absl::Status as_unix;
  absl::Status as_tcp;
};
Adopts Adopt(int fd) {
  Sys& sys = RealSys();
  Adopts result;
  result.as_unix = AdoptUnix(sys, ScopedFd(sys, ::dup(fd))).status();
  result.as_tcp = AdoptTcp(sys, ScopedFd(sys, ::dup(fd))).status();
  return result;
}
void ExpectRefused(const absl::Status& status, const char* why) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(why));
}

TEST(AdoptTest, OnlyAListeningSocketOfItsKindIsTaken) {
  Sys& sys = RealSys();
  const ScopedFd udp(sys, NewListener(AF_INET, SOCK_DGRAM));
  ExpectRefused(Adopt(udp.get()).as_tcp, "it carries no streams");
  ExpectRefused(Adopt(udp.get()).as_unix, "it is no Unix socket");

  const ScopedFd idle(sys, ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ExpectRefused(Adopt(idle.get()).as_tcp, "it does not listen");

  int pair[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const ScopedFd one(sys, pair[0]);
  const ScopedFd other(sys, pair[1]);
  ExpectRefused(Adopt(one.get()).as_unix, "it does not listen");
  ExpectRefused(Adopt(one.get()).as_tcp, "of neither IPv4 nor IPv6");

  const ScopedFd file(sys, ::open("/dev/null", O_RDWR | O_CLOEXEC));
  ExpectRefused(Adopt(file.get()).as_unix, "getsockopt");
  ExpectRefused(Adopt(-1).as_tcp, "getsockopt");

  const ScopedFd abstract(sys, ::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un none = {};
  none.sun_family = AF_UNIX;
  ASSERT_EQ(::bind(abstract.get(), reinterpret_cast<sockaddr*>(&none),
                   sizeof(sa_family_t)),
            0);
  ASSERT_EQ(::listen(abstract.get(), 1), 0);
  ExpectRefused(Adopt(abstract.get()).as_unix, "without a path");
}

TEST(AdoptTest, ATcpSocketServesAndSaysWhereItListens) {
  Sys& sys = RealSys();
  const int fd = NewListener(AF_INET, SOCK_STREAM);
  auto socket = AdoptTcp(sys, ScopedFd(sys, fd));
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_THAT(socket->endpoint(), HasSubstr("127.0.0.1:"));
  EXPECT_NE(socket->address().port(), 0);
  EXPECT_TRUE(absl::IsUnavailable(socket->Accept().status()));
}

TEST(AdoptTest, TheManagersPathStays) {
  Sys& sys = RealSys();
  const TempFolder folder;
  const std::string path = folder / "links";
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
    sockaddr_un at = {};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof(at.sun_path));
    const int fd = ::socket(AF_UNIX, type, 0);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)), 0);
    ASSERT_EQ(::listen(fd, 1), 0);
    {
      auto socket = AdoptUnix(sys, ScopedFd(sys, fd));
      ASSERT_TRUE(socket.ok()) << socket.status();
      EXPECT_EQ(socket->path(), path);
      const auto client =
          ConnectUnix(sys, path,
                      type == SOCK_STREAM ? UnixSocketType::kStream
                                          : UnixSocketType::kSeqpacket);
      EXPECT_TRUE(client.ok()) << client.status();
      EXPECT_TRUE(socket->Accept().ok());
    }
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);
    ::unlink(path.c_str());
  }
}

}  // namespace
}  // namespace trolley
