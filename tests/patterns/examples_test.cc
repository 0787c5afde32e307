// SPDX-License-Identifier: Apache-2.0
//
// The examples in the head comments of actors/patterns/*.h, compiled and run.
// examples_match_test.py compares them: each line of code of an example is a
// line here.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/patterns/aggregator.h"
#include "trolley/actors/patterns/ask_all.h"
#include "trolley/actors/patterns/batcher.h"
#include "trolley/actors/patterns/bulkhead.h"
#include "trolley/actors/patterns/circuit_breaker.h"
#include "trolley/actors/patterns/idempotency.h"
#include "trolley/actors/patterns/quorum.h"
#include "trolley/actors/patterns/rate_limiter.h"
#include "trolley/actors/patterns/reply_stream.h"
#include "trolley/actors/patterns/retry.h"
#include "trolley/actors/patterns/saga.h"
#include "trolley/actors/patterns/single_flight.h"
#include "trolley/actors/patterns/when_all.h"
#include "trolley/actors/patterns/when_any.h"
#include "trolley/actors/patterns/within.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {
namespace {

using testing::SimBus;

constexpr absl::Duration kTimeout = absl::Seconds(1);

// --- WhenAll, WhenAny, Within ----------------------------------------------

struct Currencies {
  std::vector<std::string> names;
};
struct Order {
  int64_t cents;
};

class Prices : public Actor {
 public:
  Task<int64_t> Price(std::string currency);  // waits for replies
  Task<int64_t> FromCache(std::string currency);
  Task<absl::StatusOr<int64_t>> FromBank(std::string currency);
  Task<absl::StatusOr<int64_t>> Transfer(Order order);  // several asks
  void Use(int64_t price) { used_ += price; }
  void Use(size_t, int64_t price) { used_ += price; }

  Task<absl::StatusOr<int64_t>> On(Currencies m) {
    const std::vector<std::string>& currencies = m.names;
    auto [euro, yen] = co_await WhenAll(Price("EUR"), Price("JPY"));
    EXPECT_EQ(euro, 1);
    EXPECT_EQ(yen, 100);

    std::vector<Task<int64_t>> tasks;
    for (const std::string& c : currencies) tasks.push_back(Price(c));
    std::vector<int64_t> prices = co_await WhenAll(std::move(tasks));
    co_return prices.front();
  }
  Task<absl::StatusOr<int64_t>> On(std::string) {
    std::vector<Task<int64_t>> tasks;
    tasks.push_back(Price("EUR"));
    auto first = co_await WhenAny(FromCache("EUR"), FromBank("EUR"));
    if (first.index() == 0) Use(std::get<0>(first));

    absl::StatusOr<FirstOf<int64_t>> one = co_await WhenAny(std::move(tasks));
    if (one.ok()) Use(one->index, one->value);
    co_return used_;
  }
  Task<absl::StatusOr<int64_t>> On(Order order) {
    absl::StatusOr<int64_t> done =
        co_await Within(absl::Seconds(2), Transfer(order));
    co_return done;
  }

