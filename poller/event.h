// SPDX-License-Identifier: Apache-2.0
//
// The words a loop and a poller exchange: Token (who), Interest (what for),
// Trigger (how often) and Event (what happened). Value types, any thread.

#ifndef TROLLEY_POLLER_EVENT_H_
#define TROLLEY_POLLER_EVENT_H_

#include <cstdint>

#include "trolley/poller/cxx20.h"

namespace trolley {

// Names a registration without naming its descriptor, so that an event already
// copied out of the kernel cannot reach the next owner of a descriptor number.
// The loop hands tokens out; `generation` changes each time `slot` is reused.
struct Token {
  // Never handed out: pollers mark descriptors of their own with it.
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
  kHangup = 4,    // the peer is gone for good; comes with kReadable
  kError = 8,     // the descriptor is in error; comes with both of the above
  // The peer will send no more (half-close); comes with kReadable, to who asked
  // for that, from pollers that have `rdhup`. The others say kReadable.
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
  kLevel,    // on every wait while it lasts; every poller has it
  kEdge,     // once for each change; needs `edge`. Read or write until EAGAIN
  kOneshot,  // once, then silent until Modify; needs `oneshot`
};

// What a registration waits for: kReadable, kWritable, both or kNone. Hangup
// and error are reported with either, together with the bits that come with
// them, asked for or not; with kNone nothing is reported at all.
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
