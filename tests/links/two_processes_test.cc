// SPDX-License-Identifier: Apache-2.0
//
// A link between two real processes.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"
#include "tests/links/actors.h"
#include "trolley/actors/unix_link.h"
#include "trolley/bus/bus.h"

namespace trolley::links_test {
namespace {

std::string* peer_program;

// A running `peer`.
class Peer {
 public:
  explicit Peer(const std::string& path) {
    int in[2];
    int out[2];
    EXPECT_EQ(::pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    std::string program = *peer_program;
    std::string argument = path;
    char* arguments[] = {program.data(), argument.data(), nullptr};
    EXPECT_EQ(::posix_spawn(&pid_, program.c_str(), &actions, nullptr,
                            arguments, environ),
              0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    output_ = out[0];
    // It says "ready" when it listens.
    char line[6];
    EXPECT_EQ(::read(output_, line, sizeof(line)), 6);
  }
  ~Peer() {
    if (pid_ > 0) Kill();
    ::close(output_);
  }

  pid_t pid() const { return pid_; }

  // Ends it in order and returns its exit status.
  int Finish() {
    ::close(input_);
    int status = -1;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return status;
  }
  void Kill() {
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
    ::close(input_);
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
};

class TwoProcessesTest : public testing::Test {
 protected:
  void SetUp() override {
    // The paths of sockets are short; TempDir() is not.
    std::string pattern = "/tmp/trolley-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { ::rmdir(directory_.c_str()); }
  std::string path() const { return directory_ + "/s"; }

  std::string directory_;
};

TEST_F(TwoProcessesTest, AskIsAnsweredByTheOtherProcess) {
  Peer peer(path());
  Bus bus(BusOptions{});
  auto link = bus.Spawn<UnixLink>({}, path());
  ASSERT_TRUE(link.ok());
  auto remote = bus.Spawn<Remote<Numbers>>({}, *link, "sink");
  ASSERT_TRUE(remote.ok());
  const Ref<Numbers> sink = *remote;
  for (int i = 1; i <= 10; ++i) {
    Put put;
    put.set_value(i);
    EXPECT_EQ(sink.Tell(put), Delivery::kAccepted);
  }
  Ask ask;
  ask.set_value(100);
  absl::StatusOr<Answer> answer = sink.AskAndWait(ask, absl::Seconds(10));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->value(), 110u);

  EXPECT_TRUE(bus.Shutdown(absl::Seconds(5)).ledger.Balances());
  EXPECT_EQ(peer.Finish(), 0);
}

}  // namespace
}  // namespace trolley::links_test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) return 2;
  trolley::links_test::peer_program = new std::string(argv[1]);
  return RUN_ALL_TESTS();
}
