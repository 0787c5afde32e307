// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/internal/bridge_accepter.h"

#include <cassert>

#include "absl/strings/str_cat.h"
#include "trolley/actors/bridge/internal/grpc_transport.h"
#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/link/stream_link.h"
#include "trolley/actors/wire.h"

namespace trolley::internal {
namespace {

absl::Status Draining() {
  return absl::UnavailableError("DRAINING: this process is shutting down");
}

// A link and its call share one slot of the listener.
struct Slot {
  std::shared_ptr<void> share;
};

}  // namespace

NewCall::~NewCall() {
  // mutant: P13_ACallWithoutAListenerEndsAsIfAllWereWell
  if (pieces_ != nullptr) pieces_->Refuse(Draining());
}

ListenerStats BridgeAccepter::On(const GetListenerStats&) {
  assert(slots_.use_count() >= 1);
  ListenerStats stats = stats_;
  stats.open = slots_.use_count() - 1;
  return stats;
}

void BridgeAccepter::TurnAway(ServerPieces& call, const std::string& identity,
                              const absl::Status& why) {
  call.Refuse(why);
  context().Log(absl::StrCat(address().ToString(), ": a call was turned away: ",
                             std::string(why.message())),
                identity);
}

void BridgeAccepter::On(NewCall&& call) {
  if (closed_) return;
  const std::shared_ptr<ServerPieces> pieces = call.Take();
  const std::string identity = call.peer().identity;
  // mutant: P14_ThereIsNoLimitOfCalls
  if (On(GetListenerStats()).open >= options_.max_connections) {
    ++stats_.over_limit;
    return TurnAway(*pieces, identity,
                    absl::ResourceExhaustedError(
                        absl::StrCat(options_.max_connections,
                                     " links are open, which is "
                                     "ListenerOptions::max_connections")));
  }
  auto slot = std::make_shared<Slot>(Slot{slots_});
  pieces->Hold(slot);
  LinkSocket socket;
  socket.peer = std::move(call.peer());
  socket.transport = std::make_unique<GrpcTransport>(pieces);
  const absl::Status spawned =
      Spawn<StreamLink>({.name = NextLinkName()}, std::move(socket),
                        options_.link, std::move(slot))
          .status();
  if (spawned.ok()) {
    ++stats_.accepted;
    return;
  }
  ++stats_.over_limit;
  TurnAway(*pieces, identity, spawned);
}

std::string BridgeAccepter::NextLinkName() {
  std::string name;
  do {
    name = absl::StrCat(address().ToString(), "/", ++last_link_);
    if (!ValidateActorName(name).ok()) return "";  // it has none itself
  } while (WireTarget::Find(context(), name).ok());
  return name;
}

}  // namespace trolley::internal
