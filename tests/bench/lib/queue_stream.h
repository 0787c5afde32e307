// SPDX-License-Identifier: Apache-2.0
//
// Streams of numbers from threads to one thread. For benchmarks only; called by
// the thread of the case, owns those threads and returns when they have ended.
// What bounds the numbers on their way is the queue's to say.

#ifndef TROLLEY_TESTS_BENCH_LIB_QUEUE_STREAM_H_
#define TROLLEY_TESTS_BENCH_LIB_QUEUE_STREAM_H_

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "trolley/tests/bench/lib/bench.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {

// Each of `senders` sends 1 to `messages`.
inline void CheckSum(uint64_t sum, uint64_t messages, uint64_t senders) {
  if (sum != senders * (messages * (messages + 1) / 2)) {
    Die("messages were lost or changed");
  }
}

// Streams over a Queue with Put(number) by any thread, Flush() at the end and
// Get(&sum, &count) by one, which returns false if there was nothing.
template <class Queue>
Figures StreamOverQueue(uint64_t messages, int senders, Queue& queue) {
  const bool pinned = senders == 1;
  uint64_t count = 0, sum = 0;
  std::atomic<bool> ready = false;
  int64_t end = 0;
  std::thread receiver([&] {
    if (pinned) PinTo(0);
    ready = true;
    while (count < messages * senders) {
      if (queue.Get(&sum, &count)) continue;
      if (pinned) {
        Pause();
      } else {
        std::this_thread::yield();
      }
    }
    end = Nanoseconds();
  });
  while (!ready) std::this_thread::yield();
  const int64_t start = Nanoseconds();
  std::vector<std::thread> sources;
  for (int s = 0; s < senders; ++s) {
    sources.emplace_back([&] {
      if (pinned) PinTo(1);
      for (uint64_t i = 1; i <= messages; ++i) queue.Put(i);
      queue.Flush();
    });
  }
  for (std::thread& source : sources) source.join();
  receiver.join();
  CheckSum(sum, messages, senders);
  return Millions(messages * senders, end - start);
}

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_LIB_QUEUE_STREAM_H_
