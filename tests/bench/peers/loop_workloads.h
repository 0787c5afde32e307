// SPDX-License-Identifier: Apache-2.0
//
// The workloads over an event library's loop, as objects that a loop calls. For
// benchmarks only. A Loop has
//
//   static std::string Name();                    // with its version
//   Loop(bool alone);                             // true: no other posts
//   void Post(Receiver* to, uint64_t value);      // by any thread
//   void PostHere(Receiver* to, uint64_t value);  // by the loop's own
//   void Run(bool spin);  // until Stop(), by its own thread
//   void Stop();          // by its own thread
//   class Timers { Timers(Loop&, uint64_t count); Set(i, ms); Cancel(i); };
//
// A case owns its loops and the objects they call; each loop has a thread of
// its own, which is joined before the case ends. What is on its way is bounded
// by the workload, by kWindow at most.
//
// What is asked has no deadline: these libraries have none for a message.

#ifndef TROLLEY_TESTS_BENCH_PEERS_LOOP_WORKLOADS_H_
#define TROLLEY_TESTS_BENCH_PEERS_LOOP_WORKLOADS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/peers/receiver.h"
#include "trolley/tests/bench/lib/bench.h"
#include "trolley/tests/bench/lib/deadlines.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/bench/lib/queue_stream.h"
#include "trolley/tests/bench/lib/workloads.h"

namespace trolley::bench {

inline constexpr int kAnyCpu = -1;

// A loop and its thread.
template <class internal::Loop>
class LoopThread {
 public:
  explicit LoopThread(int cpu, bool spin = false)
      : thread_([this, cpu, spin] {
          if (cpu != kAnyCpu) PinTo(cpu);
          internal::Loop loop(/*alone=*/false);
          loop_ = &loop;
          loop.Run(spin);
        }) {
    while (loop_ == nullptr) std::this_thread::yield();
  }
  ~LoopThread() {
    struct Stopper : Receiver {
      explicit Stopper(internal::Loop& loop) : loop(loop) {}
      void Hit(uint64_t) override { loop.Stop(); }
      internal::Loop& loop;
    } stopper(*loop_);
    (*this)->Post(&stopper, 0);
    thread_.join();
  }
  internal::Loop* operator->() { return loop_.load(); }
  internal::Loop& operator*() { return *loop_.load(); }

 private:
  std::atomic<internal::Loop*> loop_ = nullptr;
  std::thread thread_;
};

// What the thread that started a repetition waits for.
class Finish {
 public:
  void Set() {
    at_ = Nanoseconds();
    done_ = true;
    done_.notify_one();
  }
  int64_t Wait() {
    done_.wait(false);
    return at_;
  }

