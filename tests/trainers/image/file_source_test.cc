// A folder of files through its readers, and through the loader.

#include "trainers/image/file_source.h"

#include <sys/stat.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/codec/encode.h"
#include "tests/trainers/image/files.h"
#include "trainers/augment/augment.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"
#include "trainers/views/loader.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two slow waves, of a phase that depends on `index`.
FileBytes Waves(int index, int height, int width) {
  FileBytes rgb;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double wave = std::sin(x / 20. + index) * std::cos(y / 25. - index);
      for (int c = 0; c < 3; ++c) {
        rgb.push_back(static_cast<uint8_t>(128 + 50 * wave * (c + 1) / 2));
      }
    }
  }
  return rgb;
}

// 12 JPEGs of differing sizes, some turned; number 7 is cut off and number 8 is
// empty.
std::vector<std::string> WriteImages(const std::string& dir) {
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) {
    const int height = 150 + 13 * i;
    const int width = 190 - 7 * i;
    FileBytes file = JpegWithExif(EncodeJpeg(Waves(i, height, width), height,
                                             width, TJPF_RGB, TJSAMP_420),
                                  ExifBlock(1 + i % 8, true));
    if (i == 7) file.resize(file.size() / 2);
    if (i == 8) file.clear();
    names.push_back(absl::StrCat(i / 10, i % 10, ".jpg"));
    Write(absl::StrCat(dir, "/", names.back()), file);
  }
  return names;
}

constexpr uint8_t kFrame[] = {0xFF, 0xC0};  // begins a JPEG's frame header

AugmentOptions Small() {
  AugmentOptions options;
  options.size = 16;
  options.hflip_prob = 0.5;
  return options;
}

TEST(FileSourceTest, NamesAndPaths) {
  const FileSource source("/data", {"a/1.jpg", "b.png"}, {4, 2}, 1);
  EXPECT_EQ(source.size(), 2);
  EXPECT_EQ(source.channels(), 1);
  EXPECT_EQ(source.fixed_size().height, 0);
  EXPECT_THAT(source.labels(), ElementsAre(4, 2));
  EXPECT_EQ(source.name(0), "a/1.jpg");
  EXPECT_EQ(source.name(1), "b.png");
  EXPECT_EQ(source.path(1), "/data/b.png");
}

TEST(FileSourceTest, ErrorsSayWhy) {
  const std::string dir = TestFolder();
  Write(dir + "/empty.jpg", {});
  Write(dir + "/text.jpg", {'h', 'e', 'l', 'l', 'o'});
  const FileSource source(dir, {"empty.jpg", "gone.jpg", "text.jpg"}, {}, 3);
  const std::unique_ptr<ImageReader> reader = source.MakeReader();
  EXPECT_EQ(reader->Open(0).status().message(), "the file is empty");
  EXPECT_THAT(std::string(reader->Open(1).status().message()),
              HasSubstr("cannot be opened: No such file"));
  EXPECT_THAT(std::string(reader->Open(2).status().message()),
              HasSubstr("not an image of a format that is read"));
}

TEST(FileSourceTest, WhatIsNoFileIsNotWaitedFor) {
  const std::string dir = TestFolder();
  ASSERT_EQ(mkfifo((dir + "/pipe.jpg").c_str(), 0600), 0);
  const FileSource source(dir, {"pipe.jpg"}, {}, 3);
  EXPECT_EQ(source.MakeReader()->Open(0).status().message(),
            "not a regular file");
}

// After a file that is gone or damaged a reader is as a new one.
TEST(FileSourceTest, NothingIsLeftOfAFileThatFailed) {
  const std::string dir = TestFolder();
  const FileBytes first = EncodeJpeg(Waves(1, 60, 80), 60, 80);
  const FileBytes second = EncodeJpeg(Waves(2, 90, 50), 90, 50);
  Write(dir + "/first.jpg", first);
  Write(dir + "/second.jpg", second);
  FileBytes header = first;
  header[1 +
         std::search(first.begin(), first.end(), std::begin(kFrame),
                     std::end(kFrame)) -
         first.begin()] = 0xC3;
  Write(dir + "/lossless.jpg", header);
  Write(dir + "/cut.jpg", {first.begin(), first.end() - 50});
  const FileSource source(
      dir, {"first.jpg", "second.jpg", "lossless.jpg", "cut.jpg", "gone.jpg"},
      {}, 3);
  const auto pixels = [](ImageReader* reader, int64_t index) {
    std::vector<int> values;
    const absl::StatusOr<ImageSize> size = reader->Open(index);
    const absl::StatusOr<Image> image = reader->Decode(1);
    if (!image.ok()) return values;
    values = {image->height, image->width};
    values.insert(values.end(), image->chw,
                  image->chw + 3 * image->height * image->width);
    return values;
  };
  const std::unique_ptr<ImageReader> reader = source.MakeReader();
  for (const int64_t bad : {2, 3, 4}) {
    for (const int64_t good : {0, 1, 0}) {
      EXPECT_TRUE(pixels(reader.get(), bad).empty()) << bad;
      EXPECT_EQ(pixels(reader.get(), good),
                pixels(source.MakeReader().get(), good))
          << good << " after " << bad;
    }
  }
}

