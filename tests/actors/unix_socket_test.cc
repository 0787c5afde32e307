// SPDX-License-Identifier: Apache-2.0
//
// Unix sockets as files, on the real kernel. Each test works in a directory of
// its own under /tmp, because a test's own directory may have a path too long
// for a socket.

#include "trolley/actors/unix/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"
#include "trolley/tests/lib/process.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr uid_t kNobody = 65534;

std::string Text(const absl::Status& status) {
  return std::string(status.message());
}

mode_t ModeOf(const std::string& path) {
  struct stat file = {};
  EXPECT_EQ(::lstat(path.c_str(), &file), 0) << path;
  return file.st_mode & 07777;
}

// Runs `body` in a forked child; its result is the child's exit code.
int InChild(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Root of a user namespace, as in a sandbox, has no other user to become.
bool CanBecomeNobody() {
  return ::geteuid() == 0 &&
         InChild([] { return ::setuid(kNobody) == 0 ? 0 : 1; }) == 0;
}

class UnixSocketTest : public ::testing::Test {
 protected:
  absl::StatusOr<UnixListenSocket> Listen(
      const UnixListenOptions& options = {}) {
    return ListenUnix(RealSys(), path_, options);
  }
  absl::StatusOr<ScopedFd> Connect() { return ConnectUnix(RealSys(), path_); }

  // Connects, is accepted, and a byte goes each way.
  void ExpectServes(UnixListenSocket& server) {
    absl::StatusOr<ScopedFd> client = Connect();
    ASSERT_TRUE(client.ok()) << client.status();
    absl::StatusOr<ScopedFd> peer = server.Accept();
    ASSERT_TRUE(peer.ok()) << peer.status();
    char byte = 0;
    ASSERT_EQ(::write(client->get(), "x", 1), 1);
    ASSERT_EQ(::read(peer->get(), &byte, 1), 1);
    EXPECT_EQ(byte, 'x');
  }

  // A socket file whose server is gone.
  void MakeStale(int type = SOCK_STREAM) { const ScopedFd fd = BindRaw(type); }
  ScopedFd BindRaw(int type) { return BindRaw(type, path_); }
  static ScopedFd BindRaw(int type, const std::string& path) {
    ScopedFd fd(RealSys(), ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address),
                     sizeof(address)),
              0);
    return fd;
  }

  const TempFolder folder_;
  const std::string directory_ = folder_.path();
  std::string path_ = folder_ / "s";
};

TEST_F(UnixSocketTest, AConnectionCarriesBytes) {
  auto server = Listen();
  ASSERT_TRUE(server.ok()) << server.status();
  ExpectServes(*server);
  EXPECT_EQ(server->path(), path_);
}

