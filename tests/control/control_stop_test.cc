// SPDX-License-Identifier: Apache-2.0
//
// The control service ends while clients call it. A client must get an answer,
// or UNAVAILABLE, after which clients retry. The reason DRAINING is missing
// only if the service had not begun the call, so nothing was done for it.

#include <atomic>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/control/control_client.h"
#include "tests/control/running_bus.h"
#include "trolley/tests/bus/ask_until.h"

namespace trolley::internal {
namespace {

namespace v1 = control::v1;
using test::Client;
using test::Context;
using test::Outcome;
using test::Pack;
using test::RunningBus;
using ::testing::AnyOf;

constexpr int kClients = 6;
constexpr int kCallsEach = 24;  // at one time

// Clients that always have calls under way, each replaced when it has ended,
// unless the connection has.
class Crowd {
 public:
  Crowd(const std::string& address, uint64_t seed) : random_(seed) {
    for (int i = 0; i < kClients; ++i) {
      clients_.push_back(std::make_unique<Client>(address));
    }
    for (int i = 0; i < kClients * kCallsEach; ++i) {
      Begin(*clients_[i % kClients]);
    }
  }

  void AwaitAnswers(int count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&] {
      mutex_.AssertReaderHeld();
      return answered_ >= count;
    };
    mutex_.Await(absl::Condition(&enough));
  }

  Client& client(int index) { return *clients_[index]; }

  // How many calls ended in each way, by method and outcome.
  std::map<std::string, int> Finish() {
    ending_ = true;
    absl::MutexLock lock(&mutex_);
    const auto none = [&] {
      mutex_.AssertReaderHeld();
      return open_ == 0;
    };
    mutex_.Await(absl::Condition(&none));
    return outcomes_;
  }

 private:
  // Freed by the thread of the test: gRPC's own threads must not let go of the
  // last call of a channel.
  struct Call {
    virtual ~Call() = default;
    Context context{absl::Seconds(60)};
  };
  template <typename Request, typename Response>
  struct CallOf : Call {
    Request request;
    Response response;
  };

  template <typename Request, typename Response>
  CallOf<Request, Response>* New() {
    auto call = std::make_unique<CallOf<Request, Response>>();
    CallOf<Request, Response>* kept = call.get();
    absl::MutexLock lock(&mutex_);
    calls_.push_back(std::move(call));
    return kept;
  }
  std::function<void(grpc::Status)> Done(Client& client, const char* method) {
    return [this, &client, method](const grpc::Status& status) {
      Ended(client, method, status);
    };
  }

  void Begin(Client& client) {
    int which;
    {
      absl::MutexLock lock(&mutex_);
      ++open_;
      which = random_() % 4;
    }
    if (which == 0) {
      auto* call = New<v1::SendMessageRequest, v1::SendMessageResponse>();
      test::Add add;
      add.set_amount(1);
      call->request.set_actor("a");
      Pack(add, call->request.mutable_envelope());
      client.messenger->async()->SendMessage(&call->context, &call->request,
                                             &call->response,
                                             Done(client, "SendMessage"));
    } else if (which == 1) {
      auto* call = New<v1::AskActorRequest, v1::AskActorResponse>();
      call->request.set_actor("b");
      Pack(test::GetTotal(), call->request.mutable_envelope());
      client.messenger->async()->AskActor(&call->context, &call->request,
                                          &call->response,
                                          Done(client, "AskActor"));
    } else if (which == 2) {
      auto* call = New<v1::GetActorRequest, v1::Actor>();
      call->request.set_name("a");
      client.inspector->async()->GetActor(&call->context, &call->request,
                                          &call->response,
                                          Done(client, "GetActor"));
    } else {
      auto* call = New<v1::ListActorsRequest, v1::ListActorsResponse>();
      client.inspector->async()->ListActors(&call->context, &call->request,
                                            &call->response,
                                            Done(client, "ListActors"));
    }
  }

  void Ended(Client& client, const char* name, const grpc::Status& status) {
    const std::string outcome = Outcome(status);
    if (outcome != "UNAVAILABLE" && (!ending_ || status.ok())) Begin(client);
    absl::MutexLock lock(&mutex_);
    --open_;
    if (status.ok()) ++answered_;
    ++outcomes_[absl::StrCat(name, " ", outcome)];
  }

