// SPDX-License-Identifier: Apache-2.0
//
// Writes each hostile stream to a file of its own, as a seed for the fuzzer:
//
//   bazel run //tests/proto:make_seeds -- DIRECTORY

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "trolley/tests/proto/hostile_streams.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_seeds DIRECTORY\n");
    return 2;
  }
  std::filesystem::create_directories(argv[1]);
  for (const auto& stream : trolley::wire::HostileStreams()) {
    std::ofstream out(std::filesystem::path(argv[1]) / stream.name,
                      std::ios::binary);
    out << stream.bytes;
    if (!out.flush()) {
      std::fprintf(stderr, "make_seeds: cannot write %s/%s\n", argv[1],
                   stream.name.c_str());
      return 1;
    }
  }
  return 0;
}
