// SPDX-License-Identifier: Apache-2.0
//
// Helps the fuzzer past the checksum of frame headers, which it would guess
// once in 2^32 tries. After every second mutation it corrects the checksums of
// the frames that it can find.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "trolley/proto/crc32c.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/hello.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                          size_t most, unsigned int seed) {
  using trolley::wire::Crc32c;
  using trolley::wire::kFrameHeaderBytes;
  using trolley::wire::kHelloBytes;
  size = LLVMFuzzerMutate(data, size, most);
  if (seed % 2 == 0) return size;
  char* const bytes = reinterpret_cast<char*>(data);
  for (size_t at = kHelloBytes; at + kFrameHeaderBytes <= size;) {
    char* const header = bytes + at;
    const uint32_t crc = Crc32c(std::string_view(header, 20));
    for (int i = 0; i < 4; ++i) {
      header[20 + i] = static_cast<char>(crc >> (8 * i));
    }
    uint32_t length = 0;
    std::memcpy(&length, header, sizeof(length));
    at += kFrameHeaderBytes + size_t{length};
  }
  return size;
}
