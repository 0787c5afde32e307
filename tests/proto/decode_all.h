// SPDX-License-Identifier: Apache-2.0
//
// DecodeAll: passes a byte string to a FrameDecoder as a link does, in pieces
// of any size, and records everything that the decoder returns. So two runs can
// be compared.

#ifndef TROLLEY_TESTS_PROTO_DECODE_ALL_H_
#define TROLLEY_TESTS_PROTO_DECODE_ALL_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/frame_decoder.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {

struct DecodedFrame {
  FrameHeader header;
  std::string payload;
  friend bool operator==(const DecodedFrame&, const DecodedFrame&) = default;
};

struct Decoded {
  std::optional<Hello> hello;
  std::vector<DecodedFrame> frames;
  uint64_t skipped = 0;
  WireError error = WireError::kNone;  // of the decoder, or of AtEnd()
  std::string text;                    // of that error; depends on the cuts
  size_t most_memory_bytes = 0;        // likewise
};

// What does not depend on the cuts is the same.
bool SameResult(const Decoded& a, const Decoded& b);
std::string Describe(const Decoded& decoded);

// A small setting, so that limits are near.
Hello SmallHello();  // max_frame_bytes 1024, credit for four of those
FrameDecoderOptions SmallOptions();

// The size of the next piece, given how many bytes are left; 1 to that.
using Cutter = std::function<size_t(size_t)>;
Cutter Whole();
Cutter OneByOne();

// `ours` is the Hello that the peer's is negotiated with.
Decoded DecodeAll(std::string_view bytes, const FrameDecoderOptions& options,
                  const Hello& ours, const Cutter& cutter);

}  // namespace trolley::wire

#endif  // TROLLEY_TESTS_PROTO_DECODE_ALL_H_
