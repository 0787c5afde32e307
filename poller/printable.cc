// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/printable.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace trolley {
namespace {

// The first character of a text. Its length is 0 if it is not valid UTF-8.
struct Character {
  uint32_t code = 0;
  size_t length = 0;
};

Character Decode(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  uint32_t code = first & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3F);
  }
  // Not valid: a form that is longer than needed, half of a UTF-16 pair, or a
  // code beyond the last character.
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[length] || (code >= 0xD800 && code < 0xE000) ||
      code > 0x10FFFF) {
    return {};
  }
  return {code, length};
}

// False for control characters, characters without width, and characters that
// change the direction of writing.
bool IsShown(uint32_t code) {
  struct Range {
    uint32_t first, last;
  };
  constexpr Range kHidden[] = {
      {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},       {0x61C, 0x61C},
      {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E},   {0x2060, 0x206F},
      {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF},
  };
  for (const Range& range : kHidden) {
    if (code >= range.first && code <= range.last) return false;
  }
  return true;
}

}  // namespace

std::string Printable(absl::string_view text, size_t most_bytes) {
  std::string shown;
  while (!text.empty()) {
    const Character c = Decode(text);
    const absl::string_view raw = text.substr(0, c.length > 0 ? c.length : 1);
    std::string piece(raw);
    if (c.length == 0 || !IsShown(c.code)) {
      piece.clear();
      for (char byte : raw) {
        absl::StrAppend(&piece, "\\x",
                        absl::BytesToHexString(absl::string_view(&byte, 1)));
      }
    }
    if (shown.size() + piece.size() > most_bytes) return shown + "...";
    shown += piece;
    text.remove_prefix(raw.size());
  }
  return shown;
}

}  // namespace trolley
