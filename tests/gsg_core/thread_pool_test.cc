#include "gsg_core/thread_pool.h"

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "absl/status/status.h"
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

// With stacks that no machine has room for. The limit is the process's: hence
// last, and in a process of its own.
TEST(ThreadPoolDeathTest, SaysThatThreadsDoNotStart) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto start = [](bool by_constructor) {
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 46);
    if (pthread_setattr_default_np(&huge) != 0) std::exit(2);
    if (by_constructor) ThreadPool pool(3);
    const auto pool = ThreadPool::Create(3);
    std::fprintf(stderr, "%s\n", pool.status().ToString().c_str());
    std::exit(pool.status().code() == absl::StatusCode::kResourceExhausted ? 0
                                                                           : 3);
  };
  EXPECT_EXIT(start(false), testing::ExitedWithCode(0),
              "RESOURCE_EXHAUSTED: the system started 0 of 2 threads");
  EXPECT_DEATH(start(true), "the system started 0 of 2 threads");
}

TEST(ThreadPoolTest, IsCreated) {
  const auto pool = ThreadPool::Create(3);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ((*pool)->concurrency(), 3);
  std::atomic<int64_t> sum{0};
  (*pool)->ParallelFor(10, [&](int64_t task) { sum += task; });
  EXPECT_EQ(sum, 45);
}

}  // namespace
}  // namespace gsg
