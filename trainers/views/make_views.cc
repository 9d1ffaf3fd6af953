#include "trainers/views/make_views.h"

#include <c10/core/Device.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "gsg_core/status_macros.h"
#include "trainers/augment/options.h"
#include "trainers/base/cpus.h"
#include "trainers/config/config.h"
#include "trainers/config/fit.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_set_source.h"
#include "trainers/views/loaded_views.h"
#include "trainers/views/loader.h"
#include "trainers/views/resident_views.h"
#include "trainers/views/view_source.h"

namespace gsg {

absl::StatusOr<std::unique_ptr<ViewSource>> MakeViews(const Config& config,
                                                      const Dataset& dataset,
                                                      int part, int parts,
                                                      c10::Device device,
                                                      DamagedImages* damaged) {
  AugmentOptions augment = config.augment;
  augment.mean.assign(dataset.stats.mean.begin(), dataset.stats.mean.end());
  augment.std.assign(dataset.stats.std.begin(), dataset.stats.std.end());

  LoaderOptions options;
  options.batch_size = config.batch_size;
  options.part = part;
  options.parts = parts;
  options.views = config.views == "four" ? 4 : 2;
  options.local_views = static_cast<int>(config.local_crops.count);
  options.local_augment = LocalAugmentation(augment, config.local_crops);
  options.seed = config.seed;

  const auto* in_memory =
      dynamic_cast<const ImageSetSource*>(dataset.train.get());
  options.threads = static_cast<int>(
      config.loader_threads > 0
          ? config.loader_threads
          : LoaderThreads(/*from_files=*/in_memory == nullptr, device.is_cuda(),
                          std::max(1, UsableCpus() / parts)));
  if (device.is_cuda() && config.data_on_gpu && in_memory != nullptr &&
      AugmentOnGpu() != nullptr) {
    return ResidentViews::Create(in_memory->images(), augment, options, device,
                                 AugmentOnGpu());
  }
  GSG_ASSIGN_OR_RETURN(
      std::unique_ptr<BatchLoader> loader,
      BatchLoader::Create(dataset.train.get(), augment, options, damaged));
  return std::make_unique<LoadedViews>(std::move(loader), device);
}

}  // namespace gsg
