// SPDX-License-Identifier: Apache-2.0
//
// PayloadGuard: destroys the payload of an envelope once, whether the handler
// returns or throws. MoveOut(): moves a reply out of an envelope.
//
// Ownership: owns the payload; borrows the envelope.
// Threads:   the thread that owns the envelope.
// Ends:      Drop() or the destructor destroys the payload. After Release() the
//            caller must do it.

#ifndef TROLLEY_ACTORS_INTERNAL_PAYLOAD_GUARD_H_
#define TROLLEY_ACTORS_INTERNAL_PAYLOAD_GUARD_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/bus/message/envelope.h"

namespace trolley::internal {

template <typename T>
void DropAs(Envelope* e) {
  e->Destroy<T>();
}

// (absl::Cleanup would do, but GCC 12 warns that it is uninitialized when it
// builds for the sanitizers.)
template <typename T>
class PayloadGuard {
 public:
  explicit PayloadGuard(Envelope* e) : envelope_(e) {}
  PayloadGuard(const PayloadGuard&) = delete;
  PayloadGuard& operator=(const PayloadGuard&) = delete;
  ~PayloadGuard() { Drop(); }
  void Drop() {
    if (envelope_ != nullptr) DropAs<T>(std::exchange(envelope_, nullptr));
  }
  void Release() { envelope_ = nullptr; }

 private:
  Envelope* envelope_;
};

// Moves the value of a reply, which may throw. A move of the absl::StatusOr
// itself would end the process if the value throws.
template <typename T>
absl::StatusOr<T> MoveOut(absl::StatusOr<T>& reply) {
  if (!reply.ok()) return std::move(reply).status();
  return absl::StatusOr<T>(*std::move(reply));
}
inline absl::Status MoveOut(absl::Status& reply) { return std::move(reply); }

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_PAYLOAD_GUARD_H_
