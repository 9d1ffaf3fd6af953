// One training step on 32x32 images on the CPU: forward, loss, backward and
// optimiser, without data and augmentation. Network and optimiser are those of
// a recipe: cifar10_fast's ResNet-18, or --recipe=cifar10_vit.
//
//   bazel run //benchmarks:training_step
//
// BM_Step/<method>/<views>/<batch>; "images/s" counts each image of the batch
// once, however many views it has. --threads=N, 0 = all.

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <c10/core/Device.h>
#include <c10/core/MemoryFormat.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gsg_core/pairing.h"
#include "gsg_core/selection.h"
#include "trainers/config/config.h"
#include "trainers/config/recipes.h"
#include "trainers/methods/make_method.h"
#include "trainers/methods/method.h"
#include "trainers/optim/make_optimizer.h"
#include "trainers/optim/optimizer.h"

namespace gsg {
namespace {

void Step(benchmark::State& state, Config config, const std::string& name,
          int views, int64_t batch) {
  at::manual_seed(0);
  config.method = name;
  const std::unique_ptr<Method> method =
      MakeMethod(config, /*channels=*/3, c10::Device(c10::kCPU)).value();
  const std::unique_ptr<Optimizer> optimizer =
      MakeOptimizer(config, method->ParameterGroups());
  StepInput input;
  for (int v = 0; v < views; ++v) {
    input.views.push_back(
        at::randn({batch, 3, config.crop_size, config.crop_size})
            .contiguous(at::MemoryFormat::ChannelsLast));
  }
  input.pairing = MakePairing(PairingKind::kCyclic, batch, 0).value();
  input.loss.selection =
      name == "simsiam" || name == "byol" ? Selection::kNone : Selection::kMin;
  method->SetTraining(true);
  const auto step = [&] {
    if (!method->Backward(input).ok()) state.SkipWithError("Backward failed");
    optimizer->Step(1e-4, 1e-4);
    optimizer->ZeroGrad();
  };
  step();  // oneDNN compiles its kernels in the first.
  for (auto _ : state) step();
  state.counters["images/s"] =
      benchmark::Counter(static_cast<double>(batch),
                         benchmark::Counter::kIsIterationInvariantRate);
}

void Register(const Config& config, const char* method, int views) {
  constexpr int64_t kBatch = 16;
  benchmark::RegisterBenchmark(
      absl::StrCat("BM_Step/", method, "/", views, "/", kBatch).c_str(),
      [=](benchmark::State& state) {
        Step(state, config, method, views, kBatch);
      })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  int threads = 0;
  absl::StatusOr<gsg::Config> config = gsg::RecipeConfig("cifar10_fast");
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (absl::ConsumePrefix(&argument, "--recipe=")) {
      config = gsg::RecipeConfig(argument);
      if (config.ok() && config->crop_size == 32) continue;
    }
    if (!absl::ConsumePrefix(&argument, "--threads=") ||
        !absl::SimpleAtoi(argument, &threads)) {
      benchmark::ReportUnrecognizedArguments(argc, argv);
      return 2;
    }
  }
  if (threads > 0) at::set_num_threads(threads);
  benchmark::AddCustomContext("threads", absl::StrCat(at::get_num_threads()));
  gsg::Register(*config, "simsiam", 2);
  gsg::Register(*config, "simsiam_gsg", 2);
  gsg::Register(*config, "simsiam_gsg", 4);
  gsg::Register(*config, "byol", 2);
  gsg::Register(*config, "byol_gsg", 2);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
