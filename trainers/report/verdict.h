#ifndef GSG_TRAINERS_REPORT_VERDICT_H_
#define GSG_TRAINERS_REPORT_VERDICT_H_

#include <cstdint>
#include <string>

#include "trainers/config/config.h"
#include "trainers/run/run_state.h"

namespace gsg {

// What the network before training is called: untrained, or that of --init.
std::string StartName(const Config& config);

// In words whether training paid: one or two sentences from the scores of the
// trained network beside chance, the untrained network and raw pixels, and
// without labels the features' spread and rank. `classes` of a labeled data
// set, else 0, with scores of Scores::view_top1. "" if nothing was measured.
struct Worked {
  std::string words;
  bool paid = false;
};
Worked WhetherItWorked(const Config& config, const RunState& state,
                       const Scores& trained, int64_t classes);

// What to try if it did not work: a sentence.
std::string Advice(const Config& config);

// Both: the second if training did not pay and is not to go on. "" if nothing
// was measured to compare with.
std::string Verdict(const Config& config, const RunState& state,
                    const Scores& trained, int64_t classes);

// The commands that go on from the run in config.output_dir, which has finished
// `epochs` epochs, a line each. If --max_steps ended it before the last, the
// first trains the rest.
std::string NextCommands(const Config& config, int64_t epochs, bool labeled);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_VERDICT_H_
