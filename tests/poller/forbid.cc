// SPDX-License-Identifier: Apache-2.0
//
// Runs a program for which the system calls of some pollers are forbidden:
//
//   forbid io_uring,epoll PROGRAM [ARGUMENT...]
//
// Its exit code is that of the program, or 125 if the program could not be run.

#include <errno.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "trolley/tests/poller/forbid_calls.h"

namespace {

constexpr int kNotRun = 125;

int Fail(const std::string& why) {
  std::fprintf(stderr, "forbid: %s\n", why.c_str());
  return kNotRun;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return Fail("usage: forbid POLLER[,POLLER] PROGRAM [ARGUMENT]");
  for (const std::string& name :
       std::vector<std::string>(absl::StrSplit(argv[1], ','))) {
    const auto calls = trolley::CallsOf(name);
    if (!calls.has_value()) return Fail("no calls are known of " + name);
    const absl::Status done = trolley::ForbidCalls(*calls, EPERM);
    if (!done.ok()) return Fail(done.ToString());
  }
  execv(argv[2], argv + 2);
  return Fail(std::string(argv[2]) + ": " + std::strerror(errno));
}
