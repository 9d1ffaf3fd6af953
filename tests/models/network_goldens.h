// What the tests of the backbones share: files of golden/, and networks whose
// values are formula_tensors.h's.

#ifndef GSG_TESTS_MODELS_NETWORK_GOLDENS_H_
#define GSG_TESTS_MODELS_NETWORK_GOLDENS_H_

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
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

}  // namespace gsg

#endif  // GSG_TESTS_MODELS_NETWORK_GOLDENS_H_
