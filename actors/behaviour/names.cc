// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/names.h"

#include <memory>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/async_condition.h"
#include "trolley/bus/inspect.h"

namespace trolley {
namespace {

// A page on its way from another loop. The coroutine that waits for it may be
// gone when it comes.
struct PageSlot {
  std::optional<ActorPage> page;
  AsyncCondition arrived;
};

}  // namespace

absl::Status Names::GiveUp(const Bus& bus, const absl::Status& not_found,
                           const std::string& waited) {
  if (bus.draining()) {
    return absl::UnavailableError(
        absl::StrCat(not_found.message(), "; the bus is shutting down"));
  }
  return absl::DeadlineExceededError(
      absl::StrCat(not_found.message(), "; the limit was ", waited));
}

Task<NameList> Names::ListOn(const Bus* bus, std::string prefix,
                             uint32_t most) {
  const int home = ActorContext::OfThisThread()->loop_index();
  NameList list;
  for (std::optional<ActorPosition> from = ActorPosition(); from.has_value();) {
    auto slot = std::make_shared<PageSlot>();
    bus->ListActors(*from, kPage, [bus, home, slot](ActorPage page) {
      auto found = std::make_shared<ActorPage>(std::move(page));
      bus->RunOnLoop(home, [slot, found] {
        slot->page = std::move(*found);
        slot->arrived.Notify();
      });
    });
    while (!slot->page.has_value()) co_await slot->arrived.Wait();
    from = slot->page->next;
    for (ActorInfo& actor : slot->page->actors) {
      // An actor without a name is shown as "#loop.slot.generation".
      if (absl::StartsWith(actor.name, "#") ||
          !absl::StartsWith(actor.name, prefix)) {
        continue;
      }
      if (list.names.size() >= most) {
        list.all = false;
        from.reset();
        break;
      }
      list.names.push_back(std::move(actor.name));
    }
  }
  std::sort(list.names.begin(), list.names.end());
  co_return list;
}

}  // namespace trolley
