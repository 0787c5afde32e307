// SPDX-License-Identifier: Apache-2.0
//
// P8: messages and replies that throw when they are built, copied or moved, at
// every step of their way. Their sender or their receiver gets the exception.
// No other actor is affected: the ledger balances, and no credit and no object
// is lost.

#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_fixture.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;

// Throws when it is built, copied or moved for the fuse-th time.
class Fickle {
 public:
  Fickle() : Fickle(kNever) {}
  // -1: as it is built.
  explicit Fickle(int fuse) : fuse_(fuse) { Begin(); }
  Fickle(const Fickle& other) : fuse_(other.fuse_ - 1) { Begin(); }
  Fickle(Fickle&& other) : fuse_(other.fuse_ - 1) { Begin(); }
  Fickle& operator=(const Fickle&) = delete;
  ~Fickle() { --alive; }

  static constexpr int kNever = 1 << 20;
  static inline std::atomic<int> alive = 0;

 private:
  void Begin() {
    if (fuse_ < 0) throw std::runtime_error("fickle");
    ++alive;
  }
  const int fuse_;
};

struct ByValue {
  Fickle fickle;
};
struct ByReference {
  Fickle fickle;
};
struct ForReply {
  int fuse;
};
struct Ping {};

class Receiver : public Actor {
 public:
  void On(ByValue) {}
  Task<> On(const ByReference&) { co_return; }
  Fickle On(const ForReply& m) { return Fickle(m.fuse); }
  void On(Ping) {}
};

enum Verb {
  kTell,
  kTellWith,
  kTellEmplaced,
  kSend,
  kSendEmplaced,
  kAsk,
  kAskEmplaced,
  kTellAfter,
  kVerbs,
};

template <typename M>
struct Go {
  Verb verb;
  int fuse;
};

class Sender : public Actor {
 public:
  explicit Sender(Ref<Receiver> to) : to_(to) {}

  template <typename M>
  Task<> Do(Go<M> go) {
    absl::Status status;
    try {
      const M message{Fickle(go.fuse)};
      switch (go.verb) {
        case kTell:
          to_.Tell(message);
          break;
        case kTellWith:
          to_.TellWith({}, message);
          break;
        case kTellEmplaced:
          to_.template Tell<M>(message.fickle);
          break;
        case kSend:
          status = co_await to_.Send(message);
          break;
        case kSendEmplaced:
          status = co_await to_.template Send<M>(message.fickle);
          break;
        case kAsk:
          status = co_await to_.Ask(message, absl::Seconds(1));
          break;
        case kAskEmplaced:
          status =
              co_await to_.template Ask<M>(absl::Seconds(1), message.fickle);
          break;
        case kTellAfter:
          TellAfter(this, absl::Seconds(1), message);
          break;
        case kVerbs:
          break;
      }
    } catch (const std::runtime_error&) {
      ++caught;
    }
  }
  Task<> On(Go<ByValue> go) { return Do(go); }
  Task<> On(Go<ByReference> go) { return Do(go); }
  void On(const ByValue&) {}
  void On(const ByReference&) {}
  // Not caught.
  Task<> On(ForReply m) {
    heard = (co_await to_.Ask(m, absl::Seconds(1))).status();
    ++went_on;
  }

  static inline int caught = 0;
  static inline int went_on = 0;
  static inline absl::Status heard;

 private:
  Ref<Receiver> to_;
};

class ThrowingMessageTest : public BusFixture {
 protected:
  // Nothing is missing at the end. `receiver` has one place.
  void ExpectNothingLost(Bus& bus, Ref<Receiver> receiver) {
    Settle();
    const Delivery delivery = receiver.Tell(Ping{});
    EXPECT_TRUE(delivery == Delivery::kAccepted || delivery == Delivery::kGone)
        << DeliveryName(delivery);
    const ShutdownReport report = bus.Shutdown(absl::Seconds(60));
    EXPECT_TRUE(report.clean) << report.ToString();
    EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
    EXPECT_EQ(Fickle::alive, 0);
  }

