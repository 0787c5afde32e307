// SPDX-License-Identifier: Apache-2.0
//
// TlsDialer: connects as TcpDialer does, and gives the connection a session of
// TLS.
//
// Ownership, threads, bounds and ends: as TcpDialer.

#ifndef TROLLEY_ACTORS_TLS_INTERNAL_TLS_DIALER_H_
#define TROLLEY_ACTORS_TLS_INTERNAL_TLS_DIALER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/link/dialer.h"
#include "trolley/actors/tcp/internal/tcp_dialer.h"
#include "trolley/actors/tls/internal/tls_credentials.h"
#include "trolley/actors/tls/tls_options.h"

namespace trolley::internal {

class TlsDialer final : public Dialer {
 public:
  TlsDialer(std::string endpoint, TlsLinkOptions options);

  const std::string& endpoint() const override { return tcp_.endpoint(); }
  absl::Status Check() override;
  Task<absl::StatusOr<LinkSocket>> Dial(ActorContext context) override;

 private:
  const TlsLinkOptions options_;
  TcpDialer tcp_;
  const std::string peer_name_;
  TlsCredentials credentials_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TLS_INTERNAL_TLS_DIALER_H_
