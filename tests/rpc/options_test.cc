// SPDX-License-Identifier: Apache-2.0
//
// The options of services and stubs, and all their lengths of time, at their
// extremes.

#include <grpc/support/time.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "trolley/actors/link/remote.h"
#include "trolley/actors/rpc/actor_service.h"
#include "trolley/actors/rpc/grpc_stub.h"
#include "trolley/actors/rpc/internal/call_context.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/poller/extreme_durations.h"
#include "trolley/tests/rpc/served.h"

namespace trolley::rpc_test {
namespace {

// A unary call and one of each stream. RESOURCE_EXHAUSTED is what a small limit
// is for, and DEADLINE_EXCEEDED what a short time is.
bool IsAsAsked(const grpc::Status& status) {
  return status.ok() ||
         status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED ||
         status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED ||
         status.error_code() == grpc::StatusCode::CANCELLED;
}

absl::Status UseService(const ActorServiceOptions& options) {
  const absl::Status valid = ValidateActorServiceOptions(options);
  auto bus = *Bus::Create({});
  const auto account = *bus->Spawn<Account>({.name = "account"});
  const auto service = ActorService::Create(*bus, kBank, "account", options);
  EXPECT_EQ(service.status(), valid);
  if (!service.ok()) return service.status();
  std::string address;
  const auto server = Serve(**service, &address);
  auto stub = Bank::NewStub(Dial(address));
  {
    grpc::ClientContext context;
    Balance balance;
    const grpc::Status status =
        stub->GetBalance(&context, GetBalanceRequest(), &balance);
    EXPECT_TRUE(IsAsAsked(status)) << status.error_message();
  }
  {
    grpc::ClientContext context;
    auto chat = stub->Chat(&context);
    Line line;
    line.set_text("hello");
    chat->Write(line);
    chat->Read(&line);
    chat->WritesDone();
    const grpc::Status status = chat->Finish();
    EXPECT_TRUE(IsAsAsked(status)) << status.error_message();
  }
  {
    grpc::ClientContext context;
    ListEntriesRequest request;
    request.set_count(100);
    auto list = stub->ListEntries(&context, request);
    Entry entry;
    while (list->Read(&entry)) {
    }
    const grpc::Status status = list->Finish();
    EXPECT_TRUE(IsAsAsked(status)) << status.error_message();
  }
  server->Shutdown();
  return absl::OkStatus();
}

absl::Status UseStub(const GrpcStubOptions& options) {
  Served served;
  const auto stub = *served.bus->Spawn<GrpcStub>({}, *served.bus,
                                                 Dial(served.address), options);
  using Part = Protocol<Balance(GetBalanceRequest), DepositRequest>;
  const Ref<Part> bank =
      *served.bus->Spawn<Remote<Part>>({}, Ref<Link>(stub), kBank);
  const absl::Status told =
      bank.AskAndWait(DepositRequest(), absl::InfiniteDuration());
  if (absl::IsResourceExhausted(told) || absl::IsDeadlineExceeded(told)) {
    return absl::OkStatus();
  }
  return told;
}

TEST(RpcOptionsTest, EveryNumberOfAService) {
  AtExtremes<ActorServiceOptions>(
      [](ActorServiceOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, max_calls, max_streams, max_message_bytes,
                       default_deadline, longest_deadline, longest_stream,
                       stream_messages, stream_bytes, stream_patience);
      },
      &UseService);
}

TEST(RpcOptionsTest, EveryNumberOfAStub) {
  AtExtremes<GrpcStubOptions>(
      [](GrpcStubOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, max_calls, max_message_bytes,
                       default_deadline);
      },
      &UseStub);
}

// Below 1 ms it is refused, with its name. Else it works.
template <typename Options, typename Use>
void Expect(absl::Duration value, const std::string& field,
            absl::Duration Options::*member, Use use) {
  Options options;
  options.*member = value;
  const absl::Status used = use(options);
  if (value >= absl::Milliseconds(1)) {
    EXPECT_TRUE(used.ok()) << used;
  } else {
    EXPECT_EQ(used.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(used.message(), field)) << used;
  }
}

TEST(RpcOptionsTest, P17_EveryTimeOfAService) {
  using O = ActorServiceOptions;
  ForEachExtreme(
      "actors/rpc/actor_service_options.h "
      "ActorServiceOptions::default_deadline",
      [](const Extreme& e) {
        Expect(e.value, "default_deadline", &O::default_deadline, &UseService);
      });
  ForEachExtreme(
      "actors/rpc/actor_service_options.h "
      "ActorServiceOptions::longest_deadline",
      [](const Extreme& e) {
        Expect(e.value, "longest_deadline", &O::longest_deadline, &UseService);
      });
  ForEachExtreme(
      "actors/rpc/actor_service_options.h ActorServiceOptions::longest_stream",
      [](const Extreme& e) {
        Expect(e.value, "longest_stream", &O::longest_stream, &UseService);
      });
  ForEachExtreme(
      "actors/rpc/actor_service_options.h "
      "ActorServiceOptions::stream_patience",
      [](const Extreme& e) {
        Expect(e.value, "stream_patience", &O::stream_patience, &UseService);
      });
}

TEST(RpcOptionsTest, P17_EveryTimeOfAStub) {
  ForEachExtreme(
      "actors/rpc/grpc_stub_options.h GrpcStubOptions::default_deadline",
      [](const Extreme& e) {
        Expect(e.value, "default_deadline", &GrpcStubOptions::default_deadline,
               &UseStub);
      });
}

TEST(RpcOptionsTest, P17_ADeadlineForGrpc) {
  ForEachExtreme(
      "actors/rpc/internal/call_context.h GrpcDeadline(left)",
      [](const Extreme& e) {
        const gpr_timespec deadline = internal::GrpcDeadline(e.value);
        EXPECT_EQ(deadline.clock_type, GPR_CLOCK_MONOTONIC);
        const gpr_timespec now = gpr_now(GPR_CLOCK_MONOTONIC);
        if (e.soon()) {
          EXPECT_LE(gpr_time_cmp(deadline, now), 0);
        } else if (e.value == absl::InfiniteDuration()) {
          EXPECT_EQ(gpr_time_cmp(deadline, gpr_inf_future(GPR_CLOCK_MONOTONIC)),
                    0);
        } else {
          EXPECT_GT(deadline.tv_sec, now.tv_sec + int64_t{60} * 60 * 24 * 365);
        }
      });
}

}  // namespace
}  // namespace trolley::rpc_test
