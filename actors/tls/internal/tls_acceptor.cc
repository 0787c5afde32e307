// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tls/internal/tls_acceptor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/tls/internal/tls_session.h"

namespace trolley::internal {

TlsAcceptor::TlsAcceptor(TcpListenSocket socket, TlsListenerOptions options)
    : TcpAcceptor(std::move(socket), options),
      options_(std::move(options)),
      credentials_(options_.tls, options_.peers_need_certificates
                                     ? TlsRole::kStrictListener
                                     : TlsRole::kListener) {}

absl::Status TlsAcceptor::Start(Sys& sys) {
  absl::Status valid = ValidateTlsListenerOptions(options_);
  if (valid.ok()) valid = TcpAcceptor::Start(sys);
  return valid.ok() ? credentials_.Load() : valid;
}

absl::StatusOr<std::unique_ptr<LinkSession>> TlsAcceptor::NewSession(
    const ActorContext& context) {
  absl::StatusOr<SslPtr> ssl = credentials_.NewSsl(
      context.sys(), context.Now(), [&](absl::string_view line) {
        context.Log(absl::StrCat("listener at ", endpoint(), ": ", line),
                    endpoint());
      });
  if (!ssl.ok()) return ssl.status();
  return TlsSession::Accept(*std::move(ssl), options_.tls);
}

}  // namespace trolley::internal
