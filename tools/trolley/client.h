// SPDX-License-Identifier: Apache-2.0
//
// Client: one run of `trolley` with one service. It has the address, the
// timeout and the form of the output, and it reports errors.
//
//   absl::StatusOr<Client> client = Client::Create(arguments);
//   if (!client.ok()) return ReportUsage(client.status());
//   grpc::Status status = client->inspector().GetActor(...);
//   if (!status.ok()) return client->Report(status);
//
// Threads:   one.
// Ends:      with the program.

#ifndef TROLLEY_TOOLS_TROLLEY_CLIENT_H_
#define TROLLEY_TOOLS_TROLLEY_CLIENT_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/trolley/arguments.h"
#include "trolley/proto/control.grpc.pb.h"

namespace trolley::tools {

namespace v1 = control::v1;

class Client {
 public:
  // InvalidArgument: the common options are wrong; the text says how.
  static absl::StatusOr<Client> Create(const Arguments& arguments);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  v1::Inspector::Stub& inspector() const { return *inspector_; }
  v1::Messenger::Stub& messenger() const { return *messenger_; }
  v1::Controller::Stub& controller() const { return *controller_; }

  // The form of the output: "table", "json", "jsonl" or "name".
  const std::string& output() const { return output_; }
  // The timeout of each call (call_limit.h).
  absl::Duration timeout() const { return timeout_; }

  // Prints the error and a hint to stderr. Returns the exit code.
  int Report(const grpc::Status& error) const;

 private:
  Client() = default;

  int ReportUnreached(const grpc::Status& error) const;

  std::string address_;
  std::string output_;
  absl::Duration timeout_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Inspector::Stub> inspector_;
  std::unique_ptr<v1::Messenger::Stub> messenger_;
  std::unique_ptr<v1::Controller::Stub> controller_;
};

// What a control service says of its error. Without a reason: it is no error of
// a control service.
v1::ErrorInfo InfoOf(const grpc::Status& error);

// Prints the error of the command line to stderr. Returns kUsage.
int ReportUsage(const absl::Status& error);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_CLIENT_H_
