// GuidedLoss, forward and backward in float32, and for four views in 16 bits,
// beside two rivals in the same
// run: memcpy moving the same number of bytes, and the formula as one would
// write it in Eigen. bytes_per_second counts each input read once and each
// gradient written once (for memcpy: source read, destination written), so that
// times of equal N, D and threads compare directly.
//
//   bazel run -c opt //benchmarks:guided_loss -- --benchmark_repetitions=10
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "Eigen/Core"
#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "gsg_core/eigen.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "gsg_core/nearest_pairing.h"
#include "gsg_core/pairing.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "gsg_core/thread_pool.h"

namespace gsg {
namespace {

using Matrix =
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Column = Eigen::VectorXf;

// Elements in -1..1, by a generator that costs less than what is measured.
std::vector<Matrix> RandomMatrices(int count, int64_t n, int64_t d) {
  std::minstd_rand generator(1);
  constexpr float kScale = 2.0f / std::minstd_rand::max();
  std::vector<Matrix> matrices(count);
  for (Matrix& m : matrices) {
    m = Matrix::NullaryExpr(n, d, [&] { return kScale * generator() - 1; });
  }
  return matrices;
}

// Arguments of every benchmark: N, D, threads.
void Sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"N", "D", "threads"});
  for (int64_t n : {512, 4096}) {
    for (int64_t threads : {1, 2}) b->Args({n, 2048, threads});
  }
  b->UseRealTime()->Unit(benchmark::kMicrosecond);
}

// Of `matrices` [N, D] arrays.
void CountBytes(benchmark::State& state, int64_t matrices,
                int64_t element = sizeof(float)) {
  state.SetBytesProcessed(state.iterations() * matrices * state.range(0) *
                          state.range(1) * element);
}

void BM_GuidedLossFourViews(benchmark::State& state) {
  std::vector<Matrix> m = RandomMatrices(12, state.range(0), state.range(1));
  const FourViews<float> views = {AsRows(m[0]), AsRows(m[1]), AsRows(m[2]),
                                  AsRows(m[3]), AsRows(m[4]), AsRows(m[5]),
                                  AsRows(m[6]), AsRows(m[7])};
  const FourViewGrads<float> grads = {AsRows(m[8]), AsRows(m[9]), AsRows(m[10]),
                                      AsRows(m[11])};
  ThreadPool pool(state.range(2));
  LossOptions options;
  options.executor = &pool;
  for (auto _ : state) {
    absl::StatusOr<LossResult> result = GuidedLoss(views, options, &grads);
    if (!result.ok()) std::abort();
    benchmark::DoNotOptimize(result->loss);
  }
  CountBytes(state, 12);
}
BENCHMARK(BM_GuidedLossFourViews)->Apply(Sizes);

template <typename T>
void BM_GuidedLoss16Bits(benchmark::State& state) {
  const int64_t n = state.range(0), d = state.range(1);
  std::vector<std::vector<T>> m;
  for (const Matrix& source : RandomMatrices(12, n, d)) {
    m.emplace_back();
    for (int64_t k = 0; k < n * d; ++k) m.back().emplace_back(source.data()[k]);
  }
  const auto rows = [&](int k) { return Rows<T>(m[k].data(), n, d); };
  const FourViews<T> views = {rows(0), rows(1), rows(2), rows(3),
                              rows(4), rows(5), rows(6), rows(7)};
  const FourViewGrads<T> grads = {rows(8), rows(9), rows(10), rows(11)};
  ThreadPool pool(state.range(2));
  LossOptions options;
  options.executor = &pool;
  options.grad_scale = n;
  for (auto _ : state) {
    absl::StatusOr<LossResult> result = GuidedLoss(views, options, &grads);
    if (!result.ok()) std::abort();
    benchmark::DoNotOptimize(result->loss);
  }
  CountBytes(state, 12, sizeof(T));
}
BENCHMARK_TEMPLATE(BM_GuidedLoss16Bits, Half)->Apply(Sizes);
BENCHMARK_TEMPLATE(BM_GuidedLoss16Bits, BFloat16)->Apply(Sizes);

void GuidedLossShared(benchmark::State& state,
                      const std::vector<int64_t>& pairing) {
  std::vector<Matrix> m = RandomMatrices(6, state.range(0), state.range(1));
  const SharedViews<float> views = {AsRows(m[0]), AsRows(m[1]), AsRows(m[2]),
                                    AsRows(m[3]), pairing};
  const SharedGrads<float> grads = {AsRows(m[4]), AsRows(m[5])};
  ThreadPool pool(state.range(2));
  LossOptions options;
  options.executor = &pool;
  for (auto _ : state) {
    absl::StatusOr<LossResult> result = GuidedLoss(views, options, &grads);
    if (!result.ok()) std::abort();
    benchmark::DoNotOptimize(result->loss);
  }
  CountBytes(state, 6);
}
void BM_GuidedLossShared(benchmark::State& state) {
  GuidedLossShared(state, *CyclicPairing(state.range(0), 1));
}
BENCHMARK(BM_GuidedLossShared)->Apply(Sizes);

