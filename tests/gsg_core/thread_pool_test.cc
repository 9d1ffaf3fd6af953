#include "gsg_core/thread_pool.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace gsg {
namespace {

TEST(ThreadPoolTest, RunsEachTaskOnce) {
  for (int threads : {-1, 1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.concurrency(), threads < 1 ? 1 : threads);
    for (int64_t tasks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(tasks);
      pool.ParallelFor(tasks, [&](int64_t task) { ++runs[task]; });
      for (const std::atomic<int>& r : runs) EXPECT_EQ(r, 1);
    }
  }
}

// Each body waits for the other: only two threads at once can end this.
TEST(ThreadPoolTest, RunsTasksAtTheSameTime) {
  ThreadPool pool(2);
  std::atomic<int> arrived{0};
  pool.ParallelFor(2, [&](int64_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 2);
}

TEST(ThreadPoolTest, ManyShortLoops) {
  ThreadPool pool(3);
  std::atomic<int64_t> sum{0};
  for (int loop = 0; loop < 2000; ++loop) {
    pool.ParallelFor(3, [&](int64_t task) { sum += task; });
  }
  EXPECT_EQ(sum, 2000 * 3);
}

TEST(ThreadPoolTest, CallersTakeTurns) {
  ThreadPool pool(2);
  std::atomic<int64_t> runs{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int loop = 0; loop < 100; ++loop) {
        pool.ParallelFor(5, [&](int64_t) { ++runs; });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(runs, 4 * 100 * 5);
}

TEST(ThreadPoolTest, LoopInsideABodyRuns) {
  ThreadPool pool(2);
  std::atomic<int> runs{0};
  pool.ParallelFor(
      4, [&](int64_t) { pool.ParallelFor(4, [&](int64_t) { ++runs; }); });
  EXPECT_EQ(runs, 16);
}

}  // namespace
}  // namespace gsg
