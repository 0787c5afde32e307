// SPDX-License-Identifier: Apache-2.0
//
// short_of THREADS DESCRIPTORS PATH: starts a control service at PATH while the
// process may have only so many more threads and descriptors; -1: no limit.
// Prints the status and the most that was in use. Then removes the limits,
// prints "serves" if the service works, and stops it.

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <string>

#include "tests/control/control_client.h"
#include "tests/control/running_bus.h"
#include "trolley/tests/lib/process.h"

namespace {

std::atomic<int> live{0};
std::atomic<int> most_live{0};
std::atomic<int> limit{1 << 30};

struct Start {
  void* (*routine)(void*);
  void* argument;
};

void* Run(void* start_pointer) {
  const Start start = *static_cast<Start*>(start_pointer);
  delete static_cast<Start*>(start_pointer);
  void* result = start.routine(start.argument);
  --live;
  return result;
}

int FirstFree() {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(fd);
  return fd;
}

void LimitDescriptors(rlim_t most) {
  rlimit descriptors;
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = std::min(most, descriptors.rlim_max);
  setrlimit(RLIMIT_NOFILE, &descriptors);
}

}  // namespace

// In front of the C library's, for every thread that this process starts.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* options,
                              void* (*routine)(void*), void* argument) {
  using Create =
      int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create =
      reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  const int now = ++live;
  int error = EAGAIN;
  if (now <= limit) {
    auto* start = new Start{routine, argument};
    error = create(thread, options, &Run, start);
    if (error != 0) delete start;
  }
  if (error != 0) {
    --live;
    return error;
  }
  for (int most = most_live; most < now;) {
    if (most_live.compare_exchange_weak(most, now)) break;
  }
  return 0;
}

int main(int, char** argv) {
  const int threads = atoi(argv[1]);
  const int descriptors = atoi(argv[2]);
  auto bus = trolley::Bus::Create({});
  const int before = live;
  const int open_before = trolley::OpenDescriptors();
  most_live = before;
  if (threads >= 0) limit = before + threads;
  if (descriptors >= 0) LimitDescriptors(FirstFree() + descriptors);
  auto control = trolley::ControlService::Start(**bus, {.path = argv[3]});
  LimitDescriptors(1024);  // to count them takes one
  std::cout << control.status() << std::endl;
  std::cout << "threads " << most_live - before << " descriptors "
            << trolley::OpenDescriptors() - open_before << std::endl;
  if (!control.ok()) {
    const bool left = access(argv[3], F_OK) == 0;
    std::cout << (left ? "the socket is left" : "nothing is left") << std::endl;
    return left ? 1 : 0;
  }
  limit = 1 << 30;
  {
    trolley::test::Client client((*control)->address());
    trolley::test::Context context;
    trolley::control::v1::ServerInfo info;
    const grpc::Status status =
        client.inspector->GetServerInfo(&context, {}, &info);
    std::cout << (status.ok() ? "serves" : status.error_message()) << std::endl;
  }
  (*control)->Stop();
  std::cout << "threads " << most_live - before << std::endl;
  return (*bus)->Shutdown(absl::Seconds(5)).clean ? 0 : 1;
}
