// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/child/child_process_options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

absl::Status Wrong(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("ChildProcessOptions::", field, " ", what));
}

absl::Status CheckBytes(absl::string_view field, size_t value, size_t most) {
  if (value >= 1 && value <= most) return absl::OkStatus();
  return Wrong(field, absl::StrCat("is ", value, "; it is 1 to ", most));
}

bool HasNul(absl::string_view text) {
  return text.find('\0') != absl::string_view::npos;
}

absl::Status CheckTexts(const ChildProcessOptions& options) {
  if (options.argv.empty() || options.argv[0].empty()) {
    return Wrong("argv", "names no program; its first text is one");
  }
  for (const std::string& text : options.argv) {
    if (HasNul(text)) {
      return Wrong("argv", absl::StrCat("has \"", Printable(text),
                                        "\"; no text has a NUL"));
    }
  }
  if (HasNul(options.working_directory)) {
    return Wrong("working_directory",
                 absl::StrCat("is \"", Printable(options.working_directory),
                              "\"; it has no NUL"));
  }
  for (const std::string& text : options.environment) {
    if (text.empty() || text[0] == '=' || HasNul(text)) {
      return Wrong("environment",
                   absl::StrCat("has \"", Printable(text),
                                "\"; each is NAME=value or NAME, without NUL"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateChildProcessOptions(const ChildProcessOptions& options) {
  absl::Status valid = CheckTexts(options);
  if (!valid.ok()) return valid;
  if (options.format != PipeFormat::kLines &&
      options.format != PipeFormat::kDelimited) {
    return Wrong("format", absl::StrCat("is ", static_cast<int>(options.format),
                                        ", which is none"));
  }
  if (options.errors > ChildErrors::kDrop) {
    return Wrong("errors", absl::StrCat("is ", static_cast<int>(options.errors),
                                        ", which is none"));
  }
  using Options = ChildProcessOptions;
  valid.Update(CheckBytes("max_piece_bytes", options.max_piece_bytes,
                          Options::kMostPieceBytes));
  valid.Update(
      CheckBytes("read_bytes", options.read_bytes, Options::kMostReadBytes));
  valid.Update(CheckBytes("max_waiting_bytes", options.max_waiting_bytes,
                          Options::kMostWaitingBytes));
  return valid;
}

}  // namespace trolley
