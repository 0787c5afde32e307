// SPDX-License-Identifier: Apache-2.0

#include "trolley/examples/wordcount/top.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wordcount {

trolley::Task<absl::StatusOr<Top>> TopWords::On(const TopQuery& query) {
  if (query.k() == 0) {
    co_return absl::InvalidArgumentError(
        "k is 0; ask for the top 1 at least, such as {\"k\": 10}");
  }
  while (query.at_end() && !end_.has_value() && !drains_) {
    co_await ended_.Wait();
  }
  if (query.at_end() && !end_.has_value()) {
    co_return absl::UnavailableError(
        "the word counter ends before its input has ended");
  }
  absl::StatusOr<Share> all = co_await Collect(query.k());
  if (!all.ok()) co_return all.status();
  std::sort(all->top.begin(), all->top.end(), ComesBefore);
  if (all->top.size() > query.k()) all->top.resize(query.k());
  Top top;
  for (auto& [word, count] : all->top) {
    Top::Entry& entry = *top.add_entries();
    entry.set_word(std::move(word));
    entry.set_count(count);
  }
  *top.mutable_progress() = Describe(*all);
  co_return top;
}

trolley::Task<absl::StatusOr<Progress>> TopWords::On(const ProgressQuery&) {
  absl::StatusOr<Share> all = co_await Collect(0);
  if (!all.ok()) co_return all.status();
  co_return Describe(*all);
}

void TopWords::On(const InputEnded& m) {
  end_ = m;
  ended_.Notify();
}

void TopWords::OnDrain() {
  drains_ = true;
  ended_.Notify();
}

trolley::Task<absl::StatusOr<Share>> TopWords::Collect(uint32_t k) {
  Share all;
  for (const trolley::Ref<Counter>& counter : counters_) {
    absl::StatusOr<Share> share =
        co_await counter.Ask(GetShare{k}, absl::Seconds(30));
    if (!share.ok()) co_return share.status();
    all.words += share->words;
    all.distinct += share->distinct;
    std::move(share->top.begin(), share->top.end(),
              std::back_inserter(all.top));
  }
  co_return all;
}

Progress TopWords::Describe(const Share& all) const {
  Progress progress;
  progress.set_words(all.words);
  progress.set_distinct_words(all.distinct);
  progress.set_ended(end_.has_value());
  if (end_.has_value()) {
    progress.set_lines(end_->lines);
    if (!end_->status.ok()) progress.set_error(end_->status.ToString());
  }
  return progress;
}

}  // namespace wordcount
