// SPDX-License-Identifier: Apache-2.0
//
// A message to an object, for a library of callbacks: the receiver and a
// number. For benchmarks only. The poster of a Hit borrows its receiver, which
// is called on the thread of the loop to which it was posted.

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
