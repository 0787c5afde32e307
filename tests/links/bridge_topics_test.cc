// SPDX-License-Identifier: Apache-2.0
//
// Clients of gRPC that publish and subscribe.

#include "trolley/actors/bridge/bridge_topics.h"

#include <grpcpp/create_channel.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/bridge/bridge_service.h"
#include "trolley/actors/topics/topics.h"
#include "trolley/proto/bridge.grpc.pb.h"
#include "trolley/proto/control.grpc.pb.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/grpc_server.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley::links_test {
namespace {

using bridge::v1::PublishRequest;
using bridge::v1::PublishResponse;
using bridge::v1::SubscribeEvent;
using bridge::v1::SubscribeRequest;
using ::testing::HasSubstr;

constexpr char kPut[] = "trolley.links_test.Put";

SubscribeRequest To(const std::string& pattern, uint32_t credit,
                    const std::string& type = kPut) {
  SubscribeRequest request;
  request.mutable_subscription()->set_pattern(pattern);
  request.mutable_subscription()->set_type(type);
  request.set_credit(credit);
  return request;
}
SubscribeRequest Again(const std::string& token, uint64_t position,
                       uint32_t credit) {
  SubscribeRequest request;
  request.mutable_subscription()->set_token(token);
  request.mutable_subscription()->set_position(position);
  request.set_credit(credit);
  return request;
}

// A call of Subscribe. It checks that the positions add up.
class Subscriber {
 public:
  Subscriber(const std::string& target, const SubscribeRequest& first,
             uint64_t position = 0)
      : stub_(bridge::v1::Bridge::NewStub(NewChannel(target))),
        call_(stub_->Subscribe(&context_)),
        position_(position) {
    call_->Write(first);
  }
  static std::shared_ptr<grpc::Channel> NewChannel(const std::string& target) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  // Waits until the subscription is there. "": the call has ended.
  std::string Token() {
    SubscribeEvent event;
    return call_->Read(&event) ? event.token() : "";
  }
  void Grant(uint32_t credit) {
    SubscribeRequest request;
    request.set_credit(credit);
    call_->Write(request);
  }
  void Send(const SubscribeRequest& request) { call_->Write(request); }
  void Cancel() { context_.TryCancel(); }
  // nullopt: the call has ended.
  std::optional<SubscribeEvent> Next() {
    SubscribeEvent event;
    if (!call_->Read(&event)) return std::nullopt;
    EXPECT_EQ(event.position(),
              position_ + event.missed() + (event.has_publication() ? 1 : 0));
    EXPECT_GT(event.position(), position_);
    position_ = event.position();
    missed_ += event.missed();
    got_ += event.has_publication() ? 1 : 0;
    return event;
  }
  uint64_t position() const { return position_; }
  uint64_t missed() const { return missed_; }
  uint64_t got() const { return got_; }
  grpc::Status Finish() {
    bool more = true;
    while (more) more = Next().has_value();
    return call_->Finish();
  }

 private:
  const std::unique_ptr<bridge::v1::Bridge::Stub> stub_;
  grpc::ClientContext context_;
  const std::unique_ptr<
      grpc::ClientReaderWriter<SubscribeRequest, SubscribeEvent>>
      call_;
  uint64_t position_;
  uint64_t missed_ = 0;
  uint64_t got_ = 0;
};

class BridgeTopicsTest : public LinkTest {
 protected:
  void Start(const BridgeOptions& options = {}) {
    server_ = NewBus(*server_sys_);
    BridgeTopics carried(topics_);
    carried.Carry<Put>();
    auto started =
        GrpcServer::Start(*server_, {}, target() + ",127.0.0.1:0", options,
                          grpc::InsecureServerCredentials(), carried);
    ASSERT_TRUE(started.ok()) << started.status();
    port_ = (*started)->port();
    GrpcServers().emplace(server_.get(), *std::move(started));
  }
  std::string target() const { return "unix:" + WithoutPrefix(endpoint_); }

  // As a client.
  grpc::Status Publish(const std::string& topic, uint64_t value,
                       PublishResponse* response = nullptr,
                       const std::string& type = kPut) {
    const auto stub =
        bridge::v1::Bridge::NewStub(Subscriber::NewChannel(target()));
    grpc::ClientContext context;
    PublishRequest request;
    request.set_topic(topic);
    request.mutable_message()->set_type_url("type.googleapis.com/" + type);
    request.mutable_message()->set_value(PutOf(value).SerializeAsString());
    PublishResponse ignored;
    return stub->Publish(&context, request,
                         response != nullptr ? response : &ignored);
  }
  // As a thread of this process.
  void PublishHere(uint64_t first, uint64_t last) {
    for (uint64_t i = first; i <= last; ++i) {
      EXPECT_TRUE(topics_.Publish<Put>("orders.eu", PutOf(i)).ok());
    }
  }
  // Each loop has had so many turns.
  void GiveTurns(int turns) {
    for (int i = 0; i < turns; ++i) server_->Inspect(kLong).IgnoreError();
  }
  void AwaitSubscriptions(uint64_t count) {
    AskUntil(
        [&] {
          GiveTurns(1);
          topics_.FlushGaps();
          return topics_.Stats().subscriptions;
        },
        [&](uint64_t now) { return now == count; });
  }

