// SPDX-License-Identifier: Apache-2.0

#include "trolley/examples/wordcount/service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/pipe_reader.h"
#include "trolley/examples/wordcount/splitter.h"

namespace wordcount {
namespace {

// Each holds this many messages: a counter's are batches of 4 KiB, the
// splitter's are lines. Together they bound the memory of text under way.
constexpr uint32_t kBatchesWaiting = 64;
constexpr uint32_t kLinesWaiting = 1024;

}  // namespace

absl::StatusOr<Service> Service::Start(trolley::Bus& bus, int counters,
                                       trolley::ScopedFd input) {
  const int loops = bus.loops();
  std::vector<trolley::Ref<Counter>> refs;
  for (int i = 0; i < counters; ++i) {
    auto counter =
        bus.Spawn<Counter>({.name = absl::StrCat("wordcount/counter-", i),
                            .loop = loops == 1 ? 0 : 1 + i % (loops - 1),
                            .mailbox_capacity = kBatchesWaiting});
    if (!counter.ok()) return counter.status();
    refs.push_back(*counter);
  }
  auto top = bus.Spawn<TopWords>({.name = "wordcount/top", .loop = 0}, refs);
  if (!top.ok()) return top.status();
  auto splitter = bus.Spawn<Splitter>({.name = "wordcount/splitter",
                                       .loop = 0,
                                       .mailbox_capacity = kLinesWaiting},
                                      refs, *top);
  if (!splitter.ok()) return splitter.status();
  auto reader = bus.Spawn<trolley::PipeReader>(
      {.name = "wordcount/reader", .loop = 0}, std::move(input), *splitter);
  if (!reader.ok()) return reader.status();
  return Service{.top = *top};
}

}  // namespace wordcount
