// The kernels on a GPU: against the references, and in a CUDA graph. Skipped
// where there is none. Run under compute-sanitizer: cuda/README.md.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cuda/augment.h"
#include "cuda/batch_norm.h"
#include "cuda/guided_loss.h"
#include "cuda/pairing_plan.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "gsg_core/pairing.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "pixels/params.h"
#include "tests/cuda/augment_checks.h"
#include "tests/cuda/batch_norm_checks.h"
#include "tests/cuda/device_memory.h"
#include "tests/gsg_core/loss_checks.h"
#include "tests/gsg_core/test_util.h"

namespace gsg::cuda {
namespace {

// Host matrices with copies on the device, padding and all.
template <typename T>
class Mirrors {
 public:
  Rows<T> Add(const Rows<const T>& host) {
    const size_t n = (host.rows() - 1) * host.row_stride() + host.cols();
    arrays_.emplace_back(std::vector<T>(host.data(), host.data() + n));
    return Rows<T>(arrays_.back().data(), host.rows(), host.cols(),
                   host.row_stride());
  }

  // The k-th one added, back to where it came from.
  void Get(size_t k, const Rows<T>& host) const {
    const std::vector<T> values = arrays_[k].Get();
    std::copy(values.begin(), values.end(), host.data());
  }

 private:
  std::deque<DeviceArray<T>> arrays_;
};

struct DeviceOutputs {
  explicit DeviceOutputs(int64_t rows)
      : loss(1),
        pair(rows),
        pair_count(5),
        faults(1),
        workspace(LossWorkspaceBytes(rows)) {}

  LossOutputs Pointers() const {
    LossOutputs outputs;
    outputs.loss = loss.data();
    outputs.pair = pair.data();
    outputs.pair_count = pair_count.data();
    outputs.faults = faults.data();
    outputs.workspace = workspace.data();
    return outputs;
  }

  LossResult Get() const {
    LossResult result;
    result.loss = loss.Get()[0];
    result.pair = pair.Get();
    const std::vector<int64_t> count = pair_count.Get();
    for (size_t k = 0; k < 5; ++k) result.pair_count[k] = count[k];
    return result;
  }

  DeviceArray<double> loss;
  DeviceArray<uint8_t> pair;
  DeviceArray<int64_t> pair_count;
  DeviceArray<uint32_t> faults;
  DeviceArray<uint8_t> workspace;
};

LossOptions OptionsOf(const gsg::LossOptions& from) {
  LossOptions options;
  static_cast<SelectionParameters&>(options) = from;
  options.distance = from.distance;
  options.selection = from.selection;
  options.grad_scale = from.grad_scale;
  return options;
}

// GuidedLoss as tests/gsg_core/loss_checks.h wants it.
class OnTheGpu {
 public:
  std::string name() const { return "GPU"; }

  template <typename T>
  absl::StatusOr<LossResult> Run(const FourViews<T>& v,
                                 const gsg::LossOptions& options,
                                 const FourViewGrads<T>* grads) const {
    Mirrors<T> in, out;
    const FourViews<T> views = {in.Add(v.p11), in.Add(v.p12), in.Add(v.p21),
                                in.Add(v.p22), in.Add(v.z11), in.Add(v.z12),
                                in.Add(v.z21), in.Add(v.z22)};
    FourViewGrads<T> device;
    std::vector<Rows<T>> host;
    if (grads != nullptr) {
      device = {out.Add(grads->p11), out.Add(grads->p12), out.Add(grads->p21),
                out.Add(grads->p22)};
      host = {grads->p11, grads->p12, grads->p21, grads->p22};
    }
    const DeviceOutputs outputs(v.p11.rows());
    absl::Status status =
        GuidedLoss(views, OptionsOf(options),
                   grads != nullptr ? &device : nullptr, outputs.Pointers(),
                   /*stream=*/nullptr);
    if (status.ok()) status = FourViewFaults(outputs.faults.Get()[0]);
    if (!status.ok()) return status;
    for (size_t k = 0; k < host.size(); ++k) out.Get(k, host[k]);
    return outputs.Get();
  }

