// SPDX-License-Identifier: Apache-2.0
//
// For idle_strace_test.sh: two loops over a given poller, which have worked and
// are now idle. Prints a line when they are idle. Ends when its standard input
// ends. If this machine refuses the poller, prints the reason and exits with 3.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"

struct Ping {};
class Echo : public trolley::Actor {
 public:
  int On(const Ping&) { return 1; }
};

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto bus = trolley::Bus::Create(
      {.loops = std::vector<trolley::LoopOptions>(2, {.poller = argv[1]})});
  if (!bus.ok()) {
    std::puts(bus.status().ToString().c_str());
    return 3;
  }
  for (int loop = 0; loop < 2; ++loop) {
    auto echo = (*bus)->Spawn<Echo>({.loop = loop});
    if (!echo->AskAndWait(Ping{}, absl::InfiniteDuration()).ok()) std::abort();
  }
  std::puts("idle");
  std::fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  // Not a system call more: neither a shutdown nor a destructor.
  _exit(0);
}
