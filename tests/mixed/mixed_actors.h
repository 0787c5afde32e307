// SPDX-License-Identifier: Apache-2.0
//
// The actors of the mixed workload:
//
//   Clerk     a worker of a pool; takes its time, and fails now and then
//   Client    tells and asks the pool in every way, gives up, publishes, fails
//   Reader    subscribes when it starts; slow; fails now and then
//   Witness   a subscriber that never fails, and a watcher; it counts exactly
//
// Ownership: the bus owns them; MixedBooks outlives it.
// Threads:   that of the test.

#ifndef TROLLEY_TESTS_MIXED_MIXED_ACTORS_H_
#define TROLLEY_TESTS_MIXED_MIXED_ACTORS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/cancel_token.h"
#include "trolley/actors/patterns/bulkhead.h"
#include "trolley/actors/patterns/within.h"
#include "trolley/actors/pools/pool.h"
#include "trolley/actors/topics/topics.h"
#include "trolley/actors/watch.h"
#include "trolley/tests/mixed/mixed_books.h"

namespace trolley {

struct Question {  // the reply is the id
  uint64_t id = 0;
  absl::Duration takes;
};
struct Note {
  uint64_t id = 0;
  absl::Duration takes;
};
struct Crash {
  static constexpr bool kUrgent = true;
};
struct Echo {
  int number = 0;
};
struct Tick {
  uint64_t publisher = 0;
  uint64_t number = 0;  // of that publisher, from 1
};

class Clerk : public Actor {
 public:
  explicit Clerk(MixedBooks* books) : books_(*books) {}

  Task<absl::StatusOr<uint64_t>> On(Question m) {
    const absl::Status worked = co_await Work(m.id, m.takes);
    if (!worked.ok()) co_return worked;
    co_return m.id;
  }
  Task<absl::Status> On(Note m) { co_return co_await Work(m.id, m.takes); }
  void On(const Crash&) {
    if (books_.Fails(1)) throw std::runtime_error("a clerk");
  }

 protected:
  void OnStart() override {
    if (books_.Fails(40)) throw std::runtime_error("a clerk that starts");
  }

 private:
  struct Working {
    explicit Working(MixedBooks& books) : books(books) {}
    ~Working() {
      if (!done) ++books.totals.cut_off;
    }
    MixedBooks& books;
    bool done = false;
  };

  Task<absl::Status> Work(uint64_t id, absl::Duration takes) {
    Working working(books_);
    ++books_.begun[id];
    if (books_.Fails(30)) throw std::runtime_error("a clerk at work");
    if (books_.OneIn(3)) {
      CancelToken cancelled(context(), books_.UpTo(4));
      co_await Sleep(takes);
      if (cancelled.requested()) {
        ++books_.totals.told_by_token;
        working.done = true;
        co_return absl::CancelledError("told by its token");
      }
    } else if (takes > absl::ZeroDuration()) {
      co_await Sleep(takes);
    }
    ++books_.finished[id];
    working.done = true;
    co_return absl::OkStatus();
  }

  MixedBooks& books_;
};

using ClerkWay =
    Protocol<absl::StatusOr<uint64_t>(Question), absl::Status(Note), Crash,
             absl::Status(ResizePool), PoolInfo(GetPoolInfo)>;

struct Act {};

class Client : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  using Find = std::function<absl::StatusOr<Ref<ClerkWay>>()>;

  Client(MixedBooks* books, Topics topics, uint64_t publisher, Find find)
      : books_(*books),
        topics_(std::move(topics)),
        publisher_(publisher),
        find_(std::move(find)) {}

  void On(const Act&) {
    if (books_.calm) return;
    TellAfter(this, books_.UpTo(5), Act{});
    switch (books_.Below(12)) {
      case 0:
        if (books_.Fails(8)) throw std::runtime_error("a client");
        break;
      case 1:
      case 2:
        clerks_.Tell(Note{NextId(), books_.UpTo(3)});
        break;
      case 3:
        RunInBackground([this]() -> Task<absl::Status> { return Send(); });
        break;
      case 4:
      case 5:
      case 6:
        Publish();
        break;
      case 7:
        RunInBackground([this]() -> Task<absl::Status> { return AskNow(); });
        break;
      case 8:
        RunInBackground(
            [this]() -> Task<absl::Status> { return AskAndGiveUp(); });
        break;
      case 9:
        RunInBackground(
            [this]() -> Task<absl::Status> { return AskWhenThereIsRoom(); });
        break;
      default:
        RunInBackground(
            [this]() -> Task<absl::Status> { return AskInASlot(); });
    }
  }
  void On(const Crash&) {
    if (books_.Fails(1)) throw std::runtime_error("a client");
  }
  int On(const Echo& m) { return m.number; }

 protected:
  void OnStart() override {
    if (books_.Fails(20)) throw std::runtime_error("a client that starts");
    absl::StatusOr<Ref<ClerkWay>> found = find_();
    if (!found.ok()) throw std::runtime_error("there is no pool");
    clerks_ = *std::move(found);
    TellAfter(this, books_.UpTo(5), Act{});
  }
  void OnStop() override {
    EXPECT_EQ(slots_.running(), 0u);
    EXPECT_EQ(slots_.waiting(), 0u);
  }

