// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the frame decoder. How it works:
//   1. The input is the byte stream of one peer. Its own bytes choose the cuts.
//   2. The whole input and the input in pieces must give the same result.
//   3. Accepted frames, encoded again, must give the original bytes.
//   4. Memory must stay within the bound of frame_decoder.h.
// Anything else aborts. frame_corpus_test.cc replays corpus/ without a fuzzer.
//
// With the copt the fuzzer sees which code of the decoder runs:
//
//   target=//tests/proto:frame_decoder_fuzz
//   bazel build --config=clang --copt=-fsanitize=fuzzer-no-link,address $target
//   mkdir /tmp/found
//   bazel-bin/tests/proto/frame_decoder_fuzz /tmp/found tests/proto/corpus

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "trolley/proto/crc32c.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/frame_decoder.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/wire_error.h"
#include "trolley/tests/proto/decode_all.h"

namespace trolley::wire {
namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "frame_decoder_fuzz: %s\n", what);
  std::abort();
}

std::string EncodeAgain(const Decoded& decoded, bool payload_crc) {
  std::string bytes(kHelloBytes, '\0');
  EncodeHello(*decoded.hello, bytes.data());
  for (const DecodedFrame& frame : decoded.frames) {
    char header[kFrameHeaderBytes];
    EncodeFrameHeader(frame.header, header);
    bytes.append(header, sizeof(header)).append(frame.payload);
    if (payload_crc && frame.header.type != FrameType::kError) {
      const uint32_t crc = Crc32c(frame.payload);
      for (int i = 0; i < 4; ++i) {
        bytes.push_back(static_cast<char>(crc >> (8 * i)));
      }
    }
  }
  return bytes;
}

void CheckOne(std::string_view bytes) {
  Hello ours = SmallHello();
  ours.features = kFeaturePayloadCrc;
  const FrameDecoderOptions options = SmallOptions();
  const size_t most_memory = options.max_frame_bytes + kFrameHeaderBytes +
                             kPayloadCrcBytes + options.read_bytes;

  const Decoded whole = DecodeAll(bytes, options, ours, Whole());
  uint64_t state = bytes.size();
  const Decoded pieces = DecodeAll(bytes, options, ours, [&](size_t left) {
    state = state * 6364136223846793005u +
            static_cast<uint8_t>(bytes[bytes.size() - left]) + 1;
    return 1 + (state >> 33) % std::min<size_t>(left, 40);
  });
  Require(SameResult(whole, pieces), "the cuts changed the result");
  Require(whole.most_memory_bytes <= most_memory &&
              pieces.most_memory_bytes <= most_memory,
          "too much memory");
  if (whole.hello.has_value() && whole.skipped == 0) {
    const auto agreement = Negotiate(ours, *whole.hello);
    const std::string again =
        EncodeAgain(whole, agreement.ok() && agreement->payload_crc());
    Require(bytes.substr(0, again.size()) == again,
            "what was accepted encodes to other bytes");
  }
}

}  // namespace
}  // namespace trolley::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  trolley::wire::CheckOne(
      std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
