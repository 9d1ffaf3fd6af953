#include "models/fused_batch_norm.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/core/grad_mode.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/from_blob.h"
#include "ATen/ops/stack.h"
#include "c10/core/ScalarType.h"
#include "c10/util/Exception.h"
#include "gsg_core/half.h"
#include "models/batch_parts.h"
#include "models/device_batch_norm.h"
#include "models/internal/batch_norm_kernels.h"
#include "models/internal/batch_rows.h"
#include "models/threads_apart.h"
#include "torch/csrc/autograd/custom_function.h"

#ifndef INTRA_OP_PARALLEL
#error at::parallel_for is a loop on one thread: see openmp in bazel/cc.bzl
#endif

namespace gsg {
namespace {

using ::torch::autograd::AutogradContext;
using ::torch::autograd::variable_list;

using internal::In;
using internal::Out;

// x as rows of channels, cut into blocks that stay in the cache between two
// looks at them.
struct BatchRows {
  BatchRows(const at::Tensor& x, int64_t view_count)
      : channels(x.size(1)),
        views(view_count),
        rows(x.numel() / channels / views),
        block(std::max<int64_t>(1, 8192 / channels)),
        blocks((rows + block - 1) / block) {}

  // Calls work(view, block's number, first value, rows) on all threads.
  template <class Work>
  void ForEachBlock(const Work& work) const {
    at::parallel_for(0, views * blocks, 1, [&](int64_t item, int64_t end) {
      for (; item < end; ++item) {
        const int64_t view = item / blocks;
        const int64_t row = item % blocks * block;
        work(view, item, (view * rows + row) * channels,
             std::min(block, rows - row));
      }
    });
  }

  const int64_t channels;
  const int64_t views;
  const int64_t rows;    // of a view
  const int64_t block;   // rows of one, but for a view's last
  const int64_t blocks;  // of a view
};

// Two values of each channel for each of `count` blocks or views.
template <class T>
struct Pairs {
  Pairs(int64_t count, int64_t channels)
      : channels(channels), values(2 * count * channels) {}
  T* first(int64_t i) { return values.data() + 2 * i * channels; }
  T* second(int64_t i) { return first(i) + channels; }

  const int64_t channels;
  std::vector<T> values;
};

// What a view's channels are normalized by: y = x scale + shift. Each points to
// a value of each channel.
template <class T>
struct Normalization {
  T *mean, *inverse_std, *scale, *shift;

