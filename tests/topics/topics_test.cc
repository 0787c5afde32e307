// SPDX-License-Identifier: Apache-2.0
//
// Topics on the thread of the test: the loops run when the test says so, so
// that each mailbox is as full as the test needs.

#include "trolley/actors/topics/topics.h"

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"

namespace trolley {
namespace {

using Lines = std::vector<std::string>;

struct Note {
  int number;
};
struct Filler {};

// Writes down what comes: "a.b=7" for a publication, "gap 3 of a.*".
class Reader : public Actor {
 public:
  explicit Reader(Lines* lines) : lines_(lines) {}
  void On(const Published<Note>& m) {
    lines_->push_back(absl::StrCat(m.name, "=", m.value.number));
  }
  void On(const Published<std::string>& m) {
    lines_->push_back(absl::StrCat(m.name, "=", m.value));
  }
  void On(const Gap& gap) {
    lines_->push_back(absl::StrCat("gap ", gap.missed, " of ", gap.pattern));
  }
  void On(const Filler&) {}

 private:
  Lines* const lines_;
};

class TopicsTest : public testing::Test {
 protected:
  TopicsTest()
      : bus_(*Bus::Create(
            {.loops = {{}, {}}, .for_tests = {.single_threaded = true}})) {}
  ~TopicsTest() override {
    if (bus_ != nullptr) CheckTheEnd();
  }

  void CheckTheEnd() {
    const ShutdownReport report = bus_->Shutdown(absl::Seconds(5));
    EXPECT_TRUE(report.ledger.Balances()) << report.ledger.ToString();
    bus_.reset();
    EXPECT_EQ(topics_.Stats().subscriptions, 0u)
        << "the actors have ended, and a subscription has not";
  }

  void MakeTopics(const TopicsOptions& options) {
    absl::StatusOr<Topics> made = Topics::Create(options);
    ASSERT_TRUE(made.ok()) << made.status();
    topics_ = *std::move(made);
  }
  Ref<Reader> SpawnReader(Lines* lines, uint32_t mailbox = 1024, int loop = 0) {
    return *bus_->Spawn<Reader>({.loop = loop, .mailbox_capacity = mailbox},
                                lines);
  }
  template <typename T = Note>
  SubscriptionId Subscribe(absl::string_view pattern, const Ref<Reader>& to,
                           const SubscribeOptions& options = {}) {
    absl::StatusOr<SubscriptionId> id =
        topics_.Subscribe<T>(pattern, to, options);
    EXPECT_TRUE(id.ok()) << id.status();
    return id.value_or(SubscriptionId{});
  }
  PublishReport Publish(absl::string_view name, int number) {
    absl::StatusOr<PublishReport> report = topics_.Publish<Note>(name, number);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.value_or(PublishReport{});
  }
  void Run() { bus_->RunUntilIdle(); }

  // The figures of a subscription; they add up.
  SubscriptionStats StatsOf(SubscriptionId id) {
    const absl::StatusOr<SubscriptionStats> stats = topics_.Stats(id);
    EXPECT_TRUE(stats.ok()) << stats.status();
    if (!stats.ok()) return {};
    EXPECT_EQ(stats->matched,
              stats->delivered + stats->in_gaps + stats->pending_gap);
    return *stats;
  }

  std::unique_ptr<Bus> bus_;
  Topics topics_;
};

TEST_F(TopicsTest, P21_APublicationReachesTheSubscriptionsThatMatch) {
  Lines one, star, all, none;
  Subscribe("a.b", SpawnReader(&one));
  Subscribe("a.*", SpawnReader(&star, 1024, 1));
  Subscribe(">", SpawnReader(&all));
  Subscribe("b.>", SpawnReader(&none));
  Publish("a.b", 1);
  Publish("a.c", 2);
  const PublishReport report = Publish("a.b.c", 3);
  EXPECT_EQ(report.matched, 1u);
  EXPECT_EQ(report.delivered, 1u);
  Run();
  EXPECT_EQ(one, (Lines{"a.b=1"}));
  EXPECT_EQ(star, (Lines{"a.b=1", "a.c=2"}));
  EXPECT_EQ(all, (Lines{"a.b=1", "a.c=2", "a.b.c=3"}));
  EXPECT_EQ(none, Lines{});
}

TEST_F(TopicsTest, P21_ALaterSubscriptionGetsWhatIsPublishedOnAKnownName) {
  Lines first, second;
  Publish("a", 1);
  const SubscriptionId id = Subscribe("a", SpawnReader(&first));
  Publish("a", 2);
  Subscribe("*", SpawnReader(&second));
  Publish("a", 3);
  ASSERT_TRUE(topics_.Unsubscribe(id).ok());
  Publish("a", 4);
  Run();
  EXPECT_EQ(first, (Lines{"a=2", "a=3"}));
  EXPECT_EQ(second, (Lines{"a=3", "a=4"}));
}

// Counts what happens to values of it. They have 64 KiB.
struct Counts {
  int made = 0, copied = 0, moved = 0, destroyed = 0;
};
class Counted {
 public:
  explicit Counted(Counts* counts) : counts_(counts) { ++counts_->made; }
  Counted(const Counted& other) : counts_(other.counts_) { ++counts_->copied; }
  Counted(Counted&& other) noexcept : counts_(other.counts_) {
    ++counts_->moved;
  }
  ~Counted() { ++counts_->destroyed; }

