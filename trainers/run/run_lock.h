#ifndef GSG_TRAINERS_RUN_RUN_LOCK_H_
#define GSG_TRAINERS_RUN_RUN_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace gsg {

// Keeps a second program from training in a run's folder: flock(2) on the
// folder, which the kernel releases when the process ends, however it ends.
// File systems without flock on folders (NFS) lock nothing.
class RunLock {
 public:
  RunLock() = default;
  RunLock(RunLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RunLock& operator=(RunLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~RunLock();

  // A folder that cannot be opened is not locked, and not an error here.
  // Errors: kFailedPrecondition if another program has the lock, with its
  // process number where /proc/locks has it.
  static absl::StatusOr<RunLock> Take(const std::string& folder);

 private:
  int fd_ = -1;  // of the folder; -1: nothing is locked
};

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_RUN_LOCK_H_
