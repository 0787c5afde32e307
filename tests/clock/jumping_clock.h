// SPDX-License-Identifier: Apache-2.0
//
// JumpingClock: a wall clock that a test sets while threads wait. It is in
// jumping_clock.so, which is loaded before all other libraries and replaces
// some functions of the C library, for the program and all its libraries:
//
//   - CLOCK_REALTIME differs from the real time by an amount that the test
//     sets.
//   - A wait for a time of day ends when this clock has reached that time, as
//     if an administrator had set the clock.
//   - CLOCK_MONOTONIC does not change.
//
//   int main(int argc, char** argv) {
//     JumpingClock::LoadInto(argv, ".../jumping_clock.so");
//     ...
//
// If TROLLEY_JUMPING_CLOCK names a file, all processes with that file share the
// clock.
//
// Threads: any.

#ifndef TROLLEY_TESTS_CLOCK_JUMPING_CLOCK_H_
#define TROLLEY_TESTS_CLOCK_JUMPING_CLOCK_H_

#include <atomic>
#include <cstdint>

namespace trolley {

struct JumpingClock {
  // Of the time of day, in nanoseconds.
  std::atomic<int64_t> offset_ns;
  // Waits for a time of day that have begun; a count.
  std::atomic<uint64_t> wall_waits;
  // Waits by the monotonic clock that have begun; a count.
  std::atomic<uint64_t> steady_waits;

  // The one of this process. Ends the program if it was not loaded.
  static JumpingClock& Get();
  // Starts the program anew with it, unless it is loaded by now.
  static void LoadInto(char** argv, const char* library);

  void JumpHours(int hours) {
    offset_ns.fetch_add(hours * int64_t{3600} * 1'000'000'000);
  }
};

}  // namespace trolley

#endif  // TROLLEY_TESTS_CLOCK_JUMPING_CLOCK_H_
