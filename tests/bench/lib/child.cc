// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/bench/lib/child.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <system_error>

#include "trolley/tests/bench/lib/bench.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {
namespace {

constexpr char kFlag[] = "--serve";
constexpr char kReady[] = "ready\n";

// Above those that a child's will be.
int Moved(int fd) {
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, 100);
  if (moved < 0) Die("there are too few descriptors");
  return moved;
}

}  // namespace

Child::Child(std::vector<std::string> arguments, std::vector<int> fds) {
  char self[PATH_MAX] = {};
  if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) {
    Die("cannot find this program");
  }
  arguments.insert(arguments.begin(), {self, kFlag});
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  int said[2];
  if (pipe2(said, O_CLOEXEC) != 0) Die("pipe2 failed");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const int out = Moved(said[1]);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  for (size_t i = 0; i < fds.size(); ++i) {
    fds[i] = Moved(fds[i]);
    posix_spawn_file_actions_adddup2(&actions, fds[i],
                                     kFirstChildFd + static_cast<int>(i));
  }
  const int error =
      posix_spawn(&pid_, self, &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  for (int fd : fds) close(fd);
  close(out);
  close(said[1]);
  char line[sizeof(kReady)] = {};
  if (error != 0 || read(said[0], line, sizeof(line)) <= 0 ||
      std::strcmp(line, kReady) != 0) {
    Die("the other process did not start");
  }
  close(said[0]);
}

Child::~Child() {
  int status = -1;
  if (waitpid(pid_, &status, 0) != pid_ || status != 0) {
    Die("the other process failed");
  }
}

bool IsChild(int argc, char** argv) {
  return argc > 1 && std::strcmp(argv[1], kFlag) == 0;
}

std::vector<std::string> ChildArguments(int argc, char** argv) {
  KeepFreedMemory();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  PinTo(1);
  return {argv + 2, argv + argc};
}

void SayReady() {
  if (write(STDOUT_FILENO, kReady, sizeof(kReady) - 1) < 0) {
    Die("the parent is gone");
  }
}

SocketPath::SocketPath() : folder_("/tmp/trolley-bench-XXXXXX") {
  if (mkdtemp(folder_.data()) == nullptr) Die("cannot write to /tmp");
  path_ = folder_ + "/s";
}

SocketPath::~SocketPath() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace trolley::bench
