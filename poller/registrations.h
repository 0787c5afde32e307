// SPDX-License-Identifier: Apache-2.0
//
// Registrations: the table of what a poller watches, by descriptor. It makes
// those checks of Poller's contract that are the same for every poller: does
// the registration exist, and do the capabilities allow it. For authors of
// pollers; a loop does not use it.
//
//   absl::Status MyPoller::Add(int fd, Token token, Interest interest) {
//     absl::Status s = table_.CanAdd(capabilities_, fd, token, interest);
//     if (!s.ok()) return s;
//     // ask the kernel, then:
//     table_.Insert(fd, {token, interest});
//     return absl::OkStatus();
//   }
//
// Ownership: each poller owns one.
// Threads:   loop thread only.
// Bounds:    Capabilities::max_descriptors entries.

#ifndef TROLLEY_POLLER_REGISTRATIONS_H_
#define TROLLEY_POLLER_REGISTRATIONS_H_

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "trolley/poller/capabilities.h"
#include "trolley/poller/event.h"

namespace trolley {

// What every poller keeps of a registration. A poller that keeps more derives
// its own entry from it.
struct Registration {
  Token token;
  Interest interest;
};

// The checks that need no table. They return the codes that Poller::Add
// documents. They do not check what only the kernel knows: whether `fd` is
// open, and its kind.
absl::Status CheckAdd(const Capabilities& capabilities, size_t registered,
                      int fd, Token token, Interest interest);
absl::Status CheckTrigger(const Capabilities& capabilities, Interest interest);
absl::Status AlreadyRegistered(int fd);  // AlreadyExists
absl::Status NotRegistered(int fd);      // NotFound

template <typename Entry = Registration>
class Registrations {
 public:
  // OK if Insert() is allowed, else the code that Poller::Add returns. Call it
  // before asking the kernel.
  absl::Status CanAdd(const Capabilities& capabilities, int fd, Token token,
                      Interest interest) const {
    if (by_fd_.contains(fd)) return AlreadyRegistered(fd);
    return CheckAdd(capabilities, by_fd_.size(), fd, token, interest);
  }

  Entry& Insert(int fd, Entry entry) {
    return by_fd_.insert_or_assign(fd, std::move(entry)).first->second;
  }
  void Erase(int fd) { by_fd_.erase(fd); }

  // The registration of `fd` with this token. Null if there is none. The
  // pointer is valid until the next Insert or Erase.
  Entry* Find(int fd, Token token) {
    Entry* const entry = FindAny(fd);
    return entry != nullptr && entry->token == token ? entry : nullptr;
  }
  // The registration of `fd` with any token. Null if there is none.
  Entry* FindAny(int fd) {
    const auto it = by_fd_.find(fd);
    return it != by_fd_.end() ? &it->second : nullptr;
  }

  size_t size() const { return by_fd_.size(); }
  auto begin() { return by_fd_.begin(); }  // pairs of fd and Entry
  auto end() { return by_fd_.end(); }

 private:
  absl::flat_hash_map<int, Entry> by_fd_;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_REGISTRATIONS_H_
