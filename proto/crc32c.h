// SPDX-License-Identifier: Apache-2.0
//
// Crc32c: the Castagnoli checksum (reflected polynomial 0x82F63B78) of frame
// headers and payloads. Finds every error of up to 5 bits in a 20-byte header
// and every burst of up to 32 bits; it is no protection against an attacker.
//
// Any thread. No state, no bound on the input.

#ifndef TROLLEY_PROTO_CRC32C_H_
#define TROLLEY_PROTO_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace trolley::wire {

// The checksum of `bytes`; 0xE3069283 for "123456789", 0 for "". Pass the
// checksum of what came before to continue it:
//   Crc32c(b, Crc32c(a)) == Crc32c(a + b).
uint32_t Crc32c(std::string_view bytes, uint32_t previous = 0);

namespace internal {
// The same in portable code, whatever the processor can do; for tests.
uint32_t Crc32cPortable(std::string_view bytes, uint32_t previous = 0);
}  // namespace internal

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_CRC32C_H_