TEST(FileSourceTest, LoaderThreadsChangeNothing) {
  const std::string dir = TestFolder();
  const FileSource source(dir, WriteImages(dir), {}, 3);
  std::vector<Batch> expected;
  std::vector<std::string> damage;
  for (int threads : {1, 2, 3}) {
    DamagedImages damaged(0.2);
    LoaderOptions options;
    options.batch_size = 4;
    options.threads = threads;
    absl::StatusOr<std::unique_ptr<BatchLoader>> loader =
        BatchLoader::Create(&source, Small(), options, &damaged);
    ASSERT_TRUE(loader.ok()) << loader.status();
    (*loader)->StartEpoch(0);
    for (int i = 0; i < 3; ++i) {
      Batch batch;
      const absl::StatusOr<bool> more = (*loader)->Next(&batch);
      ASSERT_TRUE(more.ok()) << more.status();
      if (threads == 1) {
        expected.push_back(batch);
      } else {
        EXPECT_EQ(batch.indices, expected[i].indices);
        EXPECT_EQ(batch.pixels, expected[i].pixels);
      }
    }
    std::vector<std::string> names;
    for (const DamagedImage& image : damaged.list()) {
      names.push_back(absl::StrCat(image.name, ": ", image.reason));
    }
    if (threads == 1) damage = names;
    EXPECT_EQ(names, damage);
    EXPECT_THAT(names, ::testing::UnorderedElementsAre(
                           HasSubstr("07.jpg: JPEG: Premature end"),
                           "08.jpg: the file is empty"));
  }
}

// A crop of a reduced image shows what the same crop of the full one does, for
// every orientation: slow waves lose next to nothing by it.
TEST(FileSourceTest, CropsOfReducedImages) {
  const std::string dir = TestFolder();
  const FileSource source(dir, WriteImages(dir), {}, 3);
  const std::unique_ptr<ImageReader> reader = source.MakeReader();
  Augmenter augmenter(Small());
  std::vector<float> full(3 * 256), reduced(3 * 256);
  for (int64_t i : {0, 1, 2, 3, 4, 5, 6, 9, 10, 11}) {
    const absl::StatusOr<ImageSize> size = reader->Open(i);
    ASSERT_TRUE(size.ok()) << size.status();
    for (int reduction : {2, 4, 8}) {
      const AugmentParams params =
          SampleParams(Small(), 1, 0, i, reduction, size->height, size->width);
      augmenter.Apply(*reader->Decode(1), params, full.data());
      const absl::StatusOr<Image> image = reader->Decode(reduction);
      EXPECT_EQ(image->reduction, reduction);
      augmenter.Apply(*image, params, reduced.data());
      for (size_t k = 0; k < full.size(); ++k) {
        // A byte is 0.004. The waves' steepest is 0.015 a pixel, so that a
        // shift by a reduced pixel's half would show as 0.0075 * reduction.
        ASSERT_NEAR(reduced[k], full[k], 0.004 * reduction)
            << "image " << i << " reduced " << reduction << " at " << k;
      }
    }
  }
}

TEST(FileSourceTest, EvaluationLeavesDamagedFilesOut) {
  const std::string dir = TestFolder();
  const FileSource source(dir, WriteImages(dir), {}, 1);
  DamagedImages damaged(0.2);
  EvaluationOptions options;
  options.side = 28;
  options.threads = 2;
  EvaluationImages images(&source, options, &damaged);
  EvaluationBatch batch;
  ASSERT_TRUE(images.Read(EvenlySpaced(12, 0), &batch).ok());
  EXPECT_THAT(batch.indices, ElementsAre(0, 1, 2, 3, 4, 5, 6, 9, 10, 11));
  EXPECT_EQ(batch.pixels.size(), 10 * 28 * 28);
  ASSERT_EQ(damaged.list().size(), 2);
  EXPECT_EQ(damaged.list()[0].name, "07.jpg");
}

}  // namespace
}  // namespace gsg
