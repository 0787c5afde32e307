// SPDX-License-Identifier: Apache-2.0
//
// Printing: tables and JSON on stdout. What came from the service is made safe
// for a terminal here, and cut unless it is JSON, so commands need not think of
// it.

#ifndef TROLLEY_TOOLS_TROLLEY_PRINT_H_
#define TROLLEY_TOOLS_TROLLEY_PRINT_H_

#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace trolley::tools {

// A table whose first row is its head. Columns of numbers are right-aligned.
void PrintTable(const std::vector<std::vector<std::string>>& rows);

// "key:  value" lines.
void PrintFields(
    const std::vector<std::pair<std::string, std::string>>& fields);

// One line of a text of unknown origin.
void PrintLine(absl::string_view text);

// As JSON with the names of the .proto file, fields at their defaults included;
// `wide` on several lines.
std::string ToJson(const google::protobuf::Message& message, bool wide = false);

// JSON as it is.
void PrintJson(absl::string_view json);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_PRINT_H_
