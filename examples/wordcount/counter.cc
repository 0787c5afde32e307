// SPDX-License-Identifier: Apache-2.0

#include "trolley/examples/wordcount/counter.h"

#include <algorithm>

namespace wordcount {

bool ComesBefore(const std::pair<std::string, uint64_t>& a,
                 const std::pair<std::string, uint64_t>& b) {
  return a.second != b.second ? a.second > b.second : a.first < b.first;
}

void Counter::On(const Words& m) {
  absl::string_view left = m.text;
  for (size_t end; (end = left.find(' ')) != absl::string_view::npos;
       left.remove_prefix(end + 1)) {
    ++counts_[left.substr(0, end)];
    ++words_;
  }
}

Share Counter::On(const GetShare& m) {
  Share share{.words = words_, .distinct = counts_.size()};
  share.top.assign(counts_.begin(), counts_.end());
  const size_t k = std::min<size_t>(m.k, share.top.size());
  std::partial_sort(share.top.begin(), share.top.begin() + k, share.top.end(),
                    ComesBefore);
  share.top.resize(k);
  return share;
}

void Counter::On(const Reset&) {
  counts_.clear();
  words_ = 0;
}

}  // namespace wordcount
