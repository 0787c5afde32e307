// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/uring/io_uring_operations.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "trolley/poller/scoped_fd.h"

namespace trolley::internal {
namespace {

// The most bytes of one read or write, as in the kernel.
constexpr size_t kMostBytes = 0x7fff'f000;

// The most errors in a row while the kernel is asked to release a buffer. A few
// are normal: EAGAIN, EBUSY and signals. So many mean that the ring is broken.
// Then the process ends, because the kernel could still write into the buffer.
constexpr int kMostRefusals = 1000;

uint64_t UserData(const Operation& operation) {
  return reinterpret_cast<uint64_t>(&operation) |
         IoUringOperations::kUserDataBit;
}

void Prepare(const Operation& operation, io_uring_sqe& sqe) {
  const Operation::Request& request = operation.request;
  sqe.fd = request.fd;
  sqe.user_data = UserData(operation);
  if (request.kind == Operation::Kind::kAccept) {
    sqe.opcode = IORING_OP_ACCEPT;
    sqe.accept_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    return;
  }
  sqe.opcode =
      request.kind == Operation::Kind::kRead ? IORING_OP_READ : IORING_OP_WRITE;
  sqe.addr = reinterpret_cast<uint64_t>(request.data);
  sqe.len = static_cast<uint32_t>(std::min(request.size, kMostBytes));
  sqe.off = ~uint64_t{0};  // the current position of the file
}

}  // namespace

void IoUringOperations::Start(Operation& operation) {
  operation.Begin(*this);
  queued_.Add(operation);
  ++pending_;
}

int IoUringOperations::Submit() {
  while (Operation* const next = queued_.first()) {
    int error = 0;
    io_uring_sqe* const sqe = ring_.NextSubmission(error);
    if (sqe == nullptr) return error < 0 ? error : -EBUSY;
    Prepare(*next, *sqe);
    queued_.Remove(*next);
  }
  return 0;
}

bool IoUringOperations::Take(const io_uring_cqe& completion) {
  if ((completion.user_data & kUserDataBit) == 0 ||
      completion.user_data == IoUringRing::kIgnored) {
    return false;
  }
  auto* const operation =
      reinterpret_cast<Operation*>(completion.user_data & ~kUserDataBit);
  int result = completion.res;
  if (operation->request.kind == Operation::Kind::kAccept && result >= 0 &&
      result <= STDERR_FILENO) {
    // The kernel made this descriptor without Sys, which avoids these numbers.
    const ScopedFd standard(sys_, result);
    result = sys_.Dup(standard.get());
  }
  operation->SetResult(result);
  completed_.Add(*operation);
  return true;
}

Operation* IoUringOperations::TakeCompleted() {
  Operation* const operation = completed_.first();
  if (operation == nullptr) return nullptr;
  completed_.Remove(*operation);
  operation->End();
  --pending_;
  return operation;
}

void IoUringOperations::Cancel(Operation& operation) {
  if (queued_.Has(operation)) {
    queued_.Remove(operation);
    operation.SetResult(-ECANCELED);
  } else {
    if (!completed_.Has(operation)) Recall(operation);
    completed_.Remove(operation);
  }
  operation.End();
  --pending_;
}

// Cancels the request of `operation`, and returns when its completion was
// taken. The request may have ended before the kernel could cancel it.
void IoUringOperations::Recall(Operation& operation) {
  std::vector<io_uring_cqe> others;  // for the next Wait
  bool asked = false;
  for (int refusals = 0; refusals < kMostRefusals;) {
    while (ring_.HasCompletion()) {
      const io_uring_cqe completion = ring_.TakeCompletion();
      if (!Take(completion)) others.push_back(completion);
    }
    if (completed_.Has(operation)) {
      ring_.PutBack(std::move(others));
      return;
    }
    int error = 0;
    if (!asked) {
      if (io_uring_sqe* const sqe = ring_.NextSubmission(error)) {
        sqe->opcode = IORING_OP_ASYNC_CANCEL;
        sqe->fd = -1;
        sqe->addr = UserData(operation);
        sqe->user_data = IoUringRing::kIgnored;
        asked = true;
      }
    }
    // An operation that runs in a kernel thread ends when that thread has seen
    // the cancellation.
    if (asked) error = ring_.Enter(/*wait=*/true, nullptr);
    refusals = error < 0 ? refusals + 1 : 0;
  }
  std::fputs("trolley: io_uring does not let go of a buffer\n", stderr);
  std::abort();
}

}  // namespace trolley::internal
