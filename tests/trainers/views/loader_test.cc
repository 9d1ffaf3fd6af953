#include "trainers/views/loader.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/augment/augment.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

constexpr int kCount = 23;
constexpr int kSide = 8;

// Image i is filled with values around 10 * i, so it can be told apart.
ImageSet Images() {
  ImageSet images;
  images.count = kCount;
  images.channels = 1;
  images.height = images.width = kSide;
  for (int i = 0; i < kCount; ++i) {
    for (int p = 0; p < kSide * kSide; ++p) {
      images.pixels.push_back(static_cast<uint8_t>(10 * i + p % 7));
    }
  }
  return images;
}

AugmentOptions Augment() {
  AugmentOptions options;
  options.size = 6;
  options.hflip_prob = 0.5;
  options.jitter_prob = 0.8;
  options.brightness = options.contrast = 0.4;
  return options;
}

LoaderOptions Options(int threads = 2, int prefetch = 2) {
  LoaderOptions options;
  options.batch_size = 5;
  options.views = 2;
  options.seed = 42;
  options.threads = threads;
  options.prefetch = prefetch;
  return options;
}

// For sources without damage, which tests need not look at.
DamagedImages* NoneMay() {
  static auto* damaged = new DamagedImages(0);
  return damaged;
}

std::unique_ptr<BatchLoader> MakeLoader(const ImageSource& source,
                                        const LoaderOptions& options,
                                        DamagedImages* damaged = NoneMay()) {
  absl::StatusOr<std::unique_ptr<BatchLoader>> loader =
      BatchLoader::Create(&source, Augment(), options, damaged);
  EXPECT_TRUE(loader.ok()) << loader.status();
  return *std::move(loader);
}

// The batches left of the epoch.
std::vector<Batch> Rest(BatchLoader* loader) {
  std::vector<Batch> batches;
  while (true) {
    Batch batch;
    const absl::StatusOr<bool> more = loader->Next(&batch);
    EXPECT_TRUE(more.ok()) << more.status();
    if (!more.ok() || !*more) return batches;
    batches.push_back(batch);
  }
}

void ExpectSame(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].indices, b[i].indices) << "batch " << i;
    EXPECT_EQ(a[i].pixels, b[i].pixels) << "batch " << i;
  }
}

// Cannot read some of the images, and counts how often it is asked.
class DamagedSource final : public ImageSource {
 public:
  explicit DamagedSource(std::set<int64_t> bad)
      : source_(Images(), "test"), bad_(std::move(bad)) {}
  int64_t size() const override { return source_.size(); }
  int channels() const override { return source_.channels(); }
  ImageSize fixed_size() const override { return source_.fixed_size(); }
  absl::Span<const int32_t> labels() const override { return {}; }
  std::string name(int64_t index) const override { return source_.name(index); }
  std::unique_ptr<ImageReader> MakeReader() const override {
    return std::make_unique<Reader>(this);
  }
  int asked() const { return asked_; }

 private:
  class Reader final : public ImageReader {
   public:
    explicit Reader(const DamagedSource* source)
        : source_(*source), reader_(source->source_.MakeReader()) {}
    absl::StatusOr<ImageSize> Open(int64_t index) override {
      ++source_.asked_;
      index_ = index;
      return reader_->Open(index);
    }
    absl::StatusOr<Image> Decode(int reduction) override {
      if (source_.bad_.count(index_) > 0) return absl::DataLossError("torn");
      return reader_->Decode(reduction);
    }

   private:
    const DamagedSource& source_;
    const std::unique_ptr<ImageReader> reader_;
    int64_t index_ = 0;
  };

  const ImageSetSource source_;
  const std::set<int64_t> bad_;
  mutable std::atomic<int> asked_{0};
};

TEST(EpochOrderTest, IsAPermutationOfItsArguments) {
  const std::vector<int64_t> order = EpochOrder(1000, 1, 2);
  std::vector<int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int64_t> all(1000);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(sorted, all);
  EXPECT_NE(order, all);
  EXPECT_EQ(order, EpochOrder(1000, 1, 2));
  EXPECT_NE(order, EpochOrder(1000, 2, 2));
  EXPECT_NE(order, EpochOrder(1000, 1, 3));
  EXPECT_TRUE(EpochOrder(0, 1, 1).empty());
}

