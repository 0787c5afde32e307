// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tls/internal/tls_dialer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/tcp/tcp_address.h"
#include "trolley/actors/tls/internal/tls_session.h"

namespace trolley::internal {
namespace {

std::string PeerName(const std::string& endpoint,
                     const TlsLinkOptions& options) {
  if (!options.peer_name.empty()) return options.peer_name;
  const absl::StatusOr<TcpEndpoint> parsed = TcpEndpoint::Parse(endpoint);
  if (!parsed.ok()) return "";  // TcpDialer::Check() says it
  return parsed->address.has_value() ? parsed->address->ip() : parsed->host;
}

}  // namespace

TlsDialer::TlsDialer(std::string endpoint, TlsLinkOptions options)
    : options_(std::move(options)),
      tcp_(endpoint, options_),
      peer_name_(PeerName(endpoint, options_)),
      credentials_(options_.tls, TlsRole::kLink) {}

absl::Status TlsDialer::Check() {
  absl::Status valid = ValidateTlsLinkOptions(options_);
  if (valid.ok()) valid = tcp_.Check();
  return valid.ok() ? credentials_.Load() : valid;
}

Task<absl::StatusOr<LinkSocket>> TlsDialer::Dial(ActorContext context) {
  absl::StatusOr<LinkSocket> connected = co_await tcp_.Dial(context);
  if (!connected.ok()) co_return std::move(connected);
  absl::StatusOr<SslPtr> ssl = credentials_.NewSsl(
      context.sys(), context.Now(), [&](absl::string_view line) {
        context.Log(absl::StrCat("link to ", endpoint(), ": ", line),
                    endpoint());
      });
  if (!ssl.ok()) co_return ssl.status();
  absl::StatusOr<std::unique_ptr<LinkSession>> session =
      TlsSession::Dial(*std::move(ssl), options_.tls, peer_name_);
  if (!session.ok()) co_return session.status();
  connected->session = *std::move(session);
  co_return std::move(connected);
}

}  // namespace trolley::internal
