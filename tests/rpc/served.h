// SPDX-License-Identifier: Apache-2.0
//
// Served: a bus with an Account, a gRPC server in front of it, and a client.
//
// Ownership: owns all of these. Threads: the test's, except what gRPC starts.

#ifndef TROLLEY_TESTS_RPC_SERVED_H_
#define TROLLEY_TESTS_RPC_SERVED_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/rpc/actor_service.h"
#include "trolley/tests/rpc/account.h"
#include "trolley/tests/rpc/bank.grpc.pb.h"

namespace trolley::rpc_test {

inline constexpr char kBank[] = "trolley.rpc_test.Bank";

struct Served {
  explicit Served(ActorServiceOptions options = {}, uint32_t capacity = 1024);
  ~Served();

  // Waits until the account says so.
  Balance Await(const std::function<bool(const Balance&)>& holds);
  void AwaitHandlers(int handlers);
  // Waits until no call is open.
  void AwaitNoCalls();

  std::unique_ptr<Bus> bus;
  Ref<Account> account;
  std::unique_ptr<ActorService> service;
  std::unique_ptr<grpc::Server> server;
  std::string address;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<Bank::Stub> stub;
};

// A server of one service on a free port of this machine.
std::unique_ptr<grpc::Server> Serve(grpc::Service& service,
                                    std::string* address);
// A client with a connection of its own; gRPC would share one otherwise.
std::shared_ptr<grpc::Channel> Dial(const std::string& address);

// Calls that wait: Hold, which the account never answers.
class Holds {
 public:
  Holds(Bank::Stub& stub, int count);
  void Cancel();
  // When all have ended: their results.
  std::vector<std::string> AwaitOutcomes();

 private:
  struct Call {
    grpc::ClientContext context;
    HoldRequest request;
    Balance response;
    grpc::Status status;
  };
  absl::BlockingCounter open_;
  std::vector<std::unique_ptr<Call>> calls_;
};

}  // namespace trolley::rpc_test

#endif  // TROLLEY_TESTS_RPC_SERVED_H_
