// SPDX-License-Identifier: Apache-2.0
//
// Hostile texts in every field of control.proto, in both directions: escape
// sequences, line breaks, bytes that are not UTF-8, and three megabytes.
// Reflection finds the fields, so a new field is a new case.
//
//   text of     reaches
//   a client    the status that it gets, and the log of the service
//   a service   the terminal of `trolley`

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/control/child.h"
#include "tests/control/running_bus.h"
#include "trolley/poller/printable.h"
#include "trolley/proto/control.grpc.pb.h"
#include "trolley/tests/bus/inside.h"

namespace trolley::test {
namespace {

namespace v1 = ::trolley::control::v1;

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::MethodDescriptor;
using ::testing::HasSubstr;

using Path = std::vector<const FieldDescriptor*>;

void FindTexts(const Descriptor& type, const Path& above,
               std::vector<Path>& to) {
  for (int i = 0; i < type.field_count(); ++i) {
    Path path = above;
    path.push_back(type.field(i));
    if (path.back()->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      to.push_back(path);
    } else if (path.back()->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      FindTexts(*path.back()->message_type(), path, to);
    }
  }
}

std::vector<Path> TextsOf(const Descriptor& type) {
  std::vector<Path> texts;
  FindTexts(type, {}, texts);
  return texts;
}

std::string NameOf(const Path& path) {
  return absl::StrJoin(path, ".", [](std::string* to, const auto* field) {
    absl::StrAppend(to, field->name());
  });
}

// In the first of each list on the way, which it adds if there is none.
void SetText(Message& message, const Path& path, const std::string& text) {
  Message* at = &message;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    const auto* reflection = at->GetReflection();
    if (!path[i]->is_repeated()) {
      at = reflection->MutableMessage(at, path[i]);
    } else if (reflection->FieldSize(*at, path[i]) == 0) {
      at = reflection->AddMessage(at, path[i]);
    } else {
      at = reflection->MutableRepeatedMessage(at, path[i], 0);
    }
  }
  if (path.back()->is_repeated()) {
    at->GetReflection()->AddString(at, path.back(), text);
  } else {
    at->GetReflection()->SetString(at, path.back(), text);
  }
}

struct Hostile {
  const char* name;
  std::string text;
};

const std::vector<Hostile>& SmallTexts() {
  static const auto& texts = *new std::vector<Hostile>{
      {"escapes", "\x1b]0;title\x07\x1b[2J\u009b2J"},
      {"line breaks", "a\nforged: line\r\n\u2028\u0085\u202e"},
      {"no UTF-8", "\xff\xfe\xc0\x80\xed\xa0\x80"}};
  return texts;
}

Hostile Huge() {
  std::string text;
  while (text.size() < (3u << 20)) text += "\x1b[31mhuge\r\n\u202e";
  return {"3 MB", std::move(text)};
}

std::vector<Hostile> AllTexts() {
  std::vector<Hostile> all = SmallTexts();
  all.push_back(Huge());
  return all;
}

// One line.
void ExpectHarmless(const std::string& text, size_t most_bytes) {
  EXPECT_LE(text.size(), most_bytes);
  const std::string head = text.substr(0, most_bytes);
  EXPECT_EQ(Printable(head, kWholeText), head);
}

// --- A client's texts
// ----------------------------------------------------------

class OutsideTextTest : public testing::Test {
 protected:
  static BusOptions Options(OutsideTextTest* test) {
    BusOptions options;
    options.log_limits.interval = absl::ZeroDuration();
    options.log = [test](absl::string_view line) {
      absl::MutexLock lock(&test->mutex_);
      test->lines_.emplace_back(line);
    };
    return options;
  }

  grpc::Status Call(const MethodDescriptor& method, const Message& request) {
    grpc::Slice slice(request.SerializeAsString());
    const grpc::ByteBuffer bytes(&slice, 1);
    grpc::ByteBuffer answer;
    grpc::ClientContext context;
    grpc::Status status;
    absl::Notification done;
    stub_.UnaryCall(
        &context,
        absl::StrCat("/", method.service()->full_name(), "/", method.name()),
        grpc::StubOptions(), &bytes, &answer, [&](grpc::Status s) {
          status = std::move(s);
          done.Notify();
        });
    done.WaitForNotification();
    return status;
  }

