// SPDX-License-Identifier: Apache-2.0
//
// PayloadOwner: sees to it that the payload of an envelope is destroyed once,
// whether its handler returns or throws. MoveOut(): takes a reply out of it.
//
// Ownership: does not own the envelope. Inside actors/ only.
// Threads:   the envelope's owner.
// Ends:      Drop(), Release(), or the destructor.

#ifndef TROLLEY_ACTORS_PAYLOAD_OWNER_H_
#define TROLLEY_ACTORS_PAYLOAD_OWNER_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/bus/envelope.h"

namespace trolley::internal {

template <typename T>
void DropAs(Envelope* e) {
  e->payload<T>().~T();
}

// Drops a payload at the latest when it goes itself. (absl::Cleanup would do,
// but GCC 12 takes it for uninitialized when it builds for the sanitizers.)
template <typename T>
class PayloadOwner {
 public:
  explicit PayloadOwner(Envelope* e) : envelope_(e) {}
  PayloadOwner(const PayloadOwner&) = delete;
  PayloadOwner& operator=(const PayloadOwner&) = delete;
  ~PayloadOwner() { Drop(); }
  void Drop() {
    if (envelope_ != nullptr) DropAs<T>(std::exchange(envelope_, nullptr));
  }
  void Release() { envelope_ = nullptr; }

 private:
  Envelope* envelope_;
};

// Moves a reply out by its content, which may throw: absl::StatusOr itself must
// not, and ends the process if its content does.
template <typename T>
absl::StatusOr<T> MoveOut(absl::StatusOr<T>& reply) {
  if (!reply.ok()) return std::move(reply).status();
  return absl::StatusOr<T>(*std::move(reply));
}
inline absl::Status MoveOut(absl::Status& reply) { return std::move(reply); }

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PAYLOAD_OWNER_H_
