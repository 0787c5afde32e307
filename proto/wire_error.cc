// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/wire_error.h"

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace trolley::wire {
namespace {

constexpr char kPayloadUrl[] = "trolleybus/wire_error";

struct Description {
  WireError error;
  const char* name;
  absl::StatusCode code;
};

constexpr Description kDescriptions[] = {
    {WireError::kBadMagic, "BAD_MAGIC", absl::StatusCode::kInvalidArgument},
    {WireError::kBadHello, "BAD_HELLO", absl::StatusCode::kInvalidArgument},
    {WireError::kNoCommonVersion, "NO_COMMON_VERSION",
     absl::StatusCode::kFailedPrecondition},
    {WireError::kFrameBeforeHello, "FRAME_BEFORE_HELLO",
     absl::StatusCode::kInvalidArgument},
    {WireError::kDuplicateHello, "DUPLICATE_HELLO",
     absl::StatusCode::kInvalidArgument},
    {WireError::kBadHeaderCrc, "BAD_HEADER_CRC", absl::StatusCode::kDataLoss},
    {WireError::kReservedBits, "RESERVED_BITS",
     absl::StatusCode::kInvalidArgument},
    {WireError::kUnknownType, "UNKNOWN_TYPE", absl::StatusCode::kUnimplemented},
    {WireError::kFrameTooLong, "FRAME_TOO_LONG",
     absl::StatusCode::kResourceExhausted},
    {WireError::kBadLength, "BAD_LENGTH", absl::StatusCode::kInvalidArgument},
    {WireError::kTooManyFds, "TOO_MANY_FDS",
     absl::StatusCode::kResourceExhausted},
    {WireError::kUnknownStream, "UNKNOWN_STREAM",
     absl::StatusCode::kInvalidArgument},
    {WireError::kBadSequence, "BAD_SEQUENCE",
     absl::StatusCode::kInvalidArgument},
    {WireError::kBadPayloadCrc, "BAD_PAYLOAD_CRC", absl::StatusCode::kDataLoss},
    {WireError::kCreditOverflow, "CREDIT_OVERFLOW",
     absl::StatusCode::kOutOfRange},
    {WireError::kCreditOverrun, "CREDIT_OVERRUN",
     absl::StatusCode::kResourceExhausted},
    {WireError::kTorn, "TORN", absl::StatusCode::kDataLoss},
    {WireError::kBadEnvelope, "BAD_ENVELOPE",
     absl::StatusCode::kInvalidArgument},
    {WireError::kHandshakeTimeout, "HANDSHAKE_TIMEOUT",
     absl::StatusCode::kDeadlineExceeded},
    {WireError::kNotPermitted, "NOT_PERMITTED",
     absl::StatusCode::kPermissionDenied},
    {WireError::kTooManyConnections, "TOO_MANY_CONNECTIONS",
     absl::StatusCode::kResourceExhausted},
    {WireError::kLineTooLong, "LINE_TOO_LONG",
     absl::StatusCode::kResourceExhausted},
    {WireError::kMessageTooLong, "MESSAGE_TOO_LONG",
     absl::StatusCode::kResourceExhausted},
    {WireError::kBadVarint, "BAD_VARINT", absl::StatusCode::kInvalidArgument},
};

const Description* Find(WireError error) {
  for (const Description& d : kDescriptions) {
    if (d.error == error) return &d;
  }
  return nullptr;
}

}  // namespace

std::string WireErrorName(WireError error) {
  const Description* d = Find(error);
  if (d != nullptr) return d->name;
  return absl::StrCat("WIRE_ERROR_", static_cast<uint16_t>(error));
}

std::ostream& operator<<(std::ostream& to, WireError error) {
  return to << WireErrorName(error);
}

absl::Status MakeWireError(WireError error, std::string_view text) {
  const Description* d = Find(error);
  absl::Status status(
      d != nullptr ? d->code : absl::StatusCode::kUnknown,
      absl::StrCat(WireErrorName(error), ": ",
                   absl::string_view(text.data(), text.size())));
  status.SetPayload(kPayloadUrl,
                    absl::Cord(absl::StrCat(static_cast<uint16_t>(error))));
  return status;
}

WireError WireErrorOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadUrl);
  uint32_t number = 0;
  if (!payload.has_value() ||
      !absl::SimpleAtoi(std::string(*payload), &number) || number > 0xFFFF) {
    return WireError::kNone;
  }
  return static_cast<WireError>(number);
}

}  // namespace trolley::wire
