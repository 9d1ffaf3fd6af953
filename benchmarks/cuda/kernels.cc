// The kernels of //cuda beside a copy of as many bytes on the same device. Each
// time is that of a launch within a CUDA graph of kLaunches, by CUDA's events:
// the device's, without what a launch costs the host. All launches of a graph
// are on the same memory, so that what fits into the cache is there, for the
// copy as for the kernel.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "benchmark/benchmark.h"
#include "cuda/augment.h"
#include "cuda/batch_norm.h"
#include "cuda/guided_loss.h"
#include "cuda/pairing_plan.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "gsg_core/pairing.h"
#include "gsg_core/rows.h"
#include "pixels/params.h"
#include "tests/cuda/device_memory.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"

namespace gsg::cuda {
namespace {

constexpr int kLaunches = 20;

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << "\n";
  std::abort();
}

// launch(stream): one launch, which moves so many bytes.
template <typename Launch>
void Measure(benchmark::State& state, int64_t bytes, const Launch& launch) {
  cudaStream_t stream;
  GSG_CHECK_CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  launch(stream);  // the first one loads the kernel
  cudaGraph_t graph;
  GSG_CHECK_CUDA(
      cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  for (int k = 0; k < kLaunches; ++k) launch(stream);
  GSG_CHECK_CUDA(cudaStreamEndCapture(stream, &graph));
  cudaGraphExec_t executable;
  GSG_CHECK_CUDA(cudaGraphInstantiate(&executable, graph, 0));
  cudaEvent_t begin, end;
  GSG_CHECK_CUDA(cudaEventCreate(&begin));
  GSG_CHECK_CUDA(cudaEventCreate(&end));
  GSG_CHECK_CUDA(cudaDeviceSynchronize());  // what was set up
  for (int k = 0; k < 3; ++k) {
    GSG_CHECK_CUDA(cudaGraphLaunch(executable, stream));
  }
  for (auto _ : state) {
    GSG_CHECK_CUDA(cudaEventRecord(begin, stream));
    GSG_CHECK_CUDA(cudaGraphLaunch(executable, stream));
    GSG_CHECK_CUDA(cudaEventRecord(end, stream));
    GSG_CHECK_CUDA(cudaEventSynchronize(end));
    float milliseconds = 0;
    GSG_CHECK_CUDA(cudaEventElapsedTime(&milliseconds, begin, end));
    state.SetIterationTime(milliseconds / 1e3 / kLaunches);
  }
  state.SetBytesProcessed(state.iterations() * bytes);
  GSG_CHECK_CUDA(cudaEventDestroy(begin));
  GSG_CHECK_CUDA(cudaEventDestroy(end));
  GSG_CHECK_CUDA(cudaGraphExecDestroy(executable));
  GSG_CHECK_CUDA(cudaGraphDestroy(graph));
  GSG_CHECK_CUDA(cudaStreamDestroy(stream));
}

// `bytes` of traffic: half of them read, half of them written.
void CopyBytes(benchmark::State& state, int64_t bytes) {
  const DeviceArray<uint8_t> from(bytes / 2), to(bytes / 2);
  Measure(state, bytes, [&](cudaStream_t stream) {
    GSG_CHECK_CUDA(cudaMemcpyAsync(to.data(), from.data(), bytes / 2,
                                   cudaMemcpyDeviceToDevice, stream));
  });
}

// As good as random: the values of a million, over and over, which takes little
// time; so many that no two rows are the same.
template <typename T>
std::vector<T> Normal(size_t n) {
  constexpr size_t kPeriod = 1000003;  // a prime
  std::mt19937_64 generator(1);
  std::normal_distribution<float> normal;
  std::vector<T> values(n);
  for (size_t i = 0; i < std::min(n, kPeriod); ++i) {
    values[i] = T(normal(generator));
  }
  for (size_t i = kPeriod; i < n; i += kPeriod) {
    std::copy_n(values.begin(), std::min(kPeriod, n - i), values.begin() + i);
  }
  return values;
}

// matrices of inputs and gradients, [n, d], side by side.
template <typename T>
struct Matrices {
  Matrices(int inputs, int gradients, int64_t n, int64_t d)
      : n(n), d(d), input(inputs * n * d), gradient(gradients * n * d) {
    // The same values in all of them would make distances of 0.
    const std::vector<T> values = Normal<T>(n * d + inputs);
    for (int k = 0; k < inputs; ++k) {
      GSG_CHECK_CUDA(cudaMemcpy(input.data() + k * n * d, values.data() + k,
                                n * d * sizeof(T), cudaMemcpyHostToDevice));
    }
  }
  Rows<const T> In(int k) const {
    return Rows<const T>(input.data() + k * n * d, n, d);
  }
  Rows<T> Grad(int k) const {
    return Rows<T>(gradient.data() + k * n * d, n, d);
  }

  int64_t n, d;
  DeviceArray<T> input, gradient;
};

struct Outputs {
  explicit Outputs(int64_t n)
      : loss(1), pair(n), faults(1), workspace(LossWorkspaceBytes(n)) {}
  LossOutputs Pointers() const {
    LossOutputs outputs;
    outputs.loss = loss.data();
    outputs.pair = pair.data();
    outputs.faults = faults.data();
    outputs.workspace = workspace.data();
    return outputs;
  }

  DeviceArray<double> loss;
  DeviceArray<uint8_t> pair;
  DeviceArray<uint32_t> faults;
  DeviceArray<uint8_t> workspace;
};

constexpr int kFourViewMatrices = 12, kSharedViewMatrices = 6;

template <typename T, int kMatrices>
void BM_Copy(benchmark::State& state) {
  CopyBytes(state, kMatrices * state.range(0) * state.range(1) *
                       static_cast<int64_t>(sizeof(T)));
}

template <typename T>
void BM_FourViews(benchmark::State& state) {
  const int64_t n = state.range(0), d = state.range(1);
  const Matrices<T> m(8, 4, n, d);
  const FourViews<T> views = {m.In(0), m.In(1), m.In(2), m.In(3),
                              m.In(4), m.In(5), m.In(6), m.In(7)};
  const FourViewGrads<T> grads = {m.Grad(0), m.Grad(1), m.Grad(2), m.Grad(3)};
  const Outputs outputs(n);
  Measure(state, kFourViewMatrices * n * d * sizeof(T),
          [&](cudaStream_t stream) {
            Check(GuidedLoss(views, {}, &grads, outputs.Pointers(), stream));
          });
}

template <typename T>
void BM_SharedViews(benchmark::State& state) {
  const int64_t n = state.range(0), d = state.range(1);
  const Matrices<T> m(4, 2, n, d);
  const DeviceArray<int64_t> plan(*MakePairingPlan(*CyclicPairing(n, 1)));
  SharedViews<T> views{m.In(0), m.In(1), m.In(2), m.In(3)};
  views.pairing = PairingOfPlan(plan.data(), n);
  SharedGrads<T> grads;
  grads.p1 = m.Grad(0);
  grads.p2 = m.Grad(1);
  const Outputs outputs(n);
  Measure(state, kSharedViewMatrices * n * d * sizeof(T),
          [&](cudaStream_t stream) {
            Check(GuidedLoss(views, {}, &grads, outputs.Pointers(), stream));
          });
}

// Two views of each image of a batch: CIFAR-10's, with the paper's augmentation
// and with blur, to bfloat16 in channels-last.
constexpr int64_t kImages = 50000;
constexpr int kSide = 32, kChannels = 3;

int64_t AugmentBytes(int64_t views) {
  return views * kChannels * kSide * kSide *
         static_cast<int64_t>(1 + sizeof(BFloat16));
}

void BM_AugmentCopy(benchmark::State& state) {
  CopyBytes(state, AugmentBytes(2 * state.range(0)));
}

void BM_Augment(benchmark::State& state) {
  const int64_t views = 2 * state.range(0);
  AugmentOptions options;
  options.size = kSide;
  options.hflip_prob = 0.5;
  options.jitter_prob = 0.8;
  options.brightness = options.contrast = options.saturation = 0.4;
  options.hue = 0.1;
  options.grayscale_prob = 0.2;
  options.blur_prob = state.range(1) != 0 ? 0.5 : 0;
  std::vector<int64_t> index;
  std::vector<AugmentParams> params;
  for (int64_t v = 0; v < views; ++v) {
    index.push_back((v / 2 * 7919) % kImages);
    params.push_back(
        SampleParams(options, 1, 0, index.back(), v % 2, kSide, kSide));
  }
  const DeviceArray<uint8_t> images(kImages * kChannels * kSide * kSide);
  const DeviceArray<int64_t> device_index(index);
  const DeviceArray<AugmentParams> device_params(params);
  const DeviceArray<BFloat16> out(views * kChannels * kSide * kSide);
  const DeviceArray<uint32_t> faults(1);
  AugmentSettings settings;
  settings.size = kSide;
  settings.blur_kernel = static_cast<int>(BlurKernel(options));
  settings.order = PixelOrder::kChannelsLast;
  settings.normalize = true;
  settings.mean = {0.49f, 0.48f, 0.45f};
  settings.std = {0.25f, 0.24f, 0.26f};
  const ImageArray array = {images.data(), kImages, kChannels, kSide, kSide};
  Measure(state, AugmentBytes(views), [&](cudaStream_t stream) {
    Check(Augment(array, settings, device_index.data(), device_params.data(),
                  views, out.data(), /*workspace=*/nullptr, faults.data(),
                  stream));
  });
}

// Batch normalization of both views of a batch of 512, at the sizes of
// CIFAR-10's ResNet-18, with ReLU and residual.
constexpr int kNormForwardPasses = 4, kNormBackwardPasses = 6;

BatchNormShape NormShape(const benchmark::State& state) {
  return {/*views=*/2, /*rows=*/512 * state.range(0) * state.range(0),
          /*channels=*/state.range(1)};
}

template <int kPasses>
void BM_NormCopy(benchmark::State& state) {
  const BatchNormShape shape = NormShape(state);
  CopyBytes(state, kPasses * shape.views * shape.rows * shape.channels *
                       static_cast<int64_t>(sizeof(BFloat16)));
}

struct NormTables {
  explicit NormTables(const BatchNormShape& shape)
      : weight(std::vector<float>(shape.channels, 1)),
        statistics(2 * shape.views * shape.channels),
        running(2 * shape.channels),
        positive(BatchNormMaskBytes<BFloat16>(shape)),
        workspace(BatchNormWorkspaceBytes(shape)) {}

  DeviceArray<float> weight, statistics, running;
  DeviceArray<uint8_t> positive, workspace;
};

void BM_NormForward(benchmark::State& state) {
  const BatchNormShape shape = NormShape(state);
  const int64_t n = shape.views * shape.rows * shape.channels;
  const DeviceArray<BFloat16> x(Normal<BFloat16>(n)), residual(n), y(n);
  const NormTables tables(shape);
  BatchNormForward<BFloat16> f;
  f.x = x.data();
  f.residual = residual.data();
  f.weight = f.bias = tables.weight.data();
  f.relu = true;
  f.running_mean = tables.running.data();
  f.running_var = f.running_mean + shape.channels;
  f.y = y.data();
  f.mean = tables.statistics.data();
  f.inverse_std = f.mean + shape.views * shape.channels;
  f.positive = tables.positive.data();
  f.workspace = tables.workspace.data();
  Measure(state, kNormForwardPasses * n * sizeof(BFloat16),
          [&](cudaStream_t stream) { Check(BatchNorm(shape, f, stream)); });
}

void BM_NormBackward(benchmark::State& state) {
  const BatchNormShape shape = NormShape(state);
  const int64_t n = shape.views * shape.rows * shape.channels;
  const DeviceArray<BFloat16> x(Normal<BFloat16>(n)), dy(Normal<BFloat16>(n)),
      dx(n), dresidual(n);
  const NormTables tables(shape);
  BatchNormBackward<BFloat16> b;
  b.dy = dy.data();
  b.x = x.data();
  b.weight = tables.weight.data();
  b.mean = tables.statistics.data();
  b.inverse_std = b.mean + shape.views * shape.channels;
  b.positive = tables.positive.data();
  b.dx = dx.data();
  b.dresidual = dresidual.data();
  b.workspace = tables.workspace.data();
  Measure(state, kNormBackwardPasses * n * sizeof(BFloat16),
          [&](cudaStream_t stream) { Check(BatchNorm(shape, b, stream)); });
}

void NormSizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"side", "C"})->UseManualTime()->Unit(benchmark::kMicrosecond);
  b->Args({32, 64})->Args({16, 128})->Args({8, 256})->Args({4, 512});
}

void Sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"N", "D"})->UseManualTime()->Unit(benchmark::kMicrosecond);
  b->Args({512, 2048})->Args({4096, 2048})->Args({32768, 2048});
}

BENCHMARK_TEMPLATE(BM_Copy, float, kFourViewMatrices)->Apply(Sizes);
BENCHMARK_TEMPLATE(BM_FourViews, float)->Apply(Sizes);
BENCHMARK_TEMPLATE(BM_Copy, float, kSharedViewMatrices)->Apply(Sizes);
BENCHMARK_TEMPLATE(BM_SharedViews, float)->Apply(Sizes);
BENCHMARK_TEMPLATE(BM_FourViews, Half)->Apply(Sizes);
BENCHMARK_TEMPLATE(BM_FourViews, BFloat16)->Apply(Sizes);
BENCHMARK_TEMPLATE(BM_Copy, BFloat16, kSharedViewMatrices)->Apply(Sizes);
BENCHMARK_TEMPLATE(BM_SharedViews, Half)->Apply(Sizes);
BENCHMARK_TEMPLATE(BM_SharedViews, BFloat16)->Apply(Sizes);
BENCHMARK(BM_AugmentCopy)
    ->ArgName("batch")
    ->Arg(512)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_Augment)
    ->ArgNames({"batch", "blur"})
    ->Args({512, 0})
    ->Args({512, 1})
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(BM_NormCopy, kNormForwardPasses)->Apply(NormSizes);
BENCHMARK(BM_NormForward)->Apply(NormSizes);
BENCHMARK_TEMPLATE(BM_NormCopy, kNormBackwardPasses)->Apply(NormSizes);
BENCHMARK(BM_NormBackward)->Apply(NormSizes);

int Main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  if (!HasGpu()) {
    std::cout << "Skipped: needs a GPU.\n";
    return 0;
  }
  cudaDeviceProp device;
  GSG_CHECK_CUDA(cudaGetDeviceProperties(&device, 0));
  benchmark::AddCustomContext("gpu", device.name);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace gsg::cuda

int main(int argc, char** argv) { return gsg::cuda::Main(argc, argv); }
