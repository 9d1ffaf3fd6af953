#include "trainers/run/run_state.h"

#include <cmath>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"
#include "trainers/config/recipes.h"

namespace gsg {
namespace {

using ::testing::HasSubstr;

Config ExampleConfig() {
  Config config = RecipeConfig("cifar10_fast").value();
  config.method = "simsiam_gsg";
  config.base_lr = 0.1;
  return config;
}

RunState ExampleState() {
  RunState state;
  state.channel_mean = {1.0 / 3, 0.25, 0.5};
  state.channel_std = {0.1, 0.2, 0.3};
  state.epoch = 2;
  state.batch = 17;
  state.step = 485;
  state.ranks = 4;
  state.totals = {17, -0.1, 1.0 / 3, {1, 2, 3, 4, 5}, 0.7};
  EpochRecord record;
  record.epoch = 1;
  record.step = 234;
  record.loss = -0.1 - 1e-17;
  record.pair_share = {0.25, 0.5, 0.125, 0.125};
  state.history = {record};
  state.images = {540, 270, 9, 4000000000};
  state.raw_pixels = {78.57, 83.92};
  state.damaged = {{1, 12, "val/\\xff.jpg", "the file is empty"}};
  return state;
}

// Exact, because a resumed run must repeat the interrupted one bit for bit.
TEST(RunStateTest, RoundTripIsExact) {
  const RunState want = ExampleState();
  absl::StatusOr<SavedRun> run =
      StateFromJson(StateToJson(want, ExampleConfig()));
  ASSERT_TRUE(run.ok()) << run.status();
  const RunState& got = run->state;
  EXPECT_EQ(got.channel_mean, want.channel_mean);
  EXPECT_EQ(got.channel_std, want.channel_std);
  EXPECT_EQ(got.epoch, want.epoch);
  EXPECT_EQ(got.batch, want.batch);
  EXPECT_EQ(got.step, want.step);
  EXPECT_EQ(got.ranks, want.ranks);
  EXPECT_EQ(got.images.train, want.images.train);
  EXPECT_EQ(got.images.test, want.images.test);
  EXPECT_EQ(got.images.classes, want.images.classes);
  EXPECT_EQ(got.images.checksum, want.images.checksum);
  EXPECT_EQ(got.totals.batches, want.totals.batches);
  EXPECT_EQ(got.totals.loss, want.totals.loss);
  EXPECT_EQ(got.totals.feature_std, want.totals.feature_std);
  EXPECT_EQ(got.totals.pair_count, want.totals.pair_count);
  EXPECT_EQ(got.totals.seconds, want.totals.seconds);
  ASSERT_EQ(got.history.size(), 1u);
  EXPECT_EQ(got.history[0].loss, want.history[0].loss);
  EXPECT_EQ(got.history[0].pair_share, want.history[0].pair_share);
  EXPECT_TRUE(std::isnan(got.history[0].knn_top1));
  EXPECT_EQ(got.raw_pixels.linear_top1, want.raw_pixels.linear_top1);
  EXPECT_TRUE(std::isnan(got.untrained.knn_top1));
  ASSERT_EQ(got.damaged.size(), 1u);
  EXPECT_EQ(got.damaged[0].source, 1);
  EXPECT_EQ(got.damaged[0].index, 12);
  EXPECT_EQ(got.damaged[0].name, "val/\\xff.jpg");
  EXPECT_EQ(got.damaged[0].reason, "the file is empty");
  EXPECT_EQ(run->config.base_lr, 0.1);
  EXPECT_EQ(run->config.recipe, "cifar10_fast");
}

// Checkpoints from before ranks and damaged images were kept.
TEST(RunStateTest, WhatOlderOnesDoNotHave) {
  RunState none = ExampleState();
  none.ranks = 1;
  none.damaged.clear();
  const absl::StatusOr<SavedRun> run = StateFromJson(
      absl::StrReplaceAll(StateToJson(none, ExampleConfig()),
                          {{"\"ranks\": 1,", ""}, {"\"damaged\": [],", ""}}));
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->state.ranks, 1);
  EXPECT_TRUE(run->state.damaged.empty());
}

TEST(RunStateTest, AReasonMayBeAnyBytes) {
  RunState state = ExampleState();
  state.damaged[0].reason = "not \xff a picture";
  const absl::StatusOr<SavedRun> run =
      StateFromJson(StateToJson(state, ExampleConfig()));
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_THAT(run->state.damaged[0].reason, HasSubstr("a picture"));
}

TEST(RunStateTest, MetricsLine) {
  EXPECT_EQ(MetricsLine(ExampleState().history[0]),
            "{\"epoch\":1,\"step\":234,\"loss\":-0.10000000000000002,\"knn_"
            "top1\":null,"
            "\"feature_std\":null,\"effective_rank\":null,"
            "\"pair_share\":[0.25,0.5,0.125,0.125],\"lr\":null,"
            "\"images_per_second\":null,\"seconds\":null}");
}

TEST(RunStateTest, Result) {
  RunState state;
  state.epoch = 5;
  state.step = 2340;
  state.raw_pixels = {78.5, 83.25};
  Scores trained;
  trained.knn_top1 = 1.0 / 3.0;
  EXPECT_EQ(ResultToJson(state, trained, 2), R"({
  "epochs": 5,
  "steps": 2340,
  "raw_pixels": {
    "knn_top1": 78.5,
    "linear_top1": 83.25,
    "view_top1": null
  },
  "untrained": {
    "knn_top1": null,
    "linear_top1": null,
    "view_top1": null
  },
  "trained": {
    "knn_top1": 0.3333333333333333,
    "linear_top1": null,
    "view_top1": null
  },
  "damaged_images": 2
}
)");
}

TEST(RunStateTest, WhatIsWrongIsNamed) {
  const std::string good = StateToJson(ExampleState(), ExampleConfig());
  const auto message = [&](const std::string& from, const std::string& to) {
    const std::string bad = absl::StrReplaceAll(good, {{from, to}});
    EXPECT_NE(bad, good);
    const absl::Status status = StateFromJson(bad).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_EQ(message("\"format\": 2", "\"format\": 9"),
            "the checkpoint has format 9; this program reads format 2");
  EXPECT_THAT(message("\"totals\"", "\"total\""), HasSubstr("totals"));
  EXPECT_THAT(message("\"batch\": 17", "\"batch\": \"x\""),
              HasSubstr("batch must be a whole number; it is \"x\""));
  // What get<int64_t> is undefined for.
  EXPECT_THAT(message("\"step\": 485", "\"step\": 1e300"),
              HasSubstr("step must be a whole number; it is 1e+300"));
  EXPECT_THAT(message("\"ranks\": 4", "\"ranks\": 1e300"),
              HasSubstr("ranks must be a whole number"));
  EXPECT_THAT(message("\"format\": 2", "\"format\": 1e300"),
              HasSubstr("format must be a whole number"));
  EXPECT_THAT(message("      1,\n      2,", "      1,\n      2.5,"),
              HasSubstr("pair_count must be a whole number; it is 2.5"));
  EXPECT_THAT(message("\"index\": 12", "\"index\": \"x\""),
              HasSubstr("index must be a whole number"));
  EXPECT_THAT(message("\"base_lr\"", "\"base_rate\""), HasSubstr("base_rate"));
  EXPECT_THAT(message("{", "["), HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace gsg
