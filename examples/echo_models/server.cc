// SPDX-License-Identifier: Apache-2.0
//
// echo_server: one echo service over a Unix socket, deployed in each of the
// models of models.h, chosen by --model.

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/unix/unix_socket.h"
#include "trolley/examples/echo_models/models.h"

ABSL_FLAG(std::string, socket, "",
          "where to listen: the path of a Unix socket");
ABSL_FLAG(std::string, model, "loop",
          "process: a process for each connection; thread: a thread for each; "
          "loop: an actor for each, on event loops");
ABSL_FLAG(std::string, poller, "epoll",
          "of --model=loop: the poller of every loop, or auto; `trolley "
          "pollers` lists them");
ABSL_FLAG(int, loops, 1, "of --model=loop: how many, one thread each");

namespace {

// Longer than the default: a thousand clients may come at once.
constexpr int kBacklog = 1024;

int Usage(const std::string& what) {
  std::fprintf(stderr, "echo_server: %s\nTry --help.\n", what.c_str());
  return 2;
}

// An error does not matter: the server closes connections beyond the limit and
// writes a line for each.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

absl::Status Serve(trolley::UnixListenSocket& listener) {
  const std::string model = absl::GetFlag(FLAGS_model);
  if (model == "process") return echo::ServeWithProcesses(listener);
  if (model == "thread") return echo::ServeWithThreads(listener);
  return echo::ServeWithLoops(listener, absl::GetFlag(FLAGS_poller),
                              absl::GetFlag(FLAGS_loops));
}

int Main() {
  const std::string model = absl::GetFlag(FLAGS_model);
  if (model != "process" && model != "thread" && model != "loop") {
    return Usage(
        absl::StrCat("--model=", model, " is none of process, thread, loop"));
  }
  const bool loop_flags =
      absl::GetFlag(FLAGS_poller) != "epoll" || absl::GetFlag(FLAGS_loops) != 1;
  if (model != "loop" && loop_flags) {
    return Usage(absl::StrCat("--poller and --loops are for --model=loop; ",
                              model, " has none"));
  }
  if (absl::GetFlag(FLAGS_loops) < 1 || absl::GetFlag(FLAGS_loops) > 255) {
    return Usage("--loops is 1 to 255");
  }
  if (absl::GetFlag(FLAGS_socket).empty()) {
    return Usage("where shall it listen? Give --socket=PATH");
  }

  // The reader of the log may have gone. SIGPIPE would end the process then,
  // and the file of the socket would stay.
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  RaiseDescriptorLimit();

  auto listener = trolley::ListenUnix(
      trolley::RealSys(), absl::GetFlag(FLAGS_socket), {.backlog = kBacklog});
  absl::Status served = listener.status();
  if (served.ok()) served = Serve(*listener);
  if (served.ok()) return EXIT_SUCCESS;
  std::fprintf(stderr, "echo_server: %s\n",
               std::string(served.message()).c_str());
  return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "echoes what its clients send, by one handler in three models\n"
      "  echo_server --socket=/tmp/e.sock --model=loop --poller=poll &\n"
      "  echo_client --socket=/tmp/e.sock --clients=100");
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    return Usage(
        absl::StrCat("what is ", rest[1], "? Give --socket=", rest[1]));
  }
  return Main();
}
