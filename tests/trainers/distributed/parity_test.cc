// Several ranks with a part of the batch each are one process with the whole.

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/pairing.h"
#include "gsg_core/random.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "models/backbone_options.h"
#include "tests/models/formula_tensors.h"
#include "tests/trainers/distributed/ranks.h"
#include "trainers/distributed/world.h"
#include "trainers/methods/method.h"
#include "trainers/methods/siamese_method.h"
#include "trainers/methods/target_network.h"
#include "trainers/optim/lars.h"
#include "trainers/optim/optimizer.h"
#include "trainers/optim/sgd.h"

namespace gsg {
namespace {

constexpr int kSteps = 10;
constexpr int64_t kImages = 8;

struct Case {
  const char* name;
  int views;
  Selection selection;
  bool momentum_encoder;
  bool lars;
  bool pair_across_ranks;
  int local_views = 0;
  int nearest_candidates = 0;
  bool bfloat16 = false;
};

SiameseMethodOptions Options(const Case& c) {
  SiameseMethodOptions options;
  ResNetOptions backbone;
  backbone.blocks = {1, 1};
  const int width = c.bfloat16 ? 8 : 4;  // 8 fused_batch_norm.h takes
  backbone.widths = {width, width};
  backbone.strides = {1, 2};
  backbone.stem = ResNetOptions::Stem::kSmall;
  options.network.backbone = backbone;
  options.network.projector = {2, 8, 8};
  options.network.predictor_hidden = 4;
  if (c.momentum_encoder) options.target = TargetOptions{0.9, /*cosine=*/true};
  options.weight_decay = 1e-2;
  options.constant_predictor_lr = true;
  options.bfloat16 = c.bfloat16;
  return options;
}

// Of the whole batch. Across ranks it is one cycle through all images; within
// ranks each part has its own, so that one process can have the same pairs.
std::vector<int64_t> Pairing(int step, int parts) {
  const int64_t n = kImages / parts;
  std::vector<int64_t> pairing;
  for (int part = 0; part < parts; ++part) {
    const std::vector<int64_t> own =
        CyclicPairing(n, StepSeed(step, part)).value();
    for (const int64_t i : own) pairing.push_back(part * n + i);
  }
  return pairing;
}

// The part of `rank` of `ranks`.
StepInput Input(const Case& c, int step, int rank, int ranks, int parts) {
  const int64_t n = kImages / ranks;
  StepInput input;
  std::vector<at::Tensor> global, local;
  for (int v = 0; v < c.views; ++v) {
    const std::string name = absl::StrCat("step ", step, " view ", v);
    global.push_back(
        (4 * Uniform(name, {kImages, 3, 4, 4}) - 2).narrow(0, rank * n, n));
  }
  for (int v = 0; v < c.local_views; ++v) {
    const std::string name = absl::StrCat("step ", step, " local view ", v);
    local.push_back(
        (4 * Uniform(name, {kImages, 3, 2, 2}) - 2).narrow(0, rank * n, n));
  }
  input.views.global = {at::cat(global), c.views};
  if (c.bfloat16) {
    input.views.global.pixels = input.views.global.pixels.to(c10::kFloat);
  }
  if (c.local_views > 0) input.views.local = {at::cat(local), c.local_views};
  const std::vector<int64_t> pairing = Pairing(step, parts);
  input.loss.seed = step;
  if (c.nearest_candidates > 0) {
    input.nearest_candidates = c.nearest_candidates;
  } else if (c.pair_across_ranks) {
    input.pairing = pairing;
  } else {
    for (int64_t i = rank * n; i < (rank + 1) * n; ++i) {
      input.pairing.push_back(pairing[i] - rank * n);
    }
  }
  input.loss.selection = c.selection;
  input.progress = static_cast<double>(step) / kSteps;
  return input;
}

// Losses, spreads and pair counts of the steps, then every tensor of the
// method and of the optimizer.
std::vector<double> Train(const Case& c, int parts, World& world) {
  std::unique_ptr<Method> method =
      MakeSiameseMethod(Options(c), c10::Device(c10::kCPU)).value();
  {
    const at::NoGradGuard no_grad;
    for (auto& [name, tensor] : method->State()) {
      if (tensor.is_floating_point() && !c.bfloat16) {
        tensor.set_data(tensor.to(c10::kDouble));
      }
      // Only the root's count.
      Fill(absl::StrCat(name, world.root() ? "" : "another"), tensor);
    }
  }
  method->SetTraining(true);
  if (world.size() > 1) {
    EXPECT_EQ(method->Join(&world, c.pair_across_ranks), absl::OkStatus());
  }
  std::unique_ptr<Optimizer> optimizer;
  if (c.lars) {
    optimizer = std::make_unique<Lars>(method->ParameterGroups(), 0.9, 0.01);
  } else {
    optimizer = std::make_unique<Sgd>(method->ParameterGroups(), 0.9);
  }
  std::vector<double> numbers;
  for (int step = 0; step < kSteps; ++step) {
    const absl::StatusOr<StepResult> result =
        method->Backward(Input(c, step, world.rank(), world.size(), parts));
    if (!result.ok()) {
      ADD_FAILURE() << result.status();
      return {};
    }
    numbers.push_back(result->loss);
    // Of float32 values in one process: see the comparison.
    numbers.push_back(result->feature_std);
    numbers.insert(numbers.end(), result->pair_count.begin(),
                   result->pair_count.end());
    optimizer->Step(/*lr=*/0.03, /*peak_lr=*/0.06);
    optimizer->ZeroGrad();
  }
  for (const auto& tensors : {method->State(), optimizer->State()}) {
    for (const auto& [name, tensor] : tensors) {
      const at::Tensor flat =
          tensor.detach().to(c10::kDouble).contiguous().view(-1);
      const double* values = flat.const_data_ptr<double>();
      numbers.insert(numbers.end(), values, values + flat.numel());
    }
  }
  return numbers;
}

class ParityTest : public testing::TestWithParam<std::tuple<Case, int>> {};

// In float64, where the two differ in the order of additions alone.
TEST_P(ParityTest, TenStepsAreOneProcesss) {
  const auto& [c, ranks] = GetParam();
  const Case& test_case = c;
  const int parts = c.pair_across_ranks ? 1 : ranks;
  const std::vector<double> whole = NumbersOfRanks(1, [&](World& world) {
    // One process pairs "across ranks" by the whole batch's pairing.
    return Train(test_case, parts, world);
  })[0];
  const auto by_rank = NumbersOfRanks(
      ranks, [&](World& world) { return Train(test_case, parts, world); });
  ASSERT_GT(whole.size(), size_t{7 * kSteps});
  for (int rank = 0; rank < ranks; ++rank) {
    const std::vector<double>& got = by_rank[rank];
    ASSERT_EQ(got.size(), whole.size()) << "rank " << rank;
    for (size_t i = 0; i < whole.size(); ++i) {
      // One process rounds projections to float32 before it measures their
      // spread, eps = 6e-8 each; it is a mean over dimensions.
      const bool spread = i < 7 * kSteps && i % 7 == 1;
      ASSERT_NEAR(got[i], whole[i], spread ? 1e-6 : 1e-9)
          << "rank " << rank << ", number " << i;
      // All ranks have the same network, to the last bit.
      ASSERT_EQ(got[i], by_rank[0][i]) << "rank " << rank << ", number " << i;
    }
  }
}

constexpr Selection kMin = Selection::kMin;

constexpr Case kCases[] = {
    {"simsiam", 2, Selection::kNone, false, false, false},
    {"shared", 2, kMin, false, false, false},
    {"four", 4, kMin, false, false, false},
    {"byol_lars", 2, kMin, true, true, false},
    {"world_shared", 2, kMin, false, false, true},
    {"world_four", 4, kMin, false, false, true},
    {"world_byol", 4, kMin, true, false, true},
    {"world_nearest_and_crops", 2, kMin, false, false, true, 1, 3},
};

std::string Name(const testing::TestParamInfo<ParityTest::ParamType>& info) {
  return std::get<0>(info.param).name;
}

INSTANTIATE_TEST_SUITE_P(TwoRanks, ParityTest,
                         testing::Combine(testing::ValuesIn(kCases),
                                          testing::Values(2)),
                         Name);
INSTANTIATE_TEST_SUITE_P(FourRanks, ParityTest,
                         testing::Combine(testing::Values(kCases[1], kCases[5]),
                                          testing::Values(4)),
                         Name);

// Two processes round other statistics to bfloat16's 8 bits than one does, so
// that now and then an activation moves by 2^-8 of itself; seven products on it
// is a loss that moves by less than that. Later steps start from other weights.
TEST(JoinedRanksTest, InBfloat16TheFirstStepIsOneProcesss) {
  for (const bool world : {false, true}) {
    SCOPED_TRACE(world);
    Case c{"", 2, kMin, false, false, world};
    c.bfloat16 = true;
    const std::vector<double> whole = NumbersOfRanks(
        1, [&](World& one) { return Train(c, world ? 1 : 2, one); })[0];
    const auto by_rank = NumbersOfRanks(
        2, [&](World& ranks) { return Train(c, world ? 1 : 2, ranks); });
    for (const std::vector<double>& got : by_rank) {
      ASSERT_EQ(got.size(), whole.size());
      EXPECT_NEAR(got[0], whole[0], std::exp2(-8)) << "loss";
      EXPECT_NEAR(got[1], whole[1], std::exp2(-8)) << "spread";
      EXPECT_EQ(got, by_rank[0]);
    }
  }
}

// The loss of one rank is not finite: that rank says so, and none waits.
TEST(JoinedRanksTest, ALossThatIsNotFiniteEndsAll) {
  const Case c{"", 2, kMin, false, false, false};
  const std::vector<RankOutcome> outcomes = RunRanks(3, [&](World& world) {
    std::unique_ptr<Method> method =
        MakeSiameseMethod(Options(c), c10::Device(c10::kCPU)).value();
    method->SetTraining(true);
    EXPECT_TRUE(method->Join(&world, false).ok());
    StepInput input;
    input.views.global = {Uniform("views", {4, 3, 4, 4}).to(c10::kFloat), 2};
    if (world.rank() == 1) input.views.global.view(0).fill_(NAN);
    input.pairing = {1, 0};
    const absl::Status status = method->Backward(input).status();
    return absl::StrCat(absl::StatusCodeToString(status.code()));
  });
  // BatchNorm's statistics spread it to all: the first says so.
  EXPECT_EQ(outcomes[0].text, "INVALID_ARGUMENT");
  EXPECT_EQ(outcomes[1].text, "ABORTED");
  EXPECT_EQ(outcomes[2].text, "ABORTED");
}

}  // namespace
}  // namespace gsg
