// SPDX-License-Identifier: Apache-2.0
//
// A client of the control service for tests, and what tests do with one.
//
// Ownership: a Client owns its connection; a Context and an OpenAsk own one
//            call.
// Threads:   a Client is thread-safe, as gRPC's stubs are.

#ifndef TROLLEY_TESTS_CONTROL_CONTROL_CLIENT_H_
#define TROLLEY_TESTS_CONTROL_CONTROL_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
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

// Gives the call a deadline on the monotonic clock. Infinite: no deadline.
void SetTimeout(grpc::ClientContext& context, absl::Duration timeout);

struct Context {
  explicit Context(absl::Duration timeout = absl::Seconds(20));
  grpc::ClientContext* operator&() { return &context; }

  grpc::ClientContext context;
};

// One call of any method, "/package.Service/Method", with the bytes of its
// request as they are. Null: a call that ends without a request.
grpc::Status CallMethod(Client& client, const std::string& method,
                        const std::string* request, std::string* response,
                        absl::Duration timeout = absl::Seconds(20));

// Whether the service answers this client.
bool Works(Client& client);

// Waits until the actor is in this state. The actor must be there.
void AwaitState(Client& client, const std::string& actor,
                control::v1::Actor::State state);

// Asks the actor with a Hold, which it never answers. `status` is valid when
// `done`.
struct OpenAsk {
  OpenAsk(Client& client, const std::string& actor,
          absl::Duration timeout = absl::Seconds(60));
  OpenAsk(const OpenAsk&) = delete;
  OpenAsk& operator=(const OpenAsk&) = delete;

  Context context;
  control::v1::AskActorRequest request;
  control::v1::AskActorResponse response;
  grpc::Status status;
  absl::Notification done;
};

// The one ErrorInfo of an error, which must be there.
control::v1::ErrorInfo InfoOf(const grpc::Status& status);

// "CODE REASON"; "CODE" for an error without an ErrorInfo; "OK".
std::string Outcome(const grpc::Status& status);

void Pack(const google::protobuf::Message& message,
          control::v1::Envelope* envelope);

}  // namespace trolley::test

#endif  // TROLLEY_TESTS_CONTROL_CONTROL_CLIENT_H_
