// SPDX-License-Identifier: Apache-2.0
//
// Every number of the options of topics at its extremes: it works, or is
// refused by its name.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/actors/topics/topics.h"
#include "trolley/actors/topics/topics_options.h"
#include "trolley/tests/bus/option_fields.h"

namespace trolley {
namespace {

using testing::SimBus;

class Reader : public Actor {
 public:
  explicit Reader(std::vector<int>* seen) : seen_(*seen) {}
  void On(const Published<int>& m) { seen_.push_back(m.value); }
  void On(const Gap& gap) { ADD_FAILURE() << gap.missed << " were missed"; }

 private:
  std::vector<int>& seen_;
};

// Publishes 1 to `count` on one name.
void PublishUpTo(const Topics& topics, int count) {
  for (int i = 1; i <= count; ++i) {
    ASSERT_TRUE(topics.Publish<int>("numbers", i).ok());
  }
}

// What a subscription gets that begins after 1 to 3 were published.
std::vector<int> LastOfThree(uint32_t replay) {
  std::vector<int> last;
  for (int i = 3 - static_cast<int>(std::min(replay, 3u)); i < 3; ++i) {
    last.push_back(i + 1);
  }
  return last;
}

absl::Status UseTopics(const TopicsOptions& options) {
  std::vector<int> seen;
  SimBus sim;
  const auto topics = Topics::Create(options);
  if (!topics.ok()) return topics.status();
  // Names: the oldest are forgotten.
  for (int name = 1; name <= 5; ++name) {
    EXPECT_TRUE(topics->Publish<int>(absl::StrCat("name.", name), name).ok());
  }
  EXPECT_EQ(topics->Stats().names, std::min(options.max_names, 5u));
  EXPECT_EQ(topics->Stats().names_forgotten, 5 - topics->Stats().names);
  // Kept publications.
  PublishUpTo(*topics, 3);
  const auto reader = sim.Spawn<Reader>({}, &seen);
  EXPECT_TRUE(
      topics
          ->Subscribe<int>("numbers", reader, {.replay = options.kept_per_name})
          .ok());
  sim.RunUntilIdle();
  EXPECT_EQ(seen, LastOfThree(options.kept_per_name));
  // Subscriptions: that was the first.
  for (uint32_t others = 1; others <= 5; ++others) {
    const absl::Status joined =
        topics->Subscribe<int>("numbers", reader).status();
    EXPECT_EQ(joined.code(), others < options.max_subscriptions
                                 ? absl::StatusCode::kOk
                                 : absl::StatusCode::kResourceExhausted)
        << joined;
  }
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfTopics) {
  AtExtremes<TopicsOptions>(
      [](TopicsOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, max_subscriptions, max_names, kept_per_name);
      },
      UseTopics);
}

TEST(OptionsTest, TheMostThatIsNamedIsTaken) {
  constexpr TopicsOptions kMost = {
      .max_subscriptions = TopicsOptions::kMostSubscriptions,
      .max_names = TopicsOptions::kMostNames,
      .kept_per_name = TopicsOptions::kMostKeptPerName};
  EXPECT_EQ(UseTopics(kMost), absl::OkStatus());
  TopicsOptions more = kMost;
  ++more.max_subscriptions;
  EXPECT_EQ(UseTopics(more).code(), absl::StatusCode::kInvalidArgument);
  more = kMost;
  ++more.max_names;
  EXPECT_EQ(UseTopics(more).code(), absl::StatusCode::kInvalidArgument);
  more = kMost;
  ++more.kept_per_name;
  EXPECT_EQ(UseTopics(more).code(), absl::StatusCode::kInvalidArgument);
}

TEST(OptionsTest, EveryNumberOfASubscription) {
  for (const uint32_t kept : {0u, 1u, TopicsOptions::kMostKeptPerName}) {
    AtExtremes<SubscribeOptions>(
        [](SubscribeOptions& o, auto visit) {
          TROLLEY_FIELDS(o, visit, replay);
        },
        [kept](const SubscribeOptions& options) {
          std::vector<int> seen;
          SimBus sim;
          const auto topics = *Topics::Create({.kept_per_name = kept});
          PublishUpTo(topics, 3);
          const auto reader = sim.Spawn<Reader>({}, &seen);
          const absl::Status joined =
              topics.Subscribe<int>("numbers", reader, options).status();
          EXPECT_EQ(joined.ok(), options.replay <= kept);
          sim.RunUntilIdle();
          EXPECT_EQ(seen, joined.ok() ? LastOfThree(options.replay)
                                      : std::vector<int>());
          return joined;
        });
  }
}

}  // namespace
}  // namespace trolley
