// SPDX-License-Identifier: Apache-2.0
//
// For idle_strace_test.sh: two loops that have worked and are idle. Writes a
// line when they are, and ends when its standard input does.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "trolley/actors/actor.h"

struct Ping {};
class Echo : public trolley::Actor {
 public:
  int On(const Ping&) { return 1; }
};

int main() {
  trolley::Bus bus({.loops = {{}, {}}});
  for (int loop = 0; loop < 2; ++loop) {
    auto echo = bus.Spawn<Echo>({.loop = loop});
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
