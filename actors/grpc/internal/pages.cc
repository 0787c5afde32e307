// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/pages.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/grpc/internal/control_error.h"
#include "trolley/proto/crc32c.h"

namespace trolley::internal {
namespace {

constexpr int32_t kDefaultPage = 50;
constexpr int32_t kLargestPage = 1000;

}  // namespace

grpc::Status CheckPageSize(int32_t page_size) {
  if (page_size >= 0) return grpc::Status::OK;
  return BadRequest(
      "page_size",
      absl::StrCat(page_size, " is negative; 0 means ", kDefaultPage));
}

uint32_t PageSizeOf(int32_t page_size) {
  return page_size == 0 ? kDefaultPage : std::min(page_size, kLargestPage);
}

std::string PageToken(const std::string& plain) {
  std::string token;
  absl::WebSafeBase64Escape(
      absl::StrCat(absl::Hex(wire::Crc32c(plain), absl::kZeroPad8), plain),
      &token);
  return token;
}

std::optional<std::string> ReadPageToken(const std::string& token) {
  std::string text;
  if (!absl::WebSafeBase64Unescape(token, &text) || text.size() < 8) {
    return std::nullopt;
  }
  std::string plain = text.substr(8);
  if (PageToken(plain) != token) return std::nullopt;
  return plain;
}

grpc::Status NoPageToken() {
  return BadRequest("page_token",
                    "not one of this server's; begin with an empty one");
}

}  // namespace trolley::internal