  static void ExpectHarmlessStatus(const grpc::Status& status) {
    ExpectHarmless(status.error_message(), 2 * kMaxTextBytes);
    v1::StatusDetails details;
    if (!details.ParseFromString(status.error_details())) return;
    ExpectHarmless(details.message(), 2 * kMaxTextBytes);
    for (const auto& any : details.details()) {
      v1::ErrorInfo info;
      ASSERT_TRUE(info.ParseFromString(any.value()));
      for (const auto& [key, value] : info.metadata()) {
        ExpectHarmless(value, 2 * kMaxTextBytes);
      }
    }
  }

  void ExpectHarmlessLog() {
    StateOf(*running_.bus)->log().Flush(absl::InfiniteDuration());
    absl::MutexLock lock(&mutex_);
    for (const std::string& line : lines_) {
      ExpectHarmless(line, internal::BusLog::kMaxLineBytes);
    }
    lines_.clear();
  }

  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
  RunningBus running_{{}, Options(this)};
  grpc::GenericStub stub_{grpc::CreateChannel(
      running_.control->address(), grpc::InsecureChannelCredentials())};
};

TEST_F(OutsideTextTest, P14_EveryTextOfARequestIsHarmless) {
  const auto& file = *v1::Actor::descriptor()->file();
  int cases = 0;
  for (int s = 0; s < file.service_count(); ++s) {
    for (int m = 0; m < file.service(s)->method_count(); ++m) {
      const MethodDescriptor& method = *file.service(s)->method(m);
      for (const Path& path : TextsOf(*method.input_type())) {
        for (const Hostile& hostile : AllTexts()) {
          SCOPED_TRACE(absl::StrCat(method.full_name(), ", ", NameOf(path),
                                    ": ", hostile.name));
          if (!running_.bus->Find<Counter>("a").ok()) running_.Spawn("a");
          // Good but for this field.
          std::unique_ptr<Message> request(
              google::protobuf::MessageFactory::generated_factory()
                  ->GetPrototype(method.input_type())
                  ->New());
          for (const Path& other : TextsOf(*method.input_type())) {
            const std::string& name = other.back()->name();
            if (name == "name" || name == "actor") {
              SetText(*request, other, "a");
            } else if (name == "type_url") {
              SetText(*request, other, "type.googleapis.com/trolley.test.Add");
            }
          }
          SetText(*request, path, hostile.text);
          ExpectHarmlessStatus(Call(method, *request));
          ++cases;
        }
      }
    }
  }
  EXPECT_GE(cases, 4 * 14);
  ExpectHarmlessLog();
}

TEST_F(OutsideTextTest, P14_WhatAHandlerSaysIsHarmless) {
  running_.Spawn("a");
  const auto* method = v1::Actor::descriptor()
                           ->file()
                           ->FindServiceByName("Messenger")
                           ->FindMethodByName("AskActor");
  for (const Hostile& hostile : AllTexts()) {
    SCOPED_TRACE(hostile.name);
    Fail fail;
    fail.set_code(9);
    fail.set_text(hostile.text);
    v1::AskActorRequest request;
    request.set_actor("a");
    request.mutable_envelope()->mutable_payload()->PackFrom(fail);
    const grpc::Status status = Call(*method, request);
    EXPECT_FALSE(status.ok());
    ExpectHarmlessStatus(status);
  }
  ExpectHarmlessLog();
}

TEST_F(OutsideTextTest, WhatLibprotobufSaysOfAClientIsInTheLogOrNowhere) {
  running_.Spawn("a");
  const auto& file = *v1::Actor::descriptor()->file();
  Fail fail;
  fail.set_code(9);
  std::string no_utf8 = fail.SerializeAsString() + "\x12\x01\xff";
  v1::AskActorRequest payload;
  payload.set_actor("a");
  payload.mutable_envelope()->mutable_payload()->PackFrom(fail);
  payload.mutable_envelope()->mutable_payload()->set_value(no_utf8);
  testing::internal::CaptureStderr();
  EXPECT_FALSE(
      Call(*file.FindServiceByName("Messenger")->FindMethodByName("AskActor"),
           payload)
          .ok());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  StateOf(*running_.bus)->log().Flush(absl::InfiniteDuration());
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(lines_, testing::Contains(AllOf(HasSubstr("libprotobuf: "),
                                              HasSubstr("test.Fail"))));
}

// --- A service's texts
// ---------------------------------------------------------

// Answers every call with what the test has put there.
class HostileService final : public v1::Inspector::Service,
                             public v1::Messenger::Service,
                             public v1::Controller::Service {
 public:
  std::function<void(Message&)> fill = [](Message&) {};
  grpc::Status status;

  grpc::Status GetServerInfo(grpc::ServerContext*,
                             const v1::GetServerInfoRequest*,
                             v1::ServerInfo* to) override {
    return Answer(*to);
  }
  grpc::Status ListActors(grpc::ServerContext*, const v1::ListActorsRequest*,
                          v1::ListActorsResponse* to) override {
    return Answer(*to);
  }
  grpc::Status GetActor(grpc::ServerContext*, const v1::GetActorRequest*,
                        v1::Actor* to) override {
    return Answer(*to);
  }
  grpc::Status ListChildren(grpc::ServerContext*,
                            const v1::ListChildrenRequest*,
                            v1::ListChildrenResponse* to) override {
    return Answer(*to);
  }
  grpc::Status ListLoops(grpc::ServerContext*, const v1::ListLoopsRequest*,
                         v1::ListLoopsResponse* to) override {
    return Answer(*to);
  }
  grpc::Status SendMessage(grpc::ServerContext*, const v1::SendMessageRequest*,
                           v1::SendMessageResponse* to) override {
    return Answer(*to);
  }
  grpc::Status AskActor(grpc::ServerContext*, const v1::AskActorRequest*,
                        v1::AskActorResponse* to) override {
    return Answer(*to);
  }
  grpc::Status StopActor(grpc::ServerContext*, const v1::StopActorRequest*,
                         v1::Actor* to) override {
    return Answer(*to);
  }

 private:
  grpc::Status Answer(Message& to) {
    if (!status.ok()) return status;
    fill(to);
    return grpc::Status::OK;
  }
};

class HostileServiceTest : public testing::Test {
 protected:
  HostileServiceTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    builder.RegisterService(static_cast<v1::Inspector::Service*>(&service_));
    builder.RegisterService(static_cast<v1::Messenger::Service*>(&service_));
    builder.RegisterService(static_cast<v1::Controller::Service*>(&service_));
    server_ = builder.BuildAndStart();
  }
  ~HostileServiceTest() override { server_->Shutdown(); }

