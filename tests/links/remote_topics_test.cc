// SPDX-License-Identifier: Apache-2.0
//
// P21 across links: a subscriber of another process gets each publication once,
// or the exact number of those that it missed.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "trolley/actors/remote_topics/topic_export.h"
#include "trolley/actors/remote_topics/topic_import.h"
#include "trolley/actors/topics/topics.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/reader.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley::links_test {
namespace {

using Export = TopicExport<Put, Ask>;
using Import = TopicImport<Put>;

class RemoteTopicsTest : public EachTransportTest {
 protected:
  void StartExport(const TopicExportOptions& options = {}) {
    topics_ = Topics();
    published_ = 0;
    StartServer();
    SpawnOn<Export>(*server_, {.name = "topics"}, topics_, options);
  }
  Ref<Import> StartImport(const std::string& pattern = "n.*",
                          const TopicImportOptions& options = {}) {
    return SpawnOn<Import>(*client_, {}, link_, "topics", pattern,
                           Import::Subscriber(reader_), options);
  }
  // All of it, with one import that has subscribed.
  void StartAll(const TopicExportOptions& exported = {},
                const TopicImportOptions& imported = {}) {
    StartExport(exported);
    StartClient();
    reader_ = SpawnOn<Reader>(*client_, {.name = "reader"});
    import_ = StartImport("n.*", imported);
    AwaitSessions(1);
  }
  void AwaitSessions(uint64_t count) {
    AskUntil([&] { return topics_.Stats().subscriptions; },
             [&](uint64_t now) { return now == count; });
  }
  void Publish(int count, size_t filler_bytes = 0) {
    for (int i = 0; i < count; ++i) {
      EXPECT_TRUE(
          topics_.Publish<Put>("n.x", PutOf(++published_, filler_bytes)).ok());
    }
  }
  Read ReadWhen(const std::function<bool(const Read&)>& done) {
    // Its mailbox may be full.
    return AskUntil(
        [&] { return reader_.AskAndWait(GetRead{}, kLong).value_or(Read()); },
        done);
  }
  Read ReadAll() {
    return ReadWhen(
        [this](const Read& r) { return r.published + r.missed >= published_; });
  }

