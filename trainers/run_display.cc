#include "trainers/run_display.h"

#include <ATen/Parallel.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "trainers/base/format.h"
#include "trainers/base/interrupt.h"
#include "trainers/config/config.h"
#include "trainers/console/epoch_table.h"
#include "trainers/console/progress.h"
#include "trainers/distributed/world.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_source.h"
#include "trainers/run/epoch_record.h"
#include "trainers/train/trainer.h"
#include "trainers/weights/backbone_weights.h"

namespace gsg {

void Announce(const Config& config, const Dataset& dataset, c10::Device device,
              const World& world) {
  absl::PrintF(
      "%s on %s, recipe %s: %s train and %s %s images%s, %s, %s%d CPU "
      "threads\nOutput: %s\n",
      config.method, config.dataset, config.recipe,
      GroupedNumber(dataset.train->size()),
      dataset.labeled() ? GroupedNumber(dataset.test->size()) : "no",
      config.validation > 0 ? "validation" : "test",
      dataset.labeled() ? "" : " (no labels)", device.str(),
      world.size() > 1 ? absl::StrCat(world.size(), " processes of ") : "",
      at::get_num_threads(), config.output_dir);
  for (const std::string& note : dataset.notes) {
    absl::PrintF("Note: %s\n", note);
  }
  std::fflush(stdout);
}

void AnnounceWeights(const Config& config, const BackboneWeights& weights) {
  absl::PrintF(
      "Starting from %s: %d tensors%s%s%s\n", config.init, weights.tensors,
      weights.prefix.empty() ? ""
                             : absl::StrCat(" behind \"", weights.prefix, "\""),
      weights.heads.empty()
          ? ""
          : absl::StrCat(", without its head (", weights.heads.front(),
                         weights.heads.size() > 1 ? " and others)" : ")"),
      weights.resized.empty()
          ? ""
          : absl::StrCat(", position embeddings from ", weights.resized));
}

void DamageWarnings::ShowNew() {
  for (; shown_ < damaged_.list().size(); ++shown_) {
    const DamagedImage& image = damaged_.list()[shown_];
    progress_.Clear();
    absl::FPrintF(stderr, "warning: %s is left out: %s\n", image.name,
                  image.reason);
  }
}

void DamageWarnings::ShowSum() {
  ShowNew();
  const size_t count = damaged_.list().size();
  if (count == 0) return;
  absl::FPrintF(stderr, "warning: %d damaged image%s left out\n", count,
                count == 1 ? " was" : "s were");
}

TrainerHooks ShowOn(Progress& progress, DamageWarnings& warnings,
                    absl::Time start, bool alone) {
  TrainerHooks hooks;
  hooks.on_epoch_start = [&](int64_t epoch, int64_t batches_done) {
    progress.StartEpoch(epoch, batches_done);
  };
  hooks.on_step = [&, alone](int64_t batches_done, double loss) {
    warnings.ShowNew();
    progress.Update(batches_done, [loss] { return loss; });
    if (!alone) return;
    SetInterruptMessage(
        absl::StrCat("\nstopping after this step (about ",
                     HumanDuration(progress.per_step()),
                     ") and saving; a second Ctrl-C ends at once\n"));
  };
  hooks.on_epoch_end = [&, start](const EpochRecord& record) {
    progress.Clear();
    warnings.ShowNew();
    absl::PrintF("%s\n", EpochLine(record, absl::Now() - start));
    std::fflush(stdout);
  };
  hooks.on_warning = [&](const std::string& warning) {
    progress.Clear();
    absl::FPrintF(stderr, "warning: %s\n", warning);
  };
  return hooks;
}

}  // namespace gsg
