// SPDX-License-Identifier: Apache-2.0
//
// JsonError: explains why a JSON text is not a message. The error text of
// Protobuf is hard to read, and it has the same form for a text that is cut,
// for a field that does not exist, and for a value that does not fit.
//
// A function without state; thread-safe.

#ifndef TROLLEY_TOOLS_TROLLEY_JSON_ERROR_H_
#define TROLLEY_TOOLS_TROLLEY_JSON_ERROR_H_

#include <google/protobuf/descriptor.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace trolley::tools {

// Returns InvalidArgument. `said` is the error text of Protobuf for `json` as a
// message of `type`.
absl::Status JsonError(const google::protobuf::Descriptor& type,
                       absl::string_view json, const std::string& said);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_JSON_ERROR_H_
