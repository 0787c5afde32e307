// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/inspector.h"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "trolley/actors/grpc/control_error.h"
#include "trolley/actors/wire.h"
#include "trolley/proto/crc32c.h"

namespace trolley::control {
namespace {

constexpr int kDefaultPage = 50;
constexpr int kLargestPage = 1000;

// Where a page begins, with a checksum so that a token that was cut or altered
// is told from one of ours.
std::string PageToken(ActorPlace from) {
  const std::string plain = absl::StrCat(from.loop, ".", from.slot);
  std::string token;
  absl::WebSafeBase64Escape(
      absl::StrCat(absl::Hex(wire::Crc32c(plain), absl::kZeroPad8), plain),
      &token);
  return token;
}

bool ReadPageToken(const std::string& token, ActorPlace* from) {
  std::string plain;
  if (!absl::WebSafeBase64Unescape(token, &plain) || plain.size() < 8) {
    return false;
  }
  const std::pair<absl::string_view, absl::string_view> place =
      absl::StrSplit(absl::string_view(plain).substr(8), '.');
  return absl::SimpleAtoi(place.first, &from->loop) &&
         absl::SimpleAtoi(place.second, &from->slot) &&
         PageToken(*from) == token;
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

grpc::ServerUnaryReactor* Inspector::InspectLoops(
    const grpc::CallbackServerContext& context,
    std::function<grpc::Status(BusInfo)> answer) {
  OpenCall::Ptr call =
      OpenCall::Begin(state_->calls, state_->LimitOf(context), &LoopsAreBusy);
  grpc::ServerUnaryReactor* reactor = call->reactor();
  if (call->ended()) return reactor;
  state_->bus.InspectLoops([call, answer = std::move(answer)](BusInfo info) {
    call->End([&] { return answer(std::move(info)); });
  });
  return reactor;
}

grpc::ServerUnaryReactor* Inspector::GetServerInfo(
    grpc::CallbackServerContext* context, const v1::GetServerInfoRequest*,
    v1::ServerInfo* response) {
  return InspectLoops(*context, [response, state = state_](BusInfo info) {
    response->set_version(state->options.version);
    response->set_protocol_version(1);
    response->set_instance_uid(state->instance_uid);
    const timespec start = absl::ToTimespec(state->start_time);
    response->mutable_start_time()->set_seconds(start.tv_sec);
    response->mutable_start_time()->set_nanos(start.tv_nsec);
    response->add_features("health");
    response->add_features("reflection");
    std::set<std::string> pollers;
    uint64_t actors = 0;
    for (const LoopInfo& loop : info.loops) {
      pollers.insert(loop.poller);
      actors += loop.actors;
    }
    response->set_poller(absl::StrJoin(pollers, ", "));
    response->set_draining(state->bus.state()->draining());
    response->set_role("admin");
    response->set_pid(getpid());
    response->set_actor_count(actors);
    FillIn(info.ledger, *response->mutable_ledger());
    return grpc::Status::OK;
  });
}

grpc::ServerUnaryReactor* Inspector::ListActors(
    grpc::CallbackServerContext* context, const v1::ListActorsRequest* request,
    v1::ListActorsResponse* response) {
  ActorPlace from;
  grpc::Status valid;
  if (request->page_size() < 0) {
    valid = BadRequest("page_size",
                       absl::StrCat(request->page_size(),
                                    " is negative; 0 means ", kDefaultPage));
  } else if (!request->page_token().empty() &&
             !ReadPageToken(request->page_token(), &from)) {
    valid = BadRequest("page_token",
                       "not one of this server's; begin with an empty one");
  }
  OpenCall::Ptr call =
      OpenCall::Begin(state_->calls, state_->LimitOf(*context), &LoopsAreBusy);
  grpc::ServerUnaryReactor* reactor = call->reactor();
  if (call->ended()) return reactor;
  if (!valid.ok()) {
    call->End(valid);
    return reactor;
  }
  const int size = request->page_size() == 0
                       ? kDefaultPage
                       : std::min<int>(request->page_size(), kLargestPage);
  state_->bus.ListActors(
      from, size, [call, response, state = state_](ActorPage page) {
        auto shown = std::make_shared<const ActorPage>(std::move(page));
        // By the thread of the alarms: it would keep the loop too long.
        state->alarms->Set(
            absl::ZeroDuration(), [call, response, state, shown] {
              call->End([&] {
                for (const ActorInfo& actor : shown->actors) {
                  *response->add_actors() = state->ToProto(actor);
                }
                response->set_total_size(static_cast<int>(
                    std::min<uint64_t>(state->bus.state()->CountActors(),
                                       std::numeric_limits<int>::max())));
                if (shown->next.has_value()) {
                  response->set_next_page_token(PageToken(*shown->next));
                }
                return grpc::Status::OK;
              });
            });
      });
  return reactor;
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
          if (!info.has_value()) return state->NoSuchActor(name);
          *response = state->ToProto(*info);
          return grpc::Status::OK;
        });
      });
  if (!asked) call->End(state_->NoSuchActor(name));
  return reactor;
}

grpc::ServerUnaryReactor* Inspector::ListLoops(
    grpc::CallbackServerContext* context, const v1::ListLoopsRequest*,
    v1::ListLoopsResponse* response) {
  return InspectLoops(*context, [response](BusInfo info) {
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
