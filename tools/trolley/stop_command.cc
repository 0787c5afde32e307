// SPDX-License-Identifier: Apache-2.0
//
// The command stop: ends actors.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/trolley/call_limit.h"
#include "tools/trolley/client.h"
#include "tools/trolley/commands.h"
#include "tools/trolley/print.h"

namespace trolley::tools {
namespace {

constexpr absl::Duration kDefaultDrain = absl::Seconds(10);

void Print(const Client& client, const std::vector<v1::Actor>& stopped) {
  if (client.output() == "json") {
    PrintJson(absl::StrCat(
        "{\"actors\":[",
        absl::StrJoin(stopped, ",",
                      [](std::string* to, const auto& a) { *to += ToJson(a); }),
        "]}"));
    return;
  }
  std::vector<std::vector<std::string>> rows = {{"NAME", "TYPE", "HANDLED"}};
  for (const v1::Actor& actor : stopped) {
    if (client.output() == "jsonl") {
      PrintJson(ToJson(actor));
    } else if (client.output() == "name") {
      PrintLine(actor.name());
    } else {
      rows.push_back({actor.name(), actor.type(),
                      absl::StrCat(actor.mailbox().processed_total())});
    }
  }
  if (rows.size() > 1) PrintTable(rows);
}

int Stop(const Arguments& arguments) {
  const absl::StatusOr<Client> client = Client::Create(arguments);
  if (!client.ok()) return ReportUsage(client.status());
  if (arguments.has("now") && arguments.has("drain")) {
    return ReportUsage(
        absl::InvalidArgumentError("--now and --drain exclude each other"));
  }
  const absl::StatusOr<absl::Duration> drain =
      arguments.GetDuration("drain", kDefaultDrain);
  if (!drain.ok()) return ReportUsage(drain.status());

  v1::StopActorRequest request;
  request.set_mode(arguments.has("now") ? v1::StopActorRequest::IMMEDIATE
                                        : v1::StopActorRequest::DRAIN);
  const timespec length = absl::ToTimespec(*drain);
  request.mutable_drain_timeout()->set_seconds(length.tv_sec);
  request.mutable_drain_timeout()->set_nanos(length.tv_nsec);
  std::vector<v1::Actor> stopped;
  int failure = kOk;
  for (const std::string& name : arguments.operands()) {
    request.set_name(name);
    grpc::ClientContext context;
    const CallLimit limit(client->timeout(), context);
    v1::Actor actor;
    const grpc::Status status =
        client->controller().StopActor(&context, request, &actor);
    if (status.ok()) {
      stopped.push_back(actor);
    } else {
      failure = client->Report(status);
    }
  }
  Print(*client, stopped);
  return failure != kOk && !stopped.empty() ? kPartial : failure;
}

}  // namespace

Command StopCommand() {
  return {
      .name = "stop",
      .operands = "NAME...",
      .least_operands = 1,
      .most_operands = 1000,
      .summary = "stop actors; ends when they have ended",
      .details =
          "NAME is the full name of an actor. The actor first handles the "
          "messages in\nits mailbox. With --now it does not, and they "
          "become dead letters. --timeout\nlimits how long the command "
          "waits; it does not cancel the stop.",
      .options = {{"now", nullptr, "do not handle the messages in the mailbox"},
                  {"drain", "TIME",
                   "how long that may take; after that as with --now; "
                   "default: 10s"}},
      .run = &Stop};
}

}  // namespace trolley::tools