 private:
  int64_t used_ = 0;
};

Task<int64_t> Prices::Price(std::string currency) {
  co_await Sleep(absl::Milliseconds(10));
  co_return currency == "EUR" ? 1 : 100;
}
Task<int64_t> Prices::FromCache(std::string currency) {
  return Price(currency);
}
Task<absl::StatusOr<int64_t>> Prices::FromBank(std::string) {
  co_await Sleep(absl::Seconds(10));
  co_return 2;
}
Task<absl::StatusOr<int64_t>> Prices::Transfer(Order order) {
  co_await Sleep(absl::Milliseconds(order.cents));
  co_return order.cents;
}

TEST(PatternExamples, WhenAllWhenAnyAndWithin) {
  SimBus sim;
  const auto prices = sim.Spawn<Prices>({});
  EXPECT_EQ(*sim.Ask(prices, Currencies{{"EUR", "JPY"}}, kTimeout), 1);
  EXPECT_EQ(*sim.Ask(prices, std::string(), kTimeout), 2);
  EXPECT_EQ(*sim.Ask(prices, Order{500}, kTimeout), 500);
  EXPECT_EQ(sim.Ask(prices, Order{5000}, 10 * kTimeout).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

// --- AskAll, Quorum --------------------------------------------------------

struct GetValue {
  int key;
};
struct ReadAll {};
struct ReadSome {};

class Replica : public Actor {
 public:
  int On(const GetValue& m) { return m.key; }
};

class Reader : public Actor {
 public:
  explicit Reader(std::vector<Ref<Replica>> replicas)
      : replicas_(std::move(replicas)) {}
  Task<int> On(ReadAll) {
    auto replies = co_await AskAll(replicas_, GetValue{7}, absl::Seconds(1));
    for (const absl::StatusOr<int>& reply : replies) Use(reply);

    auto fastest =
        co_await FirstOk(AskEach(replicas_, GetValue{7}, absl::Seconds(1)));
    EXPECT_EQ(fastest->value, 7);
    co_return sum_;
  }
  Task<absl::StatusOr<int>> On(ReadSome) {
    const std::vector<Ref<Replica>>& replicas = replicas_;
    const absl::Duration timeout = kTimeout;
    const int key = 5;
    auto votes = co_await Quorum(2, AskEach(replicas, GetValue{key}, timeout));
    if (!votes.ok()) co_return votes.status();
    for (const auto& vote : *votes) Count(vote.index, vote.value);

    auto fastest = co_await FirstOk(AskEach(replicas, GetValue{key}, timeout));
    if (fastest.ok()) Use(fastest->value);
    co_return sum_;
  }

 private:
  void Use(const absl::StatusOr<int>& reply) { sum_ += *reply; }
  void Count(size_t, int value) { sum_ += value; }

  std::vector<Ref<Replica>> replicas_;
  int sum_ = 0;
};

TEST(PatternExamples, AskAllAndQuorum) {
  SimBus sim;
  std::vector<Ref<Replica>> replicas;
  for (int i = 0; i < 3; ++i) replicas.push_back(sim.Spawn<Replica>({}));
  const auto reader = sim.Spawn<Reader>({}, replicas);
  EXPECT_EQ(*sim.Ask(reader, ReadAll{}, kTimeout), 21);
  EXPECT_EQ(*sim.Ask(reader, ReadSome{}, kTimeout), 21 + 2 * 5 + 5);
}

// --- Around an ask ---------------------------------------------------------

struct Pay {
  int cents;
};
struct Buy {
  int cents;
};

class Bank : public Actor {
 public:
  // Fails as many times.
  explicit Bank(int failures) : failures_(failures) {}
  absl::StatusOr<int> On(const Pay& m) {
    if (failures_-- > 0) return absl::UnavailableError("busy");
    return m.cents;
  }

 private:
  int failures_;
};

namespace retry {
class Shop : public trolley::Actor {
 public:
  explicit Shop(const Ref<Bank>& bank) : bank_(bank) {}
  Task<absl::StatusOr<int>> On(Buy m) {
    const auto pay = [&] { return bank_.Ask(Pay{m.cents}, kTimeout); };
    co_return co_await retry_.Run(pay);
  }

 private:
  const Ref<Bank> bank_;
  Retry retry_{{.attempts = 3}};
};
}  // namespace retry

namespace breaker {
class Shop : public trolley::Actor {
 public:
  explicit Shop(const Ref<Bank>& bank) : bank_(bank) {}
  Task<absl::StatusOr<int>> On(Buy m) {
    const auto pay = [&] { return bank_.Ask(Pay{m.cents}, kTimeout); };
    co_return co_await breaker_.Run(pay);
  }

 private:
  const Ref<Bank> bank_;
  CircuitBreaker breaker_{{.failures = 3, .open_for = absl::Seconds(2)}};
};
}  // namespace breaker

namespace bulkhead {
class Shop : public trolley::Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit Shop(const Ref<Bank>& bank) : bank_(bank) {}
  Task<absl::StatusOr<int>> On(Buy m) {
    const auto pay = [&] { return bank_.Ask(Pay{m.cents}, kTimeout); };
    co_return co_await pays_.Run(pay);
  }

 private:
  const Ref<Bank> bank_;
  Bulkhead pays_{{.at_once = 4, .waiting = 16}};
};
}  // namespace bulkhead

namespace limiter {
class Shop : public trolley::Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit Shop(const Ref<Bank>& bank) : bank_(bank) {}
  Task<absl::StatusOr<int>> On(Buy m) {
    const auto pay = [&] { return bank_.Ask(Pay{m.cents}, kTimeout); };
    co_return co_await pays_.Run(pay);
  }

 private:
  const Ref<Bank> bank_;
  RateLimiter pays_{{.permits = 10, .per = absl::Seconds(1)}};
};
}  // namespace limiter

TEST(PatternExamples, AroundAnAsk) {
  SimBus sim;
  const auto bank = sim.Spawn<Bank>({}, 2);
  EXPECT_EQ(*sim.Ask(sim.Spawn<retry::Shop>({}, bank), Buy{5}, kTimeout), 5);
  const auto broken = sim.Spawn<Bank>({}, 1000);
  const auto shop = sim.Spawn<breaker::Shop>({}, broken);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(sim.Ask(shop, Buy{5}, kTimeout).status(),
              absl::UnavailableError("busy"));
  }
  EXPECT_NE(sim.Ask(shop, Buy{5}, kTimeout).status(),
            absl::UnavailableError("busy"));
  EXPECT_EQ(*sim.Ask(sim.Spawn<bulkhead::Shop>({}, bank), Buy{6}, kTimeout), 6);
  EXPECT_EQ(*sim.Ask(sim.Spawn<limiter::Shop>({}, bank), Buy{7}, kTimeout), 7);
}

