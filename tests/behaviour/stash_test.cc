// SPDX-License-Identifier: Apache-2.0
//
// Stash: order, bounds, and what becomes of what is left.

#include "trolley/actors/behaviour/stash.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/seat.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {
namespace {

using trolley::testing::ForEachSeed;
using trolley::testing::SimBus;

using Lines = std::vector<std::string>;

struct Put {
  int number = 0;
  std::string text = {};
  std::unique_ptr<int> only_moves = {};
};
struct Note {
  int number = 0;
};
struct Opened {
  bool open = true;
};
struct Ask {};

struct Record {
  std::vector<std::string> handled;
  std::vector<absl::Status> kept;
  std::function<void(int)> on_put;  // while it is open
  size_t size = 0, bytes = 0;
};

class Store : public Actor {
 public:
  Store(Record* record, const StashOptions& options)
      : record_(*record), stash_(this, options) {}

  void On(Put m) {
    if (!open_) {
      const size_t heap = m.text.size();
      record_.kept.push_back(stash_.Keep(std::move(m), heap));
      if (!record_.kept.back().ok()) {  // not moved from
        record_.handled.push_back(absl::StrCat("refused ", m.number, m.text));
      }
      return Tell();
    }
    record_.handled.push_back(absl::StrCat("put ", m.number, m.text));
    if (record_.on_put != nullptr) record_.on_put(m.number);
    if (m.text == "close") open_ = false;
    if (m.text == "unstash") stash_.Unstash();
    if (m.text == "stop") Stop();
  }
  void On(const Note& m) {
    if (!open_) {
      record_.kept.push_back(stash_.Keep(m));
      return Tell();
    }
    record_.handled.push_back(absl::StrCat("note ", m.number));
  }
  void On(const Opened& m) {
    open_ = m.open;
    if (open_) stash_.Unstash();
    Tell();
  }
  absl::Status On(const Ask&) { return stash_.Keep(Note{9}); }

 private:
  void Tell() {
    record_.size = stash_.size();
    record_.bytes = stash_.bytes();
  }

  Record& record_;
  bool open_ = false;
  Stash<Put, Note> stash_;
};
constexpr size_t kOne = Stash<Put, Note>::kBytesOfOne;

class StashTest : public ::testing::Test {
 protected:
  Ref<Store> Spawn(const StashOptions& options = {},
                   const SpawnOptions& actor = {}) {
    return sim_.Spawn<Store>(actor, &record_, options);
  }

  Record record_;
  Lines log_;
  SimBus sim_{{.adjust = [this](BusOptions& options) {
    options.log = [this](absl::string_view line) {
      log_.push_back(std::string(line));
    };
  }}};
};

TEST_F(StashTest, KeptMessagesAreHandledInTheirOrderBeforeThoseThatWait) {
  const auto store = Spawn();
  store.Tell(Put{1});
  store.Tell(Note{2});
  store.Tell(Put{.number = 3, .only_moves = std::make_unique<int>(3)});
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.handled, Lines());
  EXPECT_EQ(record_.size, 3u);
  // These two are in the mailbox together: what was kept goes first.
  store.Tell(Opened{});
  store.Tell(Put{4});
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.handled, (Lines{"put 1", "note 2", "put 3", "put 4"}));
  EXPECT_EQ(record_.size, 0u);
  EXPECT_EQ(record_.bytes, 0u);
}

// P1 over the stash, whatever the interleaving: what each sender sent comes in
// its order, although the store opens and closes.
class Sender : public Actor {
 public:
  Sender(Ref<Store> store, int base) : store_(std::move(store)), base_(base) {}
  void OnStart() override {
    RunInBackground([this]() -> Task<absl::Status> {
      for (int i = 0; i < 20; ++i) {
        const int number = base_ + i;
        auto sending = store_.Send<Put>(number);
        (void)co_await sending;
        if (i % 3 == 0) co_await Sleep(absl::Milliseconds(base_ % 7));
      }
      co_return absl::OkStatus();
    });
  }

 private:
  const Ref<Store> store_;
  const int base_;
};

