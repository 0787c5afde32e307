// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/inspector.h"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "trolley/actors/grpc/internal/control_error.h"
#include "trolley/actors/grpc/internal/list_children.h"
#include "trolley/actors/grpc/internal/pages.h"
#include "trolley/actors/grpc/internal/serve.h"
#include "trolley/actors/wire.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

std::string TokenOf(ActorPosition from) {
  return PageToken(absl::StrCat(from.loop, ".", from.slot));
}

bool ReadToken(const std::string& token, ActorPosition* from) {
  const std::optional<std::string> plain = ReadPageToken(token);
  if (!plain.has_value()) return false;
  const std::pair<absl::string_view, absl::string_view> place =
      absl::StrSplit(*plain, '.');
  return absl::SimpleAtoi(place.first, &from->loop) &&
         absl::SimpleAtoi(place.second, &from->slot);
}

void FillIn(const Ledger& from, control::v1::Ledger& to) {
  to.set_attempted(from.attempted);
  to.set_accepted(from.accepted);
  to.set_refused(from.refused);
  to.set_handled(from.handled);
  to.set_failed(from.failed);
  to.set_expired(from.expired);
  to.set_dead_lettered(from.dead_lettered);
  to.set_dropped(from.dropped);
  to.set_queued(from.queued());
}

Late LoopsAreLate(const google::protobuf::Message&) { return &LoopsAreBusy; }

grpc::Status CheckPage(const control::v1::ListActorsRequest& request,
                       ActorPosition* from) {
  if (grpc::Status valid = CheckPageSize(request.page_size()); !valid.ok()) {
    return valid;
  }
  if (!request.page_token().empty() && !ReadToken(request.page_token(), from)) {
    return NoPageToken();
  }
  return grpc::Status::OK;
}

// Gets the LoopInfo of all loops, then ends the call.
template <typename Response, typename Fill>
void InspectLoops(const ControlState& state, OpenCall::Ptr call, Fill fill) {
  state.bus.InspectLoops([call = std::move(call), fill](BusInfo info) {
    call->Answer<Response>([&](Response& response) {
      fill(info, response);
      return grpc::Status::OK;
    });
  });
}

// The actors of `found`, as many as fit into one response.
void FillPage(const ControlState& state, const ActorPage& found,
              control::v1::ListActorsResponse& page) {
  page.set_total_size(static_cast<int>(std::min<uint64_t>(
      state.bus.CountActors(), std::numeric_limits<int>::max())));
  size_t bytes = kBytesAroundPage;
  for (const ActorInfo& info : found.actors) {
    control::v1::Actor actor = state.ToProto(info);
    bytes += actor.ByteSizeLong() + kBytesAroundEntry;
    if (page.actors_size() > 0 && bytes > state.options.max_message_bytes) {
      page.set_next_page_token(
          TokenOf({.loop = info.id.loop(), .slot = info.id.slot()}));
      return;
    }
    *page.add_actors() = std::move(actor);
  }
  if (found.next.has_value()) page.set_next_page_token(TokenOf(*found.next));
}

void FillIn(const ControlState& state, const BusInfo& info,
            control::v1::ServerInfo& response) {
  response.set_version(state.options.version);
  response.set_protocol_version(1);
  response.set_instance_uid(state.instance_uid);
  const timespec start = absl::ToTimespec(state.start_time);
  response.mutable_start_time()->set_seconds(start.tv_sec);
  response.mutable_start_time()->set_nanos(start.tv_nsec);
  response.add_features("health");
  response.add_features("reflection");
  std::set<std::string> pollers;
  uint64_t actors = 0;
  for (const LoopInfo& loop : info.loops) {
    pollers.insert(loop.poller);
    actors += loop.actors;
  }
  response.set_poller(absl::StrJoin(pollers, ", "));
  response.set_draining(state.bus.draining());
  response.set_role("admin");
  response.set_pid(getpid());
  response.set_actor_count(actors);
  FillIn(info.ledger, *response.mutable_ledger());
}

void FillIn(const LoopInfo& from, control::v1::Loop& to) {
  to.set_name(LoopName(from.index));
  to.set_poller(from.poller);
  to.set_passed_over(Printable(from.passed_over));
  to.set_actor_count(from.actors);
  to.set_wakeups_total(from.wakes);
  to.set_turns_total(from.turns);
  to.set_waits_total(from.waits);
  to.set_pending_asks(from.pending_asks);
}

}  // namespace

grpc::ServerUnaryReactor* Inspector::GetServerInfo(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Serve<control::v1::GetServerInfoRequest>(
      *state_, {context, request, response}, &LoopsAreLate,
      [&](const control::v1::GetServerInfoRequest&, const OpenCall::Ptr& call) {
        InspectLoops<control::v1::ServerInfo>(
            *state_, call,
            [state = state_](const BusInfo& info,
                             control::v1::ServerInfo& server) {
              FillIn(*state, info, server);
            });
      });
}

grpc::ServerUnaryReactor* Inspector::ListActors(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Serve<control::v1::ListActorsRequest>(
      *state_, {context, request, response}, &LoopsAreLate,
      [&](const control::v1::ListActorsRequest& asked,
          const OpenCall::Ptr& call) {
        ActorPosition from;
        if (grpc::Status valid = CheckPage(asked, &from); !valid.ok()) {
          return call->Fail(valid);
        }
        state_->bus.ListActors(
            from, PageSizeOf(asked.page_size()),
            [call, state = state_](ActorPage page) {
              auto found = std::make_shared<const ActorPage>(std::move(page));
              state->answers->Set(absl::ZeroDuration(), [call, state, found] {
                call->Answer<control::v1::ListActorsResponse>(
                    [&](control::v1::ListActorsResponse& response) {
                      FillPage(*state, *found, response);
                      return grpc::Status::OK;
                    });
              });
            });
      });
}

grpc::ServerUnaryReactor* Inspector::GetActor(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Serve<control::v1::GetActorRequest>(
      *state_, {context, request, response}, &LoopsAreLate,
      [&](const control::v1::GetActorRequest& asked,
          const OpenCall::Ptr& call) {
        const std::string name = asked.name();
        if (grpc::Status valid = state_->CheckName("name", name); !valid.ok()) {
          return call->Fail(valid);
        }
        const absl::StatusOr<Address> found = state_->bus.FindAddress(name);
        const auto look = [state = state_, call,
                           name](const std::optional<ActorInfo>& info) {
          call->Answer<control::v1::Actor>([&](control::v1::Actor& actor) {
            if (!info.has_value()) return state->NoSuchActor(name);
            actor = state->ToProto(*info);
            return grpc::Status::OK;
          });
        };
        if (!found.ok() || !state_->bus.InspectActor(*found, look)) {
          call->Fail(state_->NoSuchActor(name));
        }
      });
}

grpc::ServerUnaryReactor* Inspector::ListChildren(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return internal::ListChildren(state_, {context, request, response});
}

grpc::ServerUnaryReactor* Inspector::ListLoops(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Serve<control::v1::ListLoopsRequest>(
      *state_, {context, request, response}, &LoopsAreLate,
      [&](const control::v1::ListLoopsRequest&, const OpenCall::Ptr& call) {
        InspectLoops<control::v1::ListLoopsResponse>(
            *state_, call,
            [](const BusInfo& info, control::v1::ListLoopsResponse& loops) {
              for (const LoopInfo& loop : info.loops) {
                FillIn(loop, *loops.add_loops());
              }
            });
      });
}

}  // namespace trolley::internal
