// SPDX-License-Identifier: Apache-2.0
//
// PayloadLayout: where the parts of an envelope are, in bytes from its begin:
//
//   part          at
//   header        0
//   payload T     Begin<T>(): behind the header, aligned
//   its lease     Lease<T>(): behind the payload; only if the bytes of a T are
//                 counted (bus/message/message_bytes.h)
//   end           End<T>()
//
// Constants; any thread.

#ifndef TROLLEY_BUS_MESSAGE_PAYLOAD_LAYOUT_H_
#define TROLLEY_BUS_MESSAGE_PAYLOAD_LAYOUT_H_

#include <cstddef>

#include "trolley/bus/message/byte_budget.h"
#include "trolley/bus/message/message_bytes.h"

namespace trolley::internal {

struct PayloadLayout {
  static constexpr size_t kHeaderBytes = 56;
  static constexpr size_t kMaxAlignment = 16;

  template <typename T>
  static constexpr size_t Begin() {
    return AlignedFor<T>(kHeaderBytes);
  }
  template <typename T>
  static constexpr size_t Lease() {
    return AlignedFor<ByteLease>(Begin<T>() + sizeof(T));
  }
  template <typename T>
  static constexpr size_t End() {
    return kCountsBytes<T> ? Lease<T>() + sizeof(ByteLease)
                           : Begin<T>() + sizeof(T);
  }

 private:
  template <typename T>
  static constexpr size_t AlignedFor(size_t at) {
    return (at + alignof(T) - 1) / alignof(T) * alignof(T);
  }
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MESSAGE_PAYLOAD_LAYOUT_H_
