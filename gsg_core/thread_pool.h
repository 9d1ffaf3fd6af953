// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_THREAD_POOL_H_
#define GSG_GSG_CORE_THREAD_POOL_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "gsg_core/config.h"
#include "gsg_core/executor.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// A fixed set of threads. The thread that calls ParallelFor works too, so that
// ThreadPool(n) starts n - 1 threads; between calls they sleep. Several threads
// may call ParallelFor: the calls take turns. A ParallelFor inside a body runs
// on the thread that calls it.
class GSG_EXPORT ThreadPool final : public Executor {
 public:
  // threads < 1 counts as 1. ResourceExhausted, with the system's words, if
  // the system gives fewer threads.
  static absl::StatusOr<std::unique_ptr<ThreadPool>> Create(int threads);

  // The same for programs that cannot go on without: it ends the program with
  // that error on stderr.
  explicit ThreadPool(int threads);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int concurrency() const override;
  void ParallelFor(int64_t tasks,
                   absl::FunctionRef<void(int64_t)> body) override;

 private:
  // One ParallelFor: lives on the caller's stack until no worker holds it.
  struct Loop {
    absl::FunctionRef<void(int64_t)> body;
    int64_t tasks;
    std::atomic<int64_t> next{0};
    int workers = 0;  // inside Run; guarded by mutex_
  };

  ThreadPool() = default;
  absl::Status Start(int threads);
  static void Run(Loop& loop);
  void Work();

  absl::Mutex turn_;  // held for the whole of a ParallelFor
  absl::Mutex mutex_;
  Loop* loop_ ABSL_GUARDED_BY(mutex_) = nullptr;
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::CondVar started_;
  absl::CondVar left_;
  std::vector<std::thread> threads_;
};

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_THREAD_POOL_H_
