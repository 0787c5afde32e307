// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/tcp_socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"

namespace trolley {
namespace {

// Those of the kernel.
constexpr absl::Duration kMostKeepalive = absl::Seconds(32767);
constexpr int kMostProbes = 127;
constexpr absl::Duration kMostUnacknowledged =
    absl::Milliseconds(std::numeric_limits<int32_t>::max());

absl::Status CheckTime(absl::string_view field, absl::Duration value,
                       absl::Duration most, bool may_be_infinite) {
  if (value > absl::ZeroDuration() &&
      (value <= most ||
       (may_be_infinite && value == absl::InfiniteDuration()))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "TcpSocketOptions::", field, " is ", absl::FormatDuration(value),
      "; it is above 0, and at most ", absl::FormatDuration(most),
      may_be_infinite ? " or infinite" : ""));
}

int InUnits(absl::Duration value, absl::Duration unit) {
  return static_cast<int>(absl::Ceil(value, unit) / unit);
}

}  // namespace

absl::Status ValidateTcpSocketOptions(const TcpSocketOptions& options) {
  const absl::Status checks[] = {
      CheckTime("keepalive_idle", options.keepalive_idle, kMostKeepalive,
                /*may_be_infinite=*/true),
      CheckTime("keepalive_interval", options.keepalive_interval,
                kMostKeepalive, /*may_be_infinite=*/false),
      options.keepalive_count >= 1 && options.keepalive_count <= kMostProbes
          ? absl::OkStatus()
          : absl::InvalidArgumentError(absl::StrCat(
                "TcpSocketOptions::keepalive_count is ",
                options.keepalive_count, "; it is 1 to ", kMostProbes)),
      CheckTime("unacknowledged_limit", options.unacknowledged_limit,
                kMostUnacknowledged, /*may_be_infinite=*/true),
  };
  for (const absl::Status& status : checks) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SetTcpSocketOptions(Sys& sys, int fd,
                                 const TcpSocketOptions& options) {
  const absl::Duration never = absl::InfiniteDuration();
  const bool probes = options.keepalive_idle != never;
  const absl::Duration idle = probes ? options.keepalive_idle : kMostKeepalive;
  const bool limited = options.unacknowledged_limit != never;
  const absl::Duration limit =
      limited ? options.unacknowledged_limit : absl::ZeroDuration();
  const struct {
    const char* name;
    int level;
    int option;
    int value;
  } settings[] = {
      {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1},
      {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, probes ? 1 : 0},
      {"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE,
       InUnits(idle, absl::Seconds(1))},
      {"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL,
       InUnits(options.keepalive_interval, absl::Seconds(1))},
      {"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, options.keepalive_count},
      {"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT,
       InUnits(limit, absl::Milliseconds(1))},
  };
  for (const auto& one : settings) {
    const int result = sys.Setsockopt(fd, one.level, one.option, &one.value,
                                      sizeof(one.value));
    if (result < 0) {
      return ErrnoStatus(result, SysCall::kSetsockopt, one.name);
    }
  }
  return absl::OkStatus();
}

}  // namespace trolley
