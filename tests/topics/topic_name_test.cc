// SPDX-License-Identifier: Apache-2.0
//
// Names, patterns and the two matchers: TopicMatches() and TopicTrie. A third
// one, made of regular expressions, says what is right. A failure names its
// seed.

#include "trolley/actors/topics/topic_name.h"

#include <cstdint>
#include <random>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "trolley/actors/topics/internal/topic_trie.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley {
namespace {

using internal::TopicTrie;

std::string Tokens(size_t count) {
  return absl::StrJoin(std::vector<std::string>(count, "t"), ".");
}

TEST(TopicNameTest, ANameThatBreaksARuleIsRefusedAndTheTextNamesTheRule) {
  struct Case {
    std::string name;
    std::string rule;
  };
  const Case cases[] = {
      {"", "is empty"},
      {".", "empty token"},
      {".a", "empty token"},
      {"a.", "empty token"},
      {"a..b", "empty token"},
      {"a b", "not printable"},
      {"a\nb", "not printable"},
      {std::string("a\0b", 3), "not printable"},
      {"\x7f", "not printable"},
      {"\xc3\xa9t\xc3\xa9", "not printable"},
      {"*", "only a subscription"},
      {"a.*", "only a subscription"},
      {"a.>", "only a subscription"},
      {"a*", "only a subscription"},
      {std::string(kMostTopicBytes + 1, 'a'), "129 bytes"},
      {Tokens(kMostTopicTokens + 1), "17 tokens"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const absl::Status status = ValidateTopicName(c.name);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(status.message(), c.rule)) << status;
  }
}

TEST(TopicNameTest, APatternThatBreaksARuleIsRefusedAndTheTextNamesTheRule) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "is empty"},
      {"a..*", "empty token"},
      {"*.", "empty token"},
      {"a*", "inside a token"},
      {"a.>b", "inside a token"},
      {"**", "inside a token"},
      {">>", "inside a token"},
      {">.a", "last token"},
      {"a.>.b", "last token"},
      {"a.>.>", "last token"},
      {"a. ", "not printable"},
      {std::string(kMostTopicBytes + 1, '*'), "129 bytes"},
      {Tokens(kMostTopicTokens) + ".>", "17 tokens"},
  };
  for (const auto& [pattern, rule] : cases) {
    SCOPED_TRACE(pattern);
    const absl::Status status = ValidateTopicPattern(pattern);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(status.message(), rule)) << status;
  }
}

TEST(TopicNameTest, WhatBreaksNoRuleIsTaken) {
  for (const std::string& name :
       {std::string("a"), std::string("a.b"), std::string("A-1_/:$#.~!"),
        std::string(kMostTopicBytes, 'a'), Tokens(kMostTopicTokens)}) {
    EXPECT_TRUE(ValidateTopicName(name).ok()) << name;
    EXPECT_TRUE(ValidateTopicPattern(name).ok()) << name;
  }
  for (const char* pattern : {"*", ">", "*.*", "*.>", "a.*.b", "a.>"}) {
    EXPECT_TRUE(ValidateTopicPattern(pattern).ok()) << pattern;
  }
}

bool TrieMatches(const std::string& pattern, const std::string& name) {
  TopicTrie trie;
  trie.Insert(pattern, 7);
  std::vector<uint64_t> ids;
  trie.Match(name, &ids);
  return ids == std::vector<uint64_t>{7};
}

TEST(TopicNameTest, P21_AStarIsOneTokenAndAGreaterSignIsOneOrMore) {
  struct Case {
    const char* pattern;
    const char* name;
    bool matches;
  };
  const Case cases[] = {
      {"a", "a", true},           {"a", "b", false},
      {"a", "a.b", false},        {"a.b", "a", false},
      {"a", "aa", false},         {"aa", "a", false},
      {"*", "a", true},           {"*", "a.b", false},
      {"*.*", "a.b", true},       {"*.*", "a", false},
      {"*.b", "a.b", true},       {"*.b", "a.c", false},
      {"a.*", "a.b", true},       {"a.*", "a", false},
      {"a.*", "a.b.c", false},    {"a.*.c", "a.b.c", true},
      {"a.*.c", "a.b.d", false},  {">", "a", true},
      {">", "a.b.c", true},       {"a.>", "a", false},
      {"a.>", "a.b", true},       {"a.>", "a.b.c.d", true},
      {"a.>", "b.a", false},      {"*.>", "a", false},
      {"*.>", "a.b", true},       {"a.*.>", "a.b", false},
      {"a.*.>", "a.b.c.d", true}, {"a.*.>", "b.b.c", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(TopicMatches(c.pattern, c.name), c.matches)
        << c.pattern << " " << c.name;
    EXPECT_EQ(TrieMatches(c.pattern, c.name), c.matches)
        << c.pattern << " " << c.name;
  }
}

// The words of the pattern as a regular expression; tokens are letters here.
std::regex AsRegex(const std::string& pattern) {
  std::string regex;
  for (const char c : pattern) {
    if (c == '.') {
      regex += "\\.";
    } else if (c == '*') {
      regex += "[^.]+";
    } else if (c == '>') {
      regex += ".+";
    } else {
      regex += c;
    }
  }
  return std::regex(regex);
}

class Words {
 public:
  explicit Words(uint64_t seed) : random_(seed) {}

  size_t Below(size_t n) { return random_() % n; }
  // Two letters and few tokens, so that many of the patterns match.
  std::string Name() {
    std::vector<std::string> tokens(1 + Below(4));
    for (std::string& token : tokens) token = Below(2) == 0 ? "a" : "b";
    return absl::StrJoin(tokens, ".");
  }
  std::string Pattern() {
    std::vector<std::string> tokens(1 + Below(4));
    for (std::string& token : tokens) {
      token = std::vector<std::string>{"a", "b", "*"}[Below(3)];
    }
    if (Below(3) == 0) tokens.back() = ">";
    return absl::StrJoin(tokens, ".");
  }

 private:
  std::mt19937_64 random_;
};

TEST(TopicNameTest, P21_BothMatchersAgreeWithRegularExpressions) {
  ForEachSeed(GetRunOptions().Scale(20, 1000), [](uint64_t seed) {
    Words words(seed);
    struct Subscribed {
      std::string pattern;
      std::regex regex;
      uint64_t id;
    };
    TopicTrie trie;
    std::vector<Subscribed> all;
    for (uint64_t step = 1; step <= 400; ++step) {
      // More come than go; the pattern of one that goes is often there twice.
      if (all.empty() || words.Below(3) != 0) {
        const std::string pattern = words.Pattern();
        ASSERT_TRUE(ValidateTopicPattern(pattern).ok()) << pattern;
        trie.Insert(pattern, step);
        all.push_back({pattern, AsRegex(pattern), step});
      } else {
        const size_t goes = words.Below(all.size());
        trie.Erase(all[goes].pattern, all[goes].id);
        all.erase(all.begin() + goes);
      }
      const std::string name = words.Name();
      std::vector<uint64_t> expected;
      for (const Subscribed& s : all) {
        const bool matches = std::regex_match(name, s.regex);
        if (matches) expected.push_back(s.id);
        ASSERT_EQ(TopicMatches(s.pattern, name), matches)
            << s.pattern << " " << name;
      }
      std::vector<uint64_t> ids;
      trie.Match(name, &ids);
      ASSERT_EQ(ids, expected) << name << " at step " << step;
    }
    for (const Subscribed& s : all) trie.Erase(s.pattern, s.id);
    EXPECT_TRUE(trie.empty()) << "a node is left that no pattern needs";
  });
}

}  // namespace
}  // namespace trolley
