// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/uring/io_uring_ring.h"

#include <errno.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"

namespace trolley::internal {
namespace {

// The headers of the oldest supported system lack these two. They are no macros
// because newer headers define macros of the usual names.
constexpr uint32_t kFeatureNoIowait = 1u << 17;
constexpr uint32_t kEnterNoIowait = 1u << 7;

// How often the kernel is asked again to make room after EAGAIN, EBUSY or
// EINTR.
constexpr int kMostTries = 100;

// The kernel frees the locked memory of a closed ring with a delay. So a
// program that opens many rings, one after the other, can reach RLIMIT_MEMLOCK.
// Each wait is twice as long as the one before: 255 ms in all.
constexpr int kMostWaits = 8;
constexpr int64_t kFirstWaitNanoseconds = 1'000'000;

constexpr uint32_t kCompletions = 8 * IoUringRing::kEntries;

// The modes, best first. A ring of the first mode is opened disabled. It
// belongs to the thread that enables it, which may differ from the one that
// opened it.
constexpr uint32_t kLadder[] = {
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
        IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_R_DISABLED |
        IORING_SETUP_SUBMIT_ALL,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
        IORING_SETUP_SUBMIT_ALL,
    0,
};

const char* UsualCause(int error) {
  switch (-error) {
    case EPERM:
    case EACCES:
      return " (forbidden by kernel.io_uring_disabled or a container's seccomp "
             "filter)";
    case ENOSYS:
      return " (a kernel without io_uring, or a seccomp filter)";
    case ENOMEM:
      return " (no memory; on old kernels, RLIMIT_MEMLOCK)";
    default:
      return "";
  }
}

// As io_uring_setup, but tries again after ENOMEM.
int SetUp(Sys& sys, uint32_t entries, uint32_t flags, uint32_t completions,
          io_uring_params& params) {
  for (int waits = 0;; ++waits) {
    params = {};
    params.flags = flags | IORING_SETUP_CQSIZE;
    params.cq_entries = completions;
    const int done = sys.IoUringSetup(entries, &params);
    if (done != -ENOMEM || waits == kMostWaits) return done;
    const timespec pause = {.tv_sec = 0,
                            .tv_nsec = kFirstWaitNanoseconds << waits};
    sys.Ppoll({}, &pause);  // a signal may end it early
  }
}

absl::Status Refusal(int error, SysCall call, const char* thing) {
  const absl::Status plain = ErrnoStatus(error, call, thing);
  return absl::Status(plain.code(),
                      absl::StrCat(plain.message(), UsualCause(error)));
}

// Access to words that the kernel reads and writes at the same time.
uint32_t Load(uint32_t* word) {
  return std::atomic_ref<uint32_t>(*word).load();
}
void Store(uint32_t* word, uint32_t value) {
  std::atomic_ref<uint32_t>(*word).store(value);
}

}  // namespace

absl::StatusOr<std::unique_ptr<IoUringRing>> IoUringRing::Open(Sys& sys) {
  io_uring_params params = {};
  ScopedFd fd;
  for (const uint32_t flags : kLadder) {
    fd = ScopedFd(sys, SetUp(sys, kEntries, flags, kCompletions, params));
    // EINVAL: this kernel does not know one of the flags. Try the next mode.
    if (fd || fd.get() != -EINVAL) break;
  }
  if (!fd) return Refusal(fd.get(), SysCall::kIoUringSetup, "");

  // EXT_ARG: waiting with a limit. NODROP: completions that do not fit are
  // kept. RSRC_TAGS: of the same kernel version as poll requests that stay.
  const uint32_t needed = IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP |
                          IORING_FEAT_SINGLE_MMAP | IORING_FEAT_RSRC_TAGS;
  if ((params.features & needed) != needed) {
    return absl::UnimplementedError(
        absl::StrCat("io_uring_setup: this kernel's io_uring lacks features 0x",
                     absl::Hex(needed & ~params.features)));
  }
  std::unique_ptr<IoUringRing> ring(
      new IoUringRing(sys, std::move(fd), params));
  ring->no_iowait_ = (params.features & kFeatureNoIowait) != 0;
  absl::Status status = ring->Map();
  if (status.ok()) status = ring->CheckOperations();
  if (!status.ok()) return status;
  return ring;
}

IoUringRing::~IoUringRing() {
  if (submissions_ != nullptr) sys_.Munmap(submissions_, submissions_size_);
  if (rings_ != nullptr) sys_.Munmap(rings_, rings_size_);
}

absl::Status IoUringRing::Map() {
  const size_t size = std::max<size_t>(
      params_.sq_off.array + params_.sq_entries * sizeof(uint32_t),
      params_.cq_off.cqes + params_.cq_entries * sizeof(io_uring_cqe));
  const intptr_t rings = sys_.Mmap(size, fd_.get(), IORING_OFF_SQ_RING);
  if (rings < 0) {
    return Refusal(static_cast<int>(rings), SysCall::kMmap, "io_uring rings");
  }
  rings_ = reinterpret_cast<void*>(rings);
  rings_size_ = size;
  const size_t entries_size = params_.sq_entries * sizeof(io_uring_sqe);
  const intptr_t entries = sys_.Mmap(entries_size, fd_.get(), IORING_OFF_SQES);
  if (entries < 0) {
    return Refusal(static_cast<int>(entries), SysCall::kMmap,
                   "io_uring entries");
  }
  submissions_ = reinterpret_cast<io_uring_sqe*>(entries);
  submissions_size_ = entries_size;
  // Entry i of the ring always refers to submission i.
  uint32_t* const array = At<uint32_t>(params_.sq_off.array);
  for (uint32_t i = 0; i < params_.sq_entries; ++i) array[i] = i;
  return absl::OkStatus();
}

absl::Status IoUringRing::CheckOperations() {
  constexpr uint32_t kOperations = 64;
  alignas(
      io_uring_probe) char space[sizeof(io_uring_probe) +
                                 kOperations * sizeof(io_uring_probe_op)] = {};
  auto* const probe = reinterpret_cast<io_uring_probe*>(space);
  const int done = sys_.IoUringRegister(fd_.get(), IORING_REGISTER_PROBE, probe,
                                        kOperations);
  if (done < 0) return Refusal(done, SysCall::kIoUringRegister, "PROBE");
  const auto has = [probe](int operation) {
    return operation <= probe->last_op &&
           (probe->ops[operation].flags & IO_URING_OP_SUPPORTED) != 0;
  };
  for (const int needed : {IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL}) {
    if (!has(needed)) {
      return absl::UnimplementedError(absl::StrCat(
          "io_uring_register(PROBE): this kernel lacks operation ", needed));
    }
  }
  // FAST_POLL: an operation that has to wait needs no kernel thread.
  const uint32_t features = IORING_FEAT_FAST_POLL | IORING_FEAT_RW_CUR_POS;
  completes_ = has(IORING_OP_READ) && has(IORING_OP_WRITE) &&
               has(IORING_OP_ACCEPT) &&
               (params_.features & features) == features;
  return absl::OkStatus();
}

int IoUringRing::Enable() {
  if (enabled_) return 0;
  if ((params_.flags & IORING_SETUP_R_DISABLED) != 0) {
    const int done = sys_.IoUringRegister(
        fd_.get(), IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
    if (done < 0) return done;
  }
  enabled_ = true;
  return 0;
}

bool IoUringRing::IsLater(int error) {
  return error == -EINTR || error == -EAGAIN || error == -EBUSY;
}

io_uring_sqe* IoUringRing::NextSubmission(int& error) {
  io_uring_sqe* next = TakeSubmission();
  for (int i = 0; next == nullptr && i < kMostTries; ++i) {
    error = Enter(/*wait=*/false, nullptr);
    if (error < 0 && !IsLater(error)) return nullptr;
    next = TakeSubmission();
  }
  return next;
}

// Null if kEntries submissions already wait for Enter().
io_uring_sqe* IoUringRing::TakeSubmission() {
  uint32_t* const tail = At<uint32_t>(params_.sq_off.tail);
  if (*tail - Load(At<uint32_t>(params_.sq_off.head)) == params_.sq_entries) {
    return nullptr;
  }
  io_uring_sqe* const next = &submissions_[*tail & (params_.sq_entries - 1)];
  std::memset(next, 0, sizeof(*next));
  // The caller may fill the submission after this: the kernel reads it only in
  // Enter(), on this thread. (No mode uses a polling thread of the kernel.)
  Store(tail, *tail + 1);
  return next;
}

int IoUringRing::Enter(bool wait, const timespec* limit) {
  const uint32_t queued = *At<uint32_t>(params_.sq_off.tail) -
                          Load(At<uint32_t>(params_.sq_off.head));
  io_uring_getevents_arg arg = {};
  arg.ts = reinterpret_cast<uint64_t>(limit);
  uint32_t flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
  if (no_iowait_) flags |= kEnterNoIowait;
  int done = sys_.IoUringEnter(fd_.get(), queued, wait ? 1 : 0, flags, &arg,
                               sizeof(arg));
  if (done == -EINVAL && no_iowait_) {
    no_iowait_ = false;
    return Enter(wait, limit);
  }
  return done == -ETIME ? 0 : done;
}

bool IoUringRing::HasUnfinished() const {
  return (Load(At<uint32_t>(params_.sq_off.flags)) & IORING_SQ_TASKRUN) != 0;
}

bool IoUringRing::HasFresh() const {
  return Load(At<uint32_t>(params_.cq_off.head)) !=
         Load(At<uint32_t>(params_.cq_off.tail));
}

io_uring_cqe IoUringRing::TakeCompletion() {
  if (!put_back_.empty()) {
    const io_uring_cqe taken = put_back_.front();
    put_back_.pop_front();
    return taken;
  }
  uint32_t* const head = At<uint32_t>(params_.cq_off.head);
  const io_uring_cqe taken =
      At<io_uring_cqe>(params_.cq_off.cqes)[*head & (params_.cq_entries - 1)];
  Store(head, *head + 1);
  return taken;
}

void IoUringRing::PutBack(std::vector<io_uring_cqe> completions) {
  put_back_.insert(put_back_.end(), completions.begin(), completions.end());
}

}  // namespace trolley::internal