  // `whole`: all of what the service said is shown, as JSON.
  void ExpectHarmlessOutput(const std::vector<std::string>& command) {
    SCOPED_TRACE(absl::StrJoin(command, " "));
    const Result r = RunTrolley(command, "", {"TROLLEY_ADDRESS=" + address_});
    const bool whole = command.back() == "json" || command.back() == "jsonl";
    for (const std::string& said : {r.out, r.err}) {
      if (!whole || &said == &r.err) {
        EXPECT_LE(said.size(), 64u << 10);
      }
      for (absl::string_view line : absl::StrSplit(said, '\n')) {
        const std::string shown = Printable(line, kWholeText);
        if (shown == line) continue;
        ADD_FAILURE() << "not printable: " << shown.substr(0, 200);
        break;
      }
    }
  }

  const SocketFolder folder_;
  const std::string address_ = "unix:" + folder_.path();
  HostileService service_;
  std::unique_ptr<grpc::Server> server_;
};

// The token of the next page is handed back and shown nowhere; with one there
// is always another page.
bool IsShown(const Path& path) {
  return path.back()->name() != "next_page_token";
}

const std::map<std::string, std::vector<std::vector<std::string>>>&
CommandsThatShow() {
  using Commands = std::vector<std::vector<std::string>>;
  static const auto& commands = *new std::map<std::string, Commands>{
      {"ServerInfo", {{"info"}}},
      {"ListLoopsResponse", {{"info"}}},
      {"ListChildrenResponse", {{"tree"}, {"tree", "a"}}},
      {"ListActorsResponse", {{"ps"}}},
      {"Actor", {{"info", "a"}, {"stop", "a"}, {"ask", "a", "Add"}}},
      {"SendMessageResponse", {{"send", "a", "x.Y"}}},
      {"AskActorResponse", {{"ask", "a", "x.Y"}}},
  };
  return commands;
}

