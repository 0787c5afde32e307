// SPDX-License-Identifier: Apache-2.0
//
// The commands ps and info: they show actors, loops and the service.

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/trolley/call_limit.h"
#include "tools/trolley/client.h"
#include "tools/trolley/commands.h"
#include "tools/trolley/print.h"
#include "trolley/poller/printable.h"

namespace trolley::tools {
namespace {

constexpr int kPageSize = 1000;

grpc::Status FetchActors(const Client& client, v1::ListActorsResponse* all) {
  v1::ListActorsRequest request;
  request.set_page_size(kPageSize);
  do {
    grpc::ClientContext context;
    const CallLimit limit(client.timeout(), context);
    v1::ListActorsResponse page;
    grpc::Status status =
        client.inspector().ListActors(&context, request, &page);
    if (!status.ok()) return status;
    for (v1::Actor& actor : *page.mutable_actors()) {
      *all->add_actors() = std::move(actor);
    }
    all->set_total_size(page.total_size());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return grpc::Status::OK;
}

std::string StateName(v1::Actor::State state) {
  std::string name = v1::Actor::State_Name(state);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return std::tolower(c); });
  return name;
}

int Ps(const Arguments& arguments) {
  const absl::StatusOr<Client> client = Client::Create(arguments);
  if (!client.ok()) return ReportUsage(client.status());
  const absl::StatusOr<std::string> sort =
      arguments.GetChoice("sort", {"name", "depth", "handled"});
  if (!sort.ok()) return ReportUsage(sort.status());
  int limit = std::numeric_limits<int>::max();
  if (arguments.has("limit") &&
      (!absl::SimpleAtoi(arguments.Get("limit"), &limit) || limit < 1)) {
    return ReportUsage(absl::InvalidArgumentError(
        absl::StrCat("--limit ", Printable(arguments.Get("limit"), 64),
                     " must be a number of at least 1")));
  }

  v1::ListActorsResponse all;
  if (grpc::Status status = FetchActors(*client, &all); !status.ok()) {
    return client->Report(status);
  }
  const std::string filter = arguments.Get("filter");
  std::vector<v1::Actor*> actors;
  for (v1::Actor& actor : *all.mutable_actors()) {
    if (absl::StrContains(actor.name(), filter)) actors.push_back(&actor);
  }
  // The service lists the actors by slot; people want them by name.
  std::sort(actors.begin(), actors.end(),
            [](const v1::Actor* a, const v1::Actor* b) {
              return a->name() < b->name();
            });
  const auto number = [&](const v1::Actor* actor) -> uint64_t {
    if (*sort == "depth") return actor->mailbox().depth();
    if (*sort == "handled") return actor->mailbox().processed_total();
    return 0;
  };
  std::stable_sort(actors.begin(), actors.end(),
                   [&](const v1::Actor* a, const v1::Actor* b) {
                     return number(a) > number(b);
                   });
  if (actors.size() > static_cast<size_t>(limit)) actors.resize(limit);

  const std::string& output = client->output();
  if (output == "json") {
    v1::ListActorsResponse shown;
    shown.set_total_size(all.total_size());
    for (v1::Actor* actor : actors) *shown.add_actors() = *actor;
    PrintJson(ToJson(shown));
    return kOk;
  }
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "TYPE", "STATE", "LOOP", "DEPTH", "CAPACITY", "HANDLED"}};
  for (const v1::Actor* actor : actors) {
    if (output == "jsonl") {
      PrintJson(ToJson(*actor));
    } else if (output == "name") {
      PrintLine(actor->name());
    } else {
      rows.push_back({actor->name(), actor->type(), StateName(actor->state()),
                      actor->loop(), absl::StrCat(actor->mailbox().depth()),
                      absl::StrCat(actor->mailbox().capacity()),
                      absl::StrCat(actor->mailbox().processed_total())});
    }
  }
  if (output == "table") PrintTable(rows);
  return kOk;
}

int InfoOfActor(const Client& client, const std::string& name) {
  grpc::ClientContext context;
  const CallLimit limit(client.timeout(), context);
  v1::GetActorRequest request;
  request.set_name(name);
  v1::Actor actor;
  if (grpc::Status status =
          client.inspector().GetActor(&context, request, &actor);
      !status.ok()) {
    return client.Report(status);
  }
  if (client.output() == "name") {
    PrintLine(actor.name());
  } else if (client.output() != "table") {
    PrintJson(ToJson(actor));
  } else {
    PrintFields(
        {{"name", actor.name()},
         {"uid", actor.uid()},
         {"type", actor.type()},
         {"state", StateName(actor.state())},
         {"loop", actor.loop()},
         {"depth", absl::StrCat(actor.mailbox().depth(), " of ",
                                actor.mailbox().capacity())},
         {"bytes", actor.mailbox().bytes_capacity() == 0
                       ? "no bound"
                       : absl::StrCat(actor.mailbox().bytes(), " of ",
                                      actor.mailbox().bytes_capacity())},
         {"handled", absl::StrCat(actor.mailbox().processed_total())},
         {"takes", actor.accepted_message_types().empty()
                       ? "no messages from outside"
                       : absl::StrJoin(actor.accepted_message_types(), ", ")}});
  }
  return kOk;
}

