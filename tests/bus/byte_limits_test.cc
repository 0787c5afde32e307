// SPDX-License-Identifier: Apache-2.0
//
// The bound of a mailbox in bytes (SpawnOptions::mailbox_bytes): what counts,
// what is refused, who waits, and that no byte stays taken. In virtual time.

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/internal/outgoing_message.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::SimBus;

// Counts for `size` bytes.
struct Page {
  explicit Page(size_t size) : size(size), mark(std::make_unique<int>(1)) {}
  size_t OwnedBytes() const { return size - sizeof(Page); }

  size_t size;
  std::unique_ptr<int> mark;  // is null when it was moved from
};
struct Small {};  // is not counted
struct Hold {};   // the handler takes a second
struct HoldPage {
  explicit HoldPage(size_t size) : size(size) {}
  size_t OwnedBytes() const { return size - sizeof(HoldPage); }
  size_t size;
};
struct BadPage {
  size_t OwnedBytes() const { return 1000; }
};

using Sizes = std::vector<size_t>;

// Keeps the sizes of what it handles.
class Reader : public Actor {
 public:
  explicit Reader(Sizes* sizes) : sizes_(sizes) {}
  size_t On(const Page& m) {
    sizes_->push_back(m.size);
    return m.size;
  }
  void On(std::string m) { sizes_->push_back(m.size()); }
  void On(const std::vector<char>& m) { sizes_->push_back(m.size()); }
  void On(Small) { sizes_->push_back(0); }
  Task<absl::Status> On(Hold) {
    co_await Sleep(absl::Seconds(1));
    co_return absl::OkStatus();
  }
  Task<absl::Status> On(HoldPage) {
    co_await Sleep(absl::Seconds(1));
    co_return absl::OkStatus();
  }
  void On(const BadPage&) { throw std::runtime_error("bad page"); }

 private:
  Sizes* const sizes_;
};

struct Tell {
  Ref<Reader> to;
  size_t size;
  int count;
};
struct SendFor {
  Ref<Reader> to;
  size_t size;
  absl::Duration within;
};
struct AskFor {
  Ref<Reader> to;
  size_t size;
  absl::Duration within;
};

class Sender : public Actor {
 public:
  static constexpr bool kInterleaved = true;

  // How many were accepted.
  int On(const Tell& m) {
    int accepted = 0;
    for (int i = 0; i < m.count; ++i) {
      Page page(m.size);
      if (m.to.Tell(std::move(page)) == Delivery::kAccepted) {
        ++accepted;
      } else {
        EXPECT_NE(page.mark, nullptr) << "a refused message is not moved from";
      }
    }
    return accepted;
  }
  Task<absl::Status> On(SendFor m) {
    co_return co_await m.to.SendWithin<Page>(m.within, m.size);
  }
  Task<absl::StatusOr<size_t>> On(AskFor m) {
    co_return co_await m.to.AskWhenRoom<Page>(m.within, m.size);
  }
};

// The sender lives on the loop of the reader, or on another one.
class ByteLimitsTest : public ::testing::TestWithParam<int> {
 protected:
  ByteLimitsTest() : sim_({.loops = GetParam()}) {
    sender_ = sim_.Spawn<Sender>({.loop = GetParam() - 1});
  }
  Ref<Reader> Spawn(SpawnOptions options) {
    options.loop = 0;
    options.name = "reader";
    const Ref<Reader> reader = sim_.Spawn<Reader>(options, &sizes_);
    sim_.RunUntilIdle();
    return reader;
  }
  // The next messages wait in the mailbox for a second.
  void BeBusy(const Ref<Reader>& reader) {
    EXPECT_EQ(reader.Tell(Hold{}), Delivery::kAccepted);
    sim_.RunUntilIdle();
  }
  int TellFrom(const Ref<Reader>& to, size_t size, int count) {
    return *sim_.Ask(sender_, Tell{to, size, count}, absl::Seconds(0.5));
  }
  ActorInfo InfoOf(const Ref<Reader>& reader) {
    std::optional<ActorInfo> info;
    EXPECT_TRUE(sim_.bus().InspectActor(
        reader.address(),
        [&](std::optional<ActorInfo> got) { info = std::move(got); }));
    sim_.RunUntilIdle();
    return *info;
  }
  // When everything has ended, no byte is taken.
  void ExpectNothingTaken(const Ref<Reader>& reader) {
    sim_.RunFor(absl::Seconds(10));
    EXPECT_EQ(InfoOf(reader).bytes, 0u);
    EXPECT_EQ(reader.Tell<Page>(1000), Delivery::kAccepted);
    sim_.RunUntilIdle();
  }