  template <typename M>
  void EveryVerbAndFuse() {
    for (int verb = 0; verb < kVerbs; ++verb) {
      for (int fuse = 0; fuse < 8; ++fuse) {
        SCOPED_TRACE(testing::Message() << "verb " << verb << " fuse " << fuse);
        Bus& bus = Start();
        Sender::caught = 0;
        auto receiver =
            *bus.Spawn<Receiver>({.loop = LoopAt(1), .mailbox_capacity = 1});
        auto sender = *bus.Spawn<Sender>({.loop = 0}, receiver);
        // More often than the receiver has places.
        for (int i = 0; i < 3; ++i) {
          sender.Tell<Go<M>>(static_cast<Verb>(verb), fuse);
          Settle();
        }
        if (fuse == 0) {
          EXPECT_EQ(Sender::caught, 3);
          EXPECT_EQ(receiver.Tell(Ping{}), Delivery::kAccepted);
          EXPECT_EQ(sender.Tell<Go<M>>(kVerbs, 7), Delivery::kAccepted);
          const Ledger books = bus.ReadLedger();
          // A timer's message is sent when it fires.
          EXPECT_EQ(books.refused, verb != kTellAfter ? 3u : 0u);
        }
        ExpectNothingLost(bus, receiver);
      }
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Forms, ThrowingMessageTest,
                         testing::Values(BusForm{"sim", 1}, BusForm{"sim", 2}),
                         BusFormName);

TEST_P(ThrowingMessageTest, P8_WhateverThrowsOnItsWayToAHandler) {
  EveryVerbAndFuse<ByValue>();
  EveryVerbAndFuse<ByReference>();
}

TEST_P(ThrowingMessageTest, P8_AReplyThatThrowsOnItsWayEndsAnActorAtMost) {
  int asker_ended = 0, receiver_ended = 0;
  for (int fuse = -1; fuse < 10; ++fuse) {
    SCOPED_TRACE(fuse);
    Bus& bus = Start();
    Sender::went_on = 0;
    Sender::heard = absl::OkStatus();
    auto receiver =
        *bus.Spawn<Receiver>({.loop = LoopAt(1), .mailbox_capacity = 1});
    auto sender = *bus.Spawn<Sender>({.loop = 0}, receiver);
    sender.Tell<ForReply>(fuse);
    Settle();
    const bool receiver_gone = receiver.Tell(Ping{}) == Delivery::kGone;
    const bool sender_gone = sender.Tell<ForReply>(99) == Delivery::kGone;
    receiver_ended += receiver_gone;
    asker_ended += sender_gone;
    EXPECT_FALSE(receiver_gone && sender_gone);
    EXPECT_EQ(Sender::went_on, sender_gone ? 0 : 1);
    if (receiver_gone) {
      EXPECT_EQ(Sender::heard.code(), absl::StatusCode::kInternal);
      EXPECT_THAT(std::string(Sender::heard.message()), HasSubstr("fickle"));
    }
    ExpectNothingLost(bus, receiver);
  }
  // The fuses were long enough for both, and for neither.
  EXPECT_GT(receiver_ended, 0);
  EXPECT_GT(asker_ended, 0);
  EXPECT_LT(receiver_ended + asker_ended, 11);
}

TEST_P(ThrowingMessageTest, P8_APlainThreadGetsWhatItsMessageThrows) {
  Bus& bus = Start();
  auto receiver = *bus.Spawn<Receiver>({.mailbox_capacity = 1});
  Settle();
  const ByReference message{Fickle(1)};
  for (int i = 0; i < 3; ++i) {
    const ByReference last{Fickle(0)};
    // The receiver's loop gives the credit back.
    EXPECT_THROW(receiver.Tell(last), std::runtime_error);
    Settle();
    EXPECT_THROW(receiver.TellWith({}, last), std::runtime_error);
    Settle();
    EXPECT_THROW(receiver.Tell<ByReference>(Fickle(0)), std::runtime_error);
    Settle();
  }
  EXPECT_EQ(receiver.Tell(message), Delivery::kAccepted);
  EXPECT_EQ(bus.ReadLedger().refused, 9u);
  Settle();
  EXPECT_TRUE(bus.ReadLedger().Balances()) << bus.ReadLedger().ToString();
}

using ThrowingReplyTest = BusFixture;
INSTANTIATE_TEST_SUITE_P(Forms, ThrowingReplyTest,
                         testing::Values(BusForm{"epoll", 1}), BusFormName);

TEST_P(ThrowingReplyTest, P8_AThreadThatAsksGetsWhatThrows) {
  int thrown = 0, answered = 0, failed = 0;
  for (int fuse = -1; fuse < 10; ++fuse) {
    Bus& bus = Start();
    auto receiver = *bus.Spawn<Receiver>({.mailbox_capacity = 1});
    try {
      auto reply =
          receiver.AskAndWait<ForReply>(absl::InfiniteDuration(), fuse);
      ++(reply.ok() ? answered : failed);
    } catch (const std::runtime_error&) {
      ++thrown;
    }
    try {
      const ByReference last{Fickle(0)};
      receiver.AskAndWait(last, absl::InfiniteDuration()).IgnoreError();
    } catch (const std::runtime_error&) {
    }
    const ShutdownReport report = bus.Shutdown(absl::Seconds(60));
    EXPECT_TRUE(report.clean) << report.ToString();
    EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
  }
  EXPECT_GT(thrown, 0);
  EXPECT_GT(answered, 0);
  EXPECT_GT(failed, 0);
  EXPECT_EQ(Fickle::alive, 0);
}

}  // namespace
}  // namespace trolley
