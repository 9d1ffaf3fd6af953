// A backbone's forward pass in evaluation mode on the CPU, as scores, embed and
// explore have it: images that are not trained on, without gradients.
//
//   bazel run //benchmarks:features [-- --threads=1]
//
// BM_Features/<backbone>/<side>/<images>: milliseconds of a batch.

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "models/backbone.h"
#include "models/backbone_options.h"
#include "models/make_backbone.h"
#include "models/module_state.h"
#include "models/tensor_memory.h"

namespace gsg {
namespace {

void Features(benchmark::State& state, const BackboneOptions& options,
              at::IntArrayRef shape) {
  const at::NoGradGuard no_grad;
  at::manual_seed(0);
  const std::shared_ptr<Backbone> backbone = MakeBackbone(options).value();
  PlaceModule(backbone->module(), c10::Device(c10::kCPU));
  SetModuleTraining(backbone->module(), false);
  const at::Tensor x = at::randn(shape);
  backbone->forward(x);  // oneDNN compiles its kernels in the first.
  for (auto _ : state) benchmark::DoNotOptimize(backbone->forward(x));
  state.counters["images/s"] =
      benchmark::Counter(static_cast<double>(shape[0]),
                         benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  using gsg::ResNetOptions;
  benchmark::Initialize(&argc, argv);
  gsg::KeepTensorMemory();  // as the programs do
  int threads = 0;
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (!absl::ConsumePrefix(&argument, "--threads=") ||
        !absl::SimpleAtoi(argument, &threads)) {
      benchmark::ReportUnrecognizedArguments(argc, argv);
      return 2;
    }
  }
  if (threads > 0) at::set_num_threads(threads);
  benchmark::AddCustomContext("threads", absl::StrCat(at::get_num_threads()));
  const struct {
    const char* name;
    gsg::BackboneOptions options;
    int64_t side, images;
  } networks[] = {
      {"resnet18",
       gsg::ResNetOptionsFor("resnet18", ResNetOptions::Stem::kSmall).value(),
       32, 256},
      {"resnet50",
       gsg::ResNetOptionsFor("resnet50", ResNetOptions::Stem::kImageNet)
           .value(),
       224, 20},
      {"vit_small", gsg::VitOptionsFor("vit_small", 224, 16).value(), 224, 20},
      {"convnext_tiny",
       gsg::ConvNextOptionsFor("convnext_tiny",
                               gsg::ConvNextOptions::Stem::kImageNet)
           .value(),
       224, 20},
  };
  for (const auto& [name, options, side, images] : networks) {
    benchmark::RegisterBenchmark(
        absl::StrCat("BM_Features/", name, "/", side, "/", images).c_str(),
        [options = options,
         shape = std::vector<int64_t>{images, 3, side, side}](
            benchmark::State& state) { gsg::Features(state, options, shape); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
