#include "trainers/train/rank_agreement.h"

#include <csignal>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/pairing.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/interrupt.h"
#include "trainers/config/config.h"
#include "trainers/distributed/world.h"

namespace gsg {

absl::Status CheckParts(const Config& config, const World& world) {
  if (config.batch_size % world.size() != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--batch_size=", config.batch_size, " is not a multiple of the ",
        world.size(), " processes, of which each takes an equal part"));
  }
  if (config.batch_size / world.size() < 2 && config.pairing_scope == "rank") {
    return absl::InvalidArgumentError(absl::StrCat(
        "--batch_size=", config.batch_size, " leaves each of the ",
        world.size(),
        " processes one image, which has no other to be paired with: use "
        "--pairing_scope=world or fewer processes"));
  }
  if (config.pairing == PairingKind::kNearest &&
      config.pairing_scope == "rank" &&
      config.pairing_candidates >= config.batch_size / world.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--pairing_candidates=", config.pairing_candidates, ": each of the ",
        world.size(), " processes has ", config.batch_size / world.size(),
        " images of a batch, which must be more; or use "
        "--pairing_scope=world"));
  }
  return absl::OkStatus();
}

absl::Status RankAgreement::Agree(const absl::Status& mine) {
  const absl::Status status = held_.ok() ? mine : held_;
  if (world_.size() == 1) return status;
  const int signal = Interrupted();
  std::vector<double> told = {signal == SIGINT ? 1.0 : 0.0,
                              signal != SIGINT && signal != 0 ? 1.0 : 0.0,
                              static_cast<double>(damage_.News())};
  GSG_RETURN_IF_ERROR(world_.AgreeAndSum(status, &told));
  if (told[0] > 0 || told[1] > 0) {
    NoteInterrupt(told[1] > 0 ? SIGTERM : SIGINT);
    told_to_stop_ = true;
  }
  if (told[2] == 0) return absl::OkStatus();
  return world_.Agree(damage_.Exchange(world_));
}

absl::Status RankAgreement::ReportRootOnly(const absl::Status& status) {
  if (world_.size() == 1) return status;
  held_.Update(status);
  return absl::OkStatus();
}

bool RankAgreement::must_stop() const {
  return world_.size() == 1 ? Interrupted() != 0 : told_to_stop_;
}

}  // namespace gsg
