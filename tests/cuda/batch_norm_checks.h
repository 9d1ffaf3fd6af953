// Batch normalization by definition, in double, and what is compared with it:
// on a host and on a GPU.

#ifndef GSG_TESTS_CUDA_BATCH_NORM_CHECKS_H_
#define GSG_TESTS_CUDA_BATCH_NORM_CHECKS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <type_traits>
#include <vector>

#include "cuda/batch_norm.h"
#include "gsg_core/half.h"
#include "gtest/gtest.h"

namespace gsg::cuda {

struct NormCase {
  const char* name;
  BatchNormShape shape;
  bool affine = true;
  bool residual = false;
  bool relu = false;
};

inline const NormCase kNormCases[] = {
    {"features", {1, 12, 16}},
    {"features of two views, relu", {2, 9, 24}, true, false, true},
    {"no affine", {3, 8, 16}, false},
    {"many columns", {2, 40, 2048}, true, false, true},
    {"a tile that is cut off", {2, 77, 88}, true, true, true},
    {"residual", {2, 15, 8}, true, true, false},
    {"residual, relu", {2, 1000, 64}, true, true, true},
    {"more rows than blocks", {2, 30011, 8}, true, true, true},
    {"many parts", {1, 50021, 64}, true, false, true},
};

// Everything that goes in and comes out.
template <typename T>
struct NormData {
  std::vector<T> x, residual, dy;
  std::vector<float> weight, bias, running_mean, running_var;