TEST_F(HostileServiceTest, P14_EveryTextOfAServiceIsHarmlessOnATerminal) {
  for (const Hostile& hostile : SmallTexts()) {
    SCOPED_TRACE(hostile.name);
    service_.fill = [&](Message& to) {
      for (const Path& path : TextsOf(*to.GetDescriptor())) {
        if (IsShown(path)) SetText(to, path, hostile.text);
      }
    };
    for (const auto& [type, commands] : CommandsThatShow()) {
      for (std::vector<std::string> command : commands) {
        ExpectHarmlessOutput(command);
        for (const char* form : {"json", "name"}) {
          std::vector<std::string> formed = command;
          formed.insert(formed.end(), {"-o", form});
          ExpectHarmlessOutput(formed);
        }
      }
    }
  }
}

TEST_F(HostileServiceTest, P14_ThreeMegabytesOfAServiceAreCutOnATerminal) {
  const Hostile huge = Huge();
  const auto& file = *v1::Actor::descriptor()->file();
  for (int s = 0; s < file.service_count(); ++s) {
    for (int m = 0; m < file.service(s)->method_count(); ++m) {
      const Descriptor& type = *file.service(s)->method(m)->output_type();
      // A new answer needs a command here.
      ASSERT_EQ(CommandsThatShow().count(type.name()), 1u) << type.name();
      for (const Path& path : TextsOf(type)) {
        if (!IsShown(path)) continue;
        SCOPED_TRACE(absl::StrCat(type.name(), ".", NameOf(path)));
        service_.fill = [&](Message& to) {
          if (to.GetDescriptor() == &type) SetText(to, path, huge.text);
        };
        ExpectHarmlessOutput(CommandsThatShow().at(type.name())[0]);
      }
    }
  }
}

TEST_F(HostileServiceTest, P14_EveryTextOfAnErrorIsHarmlessOnATerminal) {
  std::vector<Hostile> texts = SmallTexts();
  // As much as gRPC takes.
  texts.push_back({"1 KB", Huge().text.substr(0, 1024)});
  for (const Hostile& hostile : texts) {
    SCOPED_TRACE(hostile.name);
    for (const char* reason : {"", "MAILBOX_FULL", "MESSAGE_TYPE_REJECTED"}) {
      v1::ErrorInfo info;
      for (const Path& path : TextsOf(*v1::ErrorInfo::descriptor())) {
        if (path.size() == 1) SetText(info, path, hostile.text);
      }
      (*info.mutable_metadata())["actor"] = hostile.text;
      if (*reason != '\0') info.set_reason(reason);
      v1::StatusDetails details;
      details.set_message(hostile.text);
      details.add_details()->set_value(info.SerializeAsString());
      service_.status = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                                     hostile.text, details.SerializeAsString());
      for (const std::vector<std::string>& command :
           {std::vector<std::string>{"ps"},
            {"info"},
            {"tree"},
            {"stop", "a"}}) {
        ExpectHarmlessOutput(command);
      }
    }
  }
}

}  // namespace
}  // namespace trolley::test
