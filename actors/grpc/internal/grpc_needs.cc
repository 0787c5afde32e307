// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/grpc_needs.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley::internal {
namespace {

// The threads that gRPC 1.51 starts, and two for Alarms.
// tests/control/short_of_test.cc shows what it takes:
//
//   one for two processors   callbacks
//   one for each processor   its event engine
//   the rest                 executors, timers, and the synchronous server of
//                            reflection
unsigned ThreadsNeeded() {
  const unsigned processors = std::thread::hardware_concurrency();
  return 10 + std::clamp(processors / 2, 2u, 16u) +
         std::clamp(processors, 2u, 32u);
}

// Five for pollsets and wakes of gRPC, three for the listener, three for
// StandardStreams; the rest is for connections.
constexpr int kDescriptorsNeeded = 16;

void* Wait(void* until) {
  static_cast<absl::Notification*>(until)->WaitForNotification();
  return nullptr;
}

absl::Status CheckThreads() {
  const unsigned needed = ThreadsNeeded();
  absl::Notification end;
  std::vector<pthread_t> threads;
  int error = 0;
  while (error == 0 && threads.size() < needed) {
    pthread_t thread;
    error = pthread_create(&thread, nullptr, &Wait, &end);
    if (error == 0) threads.push_back(thread);
  }
  end.Notify();
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  if (error == 0) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "gRPC needs ", needed, " threads, and the machine gives ", threads.size(),
      " (pthread_create: ", strerrordesc_np(error),
      "); look at the limits of threads and memory: `ulimit -u`, `ulimit -v`, "
      "pids.max of the container"));
}

absl::Status CheckDescriptors(Sys& sys) {
  std::vector<ScopedFd> open;
  int result = 0;
  while (result >= 0 && open.size() < kDescriptorsNeeded) {
    result = sys.Eventfd(0, EFD_CLOEXEC);
    if (result >= 0) open.emplace_back(sys, result);
  }
  if (result >= 0) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "gRPC needs ", kDescriptorsNeeded, " descriptors, and the machine gives ",
      open.size(), " (eventfd: ", strerrordesc_np(-result),
      "); look at `ulimit -n`"));
}

}  // namespace

absl::Status CheckGrpcNeeds(Sys& sys) {
  if (absl::Status threads = CheckThreads(); !threads.ok()) return threads;
  return CheckDescriptors(sys);
}

}  // namespace trolley::internal
