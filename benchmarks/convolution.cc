// The convolutions of a training step on a CPU beside torch's (oneDNN's).
//
//   bazel run //benchmarks:convolution [-- --threads=1]
//
// BM_Convolution/<whose>/<type>/<images>x<channels>x<side>-><channels>k<kernel>
// s<stride>/<pass>: milliseconds of a forward pass, or of both gradients.

#include "models/convolution.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/options/conv.h>

#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

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

at::Tensor Random(at::IntArrayRef sizes, c10::ScalarType type) {
  return at::randn(sizes).to(type).contiguous(at::MemoryFormat::ChannelsLast);
}

template <class Module>
void Run(benchmark::State& state, const Shape& shape, c10::ScalarType type,
         bool backward) {
  Module convolution(torch::nn::Conv2dOptions(shape.in, shape.out, shape.kernel)
                         .stride(shape.stride)
                         .padding(shape.kernel / 2)
                         .bias(false));
  convolution->to(type);
  convolution->weight.set_data(
      convolution->weight.detach().contiguous(at::MemoryFormat::ChannelsLast));
  const at::Tensor x =
      Random({shape.images, shape.in, shape.side, shape.side}, type)
          .set_requires_grad(true);
  at::Tensor y = convolution->forward(x);
  const at::Tensor dy = Random(y.sizes(), type);
  for (auto _ : state) {
    if (!backward) {
      benchmark::DoNotOptimize(convolution->forward(x));
      continue;
    }
    state.PauseTiming();
    y = convolution->forward(x);
    convolution->zero_grad();
    x.mutable_grad().reset();
    state.ResumeTiming();
    torch::autograd::backward({y}, {dy});
  }
}

void Register(const Shape& shape, c10::ScalarType type, bool backward) {
  const auto name = [&](absl::string_view whose) {
    return absl::StrCat("BM_Convolution/", whose, "/",
                        type == c10::kFloat ? "float32" : "bfloat16", "/",
                        shape.images, "x", shape.in, "x", shape.side, "->",
                        shape.out, "k", shape.kernel, "s", shape.stride, "/",
                        backward ? "backward" : "forward");
  };
  const auto add = [&](const std::string& called, auto* run) {
    benchmark::RegisterBenchmark(
        called.c_str(),
        [=](benchmark::State& state) { run(state, shape, type, backward); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  };
  add(name("ours"), &Run<Conv2d>);
  add(name("torch"), &Run<torch::nn::Conv2d>);
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
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
