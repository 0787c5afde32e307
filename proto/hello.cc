// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/hello.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trolley/proto/little_endian.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {
namespace {

using internal::LoadLittleEndian;
using internal::StoreLittleEndian;

constexpr uint64_t kHeaderCost = 24;  // kFrameHeaderBytes

}  // namespace

absl::Status ValidateHello(const Hello& hello) {
  if (hello.min_version < 1 || hello.min_version > hello.max_version) {
    return MakeWireError(
        WireError::kBadHello,
        absl::StrCat("the version range ", hello.min_version, " to ",
                     hello.max_version, " is empty or begins below 1"));
  }
  if (hello.max_frame_bytes < kLeastMaxFrameBytes ||
      hello.max_frame_bytes > kMostMaxFrameBytes) {
    return MakeWireError(
        WireError::kBadHello,
        absl::StrCat("max_frame_bytes is ", hello.max_frame_bytes,
                     "; it must be ", kLeastMaxFrameBytes, " to ",
                     kMostMaxFrameBytes));
  }
  const uint64_t least_credit = 2 * (hello.max_frame_bytes + kHeaderCost);
  if (hello.initial_credit_bytes < least_credit ||
      hello.initial_credit_bytes > kMostCreditBytes) {
    return MakeWireError(
        WireError::kBadHello,
        absl::StrCat("initial_credit_bytes is ", hello.initial_credit_bytes,
                     "; with max_frame_bytes ", hello.max_frame_bytes,
                     " it must be ", least_credit, " to ", kMostCreditBytes));
  }
  if (hello.instance_id == 0) {
    return MakeWireError(WireError::kBadHello,
                         "instance_id is 0; it must be a random number");
  }
  return absl::OkStatus();
}

void EncodeHello(const Hello& hello, char* out) {
  std::memcpy(out, kHelloMagic.data(), kHelloMagic.size());
  StoreLittleEndian(hello.min_version, out + 8);
  StoreLittleEndian(hello.max_version, out + 10);
  StoreLittleEndian(hello.features, out + 12);
  StoreLittleEndian(hello.max_frame_bytes, out + 16);
  StoreLittleEndian(hello.initial_credit_bytes, out + 20);
  StoreLittleEndian(hello.instance_id, out + 24);
}

absl::StatusOr<Hello> DecodeHello(std::string_view bytes) {
  if (bytes.size() != kHelloBytes ||
      bytes.substr(0, kHelloMagic.size()) != kHelloMagic) {
    return MakeWireError(WireError::kBadMagic, "these bytes are not a Hello");
  }
  Hello hello;
  hello.min_version = LoadLittleEndian<uint16_t>(bytes.data() + 8);
  hello.max_version = LoadLittleEndian<uint16_t>(bytes.data() + 10);
  hello.features = LoadLittleEndian<uint32_t>(bytes.data() + 12);
  hello.max_frame_bytes = LoadLittleEndian<uint32_t>(bytes.data() + 16);
  hello.initial_credit_bytes = LoadLittleEndian<uint32_t>(bytes.data() + 20);
  hello.instance_id = LoadLittleEndian<uint64_t>(bytes.data() + 24);
  if (absl::Status valid = ValidateHello(hello); !valid.ok()) return valid;
  return hello;
}

absl::StatusOr<Agreement> Negotiate(const Hello& ours, const Hello& theirs) {
  for (const Hello* hello : {&ours, &theirs}) {
    if (absl::Status valid = ValidateHello(*hello); !valid.ok()) return valid;
  }
  const uint16_t lowest = std::max(ours.min_version, theirs.min_version);
  const uint16_t highest = std::min(ours.max_version, theirs.max_version);
  if (lowest > highest) {
    return MakeWireError(
        WireError::kNoCommonVersion,
        absl::StrCat(
            "this side speaks versions ", ours.min_version, " to ",
            ours.max_version, ", the peer ", theirs.min_version, " to ",
            theirs.max_version, "; update ",
            ours.max_version < theirs.min_version ? "this side" : "the peer"));
  }
  Agreement agreement;
  agreement.version = highest;
  agreement.features = ours.features & theirs.features & kFeaturePayloadCrc;
  agreement.send_max_frame_bytes = theirs.max_frame_bytes;
  agreement.receive_max_frame_bytes = ours.max_frame_bytes;
  agreement.send_credit_bytes = theirs.initial_credit_bytes;
  agreement.receive_credit_bytes = ours.initial_credit_bytes;
  agreement.peer_instance_id = theirs.instance_id;
  return agreement;
}

}  // namespace trolley::wire
