#ifndef GSG_TRAINERS_TRAIN_RANK_AGREEMENT_H_
#define GSG_TRAINERS_TRAIN_RANK_AGREEMENT_H_

#include "absl/status/status.h"
#include "trainers/config/config.h"
#include "trainers/distributed/world.h"
#include "trainers/train/shared_damage.h"

namespace gsg {

// Can the ranks of `world` share out the batches of `config`?
// Errors: kInvalidArgument naming the flag.
absl::Status CheckParts(const Config& config, const World& world);

// Makes all ranks of a run end together: for a signal, an error or too many
// damaged images on any of them. With one rank it is that rank's own state.
class RankAgreement {
 public:
  // `world` and `damage` must outlive this.
  RankAgreement(World* world, SharedDamage* damage)
      : world_(*world), damage_(*damage) {}

  // All ranks call it at the same places. Exchanges errors (`mine` and those
  // that ReportRootOnly holds), signals and damaged images. Errors: as
  // World::Agree; kDataLoss if all ranks' damaged images together are too many.
  absl::Status Agree(const absl::Status& mine = absl::OkStatus());

  // Reports the result of work that only rank 0 does. With one rank that is the
  // return value; with several an error is held until the next Agree.
  absl::Status ReportRootOnly(const absl::Status& status);

  // Whether a signal asks for an end; the same on all ranks after an Agree.
  bool must_stop() const;

  // For the errors that all ranks have at the same place.
  World& world() { return world_; }

 private:
  World& world_;
  SharedDamage& damage_;
  absl::Status held_;
  bool told_to_stop_ = false;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_RANK_AGREEMENT_H_
