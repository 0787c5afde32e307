// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/unix/unix_listener.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trolley/actors/unix/internal/unix_peer.h"
#include "trolley/actors/unix/unix_link.h"

namespace trolley {
namespace {

class UnixAcceptor : public Acceptor {
 public:
  UnixAcceptor(UnixListenSocket socket, const UnixLinkOptions& link)
      : socket_(std::move(socket)),
        type_(link.type),
        allowed_uids_(link.allowed_uids) {}

  absl::Status Start(Sys&) override {
    return CheckUnixSocketType(type_, "UnixLinkOptions::type");
  }
  const std::string& endpoint() const override { return socket_.path(); }
  int fd() const override { return socket_.fd(); }
  absl::StatusOr<ScopedFd> Accept() override { return socket_.Accept(); }
  bool has_reserve() const override { return socket_.has_reserve(); }
  uint64_t turned_away() const override { return socket_.turned_away(); }
  absl::StatusOr<LinkPeer> PeerOf(Sys& sys, int fd) const override {
    return internal::UnixPeerOf(sys, fd);
  }
  absl::Status MayConnect(Sys& sys, int fd,
                          const LinkPeer& peer) const override {
    return internal::AllowUnixPeer(sys, fd, peer, allowed_uids_);
  }
  void Close() override { socket_.Close(); }

 private:
  UnixListenSocket socket_;
  const UnixSocketType type_;  // of the options; the socket has its own
  const std::vector<uid_t> allowed_uids_;
};

}  // namespace

UnixListener::UnixListener(UnixListenSocket socket, UnixListenerOptions options)
    : StreamListener(
          std::make_unique<UnixAcceptor>(std::move(socket), options.link),
          options, options.link) {}

absl::Status UnixListener::SpawnLink(const SpawnOptions& spawn,
                                     LinkSocket& connection,
                                     std::shared_ptr<void> connection_slot) {
  return Spawn<UnixLink>(spawn, std::move(connection), link_options(),
                         std::move(connection_slot))
      .status();
}

absl::Status ValidateUnixListenerOptions(const UnixListenerOptions& options) {
  absl::Status valid = ValidateListenerOptions(options);
  return valid.ok() ? ValidateUnixLinkOptions(options.link) : valid;
}

}  // namespace trolley
