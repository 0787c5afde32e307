// SPDX-License-Identifier: Apache-2.0
//
// The options and the messages of a stream of replies
// (actors/patterns/reply_stream.h).
//
//   ReplyStreamReader<Row> rows(table_, key, request, {.credit = 100});
//
// Values; any thread. A key may be copied.

#ifndef TROLLEY_ACTORS_PATTERNS_REPLY_STREAM_OPTIONS_H_
#define TROLLEY_ACTORS_PATTERNS_REPLY_STREAM_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"

namespace trolley {

// Names one stream. A new one is different from all that exist; a copy names
// the same stream. It stays in this process.
class ReplyStreamKey {
 public:
  ReplyStreamKey() : token_(std::make_shared<char>()) {}

  template <typename H>
  friend H AbslHashValue(H h, const ReplyStreamKey& key) {
    return H::combine(std::move(h), key.token_.get());
  }
  friend bool operator==(const ReplyStreamKey& a, const ReplyStreamKey& b) {
    return a.token_ == b.token_;
  }

 private:
  std::shared_ptr<const char> token_;
};

// Asks the actor that yields Ts for the next items of a stream.
template <typename T>
struct ReplyStreamPull {
  ReplyStreamKey stream;
  uint32_t credit;  // the most that it takes, at least 1; a count
};

// The reply.
template <typename T>
struct ReplyStreamBatch {
  std::vector<T> items;
  bool ended = false;  // no items come after these
  bool cut = false;    // the handler is gone, without End()
};

struct ReplyStreamOptions {
  // Items that the reader takes at a time, and that the writer may have ready
  // meanwhile; a count, at least 1. 64: enough to hide the way there and back.
  uint32_t credit = 64;
  // Of the whole stream: the timeout of the request. 1 min: that of a long
  // query.
  absl::Duration timeout = absl::Minutes(1);
};

struct ReplyStreamsOptions {
  // Streams under way; a count, at least 1. 256: a quarter of the usual
  // mailbox, for each stream has two asks.
  size_t streams = 256;
  // How long a writer waits for a reader that does not read on. 1 min.
  absl::Duration patience = absl::Minutes(1);
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_REPLY_STREAM_OPTIONS_H_
