// SPDX-License-Identifier: Apache-2.0

#include "tools/trolley/print.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::tools {
namespace {

// The most bytes of a cell in a table and of a field's value. All rows of a
// table are as wide as its widest cell, so each cell needs a limit.
constexpr size_t kMaxCellBytes = 512;
constexpr size_t kMaxFieldBytes = 16 << 10;

// The width in characters, not in bytes.
size_t Width(absl::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (c & 0xC0) != 0x80; });
}

// True for a number with or without a point, and for a dash, which stands for
// an unknown number.
bool IsNumber(absl::string_view text) {
  return text == "-" ||
         (!text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || c == '.';
         }));
}

}  // namespace

void PrintTable(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return;
  std::vector<size_t> widths(rows[0].size());
  std::vector<bool> numbers(rows[0].size(), rows.size() > 1);
  std::vector<std::vector<std::string>> shown = rows;
  for (size_t r = 0; r < shown.size(); ++r) {
    for (size_t c = 0; c < shown[r].size(); ++c) {
      shown[r][c] = Printable(shown[r][c], kMaxCellBytes);
      widths[c] = std::max(widths[c], Width(shown[r][c]));
      if (r > 0 && !IsNumber(shown[r][c])) numbers[c] = false;
    }
  }
  for (const std::vector<std::string>& row : shown) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string padding(widths[c] - Width(row[c]), ' ');
      if (c > 0) line += "  ";
      if (numbers[c]) {
        line += padding + row[c];
      } else {
        line += row[c];
        if (c + 1 < row.size()) line += padding;
      }
    }
    std::cout << line << "\n";
  }
}

void PrintFields(
    const std::vector<std::pair<std::string, std::string>>& fields) {
  size_t width = 0;
  for (const auto& [key, value] : fields) width = std::max(width, key.size());
  for (const auto& [key, value] : fields) {
    std::cout << key << ":" << std::string(width - key.size() + 2, ' ')
              << Printable(value, kMaxFieldBytes) << "\n";
  }
}

void PrintLine(absl::string_view text) {
  std::cout << Printable(text, kMaxFieldBytes) << "\n";
}

std::string ToJson(const google::protobuf::Message& message, bool wide) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = wide;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options)
           .ok()) {
    return "null";
  }
  while (!json.empty() && json.back() == '\n') json.pop_back();
  return json;
}

void PrintJson(absl::string_view json) { std::cout << json << "\n"; }

}  // namespace trolley::tools
