#include "trainers/train/result_queue.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/methods/method.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

StepResult Numbers(double loss) {
  StepResult result;
  result.loss = loss;
  return result;
}

StepResult Unread(double loss) {
  StepResult result;
  result.on_device =
      at::tensor({loss, 0.5, 1.0, 2.0, 3.0, 4.0, loss}, c10::kDouble);
  return result;
}

std::vector<double> Losses(const std::vector<StepResult>& results) {
  std::vector<double> losses;
  for (const StepResult& result : results) {
    EXPECT_FALSE(result.on_device.defined());
    losses.push_back(result.loss);
  }
  return losses;
}

TEST(ResultQueueTest, NumbersAreThereAtOnce) {
  ResultQueue queue(3);
  queue.Put(Numbers(-1));
  EXPECT_EQ(queue.size(), 1);
  EXPECT_THAT(Losses(queue.Take()), ElementsAre(-1));
  EXPECT_EQ(queue.size(), 0);
  EXPECT_THAT(queue.Take(), IsEmpty());
}

TEST(ResultQueueTest, ReadsWhatATensorHolds) {
  ResultQueue queue(1);
  queue.Put(Unread(7));
  const std::vector<StepResult> results = queue.Take();
  ASSERT_EQ(results.size(), 1);
  EXPECT_EQ(results[0].loss, 7);
  EXPECT_EQ(results[0].feature_std, 0.5);
  EXPECT_THAT(results[0].pair_count, ElementsAre(1, 2, 3, 4, 7));
}

TEST(ResultQueueTest, TensorsComeInBlocks) {
  ResultQueue queue(3);
  queue.Put(Unread(1));
  queue.Put(Unread(2));
  EXPECT_THAT(queue.Take(), IsEmpty());
  EXPECT_EQ(queue.size(), 2);
  queue.Put(Unread(3));
  queue.Put(Unread(4));
  EXPECT_THAT(Losses(queue.Take()), ElementsAre(1, 2, 3));
  EXPECT_EQ(queue.size(), 1);
  EXPECT_THAT(Losses(queue.TakeAll()), ElementsAre(4));
  EXPECT_EQ(queue.size(), 0);
  EXPECT_THAT(queue.TakeAll(), IsEmpty());
}

TEST(ResultQueueTest, NumbersWaitTheirTurn) {
  ResultQueue queue(4);
  queue.Put(Numbers(1));
  queue.Put(Unread(2));
  queue.Put(Numbers(3));
  queue.Put(Unread(4));
  EXPECT_THAT(Losses(queue.TakeAll()), ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace gsg
