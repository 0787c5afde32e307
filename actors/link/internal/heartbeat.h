// SPDX-License-Identifier: Apache-2.0
//
// Heartbeat: decides at each beat of a link whether to ask the peer for a sign
// of life, and whether to give it up (LinkOptions::heartbeat).
//
//   since the last beat              at this beat
//   bytes came                       nothing
//   this side did not read           nothing
//   no byte, once                    ask: send a PING
//   no byte, kSilentHeartbeats       give up
//     times in a row
//
// It counts beats, not time. When this process itself was stopped, bytes of the
// peer wait to be read, and the timer comes before them: that is one beat.
//
// Ownership: a member of a connection. Threads: loop thread only.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_HEARTBEAT_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_HEARTBEAT_H_

#include <cstdint>

#include "trolley/actors/link/link_options.h"

namespace trolley::internal {

class Heartbeat {
 public:
  enum class Verdict : uint8_t { kNothing, kAsk, kGiveUp };

  // This side begins to wait for bytes, or ends that wait.
  void SetReading(bool reading) { reading_ = reading; }
  // Bytes came from the peer.
  void Heard() { heard_ = true; }

  Verdict Beat() {
    // mutant: P15_APeerThatIsAliveIsTakenForSilent
    if (heard_) silent_ = -1;
    // mutant: P15_WhatIsNotReadIsTakenForSilence
    if (!reading_) silent_ = -1;
    heard_ = false;
    ++silent_;
    if (silent_ == 0) return Verdict::kNothing;
    // mutant: P15_ASilentPeerIsKept
    if (silent_ >= LinkOptions::kSilentHeartbeats) return Verdict::kGiveUp;
    return Verdict::kAsk;
  }

 private:
  bool reading_ = false;
  bool heard_ = true;
  int silent_ = 0;  // beats in a row without a byte
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_HEARTBEAT_H_
