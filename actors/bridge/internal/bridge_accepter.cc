// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/internal/bridge_accepter.h"

#include <cassert>
#include <random>

#include "absl/strings/str_cat.h"
#include "trolley/actors/bridge/internal/grpc_transport.h"
#include "trolley/actors/bridge/internal/topic_forwarder.h"
#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/link/stream_link.h"
#include "trolley/actors/wire.h"

namespace trolley::internal {
namespace {

// 128 bits that no client can guess.
std::string NewToken() {
  std::random_device random;
  std::string token;
  for (int i = 0; i < 4; ++i) {
    absl::StrAppend(&token, absl::Hex(random(), absl::kZeroPad8));
  }
  return token;
}

// A call and the actor that serves it share one slot of the listener.
struct Slot {
  std::shared_ptr<void> share;
};

}  // namespace

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
  const std::string identity = call.peer().identity;
  // Keeps the call for the answer.
  const std::shared_ptr<ServerPieces> pieces = call.Take();
  // mutant: P14_ThereIsNoLimitOfCalls
  if (On(GetListenerStats()).open >= options_.max_connections) {
    ++stats_.over_limit;
    return TurnAway(
        *pieces, identity,
        absl::ResourceExhaustedError(absl::StrCat(
            options_.max_connections,
            " calls are open, which is ListenerOptions::max_connections")));
  }
  auto slot = std::make_shared<Slot>(Slot{slots_});
  pieces->Hold(slot);
  NewCall taken(pieces, std::move(call.peer()), call.kind());
  const absl::Status spawned = taken.kind() == NewCall::Kind::kLink
                                   ? SpawnLink(taken, std::move(slot))
                                   : SpawnForwarder(taken, std::move(slot));
  if (spawned.ok()) {
    ++stats_.accepted;
    return;
  }
  ++stats_.over_limit;
  TurnAway(*pieces, identity, spawned);
}

absl::Status BridgeAccepter::SpawnLink(NewCall& call,
                                       std::shared_ptr<void> slot) {
  const std::shared_ptr<ServerPieces> pieces = call.Take();
  LinkSocket socket;
  socket.peer = std::move(call.peer());
  socket.transport = std::make_unique<GrpcTransport>(pieces);
  const absl::Status spawned =
      Spawn<StreamLink>({.name = NextLinkName()}, std::move(socket),
                        options_.link, std::move(slot))
          .status();
  // Before the transport goes, which would cancel the call.
  if (!spawned.ok()) pieces->Refuse(spawned);
  return spawned;
}

absl::Status BridgeAccepter::SpawnForwarder(NewCall& call,
                                            std::shared_ptr<void> slot) {
  if (!topics_.has_value()) {
    return absl::UnimplementedError("this bridge has no topics");
  }
  TopicForwarder::Parts parts{
      .topics = topics_->topics(),
      .find = [topics = *topics_](
                  const std::string& type) { return topics.Find(type); },
      .token = NewToken(),
      .kept_events = options_.kept_events,
      .resume_within = options_.resume_within};
  const std::string name = TopicForwarder::NameOf(parts.token);
  return Spawn<TopicForwarder>({.name = name}, std::move(call),
                               std::move(parts), std::move(slot))
      .status();
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
