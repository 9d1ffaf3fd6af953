#include "trainers/run/good_checkpoints.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trainers/run/checkpoint.h"
#include "trainers/run/run_directory.h"
#include "trainers/run/run_state.h"

namespace gsg {

std::string GoodCheckpoint::Progress() const {
  std::string progress = absl::StrCat(epoch, epoch == 1 ? " epoch" : " epochs");
  if (batch > 0) {
    absl::StrAppend(&progress, " and ", batch,
                    batch == 1 ? " batch" : " batches");
  }
  return progress;
}

std::vector<GoodCheckpoint> GoodCheckpoints(const std::string& folder,
                                            const std::string& except) {
  std::vector<std::pair<int64_t, GoodCheckpoint>> found;  // by step
  for (const std::string& path : CheckpointFiles(folder)) {
    std::error_code error;
    if (std::filesystem::equivalent(path, except, error)) continue;
    const absl::StatusOr<Checkpoint> checkpoint = LoadCheckpoint(path);
    if (!checkpoint.ok()) continue;
    const absl::StatusOr<SavedRun> run = StateFromJson(checkpoint->meta);
    if (!run.ok()) continue;
    found.emplace_back(run->state.step, GoodCheckpoint{path, run->state.epoch,
                                                       run->state.batch});
  }
  std::stable_sort(
      found.begin(), found.end(),
      [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<GoodCheckpoint> checkpoints;
  for (auto& item : found) checkpoints.push_back(std::move(item.second));
  return checkpoints;
}

}  // namespace gsg
