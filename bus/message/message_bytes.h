// SPDX-License-Identifier: Apache-2.0
//
// MessageBytes(): how many bytes a message counts for in a mailbox with a bound
// of bytes (SpawnOptions::mailbox_bytes):
//
//   type                                    bytes beside sizeof
//   has `size_t OwnedBytes() const`         what that returns
//   Protobuf message                        ByteSizeLong()
//   std::string, std::vector of types       its capacity
//     without a destructor
//   any other                               it is not counted
//
// Messages of a type that is not counted are bounded by
// SpawnOptions::mailbox_capacity alone.
//
//   struct Page {
//     std::unique_ptr<char[]> data;
//     size_t size = 0;
//     size_t OwnedBytes() const { return size; }
//   };
//
// Threads: the sender's, before it sends.

#ifndef TROLLEY_BUS_MESSAGE_MESSAGE_BYTES_H_
#define TROLLEY_BUS_MESSAGE_MESSAGE_BYTES_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "trolley/poller/cxx20.h"

namespace trolley::internal {

template <typename M>
concept HasOwnedBytes = requires(const M& message) {
  { message.OwnedBytes() } -> std::convertible_to<size_t>;
};
// google::protobuf::MessageLite, which this layer does not know.
template <typename M>
concept HasByteSizeLong = requires(const M& message) {
  { message.ByteSizeLong() } -> std::convertible_to<size_t>;
};

template <typename T>
struct OwnedBytesOf {
  static constexpr bool kCounted = HasOwnedBytes<T> || HasByteSizeLong<T>;
  static size_t Count(const T& message) {
    if constexpr (HasOwnedBytes<T>) {
      return message.OwnedBytes();
    } else {
      return message.ByteSizeLong();
    }
  }
};
template <>
struct OwnedBytesOf<std::string> {
  static constexpr bool kCounted = true;
  static size_t Count(const std::string& text) { return text.capacity(); }
};
template <typename T>
struct OwnedBytesOf<std::vector<T>> {
  static constexpr bool kCounted = std::is_trivially_destructible_v<T>;
  static size_t Count(const std::vector<T>& items) {
    return items.capacity() * sizeof(T);
  }
};

// True: the bytes of messages of type M are counted.
template <typename M>
inline constexpr bool kCountsBytes =
    OwnedBytesOf<M>::kCounted&& std::is_move_constructible_v<M>;

template <typename M>
requires kCountsBytes<M> uint64_t MessageBytes(const M& message) {
  return sizeof(M) + OwnedBytesOf<M>::Count(message);
}

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MESSAGE_MESSAGE_BYTES_H_
