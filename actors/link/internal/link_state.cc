// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/link_state.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {

LinkState::LinkState(LinkActor& link, LinkOptions options,
                     const std::string& place, LinkPeer peer)
    : options(std::move(options)),
      peer(std::move(peer)),
      link_(link),
      place_(place),
      place_name_(Printable(place)) {}

std::string LinkState::PeerName() const {
  if (peer.name.empty()) return place_name_;  // no peer answered there so far
  return absl::StrCat(place_name_, place_name_.empty() ? "" : ", ", peer.name);
}

void LinkState::Log(absl::string_view line, LogKind kind) const {
  // A peer that connects again and again is one source.
  context().Log(absl::StrCat(link_.address().ToString(), ": ", line),
                place_.empty() ? peer.identity : place_, kind);
}

void LinkState::SetConnected(bool connected) {
  if (std::exchange(connected_, connected) == connected) return;
  // mutant: P15_WhatIsToldWhileTheLinkIsDownIsAccepted
  context().SetConnected(connected);
}

void LinkState::RunInBackground(Task<absl::Status> task) {
  link_.RunInBackground(std::move(task));
}

void LinkState::HoldMailbox() { link_.HoldMailbox(); }

}  // namespace trolley::internal