// --- Batcher ---------------------------------------------------------------

struct Line {
  std::string text;
};
struct Lines {
  std::vector<std::string> lines;
};

class Disk : public Actor {
 public:
  explicit Disk(std::vector<size_t>* sizes) : sizes_(*sizes) {}
  void On(const Lines& m) { sizes_.push_back(m.lines.size()); }

 private:
  std::vector<size_t>& sizes_;
};

class Log : public trolley::Actor {
 public:
  explicit Log(const Ref<Disk>& disk) : disk_(disk) {}
  void OnStart() {
    RunInBackground([this] { return Write(); });
  }
  absl::Status On(const Line& m) { return lines_.Add(m.text); }
  void OnDrain() { lines_.Close(); }

 private:
  Task<absl::Status> Write() {
    for (;;) {
      std::vector<std::string> lines = co_await lines_.Next();
      if (lines.empty()) co_return absl::OkStatus();  // it is closed
      auto written = disk_.Ask(Lines{std::move(lines)}, kTimeout);
      absl::Status status = co_await written;
      if (!status.ok()) co_return status;
    }
  }
  const Ref<Disk> disk_;
  Batcher<std::string> lines_{{.items = 100, .age = absl::Seconds(1)}};
};

TEST(PatternExamples, BatchesOfLines) {
  std::vector<size_t> sizes;
  SimBus sim;
  const auto log = sim.Spawn<Log>({}, sim.Spawn<Disk>({}, &sizes));
  for (int i = 0; i < 250; ++i) log.Tell(Line{"x"});
  sim.RunUntilIdle();
  EXPECT_EQ(sizes, (std::vector<size_t>{100, 100}));
  sim.Finish();
  EXPECT_EQ(sizes, (std::vector<size_t>{100, 100, 50}));
}

// --- Aggregator ------------------------------------------------------------

struct Offer {
  int order;
  int64_t cents;
};

class Desk : public trolley::Actor {
 public:
  explicit Desk(std::vector<std::string>* answers) : answers_(*answers) {}
  void OnStart() {
    RunInBackground([this] { return Choose(); });
  }
  absl::Status On(const Offer& m) {
    return offers_.Add(m.order, m.cents, /*needed=*/3);
  }

