// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/link_watches.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/link/internal/link_payload.h"
#include "trolley/bus/options.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

using link::v1::Ended;

ExitReason ReasonOf(const Ended& ended) {
  ExitReason reason;
  switch (ended.kind()) {
    case Ended::STOPPED:
      reason.kind = ExitReason::Kind::kStopped;
      break;
    case Ended::DRAINED:
      reason.kind = ExitReason::Kind::kDrained;
      break;
    case Ended::FAILED:
      reason.kind = ExitReason::Kind::kFailed;
      break;
    case Ended::BUS_ENDED:
      reason.kind = ExitReason::Kind::kBusEnded;
      break;
    case Ended::LOOP_ENDED:
      reason.kind = ExitReason::Kind::kLoopEnded;
      break;
    case Ended::OWNER_ENDED:
      reason.kind = ExitReason::Kind::kOwnerEnded;
      break;
    default:
      break;
  }
  if (ended.code() >= 1 && ended.code() <= 16) {
    // mutant: P14_TheTextOfAnEndIsTakenAsItIs
    reason.error = absl::Status(static_cast<absl::StatusCode>(ended.code()),
                                Printable(ended.message()));
  }
  return reason;
}

}  // namespace

void LinkWatches::Begin(std::unique_ptr<PendingDown> down) {
  if (down->owed().forgotten()) return;
  if (absl::Status named = ValidateActorName(down->owed().name());
      !named.ok()) {
    return down->TellLost(std::move(named));
  }
  if (watches_.size() >= state_.options.max_watches) Sweep();
  // mutant: P6_WatchesOverALinkAreNotBounded
  if (watches_.size() >= state_.options.max_watches) {
    return down->TellLost(absl::ResourceExhaustedError(
        absl::StrCat(watches_.size(), " actors of ", state_.PeerName(),
                     " are watched; LinkOptions::max_watches allows no more")));
  }
  state_.RunInBackground(Run(std::move(down)));
}

void LinkWatches::Forget(const OwedDown& owed) {
  const auto watch = watches_.find(&owed);
  if (watch != watches_.end()) sender_.GiveUp(watch->second);
}

void LinkWatches::Sweep() {
  absl::erase_if(watches_, [this](const auto& watch) {
    if (!watch.first->forgotten()) return false;
    sender_.GiveUp(watch.second);
    return true;
  });
}

Task<absl::Status> LinkWatches::Run(std::unique_ptr<PendingDown> down) {
  const OwedDown* const key = &down->owed();
  const uint64_t id = sender_.NewAskId();
  watches_[key] = id;
  const absl::Cleanup erase = [this, key] { watches_.erase(key); };
  LinkAsk ask{.route = LinkRoute::New(down->owed().name(), kWatchType),
              .bytes = ""};
  const absl::StatusOr<WireMessage> said = co_await sender_.Watch(ask, id);
  // mutant: P9_ALostWatchIsTakenForTheEndOfTheLink
  Tell(*down, said);
  co_return absl::OkStatus();
}

void LinkWatches::Tell(PendingDown& down,
                       const absl::StatusOr<WireMessage>& said) {
  if (absl::IsNotFound(said.status())) {
    return down.TellEnd({.error = said.status()});
  }
  if (absl::IsInvalidArgument(said.status())) {
    return down.TellLost(absl::UnimplementedError(absl::StrCat(
        "the other process knows no watches: ", said.status().message())));
  }
  if (!said.ok()) return down.TellLost(said.status());
  Ended ended;
  if (said->type != kEndedType || !ended.ParseFromString(said->bytes)) {
    return down.TellLost(absl::InternalError(
        absl::StrCat("the other process answered a watch with ",
                     said->type.empty() ? "nothing" : Printable(said->type),
                     " (", said->bytes.size(), " bytes)")));
  }
  // mutant: P9_TheReasonOfAnEndOverThereIsLost
  down.TellEnd(ReasonOf(ended));
}

}  // namespace trolley::internal
