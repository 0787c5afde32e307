// SPDX-License-Identifier: Apache-2.0

#include "tools/trolley/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <cstdlib>
#include <iostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "trolley/actors/printable.h"

namespace trolley::tools {
namespace {

constexpr char kScheme[] = "unix:";
constexpr size_t kMostPathBytes = 107;  // the kernel's limit

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

v1::ErrorInfo InfoOf(const grpc::Status& error) {
  v1::StatusDetails details;
  v1::ErrorInfo info;
  if (details.ParseFromString(error.error_details()) &&
      details.details_size() > 0) {
    info.ParseFromString(details.details(0).value());
  }
  return info;
}

std::string HintFor(const v1::ErrorInfo& info) {
  const auto actor = info.metadata().find("actor");
  const std::string name =
      actor != info.metadata().end() ? Printable(actor->second) : "NAME";
  const std::string& reason = info.reason();
  if (reason == "ACTOR_NOT_FOUND" || reason == "ACTOR_GONE") {
    return "`trolley ps -o name` lists who is running";
  }
  if (reason == "MESSAGE_TYPE_REJECTED") {
    return absl::StrCat("`trolley info ", name, "` lists what it takes");
  }
  if (reason == "MAILBOX_FULL") {
    return absl::StrCat("try again when it has caught up; `trolley info ", name,
                        "` shows its depth");
  }
  if (reason == "ASK_TIMEOUT" || reason == "STOP_TIMEOUT") {
    return absl::StrCat("wait longer with --timeout; `trolley info ", name,
                        "` shows whether it is busy");
  }
  if (reason == "ACTOR_STOPPED_DURING_ASK") {
    return "ask again if it is started anew";
  }
  if (reason == "DRAINING") return "the program is on its way to its end";
  if (reason == "STALE_INCARNATION") return "look at it again, then decide";
  return "";
}

void Say(absl::string_view text) { std::cerr << text << "\n"; }

void SayHint(const std::string& hint) {
  if (!hint.empty()) Say(absl::StrCat("hint: ", hint));
}

}  // namespace

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

int Client::Report(const grpc::Status& error) const {
  const v1::ErrorInfo info = InfoOf(error);
  const std::string message = Printable(error.error_message());
  // Who speaks our protocol gives a reason; without one it is gRPC that cannot
  // reach anybody.
  if (error.error_code() == grpc::StatusCode::UNAVAILABLE &&
      info.reason().empty()) {
    Say(absl::StrCat("cannot connect to ", Printable(address_), ": ", message));
    SayHint(absl::StrContains(message, "No such file")
                ? "is the program running, and is this its socket?"
            : absl::StrContains(message, "Permission denied")
                ? "only the user that runs the program, and root, may connect"
            : absl::StrContains(message, "refused")
                ? "the program that made this socket is gone; start it anew"
                : "the service closed the connection: its log says why, such "
                  "as a user that is not allowed");
    return kCannotConnect;
  }
  Say(absl::StrCat(
      CodeName(error.error_code()),
      info.reason().empty() ? "" : " " + Printable(info.reason(), 64), ": ",
      message));
  // Cancelled without a reason was it by our own CallLimit.
  const bool late =
      (error.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED &&
       info.reason() != "HANDLER_FAILED") ||
      (error.error_code() == grpc::StatusCode::CANCELLED &&
       info.reason().empty());
  SayHint(late && info.reason().empty()
              ? absl::StrCat("no answer within ",
                             absl::FormatDuration(timeout_),
                             "; wait longer with --timeout")
              : HintFor(info));
  return late ? kTimeout : kRpcError;
}

int ReportUsage(const absl::Status& error) {
  Say(absl::StrCat("trolley: ", std::string(error.message())));
  return kUsage;
}

}  // namespace trolley::tools