int InfoOfServer(const Client& client) {
  v1::ServerInfo server;
  v1::ListLoopsResponse loops;
  grpc::ClientContext server_context;
  const CallLimit server_limit(client.timeout(), server_context);
  grpc::Status status =
      client.inspector().GetServerInfo(&server_context, {}, &server);
  if (!status.ok()) return client.Report(status);
  grpc::ClientContext loops_context;
  const CallLimit loops_limit(client.timeout(), loops_context);
  status = client.inspector().ListLoops(&loops_context, {}, &loops);
  if (!status.ok()) return client.Report(status);

  if (client.output() == "name") {
    PrintLine(server.instance_uid());
    return kOk;
  }
  if (client.output() != "table") {
    PrintJson(absl::StrCat("{\"server\":", ToJson(server), ",\"loops\":[",
                           absl::StrJoin(loops.loops(), ",",
                                         [](std::string* to, const auto& loop) {
                                           *to += ToJson(loop);
                                         }),
                           "]}"));
    return kOk;
  }
  const v1::Ledger& ledger = server.ledger();
  PrintFields(
      {{"version", server.version().empty() ? "unknown" : server.version()},
       {"process", absl::StrCat(server.pid())},
       {"instance", server.instance_uid()},
       {"since",
        absl::FormatTime(absl::RFC3339_sec,
                         absl::FromUnixSeconds(server.start_time().seconds()),
                         absl::UTCTimeZone())},
       {"draining", server.draining() ? "yes" : "no"},
       {"poller", server.poller()},
       {"actors", absl::StrCat(server.actor_count())},
       {"attempted", absl::StrCat(ledger.attempted())},
       {"accepted", absl::StrCat(ledger.accepted())},
       {"refused", absl::StrCat(ledger.refused())},
       {"handled", absl::StrCat(ledger.handled())},
       {"failed", absl::StrCat(ledger.failed())},
       {"expired", absl::StrCat(ledger.expired())},
       {"dead letters", absl::StrCat(ledger.dead_lettered())},
       {"dropped", absl::StrCat(ledger.dropped())},
       {"queued", absl::StrCat(ledger.queued())}});
  PrintLine("");
  std::vector<std::vector<std::string>> rows = {
      {"LOOP", "POLLER", "ACTORS", "TURNS", "WAITS", "WAKES", "ASKS"}};
  for (const v1::Loop& loop : loops.loops()) {
    rows.push_back(
        {loop.name(), loop.poller(), absl::StrCat(loop.actor_count()),
         absl::StrCat(loop.turns_total()), absl::StrCat(loop.waits_total()),
         absl::StrCat(loop.wakeups_total()),
         absl::StrCat(loop.pending_asks())});
  }
  PrintTable(rows);
  for (const v1::Loop& loop : loops.loops()) {
    if (loop.passed_over().empty()) continue;
    PrintLine(absl::StrCat(loop.name(), " has ", loop.poller(),
                           ", as auto could not take ", loop.passed_over()));
  }
  return kOk;
}

int Info(const Arguments& arguments) {
  const absl::StatusOr<Client> client = Client::Create(arguments);
  if (!client.ok()) return ReportUsage(client.status());
  return arguments.operands().empty()
             ? InfoOfServer(*client)
             : InfoOfActor(*client, arguments.operands()[0]);
}

}  // namespace

Command PsCommand() {
  return {.name = "ps",
          .operands = "",
          .least_operands = 0,
          .most_operands = 0,
          .summary = "list the actors and the depth of their mailboxes",
          .details =
              "An actor without a name is listed as "
              "#loop.slot.generation.",
          .options = {{"sort", "COLUMN",
                       "name, depth or handled; default: "
                       "name"},
                      {"limit", "N", "list only the first N"},
                      {"filter", "TEXT", "list only names that contain TEXT"}},
          .run = &Ps};
}

Command InfoCommand() {
  return {.name = "info",
          .operands = "[NAME]",
          .least_operands = 0,
          .most_operands = 1,
          .summary = "show the service and its loops, or one actor",
          .details = "For an actor, it also lists the messages that it takes.",
          .options = {},
          .run = &Info};
}

}  // namespace trolley::tools
