#include "bindings/open_mp_executor.h"

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/functional/function_ref.h"

namespace gsg {
namespace {

struct Loop {
  absl::FunctionRef<void(int64_t)> body;
  const int64_t tasks;
  std::atomic<int64_t> next{0};
};

// What each thread of the team does.
void TakeTasks(void* data) {
  Loop& loop = *static_cast<Loop*>(data);
  for (int64_t task; (task = loop.next.fetch_add(1)) < loop.tasks;) {
    loop.body(task);
  }
}

}  // namespace

void OpenMpExecutor::ParallelFor(int64_t tasks,
                                 absl::FunctionRef<void(int64_t)> body) {
  Loop loop{body, tasks};
  const int64_t threads = std::min<int64_t>(threads_, tasks);
  if (threads <= 1) {
    TakeTasks(&loop);
  } else {
    gomp_parallel_(&TakeTasks, &loop, static_cast<unsigned>(threads),
                   /*flags=*/0);
  }
}

}  // namespace gsg
