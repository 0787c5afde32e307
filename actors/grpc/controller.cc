// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/controller.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "trolley/actors/grpc/control_error.h"

namespace trolley::control {
namespace {

constexpr absl::Duration kDefaultDrain = absl::Seconds(10);

// Nothing if it is negative, or no google.protobuf.Duration.
std::optional<absl::Duration> DrainOf(const v1::StopActorRequest& request) {
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
      v1::STOP_TIMEOUT,
      absl::StrCat("the actor \"", name,
                   "\" is stopping, but has not ended yet: its handler runs, "
                   "or it has messages left"),
      {{"actor", name}, {"state", "DRAINING"}});
}

}  // namespace

// The actors that are being stopped, and who waits for that.
class Controller::Stops : public std::enable_shared_from_this<Stops> {
 public:
  explicit Stops(std::shared_ptr<const ControlState> state)
      : state_(std::move(state)), bus_(state_->bus.state()) {}

  // False: the loop has ended.
  bool Stop(ActorId id, bool drain, OpenCall::Ptr call, v1::Actor* response) {
    const bool first = Add(id, std::move(call), response);
    const bool posted =
        Loop::Post(bus_->port(id.loop()),
                   [id, drain, first, self = shared_from_this()](Loop& loop) {
                     if (Cell* cell = loop.Find(id))
                       loop.StopActor(*cell, drain);
                     if (!first) return;
                     loop.WhenEnded(id, [id, self](Loop& on) {
                       self->Ended(id, on.InspectActor(id));
                     });
                   });
    if (!posted) Take(id);
    return posted;
  }

  // What has not ended by then is stopped at once. Of several, the soonest
  // counts.
  void StopAtOnceAfter(ActorId id, absl::Duration drain) {
    const Instant at = MonotonicClock().Now() + drain;
    absl::MutexLock lock(&mutex_);
    const auto stop = stops_.find(id);
    if (stop == stops_.end() || stop->second.at <= at) return;
    state_->alarms->Cancel(stop->second.at_once);
    stop->second.at = at;
    stop->second.at_once =
        state_->alarms->Set(drain, [id, weak = weak_from_this()] {
          const std::shared_ptr<Stops> self = weak.lock();
          if (self != nullptr) Address(self->bus_, id).Stop();
        });
  }

 private:
  struct Waiting {
    std::weak_ptr<OpenCall> call;
    v1::Actor* response;  // of the call, while it is open
  };
  struct Stopping {
    std::vector<Waiting> waiting;
    Instant at = Instant::Infinite();
    Alarms::Id at_once;
  };

  // True if nobody has stopped this actor before.
  bool Add(ActorId id, OpenCall::Ptr call, v1::Actor* response) {
    absl::MutexLock lock(&mutex_);
    const auto [stop, first] = stops_.try_emplace(id);
    std::vector<Waiting>& waiting = stop->second.waiting;
    waiting.erase(
        std::remove_if(waiting.begin(), waiting.end(),
                       [](const Waiting& w) { return w.call.expired(); }),
        waiting.end());
    waiting.push_back({std::move(call), response});
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

  void Ended(ActorId id, const std::optional<ActorInfo>& info) {
    Stopping stopped = Take(id);
    for (Waiting& waiting : stopped.waiting) {
      OpenCall::Ptr call = waiting.call.lock();
      if (call == nullptr) continue;
      call->End([&] {
        // The name is given back before the end, so it is kept from before.
        const std::string name = waiting.response->name();
        if (info.has_value()) *waiting.response = state_->ToProto(*info, true);
        waiting.response->set_name(name);
        waiting.response->set_state(v1::Actor::STOPPED);
        return grpc::Status::OK;
      });
    }
  }

  const std::shared_ptr<const ControlState> state_;
  const BusState::Ptr bus_;
  absl::Mutex mutex_;
  absl::flat_hash_map<ActorId, Stopping> stops_ ABSL_GUARDED_BY(mutex_);
};

Controller::Controller(std::shared_ptr<const ControlState> state)
    : state_(std::move(state)), stops_(std::make_shared<Stops>(state_)) {}

Controller::~Controller() = default;

grpc::ServerUnaryReactor* Controller::StopActor(
    grpc::CallbackServerContext* context, const v1::StopActorRequest* request,
    v1::Actor* response) {
  const std::string name = request->name();
  OpenCall::Ptr call = OpenCall::Begin(state_->calls, state_->LimitOf(*context),
                                       [name] { return StillStopping(name); });
  grpc::ServerUnaryReactor* reactor = call->reactor();
  if (call->ended()) return reactor;
  const std::optional<absl::Duration> drain_for = DrainOf(*request);
  grpc::Status valid = state_->CheckName("name", name);
  if (valid.ok() && !v1::StopActorRequest::Mode_IsValid(request->mode())) {
    valid = BadRequest("mode", absl::StrCat(static_cast<int>(request->mode()),
                                            " is not a mode"));
  }
  if (valid.ok() && !drain_for.has_value()) {
    valid = BadRequest("drain_timeout", "negative, or no valid length of time");
  }
  const Names::Entry entry = state_->bus.state()->names().Find(name);
  if (valid.ok() && !entry.id) valid = state_->NoSuchActor(name);
  if (valid.ok()) valid = state_->CheckUid(name, request->uid(), entry.id);
  if (!valid.ok()) {
    call->End(valid);
    return reactor;
  }
  response->set_name(name);
  response->set_type(std::string(entry.actor_class->name()));
  const bool drain = request->mode() != v1::StopActorRequest::IMMEDIATE;
  if (!stops_->Stop(entry.id, drain, call, response)) {
    call->End(ControlError(v1::DRAINING, "the bus has shut down", {}));
  } else if (drain) {
    stops_->StopAtOnceAfter(entry.id, *drain_for);
  }
  return reactor;
}

}  // namespace trolley::control
