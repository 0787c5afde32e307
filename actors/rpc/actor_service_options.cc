// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/actor_service_options.h"

#include "trolley/actors/rpc/internal/check_field.h"

namespace trolley {

absl::Status ValidateActorServiceOptions(const ActorServiceOptions& options) {
  const internal::CheckField check("ActorServiceOptions::");
  const absl::Status checks[] = {
      check.Number("max_calls", options.max_calls, (1u << 31) - 1),
      check.Number("max_streams", options.max_streams, (1u << 31) - 1),
      check.Number("max_message_bytes", options.max_message_bytes, 1u << 30),
      check.Time("default_deadline", options.default_deadline),
      check.Time("longest_deadline", options.longest_deadline),
      check.Time("longest_stream", options.longest_stream),
      check.Number("stream_messages", options.stream_messages, 1u << 20),
      check.Number("stream_bytes", options.stream_bytes, 1u << 30),
      check.Time("stream_patience", options.stream_patience),
  };
  for (const absl::Status& status : checks) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace trolley
