#ifndef GSG_TESTS_GSG_CORE_PLUGIN_H_
#define GSG_TESTS_GSG_CORE_PLUGIN_H_

// What a plugin says of the gsg_core that it calls.
struct PluginAnswer {
  const char* version = nullptr;
  int selections = 0;         // how many there are
  bool knows_second = false;  // the one of second_selection.diff
  double loss = 0;            // of a row
};

extern "C" __attribute__((visibility("default"))) PluginAnswer GsgPlugin();

#endif  // GSG_TESTS_GSG_CORE_PLUGIN_H_
