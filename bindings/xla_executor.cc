#include "bindings/xla_executor.h"

#include <algorithm>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"

namespace gsg {
namespace {

// A loop that threads take tasks from. It outlives the loop: a thread that the
// pool has no time for until later finds nothing to do.
class Loop {
 public:
  Loop(int64_t tasks, absl::FunctionRef<void(int64_t)> body)
      : tasks_(tasks), body_(body) {}

  void Work() {
    for (;;) {
      int64_t task = 0;
      {
        absl::MutexLock lock(&mutex_);
        if (next_ == tasks_) return;
        task = next_++;
      }
      body_(task);
      absl::MutexLock lock(&mutex_);
      ++done_;
    }
  }

  void Wait() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Loop::IsDone));
  }

 private:
  bool IsDone() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return done_ == tasks_;
  }

  const int64_t tasks_;
  const absl::FunctionRef<void(int64_t)> body_;
  absl::Mutex mutex_;
  int64_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t done_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

void XlaExecutor::ParallelFor(int64_t tasks,
                              absl::FunctionRef<void(int64_t)> body) {
  if (threads_ == 1 || tasks <= 1) {
    for (int64_t task = 0; task < tasks; ++task) body(task);
    return;
  }
  const auto loop = std::make_shared<Loop>(tasks, body);
  const int64_t helpers = std::min<int64_t>(threads_, tasks) - 1;
  for (int64_t k = 0; k < helpers; ++k) {
    pool_.Schedule([loop] { loop->Work(); });
  }
  // This thread may be one of the pool's, all of which may be in here: it takes
  // part, so that the loop ends without any other.
  loop->Work();
  loop->Wait();
}

}  // namespace gsg