 private:
  Counts* const counts_;
  const std::array<char, 64 << 10> content_{};
};

class CountedReader : public Actor {
 public:
  explicit CountedReader(std::vector<const Counted*>* seen) : seen_(seen) {}
  void On(const Published<Counted>& m) { seen_->push_back(&m.value); }
  void On(const Gap&) { seen_->push_back(nullptr); }

 private:
  std::vector<const Counted*>* const seen_;
};

TEST_F(TopicsTest, P21_AHundredSubscribersShareOneValue) {
  MakeTopics({.kept_per_name = 0});
  Counts counts;
  std::vector<const Counted*> seen;
  for (int i = 0; i < 100; ++i) {
    const auto reader = bus_->Spawn<CountedReader>({.loop = i % 2}, &seen);
    ASSERT_TRUE(topics_.Subscribe<Counted>("a", *reader).ok());
  }
  ASSERT_TRUE(topics_.Publish<Counted>("a", &counts).ok());
  EXPECT_EQ(counts.destroyed, 0);
  Run();
  EXPECT_EQ(counts.made, 1);
  EXPECT_EQ(counts.copied, 0);
  EXPECT_EQ(counts.moved, 0);
  EXPECT_EQ(counts.destroyed, 1);
  ASSERT_EQ(seen.size(), 100u);
  for (const Counted* value : seen) EXPECT_EQ(value, seen[0]);

  // A value that exists is moved once, into its place.
  counts = {};
  ASSERT_TRUE(topics_.Publish<Counted>("a", Counted(&counts)).ok());
  Run();
  EXPECT_EQ(counts.copied, 0);
  EXPECT_EQ(counts.moved, 1);
  EXPECT_EQ(counts.destroyed, 2);
}

TEST_F(TopicsTest, P21_AFullMailboxGetsTheExactGapBeforeTheNextPublication) {
  Lines slow, fast;
  const SubscriptionId id = Subscribe("a.*", SpawnReader(&slow, 4));
  Subscribe("a.*", SpawnReader(&fast));
  for (int i = 1; i <= 10; ++i) {
    const PublishReport report = Publish("a.b", i);
    EXPECT_EQ(report.matched, 2u);
    EXPECT_EQ(report.missed, i <= 4 ? 0u : 1u);
    EXPECT_EQ(report.delivered, i <= 4 ? 2u : 1u);
  }
  EXPECT_EQ(StatsOf(id).delivered, 4u);
  EXPECT_EQ(StatsOf(id).pending_gap, 6u);
  Run();
  EXPECT_EQ(slow, (Lines{"a.b=1", "a.b=2", "a.b=3", "a.b=4"}));
  EXPECT_EQ(fast.size(), 10u);
  slow.clear();
  Publish("a.c", 11);
  Publish("a.c", 12);
  Run();
  EXPECT_EQ(slow, (Lines{"gap 6 of a.*", "a.c=11", "a.c=12"}));
  const SubscriptionStats stats = StatsOf(id);
  EXPECT_EQ(stats.matched, 12u);
  EXPECT_EQ(stats.in_gaps, 6u);
  EXPECT_EQ(stats.pending_gap, 0u);
  EXPECT_EQ(stats.gaps, 1u);
}

TEST_F(TopicsTest, P21_IfOnlyTheGapFitsThePublicationBeginsTheNextGap) {
  Lines lines;
  const Ref<Reader> reader = SpawnReader(&lines, 2);
  const SubscriptionId id = Subscribe("a", reader);
  for (int i = 1; i <= 3; ++i) Publish("a", i);
  Run();
  ASSERT_EQ(reader.Tell(Filler{}), Delivery::kAccepted);
  EXPECT_EQ(Publish("a", 4).missed, 1u);  // the Gap took the last credit
  EXPECT_EQ(StatsOf(id).gaps, 1u);
  EXPECT_EQ(StatsOf(id).pending_gap, 1u);
  Run();
  EXPECT_EQ(Publish("a", 5).missed, 1u) << "there was no pause";
  EXPECT_EQ(Publish("a", 6).delivered, 1u);
  Run();
  EXPECT_EQ(lines, (Lines{"a=1", "a=2", "gap 1 of a", "gap 2 of a", "a=6"}));
}

// For each message that it handles, it publishes two to itself. So its mailbox
// never has more than a few free credits.
class Overloaded : public Actor {
 public:
  struct Seen {
    int publications = 0;
    int gaps = 0;
    uint64_t missed = 0;
    int last = 0;
    int wrong = 0;
  };
  Overloaded(Topics topics, int most, Seen* seen)
      : topics_(std::move(topics)), most_(most), seen_(seen) {}
  void On(const Published<Note>& m) {
    ++seen_->publications;
    if (m.value.number != seen_->last + 1 + static_cast<int>(missed_)) {
      ++seen_->wrong;
    }
    seen_->last = m.value.number;
    missed_ = 0;
    PublishTwo();
  }
  void On(const Gap& gap) {
    ++seen_->gaps;
    seen_->missed += gap.missed;
    missed_ += gap.missed;
    PublishTwo();
  }

