// SPDX-License-Identifier: Apache-2.0
//
// An ask of an actor through the control service, beside unary calls of bare
// gRPC that do nothing, answered on gRPC's own thread and on another: the same
// messages, over the same kind of socket, by the same client, with 1 and with
// 64 calls in flight.

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

#include "trolley/proto/control.grpc.pb.h"
#include "trolley/tests/bench/lib/bench.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/control/running_bus.h"

namespace trolley::bench {
namespace {

namespace v1 = control::v1;

const Workload kControlUnary = {.name = "control_unary",
                                .unit = "ns",
                                .higher_is_better = false,
                                .two_cpus = true,
                                .blocks = true,
                                .has_p99 = true};
const Workload kControlUnary64 = {.name = "control_unary64",
                                  .unit = "M call/s",
                                  .higher_is_better = true,
                                  .two_cpus = true};
constexpr uint64_t kCalls = 5'000;
constexpr uint64_t kManyCalls = 20'000;
constexpr int kInFlight = 64;
constexpr uint64_t kWarmUp = 200;

// Answers at once, on gRPC's own thread.
class Bare final : public v1::Messenger::CallbackService {
  grpc::ServerUnaryReactor* AskActor(grpc::CallbackServerContext* context,
                                     const v1::AskActorRequest* request,
                                     v1::AskActorResponse* response) override {
    *response->mutable_envelope() = request->envelope();
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

// Answers on a thread of its own, which sleeps between two calls: what is left
// of an ask when nothing but the way to another thread and back is done.
class Hopping final : public v1::Messenger::CallbackService {
 public:
  Hopping() : thread_([this] { Run(); }) {}
  ~Hopping() override {
    Wake(kStop);
    thread_.join();
    close(wake_);
  }

  grpc::ServerUnaryReactor* AskActor(grpc::CallbackServerContext* context,
                                     const v1::AskActorRequest* request,
                                     v1::AskActorResponse* response) override {
    *response->mutable_envelope() = request->envelope();
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

v1::AskActorRequest Request() {
  v1::AskActorRequest request;
  request.set_actor("a");
  request.mutable_envelope()->mutable_payload()->PackFrom(test::GetTotal());
  return request;
}

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(10));
}

Figures OneAtATime(v1::Messenger::Stub& stub, uint64_t calls) {
  const v1::AskActorRequest request = Request();
  std::vector<double> times;
  for (uint64_t i = 0; i < kWarmUp + calls; ++i) {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::AskActorResponse response;
    const int64_t start = Nanoseconds();
    const grpc::Status status = stub.AskActor(&context, request, &response);
    if (!status.ok()) Die(status.error_message());
    if (i >= kWarmUp) {
      times.push_back(static_cast<double>(Nanoseconds() - start));
    }
  }
  return Percentiles(std::move(times));
}

// A call, and the next one when it has been answered.
class Caller {
 public:
  Caller(v1::Messenger::Stub& stub, std::atomic<int64_t>& left,
         std::atomic<int>& working)
      : stub_(stub), left_(left), working_(working) {}
  void Call() {
    if (--left_ < 0) {
      if (--working_ == 0) working_.notify_all();
      return;
    }
    context_ = std::make_unique<grpc::ClientContext>();
    SetDeadline(*context_);
    stub_.async()->AskActor(context_.get(), &request_, &response_,
                            [this](const grpc::Status& status) {
                              if (!status.ok()) Die(status.error_message());
                              Call();
                            });
  }

 private:
  v1::Messenger::Stub& stub_;
  std::atomic<int64_t>& left_;
  std::atomic<int>& working_;
  const v1::AskActorRequest request_ = Request();
  v1::AskActorResponse response_;
  std::unique_ptr<grpc::ClientContext> context_;
};

Figures ManyInFlight(v1::Messenger::Stub& stub, uint64_t calls) {
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

using Measure =
    std::function<Figures(v1::Messenger::Stub& stub, uint64_t calls)>;

template <typename Service>
Figures OverBare(const Measure& measure, uint64_t calls) {
  const test::SocketFolder folder;
  const std::string address = "unix:" + folder.path("bare.sock");
  Service service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  auto stub = v1::Messenger::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  const Figures figures = measure(*stub, calls);
  server->Shutdown();
  return figures;
}

Figures OverBus(const Measure& measure, uint64_t calls) {
  test::RunningBus running;
  running.Spawn("a");
  auto stub = v1::Messenger::NewStub(grpc::CreateChannel(
      running.control->address(), grpc::InsecureChannelCredentials()));
  return measure(*stub, calls);
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
    return OverBus(measure, Scaled(calls, scale));
  });
}

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT
  Bench bench;
  Add(bench, kControlUnary, kCalls, OneAtATime);
  Add(bench, kControlUnary64, kManyCalls, ManyInFlight);
  return bench.Main(argc, argv);
}
