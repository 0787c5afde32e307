// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/trace_context.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

constexpr size_t kTraceparentLength = 2 + 1 + 32 + 1 + 16 + 1 + 2;

std::string Hex(const uint8_t* bytes, size_t size) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes), size));
}

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

// `text` has two digits for each byte.
template <size_t kSize>
void ParseHex(absl::string_view text, std::array<uint8_t, kSize>& out) {
  for (size_t i = 0; i < kSize; ++i) {
    uint32_t byte = 0;
    (void)absl::SimpleHexAtoi(text.substr(2 * i, 2), &byte);
    out[i] = static_cast<uint8_t>(byte);
  }
}

}  // namespace

std::string TraceContext::ToTraceparent() const {
  if (!valid()) return "";
  return absl::StrCat("00-", Hex(trace_id.data(), trace_id.size()), "-",
                      Hex(span_id.data(), span_id.size()), "-", Hex(&flags, 1));
}

absl::StatusOr<TraceContext> TraceContext::FromTraceparent(
    absl::string_view text) {
  const absl::string_view trace = text.substr(std::min<size_t>(3, text.size()));
  if (text.size() != kTraceparentLength || text.substr(0, 3) != "00-" ||
      text[35] != '-' || text[52] != '-' || !IsLowerHex(trace.substr(0, 32)) ||
      !IsLowerHex(text.substr(36, 16)) || !IsLowerHex(text.substr(53, 2))) {
    return absl::InvalidArgumentError(absl::StrCat(
        "not a traceparent of version 00 (want 00-<32 hex>-<16 hex>-<2 hex>): ",
        Printable(text, kTraceparentLength)));
  }
  TraceContext context;
  ParseHex(trace.substr(0, 32), context.trace_id);
  ParseHex(text.substr(36, 16), context.span_id);
  std::array<uint8_t, 1> flags;
  ParseHex(text.substr(53, 2), flags);
  context.flags = flags[0];
  if (!context.valid()) {
    return absl::InvalidArgumentError("a traceparent with an all-zero id");
  }
  return context;
}

}  // namespace trolley