  Topics topics_;
  int port_ = 0;
};

TEST_F(BridgeTopicsTest, WhatAClientPublishesComesToSubscribersOnBothSides) {
  Start();
  Subscriber client(target(), To("orders.*", 10));
  ASSERT_NE(client.Token(), "");
  class Reader : public Actor {
   public:
    explicit Reader(uint64_t& sum) : sum_(sum) {}
    void On(const Published<Put>& m) { sum_ += m.value.value(); }
    void On(const Gap&) {}
    uint64_t On(const GetSeen&) { return sum_; }

   private:
    uint64_t& sum_;
  };
  uint64_t sum = 0;
  const auto reader = SpawnOn<Reader>(*server_, {}, sum);
  ASSERT_TRUE(topics_.Subscribe<Put>("orders.>", reader).ok());

  PublishResponse report;
  const grpc::Status published = Publish("orders.eu", 7, &report);
  ASSERT_TRUE(published.ok()) << published.error_message();
  EXPECT_EQ(report.matched(), 2u);
  EXPECT_EQ(report.delivered(), 2u);
  const auto event = client.Next();
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->position(), 1u);
  EXPECT_EQ(event->publication().topic(), "orders.eu");
  Put put;
  ASSERT_TRUE(event->publication().message().UnpackTo(&put));
  EXPECT_EQ(put.value(), 7u);
  EXPECT_EQ(reader.AskAndWait(GetSeen{}, kLong).value(), 7u);

  EXPECT_TRUE(Publish("other.eu", 8, &report).ok());
  EXPECT_EQ(report.matched(), 0u);
}

