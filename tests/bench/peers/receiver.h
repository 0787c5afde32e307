// SPDX-License-Identifier: Apache-2.0
//
// What a message to an object is for a library of callbacks: whom, and a
// number. For benchmarks only. Whoever posts a Hit borrows its receiver, which
// is called on the thread of the loop that it was posted to.

#ifndef TROLLEY_TESTS_BENCH_PEERS_RECEIVER_H_
#define TROLLEY_TESTS_BENCH_PEERS_RECEIVER_H_

#include <cstdint>

namespace trolley::bench {

struct Receiver {
  virtual ~Receiver() = default;
  virtual void Hit(uint64_t value) = 0;
};

struct Hit {
  Receiver* to;
  uint64_t value;
};

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_PEERS_RECEIVER_H_