TEST(StashOrderTest, P1_TheOrderOfEachSenderHoldsOverTheStash) {
  ForEachSeed(50, [](uint64_t seed) {
    Record record;
    SimBus sim({.loops = 2, .seed = seed});
    const auto store =
        sim.Spawn<Store>({.mailbox_capacity = 8}, &record, StashOptions{});
    for (const int base : {1000, 2001, 3003}) {
      sim.Spawn<Sender>({.loop = base % 2}, store, base);
    }
    for (int i = 0; i < 20; ++i) {
      sim.RunFor(absl::Milliseconds(sim.world().random().Below(6)));
      store.Tell(Opened{sim.world().random().Below(2) == 0});
    }
    sim.RunFor(absl::Seconds(1));
    store.Tell(Opened{});
    sim.RunUntilIdle();
    Lines of_sender[3];
    for (const std::string& line : record.handled) {
      for (int i = 0; i < 3; ++i) {
        if (absl::StartsWith(line, absl::StrCat("put ", i + 1))) {
          of_sender[i].push_back(line);
        }
      }
    }
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(of_sender[i].size(), 20u);
      EXPECT_TRUE(std::is_sorted(of_sender[i].begin(), of_sender[i].end()));
    }
  });
}

TEST_F(StashTest, WhatIsKeptAgainWaitsForTheNextUnstash) {
  const auto store = Spawn();
  for (int i = 1; i <= 4; ++i) {
    store.Tell(Put{.number = i, .text = i == 2 ? "close" : ""});
  }
  store.Tell(Opened{});
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.handled, (Lines{"put 1", "put 2close"}));
  EXPECT_EQ(record_.size, 2u);
  store.Tell(Opened{});
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.handled, (Lines{"put 1", "put 2close", "put 3", "put 4"}));
}

TEST_F(StashTest, AnUnstashWithinAnUnstashIsOne) {
  const auto store = Spawn();
  for (int i = 1; i <= 5; ++i) {
    store.Tell(Put{.number = i, .text = i % 2 == 1 ? "unstash" : ""});
  }
  store.Tell(Opened{});
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.handled, (Lines{"put 1unstash", "put 2", "put 3unstash",
                                    "put 4", "put 5unstash"}));
  EXPECT_EQ(record_.size, 0u);
}

TEST_F(StashTest, StopDoesNotEndAnUnstash) {
  const auto store = Spawn();
  store.Tell(Put{.number = 1, .text = "stop"});
  store.Tell(Put{2});
  store.Tell(Opened{});
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.handled, (Lines{"put 1stop", "put 2"}));
  EXPECT_EQ(sim_.bus().CountActors(), 0u);
}

TEST_F(StashTest, AFullStashSaysOfWhatAndDoesNotMoveTheMessage) {
  const auto store = Spawn({.max_messages = 2});
  store.Tell(Put{1});
  store.Tell(Put{2});
  store.Tell(Put{.number = 3, .text = "!"});
  sim_.RunUntilIdle();
  ASSERT_EQ(record_.kept.size(), 3u);
  EXPECT_TRUE(record_.kept[1].ok());
  EXPECT_TRUE(absl::IsResourceExhausted(record_.kept[2]));
  EXPECT_TRUE(absl::StrContains(record_.kept[2].message(), "max_messages is 2"))
      << record_.kept[2];
  EXPECT_EQ(record_.handled, Lines{"refused 3!"});
  // There is room again.
  store.Tell(Opened{});
  store.Tell(Opened{false});
  store.Tell(Put{4});
  sim_.RunUntilIdle();
  EXPECT_TRUE(record_.kept.back().ok());
}

TEST_F(StashTest, BytesAreBoundedToTheLastOne) {
  const auto store = Spawn({.max_bytes = 2 * kOne + 10});
  store.Tell(Put{.number = 1, .text = std::string(4, 'a')});
  store.Tell(Put{.number = 2, .text = std::string(7, 'b')});  // one too many
  store.Tell(Put{.number = 3, .text = std::string(6, 'c')});
  store.Tell(Note{4});
  sim_.RunUntilIdle();
  std::vector<bool> ok;
  for (const absl::Status& status : record_.kept) ok.push_back(status.ok());
  EXPECT_EQ(ok, (std::vector<bool>{true, false, true, false}));
  EXPECT_TRUE(absl::IsResourceExhausted(record_.kept[1]));
  EXPECT_TRUE(absl::StrContains(record_.kept[1].message(), "max_bytes"))
      << record_.kept[1];
  EXPECT_EQ(record_.bytes, 2 * kOne + 10);
}

class Sizes : public Actor {
 public:
  explicit Sizes(size_t heap_bytes, size_t max_bytes, absl::Status* result)
      : stash_(this, {.max_bytes = max_bytes}) {
    *result = stash_.Keep(Note{}, heap_bytes);
    *(result + 1) = stash_.Keep(Note{}, 1);
  }
  void On(const Note&) {}

 private:
  Stash<Note> stash_;
};

