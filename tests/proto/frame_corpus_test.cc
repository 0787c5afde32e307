// SPDX-License-Identifier: Apache-2.0
//
// Runs the fuzz target on corpus/ (inputs that the fuzzer found and we kept)
// and on every hostile stream. The target aborts on a failure. An input that
// once broke the decoder is added to corpus/ and stays there.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"
#include "trolley/tests/proto/hostile_streams.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace trolley::wire {
namespace {

void Replay(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()),
                         bytes.size());
}

TEST(FrameCorpusTest, P14_EveryKeptInputIsHandled) {
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("tests/proto/corpus")) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    SCOPED_TRACE(entry.path().string());
    Replay(bytes);
    ++files;
  }
  EXPECT_GE(files, 50u) << "the corpus is not where this test looks for it";
}

TEST(FrameCorpusTest, P14_EveryHostileStreamIsHandled) {
  for (const HostileStream& stream : HostileStreams()) {
    SCOPED_TRACE(stream.name);
    Replay(stream.bytes);
  }
}

}  // namespace
}  // namespace trolley::wire