// A pairing that is no permutation: choices first, in a pass of their own.
void BM_GuidedLossSharedMap(benchmark::State& state) {
  GuidedLossShared(state, *NearestCandidates(state.range(0), 1, 1));
}
BENCHMARK(BM_GuidedLossSharedMap)->Apply(Sizes);

// Beside the loss that it is for; bytes are those of one look at the batch.
void BM_NearestPairing(benchmark::State& state) {
  std::vector<Matrix> m = RandomMatrices(2, state.range(0), state.range(1));
  const Rows<const float> z1 = AsRows(m[0]), z2 = AsRows(m[1]);
  ThreadPool pool(state.range(2));
  NearestOptions options;
  options.executor = &pool;
  for (auto _ : state) {
    absl::StatusOr<std::vector<int64_t>> pairing =
        NearestPairing(z1, z2, options);
    if (!pairing.ok()) std::abort();
    benchmark::DoNotOptimize(pairing->data());
  }
  CountBytes(state, 2);
}
BENCHMARK(BM_NearestPairing)->Apply(Sizes);

// Reads half of `matrices` and writes the other half.
void Memcpy(benchmark::State& state, int64_t matrices) {
  const int64_t size = state.range(0) * state.range(1) * matrices / 2;
  const std::vector<float> source(size, 1);
  std::vector<float> destination(size, 0);
  ThreadPool pool(state.range(2));
  // Pieces of a megabyte: those of a few hundred kilobytes glibc copies in
  // another way, which on some processors takes three times as long.
  const int64_t tasks = size / (1 << 18);
  for (auto _ : state) {
    pool.ParallelFor(tasks, [&](int64_t task) {
      const int64_t begin = task * size / tasks;
      const int64_t end = (task + 1) * size / tasks;
      std::memcpy(&destination[begin], &source[begin],
                  (end - begin) * sizeof(float));
    });
    benchmark::ClobberMemory();
  }
  CountBytes(state, matrices);
}
void BM_MemcpyFourViews(benchmark::State& state) { Memcpy(state, 12); }
BENCHMARK(BM_MemcpyFourViews)->Apply(Sizes);
void BM_MemcpyShared(benchmark::State& state) { Memcpy(state, 6); }
BENCHMARK(BM_MemcpyShared)->Apply(Sizes);

// D(p, z) of each row; its gradient, times scale, in the rows of the mask.
Column EigenView(const Matrix& p, const Matrix& z, const Column& mask,
                 float scale, Matrix& grad) {
  const Column p_norm = p.rowwise().norm().cwiseMax(1e-8f);
  const Column z_norm = z.rowwise().norm().cwiseMax(1e-8f);
  const Matrix p_unit = p.array().colwise() / p_norm.array();
  const Matrix z_unit = z.array().colwise() / z_norm.array();
  const Column cosine = p_unit.cwiseProduct(z_unit).rowwise().sum();
  const Matrix projected =
      (p_unit.array().colwise() * cosine.array()).matrix() - z_unit;
  grad = projected.array().colwise() * (scale * mask.array() / p_norm.array());
  return -cosine.cwiseProduct(mask);
}

void BM_EigenFourViews(benchmark::State& state) {
  std::vector<Matrix> m = RandomMatrices(12, state.range(0), state.range(1));
  const int64_t n = state.range(0);
  for (auto _ : state) {
    Eigen::MatrixXf distances(n, 4);
    for (int k = 0; k < 4; ++k) {
      distances.col(k) = (m[4 + k / 2] - m[6 + k % 2]).rowwise().norm();
    }
    Eigen::MatrixXf mask = Eigen::MatrixXf::Zero(n, 4);
    for (int64_t i = 0; i < n; ++i) {
      Eigen::Index pair;
      distances.row(i).minCoeff(&pair);
      mask(i, pair / 2) = mask(i, 2 + pair % 2) = 1;
    }
    float loss = 0;
    for (int v = 0; v < 4; ++v) {
      loss += EigenView(m[v], m[4 + PartnerView(v)], mask.col(v), 0.5f / n,
                        m[8 + v])
                  .sum();
    }
    benchmark::DoNotOptimize(loss /= 2 * n);
  }
  CountBytes(state, 12);
}
BENCHMARK(BM_EigenFourViews)
    ->ArgNames({"N", "D", "threads"})
    ->Args({512, 2048, 1})
    ->Args({4096, 2048, 1})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace gsg

BENCHMARK_MAIN();
