// Images per second that the batch loader delivers; one line of JSON.
//
//   throughput --source=memory|folder [--dir=DIR] [--crop=32] [--blur]
//              [--threads=N] [--seconds=S]
//   throughput --write=DIR --count=N [--side=160]
//
// Two views of each image, with SimSiam's augmentation: crop to a side of
// --crop, flip, color jitter and gray, with --blur also blur, as on ImageNet;
// normalized. `memory`: 10,000 images of 32 x 32; `folder`: the files below
// DIR. --write makes such a folder.

#include <turbojpeg.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "trainers/augment/options.h"
#include "trainers/image/channel_stats.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/folder.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"
#include "trainers/image/image_source.h"
#include "trainers/image/images.h"
#include "trainers/views/loader.h"

ABSL_FLAG(std::string, source, "memory", "memory or folder");
ABSL_FLAG(std::string, dir, "", "the folder");
ABSL_FLAG(int, crop, 32, "side of a view");
ABSL_FLAG(bool, blur, false, "blur half of the views");
ABSL_FLAG(int, threads, 1, "threads of the loader");
ABSL_FLAG(double, seconds, 5, "how long to measure");
ABSL_FLAG(std::string, write, "", "folder to write images to");
ABSL_FLAG(int, count, 2000, "how many images to write");
ABSL_FLAG(int, side, 160, "their sides, give or take an eighth");

namespace gsg {
namespace {

// Noise whose waves are the weaker the shorter they are, as in photographs:
// random values on ever finer grids, linear between them.
class Scene {
 public:
  explicit Scene(std::mt19937* random) {
    for (int octave = 0; octave < kOctaves; ++octave) {
      const int side = (2 << octave) + 1;
      for (int i = 0; i < 3 * side * side; ++i) {
        grid_[octave].push_back((*random)() / 4294967296.f - 0.5f);
      }
    }
  }

  // The color at y, x in 0..1.
  void At(float y, float x, uint8_t rgb[3]) const {
    float value[3] = {0.5f, 0.5f, 0.5f};
    float strength = 1;
    for (int octave = 0; octave < kOctaves; ++octave, strength *= 0.62f) {
      const int cells = 2 << octave;
      const float fy = y * cells, fx = x * cells;
      const int iy = std::min(static_cast<int>(fy), cells - 1);
      const int ix = std::min(static_cast<int>(fx), cells - 1);
      const auto corner = [&](int dy, int dx, int c) {
        return grid_[octave][3 * ((iy + dy) * (cells + 1) + ix + dx) + c];
      };
      const float v = fy - iy, u = fx - ix;
      // Colors change less than brightness does.
      for (int c = 0; c < 3; ++c) {
        const auto blend = [&](int k) {
          return (1 - v) * ((1 - u) * corner(0, 0, k) + u * corner(0, 1, k)) +
                 v * ((1 - u) * corner(1, 0, k) + u * corner(1, 1, k));
        };
        value[c] += strength * (0.8f * blend(0) + 0.2f * blend(c));
      }
    }
    for (int c = 0; c < 3; ++c) {
      rgb[c] = static_cast<uint8_t>(255 * std::clamp(value[c], 0.f, 1.f));
    }
  }

 private:
  static constexpr int kOctaves = 7;
  std::vector<float> grid_[kOctaves];
};

void WriteImages(const std::string& dir, int count, int side) {
  std::filesystem::create_directories(dir);
  std::mt19937 random(1);
  const auto length = [&] {
    return side - side / 8 + static_cast<int>(random() % (side / 4 + 1));
  };
  tjhandle handle = tjInitCompress();
  int64_t bytes = 0;
  for (int i = 0; i < count; ++i) {
    const Scene scene(&random);
    const int height = length(), width = length();
    std::vector<uint8_t> rgb(3 * height * width);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        scene.At((y + 0.5f) / height, (x + 0.5f) / width,
                 &rgb[3 * (y * width + x)]);
      }
    }
    unsigned char* out = nullptr;
    unsigned long size = 0;  // NOLINT: turbojpeg's type
    tjCompress2(handle, rgb.data(), width, 0, height, TJPF_RGB, &out, &size,
                TJSAMP_420, /*jpegQual=*/90, 0);
    std::ofstream file(absl::StrCat(dir, "/", i, ".jpg"), std::ios::binary);
    file.write(reinterpret_cast<const char*>(out),
               static_cast<std::streamsize>(size));
    bytes += static_cast<int64_t>(size);
    tjFree(out);
  }
  tjDestroy(handle);
  std::printf("{\"images\": %d, \"bytes_per_image\": %.0f}\n", count,
              static_cast<double>(bytes) / count);
}

