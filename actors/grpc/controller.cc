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
#include "trolley/actors/grpc/serve.h"

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

grpc::Status Check(const ControlState& state,
                   const v1::StopActorRequest& request) {
  grpc::Status valid = state.CheckName("name", request.name());
  if (valid.ok() && !v1::StopActorRequest::Mode_IsValid(request.mode())) {
    valid = BadRequest("mode", absl::StrCat(static_cast<int>(request.mode()),
                                            " is not a mode"));
  }
  if (valid.ok() && !DrainOf(request).has_value()) {
    valid = BadRequest("drain_timeout", "negative, or no valid length of time");
  }
  return valid;
}

}  // namespace

// The actors that are being stopped, and the calls that wait for that.
class Controller::Stops : public std::enable_shared_from_this<Stops> {
 public:
  explicit Stops(std::shared_ptr<const ControlState> state)
      : state_(std::move(state)), bus_(state_->bus.state()) {}

  // False: the loop has ended. The call counts while the loop has to be told.
  bool Stop(ActorId id, bool drain, const OpenCall::Ptr& call, v1::Actor last) {
    const bool first = Add(id, call, std::move(last));
    const bool posted = Loop::Post(
        bus_->port(id.loop()),
        [id, drain, first, call, self = shared_from_this()](Loop& loop) {
          if (Cell* cell = loop.Find(id)) loop.StopActor(*cell, drain);
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
    v1::Actor last;  // what is known of it already
  };
  struct Stopping {
    std::vector<Waiting> waiting;
    Instant at = Instant::Infinite();
    Alarms::Id at_once;
  };

  // True: this is the first stop of this actor.
  bool Add(ActorId id, const OpenCall::Ptr& call, v1::Actor last) {
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

  void Ended(ActorId id, const std::optional<ActorInfo>& info) {
    Stopping stopped = Take(id);
    for (Waiting& waiting : stopped.waiting) {
      OpenCall::Ptr call = waiting.call.lock();
      if (call == nullptr) continue;
      call->Answer<v1::Actor>([&](v1::Actor& actor) {
        if (info.has_value()) {
          actor = state_->ToProto(*info, true);
          // The name is given back before the end, so it is kept from before.
          actor.set_name(waiting.last.name());
        } else {
          actor = waiting.last;
        }
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
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Serve<v1::StopActorRequest>(
      *state_, {context, request, response},
      [](const v1::StopActorRequest& asked) {
        return [name = asked.name()] { return StillStopping(name); };
      },
      [&](const v1::StopActorRequest& asked, const OpenCall::Ptr& call) {
        const std::string& name = asked.name();
        const std::optional<absl::Duration> drain_for = DrainOf(asked);
        const Names::Entry entry = state_->bus.state()->names().Find(name);
        grpc::Status valid = Check(*state_, asked);
        if (valid.ok() && !entry.id) valid = state_->NoSuchActor(name);
        if (valid.ok()) valid = state_->CheckUid(name, asked.uid(), entry.id);
        if (!valid.ok()) return call->Fail(valid);
        v1::Actor last;
        last.set_name(name);
        last.set_uid(state_->UidOf(entry.id));
        last.set_type(std::string(entry.actor_class->name()));
        last.set_state(v1::Actor::STOPPED);
        const bool drain = asked.mode() != v1::StopActorRequest::IMMEDIATE;
        if (!stops_->Stop(entry.id, drain, call, std::move(last))) {
          call->Fail(ControlError(v1::DRAINING, "the bus has shut down", {}));
        } else if (drain) {
          stops_->StopAtOnceAfter(entry.id, *drain_for);
        }
      });
}

}  // namespace trolley::control
