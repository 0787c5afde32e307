// SPDX-License-Identifier: Apache-2.0
//
// Registrations: what a poller has been asked to watch, by descriptor. The part
// of Poller's contract that is the same for every poller (which registration
// exists, what the capabilities allow) is checked here once. For who writes a
// poller; a loop has no use for it.
//
// Ownership: a poller owns one.
// Threads:   loop-thread only.
// Bounds:    Capabilities::max_descriptors entries.

#ifndef TROLLEY_POLLER_REGISTRATIONS_H_
#define TROLLEY_POLLER_REGISTRATIONS_H_

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "trolley/poller/capabilities.h"
#include "trolley/poller/event.h"

namespace trolley {

// What every poller reports of a registration. A poller that keeps more derives
// from it.
struct Registration {
  Token token;
  Interest interest;
};

// The checks that need no table. OK, or what Poller::Add says of them, except
// for what only the kernel knows (whether `fd` is open, and of what kind).
absl::Status CheckAdd(const Capabilities& capabilities, size_t registered,
                      int fd, Token token, Interest interest);
absl::Status CheckTrigger(const Capabilities& capabilities, Interest interest);
absl::Status AlreadyRegistered(int fd);
absl::Status NotRegistered(int fd);

template <typename Entry = Registration>
class Registrations {
 public:
  // Also called before the kernel is asked: tells whether Insert() would be
  // right.
  absl::Status CanAdd(const Capabilities& capabilities, int fd, Token token,
                      Interest interest) const {
    if (by_fd_.contains(fd)) return AlreadyRegistered(fd);
    return CheckAdd(capabilities, by_fd_.size(), fd, token, interest);
  }

  Entry& Insert(int fd, Entry entry) {
    return by_fd_.insert_or_assign(fd, std::move(entry)).first->second;
  }
  void Erase(int fd) { by_fd_.erase(fd); }

  // Null: no such registration, or `fd` is registered with another token. The
  // pointer is good until the next Insert or Erase.
  Entry* Find(int fd, Token token) {
    Entry* const entry = FindAny(fd);
    return entry != nullptr && entry->token == token ? entry : nullptr;
  }
  // Whatever its token.
  Entry* FindAny(int fd) {
    const auto it = by_fd_.find(fd);
    return it != by_fd_.end() ? &it->second : nullptr;
  }

  size_t size() const { return by_fd_.size(); }
  auto begin() { return by_fd_.begin(); }  // of pairs: fd, Entry
  auto end() { return by_fd_.end(); }

 private:
  absl::flat_hash_map<int, Entry> by_fd_;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_REGISTRATIONS_H_
