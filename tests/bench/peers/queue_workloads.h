// SPDX-License-Identifier: Apache-2.0
//
// The workloads over a library's queues or sockets within a process, as threads
// that send and receive. For benchmarks only. A Channel carries numbers one
// way, from any number of sources to one thread:
//
//   Channel(bool spin);         // receivers look, or sleep
//   class Source { Source(Channel&); void Put(uint64_t); void Flush(); };
//   class Sink { Sink(Channel&); uint64_t Get(); };    // waits for one
//
// Source and Sink are made by the threads that use them; the sink first. A case
// owns the Channel and the threads, and joins them before it ends.

#ifndef TROLLEY_TESTS_BENCH_PEERS_QUEUE_WORKLOADS_H_
#define TROLLEY_TESTS_BENCH_PEERS_QUEUE_WORKLOADS_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "trolley/tests/bench/lib/bench.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/bench/lib/queue_stream.h"
#include "trolley/tests/bench/lib/workloads.h"

namespace trolley::bench {

// Runs both, each on its CPU. Each opens the sink it reads before either opens
// a source to it.
class Meeting {
 public:
  void Wait() {
    ++arrived_;
    while (arrived_ < 2) std::this_thread::yield();
  }

 private:
  std::atomic<int> arrived_ = 0;
};

template <class Channel>
Figures ChannelPingPong(uint64_t trips, bool spin) {
  Channel there(spin), back(spin);
  Meeting meeting, end;
  std::thread echo([&] {
    PinTo(0);
    typename Channel::Sink sink(there);
    meeting.Wait();
    typename Channel::Source source(back);
    for (uint64_t i = 0; i < trips; ++i) {
      source.Put(sink.Get());
      source.Flush();
    }
    end.Wait();
  });
  std::vector<double> times(trips);
  std::thread caller([&] {
    PinTo(1);
    typename Channel::Sink sink(back);
    meeting.Wait();
    typename Channel::Source source(there);
    for (uint64_t i = 0; i < trips; ++i) {
      const int64_t start = Nanoseconds();
      source.Put(i);
      source.Flush();
      if (sink.Get() != i) Die("another reply came back");
      times[i] = static_cast<double>(Nanoseconds() - start);
    }
    end.Wait();
  });
  caller.join();
  echo.join();
  return Percentiles(std::move(times));
}

template <class Channel>
Figures ChannelFanIn(uint64_t messages, int senders, bool spin) {
  const bool pinned = senders == 1;
  Channel channel(spin);
  std::atomic<bool> ready = false, over = false;
  uint64_t sum = 0;
  int64_t end = 0;
  std::thread receiver([&] {
    if (pinned) PinTo(0);
    typename Channel::Sink sink(channel);
    ready = true;
    for (uint64_t left = messages * senders; left > 0; --left) {
      sum += sink.Get();
    }
    end = Nanoseconds();
    over = true;
  });
  while (!ready) std::this_thread::yield();
  const int64_t start = Nanoseconds();
  std::vector<std::thread> sources;
  for (int s = 0; s < senders; ++s) {
    sources.emplace_back([&] {
      if (pinned) PinTo(1);
      typename Channel::Source source(channel);
      for (uint64_t i = 1; i <= messages; ++i) source.Put(i);
      source.Flush();
      // Some sockets take what they have not sent with them.
      over.wait(false);
    });
  }
  receiver.join();
  over.notify_all();
  for (std::thread& source : sources) source.join();
  CheckSum(sum, messages, senders);
  return Millions(messages * senders, end - start);
}

template <class Channel>
Figures ChannelAsks(int in_flight, uint64_t asks, bool spin) {
  Channel questions(spin), replies(spin);
  Meeting meeting, end;
  std::thread server([&] {
    PinTo(0);
    typename Channel::Sink sink(questions);
    meeting.Wait();
    typename Channel::Source source(replies);
    for (uint64_t left = asks; left > 0; --left) {
      source.Put(sink.Get() + 1);
      source.Flush();
    }
    end.Wait();
  });
  int64_t took = 0;
  std::thread client([&] {
    PinTo(1);
    typename Channel::Sink sink(replies);
    meeting.Wait();
    typename Channel::Source source(questions);
    uint64_t asked = 0, sum = 0;
    const int64_t start = Nanoseconds();
    for (int i = 0; i < in_flight; ++i) source.Put(++asked);
    source.Flush();
    for (uint64_t left = asks; left > 0; --left) {
      sum += sink.Get();
      if (asked == asks) continue;
      source.Put(++asked);
      source.Flush();
    }
    took = Nanoseconds() - start;
    if (sum != asks + asks * (asks + 1) / 2) Die("a reply was lost");
    end.Wait();
  });
  client.join();
  server.join();
  return Millions(asks, took);
}

// `spinning`: whether its receivers can look without sleeping.
template <class Channel>
void AddAsksOver(Bench& bench, const std::string& who, bool spinning) {
  for (bool spin : {false, true}) {
    if (spin && !spinning) continue;
    bench.Add(spin ? kAsk1Spin : kAsk1, who, [spin](double scale) {
      return ChannelAsks<Channel>(1, Scaled(spin ? 200'000 : 20'000, scale),
                                  spin);
    });
    bench.Add(spin ? kAsk64Spin : kAsk64, who, [spin](double scale) {
      return ChannelAsks<Channel>(64, Scaled(500'000, scale), spin);
    });
  }
}

template <class Channel>
void AddPingPongOver(Bench& bench, const std::string& who, bool spinning) {
  bench.Add(kCrossPingPongBlock, who, [](double scale) {
    return ChannelPingPong<Channel>(Scaled(20'000, scale), false);
  });
  if (!spinning) return;
  bench.Add(kCrossPingPongSpin, who, [](double scale) {
    return ChannelPingPong<Channel>(Scaled(100'000, scale), true);
  });
}

template <class Channel>
void AddStreamsOver(Bench& bench, const std::string& who, uint64_t messages,
                    bool spin) {
  bench.Add(kCrossOneWay, who, [messages, spin](double scale) {
    return ChannelFanIn<Channel>(Scaled(messages, scale), 1, spin);
  });
  bench.Add(kFanIn4, who, [messages, spin](double scale) {
    return ChannelFanIn<Channel>(Scaled(messages / 4, scale), 4, spin);
  });
}

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_PEERS_QUEUE_WORKLOADS_H_
