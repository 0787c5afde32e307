// SPDX-License-Identifier: Apache-2.0
//
// CAF: actors that handle messages with functions of their own kind. One worker
// thread where ours is one loop, and detached actors, which have threads of
// their own, where ours are several: its pool would run both ends of a
// conversation on one worker. Messages are of types it knows already.

#include <atomic>
#include <caf/all.hpp>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "trolley/tests/bench/lib/bench.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/bench/lib/queue_stream.h"
#include "trolley/tests/bench/lib/workloads.h"

namespace trolley::bench {
namespace {

using caf::actor;
using caf::behavior;
using caf::event_based_actor;

using Go = caf::atom_constant<caf::atom("go")>;
using Next = caf::atom_constant<caf::atom("next")>;
using Ack = caf::atom_constant<caf::atom("ack")>;

class Config : public caf::actor_system_config {
 public:
  // A pool of `workers`. By default an actor gives way when it has nothing to
  // do, after `slice` messages otherwise.
  Config(int workers, size_t slice) {
    set("scheduler.max-threads", static_cast<size_t>(workers));
    if (slice > 0) set("scheduler.max-throughput", slice);
  }
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

// A system of `workers`, made on a thread that is pinned to CPU 0 if there is
// one worker, which inherits that.
Figures InSystem(int workers,
                 const std::function<Figures(caf::actor_system&)>& run,
                 size_t slice = 0) {
  auto body = [&] {
    Config config(workers, slice);
    caf::actor_system system(config);
    return run(system);
  };
  return workers == 1 ? OnCpu0(body) : body();
}

// Within a worker
// ---------------------------------------------------------------

Figures Ring(const std::vector<int>& order, uint64_t hops) {
  return InSystem(1, [&](caf::actor_system& system) -> Figures {
    struct State {
      actor next;
    };
    Finish finish;
    auto member = [&finish](caf::stateful_actor<State>* self) -> behavior {
      return {
          [self](const actor& next) { self->state.next = next; },
          [self, &finish](uint64_t left) {
            if (left == 0) return finish.Set();
            self->send(self->state.next, left - 1);
          },
      };
    };
    std::vector<actor> members;
    const size_t size = order.size();
    for (size_t i = 0; i < size; ++i) members.push_back(system.spawn(member));
    for (size_t i = 0; i < size; ++i) {
      caf::anon_send(members[order[i]], members[order[(i + 1) % size]]);
    }
    const int64_t start = Nanoseconds();
    caf::anon_send(members[0], hops);
    const int64_t took = finish.Wait() - start;
    for (actor& each : members) {
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    }
    return Millions(hops, took);
  });
}

Figures Stream(uint64_t messages) {
  return InSystem(1, [&](caf::actor_system& system) -> Figures {
    Finish finish;
    uint64_t sum = 0, left = messages;
    auto sink = system.spawn([&sum](event_based_actor* self) -> behavior {
      return {
          [&sum](uint64_t value) { sum += value; },
          [self](Ack, const actor& source) { self->send(source, Go::value); },
      };
    });
    auto source = system.spawn([&, sink](event_based_actor* self) -> behavior {
      return {[&, sink, self](Go) {
        if (left == 0) return finish.Set();
        for (int i = 0; i < kStreamBurst && left > 0; ++i) {
          self->send(sink, left--);
        }
        self->send(sink, Ack::value, caf::actor_cast<actor>(self));
      }};
    });
    const int64_t start = Nanoseconds();
    caf::anon_send(source, Go::value);
    const int64_t took = finish.Wait() - start;
    for (const actor& each : {sink, source}) {
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    }
    CheckSum(sum, messages, 1);
    return Millions(messages, took);
  });
}

// Between threads
// ---------------------------------------------------------------

Figures PingPong(uint64_t trips) {
  return InSystem(2, [&](caf::actor_system& system) -> Figures {
    Finish finish;
    std::vector<double> times(trips);
    auto echo = system.spawn<caf::detached>([](event_based_actor*) -> behavior {
      PinTo(0);
      return {[](uint64_t number) { return number; }};
    });
    size_t trip = 0;
    int64_t began = 0;
    auto caller = system.spawn<caf::detached>(
        [&, echo](event_based_actor* self) -> behavior {
          PinTo(1);
          auto serve = [&, echo, self] {
            began = Nanoseconds();
            self->send(echo, uint64_t{trip});
          };
          return {
              [serve](Go) { serve(); },
              [&, serve](uint64_t) {
                times[trip++] = static_cast<double>(Nanoseconds() - began);
                if (trip == times.size()) return finish.Set();
                serve();
              },
          };
        });
    caf::anon_send(caller, Go::value);
    finish.Wait();
    for (const actor& each : {echo, caller}) {
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    }
    return Percentiles(std::move(times));
  });
}

// Each source has kWindow / senders messages on their way.
Figures FanIn(uint64_t messages, int senders) {
  return InSystem(2, [&](caf::actor_system& system) -> Figures {
    const bool pinned = senders == 1;
    const uint64_t window = kWindow / senders, acknowledged = window / 4;
    Finish finish;
    uint64_t sum = 0, count = 0;
    auto sink =
        system.spawn<caf::detached>([&](event_based_actor*) -> behavior {
          if (pinned) PinTo(0);
          return {
              [&](uint64_t value) {
                sum += value;
                if (++count == messages * senders) finish.Set();
              },
              [](Ack) { return Ack::value; },
          };
        });
    struct State {
      uint64_t next = 1, room = 0;
    };
    std::vector<actor> sources;
    for (int s = 0; s < senders; ++s) {
      sources.push_back(system.spawn<caf::detached>(
          [=](caf::stateful_actor<State>* self) -> behavior {
            if (pinned) PinTo(1);
            auto send = [=](uint64_t more) {
              State& state = self->state;
              state.room += more;
              for (; state.room > 0 && state.next <= messages; --state.room) {
                self->send(sink, state.next++);
                if (state.next % acknowledged == 0) {
                  self->send(sink, Ack::value);
                }
              }
            };
            return {
                [send, window](Go) { send(window); },
                [send, acknowledged](Ack) { send(acknowledged); },
            };
          }));
    }
    const int64_t start = Nanoseconds();
    for (const actor& source : sources) caf::anon_send(source, Go::value);
    const int64_t took = finish.Wait() - start;
    sources.push_back(sink);
    for (const actor& each : sources) {
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    }
    CheckSum(sum, messages, senders);
    return Millions(messages * senders, took);
  });
}

// With a deadline, as ours.
Figures Asks(int in_flight, uint64_t asks) {
  return InSystem(2, [&](caf::actor_system& system) -> Figures {
    Finish finish;
    struct State {
      uint64_t asked = 0, replied = 0;
      std::function<void()> ask;
    };
    auto server =
        system.spawn<caf::detached>([](event_based_actor*) -> behavior {
          PinTo(0);
          return {[](uint64_t number) { return number + 1; }};
        });
    auto client = system.spawn<caf::detached>(
        [&, server](caf::stateful_actor<State>* self) -> behavior {
          PinTo(1);
          self->state.ask = [&, self, server] {
            const uint64_t number = ++self->state.asked;
            self->request(server, std::chrono::seconds(10), number)
                .then(
                    [&, self, number](uint64_t reply) {
                      if (reply != number + 1) Die("another reply came back");
                      if (++self->state.replied == asks) return finish.Set();
                      if (self->state.asked < asks) self->state.ask();
                    },
                    [self](caf::error& error) {
                      Die("an ask failed: " + self->system().render(error));
                    });
          };
          return {[=](Go) {
            for (int i = 0; i < in_flight; ++i) self->state.ask();
          }};
        });
    const int64_t start = Nanoseconds();
    caf::anon_send(client, Go::value);
    const int64_t took = finish.Wait() - start;
    for (const actor& each : {server, client}) {
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    }
    return Millions(asks, took);
  });
}

// Many actors
// -------------------------------------------------------------------

Figures SpawnDestroy(uint64_t actors) {
  return InSystem(1, [&](caf::actor_system& system) -> Figures {
    Finish finish;
    std::atomic<uint64_t> ended = 0;
    struct Mayfly {
      ~Mayfly() {
        if (ended != nullptr && ++*ended == last) finish->Set();
      }
      std::atomic<uint64_t>* ended = nullptr;
      uint64_t last = 0;
      Finish* finish = nullptr;
    };
    uint64_t left = actors;
    auto mayfly = [&](caf::stateful_actor<Mayfly>* self) -> behavior {
      self->state.ended = &ended;
      self->state.last = actors;
      self->state.finish = &finish;
      return {[self](Go) { self->quit(); }};
    };
    auto pond = system.spawn([&](event_based_actor* self) -> behavior {
      return {[&, self](Next) {
        for (int i = 0; i < 100 && left > 0; ++i, --left) {
          self->send(self->spawn(mayfly), Go::value);
        }
        if (left > 0) {
          self->send(self, Next::value);
        } else {
          self->quit();
        }
      }};
    });
    const int64_t start = Nanoseconds();
    caf::anon_send(pond, Next::value);
    return Millions(actors, finish.Wait() - start);
  });
}

Figures IdleBytes(uint64_t actors) {
  return InSystem(1, [&](caf::actor_system& system) -> Figures {
    std::atomic<uint64_t> lives = 0;
    Finish finish;
    auto idler = [&](event_based_actor*) -> behavior {
      return {[&](Go) {
        if (++lives == actors) finish.Set();
      }};
    };
    std::vector<actor> all(actors);  // itself, it does not count
    const double before = ResidentBytes();
    for (actor& each : all) {
      each = system.spawn(idler);
      caf::anon_send(each, Go::value);
    }
    finish.Wait();
    const double after = ResidentBytes();
    for (const actor& each : all) {
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    }
    return (after - before) / static_cast<double>(actors);
  });
}

struct Sum {
  uint64_t value = 0;
  int answers = 0;
  actor parent;
};

behavior Node(caf::stateful_actor<Sum>* self, actor parent, uint64_t first,
              uint64_t leaves) {
  self->state.parent = std::move(parent);
  if (leaves == 1) {
    self->send(self->state.parent, first);
    self->quit();
    return {};
  }
  const uint64_t share = leaves / 10;
  for (int i = 0; i < 10; ++i) {
    self->spawn(Node, caf::actor_cast<actor>(self), first + i * share, share);
  }
  return {[self](uint64_t value) {
    self->state.value += value;
    if (++self->state.answers < 10) return;
    self->send(self->state.parent, self->state.value);
    self->quit();
  }};
}

Figures Skynet(uint64_t leaves) {
  return InSystem(2, [&](caf::actor_system& system) -> Figures {
    caf::scoped_actor self(system);
    const int64_t start = Nanoseconds();
    system.spawn(Node, caf::actor_cast<actor>(self), uint64_t{0}, leaves);
    uint64_t sum = 0;
    self->receive([&](uint64_t value) { sum = value; });
    const int64_t took = Nanoseconds() - start;
    if (sum != leaves * (leaves - 1) / 2) Die("skynet added wrongly");
    uint64_t actors = 0;
    for (; leaves > 0; leaves /= 10) actors += leaves;
    return Millions(actors, took);
  });
}

Figures FloodedQuiet(uint64_t asks) {
  auto run = [&](caf::actor_system& system) -> Figures {
    Finish finish;
    std::atomic<bool> over = false;
    auto flooded = system.spawn([&](event_based_actor* self) -> behavior {
      return {[&, self](Go) {
        WorkAMicrosecond();
        if (!over) self->send(self, Go::value);
      }};
    });
    auto quiet = system.spawn([](event_based_actor*) -> behavior {
      return {[](uint64_t number) { return number; }};
    });
    std::vector<double> times;
    struct State {
      std::function<void()> ask;
    };
    auto prober = system.spawn<caf::detached>(
        [&, quiet](caf::stateful_actor<State>* self) -> behavior {
          PinTo(1);
          self->state.ask = [&, self, quiet] {
            const int64_t start = Nanoseconds();
            self->request(quiet, std::chrono::seconds(10), uint64_t{1})
                .then([&, self, start](uint64_t) {
                  times.push_back(static_cast<double>(Nanoseconds() - start));
                  if (times.size() == asks) return finish.Set();
                  self->state.ask();
                });
          };
          return {[self](Go) { self->state.ask(); }};
        });
    for (int i = 0; i < kFlood; ++i) caf::anon_send(flooded, Go::value);
    caf::anon_send(prober, Go::value);
    finish.Wait();
    over = true;
    for (const actor& each : {flooded, quiet, prober}) {
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    }
    return Percentiles(std::move(times));
  };
  return InSystem(1, run, /*slice=*/64);
}

// Watching, topics, pools
// -----------------------------------------------------------------

// Actors are spawned, monitored and ended, 100 at a time.
Figures WatchDownOf(uint64_t actors) {
  return InSystem(1, [&](caf::actor_system& system) -> Figures {
    Finish finish;
    uint64_t left = actors / kAtATime * kAtATime;
    const uint64_t all = left;
    auto mourner = system.spawn([&](event_based_actor* self) -> behavior {
      self->set_down_handler([&, self](const caf::down_msg&) {
        if (--left == 0) return finish.Set();
        if (left % kAtATime == 0) self->send(self, Go::value);
      });
      return {[self](Go) {
        for (int i = 0; i < kAtATime; ++i) {
          auto mortal = self->spawn(
              [](event_based_actor*) -> behavior { return {[](Ack) {}}; });
          self->monitor(mortal);
          caf::anon_send_exit(mortal, caf::exit_reason::user_shutdown);
        }
      }};
    });
    const int64_t start = Nanoseconds();
    caf::anon_send(mourner, Go::value);
    const int64_t took = finish.Wait() - start;
    caf::anon_send_exit(mourner, caf::exit_reason::user_shutdown);
    return Millions(all, took);
  });
}

// Each publication to a local group goes to 100 actors that have joined it.
Figures FanoutByGroup(uint64_t news) {
  return InSystem(1, [&](caf::actor_system& system) -> Figures {
    Finish finish;
    const uint64_t all = news * kSubscribers;
    uint64_t got = 0, joined = 0;
    const caf::group group = system.groups().get_local("news");
    std::vector<actor> actors;
    for (int i = 0; i < kSubscribers; ++i) {
      actors.push_back(system.spawn([&](event_based_actor* self) -> behavior {
        self->join(group);
        ++joined;
        return {[&](uint64_t) {
          if (++got == all) finish.Set();
        }};
      }));
    }
    actors.push_back(system.spawn([&](event_based_actor* self) -> behavior {
      return {[&, self](Go) {
        if (joined == kSubscribers && news > 0) {
          --news;
          self->send(group, uint64_t{1});
        }
        if (news > 0) self->send(self, Go::value);
      }};
    }));
    const int64_t start = Nanoseconds();
    caf::anon_send(actors.back(), Go::value);
    const int64_t took = finish.Wait() - start;
    for (const actor& each : actors) {
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    }
    return Millions(all, took);
  });
}

// Tells a burst to a pool of four, and the next one when it is handled.
Figures PoolOfFour(uint64_t messages) {
  return InSystem(1, [&](caf::actor_system& system) -> Figures {
    Finish finish;
    uint64_t told = 0, handled = 0;
    caf::scoped_execution_unit unit(&system);
    auto pool = caf::actor_pool::make(
        &unit, kPoolWorkers,
        [&] {
          return system.spawn([&](event_based_actor*) -> behavior {
            return {[&](uint64_t) { ++handled; }};
          });
        },
        caf::actor_pool::round_robin());
    auto teller = system.spawn([&](event_based_actor* self) -> behavior {
      return {[&, self](Go) {
        if (handled == messages) return finish.Set();
        if (handled == told) {
          for (int i = 0; i < kPoolBurst && told < messages; ++i) {
            self->send(pool, ++told);
          }
        }
        self->send(self, Go::value);
      }};
    });
    const int64_t start = Nanoseconds();
    caf::anon_send(teller, Go::value);
    const int64_t took = finish.Wait() - start;
    for (const actor& each : {pool, teller}) {
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    }
    return Millions(messages, took);
  });
}

std::vector<int> InOrder(int size) {
  std::vector<int> order(size);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::string Name() {
  return "caf-" + std::to_string(CAF_MAJOR_VERSION) + "." +
         std::to_string(CAF_MINOR_VERSION) + "." +
         std::to_string(CAF_PATCH_VERSION);
}

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT
  Bench bench;
  const std::string who = Name();
  auto add = [&](const Workload& workload, uint64_t size,
                 std::function<Figures(uint64_t)> run) {
    bench.Add(workload, who,
              [size, run](double scale) { return run(Scaled(size, scale)); });
  };
  add(kSameLoopPingPong, 2'000'000, [](uint64_t n) { return Ring({0, 1}, n); });
  add(kSameLoopStream, 2'000'000, Stream);
  add(kRing100, 2'000'000, [](uint64_t n) { return Ring(InOrder(100), n); });
  add(kRing1000, 2'000'000, [](uint64_t n) { return Ring(InOrder(1000), n); });
  add(kCrossPingPongBlock, 20'000, PingPong);
  add(kCrossOneWay, 1'000'000, [](uint64_t n) { return FanIn(n, 1); });
  add(kFanIn4, 250'000, [](uint64_t n) { return FanIn(n, 4); });
  add(kAsk1, 20'000, [](uint64_t n) { return Asks(1, n); });
  add(kAsk64, 200'000, [](uint64_t n) { return Asks(64, n); });
  add(kSpawnDestroy, 500'000, SpawnDestroy);
  add(kIdleActorBytes, 1'000'000, IdleBytes);
  bench.Add(kSkynet, who,
            [](double scale) { return Skynet(SkynetLeaves(scale)); });
  add(kFloodedQuiet, 2'000, FloodedQuiet);
  add(kWatchDown, 200'000, WatchDownOf);
  add(kPubsubFanout, 10'000, FanoutByGroup);
  add(kPoolRoundRobin, 1'000'000, PoolOfFour);
  for (int actors : kActorScales) {
    bench.Add(ScaleActors(actors), who, [actors](double scale) -> Figures {
      const uint64_t size = Scaled(actors, scale);
      const uint64_t hops = std::max<uint64_t>(size, Scaled(1'000'000, scale));
      return 1e3 / Ring(ScaleOrder(static_cast<int>(size)), hops).value;
    });
  }
  return bench.Main(argc, argv);
}
