// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/crc32c.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace trolley::wire {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;

// kTables[0] advances the checksum by one byte. kTables[k] advances it by one
// byte and k zero bytes. So four look-ups advance it by four bytes at once.
using Tables = std::array<std::array<uint32_t, 256>, 4>;

constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    }
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

uint8_t ByteAt(std::string_view bytes, size_t i) {
  return static_cast<uint8_t>(bytes[i]);
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t Crc32cSse42(std::string_view bytes,
                                                       uint32_t previous) {
  uint64_t crc = ~previous;
  while (bytes.size() >= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof(word));
    crc = _mm_crc32_u64(crc, word);
    bytes.remove_prefix(sizeof(word));
  }
  uint32_t tail = static_cast<uint32_t>(crc);
  if (bytes.size() >= sizeof(uint32_t)) {
    uint32_t word;
    std::memcpy(&word, bytes.data(), sizeof(word));
    tail = _mm_crc32_u32(tail, word);
    bytes.remove_prefix(sizeof(word));
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    tail = _mm_crc32_u8(tail, ByteAt(bytes, i));
  }
  return ~tail;
}
#endif

}  // namespace

namespace internal {

uint32_t Crc32cPortable(std::string_view bytes, uint32_t previous) {
  uint32_t crc = ~previous;
  while (bytes.size() >= 4) {
    const uint32_t a = (crc & 0xFF) ^ ByteAt(bytes, 0);
    const uint32_t b = ((crc >> 8) & 0xFF) ^ ByteAt(bytes, 1);
    const uint32_t c = ((crc >> 16) & 0xFF) ^ ByteAt(bytes, 2);
    const uint32_t d = (crc >> 24) ^ ByteAt(bytes, 3);
    crc = kTables[3][a] ^ kTables[2][b] ^ kTables[1][c] ^ kTables[0][d];
    bytes.remove_prefix(4);
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    crc = (crc >> 8) ^ kTables[0][(crc & 0xFF) ^ ByteAt(bytes, i)];
  }
  return ~crc;
}

}  // namespace internal

uint32_t Crc32c(std::string_view bytes, uint32_t previous) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return Crc32cSse42(bytes, previous);
#endif
  return internal::Crc32cPortable(bytes, previous);
}

}  // namespace trolley::wire
