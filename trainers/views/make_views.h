#ifndef GSG_TRAINERS_VIEWS_MAKE_VIEWS_H_
#define GSG_TRAINERS_VIEWS_MAKE_VIEWS_H_

#include <c10/core/Device.h>

#include <memory>

#include "absl/status/statusor.h"
#include "trainers/config/config.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/views/view_source.h"

namespace gsg {

// The views of part `part` of `parts` of each batch of a run. Images of a data
// set in memory stay on a GPU, if there is one and a kernel to augment them
// there. `dataset` and `damaged` must outlive the result. Errors:
// BatchLoader::Create's.
absl::StatusOr<std::unique_ptr<ViewSource>> MakeViews(const Config& config,
                                                      const Dataset& dataset,
                                                      int part, int parts,
                                                      c10::Device device,
                                                      DamagedImages* damaged);

}  // namespace gsg

#endif  // GSG_TRAINERS_VIEWS_MAKE_VIEWS_H_