// All 24 orders of 4 images, each expected 1000 times, standard deviation 31.
TEST(EpochOrderTest, IsUnbiased) {
  std::map<std::vector<int64_t>, int> count;
  for (int epoch = 0; epoch < 24000; ++epoch) ++count[EpochOrder(4, 7, epoch)];
  EXPECT_EQ(count.size(), 24);
  for (const auto& [order, n] : count) EXPECT_NEAR(n, 1000, 5 * 31);
}

TEST(BatchLoaderTest, DeliversTheEpochOrderWithoutTheIncompleteBatch) {
  const ImageSetSource source(Images(), "test");
  auto loader = MakeLoader(source, Options());
  EXPECT_EQ(loader->batches_per_epoch(), 4);
  loader->StartEpoch(3);
  std::vector<int64_t> delivered;
  for (const Batch& batch : Rest(loader.get())) {
    EXPECT_EQ(batch.size, 5);
    EXPECT_EQ(batch.channels, 1);
    EXPECT_EQ(batch.side, 6);
    EXPECT_EQ(batch.views, 2);
    EXPECT_EQ(batch.pixels.size(), 2 * 5 * 36);
    delivered.insert(delivered.end(), batch.indices.begin(),
                     batch.indices.end());
  }
  std::vector<int64_t> expected = EpochOrder(kCount, 42, 3);
  expected.resize(20);
  EXPECT_EQ(delivered, expected);
}

TEST(BatchLoaderTest, ViewsAreThoseOfTheirImages) {
  const ImageSetSource source(Images(), "test");
  LoaderOptions options = Options();
  options.views = 4;
  auto loader = MakeLoader(source, options);
  loader->StartEpoch(9);
  Augmenter augmenter(Augment());
  for (const Batch& batch : Rest(loader.get())) {
    for (int v = 0; v < 4; ++v) {
      for (int b = 0; b < 5; ++b) {
        const int64_t index = batch.indices[b];
        const AugmentParams params =
            SampleParams(Augment(), 42, 9, index, v, kSide, kSide);
        std::vector<float> expected(36);
        augmenter.Apply(source.images().pixels.data() + index * kSide * kSide,
                        1, kSide, kSide, params, expected.data());
        const float* row = batch.view(v) + b * 36;
        EXPECT_EQ(std::vector<float>(row, row + 36), expected);
      }
    }
  }
}

TEST(BatchLoaderTest, LocalViewsComeBesideTheOthers) {
  const ImageSetSource source(Images(), "test");
  auto plain = MakeLoader(source, Options());
  plain->StartEpoch(9);
  const std::vector<Batch> without = Rest(plain.get());
  AugmentOptions local = Augment();
  local.size = 4;
  local.crop_scale_min = 0.3;
  local.crop_scale_max = 0.5;
  Augmenter augmenter(local);
  for (int threads : {1, 3}) {
    LoaderOptions options = Options(threads);
    options.local_views = 3;
    options.local_augment = local;
    auto loader = MakeLoader(source, options);
    loader->StartEpoch(9);
    const std::vector<Batch> batches = Rest(loader.get());
    ExpectSame(batches, without);
    for (const Batch& batch : batches) {
      ASSERT_EQ(batch.local_views, 3);
      ASSERT_EQ(batch.local_side, 4);
      for (int v = 0; v < 3; ++v) {
        for (int b = 0; b < 5; ++b) {
          const int64_t index = batch.indices[b];
          const AugmentParams params =
              SampleParams(local, 42, 9, index, 2 + v, kSide, kSide);
          std::vector<float> expected(16);
          augmenter.Apply(source.images().pixels.data() + index * kSide * kSide,
                          1, kSide, kSide, params, expected.data());
          const float* row = batch.local_view(v) + b * 16;
          EXPECT_EQ(std::vector<float>(row, row + 16), expected);
        }
      }
    }
  }
  EXPECT_EQ(without[0].local_views, 0);
  EXPECT_TRUE(without[0].local_pixels.empty());
}