 private:
  void PublishTwo() {
    for (int i = 0; i < 2 && published_ < most_; ++i) {
      EXPECT_TRUE(topics_.Publish<Note>("a", ++published_ + 1).ok());
    }
  }

  const Topics topics_;
  const int most_;
  Seen* const seen_;
  int published_ = 0;
  uint64_t missed_ = 0;  // since the last publication
};

TEST_F(TopicsTest, P21_AnOverloadedSubscriberGetsPublicationsAndNotOnlyGaps) {
  Overloaded::Seen seen;
  const auto actor =
      bus_->Spawn<Overloaded>({.mailbox_capacity = 8}, topics_, 10'000, &seen);
  const SubscriptionId id = *topics_.Subscribe<Note>("a", *actor);
  Publish("a", 1);
  Run();
  const SubscriptionStats stats = StatsOf(id);
  EXPECT_EQ(stats.matched, 10'001u);
  EXPECT_EQ(stats.delivered, static_cast<uint64_t>(seen.publications));
  EXPECT_EQ(stats.in_gaps, seen.missed);
  EXPECT_GT(seen.gaps, 10) << "it was not overloaded";
  EXPECT_GT(seen.publications, seen.gaps / 2);
  EXPECT_EQ(seen.wrong, 0) << "a gap does not stand where it belongs";
}

TEST_F(TopicsTest, P21_FlushGapTellsWithoutANewerPublication) {
  Lines lines;
  const SubscriptionId id = Subscribe("a", SpawnReader(&lines, 2));
  EXPECT_TRUE(topics_.FlushGap(id).ok()) << "nothing was missed";
  for (int i = 1; i <= 5; ++i) Publish("a", i);
  EXPECT_EQ(topics_.FlushGap(id).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(topics_.FlushGaps(), 1u);
  EXPECT_EQ(StatsOf(id).pending_gap, 3u);
  Run();
  EXPECT_TRUE(topics_.FlushGap(id).ok());
  EXPECT_TRUE(topics_.FlushGap(id).ok());
  EXPECT_EQ(topics_.FlushGaps(), 0u);
  Run();
  EXPECT_EQ(lines, (Lines{"a=1", "a=2", "gap 3 of a"}));
  Publish("a", 6);
  Run();
  EXPECT_EQ(lines.back(), "a=6");
  EXPECT_EQ(topics_.FlushGap({.value = 77}).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(TopicsTest, P21_UnsubscribeEndsItAndReturnsTheLastFigures) {
  Lines lines;
  const Ref<Reader> reader = SpawnReader(&lines, 2);
  const SubscriptionId id = Subscribe("a", reader);
  const SubscriptionId other = Subscribe("a", reader);
  EXPECT_FALSE(id == other);
  Publish("a", 1);
  Publish("a", 2);
  const absl::StatusOr<SubscriptionStats> stats = topics_.Unsubscribe(id);
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(stats->matched, 2u);
  EXPECT_EQ(stats->delivered, 1u);
  EXPECT_EQ(stats->pending_gap, 1u);
  Run();
  EXPECT_EQ(Publish("a", 3).matched, 1u) << "the other one is still there";
  Run();
  EXPECT_EQ(lines, (Lines{"a=1", "a=1", "gap 1 of a", "a=3"}));
  EXPECT_EQ(topics_.Unsubscribe(id).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(topics_.Stats(id).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(topics_.Stats().subscriptions, 1u);
}

TEST_F(TopicsTest, P21_ASubscriptionEndsWithItsActor) {
  Lines ended, stays;
  const Ref<Reader> reader = SpawnReader(&ended);
  const SubscriptionId id = Subscribe("a", reader);
  Subscribe("b.>", reader);
  Subscribe("a", SpawnReader(&stays, 1024, 1));
  Publish("a", 1);
  Run();
  reader.address().Stop();
  Run();
  EXPECT_EQ(topics_.Stats().subscriptions, 1u);
  EXPECT_EQ(topics_.Stats(id).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Publish("a", 2).matched, 1u);
  Run();
  EXPECT_EQ(ended, (Lines{"a=1"}));
  EXPECT_EQ(stays, (Lines{"a=1", "a=2"}));

  // One of an actor that has ended before ends soon.
  EXPECT_TRUE(topics_.Subscribe<Note>("a", reader).ok());
  Run();
  EXPECT_EQ(topics_.Stats().subscriptions, 1u);
  // So does one of an actor whose bus has ended.
  CheckTheEnd();
  EXPECT_TRUE(topics_.Subscribe<Note>("a", reader).ok());
  EXPECT_EQ(topics_.Stats().subscriptions, 0u);
}

TEST_F(TopicsTest, ABusMayOutliveTopics) {
  Lines lines;
  auto topics = std::make_unique<Topics>();
  ASSERT_TRUE(topics->Subscribe<Note>("a", SpawnReader(&lines)).ok());
  ASSERT_TRUE(topics->Publish<Note>("a", 1).ok());
  topics.reset();
  Run();
  EXPECT_EQ(lines, (Lines{"a=1"}));
}

// Subscribes when it starts.
class LateReader : public Reader {
 public:
  LateReader(Topics topics, Lines* lines, absl::string_view pattern, uint32_t n)
      : Reader(lines), topics_(std::move(topics)), pattern_(pattern), n_(n) {}
  void OnStart() {
    id_ = topics_.Subscribe<Note>(pattern_, Self(this), {.replay = n_});
  }

 private:
  const Topics topics_;
  const std::string pattern_;
  const uint32_t n_;
  absl::StatusOr<SubscriptionId> id_;
};

TEST_F(TopicsTest, P21_ReplayBringsTheLastOfEachNameAndThenWhatIsNewer) {
  MakeTopics({.kept_per_name = 3});
  for (int i = 1; i <= 5; ++i) Publish("a.x", i);
  Publish("a.y", 6);
  Publish("b", 7);
  Publish("a.x", 8);
  Lines last, two, all, live;
  const auto spawn = [&](Lines* lines, absl::string_view pattern, uint32_t n) {
    ASSERT_TRUE(bus_->Spawn<LateReader>({}, topics_, lines, pattern, n).ok());
  };
  spawn(&last, "a.*", 1);
  spawn(&two, "a.*", 2);
  spawn(&all, ">", 3);
  spawn(&live, "a.*", 0);
  Run();
  Publish("a.x", 9);
  Run();
  EXPECT_EQ(last, (Lines{"a.y=6", "a.x=8", "a.x=9"}));
  EXPECT_EQ(two, (Lines{"a.x=5", "a.y=6", "a.x=8", "a.x=9"}));
  EXPECT_EQ(all, (Lines{"a.x=4", "a.x=5", "a.y=6", "b=7", "a.x=8", "a.x=9"}));
  EXPECT_EQ(live, (Lines{"a.x=9"}));
}

TEST_F(TopicsTest, P21_AReplayThatDoesNotFitIsInTheGap) {
  MakeTopics({.kept_per_name = 10});
  for (int i = 1; i <= 10; ++i) Publish("a", i);
  Lines lines;
  const SubscriptionId id =
      Subscribe("a", SpawnReader(&lines, 4), {.replay = 10});
  EXPECT_EQ(StatsOf(id).matched, 10u);
  EXPECT_EQ(StatsOf(id).pending_gap, 6u);
  Run();
  Publish("a", 11);
  Run();
  EXPECT_EQ(lines, (Lines{"a=1", "a=2", "a=3", "a=4", "gap 6 of a", "a=11"}));
}

TEST_F(TopicsTest,
       P21_OfTooManyNamesItForgetsTheOneThatWasPublishedLeastRecently) {
  MakeTopics({.max_names = 2});
  Publish("a", 1);
  Publish("b", 2);
  Publish("a", 3);
  Publish("c", 4);
  EXPECT_EQ(topics_.Stats().names, 2u);
  EXPECT_EQ(topics_.Stats().names_forgotten, 1u);
  Lines lines;
  Subscribe(">", SpawnReader(&lines), {.replay = 1});
  Publish("b", 5);
  Run();
  EXPECT_EQ(lines, (Lines{"a=3", "c=4", "b=5"}));
  EXPECT_EQ(topics_.Stats().publications, 5u);
}

TEST_F(TopicsTest, AKeptValueIsDestroyedWhenANewerOneTakesItsPlace) {
  Counts counts;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(topics_.Publish<Counted>("a", &counts).ok());
    EXPECT_EQ(counts.destroyed, i);
  }
  topics_ = Topics();
  EXPECT_EQ(counts.destroyed, 3);
}

TEST_F(TopicsTest, P21_APublicationOfAnotherTypeIsCountedAndNotDelivered) {
  Lines notes, texts;
  const SubscriptionId of_notes = Subscribe(">", SpawnReader(&notes));
  const SubscriptionId of_texts =
      Subscribe<std::string>(">", SpawnReader(&texts));
  EXPECT_EQ(StatsOf(of_notes).last_other_type, "");
  const absl::StatusOr<PublishReport> report =
      topics_.Publish<std::string>("a.b", "hello");
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->matched, 1u);
  EXPECT_EQ(report->other_type, 1u);
  Publish("a.b", 1);
  Run();
  EXPECT_EQ(notes, (Lines{"a.b=1"}));
  EXPECT_EQ(texts, (Lines{"a.b=hello"}));
  const SubscriptionStats stats = StatsOf(of_notes);
  EXPECT_EQ(stats.other_type, 1u);
  EXPECT_EQ(stats.matched, 1u);
  for (const char* part : {"\">\"", "Note", "\"a.b\"", "string"}) {
    EXPECT_TRUE(absl::StrContains(stats.last_other_type, part))
        << stats.last_other_type;
  }
  EXPECT_EQ(StatsOf(of_texts).other_type, 1u);
}

TEST_F(TopicsTest, ABadNameIsRefusedAndNothingIsBuilt) {
  Counts counts;
  for (const char* name : {"", "a..b", "a.*", ">", "a b"}) {
    EXPECT_EQ(topics_.Publish<Counted>(name, &counts).status().code(),
              absl::StatusCode::kInvalidArgument)
        << name;
  }
  EXPECT_EQ(counts.made, 0);
  EXPECT_EQ(topics_.Stats().publications, 0u);
  Lines lines;
  const Ref<Reader> reader = SpawnReader(&lines);
  for (const char* pattern : {"", "a.", ">.a", "a*", "\n"}) {
    EXPECT_EQ(topics_.Subscribe<Note>(pattern, reader).status().code(),
              absl::StatusCode::kInvalidArgument)
        << pattern;
  }
  EXPECT_EQ(topics_.Subscribe<Note>("a", Ref<Reader>()).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(topics_.Stats().subscriptions, 0u);
}

struct Throws {
  Throws() { throw std::runtime_error("no"); }
};

TEST_F(TopicsTest, AValueThatThrowsIsNotPublished) {
  EXPECT_THROW((void)topics_.Publish<Throws>("a"), std::runtime_error);
  EXPECT_EQ(topics_.Stats().publications, 0u);
}

TEST_F(TopicsTest, EachLimitIsChecked) {
  MakeTopics({.max_subscriptions = 2, .kept_per_name = 5});
  Lines lines;
  const Ref<Reader> reader = SpawnReader(&lines);
  const absl::Status replay =
      topics_.Subscribe<Note>("a", reader, {.replay = 6}).status();
  EXPECT_EQ(replay.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(replay.message(), "0 to")) << replay;
  const SubscriptionId id = Subscribe("a", reader, {.replay = 5});
  Subscribe("a", reader);
  EXPECT_EQ(topics_.Subscribe<Note>("a", reader).status().code(),
            absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(topics_.Unsubscribe(id).ok());
  Subscribe("a", reader);

  const std::pair<TopicsOptions, std::string> cases[] = {
      {{.max_subscriptions = 0}, "max_subscriptions"},
      {{.max_subscriptions = TopicsOptions::kMostSubscriptions + 1},
       "max_subscriptions"},
      {{.max_names = 0}, "max_names"},
      {{.max_names = TopicsOptions::kMostNames + 1}, "max_names"},
      {{.kept_per_name = TopicsOptions::kMostKeptPerName + 1}, "kept_per_name"},
  };
  for (const auto& [options, field] : cases) {
    const absl::Status status = Topics::Create(options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_TRUE(absl::StrContains(status.message(), field)) << status;
  }
}

}  // namespace
}  // namespace trolley
