// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/unix_listener.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/unix_connection.h"
#include "trolley/actors/unix_link.h"
#include "trolley/proto/wire_error.h"

namespace trolley {

UnixListener::UnixListener(UnixListenSocket socket, UnixListenerOptions options)
    : socket_(std::move(socket)), options_(std::move(options)) {}

void UnixListener::Log(absl::string_view what, absl::string_view source,
                       LogKind kind) const {
  loop().bus().Log(absl::StrCat(address().ToString(), ": ", what), source,
                   kind);
}

void UnixListener::OnStart() {
  absl::Status valid = ValidateUnixListenerOptions(options_);
  if (!valid.ok()) {
    Log(valid.message());
    return Stop();
  }
  RunInBackground(Accept());
}

UnixListenerStats UnixListener::On(const GetUnixListenerStats&) {
  UnixListenerStats stats = stats_;
  stats.open = places_.use_count() - 1;
  stats.turned_away = socket_.turned_away();
  return stats;
}

Task<absl::Status> UnixListener::Accept() {
  Sys& sys = loop().bus().sys();
  // The socket keeps its own descriptor, and with it its path.
  ScopedFd watched(sys, sys.Dup(socket_.fd()));
  if (!watched) {
    Log(absl::StrCat("cannot watch ", socket_.path(),
                     ": no descriptor is left; this listener stops"));
    Stop();
    co_return absl::OkStatus();
  }
  Stream stream(loop(), std::move(watched));
  stream_ = &stream;
  absl::Cleanup forget = [this] { stream_ = nullptr; };
  while (!closed_) {
    absl::StatusOr<ScopedFd> accepted = co_await stream.Accept();
    bool could_wait = true;
    if (absl::IsResourceExhausted(accepted.status()) && !closed_) {
      // The socket has a descriptor in reserve, once somebody connects.
      const auto try_once = [this, &accepted]() -> ssize_t {
        if (closed_) return 0;
        accepted = socket_.Accept();
        return absl::IsUnavailable(accepted.status()) ? -EAGAIN : 0;
      };
      absl::StatusOr<size_t> waited =
          co_await stream.Do(Ready::kReadable, SysCall::kAccept4, try_once);
      could_wait = waited.ok();
      if (!could_wait) accepted = waited.status();
    }
    if (closed_) break;
    if (accepted.ok()) {
      out_of_descriptors_ = false;
      Welcome(*std::move(accepted));
      continue;
    }
    if (!absl::IsResourceExhausted(accepted.status())) {
      Log(absl::StrCat(socket_.path(), " accepts no more connections: ",
                       accepted.status().message()));
      Stop();
      break;
    }
    if (!std::exchange(out_of_descriptors_, true)) {
      Log(absl::StrCat("a connection to ", socket_.path(),
                       " was not taken: ", accepted.status().message(),
                       "; raise the limit of open files (ulimit -n)"));
    }
    if (!could_wait || !socket_.has_reserve()) {
      co_await Sleep(options_.pause_without_descriptors);
    }
  }
  co_return absl::OkStatus();
}

void UnixListener::Welcome(ScopedFd connection) {
  BusState& bus = loop().bus();
  const auto turn_away = [&](uint64_t& counter, const absl::Status& why) {
    ++counter;
    const auto who = PeerCredentials(bus.sys(), connection.get());
    Log(absl::StrCat("a connection to ", socket_.path(),
                     " was closed: ", why.message()),
        who.ok() ? absl::StrCat("user ", who->uid) : "");
    TurnAway(bus.sys(), connection.get(), options_.link, bus.instance_id(),
             why);
  };
  absl::StatusOr<UnixCredentials> peer =
      AllowedPeer(bus.sys(), connection.get(), options_.link);
  if (!peer.ok()) return turn_away(stats_.not_permitted, peer.status());
  const auto over_limit = [&](absl::string_view what) {
    turn_away(stats_.over_limit,
              wire::MakeWireError(wire::WireError::kTooManyConnections,
                                  std::string_view(what.data(), what.size())));
  };
  if (On(GetUnixListenerStats()).open >= options_.max_connections) {
    return over_limit(absl::StrCat(
        options_.max_connections,
        " are open, which is UnixListenerOptions::max_connections"));
  }
  SpawnOptions spawn;
  spawn.name = absl::StrCat(address().ToString(), "/", stats_.accepted + 1);
  if (!Names::Check(spawn.name).ok()) spawn.name.clear();  // it has none itself
  absl::StatusOr<Ref<UnixLink>> link = Spawn<UnixLink>(
      spawn, std::move(connection), *peer, options_.link, places_);
  if (link.ok()) {
    ++stats_.accepted;
  } else {
    ++stats_.over_limit;
    Log(absl::StrCat("a connection to ", socket_.path(),
                     " was closed: ", link.status().message()));
  }
}

void UnixListener::Close() {
  if (std::exchange(closed_, true)) return;
  if (stream_ != nullptr) {
    // Refuses whoever connects by its descriptor.
    loop().bus().sys().Shutdown(stream_->fd(), SHUT_RDWR);
    stream_->CancelReading();
  }
  socket_.Close();
}

}  // namespace trolley
