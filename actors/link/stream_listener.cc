// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/stream_listener.h"

#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/link/internal/link_connection.h"
#include "trolley/actors/link/stream_link.h"
#include "trolley/actors/wire.h"
#include "trolley/proto/wire_error.h"

namespace trolley {

StreamListener::StreamListener(std::unique_ptr<Acceptor> acceptor,
                               ListenerOptions options, LinkOptions link)
    : acceptor_(std::move(acceptor)),
      options_(std::move(options)),
      link_(std::move(link)) {
  assert(acceptor_ != nullptr);
}

void StreamListener::Log(absl::string_view line, absl::string_view source,
                         LogKind kind) const {
  context().Log(absl::StrCat(address().ToString(), ": ", line), source, kind);
}

void StreamListener::OnStart() {
  absl::Status valid = ValidateListenerOptions(options_);
  if (valid.ok()) valid = ValidateLinkOptions(link_);
  if (valid.ok()) valid = acceptor_->Start(context().sys());
  if (!valid.ok()) {
    Log(valid.message());
    return Stop();
  }
  RunInBackground(Accept());
}

ListenerStats StreamListener::On(const GetListenerStats&) {
  assert(connection_slots_.use_count() >= 1);
  ListenerStats stats = stats_;
  stats.open = connection_slots_.use_count() - 1;
  stats.turned_away = acceptor_->turned_away();
  return stats;
}

Task<absl::Status> StreamListener::Accept() {
  Sys& sys = context().sys();
  // The acceptor keeps its own descriptor.
  ScopedFd watched(sys, sys.Dup(acceptor_->fd()));
  if (!watched) {
    Log(absl::StrCat("cannot watch ", acceptor_->endpoint(),
                     ": no descriptor is left; this listener stops"));
    Stop();
    co_return absl::OkStatus();
  }
  Stream stream(context(), std::move(watched));
  stream_ = &stream;
  absl::Cleanup forget = [this] { stream_ = nullptr; };
  while (!closed_) {
    bool could_wait = true;
    absl::StatusOr<ScopedFd> accepted = co_await AcceptOne(stream, could_wait);
    if (closed_) break;
    if (accepted.ok()) {
      out_of_descriptors_ = false;
      Welcome(*std::move(accepted));
      continue;
    }
    // mutant: P12_TheListenerGivesUp
    if (!absl::IsResourceExhausted(accepted.status())) {
      Log(absl::StrCat(acceptor_->endpoint(), " accepts no more connections: ",
                       accepted.status().message()));
      Stop();
      break;
    }
    if (!std::exchange(out_of_descriptors_, true)) {
      Log(absl::StrCat("a connection to ", acceptor_->endpoint(),
                       " was not taken: ", accepted.status().message(),
                       "; raise the limit of open files (ulimit -n)"));
    }
    // mutant: P12_TheListenerTriesOnAndOn
    if (!could_wait || !acceptor_->has_reserve()) {
      co_await Sleep(options_.pause_without_descriptors);
    }
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<ScopedFd>> StreamListener::AcceptOne(Stream& stream,
                                                         bool& could_wait) {
  absl::StatusOr<ScopedFd> accepted = co_await stream.Accept();
  if (closed_ || !absl::IsResourceExhausted(accepted.status())) {
    co_return std::move(accepted);
  }
  // The acceptor has a descriptor in reserve, once a peer connects.
  const auto try_once = [this, &accepted]() -> ssize_t {
    if (closed_) return 0;
    accepted = acceptor_->Accept();
    return absl::IsUnavailable(accepted.status()) ? -EAGAIN : 0;
  };
  absl::StatusOr<size_t> waited =
      co_await stream.Do(Ready::kReadable, SysCall::kAccept4, try_once);
  could_wait = waited.ok();
  if (!could_wait) co_return waited.status();
  co_return std::move(accepted);
}

void StreamListener::TurnAway(const ScopedFd& connection,
                              absl::string_view identity,
                              const absl::Status& why) {
  Log(absl::StrCat("a connection to ", acceptor_->endpoint(),
                   " was closed: ", why.message()),
      identity);
  if (!acceptor_->tells_why()) return;
  internal::TurnAway(context().sys(), connection.get(), link_,
                     context().instance_id(), why);
}

void StreamListener::Welcome(ScopedFd connection) {
  Sys& sys = context().sys();
  absl::StatusOr<LinkPeer> peer = acceptor_->PeerOf(sys, connection.get());
  const absl::Status permitted =
      peer.ok() ? acceptor_->MayConnect(sys, connection.get(), *peer)
                : peer.status();
  if (!permitted.ok()) {
    ++stats_.not_permitted;
    return TurnAway(connection, peer.ok() ? peer->identity : "", permitted);
  }
  if (On(GetListenerStats()).open >= options_.max_connections) {
    ++stats_.over_limit;
    const std::string full =
        absl::StrCat(options_.max_connections,
                     " are open, which is ListenerOptions::max_connections");
    return TurnAway(
        connection, peer->identity,
        wire::MakeWireError(wire::WireError::kTooManyConnections, full));
  }
  absl::StatusOr<std::unique_ptr<LinkSession>> session =
      acceptor_->NewSession(context());
  if (!session.ok()) {
    ++stats_.over_limit;
    return TurnAway(connection, peer->identity, session.status());
  }
  const std::string identity = peer->identity;
  LinkSocket socket{.fd = std::move(connection),
                    .peer = *std::move(peer),
                    .session = *std::move(session)};
  const absl::Status spawned =
      SpawnLink({.name = NextLinkName()}, socket, connection_slots_);
  if (spawned.ok()) {
    ++stats_.accepted;
    return;
  }
  ++stats_.over_limit;
  TurnAway(socket.fd, identity,
           wire::MakeWireError(wire::WireError::kTooManyConnections,
                               std::string(spawned.message())));
}

std::string StreamListener::NextLinkName() {
  std::string name;
  do {
    name = absl::StrCat(address().ToString(), "/", ++last_link_);
    if (!ValidateActorName(name).ok()) return "";  // it has none itself
  } while (WireTarget::Find(context(), name).ok());
  return name;
}

absl::Status StreamListener::SpawnLink(const SpawnOptions& spawn,
                                       LinkSocket& connection,
                                       std::shared_ptr<void> connection_slot) {
  return Spawn<StreamLink>(spawn, std::move(connection), link_,
                           std::move(connection_slot))
      .status();
}

void StreamListener::Close() {
  if (std::exchange(closed_, true)) return;
  if (stream_ != nullptr) {
    // Refuses peers that connect by its descriptor.
    context().sys().Shutdown(stream_->fd(), SHUT_RDWR);
    stream_->CancelReading();
  }
  acceptor_->Close();
}

}  // namespace trolley
