// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/inspector.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/actors/grpc/control_error.h"
#include "trolley/actors/wire.h"
#include "trolley/proto/crc32c.h"

namespace trolley::control {
namespace {

constexpr int kDefaultPage = 50;
constexpr int kLargestPage = 1000;

// The last name of a page, with a checksum so that a token that was cut or
// altered is told from one of ours.
std::string PageToken(absl::string_view last_name) {
  std::string token;
  absl::WebSafeBase64Escape(
      absl::StrCat(
          absl::Hex(wire::Crc32c(std::string(last_name)), absl::kZeroPad8),
          last_name),
      &token);
  return token;
}

bool ReadPageToken(const std::string& token, std::string* last_name) {
  std::string plain;
  if (!absl::WebSafeBase64Unescape(token, &plain) || plain.size() < 8) {
    return false;
  }
  *last_name = plain.substr(8);
  return PageToken(*last_name) == token;
}

void FillIn(const Ledger& from, v1::Ledger& to) {
  to.set_attempted(from.attempted);
  to.set_accepted(from.accepted);
  to.set_refused(from.refused);
  to.set_handled(from.handled);
  to.set_failed(from.failed);
  to.set_expired(from.expired);
  to.set_dead_lettered(from.dead_lettered);
  to.set_queued(from.queued());
}

grpc::Status LoopsAreBusy() {
  return grpc::Status(
      grpc::StatusCode::DEADLINE_EXCEEDED,
      "a loop did not answer in time: a handler keeps it. A stack trace of "
      "the process shows which (gdb -p PID)");
}

}  // namespace

grpc::ServerUnaryReactor* Inspector::Inspect(
    const grpc::CallbackServerContext& context,
    std::function<grpc::Status(BusInfo)> answer) {
  OpenCall::Ptr call =
      OpenCall::Begin(state_->calls, state_->LimitOf(context), &LoopsAreBusy);
  grpc::ServerUnaryReactor* reactor = call->reactor();
  if (call->ended()) return reactor;
  state_->bus.Inspect([call, answer = std::move(answer)](BusInfo info) {
    call->End([&] { return answer(std::move(info)); });
  });
  return reactor;
}

grpc::ServerUnaryReactor* Inspector::GetServerInfo(
    grpc::CallbackServerContext* context, const v1::GetServerInfoRequest*,
    v1::ServerInfo* response) {
  return Inspect(*context, [response, state = state_](BusInfo info) {
    response->set_version(state->options.version);
    response->set_protocol_version(1);
    response->set_instance_uid(state->instance_uid);
    const timespec start = absl::ToTimespec(state->start_time);
    response->mutable_start_time()->set_seconds(start.tv_sec);
    response->mutable_start_time()->set_nanos(start.tv_nsec);
    response->add_features("health");
    response->add_features("reflection");
    std::set<std::string> pollers;
    for (const LoopInfo& loop : info.loops) pollers.insert(loop.poller);
    response->set_poller(absl::StrJoin(pollers, ", "));
    response->set_draining(state->bus.state()->draining());
    response->set_role("admin");
    response->set_pid(getpid());
    response->set_actor_count(info.actors.size());
    FillIn(info.ledger, *response->mutable_ledger());
    return grpc::Status::OK;
  });
}

grpc::ServerUnaryReactor* Inspector::ListActors(
    grpc::CallbackServerContext* context, const v1::ListActorsRequest* request,
    v1::ListActorsResponse* response) {
  std::string after;
  grpc::Status valid;
  if (request->page_size() < 0) {
    valid = BadRequest("page_size",
                       absl::StrCat(request->page_size(),
                                    " is negative; 0 means ", kDefaultPage));
  } else if (!request->page_token().empty() &&
             !ReadPageToken(request->page_token(), &after)) {
    valid = BadRequest("page_token",
                       "not one of this server's; begin with an empty one");
  }
  if (!valid.ok()) {
    OpenCall::Ptr call = OpenCall::Begin(state_->calls);
    call->End(valid);
    return call->reactor();
  }
  const size_t page =
      request->page_size() == 0
          ? kDefaultPage
          : std::min(static_cast<int>(request->page_size()), kLargestPage);
  return Inspect(*context, [=, state = state_](BusInfo info) {
    std::vector<ActorInfo>& actors = info.actors;
    response->set_total_size(actors.size());
    actors.erase(std::remove_if(actors.begin(), actors.end(),
                                [&](const ActorInfo& actor) {
                                  return !after.empty() && actor.name <= after;
                                }),
                 actors.end());
    const size_t shown = std::min(page, actors.size());
    std::partial_sort(
        actors.begin(), actors.begin() + shown, actors.end(),
        [](const ActorInfo& a, const ActorInfo& b) { return a.name < b.name; });
    for (size_t i = 0; i < shown; ++i) {
      *response->add_actors() = state->ToProto(actors[i]);
    }
    if (shown < actors.size()) {
      response->set_next_page_token(PageToken(actors[shown - 1].name));
    }
    return grpc::Status::OK;
  });
}

grpc::ServerUnaryReactor* Inspector::GetActor(
    grpc::CallbackServerContext* context, const v1::GetActorRequest* request,
    v1::Actor* response) {
  OpenCall::Ptr call =
      OpenCall::Begin(state_->calls, state_->LimitOf(*context), &LoopsAreBusy);
  grpc::ServerUnaryReactor* reactor = call->reactor();
  if (call->ended()) return reactor;
  const std::string name = request->name();
  if (grpc::Status valid = state_->CheckName("name", name); !valid.ok()) {
    call->End(valid);
    return reactor;
  }
  BusState& bus = *state_->bus.state();
  const ActorId id = bus.names().Find(name).id;
  const bool asked =
      id && Loop::Post(bus.port(id.loop()), [=, state = state_](Loop& loop) {
        const std::optional<ActorInfo> info = loop.InspectActor(id);
        call->End([&] {
          if (!info.has_value()) return NoSuchActor(name);
          *response = state->ToProto(*info);
          return grpc::Status::OK;
        });
      });
  if (!asked) call->End(NoSuchActor(name));
  return reactor;
}

grpc::ServerUnaryReactor* Inspector::ListLoops(
    grpc::CallbackServerContext* context, const v1::ListLoopsRequest*,
    v1::ListLoopsResponse* response) {
  return Inspect(*context, [response](BusInfo info) {
    for (const LoopInfo& from : info.loops) {
      v1::Loop& to = *response->add_loops();
      to.set_name(LoopName(from.index));
      to.set_poller(from.poller);
      to.set_passed_over(from.passed_over);
      to.set_actor_count(from.actors);
      to.set_wakeups_total(from.wakes);
      to.set_turns_total(from.turns);
      to.set_waits_total(from.waits);
      to.set_pending_asks(from.pending_asks);
    }
    return grpc::Status::OK;
  });
}

}  // namespace trolley::control
