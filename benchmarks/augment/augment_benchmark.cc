// Views per second of the augmentation, on one core and through the loader:
//   bazel run -c opt //benchmarks/augment:augment

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "trainers/augment/augment.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"
#include "trainers/views/loader.h"

namespace gsg {
namespace {

constexpr int kImages = 2048;  // more than the caches hold

ImageSet Images(int channels, int side) {
  ImageSet images;
  images.count = kImages;
  images.channels = channels;
  images.height = images.width = side;
  images.pixels.resize(int64_t{kImages} * channels * side * side);
  uint32_t state = 1;
  for (uint8_t& pixel : images.pixels) {
    state = state * 1664525 + 1013904223;
    pixel = static_cast<uint8_t>(state >> 24);
  }
  return images;
}

// Fashion-MNIST: 28 x 28 to 24 x 24 by crop, flip, brightness and contrast.
AugmentOptions Gray24() {
  AugmentOptions options;
  options.size = 24;
  options.crop_scale_min = 0.4;
  options.hflip_prob = 0.5;
  options.jitter_prob = 0.8;
  options.brightness = options.contrast = 0.4;
  options.mean = {0.286f};
  options.std = {0.353f};
  return options;
}

// SimSiam's on CIFAR-10: crop, jitter, gray and flip.
AugmentOptions Cifar() {
  AugmentOptions options;
  options.hflip_prob = 0.5;
  options.jitter_prob = 0.8;
  options.brightness = options.contrast = options.saturation = 0.4;
  options.hue = 0.1;
  options.grayscale_prob = 0.2;
  options.mean = {0.4914f, 0.4822f, 0.4465f};
  options.std = {0.2470f, 0.2435f, 0.2616f};
  return options;
}

AugmentOptions CifarBlur() {
  AugmentOptions options = Cifar();
  options.blur_prob = 0.5;
  options.solarize_prob = 0.2;
  return options;
}

AugmentOptions Gray24Gamma() {
  AugmentOptions options = Gray24();
  options.gamma = 0.5;
  return options;
}

void OneCore(benchmark::State& state, const AugmentOptions& options,
             int channels, int side) {
  const ImageSet images = Images(channels, side);
  Augmenter augmenter(options);
  std::vector<float> out(channels * options.size * options.size);
  const size_t bytes = channels * side * side;
  int64_t i = 0;
  for (auto _ : state) {
    const int64_t index = i++ % kImages;
    const AugmentParams params = SampleParams(
        options, /*seed=*/1, /*epoch=*/i / kImages, index, 0, side, side);
    augmenter.Apply(images.pixels.data() + index * bytes, channels, side, side,
                    params, out.data());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}

void Loader(benchmark::State& state, const AugmentOptions& options,
            int channels, int side) {
  const ImageSetSource source(Images(channels, side), "test");
  DamagedImages damaged(0);
  LoaderOptions loader_options;
  loader_options.batch_size = 256;
  loader_options.threads = static_cast<int>(state.range(0));
  absl::StatusOr<std::unique_ptr<BatchLoader>> loader =
      BatchLoader::Create(&source, options, loader_options, &damaged);
  if (!loader.ok()) {
    std::cerr << loader.status() << "\n";
    std::exit(1);
  }
  Batch batch;
  int64_t epoch = 0;
  for (auto _ : state) {
    (*loader)->StartEpoch(epoch++);
    while (*(*loader)->Next(&batch)) benchmark::DoNotOptimize(batch.view(0));
  }
  state.SetItemsProcessed(state.iterations() * kImages * loader_options.views);
}

BENCHMARK_CAPTURE(OneCore, gray24, Gray24(), 1, 28);
BENCHMARK_CAPTURE(OneCore, gray24_gamma, Gray24Gamma(), 1, 28);
BENCHMARK_CAPTURE(OneCore, cifar, Cifar(), 3, 32);
BENCHMARK_CAPTURE(OneCore, cifar_blur_solarize, CifarBlur(), 3, 32);
BENCHMARK_CAPTURE(Loader, gray24, Gray24(), 1, 28)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime();
BENCHMARK_CAPTURE(Loader, cifar, Cifar(), 3, 32)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime();

}  // namespace
}  // namespace gsg

BENCHMARK_MAIN();
