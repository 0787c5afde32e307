// SPDX-License-Identifier: Apache-2.0
//
// The commands send and ask: they send a message to an actor.

#include <errno.h>

#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/trolley/call_limit.h"
#include "tools/trolley/client.h"
#include "tools/trolley/commands.h"
#include "tools/trolley/message_types.h"
#include "tools/trolley/print.h"
#include "trolley/poller/printable.h"

namespace trolley::tools {
namespace {

constexpr char kTypeUrlPrefix[] = "type.googleapis.com/";
constexpr char kMessageDetails[] =
    "TYPE is the full name of a Protobuf message that the actor takes.\n"
    "`trolley info NAME` lists these names. The last part of the name is\n"
    "enough if no other message has it. JSON is the message. @FILE reads it\n"
    "from a file, @- from standard input. Without JSON the message is empty.";

// The longest JSON text. gRPC accepts only shorter messages, and a file without
// an end must not be read for ever.
constexpr size_t kMostJsonBytes = 64u << 20;

absl::Status Unreadable(const std::string& path, const char* why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "cannot read ", path == "-" ? "standard input" : Printable(path), ": ",
      why));
}

// InvalidArgument: the file cannot be read.
absl::StatusOr<std::string> ReadJson(const std::vector<std::string>& operands) {
  if (operands.size() < 3) return "{}";
  const std::string& word = operands[2];
  if (!absl::StartsWith(word, "@")) return word;
  const std::string path = word.substr(1);
  if (path.empty()) {
    return absl::InvalidArgumentError(
        "@ needs a file: @FILE, or @- for standard input");
  }
  std::FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
  if (file == nullptr) return Unreadable(path, std::strerror(errno));
  std::string text;
  char bytes[4096];
  size_t n;
  while ((n = std::fread(bytes, 1, sizeof(bytes), file)) > 0 &&
         text.size() <= kMostJsonBytes) {
    text.append(bytes, n);
  }
  const int error = std::ferror(file) != 0 ? errno : 0;
  if (file != stdin) std::fclose(file);
  if (error != 0) return Unreadable(path, std::strerror(error));
  if (text.size() > kMostJsonBytes) return Unreadable(path, "more than 64 MiB");
  return text;
}

// Finds the full name of the only type that `word` can mean.
grpc::Status ChooseType(const v1::Actor& actor, const std::string& word,
                        std::string* type) {
  std::vector<std::string> meant;
  for (const std::string& accepted : actor.accepted_message_types()) {
    if (accepted == word) {
      *type = word;
      return grpc::Status::OK;
    }
    if (absl::EndsWith(accepted, absl::StrCat(".", word))) {
      meant.push_back(accepted);
    }
  }
  if (meant.size() == 1) {
    *type = meant[0];
    return grpc::Status::OK;
  }
  v1::ErrorInfo info;
  info.set_reason("MESSAGE_TYPE_REJECTED");
  (*info.mutable_metadata())["actor"] = actor.name();
  v1::StatusDetails details;
  details.add_details()->set_value(info.SerializeAsString());
  const std::string accepted =
      absl::StrJoin(actor.accepted_message_types(), ", ");
  return grpc::Status(
      grpc::StatusCode::INVALID_ARGUMENT,
      meant.empty()
          ? absl::StrCat("\"", actor.name(), "\" does not take ", word, "; ",
                         accepted.empty() ? "it takes no messages from outside"
                                          : absl::StrCat("it takes ", accepted))
          : absl::StrCat(word, " can mean ", absl::StrJoin(meant, " or ")),
      details.SerializeAsString());
}

// Fills in the envelope from the command line. If it does not return kOk, it
// has reported the error.
int Pack(const Client& client, const Arguments& arguments, MessageTypes& types,
         v1::Envelope* envelope) {
  const std::vector<std::string>& operands = arguments.operands();
  const absl::StatusOr<std::string> json = ReadJson(operands);
  if (!json.ok()) return ReportUsage(json.status());
  v1::GetActorRequest request;
  request.set_name(operands[0]);
  v1::Actor actor;
  grpc::ClientContext context;
  const CallLimit limit(client.timeout(), context);
  grpc::Status status = client.inspector().GetActor(&context, request, &actor);
  std::string type;
  if (status.ok()) status = ChooseType(actor, operands[1], &type);
  if (!status.ok()) return client.Report(status);
  const absl::StatusOr<std::string> bytes = types.FromJson(type, *json);
  if (absl::IsInvalidArgument(bytes.status())) {
    return ReportUsage(bytes.status());
  }
  if (!bytes.ok()) {
    return client.Report(
        grpc::Status(static_cast<grpc::StatusCode>(bytes.status().code()),
                     std::string(bytes.status().message())));
  }
  envelope->mutable_payload()->set_type_url(absl::StrCat(kTypeUrlPrefix, type));
  envelope->mutable_payload()->set_value(*bytes);
  return kOk;
}

