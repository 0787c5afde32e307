// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/internal/waiting_values.h"

#include <stdexcept>

namespace trolley::internal {

void CheckIsFirstTake(bool is_first) {
  if (is_first) return;
  throw std::logic_error("Latest::Take() is called once for each message");
}

const void* ThisThread() {
  static thread_local const char here = 0;
  return &here;
}

}  // namespace trolley::internal
