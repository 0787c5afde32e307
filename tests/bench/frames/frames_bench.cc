// SPDX-License-Identifier: Apache-2.0
//
// Frames between two processes: over our links, and over bare pipes and
// sockets.

#include "tests/bench/frames/carriers.h"
#include "trolley/tests/bench/lib/child.h"

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT
  if (IsChild(argc, argv)) {
    const Arguments arguments = ChildArguments(argc, argv);
    if (arguments[0] == "raw") return ServeRaw(arguments);
    return arguments[0] == "unix" ? ServeUnix(arguments) : ServePipe(arguments);
  }
  Bench bench;
  AddRawFrames(bench);
  AddUnixFrames(bench);
  AddPipeFrames(bench);
  return bench.Main(argc, argv);
}
