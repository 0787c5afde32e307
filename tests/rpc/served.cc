// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/rpc/served.h"

#include <grpc/grpc.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/control/control_client.h"

namespace trolley::rpc_test {

std::unique_ptr<grpc::Server> Serve(grpc::Service& service,
                                    std::string* address) {
  // gRPC ends when nothing uses it, and may take 10 s for that; not between
  // two tests.
  static const bool keeps_grpc = (grpc_init(), true);
  EXPECT_TRUE(keeps_grpc);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  EXPECT_NE(server, nullptr);
  *address = absl::StrCat("127.0.0.1:", port);
  return server;
}

std::shared_ptr<grpc::Channel> Dial(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(),
                                   arguments);
}

Served::Served(ActorServiceOptions options, uint32_t capacity)
    : bus(*Bus::Create({})),
      account(*bus->Spawn<Account>(
          {.name = "account", .mailbox_capacity = capacity})) {
  auto made = ActorService::Create(*bus, kBank, "account", options);
  EXPECT_TRUE(made.ok()) << made.status();
  service = *std::move(made);
  server = Serve(*service, &address);
  channel = Dial(address);
  stub = Bank::NewStub(channel);
}

Served::~Served() {
  if (server != nullptr) server->Shutdown(std::chrono::system_clock::now());
  const ShutdownReport report = bus->Shutdown(absl::Seconds(5));
  EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
}

Balance Served::Await(const std::function<bool(const Balance&)>& holds) {
  return AskUntil(
      [this] {
        const auto balance =
            account.AskAndWait(GetBalanceRequest(), absl::InfiniteDuration());
        return *balance;  // aborts if there is none: no test could go on
      },
      holds);
}

void Served::AwaitHandlers(int handlers) {
  Await([&](const Balance& b) { return b.handlers() == handlers; });
}

void Served::AwaitNoCalls() {
  Await([this](const Balance&) { return service->open_calls() == 0; });
}

Holds::Holds(Bank::Stub& stub, int count) : open_(count) {
  for (int i = 0; i < count; ++i) {
    calls_.push_back(std::make_unique<Call>());
    Call& call = *calls_.back();
    stub.async()->Hold(&call.context, &call.request, &call.response,
                       [this, &call](const grpc::Status& status) {
                         call.status = status;
                         open_.DecrementCount();
                       });
  }
}

void Holds::Cancel() {
  for (const auto& call : calls_) call->context.TryCancel();
}

std::vector<std::string> Holds::AwaitOutcomes() {
  open_.Wait();
  std::vector<std::string> outcomes;
  for (const auto& call : calls_) {
    outcomes.push_back(test::Outcome(call->status));
  }
  return outcomes;
}

}  // namespace trolley::rpc_test
