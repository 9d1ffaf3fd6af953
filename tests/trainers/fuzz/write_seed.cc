// Prints what this program writes, to start from: the files have a key for
// each flag, so that kept copies would not stay true.

#include <cstdio>
#include <string>

#include "absl/strings/string_view.h"
#include "trainers/config/config.h"
#include "trainers/config/json.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/run_state.h"

int main(int argc, char** argv) {
  gsg::Config config;
  config.method = "simsiam_gsg";
  gsg::RunState state;
  state.channel_mean = {0.25};
  state.channel_std = {0.5};
  state.epoch = 1;
  state.step = 8;
  state.history.emplace_back();
  state.history.back().epoch = 1;
  state.damaged = {{1, 12, "val/12.jpg", "the file is empty"}};
  const std::string text = argc > 1 && absl::string_view(argv[1]) == "run_state"
                               ? gsg::StateToJson(state, config)
                               : gsg::ToJson(config);
  std::fputs(text.c_str(), stdout);
  return 0;
}
