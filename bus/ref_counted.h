// SPDX-License-Identifier: Apache-2.0
//
// RefCounted, RefPtr: intrusive reference counting, for objects that several
// threads keep alive together.
//
//   class CausalContext : public RefCounted { ... };
//   auto context = RefPtr<CausalContext>::Adopt(new CausalContext(...));
//
// Ownership: the RefPtrs of an object own it together.
// Threads:   as std::shared_ptr: several threads may have RefPtrs of the same
//            object; one RefPtr belongs to one thread at a time.
// Memory ordering: what a thread did with the object before it dropped its
//            reference happens before the destructor.
// Ends:      the last RefPtr deletes the object.

#ifndef TROLLEY_BUS_REF_COUNTED_H_
#define TROLLEY_BUS_REF_COUNTED_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/base/attributes.h"

namespace trolley {

// The base class of T. It starts with one reference, for RefPtr<T>::Adopt.
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  // RefPtr calls these.
  void AddReference() const {
    references_.fetch_add(1, std::memory_order_relaxed);
  }
  // True: it was the last.
  [[nodiscard]] bool DropReference() const {
    return references_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }

 private:
  mutable std::atomic<uint32_t> references_{1};
};

// T derives from RefCounted, or has functions of the same names.
template <typename T>
class RefPtr {
 public:
  constexpr RefPtr() = default;
  constexpr RefPtr(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  // Takes over a reference that is counted already.
  static RefPtr Adopt(T* owned) {
    RefPtr p;
    p.object_ = owned;
    return p;
  }
  // Adds a reference.
  static RefPtr Share(T* object) {
    if (object != nullptr) object->AddReference();
    return Adopt(object);
  }

  RefPtr(const RefPtr& other) : RefPtr(Share(other.object_)) {}
  RefPtr(RefPtr&& other) noexcept : object_(other.Leak()) {}
  RefPtr& operator=(RefPtr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~RefPtr() {
    if (object_ != nullptr) Release(object_);
  }

  // Gives the reference to the caller, which passes it to Adopt later.
  [[nodiscard]] T* Leak() { return std::exchange(object_, nullptr); }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  friend bool operator==(const RefPtr& a, const RefPtr& b) {
    return a.object_ == b.object_;
  }

 private:
  // Not inline: most callers have nothing to release.
  ABSL_ATTRIBUTE_NOINLINE static void Release(T* object) {
    if (object->DropReference()) delete object;
  }

  T* object_ = nullptr;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_REF_COUNTED_H_
