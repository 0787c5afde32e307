// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/internal/shrink.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace trolley::internal {
namespace {

using List = std::vector<uint64_t>;

bool IsSimpler(const RecordedChoices& a, const RecordedChoices& b) {
  if (a.values.size() != b.values.size()) {
    return a.values.size() < b.values.size();
  }
  if (a.values != b.values) return a.values < b.values;
  const auto drawn = [](const List& turns) {
    return turns.size() - std::count(turns.begin(), turns.end(), 0);
  };
  if (drawn(a.turns) != drawn(b.turns)) return drawn(a.turns) < drawn(b.turns);
  if (a.turns.size() != b.turns.size()) return a.turns.size() < b.turns.size();
  return a.turns < b.turns;
}

class Shrinker {
 public:
  Shrinker(RecordedChoices failing, uint64_t most_runs, const RunChoices& run)
      : best_(std::move(failing)), runs_left_(most_runs), run_(run) {
    best_.DropLastZeros();
  }

  RecordedChoices Run() {
    for (bool better = true; better && runs_left_ > 0;) {
      better = TryWith(&RecordedChoices::turns, {});
      better |= LeaveOutElements();
      better |= LeaveOutValues();
      better |= Lower(&RecordedChoices::values);
      better |= MoveToTheRight();
      better |= SetTurnsToZero();
      better |= Lower(&RecordedChoices::turns);
    }
    return std::move(best_);
  }

 private:
  // One of the two lists.
  using Which = List RecordedChoices::*;

  // True: `candidate` is simpler and fails. It is the best then.
  bool Try(RecordedChoices candidate) {
    candidate.DropLastZeros();
    if (runs_left_ == 0 || !IsSimpler(candidate, best_) ||
        !tried_.emplace(candidate.values, candidate.turns).second) {
      return false;
    }
    --runs_left_;
    std::optional<RecordedChoices> failed = run_(candidate);
    if (!failed.has_value()) return false;
    failed->DropLastZeros();
    if (!IsSimpler(*failed, best_)) return false;
    best_ = *std::move(failed);
    return true;
  }
  bool TryWith(Which which, List list) {
    RecordedChoices candidate = best_;
    candidate.*which = std::move(list);
    return Try(std::move(candidate));
  }

  // Calls try_block(first, count) for blocks of `size()` things, from the last
  // one to the first: of all, of half of them, and so on down to one.
  template <typename Size, typename TryBlock>
  bool ForBlocks(Size size, TryBlock try_block) {
    bool better = false;
    for (size_t count = size(); count > 0; count /= 2) {
      for (size_t end = size(); end > 0;) {
        const size_t first = end - std::min(end, count);
        better |= try_block(first, end - first);
        if (runs_left_ == 0) return better;
        end = std::min(first, size());
      }
    }
    return better;
  }

  bool LeaveOutElements() {
    return ForBlocks([this] { return best_.elements.size(); },
                     [this](size_t first, size_t count) {
                       return TryWith(&RecordedChoices::values,
                                      WithoutElements(first, count));
                     });
  }
  List WithoutElements(size_t first, size_t count) const {
    List left;
    size_t from = 0;
    // An element inside of another begins behind it, and ends before it.
    for (size_t i = first; i < first + count; ++i) {
      const size_t begin = std::min(best_.elements[i].begin, Values());
      if (begin < from) continue;
      left.insert(left.end(), best_.values.begin() + from,
                  best_.values.begin() + begin);
      from = std::min(best_.elements[i].end, Values());
    }
    left.insert(left.end(), best_.values.begin() + from, best_.values.end());
    return left;
  }
  size_t Values() const { return best_.values.size(); }

  bool LeaveOutValues() {
    return ForBlocks(
        [this] { return Values(); },
        [this](size_t first, size_t count) {
          List list = best_.values;
          list.erase(list.begin() + first, list.begin() + first + count);
          return TryWith(&RecordedChoices::values, std::move(list));
        });
  }

  bool SetTurnsToZero() {
    return ForBlocks([this] { return best_.turns.size(); },
                     [this](size_t first, size_t count) {
                       List list = best_.turns;
                       std::fill_n(list.begin() + first, count, 0);
                       return TryWith(&RecordedChoices::turns, std::move(list));
                     });
  }

  // Lowers each number: to 0, or else by halves to the least that fails.
  bool Lower(Which which) {
    bool better = false;
    for (size_t i = 0; i < (best_.*which).size(); ++i) {
      const auto try_value = [&](uint64_t value) {
        List list = best_.*which;
        list[i] = value;
        return TryWith(which, std::move(list));
      };
      uint64_t least = (best_.*which)[i];
      if (least == 0) continue;
      if (try_value(0)) {
        better = true;
        continue;
      }
      uint64_t passes = 0;
      while (least - passes > 1) {
        const uint64_t middle = passes + (least - passes) / 2;
        if (try_value(middle)) {
          better = true;
          if (i >= (best_.*which).size()) break;
          least = std::min(middle, (best_.*which)[i]);
        } else {
          passes = middle;
        }
      }
    }
    return better;
  }

  // A sum that matters: takes from one number what a later one gets. So the
  // former may become 0, and be left out.
  bool MoveToTheRight() {
    constexpr size_t kFar = 8;
    bool better = false;
    for (size_t i = 0; i < Values(); ++i) {
      for (size_t j = i + 1; j < std::min(Values(), i + kFar); ++j) {
        uint64_t most = best_.values[i];  // it is not known whether that fails
        while (most > 0) {
          List list = best_.values;
          list[i] -= most;
          list[j] += std::min(most, UINT64_MAX - list[j]);
          if (TryWith(&RecordedChoices::values, std::move(list))) {
            better = true;
            if (j >= Values()) break;
            most = std::min(most, best_.values[i]);
          } else {
            most /= 2;
          }
        }
      }
    }
    return better;
  }

  RecordedChoices best_;
  uint64_t runs_left_;
  const RunChoices& run_;
  std::set<std::pair<List, List>> tried_;
};

}  // namespace

RecordedChoices Shrink(RecordedChoices failing, uint64_t most_runs,
                       const RunChoices& run) {
  return Shrinker(std::move(failing), most_runs, run).Run();
}

}  // namespace trolley::internal
