// The loss kernels, run by a host that emulates their threads, against the
// reference of gsg_core, and what they report.
#include "tests/cuda/emulated_loss.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "cuda/guided_loss.h"
#include "cuda/internal/loss_args.h"
#include "cuda/internal/loss_plan.h"
#include "cuda/pairing_plan.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "gsg_core/pairing.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "tests/gsg_core/loss_checks.h"
#include "tests/gsg_core/test_util.h"

namespace gsg::cuda::internal {
namespace {

using Normal = std::normal_distribution<double>;

template <typename T>
std::vector<Buffer<T>> NormalBuffers(int64_t n, int64_t d, int64_t unit) {
  std::mt19937_64 generator(TestSeed());
  auto buffers = Buffers<T>(8, n, d, unit);
  for (auto& b : buffers) b.Fill(generator, Normal());
  return buffers;
}

template <typename T>
class EmulatedLossTest : public testing::Test {};
using ElementTypes = testing::Types<float, Half, BFloat16>;
TYPED_TEST_SUITE(EmulatedLossTest, ElementTypes);

TYPED_TEST(EmulatedLossTest, MatchesTheReferenceOneElementAtATime) {
  int calls = 0, same_choices = 0;
  for (int64_t n : {1, 2, 33}) {
    for (int64_t d : {1, 2, 31, 33, 259}) {
      // In one dimension, and where the only image is its own second one, there
      // are ties by construction.
      int ties = 0;
      const bool counts = n > 1 && d > 1;
      CheckEveryOption<TypeParam>(
          std::vector<EmulatedLoss>{EmulatedLoss(),
                                    EmulatedLoss(Access::kElements, false)},
          NormalBuffers<TypeParam>(n, d, 1), counts ? calls : ties,
          counts ? same_choices : ties);
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(same_choices, 0.99 * calls);
}

// Around a thread's vector, a warp's vectors and two of them, in and out of
// registers.
TYPED_TEST(EmulatedLossTest, MatchesTheReferenceSixteenBytesAtATime) {
  constexpr int64_t kVector = 16 / sizeof(TypeParam);
  int calls = 0, same_choices = 0;
  for (int64_t n : {1, 2, 19}) {
    for (int64_t vectors : {1, 2, 31, 32, 33, 64, 65}) {
      int ties = 0;
      CheckEveryOption<TypeParam>(
          std::vector<EmulatedLoss>{EmulatedLoss(Access::kRegisters),
                                    EmulatedLoss(Access::kRegisters, false),
                                    EmulatedLoss(Access::kVectors)},
          NormalBuffers<TypeParam>(n, vectors * kVector, kVector),
          n > 1 ? calls : ties, n > 1 ? same_choices : ties, kVector);
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(same_choices, 0.99 * calls);
}

// A width of 2048 as in the papers' networks, and one that is too long for
// registers.
TYPED_TEST(EmulatedLossTest, LongRows) {
  constexpr int64_t kVector = 16 / sizeof(TypeParam);
  constexpr int64_t kMost = kElementsPerThread * kMaxThreads;
  const std::vector<EmulatedLoss> best = {EmulatedLoss()};
  int calls = 0, same_choices = 0;
  for (int64_t d : {int64_t{2048}, kMost, kMost + kVector, kMost + 1}) {
    CheckBatch<TypeParam>(best, NormalBuffers<TypeParam>(3, d, kVector),
                          *CyclicPairing(3, 1), gsg::LossOptions(), calls,
                          same_choices, kVector);
  }
  EXPECT_EQ(same_choices, calls);
}

// Enough rows for blocks of several: choices are handed on from one image to
// the next along a cycle, and the last block has fewer.
TYPED_TEST(EmulatedLossTest, SeveralRowsABlock) {
  const std::vector<EmulatedLoss> both = {
      EmulatedLoss(), EmulatedLoss(absl::nullopt, /*in_order=*/false)};
  constexpr int64_t kRows = 6149;
  const auto in = NormalBuffers<TypeParam>(kRows, 8, 8);
  std::mt19937_64 generator(TestSeed());
  std::uniform_int_distribution<int64_t> image(0, kRows - 1);
  std::vector<int64_t> map(kRows);
  for (int64_t& second : map) second = image(generator);
  int calls = 0, same_choices = 0;
  for (const std::vector<int64_t>& pairing :
       {*CyclicPairing(kRows, 3), *RandomPairing(kRows, 3), map}) {
    for (Selection selection : {Selection::kSoft, Selection::kRandom}) {
      gsg::LossOptions options;
      options.selection = selection;
      options.seed = 5;
      CheckBatch<TypeParam>(both, in, pairing, options, calls, same_choices, 8);
    }
  }
  EXPECT_GT(same_choices, 0);
}

TYPED_TEST(EmulatedLossTest, PairingsOfEveryKind) {
  const std::vector<EmulatedLoss> both = {
      EmulatedLoss(), EmulatedLoss(Access::kElements, /*in_order=*/false)};
  const auto in = NormalBuffers<TypeParam>(40, 40, 8);
  std::vector<int64_t> some(40);
  for (int64_t i = 0; i < 40; ++i) some[i] = i * i % 23;
  int calls = 0, same_choices = 0;
  for (const std::vector<int64_t>& pairing :
       {*RandomPairing(40, 1), some, std::vector<int64_t>(40, 17)}) {
    for (Selection selection :
         {Selection::kMin, Selection::kNone, Selection::kSoft}) {
      gsg::LossOptions options;
      options.selection = selection;
      CheckBatch<TypeParam>(both, in, pairing, options, calls, same_choices, 8);
    }
  }
  EXPECT_EQ(same_choices, calls);
}

TYPED_TEST(EmulatedLossTest, LocalCrops) {
  CheckLocalCrops<TypeParam>(std::vector<EmulatedLoss>{EmulatedLoss()},
                             TestSeed(), 67);
  CheckLocalCrops<TypeParam>(
      std::vector<EmulatedLoss>{EmulatedLoss(), EmulatedLoss(Access::kVectors)},
      TestSeed(), 64, 8);
}

TYPED_TEST(EmulatedLossTest, NearlyParallelRows) {
  CheckNearlyParallelRows<TypeParam>(
      std::vector<EmulatedLoss>{EmulatedLoss(),
                                EmulatedLoss(Access::kElements)},
      TestSeed(), /*cols=*/256, /*unit=*/16 / sizeof(TypeParam));
}

TYPED_TEST(EmulatedLossTest, ExtremeValues) {
  int calls = 0, same_choices = 0;
  for (int64_t d : {1, 40}) {
    CheckExtremeValues<TypeParam>(
        std::vector<EmulatedLoss>{EmulatedLoss(),
                                  EmulatedLoss(Access::kElements)},
        TestSeed(), d, calls, same_choices, d == 1 ? 1 : 8);
  }
  EXPECT_GT(same_choices, 0);
}

// Everything that one launch of shared views with gradients wrote.
struct Written {
  std::vector<float> grads;
  std::vector<uint8_t> pair;
  double loss;
  float loss_float;
  std::vector<int64_t> pair_count;

  bool operator==(const Written& other) const {
    return grads == other.grads && pair == other.pair && loss == other.loss &&
           loss_float == other.loss_float && pair_count == other.pair_count;
  }
};

class SharedLaunch {
 public:
  SharedLaunch(int64_t n, int64_t d)
      : in_(NormalBuffers<float>(n, d, 4)),
        grads_(Buffers<float>(2, n, d, 4)),
        plan_(*MakePairingPlan(*CyclicPairing(n, 1))),
        outputs_(n) {}

  Buffer<float>& p1() { return in_[0]; }
  Buffer<float>& z2() { return in_[5]; }
  std::vector<int64_t>& plan() { return plan_; }
  EmulatedOutputs& outputs() { return outputs_; }

  Written Run(const LossOptions& options, bool backwards = false) {
    const int64_t n = in_[0].rows().rows();
    const SharedGrads<float> grads = {grads_[0].rows(), grads_[1].rows()};
    const SharedViews<float> views = {in_[0].rows(), in_[1].rows(),
                                      in_[4].rows(), in_[5].rows(),
                                      PairingOfPlan(plan_.data(), n)};
    const auto args = PlanLoss(views, options, &grads, outputs_.Pointers());
    EXPECT_TRUE(args.ok()) << args.status();
    Emulate(*args, ShapeOf(*args), backwards);
    Written written;
    for (const Buffer<float>& grad : grads_) {
      for (int64_t i = 0; i < n; ++i) {
        const float* row = grad.rows().row(i);
        written.grads.insert(written.grads.end(), row,
                             row + grad.rows().cols());
      }
    }
    written.pair = outputs_.pair;
    written.loss = outputs_.loss;
    written.loss_float = outputs_.loss_float;
    written.pair_count.assign(outputs_.pair_count, outputs_.pair_count + 5);
    return written;
  }

 private:
  std::vector<Buffer<float>> in_, grads_;
  std::vector<int64_t> plan_;
  EmulatedOutputs outputs_;
};

TEST(SharedLaunchTest, TheOrderOfBlocksDoesNotMatterAndTheWorkspaceIsReused) {
  SharedLaunch launch(4100, 8);
  const Written first = launch.Run({});
  EXPECT_EQ(launch.Run({}, /*backwards=*/true), first);
  EXPECT_EQ(launch.Run({}), first);
  EXPECT_EQ(first.loss_float, static_cast<float>(first.loss));
  int64_t rows = 0;
  for (int64_t count : first.pair_count) rows += count;
  EXPECT_EQ(rows, 4100);
}

TEST(SharedLaunchTest, ReadsTheSeedAndTheScaleFromTheDevice) {
  SharedLaunch launch(50, 8);
  uint64_t seed = 3;
  float scale = 4;
  LossOptions host;
  host.selection = Selection::kRandom;
  LossOptions device = host;
  device.seed = 99;  // which it does not look at
  device.grad_scale = 0.5;
  device.device_seed = &seed;
  device.device_grad_scale = &scale;
  for (seed = 3; seed < 5; ++seed) {
    for (float s : {4.f, 8.f}) {
      scale = s;
      host.seed = seed;
      host.grad_scale = 0.5 * s;
      EXPECT_EQ(launch.Run(device), launch.Run(host));
    }
  }
}

TEST(SharedLaunchTest, NamesWhatIsNotFinite) {
  const float values[] = {std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()};
  for (const float value : values) {
    SharedLaunch launch(9, 8);
    launch.Run({});
    EXPECT_TRUE(SharedViewFaults(launch.outputs().faults).ok());
    launch.z2()(4, 3) = value;
    EXPECT_TRUE(std::isnan(launch.Run({}).loss));
    EXPECT_EQ(SharedViewFaults(launch.outputs().faults).message(),
              "z2 had a value that is not finite; all values must be finite");
    // A selection without distances looks, too.
    launch.z2()(4, 3) = 0;
    launch.p1()(0, 7) = value;
    LossOptions none;
    none.selection = Selection::kNone;
    launch.outputs().faults = 0;
    EXPECT_TRUE(std::isnan(launch.Run(none).loss));
    EXPECT_EQ(SharedViewFaults(launch.outputs().faults).message(),
              "p1 had a value that is not finite; all values must be finite");
  }
}

// What is wrong on the device must not lead the kernel astray.
TEST(SharedLaunchTest, SurvivesABadPairing) {
  for (const int64_t bad : {int64_t{-1}, int64_t{9}, int64_t{1} << 62}) {
    for (int where : {0, 9, 18, 27}) {  // each of the plan's arrays
      SharedLaunch launch(9, 8);
      launch.plan()[where + 2] = bad;
      EXPECT_TRUE(std::isnan(launch.Run({}).loss)) << where << " " << bad;
      EXPECT_EQ(SharedViewFaults(launch.outputs().faults).message(),
                "pairing has an entry that is no row; entries are 0..N-1")
          << where << " " << bad;
    }
  }
}

TEST(FourViewLaunchTest, NamesWhatIsNotFinite) {
  const char* const names[] = {"p11", "p12", "p21", "p22",
                               "z11", "z12", "z21", "z22"};
  for (int v = 0; v < 8; ++v) {
    auto in = NormalBuffers<Half>(5, 24, 8);
    in[v](3, 20) = Half(std::numeric_limits<float>::infinity());
    const FourViews<Half> views = {in[0].rows(), in[1].rows(), in[2].rows(),
                                   in[3].rows(), in[4].rows(), in[5].rows(),
                                   in[6].rows(), in[7].rows()};
    EmulatedOutputs outputs(5);
    const FourViewGrads<Half>* none = nullptr;
    const auto args = PlanLoss(views, {}, none, outputs.Pointers());
    ASSERT_TRUE(args.ok()) << args.status();
    Emulate(*args, ShapeOf(*args));
    EXPECT_TRUE(std::isnan(outputs.loss));
    const std::string message(FourViewFaults(outputs.faults).message());
    EXPECT_EQ(message, std::string(names[v]) +
                           " had a value that is not finite; all values must "
                           "be finite");
  }
}

}  // namespace
}  // namespace gsg::cuda::internal