 private:
  int64_t at_ = 0;
  std::atomic<bool> done_ = false;
};

// Within a loop
// -----------------------------------------------------------------

// A ring of `size`, two of them playing ping-pong.
template <class internal::Loop>
Figures LoopRing(int size, uint64_t hops) {
  struct Member : Receiver {
    void Hit(uint64_t left) override {
      if (left == 0) return loop->Stop();
      loop->PostHere(next, left - 1);
    }
    internal::Loop* loop;
    Member* next;
  };
  return OnCpu0([&]() -> Figures {
    std::vector<Member> members(size);
    internal::Loop loop(/*alone=*/true);
    for (int i = 0; i < size; ++i) {
      members[i].loop = &loop;
      members[i].next = &members[(i + 1) % size];
    }
    const int64_t start = Nanoseconds();
    loop.PostHere(&members[0], hops);
    loop.Run(/*spin=*/false);
    return Millions(hops, Nanoseconds() - start);
  });
}

template <class internal::Loop>
Figures LoopStream(uint64_t messages) {
  struct Sink : Receiver {
    void Hit(uint64_t value) override { sum += value; }
    uint64_t sum = 0;
  };
  struct Source : Receiver {
    void Hit(uint64_t) override {
      if (left == 0) return loop->Stop();
      for (int i = 0; i < kStreamBurst && left > 0; ++i) {
        loop->PostHere(sink, left--);
      }
      loop->PostHere(this, 0);
    }
    internal::Loop* loop = nullptr;
    Sink* sink = nullptr;
    uint64_t left = 0;
  };
  return OnCpu0([&]() -> Figures {
    Sink sink;
    Source source;
    internal::Loop loop(/*alone=*/true);
    source.loop = &loop;
    source.sink = &sink;
    source.left = messages;
    const int64_t start = Nanoseconds();
    loop.PostHere(&source, 0);
    loop.Run(/*spin=*/false);
    const int64_t took = Nanoseconds() - start;
    CheckSum(sink.sum, messages, 1);
    return Millions(messages, took);
  });
}

// Between loops
// -----------------------------------------------------------------

template <class internal::Loop>
Figures LoopPingPong(uint64_t trips, bool spin) {
  struct Caller : Receiver {
    void Serve() {
      start = Nanoseconds();
      there->Post(echo, 0);
    }
    void Hit(uint64_t) override {
      times[trip++] = static_cast<double>(Nanoseconds() - start);
      if (trip == times.size()) return finish.Set();
      Serve();
    }
    internal::Loop* there = nullptr;
    Receiver* echo = nullptr;
    std::vector<double> times;
    size_t trip = 0;
    int64_t start = 0;
    Finish finish;
  } caller;
  struct Echo : Receiver {
    void Hit(uint64_t) override { back->Post(caller, 0); }
    internal::Loop* back = nullptr;
    Receiver* caller = nullptr;
  } echo;
  struct Start : Receiver {
    void Hit(uint64_t) override { caller->Serve(); }
    Caller* caller = nullptr;
  } start;
  LoopThread<internal::Loop> zero(0, spin), one(1, spin);
  caller.there = &*zero;
  caller.echo = &echo;
  caller.times.resize(trips);
  echo.back = &*one;
  echo.caller = &caller;
  start.caller = &caller;
  one->Post(&start, 0);
  caller.finish.Wait();
  return Percentiles(std::move(caller.times));
}

// Each source may have kWindow / senders messages on their way; the sink tells
// it of each kWindow / 4 / senders that arrived.
template <class internal::Loop>
Figures LoopFanIn(uint64_t messages, int senders) {
  const bool pinned = senders == 1;
  const uint64_t window = kWindow / senders;
  const uint64_t acknowledged = window / 4;
  struct Source : Receiver {
    // The loop's first call opens the window, the sink's others renew it.
    void Hit(uint64_t more) override {
      room += more;
      for (; room > 0 && next <= messages; --room) there->Post(port, next++);
    }
    internal::Loop* there;
    Receiver* port;  // the sink's, for this source
    uint64_t messages;
    uint64_t next = 1;
    uint64_t room = 0;
  };
  struct Port : Receiver {
    void Hit(uint64_t value) override {
      sum += value;
      if (++count % acknowledged == 0) back->Post(source, acknowledged);
      if (count == messages && --*unfinished == 0) finish->Set();
    }
    internal::Loop* back;
    Receiver* source;
    uint64_t messages, acknowledged;
    uint64_t sum = 0, count = 0;
    int* unfinished;
    Finish* finish;
  };
  std::vector<Source> sources(senders);
  std::vector<Port> ports(senders);
  int unfinished = senders;
  Finish finish;
  LoopThread<internal::Loop> sink(pinned ? 0 : kAnyCpu);
  std::vector<std::unique_ptr<LoopThread<internal::Loop>>> threads;
  for (int s = 0; s < senders; ++s) {
    threads.push_back(
        std::make_unique<LoopThread<internal::Loop>>(pinned ? 1 : kAnyCpu));
    sources[s].there = &*sink;
    sources[s].port = &ports[s];
    sources[s].messages = messages;
    ports[s].back = &**threads[s];
    ports[s].source = &sources[s];
    ports[s].messages = messages;
    ports[s].acknowledged = acknowledged;
    ports[s].unfinished = &unfinished;
    ports[s].finish = &finish;
  }
  const int64_t start = Nanoseconds();
  for (int s = 0; s < senders; ++s) {
    (*threads[s])->Post(&sources[s], window);
  }
  const int64_t took = finish.Wait() - start;
  uint64_t sum = 0;
  for (const Port& port : ports) sum += port.sum;
  CheckSum(sum, messages, senders);
  return Millions(messages * senders, took);
}

template <class internal::Loop>
Figures LoopAsks(int in_flight, uint64_t asks, bool spin) {
  struct Client : Receiver {
    void Hit(uint64_t reply) override {
      sum += reply;
      if (++replied == asks) return finish.Set();
      if (asked < asks) there->Post(server, ++asked);
    }
    internal::Loop* there = nullptr;
    Receiver* server = nullptr;
    uint64_t asks = 0, asked = 0, replied = 0, sum = 0;
    Finish finish;
  } client;
  struct Server : Receiver {
    void Hit(uint64_t number) override { back->Post(client, number + 1); }
    internal::Loop* back = nullptr;
    Receiver* client = nullptr;
  } server;
  struct Start : Receiver {
    void Hit(uint64_t questions) override {
      for (uint64_t i = 0; i < questions; ++i) {
        client->there->Post(client->server, ++client->asked);
      }
    }
    Client* client = nullptr;
  } go;
  LoopThread<internal::Loop> zero(0, spin), one(1, spin);
  client.there = &*zero;
  client.server = &server;
  client.asks = asks;
  server.back = &*one;
  server.client = &client;
  go.client = &client;
  const int64_t start = Nanoseconds();
  one->Post(&go, in_flight);
  const int64_t took = client.finish.Wait() - start;
  if (client.sum != asks + asks * (asks + 1) / 2) Die("a reply was lost");
  return Millions(asks, took);
}

// A flooded object and a quiet one on loop 0; the quiet one is asked from 1.
template <class internal::Loop>
Figures LoopFloodedQuiet(uint64_t asks) {
  struct Flooded : Receiver {
    void Hit(uint64_t) override {
      WorkAMicrosecond();
      if (!over) loop->PostHere(this, 0);
    }
    internal::Loop* loop = nullptr;
    std::atomic<bool> over = false;
  } flooded;
  Figures figures(0);
  {
    LoopThread<internal::Loop> zero(0), one(1);
    flooded.loop = &*zero;
    for (int i = 0; i < kFlood; ++i) zero->Post(&flooded, 0);
    struct Prober : Receiver {
      void Hit(uint64_t first) override {
        if (!first) times[trip++] = static_cast<double>(Nanoseconds() - start);
        if (trip == times.size()) return finish.Set();
        start = Nanoseconds();
        there->Post(quiet, 0);
      }
      internal::Loop* there = nullptr;
      Receiver* quiet = nullptr;
      std::vector<double> times;
      size_t trip = 0;
      int64_t start = 0;
      Finish finish;
    } prober;
    struct Quiet : Receiver {
      void Hit(uint64_t) override { back->Post(prober, 0); }
      internal::Loop* back = nullptr;
      Receiver* prober = nullptr;
    } quiet;
    prober.there = &*zero;
    prober.quiet = &quiet;
    prober.times.resize(asks);
    quiet.back = &*one;
    quiet.prober = &prober;
    one->Post(&prober, 1);
    prober.finish.Wait();
    flooded.over = true;
    figures = Percentiles(std::move(prober.times));
  }
  return figures;
}

template <class internal::Loop>
Figures LoopTimers(uint64_t armed, uint64_t pairs) {
  return OnCpu0([&]() -> Figures {
    internal::Loop loop(/*alone=*/true);
    typename internal::Loop::Timers timers(loop, armed);
    Deadlines deadlines;
    for (uint64_t i = 0; i < armed; ++i) {
      timers.Set(i, deadlines.NextMilliseconds());
    }
    const int64_t start = Nanoseconds();
    for (uint64_t i = 0; i < pairs; ++i) {
      const uint64_t timer = deadlines.Pick(armed);
      timers.Cancel(timer);
      timers.Set(timer, deadlines.NextMilliseconds());
    }
    return Millions(pairs, Nanoseconds() - start);
  });
}

template <class internal::Loop>
void AddLoopWorkloads(Bench& bench) {
  const std::string who = internal::Loop::Name();
  bench.Add(kSameLoopPingPong, who, [](double scale) {
    return LoopRing<internal::Loop>(2, Scaled(5'000'000, scale));
  });
  bench.Add(kRing100, who, [](double scale) {
    return LoopRing<internal::Loop>(100, Scaled(5'000'000, scale));
  });
  bench.Add(kRing1000, who, [](double scale) {
    return LoopRing<internal::Loop>(1000, Scaled(5'000'000, scale));
  });
  bench.Add(kSameLoopStream, who, [](double scale) {
    return LoopStream<internal::Loop>(Scaled(10'000'000, scale));
  });
  bench.Add(kCrossPingPongBlock, who, [](double scale) {
    return LoopPingPong<internal::Loop>(Scaled(20'000, scale), false);
  });
  bench.Add(kCrossPingPongSpin, who, [](double scale) {
    return LoopPingPong<internal::Loop>(Scaled(100'000, scale), true);
  });
  bench.Add(kCrossOneWay, who, [](double scale) {
    return LoopFanIn<internal::Loop>(Scaled(4'000'000, scale), 1);
  });
  bench.Add(kFanIn4, who, [](double scale) {
    return LoopFanIn<internal::Loop>(Scaled(1'000'000, scale), 4);
  });
  for (bool spin : {false, true}) {
    bench.Add(spin ? kAsk1Spin : kAsk1, who, [spin](double scale) {
      return LoopAsks<internal::Loop>(1, Scaled(spin ? 200'000 : 20'000, scale),
                                      spin);
    });
    bench.Add(spin ? kAsk64Spin : kAsk64, who, [spin](double scale) {
      return LoopAsks<internal::Loop>(64, Scaled(1'000'000, scale), spin);
    });
  }
  bench.Add(kFloodedQuiet, who, [](double scale) {
    return LoopFloodedQuiet<internal::Loop>(Scaled(2'000, scale));
  });
  bench.Add(kTimers, who, [](double scale) {
    return LoopTimers<internal::Loop>(Scaled(kTimersArmed, scale),
                                      Scaled(kTimerPairs, scale));
  });
}

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_PEERS_LOOP_WORKLOADS_H_