  Topics topics_;
  uint64_t published_ = 0;
  Ref<Reader> reader_;
  Ref<Import> import_;
};

INSTANTIATE_TEST_SUITE_P(Over, RemoteTopicsTest, EachTransport(),
                         NameOfTransport);

TEST_P(RemoteTopicsTest, P21_EachPublicationComesOnceAndInOrder) {
  StartAll();
  for (int i = 0; i < 20; ++i) {
    Publish(50);
    const Read read = ReadAll();
    ASSERT_EQ(read.published, published_);
    ASSERT_EQ(read.missed, 0u);
  }
  // Of another name, and of another type.
  EXPECT_TRUE(topics_.Publish<Put>("m.x", PutOf(1)).ok());
  EXPECT_TRUE(topics_.Publish<Ask>("n.x", AskOf(1)).ok());
  Publish(1, 10'000);
  const Read read = ReadAll();
  EXPECT_EQ(read.published, published_);
  EXPECT_EQ(read.out_of_place, 0u);
  EXPECT_EQ(read.gaps, 0u);
  EXPECT_EQ(read.last_name, "n.x");
}

TEST_P(RemoteTopicsTest, P21_ASlowSubscriberGetsTheExactCountOfWhatItMissed) {
  StartExport({.max_waiting = 10});
  StartClient();
  reader_ =
      SpawnOn<Reader>(*client_, {.name = "reader", .mailbox_capacity = 4});
  import_ = StartImport("n.*", {.batch_bytes = 500});
  AwaitSessions(1);
  reader_.Tell(CloseReader{});
  Publish(1000);
  // No publisher waits for it.
  FindSoon<Door>(*client_, "reader.door").Tell(Open{});
  const Read read = ReadAll();
  EXPECT_EQ(read.published + read.missed, published_);
  EXPECT_GE(read.gaps, 1u);
  EXPECT_EQ(read.out_of_place, 0u);
  // What is new comes without a gap.
  Publish(1);
  const Read after = ReadAll();
  EXPECT_EQ(after.gaps, read.gaps);
  EXPECT_EQ(after.published, read.published + 1);
}

TEST_P(RemoteTopicsTest, P21_AnEndOfTheConnectionLosesAndRepeatsNothing) {
  StartAll();
  for (int round = 0; round < 10; ++round) {
    const LinkUp up = NextUpOf(server_watcher_);
    Publish(50);
    ReadAll();  // a connection that brought nothing is not dialled soon
    Publish(50);
    up.link.Stop();
    Publish(50);
  }
  const Read read = ReadAll();
  EXPECT_EQ(read.published, published_);
  EXPECT_EQ(read.missed, 0u);
  EXPECT_EQ(read.out_of_place, 0u);
  EXPECT_EQ(topics_.Stats().subscriptions, 1u);
}

TEST_P(RemoteTopicsTest, P21_TheGapIsExactAcrossConnections) {
  StartAll({.max_waiting = 7});
  for (int round = 0; round < 10; ++round) {
    const LinkUp up = NextUpOf(server_watcher_);
    Publish(20);
    ReadAll();
    Publish(20);
    up.link.Stop();
    Publish(100);
    AwaitEnd(up.link.address());
  }
  const Read read = ReadAll();
  EXPECT_EQ(read.published + read.missed, published_);
  EXPECT_GE(read.gaps, 1u);
  EXPECT_EQ(read.unknown, 0u);
  EXPECT_EQ(read.out_of_place, 0u);
}

TEST_P(RemoteTopicsTest, P21_ARestartOfTheOtherProcessIsAGapOfUnknownSize) {
  StartAll();
  Publish(10);
  EXPECT_EQ(ReadAll().published, 10u);
  StopServer();
  StartExport();
  AwaitSessions(1);
  ReadWhen([](const Read& r) { return r.unknown == 1; });
  reader_.Tell(ForgetRead{});
  Publish(10);
  const Read read = ReadAll();
  EXPECT_EQ(read.published, 10u);
  EXPECT_EQ(read.gaps, 0u);
}

TEST_P(RemoteTopicsTest, P21_ALongPublicationCountsAsMissed) {
  StartAll({}, {.batch_bytes = 1000});
  Publish(3);
  Publish(2, 1000);
  Publish(3);
  const Read read = ReadAll();
  EXPECT_EQ(read.published, 6u);
  EXPECT_EQ(read.missed, 2u);
  EXPECT_EQ(read.out_of_place, 0u);
}

// The link of the subscriber takes shorter frames than its import asks for.
TEST_P(RemoteTopicsTest, P21_ABatchThatIsTooLongComesInParts) {
  StartExport();
  LinkOptions narrow = PatientLink();
  narrow.max_frame_bytes = 2000;
  StartClient(narrow);
  reader_ = SpawnOn<Reader>(*client_, {.name = "reader"});
  import_ = StartImport("n.*", {.pause = absl::Milliseconds(1)});
  AwaitSessions(1);
  Publish(100, 100);
  const Read read = ReadAll();
  EXPECT_EQ(read.published, 100u);
  EXPECT_EQ(read.missed, 0u);
}

TEST_P(RemoteTopicsTest, P21_ASubscriptionEndsWithItsImport) {
  StartAll();
  // It knows the name of its session when it has read something.
  Publish(1);
  ReadAll();
  import_.Stop();
  AwaitSessions(0);
  import_ = StartImport();
  AwaitSessions(1);
  Publish(1);
  ReadAll();
  reader_.Stop();
  AwaitEnd(import_.address());
  AwaitSessions(0);
  reader_ = SpawnOn<Reader>(*client_, {.name = "reader"});
  import_ = StartImport();
  AwaitSessions(1);
  link_.Stop();
  AwaitEnd(import_.address());
}

TEST_P(RemoteTopicsTest, P21_ASubscriberThatDoesNotComeBackIsForgotten) {
  StartAll({.keep = absl::Milliseconds(20)});
  const LinkUp up = NextUpOf(server_watcher_);
  listener_.Stop();
  AwaitEnd(listener_.address());
  up.link.Stop();
  AwaitSessions(0);
}

TEST_P(RemoteTopicsTest, P21_TheSubscriptionsOfOthersAreBounded) {
  StartAll({.max_sessions = 2});
  StartImport();
  AwaitSessions(2);
  reader_ = SpawnOn<Reader>(*client_, {.name = "third"});
  StartImport("n.*", {.pause = absl::Milliseconds(1)});
  StatsWhen(link_, [](const LinkStats& s) { return s.written >= 6; });
  EXPECT_EQ(topics_.Stats().subscriptions, 2u);
  // A place that is free again is used.
  import_.Stop();
  ReadWhen([this](const Read& r) {
    Publish(1);
    return r.published > 0;
  });
}

TEST_P(RemoteTopicsTest, P21_WhatIsNotExportedEndsTheImport) {
  StartAll();
  AwaitEnd(SpawnOn<TopicImport<Answer>>(
               *client_, {}, link_, "topics", "n.*",
               TopicImport<Answer>::Subscriber(SpawnOn<Other>(*client_, {})))
               .address());
  AwaitEnd(StartImport("n.>.x").address());
  AwaitEnd(StartImport("\x1b[2J").address());
  EXPECT_EQ(topics_.Stats().subscriptions, 1u);
}

TEST_P(RemoteTopicsTest, P21_AnExportIsAwaited) {
  StartServer();
  StartClient();
  reader_ = SpawnOn<Reader>(*client_, {.name = "reader"});
  import_ = StartImport("n.*", {.pause = absl::Milliseconds(1)});
  StatsWhen(link_, [](const LinkStats& s) { return s.refused_by_peer >= 3; });
  SpawnOn<Export>(*server_, {.name = "topics"}, topics_);
  AwaitSessions(1);
  Publish(1);
  EXPECT_EQ(ReadAll().published, 1u);
}

// --- Lies ------------------------------------------------------------------

// An export of another make, which says what it likes.
class Liar : public Actor {
 public:
  using Receives = Protocol<topics::v1::Subscribed(topics::v1::Subscribe),
                            topics::v1::Batch(topics::v1::Next)>;
  topics::v1::Subscribed On(const topics::v1::Subscribe&) {
    topics::v1::Subscribed subscribed;
    subscribed.set_session(subscribed_++ == 0 ? "\x1b[2J" : "topics");
    return subscribed;
  }
  topics::v1::Batch On(const topics::v1::Next& next) {
    topics::v1::Batch batch;
    const auto add = [&](uint64_t number, const std::string& name,
                         const std::string& value) {
      topics::v1::Entry& entry = *batch.add_entries();
      entry.set_number(number);
      entry.set_name(name);
      entry.set_value(value);
    };
    if (next.received() == 0) {
      add(1, "n.x", PutOf(1).SerializeAsString());
      add(1, "n.x", PutOf(1).SerializeAsString());  // again
      add(0, "n.x", PutOf(1).SerializeAsString());
      add(2, "n.\x1b[2J", "");    // is no name
      add(3, "m.x", "");          // does not match
      add(4, "n.x", "\xff\xff");  // does not parse
    } else if (next.received() == 4) {
      add(5, "n.x", PutOf(5).SerializeAsString());
    }
    return batch;  // an empty one is none
  }

 private:
  int subscribed_ = 0;
};

TEST_P(RemoteTopicsTest, P14_AnExportThatLiesIsHarmless) {
  StartServer();
  SpawnOn<Liar>(*server_, {.name = "topics"});
  StartClient();
  reader_ = SpawnOn<Reader>(*client_, {.name = "reader"});
  import_ = StartImport("n.*", {.pause = absl::Milliseconds(1)});
  published_ = 5;
  const Read read = ReadAll();
  EXPECT_EQ(read.published, 2u);
  EXPECT_EQ(read.missed, 3u);
  EXPECT_EQ(read.out_of_place, 0u);
  EXPECT_EQ(read.last_name, "n.x");
}

// --- Options ---------------------------------------------------------------

// Topics of one process, over a link to itself would do as well; here the
// options are checked by the actors, which end when they are not valid.
class OptionsOfTopicsTest : public LinkTest {
 protected:
  // One publication, with these options.
  absl::Status Use(const TopicExportOptions& exported,
                   const TopicImportOptions& imported) {
    absl::Status valid = ValidateTopicExportOptions(exported);
    valid.Update(ValidateTopicImportOptions(imported));
    StartServer();
    StartClient();
    Topics topics;
    const auto reader = SpawnOn<Reader>(*client_, {.name = "reader"});
    const auto exports =
        SpawnOn<Export>(*server_, {.name = "topics"}, topics, exported);
    const auto imports = SpawnOn<Import>(*client_, {}, link_, "topics", "n.*",
                                         Import::Subscriber(reader), imported);
    if (!valid.ok()) {
      AwaitEnd(ValidateTopicExportOptions(exported).ok() ? imports.address()
                                                         : exports.address());
    } else {
      AskUntil([&] { return topics.Stats().subscriptions; },
               [](uint64_t now) { return now == 1; });
      EXPECT_TRUE(topics.Publish<Put>("n.x", PutOf(1)).ok());
      AskUntil([&] { return reader.AskAndWait(GetRead{}, kLong).value(); },
               [](const Read& r) { return r.published + r.missed == 1; });
    }
    StopClient();
    StopServer();
    return valid;
  }
};

TEST_F(OptionsOfTopicsTest, P21_EveryNumber) {
  AtExtremes<TopicExportOptions>(
      [](TopicExportOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, max_sessions, max_waiting, max_waiting_bytes,
                       keep);
      },
      [this](const TopicExportOptions& options) { return Use(options, {}); });
  AtExtremes<TopicImportOptions>(
      [](TopicImportOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, batch_bytes, pause);
      },
      [this](const TopicImportOptions& options) { return Use({}, options); });
}

TEST_F(OptionsOfTopicsTest, P17_EveryTime) {
  const auto expect = [](const Extreme& e, const absl::Status& used,
                         const std::string& field) {
    EXPECT_EQ(used.ok(), e.positive()) << used;
    if (!used.ok()) {
      EXPECT_TRUE(absl::StrContains(used.message(), field)) << used;
    }
  };
  ForEachExtreme(
      "actors/remote_topics/remote_topics_options.h TopicExportOptions::keep",
      [&](const Extreme& e) {
        TopicExportOptions options;
        options.keep = e.value;
        // A session of the shortest time may end before its first question.
        const absl::Status used = e.positive() && e.soon()
                                      ? ValidateTopicExportOptions(options)
                                      : Use(options, {});
        expect(e, used, "TopicExportOptions::keep");
      });
  ForEachExtreme(
      "actors/remote_topics/remote_topics_options.h TopicImportOptions::pause",
      [&](const Extreme& e) {
        TopicImportOptions options;
        options.pause = e.value;
        expect(e, Use({}, options), "TopicImportOptions::pause");
      });
}

}  // namespace
}  // namespace trolley::links_test
