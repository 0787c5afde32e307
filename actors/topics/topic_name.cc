// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/topics/topic_name.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/topics/internal/topic_tokens.h"

namespace trolley {
namespace {

absl::Status Breaks(absl::string_view kind, absl::string_view text,
                    absl::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the ", kind, " \"", absl::CHexEscape(text.substr(0, kMostTopicBytes)),
      "\" ", rule));
}

absl::Status Validate(absl::string_view kind, absl::string_view text,
                      bool wildcards) {
  if (text.empty()) return Breaks(kind, text, "is empty");
  if (text.size() > kMostTopicBytes) {
    return Breaks(kind, text,
                  absl::StrCat("and what follows is ", text.size(),
                               " bytes long; the limit is ", kMostTopicBytes));
  }
  for (const char c : text) {
    if (c <= ' ' || c > '~') {
      return Breaks(kind, text,
                    "has a character that is a space or not printable ASCII");
    }
  }
  size_t tokens = 0;
  for (internal::TopicTokens rest(text); !rest.empty();) {
    const absl::string_view token = rest.Next();
    ++tokens;
    if (token.empty()) {
      return Breaks(kind, text,
                    "has an empty token: a '.' stands between two tokens");
    }
    if (token.find_first_of("*>") == absl::string_view::npos) continue;
    if (!wildcards) {
      return Breaks(kind, text,
                    "has a wildcard: only a subscription may have '*' or '>'");
    }
    if (token.size() > 1) {
      return Breaks(kind, text,
                    "has a wildcard inside a token: '*' and '>' are whole "
                    "tokens");
    }
    if (token == ">" && !rest.empty()) {
      return Breaks(kind, text, "has a token after '>': '>' is the last token");
    }
  }
  if (tokens > kMostTopicTokens) {
    return Breaks(kind, text,
                  absl::StrCat("has ", tokens, " tokens; the limit is ",
                               kMostTopicTokens));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateTopicName(absl::string_view name) {
  return Validate("topic name", name, /*wildcards=*/false);
}

absl::Status ValidateTopicPattern(absl::string_view pattern) {
  return Validate("topic pattern", pattern, /*wildcards=*/true);
}

bool TopicMatches(absl::string_view pattern, absl::string_view name) {
  internal::TopicTokens of_pattern(pattern);
  internal::TopicTokens of_name(name);
  while (!of_pattern.empty() && !of_name.empty()) {
    const absl::string_view wanted = of_pattern.Next();
    if (wanted == ">") return true;
    const absl::string_view token = of_name.Next();
    if (wanted != "*" && wanted != token) return false;
  }
  return of_pattern.empty() && of_name.empty();
}

}  // namespace trolley
