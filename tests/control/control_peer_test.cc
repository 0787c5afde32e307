// SPDX-License-Identifier: Apache-2.0
//
// Another user at the socket.

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"
#include "tests/control/running_bus.h"

namespace trolley {
namespace {

using test::RunningBus;

constexpr uid_t kNobody = 65534;

// What a child that is nobody gets: 0 when it was closed without a byte, the
// errno of connect(), or one of these. Between fork and _exit it makes system
// calls only, because this process has other threads.
constexpr int kGotBytes = 201;
constexpr int kStillOpen = 202;
constexpr int kNotNobody = 203;

int ConnectAsNobody(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  const pid_t child = fork();
  if (child == 0) {
    if (setuid(kNobody) != 0) _exit(kNotNobody);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) !=
        0) {
      _exit(errno);
    }
    pollfd end = {.fd = fd, .events = POLLIN};
    if (poll(&end, 1, 20000) != 1) _exit(kStillOpen);
    char byte;
    _exit(read(fd, &byte, 1) > 0 ? kGotBytes : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class ControlPeerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
    umask(0);
  }
  // Starts it and lets everybody look into the folder.
  std::unique_ptr<RunningBus> Start(ControlOptions options) {
    auto running = std::make_unique<RunningBus>(options);
    chmod(running->folder.folder().c_str(), 0755);
    return running;
  }
};

TEST_F(ControlPeerTest, TheModeKeepsOthersOut) {
  auto running = Start({});
  EXPECT_EQ(ConnectAsNobody(running->folder.path()), EACCES);
  EXPECT_EQ(running->control->refused_peers(), 0);
}

TEST_F(ControlPeerTest, WhoTheModeLetsInIsClosedBeforeAByteIsRead) {
  auto running = Start({.socket_mode = 0666});
  EXPECT_EQ(ConnectAsNobody(running->folder.path()), 0);
  EXPECT_EQ(running->control->refused_peers(), 1);
}

TEST_F(ControlPeerTest, WhoIsOnTheListIsServed) {
  auto running = Start({.socket_mode = 0666, .allowed_uids = {kNobody}});
  // A gRPC server speaks first.
  EXPECT_EQ(ConnectAsNobody(running->folder.path()), kGotBytes);
  EXPECT_EQ(running->control->refused_peers(), 0);
}

}  // namespace
}  // namespace trolley
