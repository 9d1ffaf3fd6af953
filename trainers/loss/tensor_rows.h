// How gsg_core sees tensors: their memory as rows.

#ifndef GSG_TRAINERS_LOSS_TENSOR_ROWS_H_
#define GSG_TRAINERS_LOSS_TENSOR_ROWS_H_

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "gsg_core/half.h"
#include "gsg_core/rows.h"

namespace gsg {

// What gsg_core computes with.
inline bool IsReal(c10::ScalarType type) {
  return type == c10::kFloat || type == c10::kDouble || type == c10::kHalf ||
         type == c10::kBFloat16;
}
inline constexpr absl::string_view kRealTypes = "Float, Double, Half, BFloat16";

// f(T()) with gsg_core's T for `type`, one of these.
template <typename F>
auto ForType(c10::ScalarType type, const F& f) {
  if (type == c10::kDouble) return f(double{});
  if (type == c10::kHalf) return f(Half{});
  if (type == c10::kBFloat16) return f(BFloat16{});
  return f(float{});
}

// Of a contiguous [N, D] tensor of T, wherever its memory is.
template <typename T>
Rows<T> RowsOf(const at::Tensor& t) {
  // The 16-bit types have the layout of LibTorch's.
  return Rows<T>(static_cast<T*>(t.data_ptr()), t.size(0), t.size(1));
}

// On the CPU, contiguous, outside autograd; no copy if it is so already.
inline std::vector<at::Tensor> OnCpu(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& t : tensors) {
    result.push_back(t.detach().cpu().contiguous());
  }
  return result;
}

}  // namespace gsg

#endif  // GSG_TRAINERS_LOSS_TENSOR_ROWS_H_
