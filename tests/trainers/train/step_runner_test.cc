#include "trainers/train/step_runner.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <c10/core/Device.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gsg_core/pairing.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "models/backbone_options.h"
#include "models/gpu/gpu.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/methods/method.h"
#include "trainers/methods/siamese_method.h"
#include "trainers/optim/optimizer.h"
#include "trainers/optim/sgd.h"

namespace gsg {
namespace {

constexpr int64_t kImages = 8;
constexpr int kSteps = 8;  // more than StepReplayer::kWarmUp

// Records by remembering, and replays by doing: whatever the body takes from
// elsewhere than memory that stays would be that of the wrong step.
struct RecorderCalls {
  int made = 0, recordings = 0, replays = 0;
};

class FakeRecorder final : public Recorder {
 public:
  explicit FakeRecorder(RecorderCalls* calls) : calls_(*calls) {
    ++calls_.made;
  }
  absl::Status Record(const std::function<absl::Status()>& body) override {
    ++calls_.recordings;
    body_ = body;
    return absl::OkStatus();
  }
  void Replay() override {
    ++calls_.replays;
    ASSERT_EQ(body_(), absl::OkStatus());
  }

 private:
  RecorderCalls& calls_;
  std::function<absl::Status()> body_;
};

class NoRecorder final : public Recorder {
 public:
  absl::Status Record(const std::function<absl::Status()>&) override {
    return absl::FailedPreconditionError("no");
  }
  void Replay() override { FAIL(); }
};

// BYOL whose momentum rises, so that its encoder moves otherwise each step.
std::unique_ptr<Method> MakeTestMethod(c10::Device device) {
  at::manual_seed(1);
  ResNetOptions backbone;
  backbone.blocks = {1, 1};
  backbone.widths = {4, 4};
  backbone.strides = {1, 1};
  backbone.stem = ResNetOptions::Stem::kSmall;
  SiameseMethodOptions options;
  options.network.backbone = backbone;
  options.network.projector = {2, 8, 8};
  options.network.predictor_hidden = 4;
  options.target = TargetOptions{0.5, /*cosine=*/true};
  options.constant_predictor_lr = true;
  std::unique_ptr<Method> method = MakeSiameseMethod(options, device).value();
  method->SetTraining(true);
  return method;
}

// Images, pairing, seed, progress and rates are other ones in each step.
StepInput Input(int step, c10::Device device) {
  at::manual_seed(100 + step);
  StepInput input;
  input.views.global = {at::randn({2 * kImages, 3, 4, 4})
                            .contiguous(at::MemoryFormat::ChannelsLast)
                            .to(device),
                        2};
  input.views.local = {at::randn({kImages, 3, 3, 3}).to(device), 1};
  input.loss.selection = Selection::kRandom;
  input.loss.seed = step;
  input.pairing = CyclicPairing(kImages, step).value();
  input.tensors =
      MakePairingTensors(input.pairing, input.loss.seed, device).value();
  input.progress = static_cast<double>(step) / kSteps;
  return input;
}

// Exact in float32, in which a device has them.
Rates RatesOf(int step) { return {0.25 - step / 64., 0.25}; }

using Run = std::function<absl::StatusOr<StepResult>(
    Method&, Optimizer&, const StepInput&, const Rates&)>;

// Losses, then all that is in the network.
std::vector<double> Train(c10::Device device, const Run& run) {
  std::unique_ptr<Method> method = MakeTestMethod(device);
  Sgd sgd(method->ParameterGroups(), /*momentum=*/0.9);
  std::vector<double> numbers;
  for (int step = 0; step < kSteps; ++step) {
    absl::StatusOr<StepResult> result =
        run(*method, sgd, Input(step, device), RatesOf(step));
    if (!result.ok()) {
      ADD_FAILURE() << result.status();
      return {};
    }
    numbers.push_back(result->on_device.defined()
                          ? result->on_device[0].item<double>()
                          : result->loss);
  }
  for (const auto& [name, tensor] : method->State()) {
    const at::Tensor values =
        tensor.detach().cpu().to(at::kDouble).contiguous().view(-1);
    numbers.insert(numbers.end(), values.const_data_ptr<double>(),
                   values.const_data_ptr<double>() + values.numel());
  }
  return numbers;
}

StepReplayer::MakeRecorder MakeFake(RecorderCalls* calls) {
  return [calls] { return std::make_unique<FakeRecorder>(calls); };
}

Run Recorded(std::unique_ptr<StepReplayer>* steps,
             StepReplayer::MakeRecorder make_recorder) {
  return [=](Method& method, Optimizer& optimizer, const StepInput& input,
             const Rates& rates) {
    if (*steps == nullptr) {
      *steps =
          std::make_unique<StepReplayer>(&method, &optimizer, make_recorder);
    }
    return (*steps)->Run(input, rates);
  };
}

// Unguided at first, for one step more than are needed to record one.
Run GuidedLater(Run run) {
  return [run, step = 0](Method& method, Optimizer& optimizer,
                         const StepInput& input, const Rates& rates) mutable {
    StepInput changed = input;
    if (step++ <= StepReplayer::kWarmUp) {
      changed.loss.selection = Selection::kNone;
    }
    return run(method, optimizer, changed, rates);
  };
}

const c10::Device kCpu(c10::kCPU);

TEST(StepReplayerTest, AreTheStepsThemselves) {
  std::unique_ptr<StepReplayer> steps;
  RecorderCalls calls;
  const std::vector<double> got =
      Train(kCpu, Recorded(&steps, MakeFake(&calls)));
  EXPECT_EQ(calls.recordings, 1);
  EXPECT_EQ(calls.replays, kSteps - StepReplayer::kWarmUp);
  EXPECT_EQ(steps->why_not(), "");
  EXPECT_EQ(got, Train(kCpu, &RunStep));
}

// --unguided_epochs: the recorded step has the selection in it.
TEST(StepReplayerTest, BeginAnewWhereGuidanceSetsIn) {
  static_assert(kSteps > 2 * StepReplayer::kWarmUp + 1);
  std::unique_ptr<StepReplayer> steps;
  RecorderCalls calls;
  const std::vector<double> got =
      Train(kCpu, GuidedLater(Recorded(&steps, MakeFake(&calls))));
  EXPECT_EQ(calls.made, 2);
  EXPECT_EQ(calls.recordings, 2);
  EXPECT_EQ(calls.replays, kSteps - 2 * StepReplayer::kWarmUp);
  EXPECT_EQ(got, Train(kCpu, GuidedLater(&RunStep)));
  EXPECT_NE(got, Train(kCpu, &RunStep));
}

TEST(StepReplayerTest, GoOnWhereNothingCanBeRecorded) {
  std::unique_ptr<StepReplayer> steps;
  const std::vector<double> got = Train(
      kCpu, Recorded(&steps, [] { return std::make_unique<NoRecorder>(); }));
  EXPECT_EQ(steps->why_not(), "no");
  EXPECT_EQ(got, Train(kCpu, &RunStep));
}

TEST(StepReplayerTest, AnErrorIsTheMethods) {
  std::unique_ptr<Method> method = MakeTestMethod(kCpu);
  Sgd sgd(method->ParameterGroups(), 0);
  RecorderCalls calls;
  StepReplayer steps(method.get(), &sgd, MakeFake(&calls));
  StepInput input = Input(0, kCpu);
  input.views.global.view(0).fill_(NAN);
  EXPECT_TRUE(absl::IsInvalidArgument(steps.Run(input, RatesOf(0)).status()));
}

// The whole GPU path: kernels, tensors of rates, CUDA graph.
TEST(GpuStepsTest, AreTheCpus) {
  if (!at::hasCUDA() || Gpu() == nullptr) {
    GTEST_SKIP() << "needs a GPU and --config=cuda";
  }
  at::globalContext().setAllowTF32CuDNN(false);
  const c10::Device gpu(c10::kCUDA, 0);
  const c10::StreamGuard stream(c10::impl::VirtualGuardImpl(c10::kCUDA)
                                    .getStreamFromGlobalPool(gpu, false));
  const std::vector<double> want = Train(kCpu, &RunStep);
  const std::vector<double> eager = Train(gpu, &RunStep);
  std::unique_ptr<StepReplayer> steps;
  const std::vector<double> graph =
      Train(gpu, Recorded(&steps, Gpu()->make_recorder));
  EXPECT_EQ(steps->why_not(), "");
  ASSERT_EQ(eager.size(), want.size());
  ASSERT_EQ(graph.size(), want.size());
  for (int step = 0; step < kSteps; ++step) {
    // float32 in another order: 1e-6 a step, which the steps behind amplify.
    EXPECT_NEAR(eager[step], want[step], 1e-4) << step;
    EXPECT_NEAR(graph[step], want[step], 1e-4) << step;
  }
}

}  // namespace
}  // namespace gsg