  SimBus sim_;
  Sizes sizes_;
  Ref<Sender> sender_;
};

TEST_P(ByteLimitsTest, P6_BytesAreBoundedBesideMessages) {
  const Ref<Reader> reader = Spawn({.mailbox_bytes = 1000});
  BeBusy(reader);
  EXPECT_EQ(TellFrom(reader, 300, 5), 3);
  EXPECT_EQ(TellFrom(reader, 101, 1), 0);
  EXPECT_EQ(TellFrom(reader, 100, 2), 1);
  const ActorInfo info = InfoOf(reader);
  EXPECT_EQ(info.bytes, 1000u);
  EXPECT_EQ(info.most_bytes, 1000u);
  EXPECT_EQ(info.depth, 5u);
  EXPECT_EQ(reader.Tell(Small{}), Delivery::kAccepted);
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(sizes_, ElementsAre(300, 300, 300, 100, 0));
  ExpectNothingTaken(reader);
}

TEST_P(ByteLimitsTest, P6_EveryWayToSendIsBounded) {
  const Ref<Reader> reader = Spawn({.mailbox_bytes = 1000});
  BeBusy(reader);
  EXPECT_EQ(TellFrom(reader, 900, 1), 1);
  const ActorInfo before = InfoOf(reader);
  Page page(200);
  EXPECT_EQ(reader.Tell(std::move(page)), Delivery::kFull);
  EXPECT_NE(page.mark, nullptr);
  EXPECT_EQ(reader.Tell<Page>(200), Delivery::kFull);
  EXPECT_EQ(reader.TellWith({}, Page(200)), Delivery::kFull);
  EXPECT_EQ(reader.Tell(std::string(200, 'x')), Delivery::kFull);
  EXPECT_EQ(reader.Tell(std::vector<char>(200)), Delivery::kFull);
  absl::StatusOr<size_t> reply = 0;
  reader.AskThen(Page(200), absl::Seconds(1),
                 [&](absl::StatusOr<size_t> got) { reply = std::move(got); });
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(InfoOf(reader).bytes, before.bytes);
  EXPECT_EQ(InfoOf(reader).depth, before.depth);
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(sizes_, ElementsAre(900));
  ExpectNothingTaken(reader);
}

TEST_P(ByteLimitsTest, P6_AMessageOfMoreThanTheBoundIsTakenAlone) {
  const Ref<Reader> reader = Spawn({.mailbox_bytes = 1000});
  BeBusy(reader);
  EXPECT_EQ(TellFrom(reader, 5000, 2), 1);
  EXPECT_EQ(TellFrom(reader, 64, 1), 0);
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(sizes_, ElementsAre(5000));
  ExpectNothingTaken(reader);
}

TEST_P(ByteLimitsTest, P6_BytesComeFreeHoweverAMessageEnds) {
  const Ref<Reader> reader = Spawn({.mailbox_bytes = 1000});
  // Its handler throws, and the actor ends.
  const Ref<Reader> bad =
      sim_.Spawn<Reader>({.loop = 0, .mailbox_bytes = 5000}, &sizes_);
  EXPECT_EQ(bad.Tell(BadPage{}), Delivery::kAccepted);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bad.Tell<Page>(1000), Delivery::kAccepted);
  }
  EXPECT_EQ(bad.Tell<Page>(1000), Delivery::kFull);
  sim_.RunUntilIdle();
  // It counts while its handler is suspended.
  EXPECT_EQ(reader.Tell<HoldPage>(700), Delivery::kAccepted);
  sim_.RunUntilIdle();
  EXPECT_EQ(InfoOf(reader).bytes, 700u);
  // It expires in the mailbox.
  const Instant soon = sim_.Now() + absl::Milliseconds(100);
  EXPECT_EQ(reader.TellWith({.deadline = soon}, Page(300)),
            Delivery::kAccepted);
  EXPECT_EQ(InfoOf(reader).bytes, 1000u);
  sim_.RunFor(absl::Milliseconds(200));
  EXPECT_EQ(InfoOf(reader).bytes, 700u);
  // Its deadline passes while its handler is suspended.
  sim_.RunFor(absl::Seconds(1));
  absl::Status reply;
  reader.AskThen(HoldPage(700), absl::Milliseconds(100),
                 [&](absl::Status got) { reply = std::move(got); });
  sim_.RunFor(absl::Milliseconds(200));
  EXPECT_EQ(reply.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(InfoOf(reader).bytes, 0u);
  ExpectNothingTaken(reader);
}