  template <typename T>
  absl::StatusOr<LossResult> Run(const gsg::SharedViews<T>& v,
                                 const gsg::LossOptions& options,
                                 const SharedGrads<T>* grads) const {
    const auto host_plan = MakePairingPlan(v.pairing);
    if (!host_plan.ok()) return host_plan.status();
    const DeviceArray<int64_t> plan(*host_plan);
    Mirrors<T> in, out;
    SharedViews<T> views{in.Add(v.p1), in.Add(v.p2), in.Add(v.z1),
                         in.Add(v.z2)};
    views.pairing = PairingOfPlan(plan.data(), v.p1.rows());
    std::vector<Rows<const T>> locals;
    for (const Rows<const T>& rows : v.local_p) locals.push_back(in.Add(rows));
    views.local_p = locals;
    SharedGrads<T> device;
    std::vector<Rows<T>> host, local_grads;
    if (grads != nullptr) {
      host = {grads->p1, grads->p2};
      device = {out.Add(grads->p1), out.Add(grads->p2)};
      for (const Rows<T>& rows : grads->local_p) {
        host.push_back(rows);
        local_grads.push_back(out.Add(rows));
      }
      device.local_p = local_grads;
    }
    const DeviceOutputs outputs(v.p1.rows());
    absl::Status status =
        GuidedLoss(views, OptionsOf(options),
                   grads != nullptr ? &device : nullptr, outputs.Pointers(),
                   /*stream=*/nullptr);
    if (status.ok()) status = SharedViewFaults(outputs.faults.Get()[0]);
    if (!status.ok()) return status;
    for (size_t k = 0; k < host.size(); ++k) out.Get(k, host[k]);
    return outputs.Get();
  }
};

const std::vector<OnTheGpu>& Gpu() {
  static const auto& gpu = *new std::vector<OnTheGpu>(1);
  return gpu;
}

template <typename T>
std::vector<Buffer<T>> NormalBuffers(int64_t n, int64_t d, int64_t unit) {
  std::mt19937_64 generator(TestSeed());
  auto buffers = Buffers<T>(8, n, d, unit);
  for (auto& b : buffers) {
    b.Fill(generator, std::normal_distribution<double>());
  }
  return buffers;
}

template <typename T>
class GpuTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasGpu()) GTEST_SKIP() << "needs a GPU";
  }
};
using ElementTypes = testing::Types<float, Half, BFloat16>;
TYPED_TEST_SUITE(GpuTest, ElementTypes);