TEST(BatchLoaderTest, ThreadsAndPrefetchChangeNothing) {
  const ImageSetSource source(Images(), "test");
  auto reference = MakeLoader(source, Options(1, 0));
  reference->StartEpoch(1);
  const std::vector<Batch> expected = Rest(reference.get());
  for (int threads : {1, 2, 5, 9}) {
    for (int prefetch : {0, 1, 7}) {
      auto loader = MakeLoader(source, Options(threads, prefetch));
      loader->StartEpoch(1);
      ExpectSame(Rest(loader.get()), expected);
    }
  }
}

TEST(BatchLoaderTest, StartingAtABatchIsSkippingToIt) {
  const ImageSetSource source(Images(), "test");
  auto loader = MakeLoader(source, Options());
  loader->StartEpoch(5);
  const std::vector<Batch> all = Rest(loader.get());
  for (int first = 0; first <= 4; ++first) {
    loader->StartEpoch(5, first);
    ExpectSame(Rest(loader.get()),
               std::vector<Batch>(all.begin() + first, all.end()));
  }
}

TEST(BatchLoaderTest, EpochsDiffer) {
  const ImageSetSource source(Images(), "test");
  auto loader = MakeLoader(source, Options());
  loader->StartEpoch(0);
  const std::vector<Batch> a = Rest(loader.get());
  loader->StartEpoch(1);
  const std::vector<Batch> b = Rest(loader.get());
  EXPECT_NE(a[0].indices, b[0].indices);
  loader->StartEpoch(0);
  ExpectSame(Rest(loader.get()), a);
}

TEST(BatchLoaderTest, StartEpochInMidEpochDropsTheRest) {
  const ImageSetSource source(Images(), "test");
  auto loader = MakeLoader(source, Options(3, 1));
  loader->StartEpoch(2);
  const std::vector<Batch> expected = Rest(loader.get());
  for (int taken = 0; taken < 4; ++taken) {
    loader->StartEpoch(7);
    Batch batch;
    for (int i = 0; i < taken; ++i) ASSERT_TRUE(*loader->Next(&batch));
    loader->StartEpoch(2);
    ExpectSame(Rest(loader.get()), expected);
  }
}

TEST(BatchLoaderTest, RecyclesTheCallersMemory) {
  const ImageSetSource source(Images(), "test");
  const LoaderOptions options = Options(1, 1);
  auto loader = MakeLoader(source, options);
  std::set<const float*> seen;
  Batch batch;
  for (int epoch = 0; epoch < 10; ++epoch) {
    loader->StartEpoch(epoch);
    while (*loader->Next(&batch)) seen.insert(batch.view(0));
  }
  // threads + prefetch, and the caller's.
  EXPECT_LE(seen.size(), 3);
}

// The loader may run ahead by threads + prefetch batches and no further.
TEST(BatchLoaderTest, RunsAheadABoundedWay) {
  const DamagedSource source({});
  {
    auto loader = MakeLoader(source, Options(1, 1));
    loader->StartEpoch(0);
    Batch batch;
    ASSERT_TRUE(*loader->Next(&batch));
  }
  EXPECT_GE(source.asked(), 5);
  EXPECT_LE(source.asked(), 3 * 5);
}

TEST(BatchLoaderTest, EndAndNotStarted) {
  const ImageSetSource source(Images(), "test");
  auto loader = MakeLoader(source, Options());
  Batch batch;
  EXPECT_EQ(loader->Next(&batch).status().code(),
            absl::StatusCode::kFailedPrecondition);
  loader->StartEpoch(0, 4);
  EXPECT_FALSE(*loader->Next(&batch));
  EXPECT_FALSE(*loader->Next(&batch));
}

TEST(BatchLoaderTest, StartEpochOutOfRange) {
  const ImageSetSource source(Images(), "test");
  auto loader = MakeLoader(source, Options());
  Batch batch;
  loader->StartEpoch(0, 5);
  EXPECT_EQ(
      loader->Next(&batch).status(),
      absl::OutOfRangeError("loader: first batch 5 of an epoch of 4 batches"));
  loader->StartEpoch(-1);
  EXPECT_EQ(
      loader->Next(&batch).status(),
      absl::OutOfRangeError("loader: epoch -1, expected 0 to 4294967295"));
  loader->StartEpoch(0, 3);
  EXPECT_TRUE(*loader->Next(&batch));
}

