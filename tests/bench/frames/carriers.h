// SPDX-License-Identifier: Apache-2.0
//
// What carries frames between two processes here, each with the part of the
// other process. For benchmarks only; functions without state: Add...() is
// called by main() before the bench runs, Serve...() by that of the other
// process, until its peer has gone.

#ifndef TROLLEY_TESTS_BENCH_FRAMES_CARRIERS_H_
#define TROLLEY_TESTS_BENCH_FRAMES_CARRIERS_H_

#include <string>
#include <vector>

#include "trolley/tests/bench/lib/bench.h"

namespace trolley::bench {

using Arguments = std::vector<std::string>;

// A pipe or a Unix stream socket, and blocking calls.
void AddRawFrames(Bench& bench);
int ServeRaw(const Arguments& arguments);

// UnixLink, and actors at both ends.
void AddUnixFrames(Bench& bench);
int ServeUnix(const Arguments& arguments);

// PipeReader and Stream, and actors at both ends.
void AddPipeFrames(Bench& bench);
int ServePipe(const Arguments& arguments);

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_FRAMES_CARRIERS_H_
