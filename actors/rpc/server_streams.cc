// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/server_streams.h"

namespace trolley::internal {

std::string StreamingTypeName(bool client_streams, absl::string_view request,
                              bool server_streams, absl::string_view reply) {
  return absl::StrCat("(", client_streams ? "stream " : "", request,
                      ") returns (", server_streams ? "stream " : "", reply,
                      ")");
}

}  // namespace trolley::internal
