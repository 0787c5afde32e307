// SPDX-License-Identifier: Apache-2.0
//
// Publication: one publication, as all its subscribers share it. The untyped
// part is what the registry knows; PublicationOf<T> adds the value.
//
//   auto made = std::make_shared<PublicationOf<Price>>(name, args...);
//
// Ownership: shared by the messages on their way and by the kept publications.
// Threads:   immutable once the registry has numbered it.
// Ends:      with the last of its owners, on the thread of that owner.

#ifndef TROLLEY_ACTORS_TOPICS_INTERNAL_PUBLICATION_H_
#define TROLLEY_ACTORS_TOPICS_INTERNAL_PUBLICATION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"

namespace trolley::internal {

// Names the type of a value by its own address, because the build may be
// without RTTI.
struct TopicType {
  absl::string_view (*name)();
};

template <typename T>
absl::string_view TopicTypeName() {
  // "... TopicTypeName() [with T = shop::Order; ..." or "... [T = shop::Order]"
  absl::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("T = ") + 4);
  return text.substr(0, text.find_first_of(";]"));
}

template <typename T>
inline constexpr TopicType kTopicType = {&TopicTypeName<T>};

struct Publication {
  Publication(const TopicType* type, absl::string_view name)
      : type(type), name(name) {}
  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;
  virtual ~Publication() = default;

  const TopicType* const type;
  const std::string name;
  uint64_t sequence = 0;  // the registry writes it before it shares this
};

using PublicationPtr = std::shared_ptr<const Publication>;

// True: T is a struct without a constructor, built from its members.
template <typename T, typename... Args>
inline constexpr bool kPublishesMembers =
    std::is_aggregate_v<T> &&
    !(sizeof...(Args) == 1 &&
      (std::is_base_of_v<T, std::remove_cvref_t<Args>> && ...));

template <typename T>
struct PublicationOf : Publication {
  template <typename... Args>
  requires(kPublishesMembers<T, Args...>)  //
      explicit PublicationOf(absl::string_view name, Args&&... args)
      : Publication(&kTopicType<T>, name), value{std::forward<Args>(args)...} {}
  template <typename... Args>
  requires(!kPublishesMembers<T, Args...>)  //
      explicit PublicationOf(absl::string_view name, Args&&... args)
      : Publication(&kTopicType<T>, name), value(std::forward<Args>(args)...) {}

  const T value;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TOPICS_INTERNAL_PUBLICATION_H_