// The slot of an actor has the bound of that actor.
TEST_P(ByteLimitsTest, P6_ABoundEndsWithItsActor) {
  Ref<Reader> reader = Spawn({.mailbox_bytes = 1000});
  BeBusy(reader);
  EXPECT_EQ(TellFrom(reader, 1000, 1), 1);
  reader.Stop();
  sim_.RunUntilIdle();
  reader = Spawn({});
  EXPECT_EQ(InfoOf(reader).most_bytes, 0u);
  BeBusy(reader);
  EXPECT_EQ(TellFrom(reader, 1000, 10), 10);
  reader.Stop();
  sim_.RunUntilIdle();
  reader = Spawn({.mailbox_bytes = 2000});
  EXPECT_EQ(InfoOf(reader).bytes, 0u);
  BeBusy(reader);
  EXPECT_EQ(TellFrom(reader, 1000, 10), 2);
  ExpectNothingTaken(reader);
}

TEST_P(ByteLimitsTest, P6_ASenderWaitsForBytes) {
  const Ref<Reader> reader = Spawn({.mailbox_bytes = 1000});
  BeBusy(reader);
  EXPECT_EQ(TellFrom(reader, 900, 1), 1);
  std::vector<absl::Status> sent;
  const auto send = [&](size_t size, absl::Duration within) {
    sender_.AskThen(SendFor{reader, size, within}, absl::Hours(1),
                    [&](absl::Status got) { sent.push_back(std::move(got)); });
    sim_.RunUntilIdle();
  };
  send(200, absl::Milliseconds(100));
  sim_.RunFor(absl::Milliseconds(200));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(sent[0].message()), HasSubstr("reader"));
  send(700, absl::InfiniteDuration());
  send(600, absl::InfiniteDuration());
  send(50, absl::InfiniteDuration());  // there is room for it
  ASSERT_EQ(sent.size(), 2u);
  sim_.RunFor(absl::Seconds(1));
  ASSERT_EQ(sent.size(), 4u);
  for (int i = 1; i < 4; ++i) EXPECT_TRUE(sent[i].ok()) << sent[i];
  EXPECT_THAT(sizes_, ElementsAre(900, 50, 700, 600));
  ExpectNothingTaken(reader);
}

TEST_P(ByteLimitsTest, P6_AnAskWaitsForBytes) {
  const Ref<Reader> reader = Spawn({.mailbox_bytes = 1000});
  BeBusy(reader);
  EXPECT_EQ(TellFrom(reader, 900, 1), 1);
  std::vector<absl::StatusOr<size_t>> replies;
  const auto ask = [&](absl::Duration within) {
    sender_.AskThen(
        AskFor{reader, 200, within}, absl::Hours(1),
        [&](absl::StatusOr<size_t> got) { replies.push_back(std::move(got)); });
    sim_.RunUntilIdle();
  };
  ask(absl::Milliseconds(100));
  ask(absl::Hours(1));
  sim_.RunFor(absl::Milliseconds(200));
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].status().code(), absl::StatusCode::kDeadlineExceeded);
  sim_.RunFor(absl::Seconds(1));
  ASSERT_EQ(replies.size(), 2u);
  ASSERT_TRUE(replies[1].ok()) << replies[1].status();
  EXPECT_EQ(*replies[1], 200u);
  ExpectNothingTaken(reader);
}

// Another sender takes the bytes between the grant and the send.
TEST_P(ByteLimitsTest, P6_ASenderThatIsTooLateForTheBytesWaitsAgain) {
  const Ref<Reader> reader = Spawn({.mailbox_bytes = 1000});
  BeBusy(reader);
  EXPECT_EQ(TellFrom(reader, 900, 1), 1);
  std::vector<absl::Status> sent;
  for (int i = 0; i < 20; ++i) {
    sender_.AskThen(SendFor{reader, 600, absl::InfiniteDuration()},
                    absl::Hours(1),
                    [&](absl::Status got) { sent.push_back(std::move(got)); });
  }
  sim_.RunUntilIdle();
  sim_.RunFor(absl::Milliseconds(999));
  int taken = 0;
  for (int i = 0; i < 2000; ++i) {
    sim_.RunFor(absl::Microseconds(1));
    taken += reader.Tell<Page>(600) == Delivery::kAccepted;
  }
  sim_.RunFor(absl::Seconds(1));
  EXPECT_EQ(sent.size(), 20u);
  for (const absl::Status& status : sent) EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(sizes_.size(), 21u + taken);
  ExpectNothingTaken(reader);
}