// Says so if the actor has no object now: then an ask waits for the next one.
void SayIfEmpty(const Client& client, const std::string& name) {
  v1::GetActorRequest request;
  request.set_name(name);
  v1::Actor actor;
  grpc::ClientContext context;
  const CallLimit limit(client.timeout(), context);
  const grpc::Status status =
      client.inspector().GetActor(&context, request, &actor);
  if (!status.ok() || actor.state() != v1::Actor::EMPTY) return;
  std::cerr << "hint: the seat of " << Printable(name)
            << " is empty: it has no object that handles messages until its "
               "owner makes one; `trolley tree` may show why\n";
}

int Send(const Arguments& arguments) {
  const absl::StatusOr<Client> client = Client::Create(arguments);
  if (!client.ok()) return ReportUsage(client.status());
  MessageTypes types(*client);
  v1::SendMessageRequest request;
  request.set_actor(arguments.operands()[0]);
  if (int packed = Pack(*client, arguments, types, request.mutable_envelope());
      packed != kOk) {
    return packed;
  }
  grpc::ClientContext context;
  const CallLimit limit(client->timeout(), context);
  v1::SendMessageResponse response;
  const grpc::Status status =
      client->messenger().SendMessage(&context, request, &response);
  if (!status.ok()) return client->Report(status);
  if (client->output() == "name") {
    PrintLine(request.actor());
  } else if (client->output() != "table") {
    PrintJson(ToJson(response));
  }
  return kOk;
}

int Ask(const Arguments& arguments) {
  const absl::StatusOr<Client> client = Client::Create(arguments);
  if (!client.ok()) return ReportUsage(client.status());
  MessageTypes types(*client);
  v1::AskActorRequest request;
  request.set_actor(arguments.operands()[0]);
  if (int packed = Pack(*client, arguments, types, request.mutable_envelope());
      packed != kOk) {
    return packed;
  }
  grpc::ClientContext context;
  const CallLimit limit(client->timeout(), context);
  v1::AskActorResponse response;
  const grpc::Status status =
      client->messenger().AskActor(&context, request, &response);
  if (!status.ok()) {
    const int code = client->Report(status);
    if (code == kTimeout) SayIfEmpty(*client, request.actor());
    return code;
  }
  if (!response.envelope().has_payload()) {
    std::cerr << "done; the answer has no content\n";
    if (client->output() == "json" || client->output() == "jsonl") {
      PrintJson("null");
    }
    return kOk;
  }
  const google::protobuf::Any& payload = response.envelope().payload();
  const std::string type =
      payload.type_url().substr(payload.type_url().rfind('/') + 1);
  if (client->output() == "name") {
    PrintLine(type);
    return kOk;
  }
  const absl::StatusOr<std::string> json =
      types.ToJson(type, payload.value(), client->output() == "table");
  if (!json.ok()) {
    return client->Report(
        grpc::Status(static_cast<grpc::StatusCode>(json.status().code()),
                     std::string(json.status().message())));
  }
  PrintJson(*json);
  return kOk;
}

}  // namespace

Command SendCommand() {
  return {.name = "send",
          .operands = "NAME TYPE [JSON | @FILE | @-]",
          .least_operands = 2,
          .most_operands = 3,
          .summary =
              "send a message to an actor; ends when it is in the "
              "mailbox",
          .details = kMessageDetails,
          .options = {},
          .run = &Send};
}

Command AskCommand() {
  return {.name = "ask",
          .operands = "NAME TYPE [JSON | @FILE | @-]",
          .least_operands = 2,
          .most_operands = 3,
          .summary = "send a message to an actor and print its reply as JSON",
          .details = kMessageDetails,
          .options = {},
          .run = &Ask};
}

}  // namespace trolley::tools
