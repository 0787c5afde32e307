// SPDX-License-Identifier: Apache-2.0
//
// Aggregator: collects the parts that belong together, such as the answers to
// one order, until all are there or it has taken too long. One coroutine of the
// actor takes the groups.
//
//   class Desk : public trolley::Actor {
//    public:
//     void OnStart() { RunInBackground([this] { return Choose(); }); }
//     absl::Status On(const Offer& m) {
//       return offers_.Add(m.order, m.cents, /*needed=*/3);
//     }
//    private:
//     Task<absl::Status> Choose() {
//       for (;;) {
//         auto group = co_await offers_.Next();
//         if (!group.has_value()) co_return absl::OkStatus();   // closed
//         Answer(group->key, group->parts, group->complete);
//       }
//     }
//     Aggregator<int, int64_t> offers_{{.age = absl::Seconds(5)}};
//   };
//
// The first part of a key opens a group. The group closes when it has `needed`
// parts, or AggregatorOptions::age after its first part. In the second case it
// is not complete. Closed groups are taken in the order in which they closed,
// once each. A part that comes after that opens a new group of its key.
//
// Ownership: a member of an actor. It must outlive its waiters.
// Threads:   loop thread only.
// Bounds:    AggregatorOptions::groups and parts, open and closed ones.
// Ends:      Close(): open groups close as they are, and when all are taken
//            Next() gives nothing. With its actor: what was not taken is in
//            TakeAll(), for OnStop().

#ifndef TROLLEY_ACTORS_PATTERNS_AGGREGATOR_H_
#define TROLLEY_ACTORS_PATTERNS_AGGREGATOR_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/patterns/internal/pause.h"
#include "trolley/actors/task.h"
#include "trolley/poller/instant.h"

namespace trolley {

struct AggregatorOptions {
  static constexpr size_t kMost = size_t{1} << 40;

  // Groups, and parts of all groups, that are not taken; counts, 1 to kMost.
  size_t groups = 1000;
  size_t parts = 10'000;
  // How long a group waits for its parts. Infinite: for ever. Negative or 0:
  // Next() takes each group as it is.
  absl::Duration age = absl::Seconds(10);
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateAggregatorOptions(const AggregatorOptions& options);

// groups = complete + incomplete + those that are not taken.
struct AggregatorStats {
  uint64_t groups = 0;      // opened
  uint64_t parts = 0;       // added
  uint64_t refused = 0;     // parts
  uint64_t complete = 0;    // taken with all parts
  uint64_t incomplete = 0;  // taken without
};

template <typename Key, typename Part>
class Aggregator {
 public:
  struct Group {
    Key key;
    std::vector<Part> parts;  // in the order in which they came
    size_t needed = 0;
    bool complete = false;
  };

  explicit Aggregator(const AggregatorOptions& options = {})
      : options_(options), valid_(ValidateAggregatorOptions(options)) {}
  Aggregator(const Aggregator&) = delete;
  Aggregator& operator=(const Aggregator&) = delete;

  // Adds a part to the group of `key`, which is complete with `needed` parts.
  //   OK                  added
  //   ResourceExhausted   AggregatorOptions::groups or parts; the text says
  //                       which
  //   FailedPrecondition  it is closed
  //   InvalidArgument     `needed` is 0, or other than that of the first part
  //                       of the group; or the options are not valid
  absl::Status Add(const Key& key, Part part, size_t needed) {
    absl::Status status = TryAdd(key, std::move(part), needed);
    ++(status.ok() ? stats_.parts : stats_.refused);
    return status;
  }

  // Waits until a group has closed, and takes it. Nothing: the aggregator is
  // closed, and no group is left. With several coroutines here, each group goes
  // to one of them.
  Task<std::optional<Group>> Next() {
    for (;;) {
      CloseOldGroups();
      if (!closed_groups_.empty()) co_return TakeFirst();
      if (closed_) co_return std::nullopt;
      co_await changed_.Wait(EndOfFirst());
    }
  }

  // From now on Add() refuses, and Next() does not wait.
  void Close() {
    closed_ = true;
    changed_.Notify();
  }

  // Takes all groups, without waiting: first the closed ones.
  std::vector<Group> TakeAll() {
    CloseOldGroups();
    while (!open_.empty()) CloseGroup(open_.begin());
    std::vector<Group> all;
    while (!closed_groups_.empty()) all.push_back(TakeFirst());
    return all;
  }

  // Groups, and their parts, that are not taken.
  size_t groups() const { return open_.size() + closed_groups_.size(); }
  size_t parts() const { return parts_; }
  const AggregatorStats& stats() const { return stats_; }

 private:
  struct Open {
    Group group;
    Instant since_;
  };
  using Groups = std::list<Open>;

  absl::Status TryAdd(const Key& key, Part part, size_t needed) {
    if (!valid_.ok()) return valid_;
    if (closed_) {
      return absl::FailedPreconditionError(
          "the aggregator is closed, and takes no more parts");
    }
    if (needed == 0) {
      return absl::InvalidArgumentError(
          "a group that needs 0 parts; it is at least 1");
    }
    CloseOldGroups();
    if (parts_ >= options_.parts) {
      return absl::ResourceExhaustedError(
          absl::StrCat("AggregatorOptions::parts = ", options_.parts,
                       " parts of groups are not taken"));
    }
    auto found = by_key_.find(key);
    if (found == by_key_.end()) {
      if (groups() >= options_.groups) {
        return absl::ResourceExhaustedError(
            absl::StrCat("AggregatorOptions::groups = ", options_.groups,
                         " groups are not taken"));
      }
      open_.push_back({{key, {}, needed, false}, internal::Now()});
      found = by_key_.emplace(key, std::prev(open_.end())).first;
      ++stats_.groups;
    }
    const typename Groups::iterator at = found->second;
    if (at->group.needed != needed) {
      return absl::InvalidArgumentError(
          absl::StrCat("a part of a group that needs ", needed,
                       " parts; its first part said ", at->group.needed));
    }
    at->group.parts.push_back(std::move(part));
    ++parts_;
    // mutant: P23_ALastPartClosesNoGroup
    if (at->group.parts.size() == needed) {
      at->group.complete = true;
      CloseGroup(at);
    }
    changed_.Notify();
    return absl::OkStatus();
  }

  // All groups wait equally long, so the oldest is the first.
  Instant EndOfFirst() const {
    return open_.empty() ? Instant::Infinite()
                         : open_.front().since_ + options_.age;
  }
  void CloseOldGroups() {
    // mutant: P23_CloseLeavesOpenGroups
    while (!open_.empty() && (closed_ || EndOfFirst() <= internal::Now())) {
      CloseGroup(open_.begin());
    }
  }
  void CloseGroup(typename Groups::iterator at) {
    by_key_.erase(at->group.key);
    closed_groups_.splice(closed_groups_.end(), open_, at);
  }
  Group TakeFirst() {
    Group group = std::move(closed_groups_.front().group);
    closed_groups_.pop_front();
    // mutant: P23_ThePartsThatAreTakenStayCounted
    parts_ -= group.parts.size();
    ++(group.complete ? stats_.complete : stats_.incomplete);
    return group;
  }

  const AggregatorOptions options_;
  const absl::Status valid_;
  Groups open_;  // in the order of their first parts
  Groups closed_groups_;
  absl::flat_hash_map<Key, typename Groups::iterator> by_key_;  // of open_
  size_t parts_ = 0;
  bool closed_ = false;
  AsyncCondition changed_;
  AggregatorStats stats_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_AGGREGATOR_H_
