// SPDX-License-Identifier: Apache-2.0
//
// Watcher: an object that its loop tells when a descriptor is ready. Most
// actors read and write by a Stream (actors/stream.h) instead.
//
//   class Accepter : public trolley::Actor, private trolley::Watcher {
//     void OnStart() override {
//       token_ = *context().Watch(fd_, {.ready = trolley::Ready::kReadable},
//                                 *this);
//     }
//     void OnStop() override { context().Unwatch(token_); }
//     void OnReady(trolley::Ready) override { ... }
//   };
//
// Ownership: the user's. The loop borrows it while it watches.
// Threads:   loop thread only.
// Ends:      Unwatch(), before the descriptor is closed.

#ifndef TROLLEY_BUS_WATCHER_H_
#define TROLLEY_BUS_WATCHER_H_

#include "trolley/poller/event.h"

namespace trolley {

class Watcher {
 public:
  // May watch, change and unwatch any descriptor, its own included. It is
  // called between handlers and must not throw.
  virtual void OnReady(Ready ready) = 0;

 protected:
  ~Watcher() = default;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_WATCHER_H_