std::unique_ptr<ImageSource> InMemory() {
  ImageSet images;
  images.count = 10000;
  images.channels = 3;
  images.height = images.width = 32;
  std::mt19937 random(1);
  for (int64_t i = 0; i < images.count; ++i) {
    for (int p = 0; p < 3 * 32 * 32; ++p) {
      images.pixels.push_back(static_cast<uint8_t>(random() >> 24));
    }
  }
  return std::make_unique<ImageSetSource>(std::move(images), "test");
}

AugmentOptions Augmentation() {
  AugmentOptions options;
  options.size = absl::GetFlag(FLAGS_crop);
  options.blur_prob = absl::GetFlag(FLAGS_blur) ? 0.5 : 0;
  options.hflip_prob = 0.5;
  options.jitter_prob = 0.8;
  options.brightness = options.contrast = options.saturation = 0.4;
  options.hue = 0.1;
  options.grayscale_prob = 0.2;
  const ChannelStats stats = ImageNetChannels(3);
  options.mean.assign(stats.mean.begin(), stats.mean.end());
  options.std.assign(stats.std.begin(), stats.std.end());
  return options;
}

absl::Status Measure() {
  std::unique_ptr<ImageSource> source;
  const AugmentOptions augment = Augmentation();
  LoaderOptions options;
  options.batch_size = 256;
  options.threads = absl::GetFlag(FLAGS_threads);
  if (absl::GetFlag(FLAGS_source) == "folder") {
    absl::StatusOr<Images> folder = ReadFolder(absl::GetFlag(FLAGS_dir), 3);
    if (!folder.ok()) return folder.status();
    source = std::move(folder->train);
    options.batch_size = 64;
  } else {
    source = InMemory();
  }
  DamagedImages damaged(0);
  absl::StatusOr<std::unique_ptr<BatchLoader>> loader =
      BatchLoader::Create(source.get(), augment, options, &damaged);
  if (!loader.ok()) return loader.status();

  // What is ready before the first call, and the caches' filling, is not
  // counted.
  const int64_t unmeasured = 2 * options.threads + options.prefetch;
  const absl::Duration limit = absl::Seconds(absl::GetFlag(FLAGS_seconds));
  absl::Time start = absl::InfiniteFuture();
  int64_t batches = 0;
  Batch batch;
  for (int64_t epoch = 0;; ++epoch) {
    (*loader)->StartEpoch(epoch);
    while (true) {
      absl::StatusOr<bool> more = (*loader)->Next(&batch);
      if (!more.ok()) return more.status();
      if (!*more) break;
      if (++batches == unmeasured) start = absl::Now();
      if (absl::Now() - start > limit) {
        const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
        std::printf("{\"images_per_second\": %.1f}\n",
                    (batches - unmeasured) * options.batch_size / seconds);
        return absl::OkStatus();
      }
    }
  }
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "images per second that the batch loader delivers");
  absl::ParseCommandLine(argc, argv);
  if (!absl::GetFlag(FLAGS_write).empty()) {
    gsg::WriteImages(absl::GetFlag(FLAGS_write), absl::GetFlag(FLAGS_count),
                     absl::GetFlag(FLAGS_side));
    return 0;
  }
  const absl::Status status = gsg::Measure();
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}
