// SPDX-License-Identifier: Apache-2.0
//
// The values that a loop and a poller exchange:
//
//   Token     which registration
//   Interest  the conditions to wait for, and the Trigger: how often to report
//   Event     what happened to one registration
//
//   poller->Add(fd, {.slot = 3, .generation = 1},
//               {.ready = trolley::Ready::kReadable});
//   if (Any(event.ready & trolley::Ready::kHangup)) ...
//
// Value types; any thread.

#ifndef TROLLEY_POLLER_EVENT_H_
#define TROLLEY_POLLER_EVENT_H_

#include <cstdint>

#include "trolley/poller/cxx20.h"

namespace trolley {

// Identifies a registration independently of its descriptor number. The kernel
// reuses descriptor numbers; with a token, an old event cannot reach the new
// owner of a number. The loop chooses tokens and increments `generation` each
// time it reuses `slot`.
struct Token {
  // Reserved for pollers, which mark their own descriptors with it.
  static constexpr uint32_t kReservedSlot = 0xffff'ffff;

  uint32_t slot = 0;
  uint32_t generation = 0;

  constexpr uint64_t Pack() const {
    return (uint64_t{generation} << 32) | slot;
  }
  static constexpr Token Unpack(uint64_t packed) {
    return {.slot = static_cast<uint32_t>(packed),
            .generation = static_cast<uint32_t>(packed >> 32)};
  }
  friend constexpr bool operator==(Token, Token) = default;
};

// A set of conditions; combine with |.
enum class Ready : uint8_t {
  kNone = 0,
  kReadable = 1,  // a read would not block: data, end of file or an error
  kWritable = 2,  // a write would not block: room or an error
  kHangup = 4,    // the peer has closed; reported with kReadable
  kError = 8,     // an error; reported with kReadable and kWritable
  // The peer will send no more (half-close). Reported with kReadable, to
  // registrations that wait for kReadable, by pollers with `rdhup`. Other
  // pollers report kReadable alone.
  kReadHangup = 16,
};

constexpr Ready operator|(Ready a, Ready b) {
  return static_cast<Ready>(static_cast<uint8_t>(a) | static_cast<uint8_t>(b));
}
constexpr Ready operator&(Ready a, Ready b) {
  return static_cast<Ready>(static_cast<uint8_t>(a) & static_cast<uint8_t>(b));
}
constexpr bool Any(Ready r) { return r != Ready::kNone; }

// How often a condition that lasts is reported.
enum class Trigger : uint8_t {
  kLevel,    // by every Wait while it lasts; every poller has it
  kEdge,     // once for each change: read or write until EAGAIN; needs `edge`
  kOneshot,  // once, then not until Modify; needs `oneshot`
};

// What a registration waits for.
//
//   kReadable, kWritable or both  these conditions, and also hangup and error
//                                 with the bits that belong to them
//   kNone                         nothing is reported
struct Interest {
  Ready ready = Ready::kNone;
  Trigger trigger = Trigger::kLevel;

  friend constexpr bool operator==(Interest, Interest) = default;
};

struct Event {
  Token token;
  Ready ready = Ready::kNone;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_EVENT_H_
