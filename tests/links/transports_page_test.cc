// SPDX-License-Identifier: Apache-2.0
//
// docs/transports.md has the differences that the suite of links allows, as
// kTransports has them. If this test fails, put the table that it prints into
// the page.

#include <fstream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/tests/links/transport.h"

namespace trolley::links_test {
namespace {

const char* YesOrNo(bool yes) { return yes ? "yes" : "no"; }

std::string Table() {
  std::string table =
      "| in the suite | a link knows user and process of its peer | a link "
      "learns at once that its peer reads no more | code of a dial where "
      "nothing listens | a peer is told why it is turned away before the "
      "handshake | many peers at one endpoint |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const Transport& one : kTransports) {
    absl::StrAppend(
        &table, "| ", one.name, " | ", YesOrNo(one.knows_the_process), " | ",
        YesOrNo(one.tells_closed_reading), " | ",
        absl::StatusCodeToString(one.nothing_there), " | ",
        YesOrNo(one.tells_why), " | ", YesOrNo(one.listens), " |\n");
  }
  return table;
}

TEST(TransportsPageTest, HasTheTableOfDifferences) {
  std::ifstream page("docs/transports.md");
  ASSERT_TRUE(page.good());
  const std::string text(std::istreambuf_iterator<char>(page), {});
  EXPECT_THAT(text, ::testing::HasSubstr(Table())) << Table();
}

}  // namespace
}  // namespace trolley::links_test
