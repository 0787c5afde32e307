// SPDX-License-Identifier: Apache-2.0
//
// Every method of the control service with every kind of bad input. Each error
// must have one ErrorInfo, with the code and the keys of proto/control.proto.
// The methods, fields and reasons come from the descriptors, so a new one
// without a case here is a failure.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/control/control_client.h"
#include "tests/control/running_bus.h"
#include "trolley/actors/grpc/internal/control_state.h"
#include "trolley/actors/grpc/internal/controller.h"
#include "trolley/actors/grpc/internal/inspector.h"
#include "trolley/actors/grpc/internal/messenger.h"
#include "trolley/actors/supervision/supervision_tree.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/tests/bus/ask_until.h"

namespace trolley::internal {
namespace {

namespace v1 = control::v1;
namespace pb = google::protobuf;
using test::CallMethod;
using test::Client;
using test::InfoOf;
using test::Outcome;
using test::RunningBus;
using ::testing::Contains;
using ::testing::HasSubstr;

struct Case {
  std::string request;  // in text format
  std::string outcome;
};

struct Method {
  // What it says to a loop that does not answer.
  std::string late;
  std::vector<Case> cases;  // the first is good
};

constexpr char kAdd[] = R"([type.googleapis.com/trolley.test.Add] {})";

std::string Sent(const std::string& actor, const std::string& payload,
                 const std::string& rest = "") {
  return absl::StrCat("actor: \"", actor, "\" envelope { payload { ", payload,
                      " } } ", rest);
}

// What SendMessage and AskActor have in common.
std::vector<Case> SendAwaiter() {
  return {
      {Sent("a", kAdd), "OK"},
      {"", "INVALID_ARGUMENT BAD_REQUEST actor"},
      {Sent("A B", kAdd), "INVALID_ARGUMENT BAD_REQUEST actor"},
      {Sent("#0.0.1", kAdd), "INVALID_ARGUMENT BAD_REQUEST actor"},
      {Sent("nobody", kAdd), "NOT_FOUND ACTOR_NOT_FOUND"},
      {Sent("full", kAdd), "EXHAUSTED MAILBOX_FULL"},
      {Sent("quiet", kAdd), "INVALID_ARGUMENT MESSAGE_TYPE_REJECTED"},
      {Sent("a", "[type.googleapis.com/trolley.test.Stranger] {}"),
       "INVALID_ARGUMENT MESSAGE_TYPE_REJECTED"},
      {"actor: \"a\"", "INVALID_ARGUMENT MESSAGE_TYPE_REJECTED"},
      {Sent("a",
            "type_url: \"type.googleapis.com/trolley.test.Add\" value: "
            "\"\\377\\377\""),
       "INVALID_ARGUMENT BAD_PAYLOAD"},
      {Sent("a", kAdd, "uid: \"an old one\""), "ABORTED STALE_INCARNATION"},
      {"actor: \"a\" envelope { traceparent: \"no trace\" }",
       "INVALID_ARGUMENT BAD_REQUEST envelope.traceparent"},
  };
}

std::vector<Case> AskAwaiter() {
  std::vector<Case> cases = SendAwaiter();
  const std::string test = "[type.googleapis.com/trolley.test.";
  cases.push_back({Sent("a", test + "Fail] { code: 5 text: \"no book\" }"),
                   "NOT_FOUND HANDLER_FAILED"});
  cases.push_back({Sent("a", test + "Fail] { code: 1 text: \"\" }"),
                   "CANCELLED HANDLER_FAILED"});
  cases.push_back({Sent("a", test + "GetBlob] { bytes: 5000000 }"),
                   "EXHAUSTED PAYLOAD_TOO_LARGE"});
  cases.push_back(
      {Sent("ending", test + "Hold] {}"), "ABORTED ACTOR_STOPPED_DURING_ASK"});
  return cases;
}

const std::map<std::string, Method>& Methods() {
  static const auto& methods = *new std::map<std::string, Method>{
      {"Inspector/GetServerInfo", {"DEADLINE LOOPS_BUSY", {{"", "OK"}}}},
      {"Inspector/ListLoops", {"DEADLINE LOOPS_BUSY", {{"", "OK"}}}},
      {"Inspector/ListActors",
       {"DEADLINE LOOPS_BUSY",
        {{"", "OK"},
         {"page_size: 2147483647", "OK"},
         {"page_size: -1", "INVALID_ARGUMENT BAD_REQUEST page_size"},
         {"page_token: \"x\"", "INVALID_ARGUMENT BAD_REQUEST page_token"}}}},
      {"Inspector/GetActor",
       {"DEADLINE LOOPS_BUSY",
        {{"name: \"a\"", "OK"},
         {"", "INVALID_ARGUMENT BAD_REQUEST name"},
         {"name: \"A B\"", "INVALID_ARGUMENT BAD_REQUEST name"},
         {"name: \"nobody\"", "NOT_FOUND ACTOR_NOT_FOUND"}}}},
      {"Inspector/ListChildren",
       {"DEADLINE LOOPS_BUSY",
        {{"supervisor: \"app\"", "OK"},
         {"", "OK"},
         {"page_size: 2147483647", "OK"},
         {"page_size: -1", "INVALID_ARGUMENT BAD_REQUEST page_size"},
         {"page_token: \"x\"", "INVALID_ARGUMENT BAD_REQUEST page_token"},
         {"supervisor: \"A B\"", "INVALID_ARGUMENT BAD_REQUEST supervisor"},
         {"supervisor: \"#0.0.1\"", "INVALID_ARGUMENT BAD_REQUEST supervisor"},
         {"supervisor: \"nobody\"", "NOT_FOUND ACTOR_NOT_FOUND"},
         {"supervisor: \"a\"", "PRECONDITION NOT_A_SUPERVISOR"}}}},
      // A tell does not wait for the loop.
      {"Messenger/SendMessage", {"OK", SendAwaiter()}},
      {"Messenger/AskActor", {"DEADLINE ASK_TIMEOUT", AskAwaiter()}},
      {"Controller/StopActor",
       {"DEADLINE STOP_TIMEOUT",
        {{"name: \"victim\"", "OK"},
         {"name: \"victim\" mode: IMMEDIATE", "OK"},
         {"", "INVALID_ARGUMENT BAD_REQUEST name"},
         {"name: \"nobody\"", "NOT_FOUND ACTOR_NOT_FOUND"},
         {"name: \"victim\" mode: 77", "INVALID_ARGUMENT BAD_REQUEST mode"},
         {"name: \"victim\" uid: \"an old one\"", "ABORTED STALE_INCARNATION"},
         {"name: \"victim\" drain_timeout { seconds: -1 }",
          "INVALID_ARGUMENT BAD_REQUEST drain_timeout"},
         {"name: \"victim\" drain_timeout { nanos: 1000000000 }",
          "INVALID_ARGUMENT BAD_REQUEST drain_timeout"}}}},
  };
  return methods;
}

// The keys that come with a reason, as its comment in the file says.
const std::map<v1::ErrorReason, std::vector<std::string>>& Keys() {
  static const auto& keys =
      *new std::map<v1::ErrorReason, std::vector<std::string>>{
          {v1::ACTOR_NOT_FOUND, {"actor"}},
          {v1::MAILBOX_FULL, {"actor"}},
          {v1::MESSAGE_TYPE_REJECTED, {"actor", "type", "accepted"}},
          {v1::BAD_PAYLOAD, {"actor", "type"}},
          {v1::PAYLOAD_TOO_LARGE, {"bytes", "limit"}},
          {v1::ASK_TIMEOUT, {"actor"}},
          {v1::ACTOR_STOPPED_DURING_ASK, {"actor"}},
          {v1::HANDLER_FAILED, {"actor"}},
          {v1::STALE_INCARNATION, {"actor", "uid"}},
          {v1::DRAINING, {}},
          {v1::BAD_REQUEST, {"field"}},
          {v1::STOP_TIMEOUT, {"actor", "state"}},
          {v1::LOOPS_BUSY, {}},
          {v1::TOO_MANY_CALLS, {}},
          {v1::NOT_A_SUPERVISOR, {"actor"}},
      };
  return keys;
}

// An error has a text, one known reason and its keys.
void CheckError(const grpc::Status& status) {
  if (status.ok()) return;
  EXPECT_NE(status.error_message(), "");
  const v1::ErrorInfo info = InfoOf(status);
  v1::ErrorReason reason;
  ASSERT_TRUE(v1::ErrorReason_Parse(info.reason(), &reason))
      << Outcome(status) << ": " << status.error_message();
  ASSERT_EQ(Keys().count(reason), 1);
  for (const std::string& key : Keys().at(reason)) {
    EXPECT_EQ(info.metadata().count(key), 1) << info.reason() << " " << key;
  }
}

// Outcome() and for BAD_REQUEST the field.
std::string Told(const grpc::Status& status) {
  const std::string outcome = Outcome(status);
  if (!absl::EndsWith(outcome, "BAD_REQUEST")) return outcome;
  return absl::StrCat(outcome, " ", InfoOf(status).metadata().at("field"));
}

std::vector<const pb::MethodDescriptor*> AllMethods() {
  std::vector<const pb::MethodDescriptor*> all;
  const pb::FileDescriptor* file = v1::Actor::descriptor()->file();
  for (int s = 0; s < file->service_count(); ++s) {
    for (int m = 0; m < file->service(s)->method_count(); ++m) {
      all.push_back(file->service(s)->method(m));
    }
  }
  return all;
}

std::string KeyOf(const pb::MethodDescriptor& method) {
  return absl::StrCat(method.service()->name(), "/", method.name());
}

std::string PathOf(const pb::MethodDescriptor& method) {
  return absl::StrCat("/", method.service()->full_name(), "/", method.name());
}

std::unique_ptr<pb::Message> NewRequest(const pb::MethodDescriptor& method) {
  return std::unique_ptr<pb::Message>(pb::MessageFactory::generated_factory()
                                          ->GetPrototype(method.input_type())
                                          ->New());
}

std::string Bytes(const pb::MethodDescriptor& method, const std::string& text) {
  auto request = NewRequest(method);
  EXPECT_TRUE(pb::TextFormat::ParseFromString(text, request.get())) << text;
  return request->SerializeAsString();
}

// Ends while it is asked.
class Ending : public Actor {
 public:
  using Receives = Protocol<test::Total(test::Hold)>;
  Task<test::Total> On(test::Hold) {
    Stop();
    co_await Sleep(absl::Hours(24));
    co_return test::Total();
  }
};

class ControlErrorsTest : public ::testing::Test {
 protected:
  explicit ControlErrorsTest(
      ControlOptions options = {.tree = SupervisionTree({"app"})})
      : running_(std::move(options)) {
    running_.Spawn("a");
    EXPECT_TRUE(running_.bus
                    ->Spawn<Supervisor>({.name = "app"}, SupervisorOptions(),
                                        std::vector<ChildSpec>())
                    .ok());
    running_.Spawn("full", 1);
    EXPECT_TRUE(running_.bus->Spawn<test::Quiet>({.name = "quiet"}).ok());
    v1::SendMessageRequest hold;
    hold.set_actor("full");
    test::Pack(test::Hold(), hold.mutable_envelope());
    // The first waits in its handler; the places behind it fill up.
    for (std::string told; told != "EXHAUSTED MAILBOX_FULL";) {
      v1::SendMessageResponse response;
      test::Context context;
      told = Told(client_.messenger->SendMessage(&context, hold, &response));
    }
  }