  // For channel c; without weight and bias they are 1 and 0.
  void Set(int64_t c, double mean_of, double var, double eps, const T* weight,
           const T* bias) const {
    const double inverse = 1 / std::sqrt(var + eps);
    const double factor = weight == nullptr ? inverse : inverse * weight[c];
    mean[c] = static_cast<T>(mean_of);
    inverse_std[c] = static_cast<T>(inverse);
    scale[c] = static_cast<T>(factor);
    shift[c] =
        static_cast<T>((bias == nullptr ? 0 : bias[c]) - mean_of * factor);
  }
};
constexpr int64_t kNormalizations = 4;

// In [views, 4, channels].
template <class T>
Normalization<T> NormalizationOf(T* data, int64_t view, int64_t channels) {
  T* const first = data + kNormalizations * view * channels;
  return {first, first + channels, first + 2 * channels, first + 3 * channels};
}

// Calls f(T{}) with the type of x's elements.
template <class F>
auto WithElement(const at::Tensor& x, const F& f) {
  return x.scalar_type() == c10::kBFloat16 ? f(BFloat16{}) : f(float{});
}

// y = x scale + shift [+ residual] [, at least 0], with each view's of
// `normalizations`. y may be x.
void ScaleAndShift(const BatchRows& r, const at::Tensor& x,
                   const at::Tensor& residual, const float* normalizations,
                   bool relu, const at::Tensor& y) {
  at::Tensor added;
  if (residual.defined()) added = internal::LaidOutLike(residual, x);
  WithElement(x, [&](auto element) {
    using T = decltype(element);
    const T* const from = In<T>(x);
    const T* const add = In<T>(added);
    T* const to = Out<T>(y);
    r.ForEachBlock([&](int64_t v, int64_t, int64_t at, int64_t rows) {
      const auto of_view = NormalizationOf(normalizations, v, r.channels);
      internal::ScaleAndShift(from + at, add == nullptr ? nullptr : add + at,
                              of_view.scale, of_view.shift, relu, rows,
                              r.channels, to + at);
    });
  });
}

// Mean and sum of squared distances from it of each view.
template <class T>
Pairs<double> Statistics(const BatchRows& r, const T* x) {
  Pairs<float> blocks(r.views * r.blocks, r.channels);
  r.ForEachBlock([&](int64_t, int64_t b, int64_t at, int64_t rows) {
    internal::BlockStatistics(x + at, rows, r.channels, blocks.first(b),
                              blocks.second(b));
  });
  // Without the cancellation of E[x^2] - E[x]^2 (Chan, Golub, LeVeque, 1979).
  Pairs<double> views(r.views, r.channels);
  for (int64_t v = 0; v < r.views; ++v) {
    double* const mean = views.first(v);
    double* const square = views.second(v);
    const auto for_each = [&](const auto& add) {
      for (int64_t b = 0; b < r.blocks; ++b) {
        const double rows = std::min(r.block, r.rows - b * r.block);
        const float* const block_mean = blocks.first(v * r.blocks + b);
        const float* const block_square = blocks.second(v * r.blocks + b);
        for (int64_t c = 0; c < r.channels; ++c) {
          add(c, rows, block_mean[c], block_square[c]);
        }
      }
    };
    for_each([&](int64_t c, double rows, double m, double) {
      mean[c] += rows / r.rows * m;
    });
    for_each([&](int64_t c, double rows, double m, double s) {
      square[c] += s + rows * (m - mean[c]) * (m - mean[c]);
    });
  }
  return views;
}

// Those of each part: [parts, views, 2, channels].
at::Tensor Gather(BatchParts& parts, Pairs<double>& mine) {
  const int64_t views =
      static_cast<int64_t>(mine.values.size()) / (2 * mine.channels);
  return parts.Gather(at::from_blob(mine.values.data(),
                                    {views, 2, mine.channels}, c10::kDouble));
}

void Assign(const at::Tensor& values, Pairs<double>& pairs) {
  const at::Tensor flat = values.contiguous();
  std::copy_n(flat.const_data_ptr<double>(), flat.numel(),
              pairs.values.begin());
}

// Makes the statistics of a part, of `rows` rows a view, those of the batch.
// Returns the batch's rows.
int64_t OfAllParts(BatchParts& parts, int64_t rows, Pairs<double>& statistics) {
  const at::Tensor all = Gather(parts, statistics);
  const at::Tensor means = all.select(2, 0);
  const at::Tensor mean = means.mean(0);
  const at::Tensor square =
      means.sub(mean).square_().mul_(rows).add_(all.select(2, 1)).sum(0);
  Assign(at::stack({mean, square}, 1), statistics);
  return rows * all.size(0);
}

void UpdateRunning(const FusedBatchNorm& options, int64_t rows,
                   Pairs<double>& statistics) {
  float* const mean = options.running_mean.mutable_data_ptr<float>();
  float* const var = options.running_var.mutable_data_ptr<float>();
  const double keep = 1 - options.momentum;
  for (int64_t v = 0; v < options.views; ++v) {
    for (int64_t c = 0; c < statistics.channels; ++c) {
      const double unbiased = statistics.second(v)[c] / (rows - 1);
      mean[c] = static_cast<float>(keep * mean[c] +
                                   options.momentum * statistics.first(v)[c]);
      var[c] = static_cast<float>(keep * var[c] + options.momentum * unbiased);
    }
  }
}

class Fused : public torch::autograd::Function<Fused> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x,
                            const std::optional<at::Tensor>& residual,
                            const std::optional<at::Tensor>& weight,
                            const std::optional<at::Tensor>& bias,
                            const FusedBatchNorm& options) {
    const BatchRows r(x, options.views);
    Pairs<double> statistics = WithElement(x, [&](auto element) {
      return Statistics(r, In<decltype(element)>(x));
    });
    const int64_t rows = options.parts == nullptr
                             ? r.rows
                             : OfAllParts(*options.parts, r.rows, statistics);
    InOrder([options, rows, statistics]() mutable {
      UpdateRunning(options, rows, statistics);
    });

    const at::Tensor normalization = at::empty(
        {r.views, kNormalizations, r.channels}, x.options().dtype(c10::kFloat));
    float* const values = normalization.mutable_data_ptr<float>();
    const float* const w = In<float>(weight.value_or(at::Tensor()));
    const float* const b = In<float>(bias.value_or(at::Tensor()));
    for (int64_t v = 0; v < r.views; ++v) {
      const Normalization<float> to = NormalizationOf(values, v, r.channels);
      for (int64_t c = 0; c < r.channels; ++c) {
        to.Set(c, statistics.first(v)[c], statistics.second(v)[c] / rows,
               options.eps, w, b);
      }
    }

    at::Tensor y = at::empty_like(x);
    ScaleAndShift(r, x, residual.value_or(at::Tensor()), values, options.relu,
                  y);
    // Without a residual the ReLU's mask follows from x.
    const bool needs_y = options.relu && residual.has_value();
    ctx->save_for_backward({x, needs_y ? y : at::Tensor(),
                            weight.value_or(at::Tensor()), normalization});
    ctx->saved_data["views"] = r.views;
    ctx->saved_data["relu"] = options.relu;
    ctx->saved_data["residual"] = residual.has_value();
    ctx->saved_data["parts"] = reinterpret_cast<int64_t>(options.parts);
    return y;
  }