 private:
  uint64_t NextId() { return ++books_.last_id; }
  absl::Duration Timeout() {
    return books_.OneIn(2) ? books_.UpTo(6) : absl::Minutes(2);
  }
  void Publish() {
    uint64_t& number = books_.published[publisher_];
    ++books_.totals.published;
    EXPECT_TRUE(topics_
                    .Publish<Tick>(absl::StrCat("t.", books_.Below(3)),
                                   publisher_, ++number)
                    .ok());
  }

  void Take(OpenAsk& open, uint64_t id, const absl::StatusOr<uint64_t>& reply) {
    open.Resolve();
    if (!reply.ok()) return;
    ++books_.totals.answered;
    EXPECT_EQ(*reply, id);
    EXPECT_EQ(books_.finished[id], 1) << "an answer without a handler";
  }

  Task<absl::Status> AskNow() {
    OpenAsk open(books_);
    const uint64_t id = NextId();
    auto asking = clerks_.Ask(Question{id, books_.UpTo(5)}, Timeout());
    Take(open, id, co_await asking);
    co_return absl::OkStatus();
  }
  Task<absl::Status> AskAndGiveUp() {
    OpenAsk open(books_);
    const uint64_t id = NextId();
    auto asking = clerks_.Ask(Question{id, books_.UpTo(5)}, Timeout());
    co_await Sleep(books_.UpTo(4));
    if (!asking.await_ready()) ++books_.totals.given_up;
    asking.GiveUp(absl::CancelledError("given up"));
    Take(open, id, co_await asking);
    co_return absl::OkStatus();
  }
  Task<absl::Status> AskWhenThereIsRoom() {
    OpenAsk open(books_);
    const uint64_t id = NextId();
    auto asking = clerks_.AskWhenRoom(Question{id, books_.UpTo(5)}, Timeout());
    Take(open, id, co_await asking);
    co_return absl::OkStatus();
  }
  Task<absl::Status> AskInASlot() {
    OpenAsk open(books_);
    const uint64_t id = NextId();
    const absl::Duration takes = books_.UpTo(5);
    const auto work = [&] {
      return clerks_.Ask(Question{id, takes}, absl::Minutes(2));
    };
    Take(open, id, co_await Within(Timeout(), slots_.Run(work)));
    co_return absl::OkStatus();
  }
  Task<absl::Status> Send() {
    auto sending =
        clerks_.SendWithin(Note{NextId(), books_.UpTo(3)}, Timeout());
    (void)co_await sending;
    co_return absl::OkStatus();
  }

  MixedBooks& books_;
  const Topics topics_;
  const uint64_t publisher_;
  const Find find_;
  Ref<ClerkWay> clerks_;
  Bulkhead slots_{{.at_once = 2, .waiting = 2}};
};

class Reader : public Actor {
 public:
  Reader(MixedBooks* books, Topics topics)
      : books_(*books), topics_(std::move(topics)) {}
  ~Reader() override {
    if (!id_.has_value()) return;
    const absl::StatusOr<SubscriptionStats> stats = topics_.Unsubscribe(*id_);
    if (!stats.ok()) return;  // its seat has ended
    EXPECT_EQ(stats->matched,
              stats->delivered + stats->in_gaps + stats->pending_gap);
  }

  Task<> On(Published<Tick>) {
    if (books_.Fails(60)) throw std::runtime_error("a reader");
    if (books_.OneIn(4)) co_await Sleep(books_.UpTo(3));
  }
  void On(const Gap& gap) { EXPECT_GT(gap.missed, 0u); }
  void On(const Crash&) {
    if (books_.Fails(1)) throw std::runtime_error("a reader");
  }

 protected:
  void OnStart() override {
    if (books_.Fails(20)) throw std::runtime_error("a reader that starts");
    const absl::StatusOr<SubscriptionId> id = topics_.Subscribe<Tick>(
        books_.OneIn(2) ? "t.*" : "t.1", Self(this),
        {.replay = static_cast<uint32_t>(books_.Below(3))});
    EXPECT_TRUE(id.ok()) << id.status();
    if (id.ok()) id_ = *id;
  }

 private:
  MixedBooks& books_;
  const Topics topics_;
  std::optional<SubscriptionId> id_;
};

struct WatchIt {
  Address actor;
};

// What the witness has counted; it outlives the bus.
struct Testimony {
  uint64_t seen = 0, missed = 0, downs = 0;
  std::map<uint64_t, uint64_t> last;  // by publisher
};

class Witness : public Actor {
 public:
  Witness(MixedBooks* books, Testimony* testimony)
      : books_(*books), testimony_(*testimony) {}

  Task<> On(Published<Tick> m) {
    ++testimony_.seen;
    uint64_t& last = testimony_.last[m.value.publisher];
    EXPECT_GT(m.value.number, last) << "of publisher " << m.value.publisher;
    last = m.value.number;
    if (books_.OneIn(2)) co_await Sleep(books_.UpTo(12));
  }
  void On(const Gap& gap) {
    testimony_.missed += gap.missed;
    books_.totals.missed += gap.missed;
  }
  void On(const WatchIt& m) { watches_.emplace_back(Self(this), m.actor); }
  void On(const Down&) { ++testimony_.downs; }

 private:
  MixedBooks& books_;
  Testimony& testimony_;
  std::vector<Watch> watches_;
};

}  // namespace trolley

#endif  // TROLLEY_TESTS_MIXED_MIXED_ACTORS_H_
