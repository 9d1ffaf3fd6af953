// One training step, and on the CPU what it is made of. Network, augmentation
// and optimizer are those of a recipe: cifar10_fast's ResNet-18, or that of
// --recipe=cifar10_vit, fashion_mnist, imagenet, ...
//
//   bazel run //benchmarks:training_step
//
// BM_Step/<method>/<views>/<batch>: forward, loss, backward and optimizer, in
// milliseconds, and the rest of the step; they add up to its time. "peak MB":
// the most memory that the process has in a step, less what it had before there
// was a network.
// "images/s" counts each image of the batch once, however many views it has.
// BM_Views/<views>/<batch>: that many augmented views of images in memory, by
// one thread; in training it is others that make them, meanwhile.
// --threads=N, 0 = all; --batch=N; --precision=float32 or bfloat16.
// --device=cuda, in builds with --config=cuda: the steps of a GPU as in
// training, a CUDA graph; their time is the GPU's, as the CPU waits for the
// last.

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <ATen/record_function.h>
#include <benchmark/benchmark.h>
#include <c10/core/Device.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/pairing.h"
#include "gsg_core/selection.h"
#include "models/gpu/gpu.h"
#include "models/tensor_memory.h"
#include "trainers/augment/options.h"
#include "trainers/config/config.h"
#include "trainers/config/recipes.h"
#include "trainers/evaluate/device.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/methods/make_method.h"
#include "trainers/methods/method.h"
#include "trainers/optim/make_optimizer.h"
#include "trainers/optim/optimizer.h"
#include "trainers/train/step_runner.h"
#include "trainers/views/loader.h"

namespace gsg {
namespace {

double Milliseconds() {
  return absl::ToDoubleMilliseconds(absl::Now() - absl::UnixEpoch());
}

// Time spent in the scopes that a method has marked (RECORD_USER_SCOPE), by
// name.
class ScopeTimes {
 public:
  ScopeTimes()
      : handle_(at::addThreadLocalCallback(
            at::RecordFunctionCallback(&Start, &End)
                .scopes({at::RecordScope::USER_SCOPE}))) {
    Times().clear();
  }
  ~ScopeTimes() { at::removeCallback(handle_); }
  static std::map<std::string, double>& Times() {
    static auto& times = *new std::map<std::string, double>;
    return times;
  }

 private:
  struct Started : at::ObserverContext {
    double at = Milliseconds();
  };
  static std::unique_ptr<at::ObserverContext> Start(const at::RecordFunction&) {
    return std::make_unique<Started>();
  }
  static void End(const at::RecordFunction& scope,
                  at::ObserverContext* started) {
    Times()[scope.name()] +=
        Milliseconds() - static_cast<Started*>(started)->at;
  }

