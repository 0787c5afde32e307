// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/link_options.h"

#include "absl/strings/str_cat.h"
#include "trolley/proto/credit.h"
#include "trolley/proto/frame.h"

namespace trolley {
namespace {

// Of LinkOptions::outbox_bytes: sums of it stay far from overflowing.
constexpr uint64_t kMostOutboxBytes = uint64_t{1} << 40;

}  // namespace

absl::Status ValidateLinkOptions(const LinkOptions& options) {
  const auto check = [](bool good, absl::string_view what) {
    return good ? absl::OkStatus()
                : absl::InvalidArgumentError(
                      absl::StrCat("LinkOptions::", what));
  };
  const auto in_range = [](absl::string_view field, uint64_t value,
                           uint64_t least, uint64_t most) {
    if (value >= least && value <= most) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("LinkOptions::", field, " is ", value, "; it must be ",
                     least, " to ", most));
  };
  const auto positive = [&check](absl::string_view field, absl::Duration time) {
    return check(time > absl::ZeroDuration(),
                 absl::StrCat(field, " is ", absl::FormatDuration(time),
                              "; it is above 0"));
  };
  const uint64_t least_credit =
      2 * (uint64_t{options.max_frame_bytes} + wire::kFrameHeaderBytes);
  const absl::Status checks[] = {
      in_range("max_frame_bytes", options.max_frame_bytes,
               wire::kLeastMaxFrameBytes, wire::kMostMaxFrameBytes),
      in_range("credit_bytes", options.credit_bytes, least_credit,
               wire::kMostCreditBytes),
      in_range("outbox_bytes", options.outbox_bytes, 1, kMostOutboxBytes),
      in_range("outbox_messages", options.outbox_messages, 1, SIZE_MAX),
      positive("handshake_deadline", options.handshake_deadline),
      positive("write_deadline", options.write_deadline),
      check(
          options.heartbeat >= absl::Milliseconds(1),
          absl::StrCat("heartbeat is ", absl::FormatDuration(options.heartbeat),
                       "; it is 1ms or more")),
      positive("backoff_first", options.backoff_first),
      check(options.backoff_first <= options.backoff_last,
            absl::StrCat("backoff_last is ",
                         absl::FormatDuration(options.backoff_last),
                         ", less than backoff_first, which is ",
                         absl::FormatDuration(options.backoff_first))),
  };
  for (const absl::Status& status : checks) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ValidateListenerOptions(const ListenerOptions& options) {
  if (options.max_connections == 0) {
    return absl::InvalidArgumentError(
        "ListenerOptions::max_connections is 0; no peer could connect");
  }
  if (options.pause_without_descriptors <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("ListenerOptions::pause_without_descriptors is ",
                     absl::FormatDuration(options.pause_without_descriptors),
                     "; it is above 0"));
  }
  return absl::OkStatus();
}

}  // namespace trolley
