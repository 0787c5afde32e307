// SPDX-License-Identifier: Apache-2.0
//
// TraceContext: a span of a distributed trace, as the traceparent header of W3C
// Trace Context has it (https://www.w3.org/TR/trace-context/). A message
// carries it from actor to actor and across links.
//
//   trolley::TraceContext trace =
//       trolley::TraceContext::FromTraceparent(header)
//           .value_or(trolley::TraceContext());
//   ref.TellWith({.trace = trace}, Deposit{25});
//
// A value; any thread.

#ifndef TROLLEY_BUS_TRACE_CONTEXT_H_
#define TROLLEY_BUS_TRACE_CONTEXT_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/poller/cxx20.h"

namespace trolley {

struct TraceContext {
  std::array<uint8_t, 16> trace_id{};
  std::array<uint8_t, 8> span_id{};
  uint8_t flags = 0;

  // All-zero ids mean "not traced".
  bool valid() const {
    uint64_t trace[2], span;
    std::memcpy(trace, trace_id.data(), sizeof(trace));
    std::memcpy(&span, span_id.data(), sizeof(span));
    return (trace[0] | trace[1]) != 0 && span != 0;
  }
  // "00-<trace id>-<span id>-<flags>"; empty if not valid.
  std::string ToTraceparent() const;
  // InvalidArgument: not a traceparent of version 00.
  static absl::StatusOr<TraceContext> FromTraceparent(absl::string_view text);

  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_TRACE_CONTEXT_H_
