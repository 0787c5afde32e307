// SPDX-License-Identifier: Apache-2.0

#include "trolley/examples/wordcount/splitter.h"

#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"

namespace wordcount {

trolley::Task<absl::Status> Splitter::On(const trolley::PipePiece& line) {
  if (Split(line.bytes)) co_return co_await Flush(kBatchBytes);
  co_return absl::OkStatus();
}

trolley::Task<absl::Status> Splitter::On(const trolley::PipeEnd& end) {
  absl::Status flushed = co_await Flush(1);
  if (!flushed.ok()) co_return flushed;
  // A counter answers when it has counted all that was sent to it before.
  for (const trolley::Ref<Counter>& counter : counters_) {
    absl::StatusOr<Share> counted =
        co_await counter.Ask(GetShare{.k = 0}, absl::Minutes(1));
    if (!counted.ok()) co_return counted.status();
  }
  co_return co_await top_.Send<InputEnded>(end.status, end.pieces);
}

bool Splitter::Split(const std::string& line) {
  bool full = false;
  std::string word;
  const auto deal = [&] {
    if (word.empty()) return;
    word.push_back(' ');
    std::string& batch =
        batches_[absl::Hash<std::string>{}(word) % batches_.size()];
    batch += word;
    full |= batch.size() >= kBatchBytes;
    word.clear();
  };
  for (char c : line) {
    if (absl::ascii_isalpha(c)) {
      word.push_back(absl::ascii_tolower(c));
    } else {
      deal();
    }
  }
  deal();
  return full;
}

trolley::Task<absl::Status> Splitter::Flush(size_t at_least_bytes) {
  for (size_t i = 0; i < batches_.size(); ++i) {
    if (batches_[i].size() < at_least_bytes) continue;
    std::string words = std::exchange(batches_[i], {});
    batches_[i].reserve(kBatchBytes + 64);
    absl::Status sent = co_await counters_[i].Send<Words>(std::move(words));
    if (!sent.ok()) co_return sent;
  }
  co_return absl::OkStatus();
}

}  // namespace wordcount
