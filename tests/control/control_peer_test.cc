// SPDX-License-Identifier: Apache-2.0
//
// Another user connects to the control socket.

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
#include "tests/control/control_client.h"
#include "tests/control/running_bus.h"

namespace trolley {
namespace {

using test::RunningBus;
using test::Works;

constexpr uid_t kNobody = 65534;
constexpr uid_t kStranger = 65533;

// The result of a child with the user "nobody": 0 if the connection was closed
// without a byte, the errno of connect(), or one of these. Between fork and
// _exit it only makes system calls, because this process has other threads.
constexpr int kGotBytes = 201;
constexpr int kStillOpen = 202;
constexpr int kNotNobody = 203;

int ConnectAs(uid_t uid, const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  const pid_t child = fork();
  if (child == 0) {
    if (setuid(uid) != 0) _exit(kNotNobody);
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

int ConnectAsNobody(const std::string& path) {
  return ConnectAs(kNobody, path);
}

// Connections of a child that is another user, held until this is destroyed.
class Held {
 public:
  Held(uid_t uid, const std::string& path, int count) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, path.data(), path.size());
    int ready[2];
    if (pipe(ready) != 0 || pipe(end_) != 0) abort();
    child_ = fork();
    if (child_ == 0) {
      close(end_[1]);
      if (setuid(uid) != 0) _exit(kNotNobody);
      for (int i = 0; i < count; ++i) {
        if (connect(socket(AF_UNIX, SOCK_STREAM, 0),
                    reinterpret_cast<sockaddr*>(&address),
                    sizeof(address)) != 0) {
          _exit(errno);
        }
      }
      char byte = 0;
      if (write(ready[1], &byte, 1) != 1) _exit(errno);
      _exit(read(end_[0], &byte, 1) == 0 ? 0 : errno);
    }
    close(ready[1]);
    close(end_[0]);
    char byte;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
  }
  ~Held() {
    close(end_[1]);
    int status = 0;
    waitpid(child_, &status, 0);
    EXPECT_EQ(status, 0);
  }

 private:
  int end_[2];
  pid_t child_;
};

class ControlPeerTest : public ::testing::Test {
 protected:
  ~ControlPeerTest() override { umask(mask_); }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  }
  // Starts it and gives all users access to the folder.
  std::unique_ptr<RunningBus> Start(ControlOptions options) {
    auto running = std::make_unique<RunningBus>(options);
    chmod(running->folder.folder().c_str(), 0755);
    return running;
  }

 private:
  const mode_t mask_ = umask(0);
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

// Silent ones, so they are not closed for that.
ControlOptions WithPlaces(uint32_t all, uint32_t per_user) {
  return {.socket_mode = 0666,
          .allowed_uids = {kNobody, kStranger},
          .max_connections = all,
          .max_connections_per_user = per_user,
          .handshake_timeout = absl::Hours(1)};
}

TEST_F(ControlPeerTest, AUserThatTakesAllPlacesLeavesOneForTheOwner) {
  auto running = Start(WithPlaces(3, 3));
  const Held all(kNobody, running->folder.path(), 3);
  // A third user is turned away,
  EXPECT_EQ(ConnectAs(kStranger, running->folder.path()), 0);
  EXPECT_EQ(running->control->turned_away(), 1);
  EXPECT_EQ(running->control->displaced(), 0);
  // and the owner is not.
  test::Client owner(running->control->address());
  EXPECT_TRUE(Works(owner));
  EXPECT_EQ(running->control->displaced(), 1);
  // It keeps its place, however often the other one comes.
  const Held more(kNobody, running->folder.path(), 20);
  EXPECT_TRUE(Works(owner));
}

TEST_F(ControlPeerTest, AUserThatComesOftenTakesNoPlaceOfAnotherUser) {
  auto running = Start(WithPlaces(4, 2));
  test::Client owner(running->control->address());
  ASSERT_TRUE(Works(owner));
  const Held few(kNobody, running->folder.path(), 2);
  EXPECT_EQ(running->control->displaced(), 0);
  const Held many(kNobody, running->folder.path(), 50);
  EXPECT_EQ(ConnectAs(kStranger, running->folder.path()), kGotBytes);
  EXPECT_EQ(running->control->displaced(), 50);
  EXPECT_EQ(running->control->turned_away(), 0);
  EXPECT_TRUE(Works(owner));
}

}  // namespace
}  // namespace trolley
