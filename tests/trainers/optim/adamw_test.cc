#include "trainers/optim/adamw.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/models/formula_tensors.h"

namespace gsg {
namespace {

at::Tensor Parameter(std::vector<double> values) {
  return at::tensor(values, at::kDouble).requires_grad_();
}

void SetGrad(at::Tensor parameter, const at::Tensor& gradient) {
  parameter.mutable_grad() = gradient;
}

TEST(AdamWTest, TwoStepsByHand) {
  at::Tensor w = Parameter({1});
  AdamW adamw({{{{"w", w}}, /*weight_decay=*/0.5, /*constant_lr=*/false}},
              /*beta1=*/0.5, /*beta2=*/0.75);
  SetGrad(w, at::tensor({2.0}, at::kDouble));
  adamw.Step(/*lr=*/0.1, /*peak_lr=*/9);
  // m = 1 and v = 1, corrected 1 / 0.5 = 2 and 1 / 0.25 = 4: a step of 0.1
  // from 1 - 0.1 * 0.5.
  EXPECT_NEAR(w.item<double>(), 0.85, 1e-9);
  SetGrad(w, at::tensor({-4.0}, at::kDouble));
  adamw.Step(0.2, 9);
  // m = 0.5 - 2 = -1.5 over 1 - 0.25; v = 0.75 + 4 over 1 - 0.5625.
  EXPECT_NEAR(w.item<double>(),
              0.85 * (1 - 0.2 * 0.5) + 0.2 * 2 / std::sqrt(4.75 / 0.4375),
              1e-9);
}

TEST(AdamWTest, TenStepsArePyTorchs) {
  std::map<std::string, at::Tensor> parameters;
  const std::vector<std::pair<std::string, std::vector<int64_t>>> shapes = {
      {"weight", {2, 3}}, {"bias", {4}}, {"rare", {2}}};
  for (const auto& [name, shape] : shapes) {
    parameters[name] = (Uniform(name, shape) - 0.5).requires_grad_();
  }
  AdamW adamw(
      {{{{"weight", parameters["weight"]}, {"rare", parameters["rare"]}},
        /*weight_decay=*/0.3,
        /*constant_lr=*/false},
       {{{"bias", parameters["bias"]}}, 0, false}},
      0.8, 0.95);
  std::ifstream golden("tests/trainers/optim/golden/adamw.txt");
  std::string line;
  for (int step = 0; step < 10; ++step) {
    adamw.ZeroGrad();
    for (const auto& [name, shape] : shapes) {
      if (name == "rare" && step % 3 != 0) continue;
      SetGrad(parameters[name],
              Uniform(absl::StrCat(name, " ", step), shape) - 0.5);
    }
    adamw.Step(0.1 / (1 + step), 9);
    for (const auto& [name, shape] : shapes) {
      ASSERT_TRUE(std::getline(golden, line)) << "step " << step;
      std::istringstream words(line);
      std::string which;
      words >> which;
      ASSERT_EQ(which, name);
      const at::Tensor got = parameters[name].detach().view(-1);
      for (int64_t i = 0; i < got.numel(); ++i) {
        double want;
        ASSERT_TRUE(words >> want);
        EXPECT_NEAR(got[i].item<double>(), want, 1e-12)
            << name << "[" << i << "], step " << step;
      }
    }
  }
  EXPECT_FALSE(std::getline(golden, line)) << line;
}

// Copying State() into a new optimizer continues bit for bit.
TEST(AdamWTest, StateIsEverything) {
  at::Tensor a = Parameter({1, -2}), b = Parameter({1, -2});
  AdamW first({{{{"w", a}}, 1e-2, false}}, 0.9, 0.999);
  AdamW second({{{{"w", b}}, 1e-2, false}}, 0.9, 0.999);
  for (int step = 0; step < 3; ++step) {
    SetGrad(a, at::tensor({0.3, 0.7 * step}, at::kDouble));
    first.Step(0.1, 0.1);
  }
  b.detach().copy_(a.detach());
  const auto state = first.State();
  ASSERT_EQ(state.size(), 3u);
  EXPECT_EQ(state[0].first, "w.exp_avg");
  EXPECT_EQ(state[1].first, "w.exp_avg_sq");
  EXPECT_EQ(state[2].first, "w.step");
  EXPECT_EQ(state[2].second.item<float>(), 3);
  for (size_t i = 0; i < state.size(); ++i) {
    second.State()[i].second.copy_(state[i].second);
  }
  for (at::Tensor w : {a, b}) SetGrad(w, at::tensor({-0.1, 0.2}, at::kDouble));
  first.Step(0.05, 0.1);
  second.Step(0.05, 0.1);
  EXPECT_TRUE(at::equal(a, b));
}

}  // namespace
}  // namespace gsg
