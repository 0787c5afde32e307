// SPDX-License-Identifier: Apache-2.0
//
// TlsAcceptor: takes connections as TcpAcceptor does, and gives each a session
// of TLS.
//
// Ownership, threads, bounds and ends: as TcpAcceptor.

#ifndef TROLLEY_ACTORS_TLS_INTERNAL_TLS_ACCEPTOR_H_
#define TROLLEY_ACTORS_TLS_INTERNAL_TLS_ACCEPTOR_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/context.h"
#include "trolley/actors/tcp/internal/tcp_acceptor.h"
#include "trolley/actors/tls/internal/tls_credentials.h"
#include "trolley/actors/tls/tls_options.h"

namespace trolley::internal {

class TlsAcceptor final : public TcpAcceptor {
 public:
  TlsAcceptor(TcpListenSocket socket, TlsListenerOptions options);

  absl::Status Start(Sys& sys) override;
  absl::StatusOr<std::unique_ptr<LinkSession>> NewSession(
      const ActorContext& context) override;
  // A peer that waits for TLS could not read it.
  bool tells_why() const override { return false; }

 private:
  const TlsListenerOptions options_;
  TlsCredentials credentials_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TLS_INTERNAL_TLS_ACCEPTOR_H_
