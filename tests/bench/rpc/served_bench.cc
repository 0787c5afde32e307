// SPDX-License-Identifier: Apache-2.0
//
// A unary call that an actor serves, beside the same method of servers that are
// written by hand with gRPC's callback API: one that answers on gRPC's own
// thread, and one that answers on a thread of its own. All over TCP on this
// machine, by the same client, with 1 and with 64 calls in flight.

#include <grpcpp/grpcpp.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/rpc/actor_service.h"
#include "trolley/tests/bench/lib/bench.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/rpc/bank.grpc.pb.h"

namespace trolley::bench {
namespace {

using rpc_test::Balance;
using rpc_test::GetBalanceRequest;
using rpc_test::Teller;

const Workload kServedUnary = {.name = "served_unary",
                               .unit = "ns",
                               .higher_is_better = false,
                               .two_cpus = true,
                               .blocks = true,
                               .has_p99 = true};
const Workload kServedUnary64 = {.name = "served_unary64",
                                 .unit = "M call/s",
                                 .higher_is_better = true,
                                 .two_cpus = true};
constexpr uint64_t kCalls = 5'000;
constexpr uint64_t kManyCalls = 20'000;
constexpr int kInFlight = 64;
constexpr uint64_t kWarmUp = 200;
constexpr int64_t kCents = 25;

// Answers at once, on gRPC's own thread.
class Bare final : public Teller::CallbackService {
  grpc::ServerUnaryReactor* GetBalance(grpc::CallbackServerContext* context,
                                       const GetBalanceRequest*,
                                       Balance* balance) override {
    balance->set_cents(kCents);
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

// Answers on a thread of its own, which sleeps between two calls: what is left
// of a call to an actor when only the way to another thread and back is done.
class Hopping final : public Teller::CallbackService {
 public:
  Hopping() : thread_([this] { Run(); }) {}
  ~Hopping() override {
    Wake(kStop);
    thread_.join();
    close(wake_);
  }

  grpc::ServerUnaryReactor* GetBalance(grpc::CallbackServerContext* context,
                                       const GetBalanceRequest*,
                                       Balance* balance) override {
    balance->set_cents(kCents);
    auto* reactor = context->DefaultReactor();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      waiting_.push_back(reactor);
      if (waiting_.size() > 1) return reactor;  // it has been woken
    }
    Wake(1);
    return reactor;
  }

 private:
  static constexpr uint64_t kStop = uint64_t{1} << 32;

  void Wake(uint64_t value) {
    if (write(wake_, &value, sizeof(value)) < 0) Die("eventfd");
  }
  void Run() {
    std::vector<grpc::ServerUnaryReactor*> calls;
    for (uint64_t value = 0; value < kStop;) {
      if (read(wake_, &value, sizeof(value)) < 0) Die("eventfd");
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        calls.swap(waiting_);
      }
      for (auto* call : calls) call->Finish(grpc::Status::OK);
      calls.clear();
    }
  }

  const int wake_ = eventfd(0, EFD_CLOEXEC);
  std::mutex mutex_;
  std::vector<grpc::ServerUnaryReactor*> waiting_;
  std::thread thread_;
};

class Account : public Actor {
 public:
  using Receives = Protocol<Balance(GetBalanceRequest)>;
  Balance On(const GetBalanceRequest&) {
    Balance balance;
    balance.set_cents(kCents);
    return balance;
  }
};

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(10));
}

Figures OneAtATime(Teller::Stub& stub, uint64_t calls) {
  const GetBalanceRequest request;
  std::vector<double> times;
  for (uint64_t i = 0; i < kWarmUp + calls; ++i) {
    grpc::ClientContext context;
    SetDeadline(context);
    Balance balance;
    const int64_t start = Nanoseconds();
    const grpc::Status status = stub.GetBalance(&context, request, &balance);
    if (!status.ok()) Die(status.error_message());
    if (balance.cents() != kCents) Die("a wrong balance");
    if (i >= kWarmUp) {
      times.push_back(static_cast<double>(Nanoseconds() - start));
    }
  }
  return Percentiles(std::move(times));
}

// A call, and the next one when it has been answered.
class Caller {
 public:
  Caller(Teller::Stub& stub, std::atomic<int64_t>& left,
         std::atomic<int>& working)
      : stub_(stub), left_(left), working_(working) {}
  void Call() {
    if (--left_ < 0) {
      if (--working_ == 0) working_.notify_all();
      return;
    }
    context_ = std::make_unique<grpc::ClientContext>();
    SetDeadline(*context_);
    stub_.async()->GetBalance(context_.get(), &request_, &balance_,
                              [this](const grpc::Status& status) {
                                if (!status.ok()) Die(status.error_message());
                                Call();
                              });
  }

 private:
  Teller::Stub& stub_;
  std::atomic<int64_t>& left_;
  std::atomic<int>& working_;
  const GetBalanceRequest request_;
  Balance balance_;
  std::unique_ptr<grpc::ClientContext> context_;
};

Figures ManyInFlight(Teller::Stub& stub, uint64_t calls) {
  OneAtATime(stub, kWarmUp);
  std::atomic<int64_t> left = static_cast<int64_t>(calls);
  std::atomic<int> working = kInFlight;
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < kInFlight; ++i) {
    callers.push_back(std::make_unique<Caller>(stub, left, working));
  }
  const int64_t start = Nanoseconds();
  for (auto& caller : callers) caller->Call();
  for (int now = working; now > 0; now = working) working.wait(now);
  return Millions(calls, Nanoseconds() - start);
}

using Measure = std::function<Figures(Teller::Stub& stub, uint64_t calls)>;

Figures Over(grpc::Service& service, const Measure& measure, uint64_t calls) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  auto stub = Teller::NewStub(grpc::CreateChannel(
      "127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  const Figures figures = measure(*stub, calls);
  server->Shutdown();
  return figures;
}

template <typename Service>
Figures OverBare(const Measure& measure, uint64_t calls) {
  Service service;
  return Over(service, measure, calls);
}

Figures OverActor(const Measure& measure, uint64_t calls) {
  auto bus = Bus::Create({});
  if (!bus.ok()) Die(bus.status().ToString());
  if (!(*bus)->Spawn<Account>({.name = "account"}).ok()) Die("no actor");
  auto service =
      ActorService::Create(**bus, "trolley.rpc_test.Teller", "account");
  if (!service.ok()) Die(service.status().ToString());
  return Over(**service, measure, calls);
}

void Add(Bench& bench, const Workload& workload, uint64_t calls,
         const Measure& measure) {
  bench.Add(workload, "raw.grpc_callback", [=](double scale) {
    return OverBare<Bare>(measure, Scaled(calls, scale));
  });
  bench.Add(workload, "raw.grpc_and_thread", [=](double scale) {
    return OverBare<Hopping>(measure, Scaled(calls, scale));
  });
  bench.Add(workload, "trolley", [=](double scale) {
    return OverActor(measure, Scaled(calls, scale));
  });
}

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT
  Bench bench;
  Add(bench, kServedUnary, kCalls, OneAtATime);
  Add(bench, kServedUnary64, kManyCalls, ManyInFlight);
  return bench.Main(argc, argv);
}