// Images 3, 4 and 22 cannot be read: 5 stands in for 3 and 4, and 0 for 22,
// with the views that the missing ones would have had.
TEST(BatchLoaderTest, NextGoodImageStandsInForADamagedOne) {
  const DamagedSource source({3, 4, 22});
  DamagedImages damaged(0.2);
  auto loader = MakeLoader(source, Options(), &damaged);
  loader->StartEpoch(3);
  const std::vector<int64_t> order = EpochOrder(kCount, 42, 3);
  const ImageSet images = Images();
  Augmenter augmenter(Augment());
  int64_t n = 0;
  int replaced = 0;
  for (const Batch& batch : Rest(loader.get())) {
    for (int b = 0; b < 5; ++b) {
      const int64_t wanted = order[n++];
      const int64_t expected = wanted == 3 || wanted == 4 ? 5
                               : wanted == 22             ? 0
                                                          : wanted;
      EXPECT_EQ(batch.indices[b], expected);
      replaced += wanted != expected;
      std::vector<float> view(36);
      augmenter.Apply(
          images.pixels.data() + expected * kSide * kSide, 1, kSide, kSide,
          SampleParams(Augment(), 42, 3, wanted, 1, kSide, kSide), view.data());
      const float* row = batch.view(1) + b * 36;
      EXPECT_EQ(std::vector<float>(row, row + 36), view);
    }
  }
  EXPECT_GE(replaced, 1);
}

TEST(BatchLoaderTest, NotesEachDamagedImageOnceWhateverTheThreads) {
  std::vector<std::string> expected;
  for (int threads : {1, 2, 5}) {
    const DamagedSource source({3, 4, 22});
    DamagedImages damaged(0.2);
    auto loader = MakeLoader(source, Options(threads, 3), &damaged);
    for (int epoch = 0; epoch < 4; ++epoch) {
      loader->StartEpoch(epoch);
      EXPECT_EQ(Rest(loader.get()).size(), 4);
    }
    std::vector<std::string> names;
    for (const DamagedImage& image : damaged.list()) {
      EXPECT_EQ(image.reason, "torn");
      names.push_back(image.name);
    }
    if (expected.empty()) expected = names;
    EXPECT_EQ(names, expected) << threads;
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, (std::vector<std::string>{"test image 22", "test image 3",
                                               "test image 4"}));
  }
}

TEST(BatchLoaderTest, TooMuchDamageComesInItsTurn) {
  const std::vector<int64_t> order = EpochOrder(kCount, 42, 0);
  // One in the first batch and two in the third, where 10 of 23 are allowed and
  // 8 of those behind are known already.
  const DamagedSource source({order[1], order[11], order[13]});
  for (int threads : {1, 4}) {
    DamagedImages damaged(0.1);
    for (int i = 15; i < 23; ++i) {
      EXPECT_TRUE(
          damaged.Add(source, order[i], absl::DataLossError("torn")).ok());
    }
    auto loader = MakeLoader(source, Options(threads, 4), &damaged);
    loader->StartEpoch(0);
    Batch batch;
    EXPECT_TRUE(*loader->Next(&batch));
    EXPECT_EQ(damaged.list().size(), 9);
    EXPECT_TRUE(*loader->Next(&batch));
    for (int again = 0; again < 2; ++again) {
      const absl::Status status = loader->Next(&batch).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
      EXPECT_THAT(std::string(status.message()),
                  ::testing::HasSubstr("11 of 23 images are damaged so far; "
                                       "--max_damaged=0.1 allows 10"));
    }
  }
}

// Whatever share is allowed, it must not look for a good image for ever.
TEST(BatchLoaderTest, NothingButDamage) {
  std::set<int64_t> all;
  for (int64_t i = 0; i < kCount; ++i) all.insert(i);
  const DamagedSource source(all);
  DamagedImages damaged(1);
  auto loader = MakeLoader(source, Options(), &damaged);
  loader->StartEpoch(0);
  Batch batch;
  EXPECT_EQ(loader->Next(&batch).status().code(), absl::StatusCode::kDataLoss);
}

