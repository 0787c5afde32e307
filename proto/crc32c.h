// SPDX-License-Identifier: Apache-2.0
//
// Crc32c: the Castagnoli checksum (reflected polynomial 0x82F63B78) of frame
// headers and payloads. It finds every error of up to 5 bits in a 20-byte
// header and every burst of up to 32 bits. It does not protect against an
// attacker.
//
// Threads:   any thread; no state.
// Bounds:    none on the input.

#ifndef TROLLEY_PROTO_CRC32C_H_
#define TROLLEY_PROTO_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace trolley::wire {

// The checksum of `bytes`: 0xE3069283 for "123456789", 0 for "". To continue a
// checksum, pass the checksum of the bytes before:
//
//   Crc32c(b, Crc32c(a)) == Crc32c(a + b)
uint32_t Crc32c(std::string_view bytes, uint32_t previous = 0);

namespace internal {
// The same without special instructions of the processor; for tests.
uint32_t Crc32cPortable(std::string_view bytes, uint32_t previous = 0);
}  // namespace internal

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_CRC32C_H_
