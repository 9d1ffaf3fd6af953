#include "bindings/thread_pool_cache.h"

#include <sys/types.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "gsg_core/thread_pool.h"

namespace gsg {
namespace {

// The pool that waits, if one does. Guarded by the GIL, which Python holds as
// it forks. Never destroyed: at exit there may be no threads left to join.
struct Cache {
  std::unique_ptr<ThreadPool> pool;
  pid_t process = 0;
};

Cache& TheCache() {
  static Cache* const cache = new Cache;
  // A fork copies the pool but not its threads.
  const pid_t process = getpid();
  if (cache->process != process) {
    (void)cache->pool.release();
    cache->process = process;
  }
  return *cache;
}

}  // namespace

LeasedThreadPool::LeasedThreadPool(int threads)
    : pool_(std::move(TheCache().pool)) {
  if (pool_ == nullptr || pool_->concurrency() != threads) {
    pool_ = std::make_unique<ThreadPool>(threads);
  }
}

LeasedThreadPool::~LeasedThreadPool() { TheCache().pool = std::move(pool_); }

}  // namespace gsg
