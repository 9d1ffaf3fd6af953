#include "trainers/loss/aten_executor.h"

#include <ATen/Parallel.h>

#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace gsg {
namespace {

// at::parallel_for without OpenMP would be one thread's loop.
TEST(AtenExecutorTest, HasTheThreadsOfLibTorch) {
  at::set_num_threads(3);
  AtenExecutor executor;
  EXPECT_EQ(executor.concurrency(), 3);
  std::vector<std::thread::id> threads(3);
  executor.ParallelFor(
      3, [&](int64_t task) { threads[task] = std::this_thread::get_id(); });
  EXPECT_EQ(std::set<std::thread::id>(threads.begin(), threads.end()).size(),
            3);
}

TEST(AtenExecutorTest, DoesEachTaskOnce) {
  AtenExecutor executor;
  for (int threads : {1, 2, 5}) {
    at::set_num_threads(threads);
    std::vector<int> done(17);
    executor.ParallelFor(17, [&](int64_t task) { ++done[task]; });
    EXPECT_EQ(done, std::vector<int>(17, 1));
  }
}

}  // namespace
}  // namespace gsg
