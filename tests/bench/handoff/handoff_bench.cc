// SPDX-License-Identifier: Apache-2.0
//
// Measures ways to get messages from loop to loop (candidates.h) beside the
// mechanisms underneath (../lib/raw.h), interleaved, one repetition of each at
// a time. A cache line's distance between the two CPUs is probed around each
// run, and only runs at one distance share a row. docs/design/0001-handoff.md
// has figures.
//
// Every run checks that all messages arrived, by count and by sum.

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/handoff/candidates.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/bench/lib/raw.h"

namespace trolley::bench {
namespace {

// How often a receiver looks before it sleeps; about 10 us.
constexpr int kSpins = 2000;

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "handoff_bench: %s\n", what.c_str());
  std::exit(1);
}

void CheckSum(uint64_t handled, uint64_t sum, uint64_t messages,
              uint64_t senders = 1) {
  if (handled != messages * senders ||
      sum != senders * (messages * (messages + 1) / 2)) {
    Die("messages were lost or changed");
  }
}

double PerMicrosecond(uint64_t messages, int64_t nanoseconds) {
  return 1e3 * static_cast<double>(messages) / static_cast<double>(nanoseconds);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// One receiving loop: deliver, look again for a while, sleep.
template <class Port>
void Poll(EpollPoller& poller, Port& port, Actor& actor, int spins) {
  if (port.Drain(actor)) return;
  for (int i = 0; i < spins && !port.HasWork(); ++i) Pause();
  if (!port.HasWork() && port.Arm()) {
    poller.Wait();
    // If no push had woken it, Drain would have to disarm the word here. That
    // cannot happen, because only a push wakes in this program.
  }
}

template <class P>
EpollPoller& PollerOf(P& port) {
  if constexpr (requires { port.inbox; }) {
    return port.inbox.poller;
  } else {
    return port.poller;
  }
}

// Workloads over the candidates -----------------------------------------------

template <class Way>
double OneWay(uint64_t messages, int batch) {
  typename Way::Port port;
  typename Way::Sender sender(port);
  Actor actor;
  std::atomic<int> ready = 0;
  int64_t end = 0;
  std::thread receiver([&] {
    PinTo(0);
    ++ready;
    while (actor.handled < messages) {
      Poll(PollerOf(port), port, actor, kSpins);
    }
    end = Nanoseconds();
  });
  int64_t start = 0;
  std::thread source([&] {
    PinTo(1);
    while (ready == 0) Pause();
    start = Nanoseconds();
    for (uint64_t i = 1; i <= messages; ++i) {
      sender.Put(i);
      if (i % batch == 0) sender.Flush();
    }
    sender.Flush();
  });
  source.join();
  receiver.join();
  CheckSum(actor.handled, actor.sum, messages);
  return PerMicrosecond(messages, end - start);
}

template <class Way>
double FanIn(uint64_t messages, int senders) {
  typename Way::Port port;
  std::vector<std::unique_ptr<typename Way::Sender>> out;
  for (int i = 0; i < senders; ++i) {
    out.push_back(std::make_unique<typename Way::Sender>(port));
  }
  Actor actor;
  outnumbered = true;
  const int64_t start = Nanoseconds();
  std::thread receiver([&] {
    while (actor.handled < messages * senders) {
      Poll(PollerOf(port), port, actor, 0);
    }
  });
  std::vector<std::thread> sources;
  for (int s = 0; s < senders; ++s) {
    sources.emplace_back([&, s] {
      for (uint64_t i = 1; i <= messages; ++i) {
        out[s]->Put(i);
        if (i % kBatch == 0) out[s]->Flush();
      }
      out[s]->Flush();
    });
  }
  for (std::thread& source : sources) source.join();
  receiver.join();
  outnumbered = false;
  CheckSum(actor.handled, actor.sum, messages, senders);
  return PerMicrosecond(messages * senders, Nanoseconds() - start);
}

// One message goes back and forth; nanoseconds of a round trip, median.
template <class Way>
double PingPong(uint64_t trips, int spins) {
  typename Way::Port there, back;
  typename Way::Sender to(there), from(back);
  Actor far_actor, near_actor;
  std::thread echo([&] {
    PinTo(0);
    for (uint64_t i = 1; i <= trips; ++i) {
      while (far_actor.handled < i) {
        Poll(PollerOf(there), there, far_actor, spins);
      }
      from.Put(i);
      from.Flush();
    }
  });
  std::vector<double> times(trips);
  std::thread caller([&] {
    PinTo(1);
    for (uint64_t i = 1; i <= trips; ++i) {
      const int64_t start = Nanoseconds();
      to.Put(i);
      to.Flush();
      while (near_actor.handled < i) {
        Poll(PollerOf(back), back, near_actor, spins);
      }
      times[i - 1] = static_cast<double>(Nanoseconds() - start);
    }
  });
  caller.join();
  echo.join();
  CheckSum(far_actor.handled, far_actor.sum, trips);
  CheckSum(near_actor.handled, near_actor.sum, trips);
  return Median(std::move(times));
}

// The same over the bare mechanisms -------------------------------------------

template <class Queue>
double RawStream(uint64_t messages, int senders) {
  Queue queue;
  uint64_t count = 0, sum = 0;
  const bool pinned = senders == 1;
  std::atomic<int> ready = 0;
  int64_t end = 0;
  std::thread receiver([&] {
    if (pinned) PinTo(0);
    ++ready;
    while (count < messages * senders) {
      if (!queue.Get(&sum, &count)) {
        if (pinned) {
          Pause();
        } else {
          std::this_thread::yield();
        }
      }
    }
    end = Nanoseconds();
  });
  while (ready == 0) std::this_thread::yield();
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
  CheckSum(count, sum, messages, senders);
  return PerMicrosecond(messages * senders, end - start);
}

template <class Signal>
double RawPingPong(uint64_t trips) {
  Signal there, back;
  std::thread echo([&] {
    PinTo(0);
    for (uint64_t i = 0; i < trips; ++i) {
      there.Get();
      back.Give();
    }
  });
  std::vector<double> times(trips);
  std::thread caller([&] {
    PinTo(1);
    for (uint64_t i = 0; i < trips; ++i) {
      const int64_t start = Nanoseconds();
      there.Give();
      back.Get();
      times[i] = static_cast<double>(Nanoseconds() - start);
    }
  });
  caller.join();
  echo.join();
  return Median(std::move(times));
}

// Two actors on one loop, one message between them
// -----------------------------

struct Player {
  virtual ~Player() = default;
  virtual void Hit(uint64_t n) = 0;
};
struct RawPlayer : Player {
  std::deque<std::pair<Player*, uint64_t>>* queue;
  Player* other;
  uint64_t hits = 0;
  // Out of line, or the compiler guesses the one class there is.
  [[gnu::noinline]] void Hit(uint64_t n) override {
    ++hits;
    if (n > 1) queue->emplace_back(other, n - 1);
  }
};

double SameLoopRaw(uint64_t messages) {
  std::deque<std::pair<Player*, uint64_t>> queue;
  RawPlayer a, b;
  a.queue = b.queue = &queue;
  a.other = &b;
  b.other = &a;
  const int64_t start = Nanoseconds();
  queue.emplace_back(&a, messages);
  while (!queue.empty()) {
    auto [player, n] = queue.front();
    queue.pop_front();
    player->Hit(n);
  }
  if (a.hits + b.hits != messages) Die("a hit was lost");
  return PerMicrosecond(messages, Nanoseconds() - start);
}

// The queue of one loop: of recycled, linked envelopes.
class LinkedQueue {
 public:
  bool Empty() const { return oldest_ == nullptr; }
  void Put(const Type* type, uint64_t target, uint64_t payload) {
    Envelope* e = pool_.Get();
    *e = {nullptr, type, target, INT64_MAX, 2, nullptr, nullptr, payload};
    (oldest_ == nullptr ? oldest_ : newest_->next) = e;
    newest_ = e;
  }
  template <class F>
  void DeliverOne(F&& deliver) {
    Envelope* e = oldest_;
    oldest_ = e->next;
    deliver(*e);
    pool_.Put(e);
  }

 private:
  struct LocalPool : Pool<Envelope> {
    LocalPool() : Pool(1024) {}
    void Put(Envelope* e) {
      e->next = free_here;
      free_here = e;
    }
    Envelope* Get() {
      if (free_here == nullptr) return Pool::Get();
      Envelope* e = free_here;
      free_here = e->next;
      return e;
    }
    Envelope* free_here = nullptr;
  } pool_;
  Envelope* oldest_ = nullptr;
  Envelope* newest_ = nullptr;
};

// Of slots in a ring.
template <class Slot>
class RingQueue {
 public:
  bool Empty() const { return head_ == tail_; }
  void Put(const Type* type, uint64_t target, uint64_t payload) {
    if (tail_ - head_ == kSlots) Die("the local ring is full");
    Slot& slot = slots_[tail_++ % kSlots];
    slot.Fill(payload);
    slot.type = type;
    slot.target = static_cast<decltype(slot.target)>(target);
  }
  template <class F>
  void DeliverOne(F&& deliver) {
    deliver(slots_[head_ % kSlots]);
    ++head_;
  }

 private:
  static constexpr uint64_t kSlots = 1024;
  std::unique_ptr<Slot[]> slots_{new Slot[kSlots]};
  uint64_t head_ = 0, tail_ = 0;
};

template <class Queue>
double SameLoop(uint64_t messages) {
  Queue queue;
  Actor actors[2];
  const int64_t start = Nanoseconds();
  queue.Put(&kAdd, 0, messages);
  while (!queue.Empty()) {
    queue.DeliverOne([&](const auto& message) {
      actors[message.target].Deliver(message);
      if (message.payload > 1) {
        queue.Put(&kAdd, 1 - message.target, message.payload - 1);
      }
    });
  }
  CheckSum(actors[0].handled + actors[1].handled, actors[0].sum + actors[1].sum,
           messages);
  return PerMicrosecond(messages, Nanoseconds() - start);
}

// The table
// --------------------------------------------------------------------

struct Case {
  const char* workload;
  const char* who;
  const char* unit;
  const char* better;
  std::function<double()> run;
};

std::vector<Case> Cases(double scale) {
  auto n = [scale](uint64_t full) {
    return std::max<uint64_t>(1000, static_cast<uint64_t>(full * scale));
  };
  const uint64_t same = n(10'000'000), stream = n(4'000'000);
  const uint64_t single = n(1'000'000), fan = n(500'000);
  const uint64_t spin = n(100'000), block = n(20'000);
  std::vector<Case> cases;
  auto add = [&](const char* workload, const char* who,
                 std::function<double()> run) {
    const bool rate = std::strstr(workload, "pingpong") == nullptr ||
                      std::strcmp(workload, "same_loop_pingpong") == 0;
    cases.push_back({workload, who, rate ? "M msg/s" : "ns",
                     rate ? "higher" : "lower", std::move(run)});
  };
  auto pinned = [](auto run) {
    return [run] {
      double value = 0;
      std::thread([&] {
        PinTo(0);
        value = run();
      }).join();
      return value;
    };
  };
  const char* w = "same_loop_pingpong";
  add(w, "raw.deque_virtual", pinned([=] { return SameLoopRaw(same); }));
  add(w, "linked", pinned([=] { return SameLoop<LinkedQueue>(same); }));
  add(w, "slots64", pinned([=] { return SameLoop<RingQueue<Slot64>>(same); }));
  add(w, "slots32", pinned([=] { return SameLoop<RingQueue<Slot32>>(same); }));

  w = "cross_oneway";
  add(w, "raw.spsc_8B", [=] { return RawStream<BareRing<Value8>>(stream, 1); });
  add(w, "raw.spsc_64B",
      [=] { return RawStream<BareRing<Slot64>>(stream, 1); });
  add(w, "raw.mpsc_malloc", [=] { return RawStream<MallocQueue>(single, 1); });
  add(w, "linked", [=] { return OneWay<Linked>(stream, kBatch); });
  add(w, "linked.chained", [=] { return OneWay<Chained>(stream, kBatch); });
  add(w, "linked.headed", [=] { return OneWay<Headed>(stream, kBatch); });
  add(w, "linked.pointers", [=] { return OneWay<Pointers>(stream, kBatch); });
  add(w, "ring64", [=] { return OneWay<Rings<Slot64>>(stream, kBatch); });
  add(w, "ring32", [=] { return OneWay<Rings<Slot32>>(stream, kBatch); });
  add(w, "block64", [=] { return OneWay<Blocks<Slot64>>(stream, kBatch); });
  add(w, "block32", [=] { return OneWay<Blocks<Slot32>>(stream, kBatch); });

  w = "cross_oneway_batch1";
  add(w, "linked", [=] { return OneWay<Linked>(single, 1); });
  add(w, "linked.chained", [=] { return OneWay<Chained>(single, 1); });
  add(w, "linked.headed", [=] { return OneWay<Headed>(single, 1); });
  add(w, "ring64", [=] { return OneWay<Rings<Slot64>>(single, 1); });
  add(w, "ring32", [=] { return OneWay<Rings<Slot32>>(single, 1); });
  add(w, "block64", [=] { return OneWay<Blocks<Slot64>>(single, 1); });

  w = "cross_pingpong_spin";
  add(w, "raw.line", [=] { return RawPingPong<SpinningLine>(spin); });
  add(w, "raw.mailbox", [=] { return RawPingPong<SpinningMailbox>(spin); });
  add(w, "linked", [=] { return PingPong<Linked>(spin, kSpins); });
  add(w, "linked.chained", [=] { return PingPong<Chained>(spin, kSpins); });
  add(w, "linked.headed", [=] { return PingPong<Headed>(spin, kSpins); });
  add(w, "ring64", [=] { return PingPong<Rings<Slot64>>(spin, kSpins); });
  add(w, "ring32", [=] { return PingPong<Rings<Slot32>>(spin, kSpins); });
  add(w, "block64", [=] { return PingPong<Blocks<Slot64>>(spin, kSpins); });

  w = "cross_pingpong_block";
  add(w, "raw.futex", [=] { return RawPingPong<Futex>(block); });
  add(w, "raw.eventfd_epoll",
      [=] { return RawPingPong<EventFdAndEpoll>(block); });
  add(w, "linked", [=] { return PingPong<Linked>(block, 0); });
  add(w, "linked.chained", [=] { return PingPong<Chained>(block, 0); });
  add(w, "linked.headed", [=] { return PingPong<Headed>(block, 0); });
  add(w, "ring64", [=] { return PingPong<Rings<Slot64>>(block, 0); });
  add(w, "block64", [=] { return PingPong<Blocks<Slot64>>(block, 0); });

  w = "fanin4";
  add(w, "raw.mpsc_malloc", [=] { return RawStream<MallocQueue>(fan, 4); });
  add(w, "linked", [=] { return FanIn<Linked>(fan, 4); });
  add(w, "linked.chained", [=] { return FanIn<Chained>(fan, 4); });
  add(w, "linked.headed", [=] { return FanIn<Headed>(fan, 4); });
  add(w, "linked.pointers", [=] { return FanIn<Pointers>(fan, 4); });
  add(w, "ring64", [=] { return FanIn<Rings<Slot64>>(fan, 4); });
  add(w, "ring32", [=] { return FanIn<Rings<Slot32>>(fan, 4); });
  add(w, "block64", [=] { return FanIn<Blocks<Slot64>>(fan, 4); });
  add(w, "block32", [=] { return FanIn<Blocks<Slot32>>(fan, 4); });
  return cases;
}

struct Options {
  int reps = 5;
  double scale = 1;
  bool sleepy = false;
  std::string csv;
  std::string filter;
};

constexpr char kUsage[] =
    "usage: handoff_bench [--reps=5] [--quick] [--filter=TEXT] [--csv=FILE]\n"
    "                     [--window=4096] [--sleepy]\n"
    "  --window  messages a sender may have in flight; a power of two\n"
    "  --sleepy  let idle CPUs halt, as the machine comes\n";

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const size_t equals = arg.find('=');
    const std::string name = arg.substr(0, equals);
    const std::string value =
        equals == std::string::npos ? "" : arg.substr(equals + 1);
    if (arg == "--quick") {
      options.reps = 1;
      options.scale = 0.01;
    } else if (arg == "--sleepy") {
      options.sleepy = true;
    } else if (name == "--reps" && std::atoi(value.c_str()) > 0) {
      options.reps = std::atoi(value.c_str());
    } else if (name == "--window" && std::atoi(value.c_str()) >= 2 * kBatch &&
               (std::atoi(value.c_str()) & (std::atoi(value.c_str()) - 1)) ==
                   0) {
      window = std::atoi(value.c_str());
    } else if (name == "--filter") {
      options.filter = value;
    } else if (name == "--csv" && !value.empty()) {
      options.csv = value;
    } else {
      std::fputs(kUsage, stderr);
      std::exit(2);
    }
  }
  return options;
}