  // With R values a channel and xhat = (x - mean) / std, in each view:
  //   dbias = sum g;  dweight = sum g xhat;
  //   dx = weight / std (g - sum g / R - xhat sum (g xhat) / R),
  // where g is the residual's gradient: dy where y > 0. In dx, R and the sums
  // are of all parts of the batch.
  static variable_list backward(AutogradContext* ctx,
                                const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[2];
    const BatchRows r(x, ctx->saved_data["views"].toInt());
    const bool has_residual = ctx->saved_data["residual"].toBool();
    const at::Tensor dy = internal::LaidOutLike(gradients[0], x);
    const at::Tensor& y = saved[1];
    const auto of_view = [&](int64_t v) {
      return NormalizationOf(saved[3].const_data_ptr<float>(), v, r.channels);
    };
    const bool line = ctx->saved_data["relu"].toBool() && !y.defined();
    const auto line_of = [&](int64_t v) -> internal::ReluLine {
      if (!line) return {nullptr, nullptr};
      return {of_view(v).scale, of_view(v).shift};
    };

    // The residual's gradient.
    const at::Tensor masked = y.defined() ? at::empty_like(x) : dy;
    Pairs<float> blocks(r.views * r.blocks, r.channels);
    WithElement(x, [&](auto element) {
      using T = decltype(element);
      const T* const from = In<T>(dy);
      const T* const input = In<T>(x);
      const T* const output = In<T>(y);
      T* const g = output == nullptr ? nullptr : Out<T>(masked);
      r.ForEachBlock([&](int64_t v, int64_t b, int64_t at, int64_t rows) {
        internal::GradientSums(
            from + at, input + at, output == nullptr ? nullptr : output + at,
            line_of(v), of_view(v).mean, rows, r.channels,
            g == nullptr ? nullptr : g + at, blocks.first(b), blocks.second(b));
      });
    });

    Pairs<double> sums(r.views, r.channels);
    for (int64_t b = 0; b < r.views * r.blocks; ++b) {
      for (int64_t c = 0; c < r.channels; ++c) {
        sums.first(b / r.blocks)[c] += blocks.first(b)[c];
        sums.second(b / r.blocks)[c] += blocks.second(b)[c];
      }
    }
    std::vector<double> dweight(r.channels), dbias(r.channels);
    for (int64_t v = 0; v < r.views; ++v) {
      for (int64_t c = 0; c < r.channels; ++c) {
        dbias[c] += sums.first(v)[c];
        dweight[c] += sums.second(v)[c] * of_view(v).inverse_std[c];
      }
    }
    int64_t all_rows = r.rows;
    if (auto* parts =
            reinterpret_cast<BatchParts*>(ctx->saved_data["parts"].toInt())) {
      const at::Tensor all = Gather(*parts, sums);
      Assign(all.sum(0), sums);
      all_rows *= all.size(0);
    }
    std::vector<float> scale(r.views * r.channels), slope(scale), shift(scale);
    const float* const w = In<float>(weight);
    for (int64_t v = 0; v < r.views; ++v) {
      for (int64_t c = 0; c < r.channels; ++c) {
        const double inverse_std = of_view(v).inverse_std[c];
        const double product = sums.second(v)[c] * inverse_std;
        const double factor = w == nullptr ? inverse_std : inverse_std * w[c];
        const int64_t i = v * r.channels + c;
        scale[i] = static_cast<float>(factor);
        slope[i] =
            static_cast<float>(-factor * inverse_std * product / all_rows);
        shift[i] = static_cast<float>(-factor * sums.first(v)[c] / all_rows);
      }
    }
    at::Tensor dx = at::empty_like(x);
    WithElement(x, [&](auto element) {
      using T = decltype(element);
      const T* const g = In<T>(masked);
      const T* const input = In<T>(x);
      T* const to = Out<T>(dx);
      r.ForEachBlock([&](int64_t v, int64_t, int64_t at, int64_t rows) {
        const int64_t c = v * r.channels;
        internal::InputGradient(g + at, input + at, line_of(v), of_view(v).mean,
                                scale.data() + c, slope.data() + c,
                                shift.data() + c, rows, r.channels, to + at);
      });
    });

    const auto parameter = [&](const std::vector<double>& values) {
      if (!weight.defined()) return at::Tensor();
      at::Tensor gradient = at::empty({r.channels}, weight.options());
      std::copy(values.begin(), values.end(),
                gradient.mutable_data_ptr<float>());
      return gradient;
    };
    return {dx, has_residual ? masked : at::Tensor(), parameter(dweight),
            parameter(dbias), at::Tensor()};
  }
};

