// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/stream_link.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/link/internal/protobuf_log.h"
#include "trolley/actors/link/internal/socket_transport.h"
#include "trolley/actors/link/link_transport.h"

namespace trolley {

StreamLink::StreamLink(std::unique_ptr<Dialer> dialer, LinkOptions options)
    : dialer_(std::move(dialer)),
      state_(*this, std::move(options), dialer_->endpoint(), LinkPeer()),
      sender_(state_),
      watches_(state_, sender_),
      receiver_(state_, sender_, WatchesForPeer()) {}

StreamLink::StreamLink(LinkSocket connected, LinkOptions options,
                       std::shared_ptr<void> connection_slot)
    : accepted_(std::move(connected)),
      connection_slot_(std::move(connection_slot)),
      state_(*this, std::move(options), "", accepted_.peer),
      sender_(state_),
      watches_(state_, sender_),
      receiver_(state_, sender_, WatchesForPeer()) {}

// --- Messages --------------------------------------------------------------

MaybeTask<absl::Status> StreamLink::On(LinkTell&& tell) {
  return sender_.Tell(tell, {.deadline = std::min(tell.deadline, deadline()),
                             .trace = trace()});
}

Task<absl::StatusOr<WireMessage>> StreamLink::On(LinkAsk&& ask) {
  return sender_.Ask(ask, {.deadline = deadline(), .trace = trace()});
}

LinkStats StreamLink::On(const GetLinkStats&) {
  LinkStats stats = state_.stats;
  stats.connected =
      state_.phase == Phase::kConnected && !state_.connection->ended();
  if (stats.connected) stats.unwritten_bytes = state_.connection->unwritten();
  stats.pending_asks = sender_.pending_asks();
  stats.targets = receiver_.targets();
  stats.watches = watches_.count();
  stats.peer_watches = receiver_.watches();
  return stats;
}

Task<LinkLedger> StreamLink::On(const GetLinkLedger&) {
  LinkLedger ledger = co_await sender_.ReadLedger(
      std::min(deadline(), context().Now() + state_.options.heartbeat));
  ledger.written = state_.stats.written;
  co_return ledger;
}

void StreamLink::On(internal::LinkWatch&& watch) {
  watches_.Begin(std::move(watch.down));
}

void StreamLink::On(const internal::LinkUnwatch& unwatch) {
  watches_.Forget(*unwatch.owed);
}

void StreamLink::On(const Down& down) { receiver_.HearDown(down); }

internal::PeerWatches::Begins StreamLink::WatchesForPeer() {
  return [this](const Address& actor) { return Watch(Self(this), actor); };
}

// --- The life of the link --------------------------------------------------

void StreamLink::OnStart() {
  internal::RouteProtobufLog();
  state_.Start(context());
  random_.seed(state_.options.jitter_seed != 0 ? state_.options.jitter_seed
                                               : context().instance_id());
  absl::Status valid = ValidateLinkOptions(state_.options);
  if (valid.ok() && dialer_ != nullptr) valid = dialer_->Check();
  if (!valid.ok()) {
    state_.Log(valid.message());
    state_.phase = Phase::kDown;
    state_.down_end = LinkEnd::kNoConnection;
    state_.down_reason = valid;
    return Stop();
  }
  RunInBackground(Live());
}

Task<absl::StatusOr<LinkSocket>> StreamLink::Connect() {
  if (dialer_ == nullptr) co_return std::move(accepted_);
  co_return co_await dialer_->Dial(context());
}

absl::StatusOr<StreamLink::Connection> StreamLink::Open(LinkSocket socket) {
  if (socket.transport == nullptr) {
    absl::StatusOr<std::unique_ptr<LinkTransport>> transport =
        internal::NewSocketTransport(context().sys(), std::move(socket.fd));
    if (!transport.ok()) return transport.status();
    socket.transport = *std::move(transport);
  }
  absl::Status started = socket.transport->Start(context());
  if (!started.ok()) return started;
  return std::make_shared<internal::LinkConnection>(
      context(), std::move(socket.transport), std::move(socket.session),
      state_.options, state_.stats, state_.changed);
}

absl::Duration StreamLink::NextBackoff() {
  const LinkOptions& options = state_.options;
  absl::Duration wait = options.backoff_first;
  for (uint32_t i = 1; i < failures_ && wait < options.backoff_last; ++i) {
    wait *= 2;
  }
  wait = std::min(wait, options.backoff_last);
  std::uniform_real_distribution<double> share(0.5, 1.0);
  return wait * share(random_);
}

Task<absl::Status> StreamLink::Live() {
  for (;;) {
    const bool was_connected = co_await LiveOnce();
    if (!was_connected && failures_ == 0) {
      state_.Log(
          absl::StrCat("no connection ", dialer_ != nullptr ? "to " : "from ",
                       state_.PeerName(), ": ", state_.down_reason.message()));
    }
    co_await GoDown();
    if (dialer_ == nullptr || !state_.options.reconnect || state_.draining) {
      break;
    }
    failures_ = state_.useful ? 1 : failures_ + 1;
    co_await Sleep(NextBackoff());
    if (state_.draining) break;
  }
  if (!state_.draining) Stop();
  co_return absl::OkStatus();
}

Task<bool> StreamLink::LiveOnce() {
  state_.phase = Phase::kConnecting;
  state_.useful = false;
  absl::StatusOr<LinkSocket> socket = co_await Connect();
  state_.down_end = LinkEnd::kNoConnection;
  state_.down_reason = socket.status();
  if (!socket.ok()) co_return false;
  state_.peer = socket->peer;
  const absl::StatusOr<Connection> opened = Open(*std::move(socket));
  state_.down_end = LinkEnd::kSystem;
  state_.down_reason = opened.status();
  if (!opened.ok()) co_return false;
  const Connection& connection = *opened;
  state_.connection = connection;
  const uint64_t unsent = state_.stats.unsent;
  co_await Converse(connection);
  state_.down_end = connection->end();
  state_.down_reason = connection->reason();
  if (state_.phase != Phase::kConnected) co_return false;
  const uint64_t lost = state_.stats.unsent - unsent;
  if (lost > 0 || state_.down_end != LinkEnd::kGoAway) {
    state_.Log(absl::StrCat("the connection to ", state_.PeerName(), " ended: ",
                            state_.down_reason.ok()
                                ? "its link was stopped"
                                : state_.down_reason.message(),
                            "; ", lost, " messages unsent"));
  }
  co_return true;
}

LinkDown StreamLink::MakeDown() {
  return {.link = Self(this),
          .end = state_.down_end,
          .reason = state_.down_reason,
          .stats = On(GetLinkStats())};
}

Task<absl::Status> StreamLink::GoDown() {
  state_.phase = Phase::kDown;
  state_.SetConnected(false);
  if (state_.connection != nullptr) sender_.FailAsks(*state_.connection);
  state_.connection.reset();
  receiver_.Forget();
  state_.changed.Notify();
  // What arrived is delivered before the watcher hears of the end.
  // mutant: P15_TheEndIsToldBeforeWhatArrived
  while (state_.stats.queued > 0) co_await state_.drained.Wait();
  if (state_.options.watcher && told_ != Told::kDown) {
    auto told = state_.options.watcher.Send(MakeDown());
    (co_await told).IgnoreError();
    told_ = Told::kDown;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> StreamLink::Write(Connection connection) {
  co_return co_await connection->Write();
}

Task<absl::Status> StreamLink::TellUp(Connection connection) {
  const LinkPeer& peer = state_.peer;
  LinkUp up{.link = Self(this),
            .peer_instance_id = connection->agreement().peer_instance_id,
            .peer_uid = peer.uid.value_or(LinkUp::kUnknownUid),
            .peer_pid = peer.pid.value_or(0),
            .peer_identity = peer.identity};
  auto told = state_.options.watcher.Send(std::move(up));
  (co_await told).IgnoreError();
  told_ = Told::kUp;
  co_return absl::OkStatus();
}

Task<absl::Status> StreamLink::Converse(Connection connection) {
  RunInBackground(Write(connection));
  absl::Status shaken =
      co_await connection->Handshake(context().instance_id(), state_.peer);
  if (!shaken.ok()) co_return shaken;
  ++state_.stats.connections;
  sender_.BeginConnection();
  state_.SetConnected(true);  // before the watcher hears of it
  if (state_.options.watcher) co_await TellUp(connection);
  if (state_.draining) connection->SendGoAway(internal::kGoAwayDraining);
  state_.phase = Phase::kConnected;
  state_.changed.Notify();
  do {
    co_await receiver_.HandleFrames(connection);
  } while (!connection->ended() && co_await connection->ReadMore());
  if (!connection->ended()) {
    co_await receiver_.LetReadyAnswersOut();
    connection->EndOfInput();
  }
  co_return absl::OkStatus();
}

void StreamLink::OnDrain() {
  state_.draining = true;
  if (state_.phase == Phase::kConnected && !state_.connection->ended()) {
    state_.connection->SendGoAway(internal::kGoAwayDraining);
  }
}

void StreamLink::OnStop() {
  const Connection& connection = state_.connection;
  if (connection != nullptr && connection->ended()) {
    state_.down_end = connection->end();
    state_.down_reason = connection->reason();
  } else if (state_.phase != Phase::kDown) {
    state_.down_end = LinkEnd::kStopped;
    state_.down_reason =
        absl::CancelledError(state_.draining ? "this process is shutting down"
                                             : "this link was stopped");
  }
  if (connection != nullptr && !connection->ended()) {
    // mutant: P15_ALinkThatWaitsForItsWatcherEndsWithoutGoAway
    if (connection->established() && !connection->said_go_away()) {
      connection->SendGoAway(state_.draining ? internal::kGoAwayDraining
                                             : internal::kGoAwayStopped);
    }
    const uint64_t unsent = state_.stats.unsent;
    connection->End(state_.down_end, state_.down_reason);
    if (state_.stats.unsent > unsent) {
      state_.Log(absl::StrCat("stopped with ", state_.stats.unsent - unsent,
                              " messages unsent to ", state_.PeerName()));
    }
  }
  state_.phase = Phase::kDown;
  // Also if the mailbox of the watcher is full.
  if (state_.options.watcher && told_ != Told::kDown) {
    // mutant: P15_AWatcherWithAFullMailboxDoesNotHearTheEnd
    (void)TellLast(state_.options.watcher, MakeDown());
  }
}

}  // namespace trolley
