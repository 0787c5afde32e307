// SPDX-License-Identifier: Apache-2.0
//
// The second process: asks the word counter for its most frequent words, over
// its Unix socket, and prints them as `uniq -c` would.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/link/remote.h"
#include "trolley/actors/unix/unix_link.h"
#include "trolley/examples/output/output.h"
#include "trolley/examples/wordcount/top.h"
#include "trolley/poller/printable.h"

ABSL_FLAG(std::string, socket, "", "the word counter's --socket");
ABSL_FLAG(uint32_t, top, 10, "how many words; 0: all of them");
ABSL_FLAG(bool, at_end, true,
          "wait until the whole input has been counted; false: as it stands");
ABSL_FLAG(absl::Duration, timeout, absl::Seconds(30),
          "how long to wait for the service and its answer");

namespace {

int Main() {
  if (absl::GetFlag(FLAGS_socket).empty()) {
    std::fprintf(stderr,
                 "wordcount_query: --socket=PATH is missing: the path given to "
                 "wordcount --socket\n");
    return 2;
  }
  trolley::Bus bus = trolley::Bus::CreateOrDie({.loops = {{.poller = "auto"}}});
  auto link = bus.Spawn<trolley::UnixLink>({}, absl::GetFlag(FLAGS_socket));
  auto words = bus.Spawn<trolley::Remote<wordcount::TopService>>(
      {}, *link, "wordcount/top");

  wordcount::TopQuery query;
  query.set_k(absl::GetFlag(FLAGS_top) == 0 ? UINT32_MAX
                                            : absl::GetFlag(FLAGS_top));
  query.set_at_end(absl::GetFlag(FLAGS_at_end));
  const absl::StatusOr<wordcount::Top> top =
      words->AskAndWait(query, absl::GetFlag(FLAGS_timeout));
  if (!top.ok()) {
    std::fprintf(stderr, "wordcount_query: %s\n",
                 std::string(top.status().message()).c_str());
    return EXIT_FAILURE;
  }
  for (const wordcount::Top::Entry& entry : top->entries()) {
    // Of another process, and on its way to a terminal.
    std::printf("%7lu %s\n", static_cast<unsigned long>(entry.count()),
                trolley::Printable(entry.word()).c_str());
  }
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "asks a running wordcount\n"
      "  wordcount_query --socket=/tmp/w.sock --top=20");
  absl::ParseCommandLine(argc, argv);
  return examples::EndOutput("wordcount_query", Main());
}
