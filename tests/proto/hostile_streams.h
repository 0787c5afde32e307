// SPDX-License-Identifier: Apache-2.0
//
// Byte streams of a hostile peer: one for each rule of the link protocol that a
// peer can break, and a few that break none. The hostile test, the seed corpus
// of the fuzzer and the mutants use them.

#ifndef TROLLEY_TESTS_PROTO_HOSTILE_STREAMS_H_
#define TROLLEY_TESTS_PROTO_HOSTILE_STREAMS_H_

#include <cstddef>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "trolley/proto/frame.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {

struct HostileStream {
  std::string name;  // letters and digits
  std::string bytes;
  WireError error = WireError::kNone;  // what the decoder must say
  size_t frames = 0;                   // how many it must give before that
  std::string_view says = "";          // part of the error's text
};

// How a failing test names the row.
inline void PrintTo(const HostileStream& stream, std::ostream* out) {
  *out << stream.name;
}

// For a decoder with SmallOptions() and a peer that negotiates SmallHello()
// with payload checksums offered.
std::vector<HostileStream> HostileStreams();

// A Hello as bytes, with whatever `change` does to it.
std::string HelloBytes(const std::function<void(Hello&)>& change = {});

// A frame as bytes with a correct header checksum. `reserved` goes into byte 7.
std::string FrameBytes(FrameHeader header, std::string_view payload,
                       char reserved = 0);

}  // namespace trolley::wire

#endif  // TROLLEY_TESTS_PROTO_HOSTILE_STREAMS_H_