  const at::CallbackHandle handle_;
};

bool IsFashionMnist(const Config& config) {
  return config.dataset == "fashion_mnist";
}

int64_t Channels(const Config& config) {
  return IsFashionMnist(config) ? 1 : 3;
}

// Of this process: VmRSS, its memory now; VmHWM, the most since ForgetPeak.
double Megabytes(absl::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    absl::string_view rest = line;  // "VmRSS:      5432 kB"
    int64_t kilobytes;
    if (absl::ConsumePrefix(&rest, absl::StrCat(field, ":")) &&
        absl::SimpleAtoi(absl::StripSuffix(rest, "kB"), &kilobytes)) {
      return kilobytes / 1024.0;
    }
  }
  return 0;
}

void ForgetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

// A timed piece of a GPU's benchmark.
constexpr int kGpuSteps = 20;

void Step(benchmark::State& state, Config config, const std::string& name,
          int views, int64_t batch) {
  const double before = Megabytes("VmRSS");
  at::manual_seed(0);
  config.method = name;
  const std::unique_ptr<Method> method =
      MakeMethod(config, Channels(config), c10::Device(c10::kCPU)).value();
  const std::unique_ptr<Optimizer> optimizer =
      MakeOptimizer(config.optimizer, method->ParameterGroups());
  StepInput input;
  const int64_t side = config.augment.size;
  input.views.global = {at::randn({views * batch, Channels(config), side, side})
                            .contiguous(at::MemoryFormat::ChannelsLast),
                        views};
  input.pairing = MakePairing(PairingKind::kCyclic, batch, 0).value();
  input.loss.selection =
      name == "simsiam" || name == "byol" ? Selection::kNone : Selection::kMin;
  method->SetTraining(true);
  const auto step = [&] {
    if (!method->Backward(input).ok()) state.SkipWithError("Backward failed");
    RECORD_USER_SCOPE("optimizer");
    optimizer->Step(1e-4, 1e-4);
    optimizer->ZeroGrad();
  };
  step();  // oneDNN compiles its kernels in the first.
  ForgetPeak();
  const ScopeTimes times;
  const double start = Milliseconds();
  for (auto _ : state) step();
  double rest = Milliseconds() - start;
  for (const auto& [name, time] : ScopeTimes::Times()) {
    state.counters[name] =
        benchmark::Counter(time, benchmark::Counter::kAvgIterations);
    rest -= time;
  }
  state.counters["rest"] =
      benchmark::Counter(rest, benchmark::Counter::kAvgIterations);
  state.counters["peak MB"] = Megabytes("VmHWM") - before;
  state.counters["images/s"] =
      benchmark::Counter(static_cast<double>(batch),
                         benchmark::Counter::kIsIterationInvariantRate);
}

// On a GPU, as the trainer does it (PrepareGpu and TrainStep of
// trainers/train/trainer.cc).
void GpuStep(benchmark::State& state, Config config, const std::string& name,
             int views, int64_t batch) {
  const c10::Device device(c10::kCUDA, 0);
  at::globalContext().setBenchmarkCuDNN(true);
  at::globalContext().setAllowTF32CuDNN(false);
  const c10::impl::VirtualGuardImpl gpu(device.type());
  const c10::StreamGuard on_stream(
      gpu.getStreamFromGlobalPool(device, /*isHighPriority=*/false));
  at::manual_seed(0);
  config.method = name;
  const std::unique_ptr<Method> method =
      MakeMethod(config, Channels(config), device).value();
  const std::unique_ptr<Optimizer> optimizer =
      MakeOptimizer(config.optimizer, method->ParameterGroups());
  StepInput input;
  const int64_t side = config.augment.size;
  input.views.global = {at::randn({views * batch, Channels(config), side, side})
                            .to(device)
                            .contiguous(at::MemoryFormat::ChannelsLast),
                        views};
  input.pairing = MakePairing(PairingKind::kCyclic, batch, 0).value();
  input.tensors = MakePairingTensors(input.pairing, /*seed=*/0, device).value();
  input.loss.selection =
      name == "simsiam" || name == "byol" ? Selection::kNone : Selection::kMin;
  method->SetTraining(true);
  StepReplayer steps(method.get(), optimizer.get(), Gpu()->make_recorder);
  at::Tensor measured;
  const auto step = [&] {
    absl::StatusOr<StepResult> result = steps.Run(input, {1e-4, 1e-4});
    if (!result.ok()) {
      state.SkipWithError(std::string(result.status().message()).c_str());
    } else {
      measured = result->on_device;
    }
  };
  for (int k = 0; k < StepReplayer::kWarmUp + 3; ++k) step();
  gpu.synchronizeDevice(device.index());
  for (auto _ : state) {
    // Enough for the CPU's part to be hidden.
    for (int k = 0; k < kGpuSteps; ++k) step();
    gpu.synchronizeDevice(device.index());
  }
  if (!steps.why_not().empty()) state.SetLabel(steps.why_not());
  state.counters["ms a step"] = benchmark::Counter(
      1e-3 * kGpuSteps, benchmark::Counter::kIsIterationInvariantRate |
                            benchmark::Counter::kInvert);
  state.counters["images/s"] =
      benchmark::Counter(static_cast<double>(batch * kGpuSteps),
                         benchmark::Counter::kIsIterationInvariantRate);
}

void Views(benchmark::State& state, const Config& config, int views,
           int64_t batch_size) {
  ImageSet images;
  images.count = 16 * batch_size;
  images.channels = Channels(config);
  images.height = images.width = IsFashionMnist(config) ? 28 : 32;
  std::mt19937 random(0);
  images.pixels.resize(images.count * images.channels * images.height *
                       images.width);
  for (uint8_t& pixel : images.pixels) {
    pixel = static_cast<uint8_t>(random() >> 24);
  }
  const ImageSetSource source(std::move(images), "random");
  AugmentOptions augment;
  augment.size = config.augment.size;
  augment.crop_scale_min = config.augment.crop_scale_min;
  augment.hflip_prob = config.augment.hflip_prob;
  augment.jitter_prob = config.augment.jitter_prob;
  augment.brightness = config.augment.brightness;
  augment.contrast = config.augment.contrast;
  augment.saturation = config.augment.saturation;
  augment.hue = config.augment.hue;
  augment.grayscale_prob = config.augment.grayscale_prob;
  LoaderOptions options;
  options.batch_size = batch_size;
  options.views = views;
  DamagedImages damaged(0);
  const std::unique_ptr<BatchLoader> loader =
      BatchLoader::Create(&source, augment, options, &damaged).value();
  int64_t epoch = 0;
  Batch batch;
  loader->StartEpoch(epoch);
  for (auto _ : state) {
    if (loader->Next(&batch).value()) continue;
    loader->StartEpoch(++epoch);
    if (!loader->Next(&batch).value()) state.SkipWithError("no batch");
  }
}

void Register(const Config& config, bool on_gpu, const char* method, int views,
              int64_t batch) {
  benchmark::RegisterBenchmark(
      absl::StrCat("BM_Step/", method, "/", views, "/", batch).c_str(),
      [=](benchmark::State& state) {
        (on_gpu ? GpuStep : Step)(state, config, method, views, batch);
      })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

void RegisterViews(const Config& config, int views, int64_t batch) {
  benchmark::RegisterBenchmark(
      absl::StrCat("BM_Views/", views, "/", batch).c_str(),
      [=](benchmark::State& state) { Views(state, config, views, batch); })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  gsg::KeepTensorMemory();  // as the trainers do
  int threads = 0, batch = 16;
  bool on_gpu = false;
  absl::StatusOr<gsg::Config> config = gsg::RecipeConfig("cifar10_fast");
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (absl::ConsumePrefix(&argument, "--recipe=")) {
      config = gsg::RecipeConfig(argument);
      if (config.ok()) continue;
    }
    if (absl::ConsumePrefix(&argument, "--batch=")) {
      // The cyclic pairing needs another image.
      if (absl::SimpleAtoi(argument, &batch) && batch >= 2) continue;
    }
    if (argument == "--device=cuda") {
      const auto device = gsg::ChooseDevice("cuda");
      if (device.ok() && gsg::Gpu() != nullptr) {
        on_gpu = true;
        continue;
      }
      std::fprintf(stderr, "%s\n",
                   device.ok()
                       ? "--device=cuda takes a build with --config=cuda"
                       : std::string(device.status().message()).c_str());
      return 1;
    }
    if ((argument == "--precision=float32" ||
         argument == "--precision=bfloat16") &&
        config.ok()) {
      config->precision =
          std::string(absl::StripPrefix(argument, "--precision="));
      continue;
    }
    if (!absl::ConsumePrefix(&argument, "--threads=") ||
        !absl::SimpleAtoi(argument, &threads)) {
      benchmark::ReportUnrecognizedArguments(argc, argv);
      return 2;
    }
  }
  if (threads > 0) at::set_num_threads(threads);
  benchmark::AddCustomContext("threads", absl::StrCat(at::get_num_threads()));
  gsg::Register(*config, on_gpu, "simsiam", 2, batch);
  gsg::Register(*config, on_gpu, "simsiam_gsg", 2, batch);
  gsg::Register(*config, on_gpu, "simsiam_gsg", 4, batch);
  gsg::Register(*config, on_gpu, "byol", 2, batch);
  gsg::Register(*config, on_gpu, "byol_gsg", 2, batch);
  gsg::RegisterViews(*config, 2, batch);
  gsg::RegisterViews(*config, 4, batch);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
