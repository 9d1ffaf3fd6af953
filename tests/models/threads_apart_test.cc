#include "models/threads_apart.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "absl/synchronization/barrier.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Runs with two threads (BUILD).
TEST(ForEachApartTest, ThreadsWorkAtTheSameTimeAndAlone) {
  ASSERT_EQ(at::get_num_threads(), 2);
  // Would wait forever if one thread did one item after the other.
  auto* const both = new absl::Barrier(2);
  std::vector<int> threads_within(2);
  ForEachApart(2, [&](int64_t item) {
    if (both->Block()) delete both;
    EXPECT_TRUE(IsApart());
    threads_within[item] = at::get_num_threads();
    std::set<std::thread::id> ids;
    at::parallel_for(0, 64, 1, [&](int64_t, int64_t) {
      ids.insert(std::this_thread::get_id());
    });
    EXPECT_EQ(ids.size(), 1u);
  });
  EXPECT_THAT(threads_within, ElementsAre(1, 1));
  EXPECT_FALSE(IsApart());
  EXPECT_EQ(at::get_num_threads(), 2);
}

TEST(ForEachApartTest, EachItemOnce) {
  for (const int64_t count : {0, 1, 2, 3, 7}) {
    std::vector<int> times(count);
    ForEachApart(count, [&](int64_t item) { ++times[item]; });
    EXPECT_EQ(times, std::vector<int>(count, 1));
  }
}

TEST(ForEachApartTest, GradientsAreOnOrOffAsOutside) {
  const at::Tensor w = at::ones({1}).requires_grad_();
  std::vector<int> requires_grad(2);
  const auto multiply = [&](int64_t item) {
    requires_grad[item] = (2 * w).requires_grad();
  };
  ForEachApart(2, multiply);
  EXPECT_THAT(requires_grad, ElementsAre(1, 1));
  const at::NoGradGuard no_grad;
  ForEachApart(2, multiply);
  EXPECT_THAT(requires_grad, ElementsAre(0, 0));
}

TEST(InOrderTest, ChangesComeBehindAllInTheOrderOfItems) {
  std::vector<int64_t> order;
  // The second item is ready first.
  auto* const ready = new absl::Barrier(2);
  ForEachApart(2, [&](int64_t item) {
    if (item == 0 && ready->Block()) delete ready;
    InOrder([&, item] { order.push_back(10 * item); });
    InOrder([&, item] { order.push_back(10 * item + 1); });
    EXPECT_THAT(order, IsEmpty());
    if (item == 1 && ready->Block()) delete ready;
  });
  EXPECT_THAT(order, ElementsAre(0, 1, 10, 11));
}

TEST(InOrderTest, ElsewhereAtOnce) {
  int changes = 0;
  InOrder([&] { ++changes; });
  EXPECT_EQ(changes, 1);
}

TEST(InOrderTest, NotAtAllIfAnItemThrows) {
  int changes = 0;
  EXPECT_THROW(ForEachApart(2,
                            [&](int64_t item) {
                              InOrder([&] { ++changes; });
                              if (item == 1) throw std::runtime_error("one");
                            }),
               std::runtime_error);
  EXPECT_EQ(changes, 0);
  EXPECT_FALSE(IsApart());
}

TEST(DealTest, SharesAreAboutAsLarge) {
  const Shares shares = Deal({5, 100, 40, 60, 3, 100, 2});
  EXPECT_THAT(shares.large, IsEmpty());
  ASSERT_EQ(shares.of_thread.size(), 2u);
  EXPECT_THAT(shares.of_thread[0], ElementsAre(1, 3));
  EXPECT_THAT(shares.of_thread[1], ElementsAre(5, 2, 0, 4, 6));
}

TEST(DealTest, WhatIsTooLargeForOneThreadIsForAll) {
  const Shares shares = Deal({1, 1000, 1, 100, 1});
  EXPECT_THAT(shares.large, ElementsAre(1, 3, 0));
  ASSERT_EQ(shares.of_thread.size(), 2u);
  EXPECT_THAT(shares.of_thread[0], ElementsAre(2));
  EXPECT_THAT(shares.of_thread[1], ElementsAre(4));
}

TEST(DealTest, NothingIsDealtTwiceOrNotAtAll) {
  for (const std::vector<int64_t>& sizes :
       {std::vector<int64_t>{}, {7}, {0, 0, 0}, {9, 9, 9}, {1, 2, 3, 4, 5}}) {
    const Shares shares = Deal(sizes);
    std::vector<size_t> items = shares.large;
    for (const std::vector<size_t>& of_thread : shares.of_thread) {
      items.insert(items.end(), of_thread.begin(), of_thread.end());
    }
    std::sort(items.begin(), items.end());
    std::vector<size_t> all(sizes.size());
    std::iota(all.begin(), all.end(), size_t{0});
    EXPECT_EQ(items, all);
  }
}

}  // namespace
}  // namespace gsg
