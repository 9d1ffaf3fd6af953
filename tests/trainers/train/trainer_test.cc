#include "trainers/train/trainer.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/backbone.h"
#include "models/backbone_options.h"
#include "models/make_backbone.h"
#include "models/module_state.h"
#include "trainers/config/config.h"
#include "trainers/distributed/world.h"
#include "trainers/image/channel_stats.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"
#include "trainers/methods/method.h"
#include "trainers/optim/optimizer.h"
#include "trainers/optim/schedule.h"
#include "trainers/run/epoch_record.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kBatches = 10;  // an epoch

// Measures what it is told to, and learns nothing.
class ScriptedMethod final : public Method {
 public:
  // measured: of step 0, 1, ...; on_device: in tensors, as a GPU leaves it.
  ScriptedMethod(std::function<StepResult(int64_t step)> measured,
                 bool on_device, bool bfloat16)
      : measured_(std::move(measured)),
        unread_(on_device),
        bfloat16_(bfloat16) {
    at::manual_seed(0);
    ResNetOptions options;
    options.blocks = {1};
    options.widths = {2};
    options.strides = {1};
    options.stem = ResNetOptions::Stem::kSmall;
    options.in_channels = 1;
    backbone_ = MakeBackbone(options).value();
  }

  absl::Status Join(World*, bool) override { return absl::OkStatus(); }
  absl::StatusOr<StepResult> Backward(const StepInput& input) override {
    // The gradient of w in step i is i.
    const at::Tensor gradient =
        at::tensor({static_cast<float>(input.loss.grad_scale * step_)});
    at::Tensor& sum = weight_.mutable_grad();
    sum = sum.defined() ? sum + gradient : gradient;
    target_steps_ += input.progress.has_value();
    const StepResult result = measured_(step_++);
    if (!unread_) return result;
    std::vector<double> values = {result.loss, result.feature_std};
    values.insert(values.end(), result.pair_count.begin(),
                  result.pair_count.end());
    StepResult on_device;
    on_device.on_device = at::tensor(values, c10::kDouble);
    return on_device;
  }
  Backbone& backbone() override { return *backbone_; }
  bool bfloat16() const override { return bfloat16_; }
  void SetTraining(bool training) override {
    SetModuleTraining(backbone_->module(), training);
  }
  absl::Status FreezeBackbone(bool) override { return absl::OkStatus(); }
  std::vector<ParameterGroup> ParameterGroups() override {
    return {{{{"weight", weight_}}, /*weight_decay=*/0, /*constant_lr=*/false}};
  }
  std::vector<std::pair<std::string, at::Tensor>> State() override {
    return {{"weight", weight_}};
  }
  double weight() const { return weight_.item<double>(); }
  int target_steps() const { return target_steps_; }

 private:
  const std::function<StepResult(int64_t)> measured_;
  const bool unread_;
  const bool bfloat16_;
  int64_t step_ = 0;
  int target_steps_ = 0;
  at::Tensor weight_ = at::tensor({1.f});
  std::shared_ptr<Backbone> backbone_;
};

StepResult Result(double loss, double feature_std) {
  StepResult result;
  result.loss = loss;
  result.feature_std = feature_std;
  result.pair_count = {1, 2, 0, 1, 0};
  return result;
}