TYPED_TEST(GpuTest, LossMatchesTheReference) {
  constexpr int64_t kVector = 16 / sizeof(TypeParam);
  int calls = 0, same_choices = 0;
  for (int64_t n : {1, 2, 33}) {
    for (int64_t d : {int64_t{2}, int64_t{33}, 33 * kVector, 65 * kVector}) {
      // The only image is its own second one: ties by construction.
      int ties = 0;
      CheckEveryOption(Gpu(), NormalBuffers<TypeParam>(n, d, kVector),
                       n > 1 ? calls : ties, n > 1 ? same_choices : ties,
                       kVector);
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(same_choices, 0.99 * calls);
}

TYPED_TEST(GpuTest, LongRowsAndManyRows) {
  constexpr int64_t kVector = 16 / sizeof(TypeParam);
  int calls = 0, same_choices = 0;
  for (int64_t d : {2048, 8200, 16000}) {
    CheckBatch(Gpu(), NormalBuffers<TypeParam>(3, d, kVector),
               *CyclicPairing(3, 1), gsg::LossOptions(), calls, same_choices,
               kVector);
  }
  for (int64_t n : {512, 20000}) {
    CheckBatch(Gpu(), NormalBuffers<TypeParam>(n, 8, 8), *CyclicPairing(n, 1),
               gsg::LossOptions(), calls, same_choices, 8);
  }
  EXPECT_GT(same_choices, 0);
}

TYPED_TEST(GpuTest, LocalCropsAndExtremeValues) {
  CheckLocalCrops<TypeParam>(Gpu(), TestSeed(), 67);
  CheckLocalCrops<TypeParam>(Gpu(), TestSeed(), 64, 8);
  int calls = 0, same_choices = 0;
  CheckExtremeValues<TypeParam>(Gpu(), TestSeed(), 1, calls, same_choices);
  CheckExtremeValues<TypeParam>(Gpu(), TestSeed(), 40, calls, same_choices, 8);
}

TYPED_TEST(GpuTest, AugmentationMatchesTheCpu) {
  constexpr auto kPlanes = PixelOrder::kPlanes;
  constexpr auto kChannelsLast = PixelOrder::kChannelsLast;
  for (const AugmentCase& shape : {AugmentCase{3, 32, 32, 32, kChannelsLast},
                                   {1, 28, 28, 28, kPlanes},
                                   {3, 9, 13, 31, kPlanes},
                                   {3, 40, 50, 90, kChannelsLast}}) {
    const AugmentBatch batch = MakeAugmentBatch(shape, 100, TestSeed());
    const DeviceArray<uint8_t> images(batch.images);
    const DeviceArray<int64_t> index(batch.index);
    const DeviceArray<AugmentParams> params(batch.params);
    const DeviceArray<TypeParam> out(batch.expected.size());
    const DeviceArray<uint32_t> faults(1);
    const ImageArray array = {images.data(), AugmentBatch::kImages,
                              shape.channels, shape.height, shape.width};
    const size_t bytes =
        AugmentWorkspaceBytes(array, batch.settings(), batch.views());
    const DeviceArray<uint8_t> workspace(bytes);
    const absl::Status status =
        Augment(array, batch.settings(), index.data(), params.data(),
                batch.views(), out.data(), workspace.data(), faults.data(),
                /*stream=*/nullptr);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(faults.Get()[0], 0u);
    CheckViews(batch, out.Get());
  }
}

// Device copies of a host's arrays, each with one place.
class Copies {
 public:
  template <typename V>
  V* Place(std::vector<V>& host) {
    Copy& copy = copies_[&host];
    if (copy.bytes == nullptr) {
      const auto* const data = reinterpret_cast<const uint8_t*>(host.data());
      copy.bytes = std::make_unique<DeviceArray<uint8_t>>(
          std::vector<uint8_t>(data, data + host.size() * sizeof(V)));
      copy.host = host.data();
    }
    return reinterpret_cast<V*>(copy.bytes->data());
  }

  void GetAll() const {
    for (const auto& [vector, copy] : copies_) {
      const std::vector<uint8_t> bytes = copy.bytes->Get();
      std::memcpy(copy.host, bytes.data(), bytes.size());
    }
  }

 private:
  struct Copy {
    std::unique_ptr<DeviceArray<uint8_t>> bytes;
    void* host = nullptr;
  };
  std::map<const void*, Copy> copies_;
};

TYPED_TEST(GpuTest, BatchNormIsItsDefinition) {
  for (const NormCase& c : kNormCases) {
    SCOPED_TRACE(c.name);
    auto data = MakeNormData<TypeParam>(c);
    Copies copies;
    const auto place = [&](auto& host) { return copies.Place(host); };
    const DeviceArray<uint8_t> workspace(BatchNormWorkspaceBytes(c.shape));
    absl::Status status =
        BatchNorm(c.shape, ForwardOf(c, data, workspace.data(), place),
                  /*stream=*/nullptr);
    ASSERT_TRUE(status.ok()) << status;
    status = BatchNorm(c.shape, BackwardOf(c, data, workspace.data(), place),
                       /*stream=*/nullptr);
    ASSERT_TRUE(status.ok()) << status;
    copies.GetAll();
    CheckNorm(c, data);
  }
}

// A captured launch, replayed with another pairing, seed and scale, does what a
// launch of its own does: bit for bit.
TEST(GpuGraphTest, ReplaysReadWhatChanged) {
  if (!HasGpu()) GTEST_SKIP() << "needs a GPU";
  constexpr int64_t kRows = 300, kCols = 256;
  const auto in = NormalBuffers<float>(kRows, kCols, 4);
  Mirrors<float> mirrors;
  SharedViews<float> views{mirrors.Add(in[0].rows()), mirrors.Add(in[1].rows()),
                           mirrors.Add(in[4].rows()),
                           mirrors.Add(in[5].rows())};
  const DeviceArray<int64_t> plan(PairingPlanSize(kRows));
  views.pairing = PairingOfPlan(plan.data(), kRows);
  const DeviceArray<float> grad(2 * kRows * kCols);
  const SharedGrads<float> grads = {
      Rows<float>(grad.data(), kRows, kCols),
      Rows<float>(grad.data() + kRows * kCols, kRows, kCols)};
  const DeviceArray<uint64_t> seed(1);
  const DeviceArray<float> scale(1);
  const DeviceOutputs outputs(kRows);
  LossOptions options;
  options.selection = Selection::kRandom;
  options.device_seed = seed.data();
  options.device_grad_scale = scale.data();

  // There must be a valid pairing at the first launch, and no copy of it in the
  // graph.
  DeviceArray<int64_t> inputs_of_plan(
      *MakePairingPlan(*CyclicPairing(kRows, 0)));
  GSG_CHECK_CUDA(cudaMemcpy(plan.data(), inputs_of_plan.data(),
                            plan.size() * sizeof(int64_t),
                            cudaMemcpyDeviceToDevice));
  cudaStream_t stream;
  GSG_CHECK_CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  // The first launch loads the kernel, which is not to be captured.
  ASSERT_TRUE(
      GuidedLoss(views, options, &grads, outputs.Pointers(), stream).ok());
  cudaGraph_t graph;
  GSG_CHECK_CUDA(
      cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  const absl::Status status =
      GuidedLoss(views, options, &grads, outputs.Pointers(), stream);
  GSG_CHECK_CUDA(cudaStreamEndCapture(stream, &graph));
  ASSERT_TRUE(status.ok()) << status;
  cudaGraphExec_t executable;
  GSG_CHECK_CUDA(cudaGraphInstantiate(&executable, graph, 0));

  for (uint64_t step = 0; step < 5; ++step) {
    const std::vector<int64_t> step_plan =
        *MakePairingPlan(*CyclicPairing(kRows, step));
    GSG_CHECK_CUDA(cudaMemcpy(plan.data(), step_plan.data(),
                              plan.size() * sizeof(int64_t),
                              cudaMemcpyHostToDevice));
    const float step_scale = static_cast<float>(1 + step);
    GSG_CHECK_CUDA(
        cudaMemcpy(seed.data(), &step, sizeof(step), cudaMemcpyHostToDevice));
    GSG_CHECK_CUDA(cudaMemcpy(scale.data(), &step_scale, sizeof(step_scale),
                              cudaMemcpyHostToDevice));
    GSG_CHECK_CUDA(cudaGraphLaunch(executable, stream));
    GSG_CHECK_CUDA(cudaStreamSynchronize(stream));
    const LossResult replayed = outputs.Get();
    const std::vector<float> replayed_grads = grad.Get();

    LossOptions direct;
    direct.selection = Selection::kRandom;
    direct.seed = step;
    direct.grad_scale = step_scale;
    ASSERT_TRUE(
        GuidedLoss(views, direct, &grads, outputs.Pointers(), stream).ok());
    GSG_CHECK_CUDA(cudaStreamSynchronize(stream));
    EXPECT_EQ(outputs.Get().loss, replayed.loss);
    EXPECT_EQ(outputs.Get().pair, replayed.pair);
    EXPECT_EQ(outputs.Get().pair_count, replayed.pair_count);
    EXPECT_EQ(grad.Get(), replayed_grads);
  }
  EXPECT_EQ(outputs.faults.Get()[0], 0u);
  GSG_CHECK_CUDA(cudaGraphExecDestroy(executable));
  GSG_CHECK_CUDA(cudaGraphDestroy(graph));
  GSG_CHECK_CUDA(cudaStreamDestroy(stream));
}

// Without a GPU, or with it, a wrong argument never gets to a launch.
TEST(GpuArgumentsTest, NullPointersAreErrors) {
  const Buffer<float> x = {1, 2};
  const FourViews<float> views = {x.rows(), x.rows(), x.rows(), x.rows(),
                                  x.rows(), x.rows(), x.rows(), x.rows()};
  const FourViewGrads<float>* none = nullptr;
  EXPECT_EQ(GuidedLoss(views, {}, none, {}, nullptr).message(),
            "outputs.faults is null; it must be given");
}

}  // namespace
}  // namespace gsg::cuda
