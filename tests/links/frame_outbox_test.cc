// SPDX-License-Identifier: Apache-2.0
//
// The bytes of frames on their way to the kernel, without a kernel.

#include "trolley/actors/link/internal/frame_outbox.h"

#include <cstddef>
#include <string>

#include "gtest/gtest.h"

namespace trolley::internal {
namespace {

TEST(FrameOutboxTest, P15_AMessageIsTakenWithItsLastByte) {
  constexpr size_t kHeader = 24;
  for (const size_t payload : {size_t{100}, FrameOutbox::kLongPayload}) {
    SCOPED_TRACE(payload);
    FrameOutbox outbox;
    outbox.tail().append(std::string(kHeader, 'h'));
    outbox.Close(/*sequence=*/1, /*message=*/true, std::string(payload, 'p'));
    for (size_t byte = 1; byte < kHeader + payload; ++byte) {
      ASSERT_EQ(outbox.Take(1).messages, 0u) << byte;
      ASSERT_EQ(outbox.messages(), 1u) << byte;
    }
    const FrameOutbox::Taken last = outbox.Take(1);
    EXPECT_EQ(last.frames, 1u);
    EXPECT_EQ(last.messages, 1u);
    EXPECT_EQ(last.last_sequence, 1u);
    EXPECT_EQ(outbox.messages(), 0u);
    EXPECT_EQ(outbox.unwritten(), 0u);
  }
}

}  // namespace
}  // namespace trolley::internal
