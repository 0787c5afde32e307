// SPDX-License-Identifier: Apache-2.0

#include "tests/control/control_client.h"

#include <grpc/support/time.h>
#include <grpcpp/generic/generic_stub.h>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/control/control_test.pb.h"

namespace trolley::test {

namespace v1 = control::v1;

Client::Client(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  channel = grpc::CreateCustomChannel(
      address, grpc::InsecureChannelCredentials(), arguments);
  inspector = v1::Inspector::NewStub(channel);
  messenger = v1::Messenger::NewStub(channel);
  controller = v1::Controller::NewStub(channel);
}

void SetTimeout(grpc::ClientContext& context, absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return;
  gpr_timespec left = gpr_inf_past(GPR_TIMESPAN);
  if (timeout > -absl::Hours(24)) {
    const timespec length = absl::ToTimespec(timeout);
    left = {length.tv_sec, static_cast<int32_t>(length.tv_nsec), GPR_TIMESPAN};
  }
  context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), left));
}

Context::Context(absl::Duration timeout) { SetTimeout(context, timeout); }

bool Works(Client& client) {
  v1::ServerInfo server;
  Context context;
  return client.inspector->GetServerInfo(&context, {}, &server).ok();
}

void AwaitState(Client& client, const std::string& actor,
                v1::Actor::State state) {
  const auto look = [&] {
    v1::GetActorRequest request;
    request.set_name(actor);
    v1::Actor found;
    grpc::ClientContext context;
    const grpc::Status status =
        client.inspector->GetActor(&context, request, &found);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return found.state();
  };
  AskUntil(look, [&](v1::Actor::State now) { return now == state; });
}

OpenAsk::OpenAsk(Client& client, const std::string& actor,
                 absl::Duration timeout)
    : context(timeout) {
  request.set_actor(actor);
  Pack(Hold(), request.mutable_envelope());
  client.messenger->async()->AskActor(&context, &request, &response,
                                      [this](grpc::Status ended) {
                                        status = ended;
                                        done.Notify();
                                      });
}

grpc::Status CallMethod(Client& client, const std::string& method,
                        const std::string* request, std::string* response,
                        absl::Duration timeout) {
  grpc::GenericStub stub(client.channel);
  grpc::CompletionQueue queue;
  Context context(timeout);
  const auto await = [&queue] {
    void* tag;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(call.get());
  bool going = await();
  if (going && request != nullptr) {
    const grpc::Slice bytes(*request);
    call->WriteLast(grpc::ByteBuffer(&bytes, 1), grpc::WriteOptions(),
                    call.get());
  } else if (going) {
    call->WritesDone(call.get());
  }
  going = going && await();
  grpc::ByteBuffer reply;
  if (going) {
    call->Read(&reply, call.get());
    if (await() && response != nullptr) {
      grpc::Slice slice;
      EXPECT_TRUE(reply.DumpToSingleSlice(&slice).ok());
      response->assign(slice.begin(), slice.end());
    }
  }
  grpc::Status status;
  call->Finish(&status, call.get());
  await();
  queue.Shutdown();
  return status;
}

v1::ErrorInfo InfoOf(const grpc::Status& status) {
  v1::StatusDetails details;
  v1::ErrorInfo info;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), status.error_code());
  EXPECT_EQ(details.message(), status.error_message());
  EXPECT_EQ(details.details_size(), 1) << status.error_message();
  if (details.details_size() == 0) return info;
  EXPECT_EQ(details.details(0).type_url(),
            "type.googleapis.com/google.rpc.ErrorInfo");
  EXPECT_TRUE(info.ParseFromString(details.details(0).value()));
  EXPECT_EQ(info.domain(), "trolleybus");
  return info;
}

std::string Outcome(const grpc::Status& status) {
  if (status.ok()) return "OK";
  static constexpr const char* kCodes[] = {"OK",
                                           "CANCELLED",
                                           "UNKNOWN",
                                           "INVALID_ARGUMENT",
                                           "DEADLINE",
                                           "NOT_FOUND",
                                           "ALREADY_EXISTS",
                                           "PERMISSION_DENIED",
                                           "EXHAUSTED",
                                           "PRECONDITION",
                                           "ABORTED",
                                           "OUT_OF_RANGE",
                                           "UNIMPLEMENTED",
                                           "INTERNAL",
                                           "UNAVAILABLE",
                                           "DATA_LOSS",
                                           "UNAUTHENTICATED"};
  return absl::StrCat(
      kCodes[status.error_code()],
      status.error_details().empty() ? "" : " " + InfoOf(status).reason());
}

void Pack(const google::protobuf::Message& message, v1::Envelope* envelope) {
  envelope->mutable_payload()->PackFrom(message);
}

}  // namespace trolley::test
