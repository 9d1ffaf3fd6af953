#ifndef GSG_TRAINERS_CONFIG_FIT_H_
#define GSG_TRAINERS_CONFIG_FIT_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "trainers/config/config.h"
#include "trainers/image/channel_stats.h"

namespace gsg {

// What --fit goes by.
struct FitFacts {
  int64_t images = 0;    // to train on
  int64_t channels = 0;  // of theirs, as they are read
  int64_t side = 0;      // median of their shorter sides, in pixels
  bool gray = false;     // has none of them any color?
  bool wide = false;     // has any of them 16 bits?
  bool labeled = false;
  bool from_files = true;
  bool gpu = false;
  int cpus = 1;  // for each process of the run
  // Of the run that --init is a checkpoint of; none if others made the weights.
  std::optional<Config> start;
  ChannelStats start_stats;  // what the images of that run were normalized with
};

struct Decision {
  std::string flag;  // "crop_size"
  std::string value;
  std::string reason;
};

// knn_k for so many training images: 200, the papers', from 10,000 on.
int64_t FittedNeighbors(int64_t images);

// Sets the fields of `config` that suit the images and the machine, but for
// those in `given`, and those that other values of `config` make void, and
// turns config->fit off: what is left are plain values. docs/photos.md has the
// measurements behind the numbers.
std::vector<Decision> FitToImages(const FitFacts& facts,
                                  const std::set<std::string>& given,
                                  Config* config);

// The fields in which `config` is not its recipe.
std::set<std::string> FieldsUnlikeRecipe(const Config& config);

// How many threads keep up with the network: what --loader_threads=0 stands
// for. Results do not depend on it.
int64_t LoaderThreads(bool from_files, bool gpu, int cpus);

// Makes the schedule one of `epochs` epochs, at least 1. Warm-up takes half of
// them at most, and the last is guided.
void SetEpochs(int64_t epochs, Config* config);

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_FIT_H_
