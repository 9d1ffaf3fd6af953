// SPDX-License-Identifier: Apache-2.0
#include "gsg_core/thread_pool.h"

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <thread>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace {

// True on a thread that is inside a body: its own ParallelFor would wait for
// itself.
thread_local bool inside_body = false;

}  // namespace

absl::StatusOr<std::unique_ptr<ThreadPool>> ThreadPool::Create(int threads) {
  std::unique_ptr<ThreadPool> pool(new ThreadPool());
  absl::Status status = pool->Start(threads);
  if (!status.ok()) return status;
  return pool;
}

ThreadPool::ThreadPool(int threads) {
  const absl::Status status = Start(threads);
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::abort();
}

absl::Status ThreadPool::Start(int threads) {
  for (int t = 1; t < threads; ++t) {
    // Threads that wait for work have all that they need of this object.
    try {
      threads_.emplace_back([this] { Work(); });
    } catch (const std::system_error& error) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the system started ", t - 1, " of ", threads - 1,
          " threads (the caller's is one of ", threads, "): ", error.what(),
          ". Ask for fewer, or raise the limit of threads or memory"));
    }
  }
  return absl::OkStatus();
}

ThreadPool::~ThreadPool() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    started_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

int ThreadPool::concurrency() const {
  return static_cast<int>(threads_.size()) + 1;
}

void ThreadPool::Run(Loop& loop) {
  inside_body = true;
  for (int64_t task; (task = loop.next.fetch_add(1)) < loop.tasks;) {
    loop.body(task);
  }
  inside_body = false;
}

void ThreadPool::ParallelFor(int64_t tasks,
                             absl::FunctionRef<void(int64_t)> body) {
  if (threads_.empty() || tasks <= 1 || inside_body) {
    for (int64_t task = 0; task < tasks; ++task) body(task);
    return;
  }
  absl::MutexLock turn(&turn_);
  Loop loop{body, tasks};
  {
    absl::MutexLock lock(&mutex_);
    loop_ = &loop;
    ++generation_;
    started_.SignalAll();
  }
  Run(loop);
  absl::MutexLock lock(&mutex_);
  loop_ = nullptr;  // a worker that wakes from now on finds nothing to join
  while (loop.workers > 0) left_.Wait(&mutex_);
}

void ThreadPool::Work() {
  uint64_t seen = 0;
  absl::MutexLock lock(&mutex_);
  while (true) {
    while (!stopping_ && (loop_ == nullptr || generation_ == seen)) {
      started_.Wait(&mutex_);
    }
    if (stopping_) return;
    seen = generation_;
    Loop& loop = *loop_;
    ++loop.workers;
    mutex_.Unlock();
    Run(loop);
    mutex_.Lock();
    if (--loop.workers == 0) left_.Signal();
  }
}

GSG_NAMESPACE_END
}  // namespace gsg
