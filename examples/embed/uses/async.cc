// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/async_condition.h"
#include "trolley/actors/async_mutex.h"

int main() {
  trolley::AsyncCondition condition;
  condition.Notify();
  trolley::AsyncMutex mutex;
  return mutex.idle() ? 0 : 1;
}
