// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/log/log_limits.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

// 1,234,567
std::string WithCommas(uint64_t number) {
  std::string text = absl::StrCat(number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

}  // namespace

void LogLimits::Fill(Bucket& bucket, Instant now) const {
  if (options_.interval <= absl::ZeroDuration()) {
    bucket.tokens = options_.lines_at_once;
    return;
  }
  absl::Duration rest;
  const int64_t earned =
      absl::IDivDuration(now - bucket.filled, options_.interval, &rest);
  if (earned >= options_.lines_at_once - bucket.tokens) {
    bucket.tokens = options_.lines_at_once;
    bucket.filled = now;
  } else if (earned > 0) {
    bucket.tokens += static_cast<uint32_t>(earned);
    bucket.filled = bucket.filled + options_.interval * earned;
  }
}

LogLimits::Bucket& LogLimits::BucketOf(LogKind kind, absl::string_view source,
                                       Instant now) {
  Key key(kind.file, kind.line, std::string(source));
  const auto known = buckets_.find(key);
  if (known != buckets_.end()) return known->second;
  if (buckets_.size() >= options_.max_sources) {
    // A bucket that is full and has left nothing out is as good as a new one.
    const auto quiet =
        std::find_if(buckets_.begin(), buckets_.end(), [&](auto& entry) {
          Fill(entry.second, now);
          return entry.second.tokens == options_.lines_at_once &&
                 entry.second.left_out == 0;
        });
    if (quiet != buckets_.end()) {
      buckets_.erase(quiet);
    } else {
      std::get<std::string>(key).clear();
    }
  }
  const auto [made, is_new] = buckets_.try_emplace(std::move(key));
  if (is_new) {
    made->second = {.tokens = options_.lines_at_once, .filled = now};
  }
  return made->second;
}

bool LogLimits::Admit(LogKind kind, absl::string_view source,
                      absl::string_view text, Instant now,
                      std::string& left_out) {
  Bucket& bucket = BucketOf(kind, source.substr(0, kMaxTextBytes), now);
  Fill(bucket, now);
  // mutant: P6_AFloodOfLinesIsWritten
  if (bucket.tokens > 0) {
    --bucket.tokens;
    left_out = TakeLeftOut(bucket);
    return true;
  }
  if (bucket.left_out++ == 0) {
    ++buckets_left_out_;
    bucket.for_example = Printable(text);
  }
  return false;
}

std::string LogLimits::TakeLeftOut(Bucket& bucket) {
  if (bucket.left_out == 0) return "";
  --buckets_left_out_;
  const uint64_t count = std::exchange(bucket.left_out, 0);
  return absl::StrCat("... ", WithCommas(count),
                      count == 1 ? " more line" : " more lines",
                      " of this kind ", count == 1 ? "was" : "were",
                      " left out: ", std::exchange(bucket.for_example, ""));
}

std::vector<std::string> LogLimits::Take(const Instant* due) {
  std::vector<std::string> lines;
  for (auto& [key, bucket] : buckets_) {
    if (bucket.left_out == 0) continue;
    if (due != nullptr) {
      Fill(bucket, *due);
      if (bucket.tokens == 0) continue;
      --bucket.tokens;
    }
    lines.push_back(TakeLeftOut(bucket));
  }
  return lines;
}

}  // namespace trolley::internal
