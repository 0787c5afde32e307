// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/lines.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {

LineDecoder::LineDecoder(const LineDecoderOptions& options)
    : max_line_bytes_(std::clamp<size_t>(options.max_line_bytes, 1,
                                         LineDecoderOptions::kMostLineBytes)),
      buffer_(max_line_bytes_ + ReadBytesOf(options.read_bytes) + 1,
              ReadBytesOf(options.read_bytes)) {}

absl::StatusOr<std::optional<Line>> LineDecoder::Next() {
  for (;;) {
    const std::string_view held = buffer_.held();
    const size_t newline = held.find('\n', searched_);
    const bool ended = newline != std::string_view::npos;
    const size_t length = ended ? newline : held.size();

    if (dropping_) {
      buffer_.Consume(ended ? newline + 1 : length);
      searched_ = 0;
      dropping_ = !ended;
      if (!ended) return std::nullopt;
      continue;
    }
    if (length > max_line_bytes_) {
      ++number_;
      ++lines_dropped_;
      dropping_ = true;
      searched_ = length;
      return MakeWireError(
          WireError::kLineTooLong,
          absl::StrCat("line ", number_, " is longer than ", max_line_bytes_,
                       " bytes (max_line_bytes) and was dropped"));
    }
    if (ended) {
      buffer_.Consume(newline + 1);
      searched_ = 0;
      return Line{.text = held.substr(0, newline), .number = ++number_};
    }
    if (finished_ && !held.empty()) {
      buffer_.Consume(length);
      searched_ = 0;
      return Line{.text = held, .number = ++number_, .terminated = false};
    }
    searched_ = length;
    return std::nullopt;
  }
}

}  // namespace trolley::wire
