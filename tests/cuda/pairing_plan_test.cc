#include "cuda/pairing_plan.h"

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "cuda/guided_loss.h"
#include "gtest/gtest.h"

namespace gsg::cuda {
namespace {

using Indices = std::vector<int64_t>;

TEST(PairingPlanTest, OfAMapByHand) {
  // Image 0 is second in rows 2 and 3, image 3 in none.
  const auto plan = MakePairingPlan({1, 2, 0, 0});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(*plan, (Indices{1, 2, 0, 0,  //
                            2, 3, 0, 1,  //
                            0, 1, 2, 3,  //
                            0, 2, 3, 4, 4}));
  const Pairing pairing = PairingOfPlan(plan->data(), 4);
  EXPECT_EQ(pairing.pairing, plan->data());
  EXPECT_EQ(pairing.inverse, plan->data() + 4);
  EXPECT_EQ(pairing.order, plan->data() + 8);
  EXPECT_EQ(pairing.inverse_begin, plan->data() + 12);
}

TEST(PairingPlanTest, OfAPermutationFollowsItsCycles) {
  const auto plan = MakePairingPlan({3, 1, 4, 2, 0});  // 0 3 2 4, and 1
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(*plan, (Indices{3, 1, 4, 2, 0,  //
                            4, 1, 3, 0, 2,  //
                            0, 3, 2, 4, 1,  //
                            0, 1, 2, 3, 4, 5}));
}

TEST(PairingPlanTest, NamesTheArgument) {
  EXPECT_EQ(MakePairingPlan({}).status().message(), "pairing is empty");
  EXPECT_EQ(MakePairingPlan({0, 2}).status().message(),
            "pairing[1] is 2; entries are rows, 0..1");
  Indices plan(8);
  EXPECT_EQ(MakePairingPlan({1, 0}, absl::MakeSpan(plan)).message(),
            "plan has 8 elements; a pairing of 2 takes 9");
}

}  // namespace
}  // namespace gsg::cuda
