// Features and damaged images of several ranks.

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/distributed/ranks.h"
#include "trainers/distributed/world.h"
#include "trainers/evaluate/features.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"
#include "trainers/run/run_state.h"
#include "trainers/train/shared_damage.h"

namespace gsg {
namespace {

using ::testing::HasSubstr;

// A hundred images that are only named and labeled.
class Named final : public ImageSource {
 public:
  Named() : labels_(100) {
    for (int i = 0; i < 100; ++i) labels_[i] = i % 7;
  }
  int64_t size() const override { return 100; }
  int channels() const override { return 1; }
  ImageSize fixed_size() const override { return {}; }
  absl::Span<const int32_t> labels() const override { return labels_; }
  std::string name(int64_t index) const override {
    return absl::StrCat("image ", index);
  }
  std::unique_ptr<ImageReader> MakeReader() const override { return nullptr; }

 private:
  std::vector<int32_t> labels_;
};

// Image i has the features i and 2 i; those of index 13 and 14 are damaged.
absl::StatusOr<Features> Computed(absl::Span<const int64_t> indices) {
  Features features;
  std::vector<float> rows;
  for (const int64_t i : indices) {
    if (i == 13 || i == 14) continue;
    features.indices.push_back(i);
    rows.push_back(static_cast<float>(i));
    rows.push_back(static_cast<float>(2 * i));
  }
  features.rows = at::tensor(rows).view({-1, 2});
  return features;
}

std::string Gathered(World& world, const std::vector<int64_t>& indices) {
  const Named source;
  const absl::StatusOr<Features> features =
      FeaturesOfRanks(world, source, indices, Computed);
  if (!features.ok()) return std::string(features.status().message());
  if (!features->rows.defined()) return "none";
  std::string text = absl::StrJoin(features->indices, ",");
  for (int64_t i = 0; i < features->rows.size(0); ++i) {
    absl::StrAppend(&text, " ", features->rows[i][1].item<float>(), "/",
                    features->labels[i].item<int64_t>());
  }
  return text;
}

TEST(FeaturesOfRanksTest, AllAreOnTheRootInOrder) {
  const std::vector<int64_t> indices = {12, 13, 14, 15, 8, 3, 2};
  const std::string want = "12,15,8,3,2 24/5 30/1 16/1 6/3 4/2";
  for (const int ranks : {2, 3}) {
    const std::vector<RankOutcome> outcomes =
        RunRanks(ranks, [&](World& world) { return Gathered(world, indices); });
    EXPECT_EQ(outcomes[0].text, want) << ranks << " ranks";
    for (int r = 1; r < ranks; ++r) EXPECT_EQ(outcomes[r].text, "none");
  }
}

TEST(FeaturesOfRanksTest, FewerImagesThanRanks) {
  const std::vector<RankOutcome> outcomes =
      RunRanks(3, [](World& world) { return Gathered(world, {5}); });
  EXPECT_EQ(outcomes[0].text, "5 10/5");
}

TEST(FeaturesOfRanksTest, OneErrorIsAllRanks) {
  const Named source;
  const std::vector<RankOutcome> outcomes = RunRanks(2, [&](World& world) {
    return std::string(
        FeaturesOfRanks(
            world, source, {1, 2},
            [&](absl::Span<const int64_t> indices) -> absl::StatusOr<Features> {
              if (indices[0] == 2) {
                return absl::DataLossError("torn");
              }
              return Computed(indices);
            })
            .status()
            .message());
  });
  EXPECT_THAT(outcomes[0].text, HasSubstr("another process"));
  EXPECT_EQ(outcomes[1].text, "torn");
}

TEST(SharedDamageTest, AllListsAreTheSame) {
  const std::vector<RankOutcome> outcomes = RunRanks(3, [](World& world) {
    const Named train, test;
    DamagedImages damaged(0.5);
    SharedDamage shared({&train, &test}, &damaged);
    EXPECT_TRUE(damaged
                    .Add(world.rank() == 2 ? test : train, 10 * world.rank(),
                         absl::DataLossError("torn\nin two"))
                    .ok());
    // That rank 1 knows of already.
    if (world.rank() == 1) {
      EXPECT_TRUE(damaged.Add(train, 0, absl::DataLossError("torn")).ok());
    }
    EXPECT_EQ(shared.News(), world.rank() == 1 ? 2u : 1u);
    EXPECT_TRUE(shared.Exchange(world).ok());
    EXPECT_EQ(shared.News(), 0u);
    std::vector<std::string> lines;
    for (const DamagedImage& image : damaged.list()) {
      lines.push_back(absl::StrCat(image.source == &train ? "train " : "test ",
                                   image.index, " ",
                                   image.reason.substr(0, 4)));
    }
    std::sort(lines.begin(), lines.end());
    return absl::StrJoin(lines, ", ");
  });
  for (const RankOutcome& outcome : outcomes) {
    EXPECT_EQ(outcome.text, "test 20 torn, train 0 torn, train 10 torn");
  }
}

TEST(SharedDamageTest, ACheckpointKeepsIt) {
  const Named train, test;
  DamagedImages damaged(0.5);
  SharedDamage shared({&train, &test}, &damaged);
  EXPECT_TRUE(damaged.Add(test, 7, absl::DataLossError("torn")).ok());
  EXPECT_TRUE(damaged.Add(train, 3, absl::DataLossError("empty")).ok());
  std::vector<DamageRecord> records = shared.Records();
  records.push_back({0, 100, "image 100", "there are not so many"});
  records.push_back({0, 4, "image 5", "it was another one"});
  records.push_back({2, 0, "image 0", "there is no such source"});
  records.push_back({0, -1, "image -1", "nor such an image"});

  DamagedImages again(0.5);
  SharedDamage resumed({&train, &test}, &again);
  EXPECT_TRUE(resumed.Restore(records).ok());
  ASSERT_EQ(again.list().size(), 2u);
  EXPECT_EQ(again.list()[0].source, &test);
  EXPECT_EQ(again.list()[0].index, 7);
  EXPECT_EQ(again.list()[0].reason, "torn");
  EXPECT_EQ(again.list()[1].source, &train);
  EXPECT_EQ(again.list()[1].index, 3);
  EXPECT_EQ(resumed.News(), 0u);  // all ranks know of them

  // Without labels there are no test images. And fewer may be allowed now.
  DamagedImages none(0);
  EXPECT_THAT(
      std::string(
          SharedDamage({&train, nullptr}, &none).Restore(records).message()),
      HasSubstr("1 of 100 images are damaged so far"));
  EXPECT_EQ(none.list().size(), 1u);
}

// Each of two ranks has six of a hundred, of which ten may be damaged.
TEST(SharedDamageTest, TogetherTheyAreTooMany) {
  const std::vector<RankOutcome> outcomes = RunRanks(2, [](World& world) {
    const Named source;
    DamagedImages damaged(0.05);
    SharedDamage shared({&source, nullptr}, &damaged);
    for (int i = 0; i < 6; ++i) {
      EXPECT_TRUE(
          damaged.Add(source, 2 * i + world.rank(), absl::DataLossError("torn"))
              .ok());
    }
    return std::string(shared.Exchange(world).message());
  });
  for (const RankOutcome& outcome : outcomes) {
    EXPECT_THAT(outcome.text, HasSubstr("11 of 100 images are damaged so far"));
  }
}

}  // namespace
}  // namespace gsg
