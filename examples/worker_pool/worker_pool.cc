// SPDX-License-Identifier: Apache-2.0
//
// Counts primes with a pool of workers on two threads. The ranges need unequal
// time, so the workers pull their work: each gets the next range when it is
// free. A bad range makes a worker throw; the pool replaces that worker.

#include <cstdint>
#include <iostream>
#include <stdexcept>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/pools/pool.h"
#include "trolley/bus/latch.h"
#include "trolley/examples/output/output.h"

// The primes from `from` to `to` - 1.
struct CountPrimes {
  uint64_t from;
  uint64_t to;
};

class PrimeCounter : public trolley::Actor {
 public:
  uint64_t On(const CountPrimes& m) {
    if (m.from > m.to) throw std::invalid_argument("the range is backwards");
    uint64_t primes = 0;
    for (uint64_t n = m.from; n < m.to; ++n) primes += IsPrime(n) ? 1 : 0;
    return primes;
  }

 private:
  static bool IsPrime(uint64_t n) {
    for (uint64_t d = 2; d * d <= n; ++d) {
      if (n % d == 0) return false;
    }
    return n > 1;
  }
};

using PrimePool = trolley::Pool<PrimeCounter, trolley::WorkPulling>;

// Asks for all ranges at once, and waits for the sum of the replies.
absl::StatusOr<uint64_t> PrimesBelow(const trolley::Ref<PrimePool>& pool,
                                     uint64_t limit) {
  constexpr uint64_t kRanges = 100;
  absl::StatusOr<uint64_t> sum = 0;
  absl::Mutex mutex;
  uint64_t left = kRanges;
  trolley::Latch done;
  for (uint64_t i = 0; i < kRanges; ++i) {
    const CountPrimes range{limit * i / kRanges, limit * (i + 1) / kRanges};
    pool.AskThen(range, absl::Minutes(1), [&](absl::StatusOr<uint64_t> primes) {
      absl::MutexLock lock(&mutex);
      if (!primes.ok()) sum = primes;
      if (sum.ok()) *sum += *primes;
      if (--left == 0) done.Open();
    });
  }
  done.Wait();
  absl::MutexLock lock(&mutex);
  return sum;
}

int main() {
  examples::BeginOutput();
  auto bus = trolley::Bus::CreateOrDie({.loops = {{}, {}}});
  const auto pool = bus.Spawn<PrimePool>({.name = "primes"},
                                         trolley::PoolOptions{.workers = 4});
  if (!pool.ok()) {
    std::cerr << "worker_pool: " << pool.status() << "\n";
    return 1;
  }
  const absl::Duration timeout = absl::Minutes(1);
  std::cout << "below 200000: " << PrimesBelow(*pool, 200'000).value_or(0)
            << " primes\n";

  const absl::StatusOr<uint64_t> bad =
      pool->AskAndWait(CountPrimes{2, 1}, timeout);
  std::cout << "a bad range: " << absl::StatusCodeToString(bad.status().code())
            << "\n";

  const absl::Status resized =
      pool->AskAndWait(trolley::ResizePool{2}, timeout);
  std::cout << "with 2 workers: " << resized << "\n";
  std::cout << "below 100000: " << PrimesBelow(*pool, 100'000).value_or(0)
            << " primes\n";

  const auto info = pool->AskAndWait(trolley::GetPoolInfo{}, timeout);
  if (info.ok()) {
    std::cout << "given to workers: " << info->given << " messages\n";
    for (const trolley::PoolWorkerInfo& worker : info->workers) {
      std::cout << worker.name << " on loop " << worker.loop << "\n";
    }
  }
  const trolley::ShutdownReport report = bus.Shutdown(absl::Seconds(5));
  std::cout << (report.clean ? "clean" : "not clean") << ", "
            << report.ledger.queued() << " messages left\n";
  return examples::EndOutput("worker_pool", report.clean ? 0 : 1);
}
