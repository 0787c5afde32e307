// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/signal.h"

int main() {
  trolley::Signal signal;
  signal.Notify();
}
