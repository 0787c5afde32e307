// SPDX-License-Identifier: Apache-2.0
//
// Asks to an actor on another loop, from coroutines, each with a deadline.

#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/bus/workloads.h"
#include "trolley/bus/crossing/handoff.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/bench/lib/raw.h"

namespace trolley::bench {
namespace {

constexpr absl::Duration kSpin = absl::Microseconds(kSpinMicroseconds);
constexpr uint64_t kBlockingAsks = 20'000;
constexpr uint64_t kManyAsks = 1'000'000;

class Server : public Actor {
 public:
  struct Question {
    uint64_t number;
  };
  uint64_t On(const Question& m) { return m.number + 1; }
};

class Client : public Actor {
 public:
  struct Go {};
  Client(Ref<Server> server, int in_flight, uint64_t asks,
         absl::Notification& done)
      : server_(std::move(server)),
        in_flight_(in_flight),
        asks_(asks),
        done_(done) {}
  void On(Go) {
    working_ = in_flight_;
    for (int i = 0; i < in_flight_; ++i) RunInBackground(Work());
  }

 private:
  Task<absl::Status> Work() {
    while (asked_ < asks_) {
      const uint64_t number = ++asked_;
      absl::StatusOr<uint64_t> reply =
          co_await server_.Ask(Server::Question{number}, absl::Seconds(10));
      if (!reply.ok() || *reply != number + 1) {
        Die("an ask failed: " + reply.status().ToString());
      }
    }
    if (--working_ == 0) done_.Notify();
    co_return absl::OkStatus();
  }

  const Ref<Server> server_;
  const int in_flight_;
  const uint64_t asks_;
  absl::Notification& done_;
  uint64_t asked_ = 0;
  int working_ = 0;
};

Figures Asks(int in_flight, uint64_t asks, absl::Duration spin) {
  RunBus run({0, 1}, spin);
  absl::Notification done;
  auto server = run.Spawn<Server>(0, RunBus::kDefaultCapacity);
  auto client = run.Spawn<Client>(1, RunBus::kDefaultCapacity, server,
                                  in_flight, asks, done);
  const int64_t start = Nanoseconds();
  client.Tell(Client::Go{});
  done.WaitForNotification();
  const int64_t took = Nanoseconds() - start;
  run.Finish(asks);
  return Millions(asks, took);
}

// The mechanism underneath: a one-word mailbox, preallocated nodes that go back
// and forth, an eventfd written when the reader sleeps.

struct alignas(64) Node {
  Node* next = nullptr;
  uint64_t number = 0;
};

class RawMailbox {
 public:
  explicit RawMailbox(absl::Duration spin)
      : spin_(absl::ToInt64Nanoseconds(spin)) {}
  ~RawMailbox() { word_.Close(); }
  void Push(Node* node) {
    if (word_.Push(node, node) ==
        internal::Handoff<Node>::Pushed::kQueuedMustWake) {
      poller_.Wake();
      word_.WakeDone();
    }
  }
  // Oldest first; waits for one.
  Node* Take() {
    for (;;) {
      if (Node* list = word_.Take()) return list;
      if (spin_ > 0) Spin();
      if (!word_.HasWork() && word_.Arm()) poller_.Wait();
    }
  }

 private:
  void Spin() {
    for (const int64_t until = Nanoseconds() + spin_; Nanoseconds() < until;) {
      for (int i = 0; i < 64; ++i, Pause()) {
        if (word_.HasWork()) return;
      }
    }
  }

  const int64_t spin_;
  internal::Handoff<Node> word_;
  EpollPoller poller_;
};

Figures RawAsks(int in_flight, uint64_t asks, absl::Duration spin) {
  RawMailbox questions(spin), replies(spin);
  std::thread server([&] {
    PinTo(0);
    for (uint64_t left = asks; left > 0;) {
      for (Node* node = questions.Take(); node != nullptr; --left) {
        Node* next = node->next;
        ++node->number;
        replies.Push(node);
        node = next;
      }
    }
  });
  int64_t took = 0;
  std::thread client([&] {
    PinTo(1);
    std::vector<Node> nodes(in_flight);
    uint64_t asked = 0;
    const int64_t start = Nanoseconds();
    for (Node& node : nodes) {
      node.number = ++asked;
      questions.Push(&node);
    }
    uint64_t sum = 0;
    for (uint64_t left = asks; left > 0;) {
      for (Node* node = replies.Take(); node != nullptr; --left) {
        Node* next = node->next;
        sum += node->number;
        if (asked < asks) {
          node->number = ++asked;
          questions.Push(node);
        }
        node = next;
      }
    }
    took = Nanoseconds() - start;
    if (sum != asks + asks * (asks + 1) / 2) Die("a reply was lost");
  });
  client.join();
  server.join();
  return Millions(asks, took);
}

}  // namespace

void AddAsk(Bench& bench) {
  struct Form {
    Workload workload;
    int in_flight;
    uint64_t asks;
    absl::Duration spin;
  };
  for (const Form& form : {Form{kAsk1, 1, kBlockingAsks, absl::ZeroDuration()},
                           Form{kAsk1Spin, 1, 10 * kBlockingAsks, kSpin},
                           Form{kAsk64, 64, kManyAsks, absl::ZeroDuration()},
                           Form{kAsk64Spin, 64, kManyAsks, kSpin}}) {
    bench.Add(form.workload, "raw.mailbox_eventfd", [form](double scale) {
      return RawAsks(form.in_flight, Scaled(form.asks, scale), form.spin);
    });
    bench.Add(form.workload, "trolley", [form](double scale) {
      return Asks(form.in_flight, Scaled(form.asks, scale), form.spin);
    });
  }
}

}  // namespace trolley::bench
