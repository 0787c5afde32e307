// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/control_state.h"

#include <grpc/support/time.h>

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "trolley/actors/grpc/internal/control_error.h"
#include "trolley/actors/wire_methods.h"

namespace trolley::internal {
namespace {

// An error of the service must come before the client's own deadline: by this
// much, or by a tenth of the time that is left.
constexpr absl::Duration kHeadStart = absl::Milliseconds(20);

std::string NewInstanceUid() {
  std::random_device random;
  return absl::StrCat(absl::Hex(random(), absl::kZeroPad8),
                      absl::Hex(random(), absl::kZeroPad8));
}

control::v1::Actor::State StateOf(absl::string_view state) {
  if (state == "starting") return control::v1::Actor::STARTING;
  if (state == "running") return control::v1::Actor::RUNNING;
  if (state == "suspended") return control::v1::Actor::SUSPENDED;
  if (state == "draining") return control::v1::Actor::DRAINING;
  if (state == "empty") return control::v1::Actor::EMPTY;
  return control::v1::Actor::STATE_UNSPECIFIED;
}

}  // namespace

ControlState::ControlState(Bus& bus, ControlOptions options)
    : bus(bus),
      options(std::move(options)),
      instance_uid(NewInstanceUid()),
      start_time(absl::Now()),
      alarms(std::make_shared<Alarms>()),
      answers(std::make_shared<Alarms>()),
      calls(std::make_shared<OpenCalls>(
          alarms, OpenCalls::Limits{
                      .most_calls = uint64_t{this->options.max_connections} *
                                    this->options.max_calls_per_connection,
                      .most_bytes = this->options.max_message_bytes})) {}

absl::Duration ControlState::LimitOf(
    const grpc::CallbackServerContext& context) const {
  const gpr_timespec deadline = context.raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) {
    return options.default_deadline;
  }
  // With the monotonic clock and the type of gRPC: a deadline in some hundred
  // years does not fit into a std::chrono time point.
  const gpr_timespec rest =
      gpr_time_sub(gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC),
                   gpr_now(GPR_CLOCK_MONOTONIC));
  const absl::Duration left =
      std::max(absl::Seconds(rest.tv_sec) + absl::Nanoseconds(rest.tv_nsec),
               absl::ZeroDuration());
  return std::min(left - std::min(left / 10, kHeadStart),
                  options.longest_deadline);
}

std::string ControlState::UidOf(ActorId id) const {
  return absl::StrCat(instance_uid, id.ToString());
}

grpc::Status ControlState::CheckName(absl::string_view field,
                                     const std::string& name) const {
  const absl::Status named = ValidateActorName(name);
  if (named.ok()) return grpc::Status::OK;
  return BadRequest(
      field, absl::StrCat(named.message(),
                          !name.empty() && name[0] == '#'
                              ? "; an actor without a name cannot be reached "
                                "from outside, spawn it with a name"
                              : ""));
}

grpc::Status ControlState::CheckUid(absl::string_view actor,
                                    const std::string& wanted,
                                    ActorId id) const {
  if (wanted.empty()) return grpc::Status::OK;
  const std::string uid = UidOf(id);
  if (wanted == uid) return grpc::Status::OK;
  return ControlError(
      control::v1::STALE_INCARNATION,
      absl::StrCat("the actor \"", actor, "\" is not the one you have seen, ",
                   wanted, ", but a later one, ", uid),
      {{"actor", std::string(actor)}, {"uid", uid}});
}

control::v1::Actor ControlState::ToProto(const ActorInfo& info,
                                         bool last) const {
  control::v1::Actor actor;
  actor.set_name(info.name);
  actor.set_uid(UidOf(info.id));
  actor.set_type(info.class_name);
  actor.set_state(last ? control::v1::Actor::STOPPED : StateOf(info.state));
  actor.set_loop(LoopName(info.id.loop()));
  actor.mutable_mailbox()->set_depth(info.depth);
  actor.mutable_mailbox()->set_capacity(info.capacity);
  actor.mutable_mailbox()->set_processed_total(info.handled);
  actor.mutable_mailbox()->set_bytes(info.bytes);
  actor.mutable_mailbox()->set_bytes_capacity(info.most_bytes);
  for (const WireMethod* method : info.actor_class->wire_methods()) {
    actor.add_accepted_message_types(std::string(method->message_type()));
  }
  return actor;
}

grpc::Status ControlState::NoSuchActor(const std::string& name) const {
  return ControlError(control::v1::ACTOR_NOT_FOUND,
                      bus.FindAddress(name).status().message(),
                      {{"actor", name}});
}

std::string LoopName(uint32_t index) { return absl::StrCat("loop-", index); }

}  // namespace trolley::internal
