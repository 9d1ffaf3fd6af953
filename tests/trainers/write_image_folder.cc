// Writes a small data set of JPEG files, for tests that run a trainer on one:
//   write_image_folder DIR COUNT
// COUNT images of about 48 x 48 pixels in DIR/train and a quarter as many in
// DIR/val, of three classes: horizontal, vertical and diagonal waves, of any
// phase, color and size.

#include <turbojpeg.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "tests/trainers/image/codec/encode.h"

namespace {

void WriteImage(const std::string& path, int label, std::mt19937* random) {
  const auto uniform = [&](double low, double high) {
    return low + (high - low) * static_cast<double>((*random)()) / 4294967296.0;
  };
  const int height = static_cast<int>(uniform(40, 60));
  const int width = static_cast<int>(uniform(40, 60));
  const double phase = uniform(0, 6);
  const double color[3] = {uniform(0.3, 1), uniform(0.3, 1), uniform(0.3, 1)};
  gsg::FileBytes rgb;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double along[3] = {x * 1., y * 1., 0.7 * (x + y)};
      const double wave = 0.5 + 0.5 * std::sin(along[label] * 0.6 + phase);
      for (double c : color) {
        rgb.push_back(static_cast<uint8_t>(255 * wave * c));
      }
    }
  }
  const gsg::FileBytes file = gsg::EncodeJpeg(rgb, height, width, TJPF_RGB,
                                              TJSAMP_420, 0, /*quality=*/90);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(file.data()),
            static_cast<std::streamsize>(file.size()));
}

void WriteSplit(const std::string& folder, int count, std::mt19937* random) {
  const std::string classes[] = {"horizontal", "vertical", "diagonal"};
  for (const std::string& name : classes) {
    std::filesystem::create_directories(folder + "/" + name);
  }
  for (int i = 0; i < count; ++i) {
    WriteImage(folder + "/" + classes[i % 3] + "/" + std::to_string(i) + ".jpg",
               i % 3, random);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s DIR COUNT\n", argv[0]);
    return 2;
  }
  const std::string folder = argv[1];
  const int count = std::atoi(argv[2]);
  std::mt19937 random(1);
  WriteSplit(folder + "/train", count, &random);
  WriteSplit(folder + "/val", count / 4, &random);
  return 0;
}
