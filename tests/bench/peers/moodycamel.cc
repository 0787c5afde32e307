// SPDX-License-Identifier: Apache-2.0
//
// moodycamel's concurrent queue: producers and the consumer hold tokens, and
// what is taken is taken in bulk, as its README advises. Once message by
// message, once sent in bulk too. Its blocking form spins before it sleeps, and
// has no way not to, so it is with those that spin.

#include <concurrentqueue/blockingconcurrentqueue.h>
#include <concurrentqueue/concurrentqueue.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/peers/queue_workloads.h"
#include "tests/bench/peers/receiver.h"
#include "trolley/tests/bench/lib/raw.h"

namespace trolley::bench {
namespace {

// Its headers do not say; Debian 12's package does.
constexpr char kName[] = "moodycamel-1.0.3";

// How the reader waits.
struct SleepAwaiter {
  using Queue = moodycamel::BlockingConcurrentQueue<uint64_t>;
  static size_t Take(Queue& queue, moodycamel::ConsumerToken& token,
                     uint64_t* values, size_t most) {
    return queue.wait_dequeue_bulk(token, values, most);
  }
};
struct Looking {
  using Queue = moodycamel::ConcurrentQueue<uint64_t>;
  static size_t Take(Queue& queue, moodycamel::ConsumerToken& token,
                     uint64_t* values, size_t most) {
    for (int looks = 0;; ++looks) {
      const size_t got = queue.try_dequeue_bulk(token, values, most);
      if (got > 0) return got;
      Pause();
      // More threads than CPUs: let the producers run.
      if (looks % 64 == 63) std::this_thread::yield();
    }
  }
};

// kAtOnce: how many messages a source puts with one call.
template <class Wait, int kAtOnce>
class Moody {
 public:
  explicit Moody(bool) {}

  class Source {
   public:
    explicit Source(Moody& channel) : queue_(channel.queue_), token_(queue_) {}
    void Put(uint64_t value) {
      if constexpr (kAtOnce == 1) {
        queue_.enqueue(token_, value);
      } else {
        held_[holds_++] = value;
        if (holds_ == kAtOnce) Flush();
      }
    }
    void Flush() {
      if (holds_ > 0) queue_.enqueue_bulk(token_, held_, holds_);
      holds_ = 0;
    }

   private:
    typename Wait::Queue& queue_;
    moodycamel::ProducerToken token_;
    uint64_t held_[kAtOnce];
    int holds_ = 0;
  };

  class Sink {
   public:
    explicit Sink(Moody& channel) : queue_(channel.queue_), token_(queue_) {}
    uint64_t Get() {
      if (next_ == end_) {
        next_ = 0;
        end_ = Wait::Take(queue_, token_, taken_, kBatch);
      }
      return taken_[next_++];
    }

   private:
    typename Wait::Queue& queue_;
    moodycamel::ConsumerToken token_;
    uint64_t taken_[kBatch];
    size_t next_ = 0, end_ = 0;
  };

 private:
  typename Wait::Queue queue_;
};

// One thread: a queue of objects and numbers, and a virtual call.
class MoodyLoop {
 public:
  MoodyLoop() : producer_(queue_), consumer_(queue_) {}
  void Post(Receiver* to, uint64_t value) {
    queue_.enqueue(producer_, {to, value});
  }
  void RunAll() {
    Hit hits[kBatch];
    while (const size_t got =
               queue_.try_dequeue_bulk(consumer_, hits, kBatch)) {
      for (size_t i = 0; i < got; ++i) hits[i].to->Hit(hits[i].value);
    }
  }

 private:
  moodycamel::ConcurrentQueue<Hit> queue_;
  moodycamel::ProducerToken producer_;
  moodycamel::ConsumerToken consumer_;
};

Figures Ring(int size, uint64_t hops) {
  return OnCpu0([&]() -> Figures {
    struct Member : Receiver {
      void Hit(uint64_t left) override {
        ++hits;
        if (left > 0) queue->Post(next, left - 1);
      }
      MoodyLoop* queue;
      Member* next;
      uint64_t hits = 0;
    };
    MoodyLoop queue;
    std::vector<Member> members(size);
    for (int i = 0; i < size; ++i) {
      members[i].queue = &queue;
      members[i].next = &members[(i + 1) % size];
    }
    const int64_t start = Nanoseconds();
    queue.Post(&members[0], hops);
    queue.RunAll();
    const int64_t took = Nanoseconds() - start;
    uint64_t hits = 0;
    for (const Member& member : members) hits += member.hits;
    if (hits != hops + 1) Die("a hop was lost");
    return Millions(hops, took);
  });
}

Figures Stream(uint64_t messages) {
  return OnCpu0([&]() -> Figures {
    struct Sink : Receiver {
      void Hit(uint64_t value) override { sum += value; }
      uint64_t sum = 0;
    } sink;
    MoodyLoop queue;
    const int64_t start = Nanoseconds();
    for (uint64_t left = messages; left > 0; queue.RunAll()) {
      for (int i = 0; i < kStreamBurst && left > 0; ++i) {
        queue.Post(&sink, left--);
      }
    }
    const int64_t took = Nanoseconds() - start;
    CheckSum(sink.sum, messages, 1);
    return Millions(messages, took);
  });
}

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT
  Bench bench;
  bench.Add(kSameLoopPingPong, kName,
            [](double scale) { return Ring(2, Scaled(5'000'000, scale)); });
  bench.Add(kRing100, kName,
            [](double scale) { return Ring(100, Scaled(5'000'000, scale)); });
  bench.Add(kRing1000, kName,
            [](double scale) { return Ring(1000, Scaled(5'000'000, scale)); });
  bench.Add(kSameLoopStream, kName,
            [](double scale) { return Stream(Scaled(5'000'000, scale)); });
  const std::string blocking = std::string(kName) + "-blocking";
  const std::string bulk = std::string(kName) + "-bulk64";
  bench.Add(kCrossPingPongSpin, kName, [](double scale) {
    return ChannelPingPong<Moody<Looking, 1>>(Scaled(100'000, scale), true);
  });
  bench.Add(kCrossPingPongSpin, blocking, [](double scale) {
    return ChannelPingPong<Moody<SleepAwaiter, 1>>(Scaled(100'000, scale),
                                                   true);
  });
  AddStreamsOver<Moody<Looking, 1>>(bench, kName, 4'000'000, true);
  AddStreamsOver<Moody<Looking, kBatch>>(bench, bulk, 4'000'000, true);
  AddStreamsOver<Moody<SleepAwaiter, 1>>(bench, blocking, 4'000'000, true);
  bench.Add(kAsk1Spin, kName, [](double scale) {
    return ChannelAsks<Moody<Looking, 1>>(1, Scaled(200'000, scale), true);
  });
  bench.Add(kAsk64Spin, kName, [](double scale) {
    return ChannelAsks<Moody<Looking, 1>>(64, Scaled(500'000, scale), true);
  });
  return bench.Main(argc, argv);
}
