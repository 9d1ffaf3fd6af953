#ifndef GSG_TRAINERS_BASE_WAIT_POLICY_H_
#define GSG_TRAINERS_BASE_WAIT_POLICY_H_

#include <atomic>
#include <thread>

#include "absl/synchronization/notification.h"

namespace gsg {

// LibTorch computes with OpenMP, whose threads spin for milliseconds while they
// wait for each other. That is the fastest way on a machine that does nothing
// else. Where another program has the core of one of them, the others burn
// theirs until it is back.
//
// While it lives, a WaitPolicy looks twice a second how long this process's
// threads have waited for a core. While that is much, or the system does not
// say (/proc/self/task/*/schedstat), it has OpenMP's threads sleep after some
// microseconds. libgomp lets a program change that as it runs in one way: while
// there are more OpenMP threads than cores they spin a hundred turns
// (GOMP_SPINCOUNT in its manual), and threads that only sleep count, too.
// Does nothing if the environment says how to wait (OMP_WAIT_POLICY,
// GOMP_SPINCOUNT), or in a program without libgomp.
class WaitPolicy {
 public:
  // `threads`: how many OpenMP computes with.
  explicit WaitPolicy(int threads);
  ~WaitPolicy();
  WaitPolicy(const WaitPolicy&) = delete;
  WaitPolicy& operator=(const WaitPolicy&) = delete;

  // Do OpenMP's threads sleep soon now?
  bool patient() const { return patient_; }

 private:
  void Watch(int threads);

  std::atomic<bool> patient_{false};
  absl::Notification end_;
  std::thread watch_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_WAIT_POLICY_H_
