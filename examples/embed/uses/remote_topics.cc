// SPDX-License-Identifier: Apache-2.0

#include <string>

#include "google/protobuf/empty.pb.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/remote_topics/topic_export.h"
#include "trolley/actors/remote_topics/topic_import.h"
#include "trolley/actors/topics/topics.h"

namespace {

using Event = google::protobuf::Empty;

class Reader : public trolley::Actor {
 public:
  void On(const trolley::Published<Event>&) {}
  void On(const trolley::Gap&) {}
};

}  // namespace

// Without a link the import ends at once.
int main() {
  trolley::Topics topics;
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  auto exported =
      bus.Spawn<trolley::TopicExport<Event>>({.name = "topics"}, topics);
  auto reader = bus.Spawn<Reader>({});
  if (!exported.ok() || !reader.ok()) return 1;
  auto imported = bus.Spawn<trolley::TopicImport<Event>>(
      {}, trolley::Ref<trolley::Link>(), "topics", "n.*", *reader);
  return imported.ok() ? 0 : 1;
}
