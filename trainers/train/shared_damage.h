// Damaged images found by other ranks, or by this run before it was resumed.

#ifndef GSG_TRAINERS_TRAIN_SHARED_DAMAGE_H_
#define GSG_TRAINERS_TRAIN_SHARED_DAMAGE_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "trainers/distributed/world.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image_source.h"
#include "trainers/run/run_state.h"

namespace gsg {

// Keeps the lists of all ranks the same, so that --max_damaged counts what the
// run could not read, and not what one rank could not.
class SharedDamage {
 public:
  // `sources`: where images come from, the same on all ranks in the same order.
  // `damaged` and the sources must outlive this.
  SharedDamage(std::vector<const ImageSource*> sources, DamagedImages* damaged)
      : sources_(std::move(sources)), damaged_(*damaged) {}

  // How many images this rank has noted and the others not yet been told of.
  size_t News() const { return damaged_.list().size() - told_; }

  // Exchanges the lists. All ranks call it if one of them has news.
  // Errors: DamagedImages::Add's, the same on all ranks; the world's.
  absl::Status Exchange(World& world);

  // The list as a checkpoint keeps it.
  std::vector<DamageRecord> Records() const;

  // Adds what a checkpoint kept, the same on all ranks, but for images that the
  // sources no longer have. Errors: DamagedImages::Add's.
  absl::Status Restore(const std::vector<DamageRecord>& records);

 private:
  int64_t NumberOf(const ImageSource* source) const;

  const std::vector<const ImageSource*> sources_;
  DamagedImages& damaged_;
  size_t told_ = 0;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_SHARED_DAMAGE_H_
