// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/proto/decode_all.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace trolley::wire {
namespace {

// Takes everything the decoder has. False after an error.
bool Drain(FrameDecoder& decoder, const Hello& ours, Decoded& decoded) {
  absl::Status error;
  while (error.ok() && !decoder.hello_done()) {
    absl::StatusOr<std::optional<Hello>> hello = decoder.NextHello();
    error = hello.status();
    if (!error.ok()) break;
    if (!hello->has_value()) return true;
    decoded.hello = **hello;
    absl::StatusOr<Agreement> agreement = Negotiate(ours, **hello);
    error = agreement.status();
    if (error.ok()) decoder.Begin(*agreement);
  }
  while (error.ok()) {
    absl::StatusOr<std::optional<Frame>> frame = decoder.NextFrame();
    error = frame.status();
    if (!error.ok()) break;
    if (!frame->has_value()) return true;
    decoded.frames.push_back(
        {(*frame)->header, std::string((*frame)->payload)});
  }
  decoded.error = WireErrorOf(error);
  decoded.text = std::string(error.message());
  return false;
}

}  // namespace

bool SameResult(const Decoded& a, const Decoded& b) {
  return a.hello == b.hello && a.frames == b.frames && a.skipped == b.skipped &&
         a.error == b.error;
}

std::string Describe(const Decoded& decoded) {
  std::string text =
      absl::StrCat(decoded.hello.has_value() ? "Hello" : "no Hello", ", ",
                   decoded.skipped, " skipped, frames:");
  for (const DecodedFrame& frame : decoded.frames) {
    absl::StrAppend(&text, " ", FrameTypeName(frame.header.type), "(",
                    frame.payload.size(), ")");
  }
  return absl::StrCat(text, "; ", WireErrorName(decoded.error), " \"",
                      decoded.text, "\"");
}

Hello SmallHello() {
  Hello hello;
  hello.max_frame_bytes = 1024;
  hello.initial_credit_bytes = 4 * (1024 + kFrameHeaderBytes);
  hello.instance_id = 0x1122334455667788;
  return hello;
}

FrameDecoderOptions SmallOptions() {
  return {.max_frame_bytes = SmallHello().max_frame_bytes, .read_bytes = 256};
}

Cutter Whole() {
  return [](size_t left) { return left; };
}

Cutter OneByOne() {
  return [](size_t) { return size_t{1}; };
}

Decoded DecodeAll(std::string_view bytes, const FrameDecoderOptions& options,
                  const Hello& ours, const Cutter& cutter) {
  FrameDecoder decoder(options);
  Decoded decoded;
  bool good = true;
  while (good && !bytes.empty()) {
    std::string_view piece = bytes.substr(0, cutter(bytes.size()));
    bytes.remove_prefix(piece.size());
    while (good && !piece.empty()) {
      const size_t fed = decoder.Feed(piece);
      decoded.most_memory_bytes =
          std::max(decoded.most_memory_bytes, decoder.memory_bytes());
      piece.remove_prefix(fed);
      good = Drain(decoder, ours, decoded);
      // A decoder without room after all frames were taken would hang a link.
      if (good && fed == 0) std::abort();
    }
  }
  if (good) {
    const absl::Status end = decoder.AtEnd();
    decoded.error = WireErrorOf(end);
    decoded.text = std::string(end.message());
  }
  decoded.skipped = decoder.frames_skipped();
  return decoded;
}

}  // namespace trolley::wire
