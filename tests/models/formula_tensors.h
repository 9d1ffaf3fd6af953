// Tensors whose every element follows from a name: golden/formula.py has the
// same numbers.

#ifndef GSG_TESTS_MODELS_FORMULA_TENSORS_H_
#define GSG_TESTS_MODELS_FORMULA_TENSORS_H_

#include <cmath>
#include <cstdint>
#include <string>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "absl/strings/match.h"

namespace gsg {

// uniform() of formula.py, in float64.
inline at::Tensor Uniform(const std::string& name, at::IntArrayRef shape) {
  uint64_t hash = 0xCBF29CE484222325;
  for (unsigned char byte : name) hash = (hash ^ byte) * 0x100000001B3;
  at::Tensor t = at::empty(shape, at::kDouble);
  double* out = t.mutable_data_ptr<double>();
  for (int64_t i = 0; i < t.numel(); ++i) {
    uint64_t z = hash + static_cast<uint64_t>(i);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    out[i] = static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }
  return t;
}

// What fill() of formula.py does to one parameter or buffer.
inline void Fill(const std::string& name, at::Tensor t) {
  if (absl::EndsWith(name, "num_batches_tracked")) return;
  const at::Tensor u = Uniform(name, t.sizes());
  if (t.dim() >= 2) {
    const double fan_in = static_cast<double>(t[0].numel());
    t.copy_((u - 0.5) * std::sqrt(24.0 / fan_in));
  } else if (absl::EndsWith(name, "bias") ||
             absl::EndsWith(name, "running_mean")) {
    t.copy_(u - 0.5);
  } else {
    t.copy_(u + 0.5);
  }
}

}  // namespace gsg

#endif  // GSG_TESTS_MODELS_FORMULA_TENSORS_H_