class TrainerTest : public testing::TestWithParam<bool> {
 protected:
  TrainerTest() {
    ImageSet images{4 * kBatches, 1, 8, 8, {}, {}};
    for (int i = 0; i < 4 * kBatches * 64; ++i) {
      images.pixels.push_back(i * 37 % 251);
    }
    dataset_.name = "folder";
    dataset_.stats = MeasureChannels(images);
    dataset_.train =
        std::make_unique<ImageSetSource>(std::move(images), "train");
    config_.method = "simsiam";
    config_.dataset = "folder";
    config_.channels = 1;
    config_.epochs = 1;
    config_.batch_size = 4;
    config_.augment.size = 8;
    config_.output_dir = absl::StrCat(
        testing::TempDir(), "/",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(config_.output_dir);
    std::filesystem::create_directories(config_.output_dir);
  }

  absl::Status Train(std::function<StepResult(int64_t)> measured,
                     const TrainerHooks& hooks = {}) {
    absl::StatusOr<std::unique_ptr<Trainer>> trainer =
        Trainer::Create(config_, &dataset_,
                        std::make_unique<ScriptedMethod>(std::move(measured),
                                                         GetParam(), bfloat16_),
                        c10::Device(c10::kCPU), &damaged_, &world_);
    if (!trainer.ok()) return trainer.status();
    const absl::Status status = (*trainer)->Train(hooks);
    const auto& method =
        static_cast<const ScriptedMethod&>((*trainer)->method());
    weight_ = method.weight();
    target_steps_ = method.target_steps();
    state_ = (*trainer)->state();
    return status;
  }

  bool Saved() const {
    return !std::filesystem::is_empty(config_.output_dir) &&
           std::filesystem::exists(config_.output_dir + "/checkpoint-last.pt");
  }

  Config config_;
  Dataset dataset_;
  DamagedImages damaged_{0};
  World world_;
  RunState state_;
  double weight_ = 0;
  int target_steps_ = 0;
  bool bfloat16_ = false;
};

// It is written while the next epoch is trained, after which nobody waits for
// it any more, or at the end.
TEST_P(TrainerTest, ACheckpointThatCannotBeWrittenEndsTheRun) {
  for (int epochs : {1, 3}) {
    config_.epochs = epochs;
    int trained = 0;
    TrainerHooks hooks;
    hooks.on_epoch_end = [&](const EpochRecord&) {
      ++trained;
      std::filesystem::remove_all(config_.output_dir);
    };
    std::filesystem::create_directories(config_.output_dir);
    const absl::Status status =
        Train([](int64_t) { return Result(1, 1); }, hooks);
    EXPECT_THAT(status.ToString(), HasSubstr("checkpoint-last.pt"));
    EXPECT_LE(trained, 2);
  }
}

TEST_P(TrainerTest, WatchesInThePrecisionOfTraining) {
  bfloat16_ = true;
  double rank = 0;
  TrainerHooks hooks;
  hooks.on_epoch_end = [&](const EpochRecord& record) {
    rank = record.effective_rank;
  };
  const auto measured = [](int64_t) { return Result(1, 1); };
  ASSERT_TRUE(Train(measured, hooks).ok());
  const double rounded = rank;
  bfloat16_ = false;
  ASSERT_TRUE(Train(measured, hooks).ok());
  EXPECT_NE(rounded, rank);
  EXPECT_NEAR(rounded, rank, 0.05);
}

TEST_P(TrainerTest, AnEpochIsTheMeanOfItsSteps) {
  // 1 / 3 would not add up to the same digits in another order.
  const auto loss = [](int64_t step) { return -1 / (step + 3.); };
  double sum = 0;
  for (int64_t step = 0; step < kBatches; ++step) sum += loss(step);
  ASSERT_EQ(Train([&](int64_t step) { return Result(loss(step), 0.75); }),
            absl::OkStatus());
  ASSERT_EQ(state_.history.size(), 1);
  const EpochRecord& record = state_.history[0];
  EXPECT_EQ(record.step, kBatches);
  EXPECT_EQ(record.loss, sum / kBatches);
  EXPECT_EQ(record.feature_std, 0.75);
  EXPECT_THAT(record.pair_share, ElementsAre(0.25, 0.5, 0, 0.25));
  EXPECT_TRUE(Saved());
}

// Ten batches by four are updates of four, four and two.
TEST_P(TrainerTest, AnUpdateIsOfTheMeanGradientOfItsBatches) {
  config_.accumulate = 4;
  config_.optimizer.momentum = 0;
  config_.base_lr = 0.5;
  ASSERT_EQ(Train([](int64_t) { return Result(-1, 0.75); }), absl::OkStatus());
  const double peak_lr = 0.5 * 4 * 4 / 256;
  ScheduleOptions schedule{peak_lr, /*warmup_steps=*/0, kBatches};
  double weight = 1;
  weight -= LearningRate(schedule, 3) * (0 + 1 + 2 + 3) / 4;
  weight -= LearningRate(schedule, 7) * (4 + 5 + 6 + 7) / 4;
  weight -= LearningRate(schedule, 9) * (8 + 9) / 2;
  EXPECT_NEAR(weight_, weight, 1e-6);
  EXPECT_EQ(target_steps_, 3);  // of a momentum encoder
}

TEST_P(TrainerTest, AnUpdateThatIsBegunIsFinished) {
  config_.accumulate = 4;
  config_.max_steps = 5;
  ASSERT_EQ(Train([](int64_t) { return Result(-1, 0.75); }), absl::OkStatus());
  EXPECT_EQ(state_.step, 8);
}

TEST_P(TrainerTest, AnUpdateIsNoLongerThanAnEpoch) {
  config_.accumulate = kBatches + 1;
  const absl::Status status = Train([](int64_t) { return Result(-1, 0.75); });
  EXPECT_EQ(status.message(),
            "--accumulate=11: an epoch has 10 batches of 4 images");
}

TEST_P(TrainerTest, ALossThatIsNotFiniteEndsTheRunUnsaved) {
  const absl::Status status = Train([](int64_t step) {
    return Result(step == 6 ? std::numeric_limits<double>::quiet_NaN() : -1,
                  0.75);
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("training broke down at step 7 (epoch 1): the loss is "
                        "not finite"));
  EXPECT_FALSE(Saved());
}

TEST_P(TrainerTest, NoticesACollapseByTheStepOfItsWindow) {
  const absl::Status status =
      Train([](int64_t step) { return Result(-1, step < 5 ? 0.06 : 0.01); });
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("the features collapsed by step 10 (epoch 1)"));
  EXPECT_FALSE(Saved());
}

TEST_P(TrainerTest, ShowsTheMeanLossAsFarAsItIsKnown) {
  std::vector<double> shown;
  TrainerHooks hooks;
  hooks.on_step = [&](int64_t, double loss) { shown.push_back(loss); };
  ASSERT_EQ(Train([](int64_t) { return Result(-0.5, 0.75); }, hooks),
            absl::OkStatus());
  for (const double loss : shown) EXPECT_EQ(loss, -0.5);
  // A block of the queue is longer than this epoch.
  EXPECT_EQ(shown.size(), GetParam() ? 0 : kBatches);
}

INSTANTIATE_TEST_SUITE_P(Read, TrainerTest, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& info) {
                           return info.param ? "Late" : "AtOnce";
                         });

}  // namespace
}  // namespace gsg
