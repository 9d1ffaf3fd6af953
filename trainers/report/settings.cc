#include "trainers/report/settings.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trainers/report/chart.h"
#include "trainers/report/html.h"
#include "trainers/report/page.h"

namespace gsg {
namespace {

constexpr absl::string_view kDash = "–";

// Null if it is not there.
const std::string* Find(const Settings& settings, const std::string& name) {
  for (const auto& [key, value] : settings.values) {
    if (key == name) return &value;
  }
  return nullptr;
}

}  // namespace

bool SettingDiffers(const std::vector<Settings>& all, const std::string& name) {
  const std::string* first = Find(all[0], name);
  for (const Settings& settings : all) {
    const std::string* value = Find(settings, name);
    if ((value == nullptr) != (first == nullptr)) return true;
    if (value != nullptr && *value != *first) return true;
  }
  return false;
}

std::string ColoredName(const std::string& name, size_t place) {
  if (place >= kMostSeries) return EscapeHtml(name);
  return absl::StrCat("<span class=\"dot\" style=\"background:var(--s", place,
                      ")\"></span>", EscapeHtml(name));
}

std::string SettingsSection(const std::vector<Settings>& all) {
  std::vector<std::string> names;
  for (const Settings& settings : all) {
    for (const auto& [name, value] : settings.values) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  if (names.empty()) return "";
  std::string head, rows;
  for (size_t i = 0; i < all.size(); ++i) {
    absl::StrAppend(&head, "<th scope=\"col\">", ColoredName(all[i].name, i),
                    "</th>");
  }
  for (const std::string& name : names) {
    if (!SettingDiffers(all, name)) continue;
    absl::StrAppend(&rows, "<tr><th scope=\"row\">", EscapeHtml(name), "</th>");
    for (const Settings& settings : all) {
      const std::string* value = Find(settings, name);
      absl::StrAppend(&rows, "<td>",
                      value == nullptr ? kDash : EscapeHtml(*value), "</td>");
    }
    rows += "</tr>\n";
  }
  if (rows.empty()) {
    return Section("Settings", "All settings are the same.", "");
  }
  return Section("Settings",
                 "Those in which the runs differ; the others are the same.",
                 absl::StrCat("<div class=\"scroll\" tabindex=\"0\"><table "
                              "class=\"differences\"><thead>"
                              "<tr><th></th>",
                              head, "</tr></thead>\n<tbody>\n", rows,
                              "</tbody></table></div>\n"));
}

}  // namespace gsg
