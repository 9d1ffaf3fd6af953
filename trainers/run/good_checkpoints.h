// What to go on from where a checkpoint is damaged.

#ifndef GSG_TRAINERS_RUN_GOOD_CHECKPOINTS_H_
#define GSG_TRAINERS_RUN_GOOD_CHECKPOINTS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace gsg {

struct GoodCheckpoint {
  std::string path;
  int64_t epoch = 0;  // finished epochs
  int64_t batch = 0;  // finished batches of the next one

  // "2 epochs and 3 batches".
  std::string Progress() const;
};

// The checkpoints of a run's folder, but for the one at `except`, that can be
// read and hold a run's state, the newest first. Reads them all, one after the
// other.
std::vector<GoodCheckpoint> GoodCheckpoints(const std::string& folder,
                                            const std::string& except);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_GOOD_CHECKPOINTS_H_
