#include "trainers/data/loader.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "trainers/augment/augment.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"
#include "trainers/data/image_set.h"
#include "trainers/data/image_source.h"

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

std::unique_ptr<BatchLoader> MakeLoader(const ImageSource& source,
                                        const LoaderOptions& options) {
  absl::StatusOr<std::unique_ptr<BatchLoader>> loader =
      BatchLoader::Create(&source, Augment(), options);
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

// Fails at one image, and counts how often it is asked.
class FailingSource final : public ImageSource {
 public:
  FailingSource(const ImageSet* images, int64_t bad)
      : source_(images), bad_(bad) {}
  int64_t size() const override { return source_.size(); }
  int channels() const override { return source_.channels(); }
  absl::StatusOr<Image> Get(int64_t index,
                            std::vector<uint8_t>* scratch) const override {
    ++asked_;
    if (index == bad_) return absl::DataLossError("image is torn");
    return source_.Get(index, scratch);
  }
  int asked() const { return asked_; }

 private:
  ImageSetSource source_;
  int64_t bad_;
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
  const ImageSet images = Images();
  const ImageSetSource source(&images);
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
  const ImageSet images = Images();
  const ImageSetSource source(&images);
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
        augmenter.Apply(images.pixels.data() + index * kSide * kSide, 1, kSide,
                        kSide, params, expected.data());
        const float* row = batch.view(v) + b * 36;
        EXPECT_EQ(std::vector<float>(row, row + 36), expected);
      }
    }
  }
}

TEST(BatchLoaderTest, ThreadsAndPrefetchChangeNothing) {
  const ImageSet images = Images();
  const ImageSetSource source(&images);
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
  const ImageSet images = Images();
  const ImageSetSource source(&images);
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
  const ImageSet images = Images();
  const ImageSetSource source(&images);
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
  const ImageSet images = Images();
  const ImageSetSource source(&images);
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
  const ImageSet images = Images();
  const ImageSetSource source(&images);
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
  const ImageSet images = Images();
  const FailingSource source(&images, /*bad=*/-1);
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
  const ImageSet images = Images();
  const ImageSetSource source(&images);
  auto loader = MakeLoader(source, Options());
  Batch batch;
  EXPECT_EQ(loader->Next(&batch).status().code(),
            absl::StatusCode::kFailedPrecondition);
  loader->StartEpoch(0, 4);
  EXPECT_FALSE(*loader->Next(&batch));
  EXPECT_FALSE(*loader->Next(&batch));
}

TEST(BatchLoaderTest, StartEpochOutOfRange) {
  const ImageSet images = Images();
  const ImageSetSource source(&images);
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

TEST(BatchLoaderTest, SourceErrorsComeInTheirTurn) {
  const ImageSet images = Images();
  const int64_t bad = EpochOrder(kCount, 42, 0)[7];  // in the second batch
  const FailingSource source(&images, bad);
  auto loader = MakeLoader(source, Options(4, 4));
  for (int round = 0; round < 2; ++round) {
    loader->StartEpoch(0);
    Batch batch;
    EXPECT_TRUE(*loader->Next(&batch));
    for (int again = 0; again < 2; ++again) {
      EXPECT_EQ(loader->Next(&batch).status(),
                absl::DataLossError("image is torn"));
    }
  }
}

// Destroyed idle, in the middle of the work, with every slot full, and done.
TEST(BatchLoaderTest, DestructorNeverHangs) {
  const ImageSet images = Images();
  const ImageSetSource source(&images);
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

TEST(BatchLoaderTest, CreateErrors) {
  const ImageSet images = Images();
  const ImageSetSource source(&images);
  const auto message = [&](const LoaderOptions& options) {
    const absl::Status status =
        BatchLoader::Create(&source, Augment(), options).status();
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

  AugmentOptions augment = Augment();
  augment.size = 0;
  EXPECT_EQ(BatchLoader::Create(&source, augment, Options()).status().message(),
            "augmentation: size = 0, expected a value in [1, 4096]");
}

}  // namespace
}  // namespace gsg
