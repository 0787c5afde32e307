// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/tcp_link_options.h"

#include "absl/strings/str_cat.h"
#include "trolley/actors/tcp/tcp_address.h"

namespace trolley {
namespace {

absl::Status Invalid(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, " ", what));
}

absl::Status CheckPositive(absl::string_view field, absl::Duration time) {
  if (time > absl::ZeroDuration()) return absl::OkStatus();
  return Invalid(field, absl::StrCat("is ", absl::FormatDuration(time),
                                     "; it is above 0"));
}

}  // namespace

absl::Status ValidateTcpLinkOptions(const TcpLinkOptions& options) {
  const absl::Status checks[] = {
      ValidateLinkOptions(options),
      ValidateTcpSocketOptions(options.socket),
      options.lookup != nullptr ? absl::OkStatus()
                                : Invalid("TcpLinkOptions::lookup", "is empty"),
      CheckPositive("TcpLinkOptions::lookup_timeout", options.lookup_timeout),
      CheckPositive("TcpLinkOptions::connect_timeout", options.connect_timeout),
  };
  for (const absl::Status& status : checks) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ValidateTcpListenerOptions(const TcpListenerOptions& options) {
  const absl::Status checks[] = {
      ValidateListenerOptions(options),
      ValidateLinkOptions(options.link),
      ValidateTcpSocketOptions(options.socket),
      !options.allowed_networks.empty()
          ? absl::OkStatus()
          : Invalid("TcpListenerOptions::allowed_networks",
                    "is empty; no peer could connect"),
      options.max_connections_per_address > 0
          ? absl::OkStatus()
          : Invalid("TcpListenerOptions::max_connections_per_address",
                    "is 0; no peer could connect"),
      options.max_new_per_second > 0
          ? absl::OkStatus()
          : Invalid("TcpListenerOptions::max_new_per_second",
                    "is 0; no peer could connect"),
  };
  for (const absl::Status& status : checks) {
    if (!status.ok()) return status;
  }
  for (const std::string& network : options.allowed_networks) {
    if (const auto parsed = TcpNetwork::Parse(network); !parsed.ok()) {
      return Invalid("TcpListenerOptions::allowed_networks:",
                     parsed.status().message());
    }
  }
  return absl::OkStatus();
}

}  // namespace trolley
