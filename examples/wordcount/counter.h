// SPDX-License-Identifier: Apache-2.0
//
// Counter: counts its share of the words.
//
// Ownership: the bus owns it.
// Threads:   as any actor.
// Bounds:    its mailbox. Memory grows with the number of distinct words.
// Ends:      with the bus.

#ifndef TROLLEY_EXAMPLES_WORDCOUNT_COUNTER_H_
#define TROLLEY_EXAMPLES_WORDCOUNT_COUNTER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/actor.h"
#include "trolley/examples/wordcount/wordcount.pb.h"

namespace wordcount {

// Words in lower case, each followed by a space.
struct Words {
  std::string text;
};

struct GetShare {
  uint32_t k;
};

// What one counter knows.
struct Share {
  std::vector<std::pair<std::string, uint64_t>> top;  // most frequent first
  uint64_t words = 0;
  uint64_t distinct = 0;
};

class Counter : public trolley::Actor {
 public:
  using Receives = trolley::Protocol<Reset>;

  void On(const Words& m);
  Share On(const GetShare& m);
  void On(const Reset&);

 private:
  absl::flat_hash_map<std::string, uint64_t> counts_;
  uint64_t words_ = 0;
};

// More frequent first; equally frequent in byte order.
bool ComesBefore(const std::pair<std::string, uint64_t>& a,
                 const std::pair<std::string, uint64_t>& b);

}  // namespace wordcount

#endif  // TROLLEY_EXAMPLES_WORDCOUNT_COUNTER_H_
