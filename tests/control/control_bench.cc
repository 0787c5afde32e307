// SPDX-License-Identifier: Apache-2.0
//
// One ask at a time through the control service, beside a unary call of bare
// gRPC that does nothing, in the same process over the same kind of socket, in
// turns. Prints the medians and the 99th percentiles, in microseconds.

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "tests/control/running_bus.h"
#include "trolley/proto/control.grpc.pb.h"

namespace trolley {
namespace {

namespace v1 = control::v1;

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

std::vector<double> Measure(v1::Messenger::Stub& stub,
                            const v1::AskActorRequest& request, int calls) {
  std::vector<double> took;
  for (int i = 0; i < calls; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::seconds(10));
    v1::AskActorResponse response;
    const absl::Time began = absl::Now();
    if (!stub.AskActor(&context, request, &response).ok()) std::abort();
    took.push_back(absl::ToDoubleMicroseconds(absl::Now() - began));
  }
  return took;
}

void Print(const char* what, std::vector<double> took) {
  std::sort(took.begin(), took.end());
  std::printf("%-16s p50 %7.1f us   p99 %7.1f us\n", what,
              took[took.size() / 2], took[took.size() * 99 / 100]);
}

int Main() {
  test::RunningBus running;
  running.Spawn("a");
  v1::AskActorRequest request;
  request.set_actor("a");
  request.mutable_envelope()->mutable_payload()->PackFrom(test::GetTotal());

  Bare service;
  grpc::ServerBuilder builder;
  const std::string address = "unix:" + running.folder.path("bare.sock");
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();

  auto bare = v1::Messenger::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  auto bus = v1::Messenger::NewStub(grpc::CreateChannel(
      running.control->address(), grpc::InsecureChannelCredentials()));
  Measure(*bare, request, 500);
  Measure(*bus, request, 500);
  std::vector<double> of_bare, of_bus;
  for (int round = 0; round < 10; ++round) {
    for (double us : Measure(*bare, request, 500)) of_bare.push_back(us);
    for (double us : Measure(*bus, request, 500)) of_bus.push_back(us);
  }
  Print("bare gRPC", of_bare);
  Print("ask of an actor", of_bus);
  server->Shutdown();
  return 0;
}

}  // namespace
}  // namespace trolley

int main() { return trolley::Main(); }
