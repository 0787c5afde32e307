// SPDX-License-Identifier: Apache-2.0
//
// An actor behind a gRPC API, and the reverse: a gRPC API as a Ref.
//
//   grpc_service serve 127.0.0.1:50051
//   grpc_service deposit 127.0.0.1:50051 25 lunch
//
// The server has reflection, so tools and clients in every language can call
// it: `buf curl`, grpcurl, python3-grpcio. It ends when its standard input
// does.

#include <grpc/support/time.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/link/remote.h"
#include "trolley/actors/rpc/actor_service.h"
#include "trolley/actors/rpc/grpc_stub.h"
#include "trolley/actors/rpc/server_streams.h"
#include "trolley/examples/grpc_service/bank.pb.h"

using bank::v1::Balance;
using bank::v1::DepositRequest;
using bank::v1::Entry;
using bank::v1::GetBalanceRequest;
using bank::v1::ListEntriesRequest;

constexpr char kBank[] = "bank.v1.Bank";
// More than these the account does not keep.
constexpr size_t kMostEntries = 100'000;

class Account : public trolley::Actor {
 public:
  // A stream that waits for its client holds up no other call.
  static constexpr bool kInterleaved = true;
  using List = trolley::ServerStreaming<ListEntriesRequest, Entry>;
  using Import = trolley::ClientStreaming<Entry, Balance>;
  using Receives =
      trolley::Protocol<Balance(DepositRequest), Balance(GetBalanceRequest),
                        List, Balance(Import)>;

  absl::StatusOr<Balance> On(const DepositRequest& m) {
    if (m.cents() <= 0) {
      return absl::InvalidArgumentError("cents: a deposit is above 0");
    }
    Entry entry;
    entry.set_cents(m.cents());
    entry.set_note(m.note());
    absl::Status added = Add(std::move(entry));
    if (!added.ok()) return added;
    return Sum();
  }
  Balance On(const GetBalanceRequest&) { return Sum(); }

  trolley::Task<absl::Status> On(List call) {
    const size_t most = call.request().most() > 0
                            ? static_cast<size_t>(call.request().most())
                            : kMostEntries;
    // Others may add entries while this waits for its client.
    for (size_t i = 0; i < entries_.size() && i < most; ++i) {
      absl::Status sent = co_await call.Write(entries_[i]);
      if (!sent.ok()) co_return sent;
    }
    co_return absl::OkStatus();
  }

  trolley::Task<absl::StatusOr<Balance>> On(Import call) {
    for (;;) {
      absl::StatusOr<std::optional<Entry>> entry = co_await call.Read();
      if (!entry.ok()) co_return entry.status();
      if (!entry->has_value()) co_return Sum();
      absl::Status added = Add(**std::move(entry));
      if (!added.ok()) co_return added;
    }
  }

 private:
  absl::Status Add(Entry entry) {
    if (entries_.size() == kMostEntries) {
      return absl::ResourceExhaustedError("the account is full");
    }
    cents_ += entry.cents();
    entries_.push_back(std::move(entry));
    return absl::OkStatus();
  }
  Balance Sum() const {
    Balance balance;
    balance.set_cents(cents_);
    return balance;
  }

  int64_t cents_ = 0;
  std::vector<Entry> entries_;
};

absl::Status Serve(const std::string& address) {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  const auto account = bus.Spawn<Account>({.name = "account"});
  if (!account.ok()) return account.status();
  // Here a method without a handler is found, and not by the first caller.
  auto service = trolley::ActorService::Create(bus, kBank, "account");
  if (!service.ok()) return service.status();

  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(service->get());
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot listen at ", address));
  }
  std::cout << "serves at port " << port << std::endl;
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  // First the server, then the service, then the bus.
  server->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                gpr_time_from_seconds(2, GPR_TIMESPAN)));
  bus.Shutdown(absl::Seconds(5));
  return absl::OkStatus();
}

absl::Status Deposit(const std::string& address, int64_t cents,
                     const std::string& note) {
  using Bank = trolley::Protocol<Balance(DepositRequest)>;
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  auto channel =
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  const auto stub = bus.Spawn<trolley::GrpcStub>({}, bus, channel);
  if (!stub.ok()) return stub.status();
  const auto bank = bus.Spawn<trolley::Remote<Bank>>({}, *stub, kBank);
  if (!bank.ok()) return bank.status();
  DepositRequest request;
  request.set_cents(cents);
  request.set_note(note);
  // An actor would co_await bank->Ask(request, timeout).
  const absl::StatusOr<Balance> balance =
      bank->AskAndWait(request, absl::Seconds(5));
  if (!balance.ok()) return balance.status();
  std::cout << "the balance is " << balance->cents() << std::endl;
  return absl::OkStatus();
}

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  int64_t cents = 0;
  absl::Status status = absl::InvalidArgumentError(
      "usage: grpc_service serve ADDRESS:PORT\n"
      "       grpc_service deposit ADDRESS:PORT CENTS NOTE");
  if (arguments.size() == 2 && arguments[0] == "serve") {
    status = Serve(arguments[1]);
  } else if (arguments.size() == 4 && arguments[0] == "deposit" &&
             absl::SimpleAtoi(arguments[2], &cents)) {
    status = Deposit(arguments[1], cents, arguments[3]);
  }
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() && std::cout.good() ? 0 : 1;
}
