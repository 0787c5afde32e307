// SPDX-License-Identifier: Apache-2.0
//
// Pipes: the classic benchmark of pollers. n pipes are watched and k bytes are
// in them. The reader of a byte writes it to another pipe, so that k bytes stay
// on their way. The next pipe is random, and the same for all pollers: with the
// next one in order, pollers that scan look good. For benchmarks only.
//
// Ownership: owns both ends of each pipe; a watcher borrows them.
// Threads:   one, that of the case.
// Bounds:    n pipes, k bytes.
// Ends:      with the case; closes the pipes.

#ifndef TROLLEY_TESTS_BENCH_LIB_PIPES_H_
#define TROLLEY_TESTS_BENCH_LIB_PIPES_H_

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "trolley/tests/bench/lib/bench.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {

class Pipes {
 public:
  explicit Pipes(int n) : order_(n) {
    AllowDescriptors();
    for (int i = 0; i < n; ++i) Open(n);
    std::iota(order_.begin(), order_.end(), 0);
    std::shuffle(order_.begin(), order_.end(), std::mt19937(1));
  }
  ~Pipes() {
    for (size_t i = 0; i < in_.size(); ++i) {
      close(in_[i]);
      if (out_[i] != in_[i]) close(out_[i]);
    }
  }
  Pipes(const Pipes&) = delete;
  Pipes& operator=(const Pipes&) = delete;

  int size() const { return static_cast<int>(in_.size()); }
  // The end to be watched.
  int fd(int i) const { return in_[i]; }

  // Puts k bytes on their way, until `most` have been read. Called again when
  // all of them have come to rest, or with k = 0 to let them go on.
  void Start(int k, uint64_t most) {
    most_ = moved_ + most;
    done_ = false;
    for (int i = 0; i < k; ++i) WriteNext();
  }
  bool done() const { return done_; }
  uint64_t moved() const { return moved_; }

  // What is done with a pipe that can be read: everything that is in it moves
  // on, since edges are reported once.
  void Forward(int i) {
    char bytes[64];
    const ssize_t got = read(in_[i], bytes, sizeof(bytes));
    if (got < 0) return;  // it was reported before and has been read since
    for (ssize_t b = 0; b < got; ++b) {
      ++moved_;
      WriteNext();
    }
    if (moved_ >= most_) done_ = true;
  }

 private:
  // Two ends, the watched ones in the low numbers, where select() can see them.
  // Of very many, each is one descriptor for both ends, or the usual limits of
  // open files would not do.
  void Open(int n) {
    constexpr int kManyPipes = 4000;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) Die("pipe2 failed");
    int out;
    if (n > kManyPipes) {
      const std::string path = "/proc/self/fd/" + std::to_string(ends[0]);
      out = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
      close(ends[0]);
      in_.push_back(out);
    } else {
      out = fcntl(ends[1], F_DUPFD_CLOEXEC, n + 64);
      in_.push_back(ends[0]);
    }
    close(ends[1]);
    if (out < 0) Die("there are too few descriptors for so many pipes");
    out_.push_back(out);
  }
  static void AllowDescriptors() {
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  void WriteNext() {
    const int i = order_[next_++ % order_.size()];
    if (write(out_[i], "x", 1) != 1) Die("a pipe is full");
  }

  std::vector<int> in_, out_;
  std::vector<int> order_;
  uint64_t next_ = 0;
  uint64_t moved_ = 0, most_ = 0;
  bool done_ = true;
};

// A Watcher, of a library or made by hand, has
//
//   Watcher(Pipes&, Args...);   // before there are pipes to be watched
//   void Add(int i); void Remove(int i);   // pipe i
//   void Run();    // calls Forward() for what is ready until done()
//   void Look();   // one round without waiting

// Nanoseconds per byte read; at k = 1, per wait.
template <class Watcher, class... Args>
Figures PipesOver(int n, int k, uint64_t bytes, Args... args) {
  return OnCpu0([&]() -> Figures {
    Pipes pipes(n);
    Watcher watcher(pipes, args...);
    for (int i = 0; i < n; ++i) watcher.Add(i);
    pipes.Start(k, bytes / 10 + 1);
    watcher.Run();
    const uint64_t before = pipes.moved();
    pipes.Start(0, bytes);
    const int64_t start = Nanoseconds();
    watcher.Run();
    const int64_t took = Nanoseconds() - start;
    const uint64_t moved = pipes.moved() - before;
    if (moved < bytes) Die("a byte was lost");
    for (int i = 0; i < n; ++i) watcher.Remove(i);
    return static_cast<double>(took) / static_cast<double>(moved);
  });
}

// Nanoseconds per pipe that is watched from now on and then no longer, a look
// at them all after each half included: some tell the kernel only then.
template <class Watcher, class... Args>
Figures RegistrationOver(int n, uint64_t times, Args... args) {
  return OnCpu0([&]() -> Figures {
    Pipes pipes(n);
    Watcher watcher(pipes, args...);
    uint64_t registered = 0;
    int64_t took = 0;
    for (int round = -1; registered < times; ++round) {
      const int64_t start = Nanoseconds();
      for (int i = 0; i < n; ++i) watcher.Add(i);
      watcher.Look();
      for (int i = 0; i < n; ++i) watcher.Remove(i);
      watcher.Look();
      if (round < 0) continue;  // the first one allocates
      took += Nanoseconds() - start;
      registered += n;
    }
    return static_cast<double>(took) / static_cast<double>(registered);
  });
}

// What a wait costs, in order of magnitude: how many bytes a run can afford.
enum class WaitCost { kConstant, kScans, kCallForEach };

// Adds poller_<name>_n<N>_k<K> and poller_<name>_register_n<N> for `who`.
template <class Watcher, class... Args>
void AddPipes(Bench& bench, const std::string& name, WaitCost cost,
              int most_pipes, const std::string& who, Args... args) {
  auto workload = [&](const std::string& what) {
    return Workload{.name = "poller_" + name + "_" + what,
                    .unit = "ns",
                    .higher_is_better = false};
  };
  constexpr std::pair<int, int> kSizes[] = {
      {10, 1},    {100, 1},    {1000, 1},   {10000, 1},
      {1000, 10}, {1000, 100}, {1000, 1000}};
  for (auto [n, k] : kSizes) {
    if (n > most_pipes) continue;
    uint64_t bytes = 100'000;
    if (cost == WaitCost::kScans) bytes = 10'000'000ull * k / n;
    if (cost == WaitCost::kCallForEach) bytes = 1'000'000ull * k / n;
    bytes = std::clamp<uint64_t>(bytes, 200, 100'000);
    bench.Add(workload("n" + std::to_string(n) + "_k" + std::to_string(k)), who,
              [=, n = n, k = k](double scale) {
                const auto scaled =
                    static_cast<uint64_t>(static_cast<double>(bytes) * scale);
                return PipesOver<Watcher, Args...>(
                    n, k, std::max<uint64_t>(scaled, 100), args...);
              });
  }
  for (int n : {10, 100, 1000, 10000}) {
    if (n > most_pipes) continue;
    bench.Add(workload("register_n" + std::to_string(n)), who,
              [=](double scale) {
                return RegistrationOver<Watcher, Args...>(
                    n, Scaled(50'000, scale), args...);
              });
  }
}

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_LIB_PIPES_H_