// By the kernels of internal/batch_norm_kernels.h?
bool CpuTakes(const at::Tensor& x, const FusedBatchNorm& options) {
  if (x.scalar_type() != c10::kFloat && x.scalar_type() != c10::kBFloat16) {
    return false;
  }
  return internal::TensorsFit(x, options) &&
         x.size(1) % internal::kBatchNormLanes == 0;
}

bool IsHeldOnce(const at::Tensor& x) {
  return x.use_count() == 1 && x.storage().use_count() == 1;
}

}  // namespace

bool CanFuse(const at::Tensor& x, const FusedBatchNorm& options) {
  if (x.device().is_cpu()) {
    return CpuTakes(x, options) && internal::HasStatistics(x, options);
  }
  return x.device().is_cuda() && Gpu() != nullptr && options.parts == nullptr &&
         KernelsTake(x, options);
}

at::Tensor NormalizeBatch(const at::Tensor& x, const FusedBatchNorm& options) {
  TORCH_INTERNAL_ASSERT(CanFuse(x, options));
  if (!x.device().is_cpu()) {
    return NormalizeBatchBy(Gpu()->batch_norm, x, options);
  }
  if (options.batches.defined()) {
    InOrder([batches = options.batches, views = options.views] {
      batches.add_(views);
    });
  }
  return Fused::apply(x, internal::IfDefined(options.residual),
                      internal::IfDefined(options.weight),
                      internal::IfDefined(options.bias), options);
}

bool CanEvaluate(const at::Tensor& x, const FusedBatchNorm& options) {
  return x.device().is_cpu() && !at::GradMode::is_enabled() && x.numel() > 0 &&
         options.views == 1 && CpuTakes(x, options);
}

at::Tensor EvaluateBatchNorm(at::Tensor x, const FusedBatchNorm& options) {
  TORCH_INTERNAL_ASSERT(CanEvaluate(x, options));
  const BatchRows r(x, /*view_count=*/1);
  std::vector<float> values(kNormalizations * r.channels);
  const float* const mean = In<float>(options.running_mean);
  const float* const var = In<float>(options.running_var);
  const auto of_channel =
      NormalizationOf(values.data(), /*view=*/0, r.channels);
  for (int64_t c = 0; c < r.channels; ++c) {
    of_channel.Set(c, mean[c], var[c], options.eps, In<float>(options.weight),
                   In<float>(options.bias));
  }
  const at::Tensor y = IsHeldOnce(x) ? x : at::empty_like(x);
  ScaleAndShift(r, x, options.residual, values.data(), options.relu, y);
  return y;
}

}  // namespace gsg
