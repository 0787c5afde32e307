// SPDX-License-Identifier: Apache-2.0
//
// ThreadChecker: asserts that an object is used by one thread. The first thread
// that calls Check() is that thread. (The idea is Chromium's ThreadChecker.)
//
//   void Set(Timer& timer, Instant deadline) {
//     thread_.Check();
//     ...
//   }
//
// In an optimized build it is empty and checks nothing.

#ifndef TROLLEY_BUS_THREAD_THREAD_CHECKER_H_
#define TROLLEY_BUS_THREAD_THREAD_CHECKER_H_

#include <cassert>
#include <thread>

namespace trolley::internal {

class ThreadChecker {
 public:
#ifdef NDEBUG
  void Check() const {}
#else
  void Check() const {
    if (thread_ == std::thread::id()) thread_ = std::this_thread::get_id();
    assert(thread_ == std::this_thread::get_id() &&
           "used by a thread that is not its loop's");
  }

 private:
  mutable std::thread::id thread_;
#endif
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_THREAD_THREAD_CHECKER_H_
