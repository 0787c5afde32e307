// SPDX-License-Identifier: Apache-2.0
//
// TcpDialer: connects to a host and a port. It looks the name up, and tries the
// addresses one after the other until one connects.
//
//   auto dialer = std::make_unique<TcpDialer>("db.internal:7000", options);
//
// Ownership: the link owns it.
// Threads:   loop thread only; the lookup runs on a thread of `blocking`.
// Bounds:    kMostTcpAddresses addresses in one Dial(), each with a timeout.
// Ends:      with the link. A lookup that runs then goes on, and its result is
//            dropped.

#ifndef TROLLEY_ACTORS_TCP_INTERNAL_TCP_DIALER_H_
#define TROLLEY_ACTORS_TCP_INTERNAL_TCP_DIALER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trolley/actors/link/dialer.h"
#include "trolley/actors/tcp/tcp_address.h"
#include "trolley/actors/tcp/tcp_link_options.h"

namespace trolley::internal {

class TcpDialer final : public Dialer {
 public:
  TcpDialer(std::string endpoint, TcpLinkOptions options);

  const std::string& endpoint() const override { return endpoint_; }
  absl::Status Check() override;
  Task<absl::StatusOr<LinkSocket>> Dial(ActorContext context) override;

 private:
  Task<absl::StatusOr<std::vector<TcpAddress>>> LookUp() const;

  const std::string endpoint_;
  const absl::StatusOr<TcpEndpoint> parsed_;
  const TcpLinkOptions options_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TCP_INTERNAL_TCP_DIALER_H_