TEST_F(UnixSocketTest, NothingIsLeftBehind) {
  const int before = OpenDescriptors();
  {
    auto server = Listen();
    ASSERT_TRUE(server.ok());
    ExpectServes(*server);
    UnixListenSocket moved = *std::move(server);
    ExpectServes(moved);
  }
  EXPECT_TRUE(fs::is_empty(directory_));
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(UnixSocketTest, ClosingTwiceIsClosingOnce) {
  auto server = Listen();
  ASSERT_TRUE(server.ok());
  server->Close();
  EXPECT_EQ(server->fd(), -1);
  auto next = Listen();
  ASSERT_TRUE(next.ok());
  server->Close();
  ExpectServes(*next);
}

TEST_F(UnixSocketTest, P11_EveryDescriptorIsCloexecAndNonblocking) {
  auto server = Listen();
  ASSERT_TRUE(server.ok());
  auto client = Connect();
  auto peer = server->Accept();
  ASSERT_TRUE(client.ok() && peer.ok());
  for (int fd : {server->fd(), client->get(), peer->get()}) {
    EXPECT_TRUE(IsCloexecAndNonblocking(RealSys(), fd)) << fd;
  }
  EXPECT_EQ(server->Accept().status().code(), absl::StatusCode::kUnavailable);
}

// The mode.

TEST_F(UnixSocketTest, P14_TheSocketIsPrivateWhateverTheUmask) {
  const mode_t before = ::umask(0);
  auto server = Listen();
  ::umask(before);
  ASSERT_TRUE(server.ok());
  EXPECT_EQ(ModeOf(path_), 0600u);
  EXPECT_EQ(ModeOf(path_ + ".lock"), 0600u);
}

TEST_F(UnixSocketTest, AWiderModeThanTheUmaskAllowsIsAnErrorAndLeavesNothing) {
  const mode_t before = ::umask(022);
  auto server = Listen({.mode = 0660});
  ::umask(before);
  EXPECT_EQ(server.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(server.status()), HasSubstr("0660"));
  EXPECT_THAT(Text(server.status()), HasSubstr("takes away 0020"));
  EXPECT_TRUE(fs::is_empty(directory_));

  const mode_t narrow = ::umask(07);
  server = Listen({.mode = 0660});
  ::umask(narrow);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(ModeOf(path_), 0660u);
}

TEST_F(UnixSocketTest, P14_AnotherUserMayNotConnect) {
  if (!CanBecomeNobody()) GTEST_SKIP() << "needs root, outside a sandbox";
  auto server = Listen();
  ASSERT_TRUE(server.ok());
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  EXPECT_EQ(InChild([&] {
              if (::setuid(kNobody) != 0) return 1;
              const absl::Status refused = Connect().status();
              if (refused.code() != absl::StatusCode::kPermissionDenied) {
                return 2;
              }
              return Text(refused).find(path_) == std::string::npos ? 3 : 0;
            }),
            0);
  EXPECT_EQ(server->Accept().status().code(), absl::StatusCode::kUnavailable);
}

// Cases about the owner of the path.

TEST_F(UnixSocketTest, ALiveServerKeepsItsPathAndIsNamed) {
  auto first = Listen();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(InChild([&] {
              const absl::Status refused = Listen().status();
              if (refused.code() != absl::StatusCode::kAlreadyExists) return 1;
              const std::string owner =
                  "process " + std::to_string(::getppid()) + " of user";
              return Text(refused).find(owner) == std::string::npos ? 2 : 0;
            }),
            0);
  ASSERT_TRUE(first->Accept().ok());  // the question who it is
  ExpectServes(*first);
}

TEST_F(UnixSocketTest, ALiveServerThatTakesNoLockKeepsItsPathToo) {
  const ScopedFd other = BindRaw(SOCK_STREAM);
  ASSERT_EQ(::listen(other.get(), 4), 0);
  const absl::Status refused = Listen().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists) << refused;
  EXPECT_TRUE(Connect().ok());
  EXPECT_FALSE(fs::exists(path_ + ".lock"));
}

