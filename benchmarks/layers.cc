// The layers of a training step on a CPU beside torch's, which call oneDNN and
// MKL.
//
//   bazel run //benchmarks:layers [-- --threads=1]
//
// BM_Convolution/<whose>/<type>/<images>x<channels>x<side>-><channels>k<kernel>
// s<stride>/<pass> and BM_Linear/<whose>/<rows>x<width>-><width>/<pass>:
// milliseconds of a forward pass, or of both gradients.

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randn_like.h>
#include <benchmark/benchmark.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/options/conv.h>

#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "models/convolution.h"
#include "models/linear_layer.h"

namespace gsg {
namespace {

struct Shape {
  int64_t images, in, side, out, kernel, stride;
};

// Those of `fashion_mnist` in two views of 128 images, of ResNet-18 on CIFAR-10
// in two of 16, and of its last blocks on smaller views.
constexpr Shape kShapes[] = {
    {256, 256, 2, 256, 3, 1}, {256, 128, 3, 256, 3, 2},
    {256, 128, 3, 256, 1, 2}, {256, 128, 3, 128, 3, 1},
    {256, 64, 5, 128, 3, 2},  {256, 64, 5, 64, 3, 1},
    {256, 32, 10, 32, 3, 1},  {32, 64, 32, 64, 3, 1},
    {32, 128, 16, 128, 3, 1}, {32, 256, 8, 256, 3, 1},
    {32, 256, 8, 512, 3, 2},  {32, 512, 4, 512, 3, 1},
    {256, 512, 2, 512, 3, 1}, {256, 512, 3, 512, 3, 1},
    {256, 256, 4, 512, 3, 2}, {256, 32, 10, 64, 3, 2},
};

struct LinearShape {
  int64_t rows, in, out;
};

// Of the heads in two views of 16 and 128 images, and of vit_tiny and
// ConvNeXt-T.
constexpr LinearShape kLinearShapes[] = {
    {32, 2048, 2048}, {64, 2048, 2048},  {256, 2048, 2048}, {256, 256, 256},
    {256, 256, 64},   {2080, 192, 576},  {2080, 192, 192},  {2080, 192, 768},
    {2080, 768, 192}, {6272, 384, 1536}, {25088, 96, 384},
};

at::Tensor Random(at::IntArrayRef sizes, c10::ScalarType type) {
  return at::randn(sizes).to(type).contiguous(at::MemoryFormat::ChannelsLast);
}

// Times `layer` on x, forward or backward.
template <class Layer>
void Time(benchmark::State& state, Layer& layer, const at::Tensor& x,
          bool backward) {
  x.set_requires_grad(true);
  at::Tensor y = layer->forward(x);
  const at::Tensor dy = at::randn_like(y);
  for (auto _ : state) {
    if (!backward) {
      benchmark::DoNotOptimize(layer->forward(x));
      continue;
    }
    state.PauseTiming();
    y = layer->forward(x);
    layer->zero_grad();
    x.mutable_grad().reset();
    state.ResumeTiming();
    torch::autograd::backward({y}, {dy});
  }
}

template <class Convolution>
void Convolve(benchmark::State& state, const Shape& shape, c10::ScalarType type,
              bool backward) {
  Convolution layer(torch::nn::Conv2dOptions(shape.in, shape.out, shape.kernel)
                        .stride(shape.stride)
                        .padding(shape.kernel / 2)
                        .bias(false));
  layer->to(type);
  layer->weight.set_data(
      layer->weight.detach().contiguous(at::MemoryFormat::ChannelsLast));
  Time(state, layer,
       Random({shape.images, shape.in, shape.side, shape.side}, type),
       backward);
}

template <class Linear>
void Multiply(benchmark::State& state, const LinearShape& shape,
              bool backward) {
  Linear layer(shape.in, shape.out);
  Time(state, layer, at::randn({shape.rows, shape.in}), backward);
}

// Both sides of what is called <kind>/<whose>/<what>/<pass>.
template <class Ours, class Torchs>
void Add(absl::string_view kind, absl::string_view what, bool backward,
         const Ours& ours, const Torchs& torchs) {
  const auto add = [&](absl::string_view whose, const auto& run) {
    benchmark::RegisterBenchmark(absl::StrCat(kind, "/", whose, "/", what, "/",
                                              backward ? "backward" : "forward")
                                     .c_str(),
                                 run)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  };
  add("ours", ours);
  add("torch", torchs);
}

void Register(const Shape& shape, c10::ScalarType type, bool backward) {
  Add(
      "BM_Convolution",
      absl::StrCat(type == c10::kFloat ? "float32" : "bfloat16", "/",
                   shape.images, "x", shape.in, "x", shape.side, "->",
                   shape.out, "k", shape.kernel, "s", shape.stride),
      backward,
      [=](benchmark::State& state) {
        Convolve<Conv2d>(state, shape, type, backward);
      },
      [=](benchmark::State& state) {
        Convolve<torch::nn::Conv2d>(state, shape, type, backward);
      });
}

void Register(const LinearShape& shape, bool backward) {
  Add(
      "BM_Linear", absl::StrCat(shape.rows, "x", shape.in, "->", shape.out),
      backward,
      [=](benchmark::State& state) {
        Multiply<Linear>(state, shape, backward);
      },
      [=](benchmark::State& state) {
        Multiply<torch::nn::Linear>(state, shape, backward);
      });
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    int threads = 0;
    if (!absl::ConsumePrefix(&argument, "--threads=") ||
        !absl::SimpleAtoi(argument, &threads) || threads < 1) {
      benchmark::ReportUnrecognizedArguments(argc, argv);
      return 2;
    }
    at::set_num_threads(threads);
  }
  benchmark::AddCustomContext("threads", absl::StrCat(at::get_num_threads()));
  for (c10::ScalarType type : {c10::kFloat, c10::kBFloat16}) {
    for (const gsg::Shape& shape : gsg::kShapes) {
      for (bool backward : {false, true}) {
        gsg::Register(shape, type, backward);
      }
    }
  }
  for (const gsg::LinearShape& shape : gsg::kLinearShapes) {
    for (bool backward : {false, true}) gsg::Register(shape, backward);
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
