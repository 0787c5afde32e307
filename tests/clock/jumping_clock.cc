// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/clock/jumping_clock.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>

namespace trolley {
namespace {

using Getter = JumpingClock*();

Getter* Loaded() {
  return reinterpret_cast<Getter*>(dlsym(RTLD_DEFAULT, "jumping_clock"));
}

}  // namespace

JumpingClock& JumpingClock::Get() {
  Getter* const get = Loaded();
  if (get == nullptr) {
    std::fprintf(stderr, "jumping_clock.so is not loaded\n");
    abort();
  }
  return *get();
}

void JumpingClock::LoadInto(char** argv, const char* library) {
  if (Loaded() != nullptr) return;
  char path[PATH_MAX];
  if (getenv("LD_PRELOAD") == nullptr && realpath(library, path) != nullptr) {
    setenv("LD_PRELOAD", path, 1);
    execv("/proc/self/exe", argv);
  }
  std::fprintf(stderr, "%s cannot be loaded\n", library);
  abort();
}

}  // namespace trolley
