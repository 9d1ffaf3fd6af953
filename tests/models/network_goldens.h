// What the tests of the backbones share: files of golden/, and networks whose
// values are formula_tensors.h's.

#ifndef GSG_TESTS_MODELS_NETWORK_GOLDENS_H_
#define GSG_TESTS_MODELS_NETWORK_GOLDENS_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "models/backbone.h"
#include "tests/models/formula_tensors.h"
#include "torch/nn/module.h"
#include "torch/utils.h"

namespace gsg {

inline std::vector<std::string> GoldenLines(const std::string& file) {
  std::ifstream in("tests/models/golden/" + file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  EXPECT_FALSE(lines.empty()) << file;
  return lines;
}

inline std::string NameAndShape(const std::string& kind,
                                const std::string& name, const at::Tensor& t) {
  return absl::StrCat(kind, " ", name, " ",
                      t.dim() == 0 ? "scalar" : absl::StrJoin(t.sizes(), "x"));
}

inline std::vector<std::string> NamesAndShapes(
    const torch::nn::Module& module) {
  std::vector<std::string> lines;
  for (const auto& item : module.named_parameters()) {
    lines.push_back(NameAndShape("parameter", item.key(), item.value()));
  }
  for (const auto& item : module.named_buffers()) {
    lines.push_back(NameAndShape("buffer", item.key(), item.value()));
  }
  return lines;
}

inline int64_t ParameterCount(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const at::Tensor& p : module.parameters()) count += p.numel();
  return count;
}

inline void FillAll(torch::nn::Module& module) {
  torch::NoGradGuard no_grad;
  for (const auto& item : module.named_parameters()) {
    Fill(item.key(), item.value());
  }
  for (const auto& item : module.named_buffers()) {
    Fill(item.key(), item.value());
  }
}

// The golden numbers of a case: its features, and gradients by name.
struct Golden {
  std::vector<double> features;
  std::map<std::string, std::vector<double>> gradients;
};

// Those of vit.txt or convnext.txt, by case.
inline std::map<std::string, Golden> ReadGoldens(const std::string& file) {
  std::map<std::string, Golden> goldens;
  for (const std::string& line : GoldenLines(file)) {
    std::istringstream words(line);
    std::string name, kind, parameter;
    words >> name >> kind;
    if (kind == "gradient") words >> parameter;
    std::vector<double>& values = kind == "features"
                                      ? goldens[name].features
                                      : goldens[name].gradients[parameter];
    for (double value; words >> value;) values.push_back(value);
  }
  return goldens;
}

// In float64 to rounding. In float32, as it is trained, to 1e-4 of what is
// compared: a feature's deviation, a gradient's norm.
inline void ExpectGolden(const Golden& golden, Backbone& net,
                         const std::vector<int64_t>& input,
                         at::ScalarType type) {
  const double tolerance = type == at::kDouble ? 1e-9 : 1e-4;
  net.module().to(type);
  FillAll(net.module());
  const at::Tensor y = net.forward((Uniform("input", input) - 0.5).to(type));
  ASSERT_EQ(y.sizes(), at::IntArrayRef({input[0], net.feature_dim()}));
  std::vector<double> got;
  for (int i = 0; i < 8; ++i) got.push_back(y[0][i].item<double>());
  got.push_back(y.mean().item<double>());
  got.push_back(y.std(/*unbiased=*/false).item<double>());
  ASSERT_EQ(golden.features.size(), got.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], golden.features[i], tolerance * got.back()) << i;
  }
  if (golden.gradients.empty()) return;
  (y * Uniform("direction", y.sizes()).to(type)).sum().backward();
  for (const auto& item : net.module().named_parameters()) {
    const at::Tensor g = item.value().grad().to(at::kDouble);
    const std::vector<double>& want = golden.gradients.at(item.key());
    EXPECT_NEAR(g.norm().item<double>(), want[0], tolerance * want[0])
        << item.key();
    // A product with a row of values below a half in size.
    EXPECT_NEAR(
        (g * (Uniform(item.key(), g.sizes()) - 0.5)).sum().item<double>(),
        want[1], tolerance * want[0] * std::sqrt(g.numel()) / 2)
        << item.key();
  }
}

}  // namespace gsg

#endif  // GSG_TESTS_MODELS_NETWORK_GOLDENS_H_
