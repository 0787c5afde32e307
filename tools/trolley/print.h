// SPDX-License-Identifier: Apache-2.0
//
// Printing: tables and JSON to stdout. These functions make the texts of the
// service safe for a terminal and cut them, except in JSON. So a command passes
// such texts as they are.

#ifndef TROLLEY_TOOLS_TROLLEY_PRINT_H_
#define TROLLEY_TOOLS_TROLLEY_PRINT_H_

#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace trolley::tools {

// Prints a table. Its first row is the head. Columns of numbers are aligned to
// the right.
void PrintTable(const std::vector<std::vector<std::string>>& rows);

// Prints lines of the form "key:  value".
void PrintFields(
    const std::vector<std::pair<std::string, std::string>>& fields);

// Prints a text from outside as one line.
void PrintLine(absl::string_view text);

// Converts to JSON with the field names of the .proto file, and with the fields
// that have their default. `wide`: on several lines.
std::string ToJson(const google::protobuf::Message& message, bool wide = false);

// Prints JSON as it is.
void PrintJson(absl::string_view json);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_PRINT_H_