TEST_F(StashTest, SizesNearTheLargestDoNotWrap) {
  constexpr size_t kMost = ~size_t{0};
  for (const size_t max_bytes : {size_t{0}, size_t{1}, kMost / 2, kMost}) {
    for (const size_t heap : {kMost, kMost - 1, kMost / 2}) {
      absl::Status results[2];
      sim_.Spawn<Sizes>({}, heap, max_bytes, results);
      const bool fits = max_bytes == kMost && heap == kMost / 2;
      EXPECT_EQ(results[0].ok(), fits) << max_bytes << " " << heap;
    }
  }
}

TEST_F(StashTest, AnAskIsRefused) {
  const auto store = Spawn();
  const absl::Status reply = sim_.Ask(store, Ask{}, absl::Seconds(1));
  EXPECT_TRUE(absl::IsFailedPrecondition(reply)) << reply;
  store.Tell(Ask{});
  store.Tell(Opened{});
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.handled, Lines{"note 9"});
}

// What is left is in the ledger and in the log: nothing is lost silently (P2).
TEST_F(StashTest, P2_WhatIsLeftAtAStopIsRefusedAndLogged) {
  const auto store = Spawn({}, {.name = "store"});
  store.Tell(Put{1});
  store.Tell(Note{2});
  sim_.RunUntilIdle();
  EXPECT_EQ(sim_.ledger().handled, 2u);
  store.Stop();
  sim_.RunUntilIdle();
  EXPECT_EQ(sim_.ledger().refused + sim_.ledger().dead_lettered, 2u);
  EXPECT_TRUE(sim_.ledger().Balances());
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_TRUE(absl::StrContains(log_[0], "store ends with 2 messages"))
      << log_[0];
}

TEST_F(StashTest, AnEmptyStashIsNotLogged) {
  const auto store = Spawn();
  store.Tell(Put{1});
  store.Tell(Opened{});
  store.Stop(/*drain=*/true);
  sim_.Finish();
  EXPECT_EQ(log_, Lines());
  EXPECT_EQ(sim_.ledger().refused + sim_.ledger().dead_lettered, 0u);
}

TEST_F(StashTest, P2_WhatIsLeftAtTheEndOfTheBusIsAbandoned) {
  const auto store = Spawn();
  store.Tell(Put{1});
  store.Tell(Note{2});
  sim_.RunUntilIdle();
  EXPECT_EQ(sim_.Finish().abandoned, 2u);
}

TEST_F(StashTest, AThrowEndsTheUnstashAndTheRestIsDeadLetters) {
  const auto store = Spawn();
  for (int i = 1; i <= 4; ++i) store.Tell(Put{i});
  record_.on_put = [](int number) {
    if (number == 2) throw std::runtime_error("disk full");
  };
  store.Tell(Opened{});
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.handled, (Lines{"put 1", "put 2"}));
  EXPECT_EQ(sim_.bus().CountActors(), 0u);
  EXPECT_EQ(sim_.ledger().failed, 1u);
  EXPECT_EQ(sim_.ledger().refused + sim_.ledger().dead_lettered, 2u);
}

// Restarts the store when it has thrown.
class Keeper : public Actor {
 public:
  explicit Keeper(Record* record) : record_(record) {}
  void OnStart() override {
    seat_ = *Seat::Reserve<Store>(
        Self(this), {.name = "store"}, [record = record_] {
          return std::make_unique<Store>(record, StashOptions{});
        });
    seat_.Fill();
  }
  void On(const SeatTaken&) {}
  void On(const SeatEmpty&) { seat_.Fill(); }

 private:
  Record* const record_;
  Seat seat_;
};

TEST_F(StashTest, AfterARestartTheNextObjectGetsWhatIsLeft) {
  sim_.Spawn<Keeper>({}, &record_);
  sim_.RunUntilIdle();
  const auto store = *sim_.bus().Find<Store>("store");
  for (int i = 1; i <= 4; ++i) store.Tell(Put{i});
  record_.on_put = [](int number) {
    if (number == 2) throw std::runtime_error("disk full");
  };
  store.Tell(Opened{});
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.handled, (Lines{"put 1", "put 2"}));
  EXPECT_EQ(record_.size, 2u);  // of the next object
  store.Tell(Opened{});
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.handled, (Lines{"put 1", "put 2", "put 3", "put 4"}));
  EXPECT_EQ(sim_.ledger().refused + sim_.ledger().dead_lettered, 0u);
}

}  // namespace
}  // namespace trolley
