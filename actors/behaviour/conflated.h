// SPDX-License-Identifier: Apache-2.0
//
// Conflated: sends values by key to an actor. Of each key at most one value
// waits in the mailbox: a newer value takes the place of the older one. It is
// for values of which only the newest counts, such as prices and positions.
//
//   class Screen : public trolley::Actor {
//    public:
//     void On(trolley::Latest<std::string, Price> m) {
//       Show(m.key(), m.Take());
//     }
//   };
//
//   trolley::Conflated<Screen, std::string, Price> prices(screen);
//   prices.Tell("EURUSD", Price{108});   // a message
//   prices.Tell("EURUSD", Price{109});   // takes the place of 108
//
// A key keeps its place in the order of the mailbox. The first Tell() of a key
// after its Take() is a new message.
//
// Ownership: shares its values with the messages that it has sent; it may be
//            destroyed before them. Copies of it are one and the same.
// Threads:   thread-safe. Tell() takes a mutex for a short time.
// Bounds:    a key that waits has a message in the mailbox, so there are at
//            most SpawnOptions::mailbox_capacity.
// Ends:      does not end. The end of the actor drops the values that wait.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_CONFLATED_H_
#define TROLLEY_ACTORS_BEHAVIOUR_CONFLATED_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "trolley/actors/behaviour/internal/waiting_values.h"
#include "trolley/actors/ref.h"
#include "trolley/bus/delivery.h"

namespace trolley {

template <typename A, typename Key, typename Value>
class Conflated;

// The message: a key of which a value waits. `Key` is copyable, and can be
// hashed by absl::Hash and compared by ==.
template <typename Key, typename Value>
class Latest {
 public:
  Latest(Latest&& other) noexcept = default;
  Latest& operator=(Latest&& other) = delete;
  // A message that is dropped drops its value.
  ~Latest() {
    if (values_ != nullptr) values_->Remove(key_);
  }

  const Key& key() const { return key_; }
  // The newest value of the key. Call it once: a second call ends the actor,
  // with the reason in the log.
  Value Take() {
    internal::CheckIsFirstTake(values_ != nullptr);
    return *std::exchange(values_, nullptr)->Remove(key_);
  }

 private:
  template <typename, typename, typename>
  friend class Conflated;
  using Values = internal::WaitingValues<Key, Value>;

  Latest(std::shared_ptr<Values> values, const Key& key)
      : values_(std::move(values)), key_(key) {}

  std::shared_ptr<Values> values_;  // null: taken, or moved from
  Key key_;
};

template <typename A, typename Key, typename Value>
class Conflated {
 public:
  explicit Conflated(Ref<A> to)
      : to_(std::move(to)), values_(std::make_shared<Values>()) {}

  // kAccepted: the actor gets this value, or a newer one of `key`. Else as
  // Ref::Tell, and the value is dropped.
  Delivery Tell(const Key& key, Value value) {
    return values_->Put(key, std::move(value), [&] {
      return to_.Tell(Latest<Key, Value>(values_, key));
    });
  }

  // How many values newer ones have replaced; a count.
  uint64_t replaced() const { return values_->replaced(); }

 private:
  using Values = internal::WaitingValues<Key, Value>;

  Ref<A> to_;
  std::shared_ptr<Values> values_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_CONFLATED_H_
