// SPDX-License-Identifier: Apache-2.0
//
// A client of the control service for tests.
//
// Thread-safe, as gRPC's stubs are.

#ifndef TROLLEY_TESTS_CONTROL_CONTROL_CLIENT_H_
#define TROLLEY_TESTS_CONTROL_CONTROL_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "trolley/proto/control.grpc.pb.h"

namespace trolley::test {

// A client with a connection of its own; gRPC would share one otherwise.
struct Client {
  explicit Client(const std::string& address);

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<control::v1::Inspector::Stub> inspector;
  std::unique_ptr<control::v1::Messenger::Stub> messenger;
  std::unique_ptr<control::v1::Controller::Stub> controller;
};

struct Context {
  // Infinite: no deadline.
  explicit Context(absl::Duration timeout = absl::Seconds(20));
  grpc::ClientContext* operator&() { return &context; }

  grpc::ClientContext context;
};

// One call of any method, "/package.Service/Method", with the bytes of its
// request as they are. Null: a call that ends without a request.
grpc::Status CallMethod(Client& client, const std::string& method,
                        const std::string* request, std::string* response,
                        absl::Duration timeout = absl::Seconds(20));

// The one ErrorInfo of an error, which must be there.
control::v1::ErrorInfo InfoOf(const grpc::Status& status);

// "CODE REASON"; "CODE" for an error without an ErrorInfo; "OK".
std::string Outcome(const grpc::Status& status);

void Pack(const google::protobuf::Message& message,
          control::v1::Envelope* envelope);

}  // namespace trolley::test

#endif  // TROLLEY_TESTS_CONTROL_CONTROL_CLIENT_H_