  std::atomic<bool> ending_{false};
  absl::Mutex mutex_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
  int answered_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, int> outcomes_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Call>> calls_ ABSL_GUARDED_BY(mutex_);
};

// How many messages the actor has handled.
uint64_t HandledBy(const Bus& bus, const std::string& name) {
  const absl::StatusOr<BusInfo> info = bus.Inspect(absl::Seconds(60));
  if (!info.ok()) return 0;
  for (const ActorInfo& actor : info->actors) {
    if (actor.name == name) return actor.handled;
  }
  return 0;
}

TEST(ControlStopTest, ACallThatWasBegunEndsWithItsAnswerOrTheReason) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  std::map<std::string, int> all;
  for (int round = 0; round < 12; ++round) {
    RunningBus running;
    Ref<test::Counter> a = running.Spawn("a", 100000);
    Ref<test::Counter> b = running.Spawn("b", 100000);
    std::map<std::string, int> outcomes;
    {
      Crowd crowd(running.control->address(), random());
      crowd.AwaitAnswers(random() % 300);
      running.control->Stop();
      outcomes = crowd.Finish();
    }
    const auto total = a.AskAndWait(test::GetTotal(), absl::Seconds(60));
    ASSERT_TRUE(total.ok()) << total.status();
    EXPECT_EQ(total->total(), outcomes["SendMessage OK"]);
    // After the asks that wait in the mailbox.
    ASSERT_TRUE(b.AskAndWait(test::GetTotal(), absl::Seconds(60)).ok());
    const int answered = outcomes["AskActor OK"];
    const int handled = static_cast<int>(HandledBy(*running.bus, "b")) - 1;
    EXPECT_GE(handled, answered);
    EXPECT_LE(handled, answered + outcomes["AskActor UNAVAILABLE DRAINING"]);
    for (const auto& [outcome, n] : outcomes) all[outcome] += n;
  }
  for (const auto& [outcome, n] : all) {
    std::cout << outcome << ": " << n << "\n";
    EXPECT_THAT(outcome.substr(outcome.find(' ') + 1),
                AnyOf("OK", "UNAVAILABLE DRAINING", "UNAVAILABLE"));
  }
}

// The clients go on to call on the same connections.
TEST(ControlStopTest, EveryOpenCallHearsTheReasonBetweenOthers) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  for (int round = 0; round < 12; ++round) {
    RunningBus running;
    running.Spawn("a", 100000);
    running.Spawn("b", 100000);
    running.Spawn("holds");
    Crowd crowd(running.control->address(), seed + round);
    std::vector<std::unique_ptr<test::OpenAsk>> asks;
    for (int i = 0; i < kClients * kCallsEach; ++i) {
      asks.push_back(
          std::make_unique<test::OpenAsk>(crowd.client(i % kClients), "holds"));
    }
    AskUntil([&] { return running.bus->Inspect(absl::Seconds(60)); },
             [&](const absl::StatusOr<BusInfo>& info) {
               if (!info.ok()) return false;
               for (const ActorInfo& actor : info->actors) {
                 if (actor.name == "holds") return actor.depth == asks.size();
               }
               return false;
             })
        .IgnoreError();
    running.control->Stop();
    for (const auto& ask : asks) {
      ask->done.WaitForNotification();
      EXPECT_EQ(Outcome(ask->status), "UNAVAILABLE DRAINING")
          << ask->status.error_message();
    }
    crowd.Finish();
  }
}

// With nothing new on its way, each that is open hears the reason.
TEST(ControlStopTest, EveryOpenCallHearsTheReason) {
  RunningBus running;
  running.Spawn("a");
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::unique_ptr<test::OpenAsk>> asks;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<Client>(running.control->address()));
    for (int j = 0; j < kCallsEach; ++j) {
      asks.push_back(std::make_unique<test::OpenAsk>(*clients.back(), "a"));
    }
  }
  // One of them is with the actor, the others are in its mailbox.
  AskUntil([&] { return running.bus->Inspect(absl::Seconds(60)); },
           [&](const absl::StatusOr<BusInfo>& info) {
             return info.ok() && info->ledger.attempted >= asks.size();
           })
      .IgnoreError();
  running.control->Stop();
  for (const auto& ask : asks) {
    ask->done.WaitForNotification();
    EXPECT_EQ(Outcome(ask->status), "UNAVAILABLE DRAINING");
  }
}

}  // namespace
}  // namespace trolley::internal
