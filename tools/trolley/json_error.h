// SPDX-License-Identifier: Apache-2.0
//
// JsonError: why a JSON text is not a message, in words for people. Protobuf
// says it in its own, and in the same way for a text that is cut, a field that
// does not exist, and a value that does not fit.
//
// A function without state, thread-safe.

#ifndef TROLLEY_TOOLS_TROLLEY_JSON_ERROR_H_
#define TROLLEY_TOOLS_TROLLEY_JSON_ERROR_H_

#include <google/protobuf/descriptor.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace trolley::tools {

// InvalidArgument. `said`: what Protobuf says of `json` as a `type`.
absl::Status JsonError(const google::protobuf::Descriptor& type,
                       absl::string_view json, const std::string& said);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_JSON_ERROR_H_
