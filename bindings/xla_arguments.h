#ifndef GSG_BINDINGS_XLA_ARGUMENTS_H_
#define GSG_BINDINGS_XLA_ARGUMENTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "gsg_core/rows.h"
#include "xla/ffi/api/ffi.h"

// What gsg.jax gives to its handlers, wherever the buffers lie. It gives what
// they expect; whoever calls them otherwise gets an InvalidArgument.
namespace gsg::xla_arguments {

using Buffers = std::vector<xla::ffi::AnyBuffer>;

// As XLA's macros want it.
xla::ffi::Error ToError(const absl::Status& status);

inline absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

absl::StatusOr<Buffers> ToBuffers(const xla::ffi::RemainingArgs& args);
absl::StatusOr<Buffers> ToBuffers(const xla::ffi::RemainingRets& rets);

// All are [N, D], of the first one's type.
absl::Status CheckMatrices(absl::Span<const xla::ffi::AnyBuffer> matrices);

template <typename T>
Rows<T> RowsOf(const xla::ffi::AnyBuffer& matrix) {
  const int64_t rows = matrix.dimensions()[0], cols = matrix.dimensions()[1];
  return {static_cast<T*>(matrix.untyped_data()), rows, cols, cols};
}

template <typename T>
std::vector<Rows<T>> RowsOfAll(absl::Span<const xla::ffi::AnyBuffer> matrices) {
  std::vector<Rows<T>> rows;
  for (const xla::ffi::AnyBuffer& matrix : matrices) {
    rows.push_back(RowsOf<T>(matrix));
  }
  return rows;
}

// f(T{}) for the T of a floating-point type.
template <typename F>
absl::Status Visit(xla::ffi::DataType type, const F& f) {
  switch (type) {
    case xla::ffi::F16:
      return f(Half{});
    case xla::ffi::BF16:
      return f(BFloat16{});
    case xla::ffi::F32:
      return f(float{});
    case xla::ffi::F64:
      return f(double{});
    default:
      return absl::InvalidArgumentError(
          "views must be float16, bfloat16, float32 or float64");
  }
}

// The pairing whose `count` integers of `type` are at `values`, on the host.
absl::StatusOr<std::vector<int64_t>> ToPairing(xla::ffi::DataType type,
                                               const void* values,
                                               size_t count);

// A seed is uint32 [3]: the low half, the high half, and 1 if it is negative.
inline constexpr size_t kSeedWords = 3;
absl::Status CheckSeed(const xla::ffi::AnyBuffer& seed);

// Of kSeedWords on the host.
absl::StatusOr<uint64_t> ToSeed(const uint32_t* words);

// A call of the loss.
struct LossCall {
  xla::ffi::AnyBuffer seed;
  std::optional<xla::ffi::AnyBuffer> pairing;  // with two z, if it was given
  Buffers z;                                   // 2 or 4
  Buffers p;      // as many, and with two z behind them local views
  Buffers grads;  // as p, or none
  xla::ffi::AnyBuffer loss;
};

// args: seed, [pairing,] z, p. rets: the loss and, if wanted, the gradients in
// p.
absl::StatusOr<LossCall> ToLossCall(int64_t projections, bool paired,
                                    const xla::ffi::RemainingArgs& args,
                                    const xla::ffi::RemainingRets& rets);

// The buffers of a call as rows of T, which is their type. It is not copied:
// its gradients refer to it.
template <typename T>
class LossRows {
 public:
  explicit LossRows(const LossCall& call)
      : p_(RowsOfAll<const T>(call.p)),
        z_(RowsOfAll<const T>(call.z)),
        grads_(RowsOfAll<T>(call.grads)) {
    if (grads_.empty()) return;
    if (is_four()) {
      four_grads_ = {grads_[0], grads_[1], grads_[2], grads_[3]};
    } else {
      shared_grads_ = {grads_[0], grads_[1],
                       absl::MakeConstSpan(grads_).subspan(2)};
    }
  }
  LossRows(const LossRows&) = delete;
  LossRows& operator=(const LossRows&) = delete;

  bool is_four() const { return z_.size() == 4; }

  // Of shared views the first two are p1, p2 and z1, z2.
  const std::vector<Rows<const T>>& p() const { return p_; }
  const std::vector<Rows<const T>>& z() const { return z_; }
  absl::Span<const Rows<const T>> local_p() const {
    return absl::MakeConstSpan(p_).subspan(2);
  }

  FourViews<T> four() const {
    return {p_[0], p_[1], p_[2], p_[3], z_[0], z_[1], z_[2], z_[3]};
  }

  // Null if no gradients are wanted.
  FourViewGrads<T>* four_grads() {
    return grads_.empty() ? nullptr : &four_grads_;
  }
  SharedGrads<T>* shared_grads() {
    return grads_.empty() ? nullptr : &shared_grads_;
  }

 private:
  std::vector<Rows<const T>> p_, z_;
  std::vector<Rows<T>> grads_;
  FourViewGrads<T> four_grads_;
  SharedGrads<T> shared_grads_;
};

// The attributes of the loss and its buffers, behind what a handler has of its
// own.
template <typename Binding>
auto BindLoss(Binding binding) {
  return std::move(binding)
      .template Attr<std::string_view>("distance")
      .template Attr<std::string_view>("selection")
      .template Attr<double>("temperature")
      .template Attr<double>("margin")
      .template Attr<int64_t>("threads")
      .template Attr<bool>("half")
      .template Attr<int64_t>("projections")
      .template Attr<bool>("paired")
      .RemainingArgs()
      .RemainingRets();
}

}  // namespace gsg::xla_arguments

#endif  // GSG_BINDINGS_XLA_ARGUMENTS_H_