int Main(int argc, char** argv) {
  const Options options = Parse(argc, argv);
  if (std::thread::hardware_concurrency() < 2) Die("this needs two CPUs.");
  std::unique_ptr<AwakeCpus> awake;
  if (!options.sleepy) awake = std::make_unique<AwakeCpus>();
  std::printf(
      "CPUs 0 and 1; window %d messages; batches of %d; idle CPUs %s\n", window,
      kBatch,
      awake && awake->held() ? "kept awake" : "may halt (see --sleepy)");

  const std::vector<Case> cases = Cases(options.scale);
  // Case number and distance -> values.
  std::map<std::pair<size_t, std::string>, std::vector<double>> results;
  for (int rep = 0; rep < options.reps; ++rep) {
    for (size_t i = 0; i < cases.size(); ++i) {
      const std::string name =
          std::string(cases[i].workload) + "/" + cases[i].who;
      if (name.find(options.filter) == std::string::npos) continue;
      const double before = LineRoundTrip();
      const double value = cases[i].run();
      results[{i, Distance(before, LineRoundTrip())}].push_back(value);
    }
    std::fprintf(stderr, "repetition %d of %d done\n", rep + 1, options.reps);
  }

  std::FILE* csv = nullptr;
  if (!options.csv.empty()) {
    csv = std::fopen(options.csv.c_str(), "w");
    if (csv == nullptr) Die("cannot write " + options.csv);
    std::fprintf(csv,
                 "workload,who,unit,better,median,min,max,distance,runs\n");
  }
  const char* workload = "";
  for (auto& [key, values] : results) {
    const Case& c = cases[key.first];
    if (std::strcmp(workload, c.workload) != 0) {
      workload = c.workload;
      std::printf("\n%s, %s (%s is better)\n", workload, c.unit, c.better);
    }
    const auto [min, max] = std::minmax_element(values.begin(), values.end());
    std::printf("  %-20s %-6s %10.1f  min %10.1f  max %10.1f  of %zu\n", c.who,
                key.second.c_str(), Median(values), *min, *max, values.size());
    if (csv != nullptr) {
      std::fprintf(csv, "%s,%s,%s,%s,%.4g,%.4g,%.4g,%s,%zu\n", c.workload,
                   c.who, c.unit, c.better, Median(values), *min, *max,
                   key.second.c_str(), values.size());
    }
  }
  if (csv != nullptr && std::fclose(csv) != 0) {
    Die("cannot write " + options.csv);
  }
  return 0;
}

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) { return trolley::bench::Main(argc, argv); }
