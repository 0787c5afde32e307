// SPDX-License-Identifier: Apache-2.0

#include "tools/trolley/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tools/trolley/hints.h"
#include "tools/trolley/reach.h"
#include "trolley/poller/printable.h"

namespace trolley::tools {
namespace {

constexpr char kScheme[] = "unix:";
constexpr size_t kMostPathBytes = 107;  // the kernel's limit
// The most bytes of an error's text: the most that gRPC accepts as headers.
constexpr size_t kMostErrorBytes = 8 << 10;

absl::StatusOr<std::string> AddressOf(const Arguments& arguments) {
  const char* variable = std::getenv("TROLLEY_ADDRESS");
  std::string address =
      arguments.Get("address", variable != nullptr ? variable : "");
  if (address.empty()) {
    return absl::InvalidArgumentError(
        "where is the service? Give --address unix:PATH, or set "
        "TROLLEY_ADDRESS");
  }
  if (absl::StartsWith(address, "/") || absl::StartsWith(address, ".")) {
    address = absl::StrCat(kScheme, address);
  }
  absl::string_view path = address;
  if (!absl::ConsumePrefix(&path, kScheme) || path.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the address ", Printable(address, 200),
                     " is not of the form unix:PATH"));
  }
  if (path.size() > kMostPathBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path of a Unix socket has at most ", kMostPathBytes,
                     " bytes, this one ", path.size()));
  }
  return address;
}

const char* CodeName(grpc::StatusCode code) {
  static constexpr const char* kNames[] = {
      "OK",
      "CANCELLED",
      "UNKNOWN",
      "INVALID_ARGUMENT",
      "DEADLINE_EXCEEDED",
      "NOT_FOUND",
      "ALREADY_EXISTS",
      "PERMISSION_DENIED",
      "RESOURCE_EXHAUSTED",
      "FAILED_PRECONDITION",
      "ABORTED",
      "OUT_OF_RANGE",
      "UNIMPLEMENTED",
      "INTERNAL",
      "UNAVAILABLE",
      "DATA_LOSS",
      "UNAUTHENTICATED",
  };
  return code >= 0 && code <= 16 ? kNames[code] : "UNKNOWN";
}

void Say(absl::string_view text) { std::cerr << text << "\n"; }

void SayHint(const std::string& hint) {
  if (!hint.empty()) Say(absl::StrCat("hint: ", hint));
}

}  // namespace

v1::ErrorInfo InfoOf(const grpc::Status& error) {
  v1::StatusDetails details;
  v1::ErrorInfo info;
  if (details.ParseFromString(error.error_details()) &&
      details.details_size() > 0) {
    info.ParseFromString(details.details(0).value());
  }
  return info;
}

absl::StatusOr<Client> Client::Create(const Arguments& arguments) {
  Client client;
  absl::StatusOr<std::string> address = AddressOf(arguments);
  if (!address.ok()) return address.status();
  absl::StatusOr<std::string> output = arguments.GetOutput();
  if (!output.ok()) return output.status();
  absl::StatusOr<absl::Duration> timeout =
      arguments.GetDuration("timeout", absl::Seconds(10));
  if (!timeout.ok()) return timeout.status();
  client.address_ = *address;
  client.output_ = *output;
  client.timeout_ = *timeout;
  client.channel_ =
      grpc::CreateChannel(*address, grpc::InsecureChannelCredentials());
  client.inspector_ = v1::Inspector::NewStub(client.channel_);
  client.messenger_ = v1::Messenger::NewStub(client.channel_);
  client.controller_ = v1::Controller::NewStub(client.channel_);
  return client;
}

// Reports an error without an ErrorInfo: gRPC did not reach the service, or
// CallLimit has cancelled the call.
int Client::ReportUnreached(const grpc::Status& error) const {
  // More time than a running server needs to send its first bytes.
  constexpr absl::Duration kListen = absl::Seconds(1);
  const Reached reached = Reach(address_.substr(strlen(kScheme)), kListen);
  const bool late = error.error_code() != grpc::StatusCode::UNAVAILABLE;
  if (!reached.what.empty()) {
    Say(absl::StrCat("cannot connect to ", Printable(address_), ": ",
                     reached.what));
    SayHint(reached.hint);
  } else if (late) {
    Say(absl::StrCat("DEADLINE_EXCEEDED: no answer within ",
                     absl::FormatDuration(timeout_)));
    SayHint("wait longer with --timeout");
  } else {
    Say(absl::StrCat("the connection to ", Printable(address_),
                     " ended: ", Printable(error.error_message())));
    SayHint(
        "the program's log may say why; the call may or may not have been "
        "carried out");
  }
  return late && reached.what.empty() ? kTimeout : kCannotConnect;
}

int Client::Report(const grpc::Status& error) const {
  const v1::ErrorInfo info = InfoOf(error);
  const grpc::StatusCode code = error.error_code();
  // A control service adds a reason to each of its errors.
  if (info.reason().empty() && (code == grpc::StatusCode::UNAVAILABLE ||
                                code == grpc::StatusCode::DEADLINE_EXCEEDED ||
                                code == grpc::StatusCode::CANCELLED)) {
    return ReportUnreached(error);
  }
  Say(absl::StrCat(
      CodeName(code),
      info.reason().empty() ? "" : " " + Printable(info.reason(), 64), ": ",
      Printable(error.error_message(), kMostErrorBytes)));
  const bool strange =
      info.reason().empty() && code == grpc::StatusCode::UNIMPLEMENTED;
  SayHint(strange ? "a gRPC server listens there, but not a control service of "
                    "this version"
                  : HintFor(info));
  return code == grpc::StatusCode::DEADLINE_EXCEEDED &&
                 info.reason() != "HANDLER_FAILED"
             ? kTimeout
             : kRpcError;
}

int ReportUsage(const absl::Status& error) {
  Say(absl::StrCat("trolley: ", std::string(error.message())));
  return kUsage;
}

}  // namespace trolley::tools
