// SPDX-License-Identifier: Apache-2.0
//
// The table of actors/rpc/actor_service.h, row by row.

#include "trolley/actors/rpc/internal/call_error.h"

#include <string>

#include "gtest/gtest.h"
#include "trolley/actors/rpc/internal/served_actor.h"
#include "trolley/poller/printable.h"
#include "trolley/tests/control/control_client.h"

namespace trolley::internal {
namespace {

using test::Outcome;

const std::string& Long() {
  static const auto& text = *new std::string(1 << 20, '\x1b');
  return text;
}

struct CallErrorTest : ::testing::Test {
  std::unique_ptr<Bus> bus = *Bus::Create({});
  ServedActor served{*bus, "account", {}, {}};
};

TEST_F(CallErrorTest, WhatWasNotSent) {
  const struct {
    absl::Status error;
    const char* outcome;
  } rows[] = {
      {absl::InvalidArgumentError(Long()), "INVALID_ARGUMENT BAD_PAYLOAD"},
      {absl::ResourceExhaustedError(Long()), "EXHAUSTED MAILBOX_FULL"},
      {absl::NotFoundError(Long()), "UNAVAILABLE ACTOR_NOT_FOUND"},
      {absl::UnavailableError(Long()), "UNAVAILABLE DRAINING"},
      {absl::InternalError(Long()), "UNAVAILABLE DRAINING"},
  };
  for (const auto& row : rows) {
    const grpc::Status status = NotSent(row.error, served);
    EXPECT_EQ(Outcome(status), row.outcome);
    // gRPC's clients take 8 KiB of a status.
    EXPECT_LT(status.error_message().size() + status.error_details().size(),
              6u << 10);
  }
  bus->Shutdown(absl::ZeroDuration());
  EXPECT_EQ(Outcome(NotSent(absl::NotFoundError("it has ended"), served)),
            "UNAVAILABLE DRAINING");
}

TEST_F(CallErrorTest, WhatWasNotAnswered) {
  const struct {
    NoAnswer why;
    const char* outcome;
  } rows[] = {
      {NoAnswer::kExpired, "DEADLINE ASK_TIMEOUT"},
      {NoAnswer::kGone, "UNAVAILABLE ACTOR_STOPPED_DURING_ASK"},
      {NoAnswer::kNone, "INTERNAL"},
  };
  for (const auto& row : rows) {
    const grpc::Status status =
        NotAnswered(absl::InternalError(Long()), row.why, served);
    EXPECT_EQ(Outcome(status), row.outcome);
    EXPECT_LT(status.error_message().size() + status.error_details().size(),
              6u << 10);
  }
  bus->Shutdown(absl::ZeroDuration());
  EXPECT_EQ(
      Outcome(NotAnswered(absl::NotFoundError(""), NoAnswer::kGone, served)),
      "UNAVAILABLE DRAINING");
}

TEST_F(CallErrorTest, WhatTheServiceRefuses) {
  EXPECT_EQ(Outcome(TooLong("request", 1 << 30, served)),
            "EXHAUSTED PAYLOAD_TOO_LARGE");
  EXPECT_EQ(Outcome(TooManyCalls(served)), "EXHAUSTED TOO_MANY_CALLS");
  EXPECT_EQ(Outcome(TooManyStreams(served)), "EXHAUSTED TOO_MANY_CALLS");
  EXPECT_EQ(Outcome(Late(served)), "DEADLINE ASK_TIMEOUT");
  EXPECT_EQ(Outcome(WrongActor("a.B", served)),
            "UNIMPLEMENTED MESSAGE_TYPE_REJECTED");
  EXPECT_EQ(Outcome(WrongReply("", served)), "INTERNAL HANDLER_FAILED");
  EXPECT_EQ(Outcome(WrongReply("a.B", served)), "INTERNAL HANDLER_FAILED");
}

TEST_F(CallErrorTest, P14_WhatAHandlerReturns) {
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status status =
        OfHandler(absl::Status(static_cast<absl::StatusCode>(code), Long()));
    EXPECT_EQ(status.error_code(), code);
    EXPECT_EQ(status.error_message(), Printable(Long()));
    EXPECT_EQ(status.error_details(), "");
  }
  EXPECT_EQ(OfHandler(absl::Status(static_cast<absl::StatusCode>(4711), ""))
                .error_code(),
            grpc::StatusCode::UNKNOWN);
}

}  // namespace
}  // namespace trolley::internal
