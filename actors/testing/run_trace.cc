// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/run_trace.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/poller/sim.h"

namespace trolley::testing {
namespace {

constexpr size_t kTimeWidth = 8;

}  // namespace

void RunTrace::Add(absl::Duration at, absl::string_view text) {
  std::string line = absl::FormatDuration(at);
  line.resize(std::max(line.size(), kTimeWidth), ' ');
  absl::StrAppend(&line, " ", text);
  if (line.size() > kMostLineBytes) {
    line.resize(kMostLineBytes - 3);
    line += "...";
  }
  for (const char c : line) {
    hash_ = SimRandom::Mix(hash_ + static_cast<unsigned char>(c) + 1);
  }
  hash_ = SimRandom::Mix(hash_);
  ++added_;
  if (most_lines_ == 0) return;
  if (lines_.size() == most_lines_) lines_.pop_front();
  lines_.push_back(std::move(line));
}

std::string RunTrace::ToString() const {
  std::string text;
  if (left_out() > 0) {
    absl::StrAppend(&text, "... ", left_out(), " lines before these\n");
  }
  for (const std::string& line : lines_) absl::StrAppend(&text, line, "\n");
  return text;
}

}  // namespace trolley::testing