  std::vector<T> y, dx, dresidual;
  std::vector<float> mean, inverse_std, dweight, dbias;
  std::vector<uint8_t> positive;
  std::vector<int64_t> batches;
};

inline constexpr float kNormEps = 1e-5f, kNormMomentum = 0.3f;

// Values far from zero, where E[x^2] - E[x]^2 would lose three digits.
template <typename T>
NormData<T> MakeNormData(const NormCase& c) {
  const size_t n = c.shape.views * c.shape.rows * c.shape.channels;
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  const auto fill = [&](auto& values, size_t count, float scale, float shift) {
    values.resize(count);
    for (auto& value : values) {
      value = std::decay_t<decltype(value)>(shift + scale * normal(random));
    }
  };
  NormData<T> data;
  fill(data.x, n, 0.5f, 10);
  fill(data.residual, n, 0.5f, 0);
  fill(data.dy, n, 0.5f, 0.1f);
  const size_t channels = c.shape.channels;
  fill(data.weight, channels, 0.2f, 1);
  fill(data.bias, channels, 0.5f, 0);
  data.running_mean.assign(channels, 0);
  data.running_var.assign(channels, 1);
  data.batches.assign(1, 5);
  data.y.resize(n);
  data.dx.resize(n);
  data.dresidual.resize(n);
  data.mean.resize(c.shape.views * channels);
  data.inverse_std.resize(c.shape.views * channels);
  data.dweight.resize(channels);
  data.dbias.resize(channels);
  data.positive.resize(BatchNormMaskBytes<T>(c.shape));
  return data;
}

// The arguments of a case, with pointers to arrays that `at` says the place of.
template <typename T, typename At>
BatchNormForward<T> ForwardOf(const NormCase& c, NormData<T>& data, void* work,
                              const At& at) {
  BatchNormForward<T> f;
  f.x = at(data.x);
  if (c.residual) f.residual = at(data.residual);
  if (c.affine) f.weight = at(data.weight);
  if (c.affine) f.bias = at(data.bias);
  f.eps = kNormEps;
  f.relu = c.relu;
  f.running_mean = at(data.running_mean);
  f.running_var = at(data.running_var);
  f.momentum = kNormMomentum;
  f.batches = at(data.batches);
  f.y = at(data.y);
  f.mean = at(data.mean);
  f.inverse_std = at(data.inverse_std);
  f.positive = at(data.positive);
  f.workspace = work;
  return f;
}

template <typename T, typename At>
BatchNormBackward<T> BackwardOf(const NormCase& c, NormData<T>& data,
                                void* work, const At& at) {
  BatchNormBackward<T> b;
  b.dy = at(data.dy);
  b.x = at(data.x);
  if (c.affine) b.weight = at(data.weight);
  b.mean = at(data.mean);
  b.inverse_std = at(data.inverse_std);
  if (c.relu) b.positive = at(data.positive);
  b.dx = at(data.dx);
  if (c.residual) b.dresidual = at(data.dresidual);
  b.dweight = at(data.dweight);
  b.dbias = at(data.dbias);
  b.workspace = work;
  return b;
}

template <typename T>
void ExpectNear(const std::vector<T>& got, const std::vector<double>& want,
                double tolerance, const char* what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  double largest = 0;
  for (double w : want) largest = std::max(largest, std::abs(w));
  for (size_t i = 0; i < want.size(); ++i) {
    const double g = static_cast<float>(got[i]);
    // `not below`: NaN is an error, too.
    if (!(std::abs(g - want[i]) <= tolerance * largest)) {
      FAIL() << what << "[" << i << "] is " << g << "; want " << want[i];
    }
  }
}

// x itself is near 10, of which its spread is a twentieth. Results are rounded
// to T.
template <typename T>
void CheckNorm(const NormCase& c, const NormData<T>& data) {
  const auto [views, rows, channels] = c.shape;
  const size_t n = data.x.size();
  std::vector<double> y(n), dx(n), dresidual(n), dweight(channels),
      dbias(channels), running_mean(channels), running_var(channels, 1);
  for (int64_t v = 0; v < views; ++v) {
    for (int64_t c_ = 0; c_ < channels; ++c_) {
      const auto at = [&](int64_t r) { return (v * rows + r) * channels + c_; };
      double mean = 0, var = 0;
      for (int64_t r = 0; r < rows; ++r) {
        mean += static_cast<double>(static_cast<float>(data.x[at(r)])) / rows;
      }
      const auto distance = [&](int64_t r) {
        return static_cast<double>(static_cast<float>(data.x[at(r)])) - mean;
      };
      for (int64_t r = 0; r < rows; ++r)
        var += distance(r) * distance(r) / rows;
      const double inverse_std = 1 / std::sqrt(var + kNormEps);
      const double weight = c.affine ? data.weight[c_] : 1;
      const double bias = c.affine ? data.bias[c_] : 0;
      running_mean[c_] += kNormMomentum * (mean - running_mean[c_]);
      running_var[c_] +=
          kNormMomentum * (var * rows / (rows - 1) - running_var[c_]);
      double sum = 0, product = 0;
      for (int64_t r = 0; r < rows; ++r) {
        const size_t i = at(r);
        y[i] = distance(r) * inverse_std * weight + bias;
        if (c.residual) y[i] += static_cast<float>(data.residual[i]);
        // Near zero rounding decides where the gradient passes: ours says.
        const bool passes = !c.relu || static_cast<float>(data.y[i]) > 0;
        if (c.relu) y[i] = std::max(y[i], 0.);
        dresidual[i] = passes ? static_cast<float>(data.dy[i]) : 0;
        sum += dresidual[i];
        product += dresidual[i] * distance(r) * inverse_std;
      }
      dbias[c_] += sum;
      dweight[c_] += product;
      for (int64_t r = 0; r < rows; ++r) {
        dx[at(r)] = weight * inverse_std *
                    (dresidual[at(r)] - sum / rows -
                     distance(r) * inverse_std * product / rows);
      }
    }
  }
  const double rounding = std::is_same_v<T, Half>       ? 0x1p-11
                          : std::is_same_v<T, BFloat16> ? 0x1p-8
                                                        : 0;
  const double tolerance = 5e-5 + rounding;
  ExpectNear(data.y, y, tolerance, "y");
  ExpectNear(data.dx, dx, tolerance, "dx");
  if (c.residual && c.relu) {
    ExpectNear(data.dresidual, dresidual, 0, "dresidual");
  }
  ExpectNear(data.dweight, dweight, 5e-5, "dweight");
  ExpectNear(data.dbias, dbias, 5e-5, "dbias");
  ExpectNear(data.running_mean, running_mean, 1e-6, "running_mean");
  ExpectNear(data.running_var, running_var, 5e-5, "running_var");
  EXPECT_EQ(data.batches[0], 5 + views);
}

}  // namespace gsg::cuda

#endif  // GSG_TESTS_CUDA_BATCH_NORM_CHECKS_H_
