// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/thread/start_thread.h"

#include <pthread.h>
#include <sched.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/bus/latch.h"

namespace trolley::internal {
namespace {

// Sets the CPUs of the calling thread.
absl::Status SetCpus(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  }
  const int error =
      ::pthread_setaffinity_np(::pthread_self(), sizeof(set), &set);
  if (error == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("it may run on none of the CPUs ", absl::StrJoin(cpus, ", "),
                   ": ", std::strerror(error)));
}

struct Start {
  Latch over;
  absl::Status status;
};

}  // namespace

absl::StatusOr<std::thread> StartThread(absl::string_view what,
                                        const ThreadOptions& options,
                                        std::function<void()> run) {
  auto start = std::make_shared<Start>();
  std::thread thread;
  try {
    thread = std::thread([start, options, run = std::move(run)] {
      if (!options.name.empty()) {
        ::pthread_setname_np(::pthread_self(), options.name.c_str());
      }
      if (!options.cpus.empty()) start->status = SetCpus(options.cpus);
      const bool ok = start->status.ok();
      start->over.Open();
      if (ok) run();
    });
  } catch (const std::system_error& refused) {
    // mutant: P13_ARefusedThreadIsTakenForAnErrorOfOurs
    return absl::ResourceExhaustedError(absl::StrCat(
        "cannot start ", what, ": ", refused.code().message(),
        "; raise the limit of threads: of the user (ulimit -u), of the "
        "container or service (pids.max, TasksMax), or of the machine "
        "(/proc/sys/kernel/threads-max); or its stack finds no memory "
        "(ulimit -v)"));
  }
  start->over.Wait(absl::InfiniteDuration());
  if (start->status.ok()) return thread;
  thread.join();
  return absl::Status(
      start->status.code(),
      absl::StrCat("cannot start ", what, ": ", start->status.message()));
}

}  // namespace trolley::internal
