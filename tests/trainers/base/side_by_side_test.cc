#include "trainers/base/side_by_side.h"

#include <atomic>
#include <cstddef>
#include <new>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "trainers/base/memory.h"

namespace gsg {
namespace {

TEST(SideBySideTest, CallsEachOnceAndAllAtOnce) {
  std::vector<int> calls(3);
  std::atomic<int> here(0);
  EXPECT_TRUE(SideBySide(3, [&](size_t number) {
                ++calls[number];
                // Until all three are.
                for (++here; here < 3;) std::this_thread::yield();
                return absl::OkStatus();
              }).ok());
  EXPECT_EQ(calls, std::vector<int>({1, 1, 1}));
  EXPECT_TRUE(SideBySide(0, [](size_t) {
                return absl::UnknownError("of nothing");
              }).ok());
}

TEST(SideBySideTest, TheFirstErrorByNumber) {
  EXPECT_EQ(SideBySide(4,
                       [](size_t number) {
                         return number < 2   ? absl::OkStatus()
                                : number < 3 ? absl::NotFoundError("third")
                                             : absl::UnknownError("fourth");
                       }),
            absl::NotFoundError("third"));
}

TEST(SideBySideTest, MemoryThatRunsOutOnAThreadIsAnError) {
  for (const size_t where : {0, 2}) {
    std::atomic<int> others(0);
    EXPECT_TRUE(MemoryRanOut(SideBySide(3, [&](size_t number) -> absl::Status {
      if (number == where) throw std::bad_alloc();
      ++others;
      return absl::OkStatus();
    })));
    EXPECT_EQ(others, 2);
  }
}

}  // namespace
}  // namespace gsg