  void SpawnIfGone(const std::string& name) {
    const auto spawned =
        name == "ending"
            ? running_.bus->Spawn<Ending>({.name = name}).status()
            : running_.bus->Spawn<test::Counter>({.name = name}).status();
    EXPECT_TRUE(spawned.ok() || absl::IsAlreadyExists(spawned)) << spawned;
  }

  grpc::Status Call(const pb::MethodDescriptor& method,
                    const std::string& bytes) {
    SpawnIfGone("victim");
    SpawnIfGone("ending");
    return CallMethod(client_, PathOf(method), &bytes, nullptr,
                      absl::Seconds(60));
  }

  RunningBus running_;
  Client client_{running_.control->address()};
};

// The table itself: nothing is left out of it.
TEST(ControlErrorTableTest, HoldsEveryMethodEveryFieldAndEveryReason) {
  std::set<std::string> reasons = {// In tests of their own below.
                                   "DRAINING", "TOO_MANY_CALLS"};
  for (const pb::MethodDescriptor* method : AllMethods()) {
    ASSERT_EQ(Methods().count(KeyOf(*method)), 1)
        << KeyOf(*method) << " has no cases here";
    const Method& known = Methods().at(KeyOf(*method));
    std::set<std::string> fields;
    std::set<std::string> outcomes = {known.late};
    for (const Case& c : known.cases) {
      outcomes.insert(c.outcome);
      auto request = NewRequest(*method);
      ASSERT_TRUE(request->ParseFromString(Bytes(*method, c.request)));
      std::vector<const pb::FieldDescriptor*> set;
      request->GetReflection()->ListFields(*request, &set);
      for (const pb::FieldDescriptor* field : set) fields.insert(field->name());
    }
    for (int i = 0; i < method->input_type()->field_count(); ++i) {
      EXPECT_THAT(fields, Contains(method->input_type()->field(i)->name()))
          << "of " << KeyOf(*method) << " has no case here";
    }
    for (const std::string& outcome : outcomes) {
      const std::vector<std::string> words = absl::StrSplit(outcome, ' ');
      if (words.size() > 1) reasons.insert(words[1]);
    }
  }
  for (int i = 0; i < v1::ErrorReason_descriptor()->value_count(); ++i) {
    const pb::EnumValueDescriptor* reason =
        v1::ErrorReason_descriptor()->value(i);
    if (reason->number() == v1::ERROR_REASON_UNSPECIFIED) continue;
    EXPECT_THAT(reasons, Contains(reason->name())) << "has no case here";
    EXPECT_EQ(Keys().count(static_cast<v1::ErrorReason>(reason->number())), 1)
        << reason->name() << " has no keys here";
  }
}

TEST_F(ControlErrorsTest, EachCaseHasTheOutcomeThatTheFilePromises) {
  for (const pb::MethodDescriptor* method : AllMethods()) {
    for (const Case& c : Methods().at(KeyOf(*method)).cases) {
      SCOPED_TRACE(absl::StrCat(KeyOf(*method), " {", c.request, "}"));
      const grpc::Status status = Call(*method, Bytes(*method, c.request));
      EXPECT_EQ(Told(status), c.outcome) << status.error_message();
      CheckError(status);
    }
  }
}

// The bytes of a request with one field, a text that is not UTF-8.
std::vector<std::string> TextsThatAreNone(const pb::Descriptor& type) {
  std::vector<std::string> all;
  for (int i = 0; i < type.field_count(); ++i) {
    const pb::FieldDescriptor& field = *type.field(i);
    const auto wrap = [&](const std::string& inner) {
      return absl::StrCat(
          std::string(1, static_cast<char>(field.number() << 3 | 2)),
          std::string(1, static_cast<char>(inner.size())), inner);
    };
    if (field.type() == pb::FieldDescriptor::TYPE_STRING) {
      all.push_back(wrap("\xc3\x28"));
    } else if (field.message_type() != nullptr) {
      for (const std::string& inner : TextsThatAreNone(*field.message_type())) {
        all.push_back(wrap(inner));
      }
    }
  }
  return all;
}

TEST_F(ControlErrorsTest, WhatDoesNotParseIsABadRequest) {
  for (const pb::MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(KeyOf(*method));
    const grpc::Status none =
        CallMethod(client_, PathOf(*method), nullptr, nullptr);
    EXPECT_EQ(Told(none), "INVALID_ARGUMENT BAD_REQUEST ");
    EXPECT_THAT(none.error_message(), HasSubstr(method->input_type()->name()));
    std::vector<std::string> bad = TextsThatAreNone(*method->input_type());
    bad.push_back("\xff");                        // half a tag
    bad.push_back(std::string("\x0a\x05x", 3));   // cut
    bad.push_back(std::string("\x0c", 1));        // the end of no group
    bad.push_back(std::string("\x00\x00", 2));    // a field 0
    bad.push_back("\x0f");                        // no wire type
    bad.push_back("\x0a\xff\xff\xff\xff\x0f");    // 4 GiB
    bad.push_back(std::string(1 << 20, '\xff'));  // large
    for (const std::string& bytes : bad) {
      const grpc::Status status = Call(*method, bytes);
      EXPECT_EQ(Told(status), "INVALID_ARGUMENT BAD_REQUEST ")
          << absl::CHexEscape(bytes.substr(0, 64));
      CheckError(status);
    }
  }
}

// Every value at its ends, in every field.
std::vector<std::function<void(pb::Message&)>> HostileValues(
    const pb::FieldDescriptor& field) {
  using Set = std::function<void(pb::Message&)>;
  const auto with = [&field](auto set) -> Set {
    return
        [&field, set](pb::Message& m) { set(*m.GetReflection(), m, &field); };
  };
  using R = const pb::Reflection&;
  using F = const pb::FieldDescriptor*;
  std::vector<Set> all;
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_STRING:
      for (const std::string& text :
           {std::string(), std::string("\x1b[2J\r\n"),
            std::string(1 << 20, 'x'), std::string("a\0b", 3),
            std::string("\u202e"), std::string("../../etc"),
            std::string(5000, '%')}) {
        all.push_back(with(
            [text](R r, pb::Message& m, F f) { r.SetString(&m, f, text); }));
      }
      break;
    case pb::FieldDescriptor::CPPTYPE_INT32:
      for (int32_t n : {std::numeric_limits<int32_t>::min(), -1, 0,
                        std::numeric_limits<int32_t>::max()}) {
        all.push_back(
            with([n](R r, pb::Message& m, F f) { r.SetInt32(&m, f, n); }));
      }
      break;
    case pb::FieldDescriptor::CPPTYPE_INT64:
      for (int64_t n : {std::numeric_limits<int64_t>::min(), int64_t{-1},
                        int64_t{0}, std::numeric_limits<int64_t>::max()}) {
        all.push_back(
            with([n](R r, pb::Message& m, F f) { r.SetInt64(&m, f, n); }));
      }
      break;
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      for (int n : {-1, 0, 77}) {
        all.push_back(
            with([n](R r, pb::Message& m, F f) { r.SetEnumValue(&m, f, n); }));
      }
      break;
    case pb::FieldDescriptor::CPPTYPE_MESSAGE:
      all.push_back(
          with([](R r, pb::Message& m, F f) { r.MutableMessage(&m, f); }));
      for (int i = 0; i < field.message_type()->field_count(); ++i) {
        for (const Set& inner :
             HostileValues(*field.message_type()->field(i))) {
          all.push_back(with([inner](R r, pb::Message& m, F f) {
            inner(*r.MutableMessage(&m, f));
          }));
        }
      }
      break;
    default:
      ADD_FAILURE() << field.full_name()
                    << " has a type without hostile values";
  }
  return all;
}

TEST_F(ControlErrorsTest, AnyValueIsAnsweredOrHasItsReason) {
  int calls = 0;
  for (const pb::MethodDescriptor* method : AllMethods()) {
    const std::string good =
        Bytes(*method, Methods().at(KeyOf(*method)).cases[0].request);
    for (int i = 0; i < method->input_type()->field_count(); ++i) {
      const pb::FieldDescriptor& field = *method->input_type()->field(i);
      int n = 0;
      for (const auto& set : HostileValues(field)) {
        SCOPED_TRACE(absl::StrCat(field.full_name(), " ", n++));
        auto request = NewRequest(*method);
        ASSERT_TRUE(request->ParseFromString(good));
        set(*request);
        CheckError(Call(*method, request->SerializeAsString()));
        ++calls;
      }
    }
  }
  std::cout << calls << " calls\n";
}

// What gRPC says by itself carries no ErrorInfo, as the file says.
TEST_F(ControlErrorsTest, ErrorsOfGrpcItselfHaveNoReason) {
  const std::string none, large(5 << 20, 'x');
  EXPECT_EQ(Outcome(CallMethod(client_, "/trolley.control.v1.Inspector/Nothing",
                               &none, nullptr)),
            "UNIMPLEMENTED");
  EXPECT_EQ(Outcome(CallMethod(client_, "/no.Such/Service", &none, nullptr)),
            "UNIMPLEMENTED");
  for (const pb::MethodDescriptor* method : AllMethods()) {
    EXPECT_EQ(Outcome(CallMethod(client_, PathOf(*method), &large, nullptr)),
              "EXHAUSTED");
  }
}

// An answer longer than a client may be sent, of any method.
class ControlSmallErrorsTest : public ControlErrorsTest {
 protected:
  ControlSmallErrorsTest()
      : ControlErrorsTest(
            {.version = std::string(5000, 'v'), .max_message_bytes = 4096}) {}
};

TEST_F(ControlSmallErrorsTest, ALongAnswerIsCutIntoPagesOrNamesItsLimit) {
  const pb::ServiceDescriptor* inspector =
      v1::Actor::descriptor()->file()->FindServiceByName("Inspector");
  const grpc::Status info =
      Call(*inspector->FindMethodByName("GetServerInfo"), "");
  EXPECT_EQ(Told(info), "EXHAUSTED PAYLOAD_TOO_LARGE");
  EXPECT_EQ(InfoOf(info).metadata().at("limit"), "4096");

  for (int i = 0; i < 40; ++i) running_.Spawn(absl::StrCat("actor", i));
  std::set<std::string> names;
  v1::ListActorsRequest request;
  request.set_page_size(1000);
  int pages = 0;
  do {
    v1::ListActorsResponse page;
    test::Context context;
    const grpc::Status status =
        client_.inspector->ListActors(&context, request, &page);
    ASSERT_EQ(Told(status), "OK");
    EXPECT_LE(page.ByteSizeLong(), 4096);
    for (const v1::Actor& actor : page.actors()) names.insert(actor.name());
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_GT(pages, 1);
  for (int i = 0; i < 40; ++i) {
    EXPECT_THAT(names, Contains(absl::StrCat("actor", i)));
  }
}

// A handler that keeps its loop.
struct Block {
  absl::Notification* started;
  absl::Notification* go_on;
};
class Blocker : public Actor {
 public:
  void On(const Block& block) {
    block.started->Notify();
    block.go_on->WaitForNotification();
  }
};

class ControlBusyTest : public ::testing::Test {
 protected:
  static constexpr int kMostCalls = 8;

  ControlBusyTest() {
    running_.Spawn("a");
    running_.Spawn("victim");
    EXPECT_TRUE(running_.bus
                    ->Spawn<Supervisor>({.name = "app"}, SupervisorOptions(),
                                        std::vector<ChildSpec>())
                    .ok());
    blocker_ = *running_.bus->Spawn<Blocker>({});
    CallMethod(client_, PathOf(*AllMethods()[0]), &none_, nullptr);
    blocker_.Tell(Block{&started_, &go_on_});
    started_.WaitForNotification();
  }
  ~ControlBusyTest() override {
    if (!go_on_.HasBeenNotified()) go_on_.Notify();
  }

  // Without a deadline of the client's, which could come first.
  grpc::Status CallGood(const pb::MethodDescriptor& method) {
    const std::string good =
        Bytes(method, Methods().at(KeyOf(method)).cases[0].request);
    return CallMethod(client_, PathOf(method), &good, nullptr,
                      absl::InfiniteDuration());
  }

  const std::string none_;
  absl::Notification started_;
  absl::Notification go_on_;
  RunningBus running_{{.tree = SupervisionTree({"app"}),
                       .max_connections = 1,
                       .max_calls_per_connection = kMostCalls,
                       .default_deadline = absl::Milliseconds(50)},
                      BusOptions()};
  Client client_{running_.control->address()};
  Ref<Blocker> blocker_;
};

TEST_F(ControlBusyTest, EachMethodSaysWhatItWaitedFor) {
  for (const pb::MethodDescriptor* method : AllMethods()) {
    const grpc::Status status = CallGood(*method);
    EXPECT_EQ(Told(status), Methods().at(KeyOf(*method)).late)
        << KeyOf(*method);
    CheckError(status);
  }
}

// A client that gives up and asks again does not fill the queue of the loop.
TEST_F(ControlBusyTest, CallsThatHaveEndedCountWhileTheLoopHoldsThem) {
  const pb::MethodDescriptor& info = *AllMethods()[0];
  for (int i = 0; i < kMostCalls; ++i) {
    EXPECT_EQ(Told(CallGood(info)), "DEADLINE LOOPS_BUSY") << i;
  }
  for (const pb::MethodDescriptor* method : AllMethods()) {
    const grpc::Status status = CallGood(*method);
    EXPECT_EQ(Told(status), "EXHAUSTED TOO_MANY_CALLS") << KeyOf(*method);
    CheckError(status);
  }
  go_on_.Notify();
  AskUntil([&] { return CallGood(info); },
           [](const grpc::Status& status) { return status.ok(); });
}

// The message of an ask waits on without its call.
TEST_F(ControlBusyTest, AsksThatHaveEndedHoldNothingInTheService) {
  const pb::FileDescriptor* file = v1::Actor::descriptor()->file();
  const pb::MethodDescriptor& ask =
      *file->FindServiceByName("Messenger")->FindMethodByName("AskActor");
  for (int i = 0; i < 3 * kMostCalls; ++i) {
    EXPECT_EQ(Told(CallGood(ask)), "DEADLINE ASK_TIMEOUT") << i;
  }
}

// A type of messages that gives its name once it may.
struct SlowName {
  struct Descriptor {
    std::string full_name() const {
      asked.Notify();
      may_answer.WaitForNotification();
      return "trolley.test.SlowName";
    }
  };
  static const Descriptor* descriptor() {
    static const Descriptor it;
    return &it;
  }
  bool ParseFromArray(const void* /*bytes*/, int /*size*/) { return true; }
  bool SerializeToString(std::string* /*to*/) const { return true; }

  static inline absl::Notification asked;
  static inline absl::Notification may_answer;
};
class Slow : public Actor {
 public:
  using Receives = Protocol<SlowName>;
  void On(const SlowName&) {}
};

// A page names what its actors take; here that takes long, once in a process.
TEST(ControlDeadlinesTest, APageThatTakesLongDelaysNoDeadline) {
  RunningBus running({.default_deadline = absl::Milliseconds(50)});
  ASSERT_TRUE(running.bus->Spawn<Slow>({.name = "slow"}).ok());
  const auto blocker = *running.bus->Spawn<Blocker>({});
  // Both connect before a loop is blocked.
  Client lister(running.control->address());
  Client client(running.control->address());
  const std::string none;
  const auto call = [&] {
    return CallMethod(client, PathOf(*AllMethods()[0]), &none, nullptr,
                      absl::InfiniteDuration());
  };
  AskUntil(call, [](const grpc::Status& status) { return status.ok(); });
  grpc::Status listed;
  std::thread lists([&] {
    test::Context context;
    v1::ListActorsResponse page;
    listed = lister.inspector->ListActors(&context, {}, &page);
  });
  SlowName::asked.WaitForNotification();
  absl::Notification started;
  absl::Notification go_on;
  blocker.Tell(Block{&started, &go_on});
  started.WaitForNotification();
  EXPECT_EQ(Told(call()), "DEADLINE LOOPS_BUSY");
  go_on.Notify();
  if (!SlowName::may_answer.HasBeenNotified()) SlowName::may_answer.Notify();
  lists.join();
  EXPECT_EQ(Told(listed), "OK");
}

// A service that has begun to stop, with a server that has not.
TEST_F(ControlErrorsTest, EachMethodRefusesOnceTheServiceStops) {
  ControlOptions options;
  options.path = "unused";
  auto state =
      std::make_shared<const internal::ControlState>(*running_.bus, options);
  internal::Inspector inspector(state);
  internal::Messenger messenger(state);
  internal::Controller controller(state);
  grpc::ServerBuilder builder;
  const std::string address =
      absl::StrCat("unix:", running_.folder.path("stopping"));
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&inspector);
  builder.RegisterService(&messenger);
  builder.RegisterService(&controller);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  state->calls->EndAll();
  Client client(address);
  for (const pb::MethodDescriptor* method : AllMethods()) {
    const std::string good =
        Bytes(*method, Methods().at(KeyOf(*method)).cases[0].request);
    const grpc::Status status =
        CallMethod(client, PathOf(*method), &good, nullptr);
    EXPECT_EQ(Told(status), "UNAVAILABLE DRAINING") << KeyOf(*method);
    CheckError(status);
  }
  server->Shutdown();
}

}  // namespace
}  // namespace trolley::internal