// Destroyed idle, in the middle of the work, with every slot full, and done.
TEST(BatchLoaderTest, DestructorNeverHangs) {
  const ImageSetSource source(Images(), "test");
  for (int i = 0; i < 200; ++i) {
    auto loader = MakeLoader(source, Options(1 + i % 4, i % 3));
    if (i % 5 == 0) continue;
    loader->StartEpoch(i);
    Batch batch;
    for (int taken = 0; taken < i % 6; ++taken) {
      ASSERT_TRUE(loader->Next(&batch).ok());
    }
  }
}

// What other processes make of a batch, put behind each other, is the batch:
// order, pixels, and what stands in for damaged images.
TEST(BatchLoaderTest, PartsTogetherAreTheBatch) {
  const DamagedSource source({2, 3, 11, 22});
  LoaderOptions options = Options();
  options.batch_size = 6;
  DamagedImages damaged(0.5);
  auto loader = MakeLoader(source, options, &damaged);
  loader->StartEpoch(3, 1);
  const std::vector<Batch> whole = Rest(loader.get());
  ASSERT_EQ(whole.size(), 2u);
  size_t damaged_in_parts = 0;
  options.parts = 3;
  for (options.part = 0; options.part < 3; ++options.part) {
    DamagedImages damaged_in_part(0.5);
    auto part_loader = MakeLoader(source, options, &damaged_in_part);
    EXPECT_EQ(part_loader->batches_per_epoch(), 3);
    part_loader->StartEpoch(3, 1);
    const std::vector<Batch> parts = Rest(part_loader.get());
    ASSERT_EQ(parts.size(), whole.size());
    for (size_t i = 0; i < parts.size(); ++i) {
      const Batch& part = parts[i];
      ASSERT_EQ(part.size, 2);
      EXPECT_EQ(part.indices,
                std::vector<int64_t>(
                    whole[i].indices.begin() + 2 * options.part,
                    whole[i].indices.begin() + 2 * (options.part + 1)));
      const int64_t floats = 2 * part.channels * part.side * part.side;
      for (int v = 0; v < part.views; ++v) {
        EXPECT_EQ(
            std::vector<float>(part.view(v), part.view(v) + floats),
            std::vector<float>(whole[i].view(v) + options.part * floats,
                               whole[i].view(v) + (options.part + 1) * floats));
      }
    }
    damaged_in_parts += damaged_in_part.list().size();
  }
  EXPECT_GT(damaged_in_parts, 0u);
  EXPECT_GE(damaged_in_parts, damaged.list().size());
}

TEST(BatchLoaderTest, CreateErrors) {
  const ImageSetSource source(Images(), "test");
  const auto message = [&](const LoaderOptions& options) {
    const absl::Status status =
        BatchLoader::Create(&source, Augment(), options, NoneMay()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  LoaderOptions options = Options();
  options.batch_size = 24;
  EXPECT_EQ(message(options),
            "loader: batch_size = 24 is larger than the data set of 23 "
            "images, so an epoch would have no batch; lower the batch size");
  options = Options();
  options.batch_size = 0;
  EXPECT_EQ(message(options), "loader: batch_size = 0, expected at least 1");
  options = Options();
  options.views = 0;
  EXPECT_EQ(message(options), "loader: views = 0, expected at least 1");
  EXPECT_EQ(message(Options(0, 2)), "loader: threads = 0, expected at least 1");
  EXPECT_EQ(message(Options(1, -1)),
            "loader: prefetch = -1, expected at least 0");

  options = Options();
  options.parts = 2;
  EXPECT_EQ(message(options),
            "loader: part 0 of 2 of a batch of 5, expected one below the "
            "number of parts, which divides the batch");
  options.parts = 5;
  options.part = 5;
  EXPECT_EQ(message(options),
            "loader: part 5 of 5 of a batch of 5, expected one below the "
            "number of parts, which divides the batch");

  AugmentOptions augment = Augment();
  augment.size = 0;
  EXPECT_EQ(BatchLoader::Create(&source, augment, Options(), NoneMay())
                .status()
                .message(),
            "augmentation: size = 0, expected a value in [1, 4096]");
}

}  // namespace
}  // namespace gsg
