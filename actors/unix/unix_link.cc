// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/unix/unix_link.h"

#include <memory>
#include <utility>

#include "trolley/actors/unix/internal/unix_peer.h"
#include "trolley/actors/unix/unix_socket.h"

namespace trolley {
namespace {

class UnixDialer : public Dialer {
 public:
  UnixDialer(std::string path, UnixSocketType type,
             std::vector<uid_t> allowed_uids)
      : path_(std::move(path)),
        type_(type),
        allowed_uids_(std::move(allowed_uids)) {}

  const std::string& endpoint() const override { return path_; }
  absl::Status Check() override {
    return CheckUnixSocketType(type_, "UnixLinkOptions::type");
  }

  // Never waits: the kernel connects at once, or not at all.
  Task<absl::StatusOr<LinkSocket>> Dial(ActorContext context) override {
    Sys& sys = context.sys();
    absl::StatusOr<ScopedFd> fd = ConnectUnix(sys, path_, type_);
    if (!fd.ok()) co_return fd.status();
    absl::StatusOr<LinkPeer> peer = internal::UnixPeerOf(sys, fd->get());
    absl::Status allowed = peer.ok() ? internal::AllowUnixPeer(
                                           sys, fd->get(), *peer, allowed_uids_)
                                     : peer.status();
    // mutant: P13_AConnectionWithAnUnknownPeerIsLeftOpen
    if (!allowed.ok()) co_return allowed;
    LinkSocket connected{.fd = *std::move(fd), .peer = *std::move(peer)};
    co_return std::move(connected);
  }

 private:
  const std::string path_;
  const UnixSocketType type_;
  const std::vector<uid_t> allowed_uids_;
};

}  // namespace

UnixLink::UnixLink(std::string path, UnixLinkOptions options)
    : StreamLink(std::make_unique<UnixDialer>(std::move(path), options.type,
                                              options.allowed_uids),
                 std::move(options)) {}

UnixLink::UnixLink(LinkSocket connected, LinkOptions options,
                   std::shared_ptr<void> connection_slot)
    : StreamLink(std::move(connected), std::move(options),
                 std::move(connection_slot)) {}

absl::Status ValidateUnixLinkOptions(const UnixLinkOptions& options) {
  absl::Status valid = ValidateLinkOptions(options);
  return valid.ok() ? CheckUnixSocketType(options.type, "UnixLinkOptions::type")
                    : valid;
}

}  // namespace trolley
