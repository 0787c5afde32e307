// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/link_state.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {

LinkState::LinkState(LinkActor& link, LinkOptions options,
                     const std::string& endpoint, LinkPeer peer)
    : options(std::move(options)),
      peer(std::move(peer)),
      link_(link),
      endpoint_(endpoint),
      endpoint_name_(Printable(endpoint)) {}

std::string LinkState::PeerName() const {
  // No peer has answered there so far, or it is called as what is dialled.
  if (peer.name.empty() || peer.name == endpoint_name_) return endpoint_name_;
  return absl::StrCat(endpoint_name_, endpoint_name_.empty() ? "" : ", ",
                      peer.name);
}

void LinkState::Log(absl::string_view line, LogKind kind) const {
  // A peer that connects again and again is one source.
  context().Log(absl::StrCat(link_.address().ToString(), ": ", line),
                endpoint_.empty() ? peer.identity : endpoint_, kind);
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
