#include "trainers/train/memory_estimate.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <c10/core/Allocator.h>
#include <c10/core/Device.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gsg_core/pairing.h"
#include "gsg_core/status_macros.h"
#include "trainers/config/config.h"
#include "trainers/methods/method.h"
#include "trainers/optim/optimizer.h"
#include "trainers/views/view_batch.h"

namespace gsg {
namespace {

// The most bytes that were allocated at once on this thread.
class PeakMemory final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* /*data*/, int64_t bytes, size_t /*allocated*/,
                         size_t /*reserved*/, c10::Device /*device*/) override {
    now_ += bytes;
    peak_ = std::max(peak_, now_);
  }
  bool memoryProfilingEnabled() const override { return true; }

  int64_t peak() const { return peak_; }

 private:
  int64_t now_ = 0;
  int64_t peak_ = 0;
};

// Views of `images` images that are no two alike.
ViewBatch Views(int64_t count, int64_t images, int64_t channels, int64_t side) {
  if (count == 0) return {};
  const int64_t rows = count * images;
  return {at::arange(rows * channels * side * side, c10::kFloat)
              .remainder(251)
              .div(251)
              .view({rows, channels, side, side})
              .contiguous(at::MemoryFormat::ChannelsLast),
          count};
}

// The peak of a step of `images` images.
absl::StatusOr<int64_t> StepPeak(const Config& config, int64_t channels,
                                 int64_t images, Method& method) {
  StepInput input;
  input.views.global = Views(config.views == "four" ? 4 : 2, images, channels,
                             config.augment.size);
  input.views.local = Views(config.local_crops.count, images, channels,
                            config.local_crops.size);
  input.loss = config.loss;
  input.progress = std::nullopt;
  GSG_ASSIGN_OR_RETURN(input.pairing,
                       MakePairing(PairingKind::kCyclic, images, 0));
  int64_t bytes = input.views.global.pixels.nbytes();
  if (input.views.local.count > 0) bytes += input.views.local.pixels.nbytes();
  const auto peak = std::make_shared<PeakMemory>();
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, peak);
    GSG_RETURN_IF_ERROR(method.Backward(input).status());
  }
  return bytes + peak->peak();
}

int64_t Bytes(const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) bytes += tensor.nbytes();
  return bytes;
}

// The number that a file starts with or that stands behind `key`; 0 if none.
int64_t NumberIn(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    int64_t number = 0;
    if (key.empty()) return absl::SimpleAtoi(word, &number) ? number : 0;
    if (word == key && file >> number) return number;
  }
  return 0;
}

// "3.4 GB", "12.5 MB".
std::string SizeText(int64_t bytes) {
  const bool large = bytes >= 950'000'000;
  return absl::StrFormat("%.1f %s",
                         static_cast<double>(bytes) / (large ? 1e9 : 1e6),
                         large ? "GB" : "MB");
}

}  // namespace

absl::StatusOr<ResourceEstimate> EstimateResources(const Config& config,
                                                   int64_t channels,
                                                   Method& method,
                                                   Optimizer& optimizer) {
  // So few that threads share each layer, and one thread has all tensors.
  constexpr int64_t kFew = 4, kMore = 8;
  const auto state = method.State();
  std::vector<at::Tensor> before;
  for (const auto& [name, tensor] : state) before.push_back(tensor.clone());
  method.SetTraining(true);
  absl::StatusOr<int64_t> few = StepPeak(config, channels, kFew, method);
  optimizer.ZeroGrad();
  absl::StatusOr<int64_t> more = StepPeak(config, channels, kMore, method);
  optimizer.ZeroGrad();
  {
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < state.size(); ++i) {
      at::Tensor(state[i].second).copy_(before[i]);
    }
  }
  GSG_RETURN_IF_ERROR(few.status());
  GSG_RETURN_IF_ERROR(more.status());

  ResourceEstimate estimate;
  const int64_t an_image =
      std::max<int64_t>(0, (*more - *few) / (kMore - kFew));
  const int64_t side = config.augment.size;
  const int64_t local = config.local_crops.size;
  const int64_t batch_bytes = 4 * config.batch_size * channels *
                              ((config.views == "four" ? 4 : 2) * side * side +
                               config.local_crops.count * local * local);
  // Ready batches besides those that threads make (LoaderOptions::prefetch),
  // and the one that is trained on.
  const int64_t batches = std::max<int64_t>(1, config.loader_threads) + 3;
  estimate.memory = *few + an_image * (config.batch_size - kFew) +
                    batches * batch_bytes + Bytes(optimizer.State());
  const int64_t epochs_kept =
      config.keep_every > 0 ? config.epochs / config.keep_every : 0;
  estimate.disk = (Bytes(method.State()) + Bytes(optimizer.State())) *
                  (config.keep + 1 + epochs_kept);
  return estimate;
}

int64_t AvailableMemory() {
  const int64_t machine = 1024 * NumberIn("/proc/meminfo", "MemAvailable:");
  const int64_t limit = NumberIn("/sys/fs/cgroup/memory.max", "");
  const int64_t used = NumberIn("/sys/fs/cgroup/memory.current", "");
  return limit > 0 ? std::min(machine, std::max<int64_t>(limit - used, 1))
                   : machine;
}

std::string ResourceWarning(const ResourceEstimate& estimate, int64_t memory,
                            int64_t disk, const Config& config) {
  std::string warning;
  if (memory > 0 && estimate.memory > memory) {
    absl::StrAppend(
        &warning, "a step of ", config.batch_size, " images needs about ",
        SizeText(estimate.memory), " of memory, and ", SizeText(memory),
        " are free: use a smaller --batch_size or --crop_size, or fewer "
        "--loader_threads. ");
  }
  if (disk >= 0 && estimate.disk > disk) {
    absl::StrAppend(&warning, "checkpoints need about ",
                    SizeText(estimate.disk), " of disk, and ", SizeText(disk),
                    " are free in ", config.output_dir,
                    ": use a smaller --keep or a larger --keep_every.");
  }
  return warning;
}

}  // namespace gsg
