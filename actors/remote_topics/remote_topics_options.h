// SPDX-License-Identifier: Apache-2.0
//
// The options of a TopicExport and of a TopicImport.
//
//   bus.Spawn<trolley::TopicExport<Order>>(
//       {.name = "topics"}, topics,
//       trolley::TopicExportOptions{.max_waiting = 100});
//
// Values; any thread.

#ifndef TROLLEY_ACTORS_REMOTE_TOPICS_REMOTE_TOPICS_OPTIONS_H_
#define TROLLEY_ACTORS_REMOTE_TOPICS_REMOTE_TOPICS_OPTIONS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace trolley {

struct TopicExportOptions {
  static constexpr uint32_t kMostSessions = 1u << 16;
  static constexpr uint32_t kMostWaiting = 1u << 20;
  static constexpr uint32_t kMostBytes = 1u << 30;

  // Subscriptions of other processes at one time, 1 to kMostSessions; a count.
  // A further one is ResourceExhausted. 64: each is an actor, and holds
  // max_waiting_bytes.
  uint32_t max_sessions = 64;
  // Publications of a session that its subscriber does not have yet, 1 to
  // kMostWaiting; a count. A further one is missed. 1024: as the mailbox of a
  // subscriber of the usual size.
  uint32_t max_waiting = 1024;
  // Their names and values, in bytes, 1 to kMostBytes. 1 MiB: as the outbox of
  // a link.
  uint32_t max_waiting_bytes = 1u << 20;
  // How long a session lives without a question of its subscriber; above 0.
  // Then the export forgets it: the subscriber has gone without a word. 60 s:
  // longer than the other process takes to dial again. Infinite: it lives as
  // long as the export.
  absl::Duration keep = absl::Seconds(60);
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateTopicExportOptions(const TopicExportOptions& options);

struct TopicImportOptions {
  static constexpr uint32_t kMostBatchBytes = 1u << 29;

  // The names and values of the publications that come at one time, in bytes, 1
  // to kMostBatchBytes. A publication that is longer counts as missed. Less
  // than LinkOptions::max_frame_bytes, with some room for the rest of a frame.
  // 256 KiB: a quarter of a frame of the usual length.
  uint32_t batch_bytes = 256u << 10;
  // How long it waits while the link is down or the other process refuses,
  // before it tries again; above 0. 100 ms: ten attempts a second. Infinite: it
  // tries once.
  absl::Duration pause = absl::Milliseconds(100);
};

// As above.
absl::Status ValidateTopicImportOptions(const TopicImportOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_REMOTE_TOPICS_REMOTE_TOPICS_OPTIONS_H_