TEST_F(UnixSocketTest, ALiveDatagramSocketKeepsItsPathToo) {
  const ScopedFd other = BindRaw(SOCK_DGRAM);
  EXPECT_EQ(Listen().status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(fs::is_socket(path_));
}

TEST_F(UnixSocketTest, AServerWithAFullBacklogIsAlive) {
  auto first = Listen({.backlog = 0});
  ASSERT_TRUE(first.ok());
  std::vector<ScopedFd> waiting;
  absl::Status full;
  for (int i = 0; i < 10 && full.ok(); ++i) {
    auto client = Connect();
    full = client.status();
    if (client.ok()) waiting.push_back(*std::move(client));
  }
  EXPECT_EQ(full.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Text(full), HasSubstr("too many connections wait"));
  EXPECT_EQ(Listen().status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(UnixSocketTest, TheSocketOfAKilledServerIsTakenOver) {
  int ready[2];
  ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto server = Listen();
    if (server.ok() && ::write(ready[1], "x", 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(Listen().status().code(), absl::StatusCode::kAlreadyExists);
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_TRUE(fs::is_socket(path_));
  EXPECT_EQ(Connect().status().code(), absl::StatusCode::kUnavailable);

  auto server = Listen();
  ASSERT_TRUE(server.ok()) << server.status();
  ExpectServes(*server);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(UnixSocketTest, OfManyServersThatStartAtOnceOneGetsThePath) {
  constexpr int kRounds = 50, kServers = 4;
  for (int round = 0; round < kRounds; ++round) {
    if (round % 2 == 0) MakeStale();
    std::atomic<int> serving{0}, refused{0}, other{0};
    std::vector<std::optional<UnixListenSocket>> servers(kServers);
    std::vector<std::thread> threads;
    for (int i = 0; i < kServers; ++i) {
      threads.emplace_back([&, i] {
        auto server = Listen();
        if (server.ok()) {
          ++serving;
          servers[i] = *std::move(server);
        } else {
          const auto code = server.status().code();
          ++(code == absl::StatusCode::kAlreadyExists ? refused : other);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(serving, 1) << "round " << round;
    ASSERT_EQ(refused, kServers - 1) << "round " << round;
    ASSERT_TRUE(Connect().ok());
    servers.clear();
    ASSERT_TRUE(fs::is_empty(directory_)) << "round " << round;
  }
}

// What is no socket.

TEST_F(UnixSocketTest, P14_AFileAtThePathIsNeverTouched) {
  std::ofstream(path_) << "precious";
  const absl::Status refused = Listen().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(refused), HasSubstr(path_ + " is a regular file"));
  std::string text;
  std::ifstream(path_) >> text;
  EXPECT_EQ(text, "precious");
}

TEST_F(UnixSocketTest, P14_ALinkAtThePathIsNeverFollowedOrRemoved) {
  for (const char* target : {"/nowhere/at/all", "other"}) {
    std::ofstream(directory_ + "/other") << "precious";
    fs::create_symlink(target, path_);
    const absl::Status refused = Listen().status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(Text(refused), HasSubstr("a symbolic link"));
    EXPECT_EQ(fs::read_symlink(path_), target);
    EXPECT_EQ(fs::file_size(directory_ + "/other"), 8u);
    fs::remove(path_);
  }
}

TEST_F(UnixSocketTest, P14_DirectoriesAndPipesAreLeftAlone) {
  fs::create_directory(path_);
  EXPECT_THAT(Text(Listen().status()), HasSubstr("a directory"));
  EXPECT_TRUE(fs::is_directory(path_));
  fs::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(Text(Listen().status()), HasSubstr("a named pipe"));
  EXPECT_TRUE(fs::is_fifo(path_));
}

TEST_F(UnixSocketTest, P14_ALockThatIsALinkIsNotFollowed) {
  fs::create_symlink(directory_ + "/victim", path_ + ".lock");
  const absl::Status refused = Listen().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(refused), HasSubstr("s.lock is a symbolic link"));
  EXPECT_FALSE(fs::exists(directory_ + "/victim"));
  EXPECT_TRUE(fs::is_symlink(path_ + ".lock"));
}

TEST_F(UnixSocketTest, P14_ALockOfAnotherUserIsAnErrorAndNotAWait) {
  if (!CanBecomeNobody()) GTEST_SKIP() << "needs root, outside a sandbox";
  std::ofstream(path_ + ".lock");
  ASSERT_EQ(::chown((path_ + ".lock").c_str(), kNobody, kNobody), 0);
  const absl::Status refused = Listen().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(refused), HasSubstr("of user 65534"));
  EXPECT_TRUE(fs::exists(path_ + ".lock"));
}

// What may stand at the path of a socket, or at that of its lock.
enum class Thing {
  kNothing,
  kEmptyFile,
  kFileWithContent,
  kDirectory,
  kLinkToNothing,
  kLinkToAFile,
  kNamedPipe,
  kLiveSocket,
  kStaleSocket,
};
constexpr int kThings = 9;
// Of a Thing that is refused: what the error calls it.
constexpr const char* kCalled[kThings] = {"",
                                          "a regular file",
                                          "a regular file",
                                          "a directory",
                                          "a symbolic link",
                                          "a symbolic link",
                                          "a named pipe",
                                          "a socket",
                                          "a socket"};

class WhatStandsThereTest
    : public UnixSocketTest,
      public ::testing::WithParamInterface<std::tuple<int, int, bool>> {
 protected:
  void Make(Thing thing, const std::string& at, const std::string& other) {
    switch (thing) {
      case Thing::kNothing:
        return;
      case Thing::kEmptyFile:
        std::ofstream(at, std::ios::out).flush();
        break;
      case Thing::kFileWithContent:
        std::ofstream(at) << "precious";
        break;
      case Thing::kDirectory:
        fs::create_directory(at);
        break;
      case Thing::kLinkToNothing:
        fs::create_symlink("nowhere", at);
        break;
      case Thing::kLinkToAFile:
        std::ofstream(other) << "precious";
        fs::create_symlink(other, at);
        break;
      case Thing::kNamedPipe:
        ASSERT_EQ(::mkfifo(at.c_str(), 0600), 0);
        break;
      case Thing::kLiveSocket:
      case Thing::kStaleSocket:
        ScopedFd fd = BindRaw(SOCK_STREAM, at);
        if (thing == Thing::kLiveSocket) {
          ASSERT_EQ(::listen(fd.get(), 4), 0);
          live_.push_back(std::move(fd));
        }
        break;
    }
    if (std::get<2>(GetParam())) {
      ASSERT_EQ(::lchown(at.c_str(), kNobody, kNobody), 0);
    }
  }

  // Everything in the directory: what it is, which one, whose, and its content.
  std::vector<std::string> Found() const {
    std::vector<std::string> found;
    for (const fs::directory_entry& entry :
         fs::directory_iterator(directory_)) {
      struct stat file = {};
      EXPECT_EQ(::lstat(entry.path().c_str(), &file), 0);
      std::string text;
      if (S_ISREG(file.st_mode)) std::ifstream(entry.path()) >> text;
      if (S_ISLNK(file.st_mode)) text = fs::read_symlink(entry.path());
      found.push_back(absl::StrCat(entry.path().string(), " ", file.st_ino, " ",
                                   file.st_mode, " ", file.st_uid, " ", text));
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  std::vector<ScopedFd> live_;
};

TEST_P(WhatStandsThereTest, P14_IsNeverRemovedUnlessItIsAStaleSocket) {
  const auto [at_path, at_lock, of_another] = GetParam();
  if (of_another && !CanBecomeNobody()) {
    GTEST_SKIP() << "needs root, outside a sandbox";
  }
  const auto path_thing = static_cast<Thing>(at_path);
  const auto lock_thing = static_cast<Thing>(at_lock);
  Make(path_thing, path_, directory_ + "/other1");
  Make(lock_thing, path_ + ".lock", directory_ + "/other2");
  const std::vector<std::string> before = Found();

  const absl::StatusOr<UnixListenSocket> server = Listen();
  const bool lock_is_good = lock_thing == Thing::kNothing ||
                            (lock_thing == Thing::kEmptyFile && !of_another);
  const bool path_is_good =
      path_thing == Thing::kNothing || path_thing == Thing::kStaleSocket;
  ASSERT_EQ(server.ok(), lock_is_good && path_is_good) << server.status();
  if (server.ok()) {
    EXPECT_TRUE(Connect().ok());
    return;
  }
  const std::string text = Text(server.status());
  if (!lock_is_good) {
    EXPECT_EQ(server.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(text, HasSubstr(path_ + ".lock is " + kCalled[at_lock]));
  } else if (path_thing == Thing::kLiveSocket) {
    EXPECT_EQ(server.status().code(), absl::StatusCode::kAlreadyExists);
    EXPECT_THAT(text, HasSubstr(path_));
  } else {
    EXPECT_EQ(server.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(text, HasSubstr(path_ + " is " + kCalled[at_path]));
  }
  // The lock that a killed server left is no less there than before.
  EXPECT_EQ(Found(), before) << server.status();
}

INSTANTIATE_TEST_SUITE_P(All, WhatStandsThereTest,
                         ::testing::Combine(::testing::Range(0, kThings),
                                            ::testing::Range(0, kThings),
                                            ::testing::Bool()));

TEST_F(UnixSocketTest, TheLockOfAKilledServerIsTakenAndRemovedInTheEnd) {
  std::ofstream empty(path_ + ".lock");
  auto server = Listen();
  ASSERT_TRUE(server.ok()) << server.status();
  server->Close();
  EXPECT_TRUE(fs::is_empty(directory_));
}

TEST_F(UnixSocketTest, P14_ALockWithContentSurvivesTheEndOfItsServer) {
  auto server = Listen();
  ASSERT_TRUE(server.ok());
  std::ofstream(path_ + ".lock") << "precious";
  server->Close();
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_EQ(fs::file_size(path_ + ".lock"), 8u);
}

TEST_F(UnixSocketTest, P14_AnotherFileAtThePathSurvivesTheEndOfTheServer) {
  auto server = Listen();
  ASSERT_TRUE(server.ok());
  fs::remove(path_);
  std::ofstream(path_) << "precious";
  server->Close();
  EXPECT_EQ(fs::file_size(path_), 8u);
  fs::remove(path_);

  server = Listen();
  ASSERT_TRUE(server.ok());
  fs::remove(path_);
  const ScopedFd other = BindRaw(SOCK_STREAM);
  server->Close();
  EXPECT_TRUE(fs::is_socket(path_));
}

// Paths and directories.

TEST_F(UnixSocketTest, APathOfOneByteTooManyIsNamedWithBothLengths) {
  path_ = directory_ + "/" + std::string(107 - directory_.size(), 'p');
  ASSERT_EQ(path_.size(), 108u);
  for (const absl::Status& refused : {Listen().status(), Connect().status()}) {
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(Text(refused), HasSubstr("108 bytes long"));
    EXPECT_THAT(Text(refused), HasSubstr("at most 107"));
    EXPECT_THAT(Text(refused), HasSubstr(path_));
  }
  EXPECT_TRUE(fs::is_empty(directory_));

  path_.pop_back();
  auto server = Listen();
  ASSERT_TRUE(server.ok()) << server.status();
  ExpectServes(*server);
}

TEST_F(UnixSocketTest, NoPathAndAbstractNamesAreRefused) {
  path_ = "";
  EXPECT_EQ(Listen().status().code(), absl::StatusCode::kInvalidArgument);
  path_ = std::string("\0abstract", 9);
  EXPECT_EQ(Listen().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Text(Connect().status()), HasSubstr("abstract"));
}

TEST_F(UnixSocketTest, TheDirectoryMustExist) {
  path_ = directory_ + "/missing/s";
  const absl::Status refused = Listen().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Text(refused), HasSubstr(directory_ + "/missing"));

  std::ofstream(directory_ + "/file");
  path_ = directory_ + "/file/s";
  EXPECT_EQ(Listen().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(UnixSocketTest, P14_ADirectoryThatOthersMayWriteToIsRefused) {
  for (mode_t mode : {0777, 0770, 0702}) {
    ASSERT_EQ(::chmod(directory_.c_str(), mode), 0);
    const absl::Status refused = Listen().status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(Text(refused), HasSubstr("chmod go-w " + directory_));
  }
  ASSERT_EQ(::chmod(directory_.c_str(), 01777), 0);
  EXPECT_TRUE(Listen().ok());
}

TEST_F(UnixSocketTest, P14_ADirectoryOfAnotherUserIsRefused) {
  if (!CanBecomeNobody()) GTEST_SKIP() << "needs root, outside a sandbox";
  ASSERT_EQ(::chown(directory_.c_str(), kNobody, kNobody), 0);
  const absl::Status refused = Listen().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(refused), HasSubstr("belongs to user 65534"));
  EXPECT_EQ(InChild([&] {
              if (::setuid(kNobody) != 0) return 1;
              return Listen().ok() ? 0 : 2;
            }),
            0);
}

// Connecting.

TEST_F(UnixSocketTest, ConnectingSaysWhatIsWrong) {
  absl::Status failed = Connect().status();
  EXPECT_EQ(failed.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Text(failed), HasSubstr("no Unix socket at " + path_));

  MakeStale();
  failed = Connect().status();
  EXPECT_EQ(failed.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Text(failed), HasSubstr("no process listens at " + path_));
  fs::remove(path_);

  std::ofstream(path_) << "text";
  failed = Connect().status();
  EXPECT_EQ(failed.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(failed), HasSubstr("a regular file, not a socket"));
  fs::remove(path_);

  const ScopedFd datagrams = BindRaw(SOCK_DGRAM);
  failed = Connect().status();
  EXPECT_EQ(failed.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(failed), HasSubstr("not one for streams"));
}

TEST_F(UnixSocketTest, BothEndsKnowWhoTheOtherIs) {
  auto server = Listen();
  ASSERT_TRUE(server.ok());
  auto client = Connect();
  auto peer = server->Accept();
  ASSERT_TRUE(client.ok() && peer.ok());
  for (const ScopedFd* fd : {&*client, &*peer}) {
    const auto who = PeerCredentials(RealSys(), fd->get());
    ASSERT_TRUE(who.ok()) << who.status();
    EXPECT_EQ(who->uid, ::geteuid());
    EXPECT_EQ(who->gid, ::getegid());
    EXPECT_EQ(who->pid, ::getpid());
  }
}

TEST_F(UnixSocketTest, P14_TheCredentialsAreThoseOfTheProcessThatConnected) {
  if (!CanBecomeNobody()) GTEST_SKIP() << "needs root, outside a sandbox";
  auto server = Listen();
  ASSERT_TRUE(server.ok());
  const pid_t child = ::fork();
  if (child == 0) {
    auto connection = Connect();  // as root
    ::_exit(connection.ok() && ::setuid(kNobody) == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  auto peer = server->Accept();
  ASSERT_TRUE(peer.ok());
  const auto who = PeerCredentials(RealSys(), peer->get());
  ASSERT_TRUE(who.ok());
  EXPECT_EQ(who->uid, 0u);
  EXPECT_EQ(who->pid, child);
}

TEST_F(UnixSocketTest, OnlyAUnixSocketHasCredentials) {
  int pipes[2];
  ASSERT_EQ(::pipe2(pipes, O_CLOEXEC), 0);
  EXPECT_EQ(PeerCredentials(RealSys(), pipes[0]).status().code(),
            absl::StatusCode::kInvalidArgument);
  ::close(pipes[0]);
  ::close(pipes[1]);
  const ScopedFd tcp(RealSys(), ::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(PeerCredentials(RealSys(), tcp.get()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// No descriptors left.

TEST_F(UnixSocketTest, P12_WithoutDescriptorsPeersAreToldAndServiceComesBack) {
  auto server = Listen();
  ASSERT_TRUE(server.ok());
  std::vector<ScopedFd> clients;
  for (int i = 0; i < 3; ++i) {
    auto client = Connect();
    ASSERT_TRUE(client.ok());
    clients.push_back(*std::move(client));
  }
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 64;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  std::vector<ScopedFd> hogs;
  for (;;) {
    ScopedFd hog(RealSys(), ::dup(0));
    if (!hog) break;
    hogs.push_back(std::move(hog));
  }

  for (int i = 0; i < 3; ++i) {
    const absl::Status none_left = server->Accept().status();
    EXPECT_EQ(none_left.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_TRUE(server->has_reserve());
  }
  EXPECT_EQ(server->turned_away(), 3u);
  EXPECT_EQ(server->Accept().status().code(), absl::StatusCode::kUnavailable)
      << "the listener would be readable for ever";
  for (const ScopedFd& client : clients) {
    char byte = 0;
    EXPECT_EQ(::read(client.get(), &byte, 1), 0) << "must know that it ended";
  }
  hogs.clear();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ExpectServes(*server);
}

TEST_F(UnixSocketTest, P12_WithoutAReserveTheCallerIsToldToPause) {
  FaultSys sys(RealSys());
  auto server = ListenUnix(sys, path_);
  ASSERT_TRUE(server.ok());
  auto client = Connect();
  ASSERT_TRUE(client.ok());
  sys.FailAll(SysCall::kAccept4, ENFILE);
  EXPECT_EQ(server->Accept().status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(server->has_reserve());
  EXPECT_EQ(server->turned_away(), 0u);
  sys.StopFailing();
  EXPECT_TRUE(server->Accept().ok());
  EXPECT_TRUE(server->has_reserve());
}

TEST_F(UnixSocketTest, P12_ConnectionsThatEndedWhileTheyWaitedAreNoError) {
  FaultSys sys(RealSys());
  auto server = ListenUnix(sys, path_);
  ASSERT_TRUE(server.ok());
  auto client = Connect();
  ASSERT_TRUE(client.ok());
  sys.FailNth(SysCall::kAccept4, 1, ECONNABORTED, 3);
  EXPECT_TRUE(server->Accept().ok());
  sys.FailAll(SysCall::kAccept4, ECONNABORTED);
  EXPECT_EQ(server->Accept().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(UnixSocketTest, P13_EveryCallMayFail) {
  const int before = OpenDescriptors();
  uint64_t n = 1, failed = 0;
  for (;; ++n) {
    SCOPED_TRACE(testing::Message() << "the call number " << n << " fails");
    std::error_code ignored;
    fs::remove(path_, ignored);
    MakeStale();
    FaultSys sys(RealSys());
    sys.FailNthOfAny(n);
    {
      auto server = ListenUnix(sys, path_);
      auto client = ConnectUnix(sys, path_);
      if (server.ok() && client.ok()) {
        auto peer = server->Accept();
        auto who = PeerCredentials(sys, client->get());
        failed += !peer.ok() || !who.ok();
      } else {
        ++failed;
      }
    }
    ASSERT_EQ(OpenDescriptors(), before);
    // Whatever happened, the path can be used again.
    ASSERT_TRUE(Listen().ok()) << Listen().status();
    if (sys.faults() == 0) break;
  }
  std::printf("%d calls, each failed once; %d failures were reported\n",
              static_cast<int>(n - 1), static_cast<int>(failed));
  EXPECT_GT(n, 20u);
  EXPECT_GT(failed, 10u);
}

}  // namespace
}  // namespace trolley
