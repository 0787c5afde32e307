// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/connections.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/bus/latch.h"
#include "trolley/poller/clock.h"

namespace trolley::internal {
namespace {

// A client has read an answer a little before it handles it.
constexpr absl::Duration kTimeToHandle = absl::Milliseconds(10);

std::vector<uid_t> AllowedUids(const ControlOptions& options, uid_t own_uid) {
  std::vector<uid_t> allowed = options.allowed_uids;
  allowed.push_back(0);
  allowed.push_back(own_uid);
  return allowed;
}

}  // namespace

Connections::Connections(const Bus& bus, const ControlOptions& options,
                         uid_t own_uid, std::unique_ptr<Acceptor> acceptor)
    : bus_(bus),
      path_(options.path),
      own_uid_(own_uid),
      allowed_uids_(AllowedUids(options, own_uid)),
      max_connections_(options.max_connections),
      max_per_user_(options.max_connections_per_user),
      acceptor_(std::move(acceptor)) {}

bool Connections::IsAllowed(uid_t uid) const {
  return std::find(allowed_uids_.begin(), allowed_uids_.end(), uid) !=
         allowed_uids_.end();
}

bool Connections::HasEnded(const ScopedFd& connection) const {
  char byte;
  iovec into = {.iov_base = &byte, .iov_len = 1};
  msghdr message = {};
  message.msg_iov = &into;
  message.msg_iovlen = 1;
  const ssize_t n =
      bus_.sys().Recvmsg(connection.get(), &message, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && n != -EAGAIN && n != -EINTR);
}

bool Connections::HasReadAll(const ScopedFd& connection) const {
  int unread = 0;
  return bus_.sys().Ioctl(connection.get(), SIOCOUTQ, &unread) < 0 ||
         unread == 0;
}

void Connections::Count(std::atomic<uint64_t>& counter,
                        const UnixCredentials& peer, absl::string_view why) {
  const uint64_t n = counter.fetch_add(1) + 1;
  if ((n & (n - 1)) != 0) return;
  bus_.Log(
      absl::StrCat("control service at ", path_,
                   ": closed a connection of user ", peer.uid, " (process ",
                   peer.pid, "): ", why, "; ", n, " such so far"),
      absl::StrCat("user ", peer.uid));
}

void Connections::ForgetEnded() {
  open_.erase(std::remove_if(open_.begin(), open_.end(),
                             [this](const Open& o) { return HasEnded(o.fd); }),
              open_.end());
}

size_t Connections::CountOf(uid_t uid) const {
  return std::count_if(open_.begin(), open_.end(),
                       [uid](const Open& o) { return o.peer.uid == uid; });
}

uid_t Connections::Largest() const {
  uid_t largest = own_uid_;
  for (const Open& o : open_) {
    if (CountOf(o.peer.uid) > CountOf(largest)) largest = o.peer.uid;
  }
  return largest;
}

void Connections::Displace(uid_t uid, absl::string_view why) {
  const auto longest =
      std::find_if(open_.begin(), open_.end(),
                   [uid](const Open& o) { return o.peer.uid == uid; });
  if (longest == open_.end()) return;
  Count(displaced_, longest->peer, why);
  bus_.sys().Shutdown(longest->fd.get(), SHUT_RDWR);
  open_.erase(longest);
}

bool Connections::MakeRoom(const UnixCredentials& peer) {
  if (CountOf(peer.uid) >= max_per_user_) {
    Displace(peer.uid,
             absl::StrCat("it was the longest open of the ", max_per_user_,
                          " that one user may have "
                          "(ControlOptions::max_connections_per_user)"));
  }
  if (open_.size() < max_connections_) return true;
  const std::string all_taken = absl::StrCat(
      max_connections_, " are open (ControlOptions::max_connections)");
  if (peer.uid != 0 && peer.uid != own_uid_) {
    Count(turned_away_, peer, all_taken);
    return false;
  }
  Displace(Largest(), absl::StrCat("it was the longest open, ", all_taken,
                                   ", and user ", peer.uid, " connects"));
  return true;
}

void Connections::Take(ScopedFd connection) {
  const absl::StatusOr<UnixCredentials> peer =
      PeerCredentials(bus_.sys(), connection.get());
  if (!peer.ok() || !IsAllowed(peer->uid)) {
    Count(refused_peers_, peer.ok() ? *peer : UnixCredentials(),
          peer.ok() ? "it is not in ControlOptions::allowed_uids"
                    : "the kernel does not say whose it is");
    return;
  }
  absl::MutexLock lock(&mutex_);
  ForgetEnded();
  if (closed_ || !MakeRoom(*peer)) return;
  ScopedFd ours(bus_.sys(), bus_.sys().Dup(connection.get()));
  if (!ours) {
    Count(turned_away_, *peer, "no descriptor is left");
    return;
  }
  open_.push_back({.fd = std::move(ours), .peer = *peer});
  // Under the lock, so that gRPC gets no connection after Close().
  Acceptor::NewConnectionParameters parameters;
  parameters.fd = connection.release();
  acceptor_->HandleNewConnection(&parameters);
}

void Connections::Close(absl::Duration patience) {
  std::vector<Open> open;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    open.swap(open_);
  }
  std::vector<const Open*> unread;
  for (const Open& o : open) unread.push_back(&o);
  const Instant until = MonotonicClock().Now() + patience;
  for (;;) {
    unread.erase(
        std::remove_if(unread.begin(), unread.end(),
                       [this](const Open* o) { return HasReadAll(o->fd); }),
        unread.end());
    if (unread.empty() || MonotonicClock().Now() >= until) break;
    // There is no event for this.
    Latch().Wait(absl::Milliseconds(1));
  }
  if (!open.empty()) Latch().Wait(kTimeToHandle);
  for (const Open& o : open) bus_.sys().Shutdown(o.fd.get(), SHUT_RDWR);
}

}  // namespace trolley::internal
