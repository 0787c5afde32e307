// SPDX-License-Identifier: Apache-2.0

#include "tests/control/control_client.h"

#include <grpcpp/generic/generic_stub.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

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

Context::Context(absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return;
  context.set_deadline(std::chrono::system_clock::now() +
                       absl::ToChronoMilliseconds(timeout));
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
