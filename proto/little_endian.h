// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes integers of a fixed size in little-endian order, at any
// address. Internal to this folder.
//
// Any thread. The caller makes sure that there are sizeof(T) bytes.

#ifndef TROLLEY_PROTO_LITTLE_ENDIAN_H_
#define TROLLEY_PROTO_LITTLE_ENDIAN_H_

#include <concepts>
#include <cstddef>

namespace trolley::wire::internal {

// Writes sizeof(T) bytes.
template <std::unsigned_integral T>
void StoreLittleEndian(T value, char* out) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  }
}

// Reads sizeof(T) bytes.
template <std::unsigned_integral T>
T LoadLittleEndian(const char* in) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(
        value |
        static_cast<T>(T{static_cast<unsigned char>(in[i])} << (8 * i)));
  }
  return value;
}

}  // namespace trolley::wire::internal

#endif  // TROLLEY_PROTO_LITTLE_ENDIAN_H_
