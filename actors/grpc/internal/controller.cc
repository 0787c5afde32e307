// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/controller.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "trolley/actors/grpc/internal/control_error.h"
#include "trolley/actors/grpc/internal/serve.h"
#include "trolley/actors/wire.h"

namespace trolley::internal {
namespace {

constexpr absl::Duration kDefaultDrain = absl::Seconds(10);

// Nullopt: it is negative, or no valid google.protobuf.Duration.
std::optional<absl::Duration> DrainOf(
    const control::v1::StopActorRequest& request) {
  if (!request.has_drain_timeout()) return kDefaultDrain;
  const google::protobuf::Duration& d = request.drain_timeout();
  constexpr int64_t kLongest = 315'576'000'000;  // 10000 years of 365.25 days
  if (d.seconds() < 0 || d.nanos() < 0 || d.seconds() > kLongest ||
      d.nanos() > 999999999) {
    return std::nullopt;
  }
  return absl::Seconds(d.seconds()) + absl::Nanoseconds(d.nanos());
}

grpc::Status StillStopping(const std::string& name) {
  return ControlError(
      control::v1::STOP_TIMEOUT,
      absl::StrCat("the actor \"", name,
                   "\" is stopping, but has not ended yet: its handler runs, "
                   "or it has messages left"),
      {{"actor", name}, {"state", "DRAINING"}});
}

grpc::Status Check(const ControlState& state,
                   const control::v1::StopActorRequest& request) {
  grpc::Status valid = state.CheckName("name", request.name());
  if (valid.ok() &&
      !control::v1::StopActorRequest::Mode_IsValid(request.mode())) {
    valid = BadRequest("mode", absl::StrCat(static_cast<int>(request.mode()),
                                            " is not a mode"));
  }
  if (valid.ok() && !DrainOf(request).has_value()) {
    valid = BadRequest("drain_timeout", "negative, or no valid length of time");
  }
  return valid;
}

}  // namespace

// The actors that are being stopped, and the calls that wait for their ends.
class Controller::Stops : public std::enable_shared_from_this<Stops> {
 public:
  explicit Stops(std::shared_ptr<const ControlState> state)
      : state_(std::move(state)) {}

  // Stops `actor`, and answers the call when it has ended.
  void Stop(const Address& actor, bool drain, const OpenCall::Ptr& call,
            control::v1::Actor last) {
    if (Add(actor.id(), call, std::move(last))) {
      actor.WhenEnded([id = actor.id(), self = shared_from_this()](
                          const ActorEnd& end) { self->Ended(id, end.last); });
    }
    actor.Stop(drain);
  }

  // Stops `actor` without a drain if it has not ended after `drain`. Of several
  // calls for one actor, the earliest time counts.
  void StopAtOnceAfter(const Address& actor, absl::Duration drain) {
    const Instant at = MonotonicClock().Now() + drain;
    absl::MutexLock lock(&mutex_);
    const auto stop = stops_.find(actor.id());
    if (stop == stops_.end() || stop->second.at <= at) return;
    state_->alarms->Cancel(stop->second.at_once);
    stop->second.at = at;
    stop->second.at_once =
        state_->alarms->Set(drain, [actor] { actor.Stop(); });
  }

 private:
  struct Waiting {
    std::weak_ptr<OpenCall> call;
    control::v1::Actor last;  // the answer, as far as it is known
  };
  struct Stopping {
    std::vector<Waiting> waiting;
    Instant at = Instant::Infinite();
    Alarms::Id at_once;
  };

  // True: this is the first stop of this actor.
  bool Add(ActorId id, const OpenCall::Ptr& call, control::v1::Actor last) {
    absl::MutexLock lock(&mutex_);
    const auto [stop, first] = stops_.try_emplace(id);
    std::vector<Waiting>& waiting = stop->second.waiting;
    waiting.erase(std::remove_if(waiting.begin(), waiting.end(),
                                 [](const Waiting& w) {
                                   const OpenCall::Ptr open = w.call.lock();
                                   return open == nullptr || open->ended();
                                 }),
                  waiting.end());
    waiting.push_back({call, std::move(last)});
    return first;
  }

  Stopping Take(ActorId id) {
    absl::MutexLock lock(&mutex_);
    const auto stop = stops_.find(id);
    if (stop == stops_.end()) return {};
    Stopping taken = std::move(stop->second);
    stops_.erase(stop);
    state_->alarms->Cancel(taken.at_once);
    return taken;
  }

  void Ended(ActorId id, const ActorInfo& info) {
    Stopping stopped = Take(id);
    for (Waiting& waiting : stopped.waiting) {
      OpenCall::Ptr call = waiting.call.lock();
      if (call == nullptr) continue;
      call->Answer<control::v1::Actor>([&](control::v1::Actor& actor) {
        if (info.id) {
          actor = state_->ToProto(info, true);
          // Its name is free by now, so the answer has the name from before.
          actor.set_name(waiting.last.name());
        } else {
          actor = waiting.last;
        }
        return grpc::Status::OK;
      });
    }
  }

  const std::shared_ptr<const ControlState> state_;
  absl::Mutex mutex_;
  absl::flat_hash_map<ActorId, Stopping> stops_ ABSL_GUARDED_BY(mutex_);
};

Controller::Controller(std::shared_ptr<const ControlState> state)
    : state_(std::move(state)), stops_(std::make_shared<Stops>(state_)) {}

Controller::~Controller() = default;

grpc::ServerUnaryReactor* Controller::StopActor(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Serve<control::v1::StopActorRequest>(
      *state_, {context, request, response},
      [](const control::v1::StopActorRequest& asked) {
        return [name = asked.name()] { return StillStopping(name); };
      },
      [&](const control::v1::StopActorRequest& asked,
          const OpenCall::Ptr& call) {
        const std::string& name = asked.name();
        const std::optional<absl::Duration> drain_for = DrainOf(asked);
        const absl::StatusOr<WireTarget> found =
            WireTarget::Find(state_->bus, name);
        grpc::Status valid = Check(*state_, asked);
        if (valid.ok() && !found.ok()) valid = state_->NoSuchActor(name);
        if (!valid.ok()) return call->Fail(valid);
        const Address& address = found->address();
        valid = state_->CheckUid(name, asked.uid(), address.id());
        if (!valid.ok()) return call->Fail(valid);
        control::v1::Actor last;
        last.set_name(name);
        last.set_uid(state_->UidOf(address.id()));
        last.set_type(std::string(found->class_name()));
        last.set_state(control::v1::Actor::STOPPED);
        const bool drain =
            asked.mode() != control::v1::StopActorRequest::IMMEDIATE;
        stops_->Stop(address, drain, call, std::move(last));
        if (drain) stops_->StopAtOnceAfter(address, *drain_for);
      });
}

}  // namespace trolley::internal
