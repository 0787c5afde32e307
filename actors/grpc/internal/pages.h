// SPDX-License-Identifier: Apache-2.0
//
// Pages: what the methods that list page by page have in common: the size of a
// page, and the token that says where the next one begins.
//
// Functions without state; thread-safe.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_PAGES_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_PAGES_H_

#include <grpcpp/support/status.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace trolley::internal {

// The bytes of a response without its entries, and of an entry beside its own.
inline constexpr size_t kBytesAroundPage = 512;
inline constexpr size_t kBytesAroundEntry = 8;

// OK, or BAD_REQUEST: it is negative.
grpc::Status CheckPageSize(int32_t page_size);
// The most entries of a page, 1 to 1000; 50 if `page_size` is 0.
uint32_t PageSizeOf(int32_t page_size);

// `plain` with a checksum, so that a token that was cut or changed is refused.
std::string PageToken(const std::string& plain);
// What PageToken() was given. Nullopt: it has not made this token.
std::optional<std::string> ReadPageToken(const std::string& token);
// BAD_REQUEST.
grpc::Status NoPageToken();

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_PAGES_H_