// A thread takes the last bytes, a sender begins to wait, and then the thread
// does not send: the sender must not wait for ever.
TEST_P(ByteLimitsTest, P6_BytesThatWereNotUsedWakeTheSenderThatWaits) {
  const Ref<Reader> reader = Spawn({.mailbox_bytes = 1000});
  std::optional<absl::Status> sent;
  {
    internal::OutgoingMessage out(*reader.address().bus(), nullptr,
                                  reader.address().id());
    ASSERT_EQ(out.TakeRoomAndBuild<Page>(&internal::Handler<Reader, Page>::kOps,
                                         internal::Envelope::BytesFor<Page>(),
                                         Instant::Infinite(), Page(900)),
              Delivery::kAccepted);
    sender_.AskThen(SendFor{reader, 600, absl::InfiniteDuration()},
                    absl::Hours(1),
                    [&](absl::Status got) { sent = std::move(got); });
    sim_.RunUntilIdle();
    EXPECT_FALSE(sent.has_value());
    out.Forget();
  }
  sim_.RunUntilIdle();
  ASSERT_TRUE(sent.has_value());
  EXPECT_TRUE(sent->ok()) << *sent;
  ExpectNothingTaken(reader);
}

// A sender takes bytes first, and gives them back if it gets no credit. A loop
// that looks for room in between finds none.
TEST_P(ByteLimitsTest, P6_BytesThatGotNoCreditAreToldToTheLoop) {
  const Ref<Reader> reader =
      Spawn({.mailbox_capacity = 1, .mailbox_bytes = 1000});
  internal::BusState& bus = *reader.address().bus();
  internal::ByteBudget& budget = *bus.BudgetOf(reader.address().id());
  const auto take = [&](internal::OutgoingMessage& out) {
    return out.TakeRoomAndBuild<Page>(&internal::Handler<Reader, Page>::kOps,
                                      internal::Envelope::BytesFor<Page>(),
                                      Instant::Infinite(), Page(50));
  };
  std::optional<absl::Status> sent;
  {
    internal::ByteLease others = budget.Take(900);
    sender_.AskThen(SendFor{reader, 600, absl::InfiniteDuration()},
                    absl::Hours(1),
                    [&](absl::Status got) { sent = std::move(got); });
    sim_.RunUntilIdle();
    EXPECT_FALSE(sent.has_value());
    EXPECT_TRUE(budget.TakeWaiting());  // the loop has asked to be told
    budget.SetWaiting();

    internal::OutgoingMessage has_the_credit(bus, nullptr,
                                             reader.address().id());
    ASSERT_EQ(take(has_the_credit), Delivery::kAccepted);
    internal::OutgoingMessage has_none(bus, nullptr, reader.address().id());
    ASSERT_EQ(take(has_none), Delivery::kFull);
    EXPECT_FALSE(budget.TakeWaiting());  // the loop was told
    has_the_credit.Forget();
  }
  sim_.RunUntilIdle();
  // The bytes of the others came free without a word.
  sender_.Tell(Tell{reader, 1, 1});
  sim_.RunUntilIdle();
  ASSERT_TRUE(sent.has_value());
  EXPECT_TRUE(sent->ok()) << *sent;
  ExpectNothingTaken(reader);
}

TEST_P(ByteLimitsTest, P6_OfTooManyBytesTheNewestStay) {
  const Ref<Reader> reader =
      Spawn({.mailbox_bytes = 1000, .overflow = Overflow::kDropOldest});
  BeBusy(reader);
  EXPECT_EQ(TellFrom(reader, 300, 10), 10);
  EXPECT_EQ(InfoOf(reader).bytes, 900u);
  EXPECT_EQ(sim_.ledger().dropped, 7u);
  EXPECT_EQ(TellFrom(reader, 5000, 1), 1);
  EXPECT_EQ(InfoOf(reader).bytes, 5000u);
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(sizes_, ElementsAre(5000));
  ExpectNothingTaken(reader);
}

TEST_P(ByteLimitsTest, TheBoundIsCheckedByName) {
  const absl::Status status =
      sim_.bus()
          .Spawn<Reader>({.mailbox_bytes = SpawnOptions::kMostMailboxBytes + 1},
                         &sizes_)
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("mailbox_bytes"));
  EXPECT_TRUE(
      sim_.bus()
          .Spawn<Reader>({.mailbox_bytes = SpawnOptions::kMostMailboxBytes},
                         &sizes_)
          .ok());
}

INSTANTIATE_TEST_SUITE_P(Loops, ByteLimitsTest, ::testing::Values(1, 2),
                         [](const auto& info) {
                           return info.param == 1 ? "OneLoop" : "TwoLoops";
                         });

}  // namespace
}  // namespace trolley
