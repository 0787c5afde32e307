// SPDX-License-Identifier: Apache-2.0
//
// The smallest program that uses Trolleybus from another workspace.

#include <iostream>

#include "absl/time/time.h"
#include "trolley/poller/poller.h"

int main() {
  const trolley::Instant start;
  const trolley::Instant later = start + absl::Milliseconds(250);
  std::cout << "hello, " << absl::FormatDuration(later - start) << " later\n";
}
