#ifndef GSG_BINDINGS_THREAD_POOL_CACHE_H_
#define GSG_BINDINGS_THREAD_POOL_CACHE_H_

#include <memory>

#include "gsg_core/thread_pool.h"

namespace gsg {

// A ThreadPool for the length of a call. Starting threads takes longer than a
// small loss, so the pool of the last call waits for the next. Concurrent calls
// have pools of their own. Constructed and destroyed under the GIL.
class LeasedThreadPool {
 public:
  explicit LeasedThreadPool(int threads);
  ~LeasedThreadPool();
  LeasedThreadPool(const LeasedThreadPool&) = delete;
  LeasedThreadPool& operator=(const LeasedThreadPool&) = delete;

  ThreadPool* get() const { return pool_.get(); }

 private:
  std::unique_ptr<ThreadPool> pool_;
};

}  // namespace gsg

#endif  // GSG_BINDINGS_THREAD_POOL_CACHE_H_