TEST_F(BridgeTopicsTest, APublicationThatBreaksARuleIsRefused) {
  Start();
  EXPECT_EQ(Publish("a.*", 1).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const grpc::Status stranger =
      Publish("a", 1, nullptr, "trolley.links_test.Stranger");
  EXPECT_EQ(stranger.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(stranger.error_message(), HasSubstr(kPut));
}

TEST_F(BridgeTopicsTest, P14_WithoutCreditAFewAreKeptAndTheOthersAreCounted) {
  BridgeOptions options;
  options.kept_events = 4;
  Start(options);
  Subscriber client(target(), To("orders.*", 0));
  ASSERT_NE(client.Token(), "");
  PublishHere(1, 100);
  GiveTurns(10);
  client.Grant(100);
  for (uint64_t i = 1; i <= 4; ++i) {
    const auto event = client.Next();
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->position(), i);
    EXPECT_TRUE(event->has_publication());
  }
  const auto gap = client.Next();
  ASSERT_TRUE(gap.has_value());
  EXPECT_FALSE(gap->has_publication());
  EXPECT_EQ(gap->missed(), 96u);
  EXPECT_EQ(gap->position(), 100u);
  // And before the next one, if that comes in time.
  PublishHere(101, 101);
  EXPECT_EQ(client.Next()->position(), 101u);
}

TEST_F(BridgeTopicsTest, P14_AClientWithoutCreditGetsNothing) {
  Start();
  Subscriber poor(target(), To("orders.*", 2));
  ASSERT_NE(poor.Token(), "");
  Subscriber rich(target(), To("orders.*", 100));
  ASSERT_NE(rich.Token(), "");
  PublishHere(1, 5);
  while (rich.position() < 5) ASSERT_TRUE(rich.Next().has_value());
  GiveTurns(10);
  SubscribeRequest end;
  end.set_end(true);
  poor.Send(end);
  EXPECT_TRUE(poor.Finish().ok());
  EXPECT_EQ(poor.got(), 2u);
}

// The publisher never waits, and each publication is got or counted.
TEST_F(BridgeTopicsTest, P19_ASlowClientLearnsTheExactNumberThatItMissed) {
  constexpr uint64_t kPublications = 20'000;
  BridgeOptions options;
  options.kept_events = 8;
  Start(options);
  Subscriber client(target(), To("orders.*", 1));
  ASSERT_NE(client.Token(), "");
  std::thread publisher([&] { PublishHere(1, kPublications); });
  uint64_t last = 0;
  uint64_t out_of_order = 0;
  while (client.position() < kPublications) {
    const auto event = client.Next();
    if (!event.has_value()) break;
    Put put;
    if (event->publication().message().UnpackTo(&put)) {
      // What a full mailbox missed may be told before an older publication that
      // was on its way (actors/topics/topics.h).
      if (put.value() <= last || put.value() > event->position()) {
        ++out_of_order;
      }
      last = put.value();
    }
    client.Grant(1);
  }
  publisher.join();
  EXPECT_EQ(out_of_order, 0u);
  EXPECT_EQ(client.got() + client.missed(), kPublications);
  EXPECT_GT(client.got(), 0u);
}

TEST_F(BridgeTopicsTest, P19_ACallThatGoesOnLosesNoCount) {
  BridgeOptions options;
  options.kept_events = 4;
  Start(options);
  for (int round = 0; round < 20; ++round) {
    uint64_t position = 0;
    std::string token;
    {
      Subscriber first(target(), To("orders.*", 1000));
      token = first.Token();
      ASSERT_NE(token, "");
      PublishHere(1, 3);
      // What it does not read is lost with the call.
      ASSERT_TRUE(first.Next().has_value());
      position = first.position();
      first.Cancel();
    }
    PublishHere(4, 20);
    Subscriber second(target(), Again(token, position, 1000), position);
    ASSERT_EQ(second.Token(), token);
    PublishHere(21, 23);
    while (second.position() < 23) {
      const auto event = second.Next();
      ASSERT_TRUE(event.has_value());
      Put put;
      if (event->publication().message().UnpackTo(&put)) {
        ASSERT_EQ(put.value(), event->position());
      }
    }
    EXPECT_EQ(position + second.got() + second.missed(), 23u);
    SubscribeRequest end;
    end.set_end(true);
    second.Send(end);
    EXPECT_TRUE(second.Finish().ok());
    AwaitSubscriptions(0);
  }
}

TEST_F(BridgeTopicsTest, P14_ASubscriptionGoesOnWithOneCallOfItsOwnClient) {
  Start();
  Subscriber first(target(), To("orders.*", 10));
  const std::string token = first.Token();
  Subscriber stranger(absl::StrCat("127.0.0.1:", port_), Again(token, 0, 1));
  ASSERT_EQ(stranger.Token(), "");
  EXPECT_EQ(stranger.Finish().error_code(), grpc::StatusCode::NOT_FOUND);
  Subscriber ahead(target(), Again(token, 1, 1));
  ASSERT_EQ(ahead.Token(), "");
  EXPECT_EQ(ahead.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  Subscriber second(target(), Again(token, 0, 10));
  EXPECT_EQ(second.Token(), token);
  EXPECT_EQ(first.Finish().error_code(), grpc::StatusCode::ABORTED);
  PublishHere(1, 1);
  EXPECT_TRUE(second.Next().has_value());
}

TEST_F(BridgeTopicsTest, P14_ATokenNamesNoActorOfAnotherClass) {
  Start();
  SpawnOn<Sink>(*server_, {.name = "bridge-subscription/evil"});
  for (const std::string token : {"evil", "no such token", "\n", "../x"}) {
    Subscriber client(target(), Again(token, 0, 1));
    const grpc::Status status = client.Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND)
        << status.error_message();
  }
  AwaitSubscriptions(0);
}

TEST_F(BridgeTopicsTest, ASubscriptionWaitsForItsClientForATimeOnly) {
  BridgeOptions options;
  options.resume_within = absl::Milliseconds(10);
  Start(options);
  std::string token;
  {
    Subscriber first(target(), To("orders.*", 10));
    token = first.Token();
    first.Cancel();
  }
  AwaitSubscriptions(0);
  Subscriber late(target(), Again(token, 0, 10));
  EXPECT_EQ(late.Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(BridgeTopicsTest, P14_RequestsThatBreakARuleEndTheirCallAlone) {
  Start();
  Subscriber good(target(), To("orders.*", 10));
  ASSERT_NE(good.Token(), "");
  SubscribeRequest second = To("orders.*", 1);
  SubscribeRequest too_much;
  too_much.set_credit(0x80000000u);
  const struct {
    const char* what;
    SubscribeRequest first;
    std::optional<SubscribeRequest> then;
    const char* text;
  } cases[] = {
      {"nothing", SubscribeRequest(), {}, "a request of 0 bytes"},
      {"no pattern", To("", 1), {}, ""},
      {"a wrong pattern", To("a.>.b", 1), {}, ""},
      {"a type that is not carried", To("a", 1, "a.B"), {}, kPut},
      {"too long", To(std::string(5000, 'a'), 1), {}, "4096"},
      {"a second subscription", To("a", 1), second, "second"},
      {"too much credit", To("a", 1), too_much, "credit"},
  };
  for (const auto& bad : cases) {
    SCOPED_TRACE(bad.what);
    Subscriber client(target(), bad.first);
    if (bad.then.has_value()) {
      ASSERT_NE(client.Token(), "");
      client.Send(*bad.then);
    }
    const grpc::Status status = client.Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(bad.text));
  }
  AwaitSubscriptions(1);
  PublishHere(1, 1);
  EXPECT_TRUE(good.Next().has_value());
}

TEST_F(BridgeTopicsTest, AnyClientTellsAndAsksByTheMessenger) {
  server_ = NewBus(*server_sys_);
  SpawnOn<Sink>(*server_, {.name = "sink"});
  auto bridge = BridgeService::Create(*server_, {}, {});
  ASSERT_TRUE(bridge.ok());
  const absl::StatusOr<grpc::Service*> messenger = (*bridge)->messenger();
  ASSERT_TRUE(messenger.ok()) << messenger.status();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(target(), grpc::InsecureServerCredentials());
  builder.RegisterService((*bridge)->service());
  builder.RegisterService(*messenger);
  auto grpc_server = builder.BuildAndStart();
  const auto stub =
      control::v1::Messenger::NewStub(Subscriber::NewChannel(target()));
  const auto ask = [&] {
    control::v1::AskActorRequest request;
    request.set_actor("sink");
    request.mutable_envelope()->mutable_payload()->PackFrom(AskOf(1));
    control::v1::AskActorResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub->AskActor(&context, request, &response);
    Answer answer;
    response.envelope().payload().UnpackTo(&answer);
    return std::make_pair(status.error_code(), answer.value());
  };
  control::v1::SendMessageRequest tell;
  tell.set_actor("sink");
  tell.mutable_envelope()->mutable_payload()->PackFrom(PutOf(1));
  control::v1::SendMessageResponse told;
  grpc::ClientContext context;
  EXPECT_TRUE(stub->SendMessage(&context, tell, &told).ok());
  EXPECT_EQ(ask(), std::make_pair(grpc::StatusCode::OK, uint64_t{2}));
  (*bridge)->Stop();
  EXPECT_EQ(ask().first, grpc::StatusCode::UNAVAILABLE);
  grpc_server->Shutdown();
  grpc_server.reset();
}

TEST_F(BridgeTopicsTest, ABridgeWithoutTopicsSaysSo) {
  server_ = NewBus(*server_sys_);
  auto started = GrpcServer::Start(*server_, {}, target(), {});
  ASSERT_TRUE(started.ok());
  GrpcServers().emplace(server_.get(), *std::move(started));
  EXPECT_EQ(Publish("a", 1).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  Subscriber client(target(), To("a", 1));
  EXPECT_EQ(client.Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(BridgeTopicsTest, P13_ACallThatGetsNoActorIsToldWhy) {
  BusOptions bus;
  bus.loops = {LoopOptions{.poller = PollerUnderTest(), .max_actors = 1}};
  server_ = *Bus::Create(std::move(bus));
  BridgeTopics carried(topics_);
  carried.Carry<Put>();
  auto started = GrpcServer::Start(*server_, {}, target(), {},
                                   grpc::InsecureServerCredentials(), carried);
  ASSERT_TRUE(started.ok());
  Subscriber client(target(), To("orders.*", 1));
  EXPECT_EQ(client.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const auto stub =
      bridge::v1::Bridge::NewStub(Subscriber::NewChannel(target()));
  grpc::ClientContext context;
  const auto link = stub->Link(&context);
  EXPECT_EQ(link->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ((*started)
                ->bridge()
                .listener()
                .AskAndWait(GetListenerStats{}, kLong)
                ->over_limit,
            2u);
}

TEST_F(BridgeTopicsTest, ABusThatShutsDownTellsItsSubscribers) {
  Start();
  Subscriber client(target(), To("orders.*", 10));
  ASSERT_NE(client.Token(), "");
  server_->Shutdown(absl::Seconds(10));
  const grpc::Status status = client.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("DRAINING"));
}

TEST_F(BridgeTopicsTest, EveryNumberAndTimeOfABridge) {
  server_ = NewBus(*server_sys_);
  AtExtremes<BridgeOptions>(
      [](BridgeOptions& o, auto visit) {
        VisitFields("kept_events", visit, o.kept_events);
      },
      [&](const BridgeOptions& options) {
        return BridgeService::Create(*server_, {}, options).status();
      });
  ForEachExtreme(
      "actors/bridge/grpc_link_options.h BridgeOptions::resume_within",
      [&](const Extreme& e) {
        BridgeOptions options;
        options.resume_within = e.value;
        const absl::Status made =
            BridgeService::Create(*server_, {}, options).status();
        EXPECT_EQ(made.ok(), e.positive()) << made;
        if (!made.ok()) {
          EXPECT_THAT(std::string(made.message()),
                      HasSubstr("BridgeOptions::resume_within"));
        }
      });
}

}  // namespace
}  // namespace trolley::links_test
