// SPDX-License-Identifier: Apache-2.0
//
// Messages that come as bytes (actors/wire.h), to a mailbox with a bound in
// bytes. In virtual time.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/actors/wire.h"

namespace trolley {
namespace {

using ::google::protobuf::BytesValue;
using ::testing::ElementsAre;
using testing::SimBus;

struct Hold {};  // the handler takes a second

class Reader : public Actor {
 public:
  using Receives = Protocol<BytesValue>;

  explicit Reader(std::vector<size_t>* sizes) : sizes_(sizes) {}
  void On(const BytesValue& m) { sizes_->push_back(m.value().size()); }
  Task<absl::Status> On(Hold) {
    co_await Sleep(absl::Seconds(1));
    co_return absl::OkStatus();
  }

 private:
  std::vector<size_t>* const sizes_;
};

struct Try {
  WireTarget to;
  size_t size;
};
struct Send {
  WireTarget to;
  size_t size;
};

class Encoded {
 public:
  explicit Encoded(size_t size) {
    BytesValue message;
    message.set_value(std::string(size, 'x'));
    message.SerializeToString(&bytes_);
  }
  WireView view() const { return {"google.protobuf.BytesValue", bytes_}; }

 private:
  std::string bytes_;
};

class Sender : public Actor {
 public:
  absl::StatusOr<bool> On(const Try& m) {
    const Encoded message(m.size);
    absl::StatusOr<Delivery> sent = m.to.TrySend(message.view(), {});
    if (!sent.ok()) return sent.status();
    return *sent == Delivery::kAccepted;
  }
  Task<absl::Status> On(Send m) {
    const Encoded message(m.size);
    co_return co_await m.to.Send(message.view());
  }
};

TEST(WireLimitsTest, P6_MessagesThatComeAsBytesAreBounded) {
  SimBus sim({.loops = 2});
  std::vector<size_t> sizes;
  const auto reader = sim.Spawn<Reader>(
      {.name = "reader", .loop = 0, .mailbox_bytes = 1000}, &sizes);
  const auto sender = sim.Spawn<Sender>({.loop = 1});
  reader.Tell(Hold{});
  sim.RunUntilIdle();
  absl::StatusOr<WireTarget> target = WireTarget::Find(sim.bus(), "reader");
  ASSERT_TRUE(target.ok()) << target.status();
  const auto tell = [&](size_t size) {
    const Encoded message(size);
    return target->Tell(message.view()).code();
  };
  EXPECT_EQ(tell(600), absl::StatusCode::kOk);
  EXPECT_EQ(tell(600), absl::StatusCode::kResourceExhausted);
  BytesValue typed;
  typed.set_value(std::string(600, 'y'));
  EXPECT_EQ(reader.Tell(typed), Delivery::kFull);
  const absl::StatusOr<bool> tried =
      sim.Ask(sender, Try{*target, 600}, absl::Seconds(0.1));
  ASSERT_TRUE(tried.ok()) << tried.status();
  EXPECT_FALSE(*tried);
  // This one waits, until the handler has ended.
  absl::Status sent = absl::UnknownError("it waits");
  sender.AskThen(Send{*target, 700}, absl::Hours(1),
                 [&](absl::Status got) { sent = got; });
  sim.RunUntilIdle();
  EXPECT_EQ(sent.code(), absl::StatusCode::kUnknown);
  sim.RunFor(absl::Seconds(1));
  EXPECT_TRUE(sent.ok()) << sent;
  EXPECT_THAT(sizes, ElementsAre(600, 700));
  EXPECT_EQ(tell(600), absl::StatusCode::kOk);
  sim.RunUntilIdle();
  EXPECT_THAT(sizes, ElementsAre(600, 700, 600));
}

}  // namespace
}  // namespace trolley
