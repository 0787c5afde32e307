// SPDX-License-Identifier: Apache-2.0
//
// WaitingEntries: the publications of a session (topic_session.h) that its
// subscriber does not have yet, and the exact count of those that found no
// room.
//
//   entries.Add(name, value, sequence);    // or it is missed
//   entries.Received(next.received());     // the subscriber has these
//   if (entries.Fill(next.max_bytes(), batch)) ...
//
// An entry stays until its subscriber says that it has it. So what was on its
// way when a connection ended comes again.
//
// Ownership: a member of the session.
// Threads:   loop thread only.
// Bounds:    TopicExportOptions::max_waiting and max_waiting_bytes.
// Ends:      with the session.

#ifndef TROLLEY_ACTORS_REMOTE_TOPICS_INTERNAL_WAITING_ENTRIES_H_
#define TROLLEY_ACTORS_REMOTE_TOPICS_INTERNAL_WAITING_ENTRIES_H_

#include <cstdint>
#include <deque>
#include <string>

#include "trolley/actors/remote_topics/remote_topics_options.h"
#include "trolley/proto/topics.pb.h"

namespace trolley::internal {

class WaitingEntries {
 public:
  explicit WaitingEntries(const TopicExportOptions& options)
      : options_(options) {}

  // A publication. It is missed if there is no room for it.
  void Add(const std::string& name, std::string value, uint64_t sequence);
  void Miss(uint64_t count) { missed_ += count; }

  // The subscriber has the entries up to this number.
  void Received(uint64_t number);
  // Appends the oldest entries: as many as have at most `most_bytes` of names
  // and values. An older one that is longer becomes a count. False: there is
  // nothing to tell.
  bool Fill(uint32_t most_bytes, topics::v1::Batch& batch);

  bool empty() const { return entries_.empty() && missed_ == 0; }

 private:
  static uint64_t BytesOf(const topics::v1::Entry& entry) {
    return entry.name().size() + entry.value().size();
  }
  void Drop(topics::v1::Entry& entry);

  const TopicExportOptions options_;
  std::deque<topics::v1::Entry> entries_;
  uint64_t bytes_ = 0;   // of those
  uint64_t last_ = 0;    // the number of the last entry
  uint64_t missed_ = 0;  // since that entry
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_REMOTE_TOPICS_INTERNAL_WAITING_ENTRIES_H_
