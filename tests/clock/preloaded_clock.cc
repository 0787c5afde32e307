// SPDX-License-Identifier: Apache-2.0
//
// jumping_clock.so; see jumping_clock.h. It replaces the functions that read
// CLOCK_REALTIME, and those that wait for a time of it. Such a wait becomes
// several short waits by the monotonic clock. After each of them the jumping
// clock is read.

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "trolley/tests/clock/jumping_clock.h"

namespace {

using trolley::JumpingClock;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kSlice = 5'000'000;

// Not by way of the C library, whose own functions these replace.
long Kernel(long number, long a = 0, long b = 0, long c = 0, long d = 0,
            long e = 0, long f = 0) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

long Argument(const void* pointer) { return reinterpret_cast<long>(pointer); }

JumpingClock& Clock() {
  static JumpingClock* const clock = [] {
    static JumpingClock own;
    const char* const path = getenv("TROLLEY_JUMPING_CLOCK");
    if (path == nullptr) return &own;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    void* const shared = mmap(nullptr, sizeof(JumpingClock),
                              PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || shared == MAP_FAILED) abort();
    close(fd);
    return static_cast<JumpingClock*>(shared);
  }();
  return *clock;
}

timespec Timespec(int64_t ns) {
  return {.tv_sec = ns / kSecond, .tv_nsec = ns % kSecond};
}
// What is above 292 years is as good as for ever.
int64_t Nanos(const timespec& t) {
  int64_t ns;
  if (__builtin_mul_overflow(int64_t{t.tv_sec}, kSecond, &ns) ||
      __builtin_add_overflow(ns, int64_t{t.tv_nsec}, &ns)) {
    return t.tv_sec < 0 ? INT64_MIN : INT64_MAX;
  }
  return ns;
}

int64_t Read(clockid_t id) {
  timespec now = {};
  Kernel(SYS_clock_gettime, id, Argument(&now));
  return Nanos(now);
}
int64_t WallNow() { return Read(CLOCK_REALTIME) + Clock().offset_ns.load(); }

// Calls `wait` with deadlines of the monotonic clock until it does not time
// out, or until it is `until` o'clock.
template <typename Wait>
auto WaitForTimeOfDay(int64_t until, int timed_out, Wait wait) {
  Clock().wall_waits.fetch_add(1);
  for (;;) {
    const int64_t left = until - WallNow();
    const bool last = left <= kSlice;
    const timespec slice = Timespec(Read(CLOCK_MONOTONIC) + (left < 0 ? 0
                                                             : last   ? left
                                                                    : kSlice));
    const auto result = wait(slice);
    if (result != timed_out || WallNow() >= until) return result;
  }
}

template <typename F>
F* Next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

int Return(long result) {
  if (result >= 0) return static_cast<int>(result);
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace

extern "C" {

JumpingClock* jumping_clock() { return &Clock(); }

int clock_gettime(clockid_t id, timespec* to) {
  if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE) {
    return Return(Kernel(SYS_clock_gettime, id, Argument(to)));
  }
  *to = Timespec(WallNow());
  return 0;
}

int gettimeofday(timeval* to, void*) {
  const int64_t now = WallNow();
  *to = {.tv_sec = now / kSecond, .tv_usec = now % kSecond / 1000};
  return 0;
}

time_t time(time_t* to) {
  const time_t now = WallNow() / kSecond;
  if (to != nullptr) *to = now;
  return now;
}

// Abseil waits by this.
long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  const auto* const timeout = reinterpret_cast<const timespec*>(a[3]);
  const bool is_wait = number == SYS_futex && timeout != nullptr &&
                       ((a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET ||
                        (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT);
  long result;
  if (is_wait && (a[1] & FUTEX_CLOCK_REALTIME) != 0) {
    const long operation = FUTEX_WAIT_BITSET | (a[1] & FUTEX_PRIVATE_FLAG);
    result = WaitForTimeOfDay(
        Nanos(*timeout), -ETIMEDOUT, [&](const timespec& slice) {
          return Kernel(SYS_futex, a[0], operation, a[2], Argument(&slice), 0,
                        FUTEX_BITSET_MATCH_ANY);
        });
  } else {
    if (is_wait) Clock().steady_waits.fetch_add(1);
    result = Kernel(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           clockid_t id, const timespec* until) {
  static auto* const next =
      Next<decltype(pthread_cond_clockwait)>("pthread_cond_clockwait");
  if (id != CLOCK_REALTIME) {
    Clock().steady_waits.fetch_add(1);
    return next(condition, mutex, id, until);
  }
  return WaitForTimeOfDay(Nanos(*until), ETIMEDOUT, [&](const timespec& slice) {
    return next(condition, mutex, CLOCK_MONOTONIC, &slice);
  });
}

// Assumes CLOCK_REALTIME: no program here has conditions of another clock.
int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
  return pthread_cond_clockwait(condition, mutex, CLOCK_REALTIME, until);
}

int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* until) {
  static auto* const next =
      Next<decltype(pthread_mutex_clocklock)>("pthread_mutex_clocklock");
  return WaitForTimeOfDay(Nanos(*until), ETIMEDOUT, [&](const timespec& slice) {
    return next(mutex, CLOCK_MONOTONIC, &slice);
  });
}

int sem_timedwait(sem_t* semaphore, const timespec* until) {
  static auto* const next = Next<decltype(sem_clockwait)>("sem_clockwait");
  return Return(
      -WaitForTimeOfDay(Nanos(*until), ETIMEDOUT, [&](const timespec& slice) {
        return next(semaphore, CLOCK_MONOTONIC, &slice) == 0 ? 0 : errno;
      }));
}

int clock_nanosleep(clockid_t id, int flags, const timespec* time,
                    timespec* left) {
  if (id != CLOCK_REALTIME || (flags & TIMER_ABSTIME) == 0) {
    return static_cast<int>(-Kernel(SYS_clock_nanosleep, id, flags,
                                    Argument(time), Argument(left)));
  }
  return WaitForTimeOfDay(Nanos(*time), 0, [&](const timespec& slice) {
    return static_cast<int>(-Kernel(SYS_clock_nanosleep, CLOCK_MONOTONIC,
                                    TIMER_ABSTIME, Argument(&slice)));
  });
}

}  // extern "C"
