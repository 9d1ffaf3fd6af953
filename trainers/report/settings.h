#ifndef GSG_TRAINERS_REPORT_SETTINGS_H_
#define GSG_TRAINERS_REPORT_SETTINGS_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace gsg {

// What one of several was run with, in the order in which to show it.
struct Settings {
  std::string name;
  std::vector<std::pair<std::string, std::string>> values;
};

// Is the setting called `name` there in some but not in all, or not the same?
bool SettingDiffers(const std::vector<Settings>& all, const std::string& name);

// HTML: the name, escaped, behind a dot in the color of series `place` of a
// chart (chart.h); without a dot from kMostSeries on.
std::string ColoredName(const std::string& name, size_t place);

// A section of a page: a table of the settings that differ (a dash where one
// does not have it), or that all are the same. Nothing if there are none.
std::string SettingsSection(const std::vector<Settings>& all);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_SETTINGS_H_