 private:
  Task<absl::Status> Choose() {
    for (;;) {
      auto group = co_await offers_.Next();
      if (!group.has_value()) co_return absl::OkStatus();  // closed
      Answer(group->key, group->parts, group->complete);
    }
  }
  void Answer(int order, const std::vector<int64_t>& cents, bool complete) {
    answers_.push_back(
        absl::StrCat(order, ": ", cents.size(), complete ? "" : ", late"));
  }
  Aggregator<int, int64_t> offers_{{.age = absl::Seconds(5)}};
  std::vector<std::string>& answers_;
};

TEST(PatternExamples, OffersForOrders) {
  std::vector<std::string> answers;
  SimBus sim;
  const auto desk = sim.Spawn<Desk>({}, &answers);
  for (const int order : {1, 2, 1, 1}) desk.Tell(Offer{order, 5});
  sim.RunFor(absl::Seconds(5));
  EXPECT_EQ(answers, (std::vector<std::string>{"1: 3", "2: 1, late"}));
}

// --- SingleFlight, Idempotency ---------------------------------------------

struct GetRate {
  std::string currency;
};

class RateBank : public Actor {
 public:
  Task<int> On(GetRate) {
    ++asked_;
    co_await Sleep(absl::Milliseconds(5));
    co_return asked_;
  }

 private:
  int asked_ = 0;
};

namespace flight {
using Bank = RateBank;
class Rates : public trolley::Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit Rates(const Ref<Bank>& bank) : bank_(bank) {}
  Task<absl::StatusOr<int>> On(GetRate m) {
    const auto load = [&] { return bank_.Ask(m, kTimeout); };
    co_return co_await loads_.Run(m.currency, load);
  }

 private:
  const Ref<Bank> bank_;
  SingleFlight<std::string, absl::StatusOr<int>> loads_;
};
}  // namespace flight

struct Transfer {
  std::string key;
  int cents;
};

namespace idempotency {
class Bank : public trolley::Actor {
 public:
  static constexpr bool kInterleaved = true;
  Task<absl::StatusOr<int>> On(Transfer m) {
    const auto work = [this, m] { return Move(m); };
    co_return co_await transfers_.Run(m.key, work);
  }

 private:
  Task<absl::StatusOr<int>> Move(Transfer m);
  int moved_ = 0;
  Idempotency<std::string, absl::StatusOr<int>> transfers_{
      [this](Task<absl::Status> t) { RunInBackground(std::move(t)); }};
};
Task<absl::StatusOr<int>> Bank::Move(Transfer m) {
  co_await Sleep(absl::Milliseconds(5));
  co_return moved_ += m.cents;
}
}  // namespace idempotency

TEST(PatternExamples, OnceForAKey) {
  SimBus sim;
  const auto rates = sim.Spawn<flight::Rates>({}, sim.Spawn<RateBank>({}));
  std::vector<int> got;
  for (int i = 0; i < 3; ++i) {
    rates.AskThen(GetRate{"EUR"}, kTimeout,
                  [&](absl::StatusOr<int> rate) { got.push_back(*rate); });
  }
  sim.RunFor(absl::Milliseconds(5));
  EXPECT_EQ(got, (std::vector<int>{1, 1, 1}));
  const auto bank = sim.Spawn<idempotency::Bank>({});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(*sim.Ask(bank, Transfer{"a", 10}, kTimeout), 10);
  }
  EXPECT_EQ(*sim.Ask(bank, Transfer{"b", 10}, kTimeout), 20);
}

// --- Saga ------------------------------------------------------------------

struct Book {
  std::string id;
};
struct Reserve {
  std::string id;
};
struct Release {
  std::string id;
};

class Seller : public Actor {
 public:
  Seller(int* held, bool full) : held_(*held), full_(full) {}
  absl::Status On(const Reserve&) {
    if (full_) return absl::ResourceExhaustedError("full");
    ++held_;
    return absl::OkStatus();
  }
  void On(const Release&) { held_ = 0; }

