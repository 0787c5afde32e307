// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/peer_watches.h"

#include <cassert>
#include <utility>

#include "trolley/actors/link/internal/link_payload.h"
#include "trolley/poller/printable.h"
#include "trolley/proto/message_head.h"

namespace trolley::internal {
namespace {

using link::v1::Ended;

Ended::Kind KindOf(ExitReason::Kind kind) {
  switch (kind) {
    case ExitReason::Kind::kUnknown:
      return Ended::KIND_UNSPECIFIED;
    case ExitReason::Kind::kStopped:
      return Ended::STOPPED;
    case ExitReason::Kind::kDrained:
      return Ended::DRAINED;
    case ExitReason::Kind::kFailed:
      return Ended::FAILED;
    case ExitReason::Kind::kBusEnded:
      return Ended::BUS_ENDED;
    case ExitReason::Kind::kLoopEnded:
      return Ended::LOOP_ENDED;
    case ExitReason::Kind::kOwnerEnded:
      return Ended::OWNER_ENDED;
  }
  return Ended::KIND_UNSPECIFIED;
}

}  // namespace

void PeerWatches::Begin(uint64_t ask_id, const Address& actor) {
  assert(!Has(ask_id));
  auto [entry, is_new] = watched_.try_emplace(actor);
  if (is_new) entry->second.watch = begins_(actor);
  entry->second.ask_ids.insert(ask_id);
  watched_by_.emplace(ask_id, actor);
}

void PeerWatches::HearDown(const Down& down) {
  const auto entry = watched_.find(down.actor);
  if (entry == watched_.end()) return;
  Ended ended;
  ended.set_kind(KindOf(down.reason.kind));
  ended.set_code(static_cast<int>(down.reason.error.code()));
  ended.set_message(Printable(down.reason.error.message()));
  const bool idle = owed_.empty();
  for (const uint64_t ask_id : entry->second.ask_ids) {
    watched_by_.erase(ask_id);
    // mutant: P9_OneOfManyWatchersIsTold
    owed_.push_back({ask_id, ended.SerializeAsString()});
  }
  watched_.erase(entry);
  if (idle) state_.RunInBackground(SendOwed(state_.connection));
}

bool PeerWatches::Cancel(uint64_t ask_id) {
  const auto watch = watched_by_.find(ask_id);
  if (watch == watched_by_.end()) return false;
  const auto entry = watched_.find(watch->second);
  watched_by_.erase(watch);
  entry->second.ask_ids.erase(ask_id);
  if (entry->second.ask_ids.empty()) watched_.erase(entry);
  return true;
}

void PeerWatches::Forget() {
  watched_.clear();
  watched_by_.clear();
  owed_.clear();
}

Task<absl::Status> PeerWatches::SendOwed(LinkState::Connection connection) {
  while (connection->writable() && !owed_.empty()) {
    // mutant: P14_EndsPileUp
    if (!connection->HasRoom()) {
      co_await state_.changed.Wait();
      continue;
    }
    Owed owed = std::move(owed_.front());
    owed_.pop_front();
    head_.clear();
    wire::AppendReplyHead(owed.ask_id, kEndedType, owed.ended.size(), &head_);
    connection->SendAnswer(head_, std::move(owed.ended)).IgnoreError();
  }
  co_return absl::OkStatus();
}

}  // namespace trolley::internal