 private:
  int& held_;
  const bool full_;
};

class Travel : public trolley::Actor {
 public:
  static constexpr bool kInterleaved = true;
  Travel(const Ref<Seller>& hotel, const Ref<Seller>& rail)
      : hotel_(hotel), rail_(rail) {}
  Task<absl::Status> On(Book m) {
    absl::StatusOr<Saga> saga = sagas_.Begin(m.id);
    if (!saga.ok()) co_return saga.status();
    const auto room = [&] { return hotel_.Ask(Reserve{m.id}, kTimeout); };
    const auto no_room = [this, id = m.id] {
      return hotel_.Ask(Release{id}, kTimeout);
    };
    absl::Status done = co_await saga->Step("room", room, no_room);
    if (!done.ok()) co_return done;  // undone in the background
    const auto seat = [&] { return rail_.Ask(Reserve{m.id}, kTimeout); };
    const auto no_seat = [this, id = m.id] {
      return rail_.Ask(Release{id}, kTimeout);
    };
    done = co_await saga->Step("seat", seat, no_seat);
    if (!done.ok()) co_return co_await saga->Undo(done);  // undone by now
    co_return saga->Commit();
  }
  void OnStop() { Keep(sagas_.Unfinished()); }

 private:
  void Keep(const std::vector<UnfinishedSaga>& sagas) {
    EXPECT_TRUE(sagas.empty());
  }
  const Ref<Seller> hotel_, rail_;
  Sagas sagas_{[this](Task<absl::Status> t) { RunInBackground(std::move(t)); }};
};

TEST(PatternExamples, ATripIsBookedOrNot) {
  for (const bool full : {false, true}) {
    int rooms = 0, seats = 0;
    SimBus sim;
    const auto hotel = sim.Spawn<Seller>({}, &rooms, false);
    const auto rail = sim.Spawn<Seller>({}, &seats, full);
    const auto travel = sim.Spawn<Travel>({}, hotel, rail);
    EXPECT_EQ(sim.Ask(travel, Book{"a"}, kTimeout),
              full ? absl::ResourceExhaustedError("full") : absl::OkStatus());
    EXPECT_EQ(rooms, full ? 0 : 1);
    EXPECT_EQ(seats, full ? 0 : 1);
  }
}

// --- ReplyStream -----------------------------------------------------------

struct Row {
  explicit Row(int n) : number(n) {}
  int number;
};
struct GetRows {
  ReplyStreamKey stream;
  int count;
};
struct ReadRows {};

class Table : public trolley::Actor {
 public:
  static constexpr bool kInterleaved = true;
  Task<absl::Status> On(GetRows m) {
    ReplyStreamWriter<Row> out(streams_, m.stream);
    for (int i = 0; i < m.count; ++i) {
      absl::Status sent = co_await out.Yield(Row(i));
      if (!sent.ok()) co_return sent;
    }
    co_return co_await out.End();
  }
  auto On(ReplyStreamPull<Row> m) { return streams_.Pull(std::move(m)); }

 private:
  ReplyStreams<Row> streams_;
};

class Report : public Actor {
 public:
  explicit Report(const Ref<Table>& table) : table_(table) {}
  Task<absl::StatusOr<int>> On(ReadRows) {
    ReplyStreamKey key;
    ReplyStreamReader<Row> rows(table_, key, GetRows{key, 1000});
    for (;;) {
      absl::StatusOr<std::optional<Row>> row = co_await rows.Next();
      if (!row.ok()) co_return row.status();
      if (!row->has_value()) break;  // the end
      Use(**row);
    }
    co_return read_;
  }

 private:
  void Use(const Row&) { ++read_; }
  const Ref<Table> table_;
  int read_ = 0;
};

TEST(PatternExamples, ManyRows) {
  SimBus sim;
  const auto report = sim.Spawn<Report>({}, sim.Spawn<Table>({}));
  EXPECT_EQ(*sim.Ask(report, ReadRows{}, kTimeout), 1000);
}

}  // namespace
}  // namespace trolley
