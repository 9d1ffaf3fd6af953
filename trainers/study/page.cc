#include "trainers/study/page.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/config/values.h"
#include "trainers/report/chart.h"
#include "trainers/report/html.h"
#include "trainers/report/page.h"
#include "trainers/report/settings.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/read_run.h"
#include "trainers/study/metric.h"
#include "trainers/study/statistics.h"
#include "trainers/study/study.h"
#include "trainers/study/table.h"

namespace gsg {
namespace {

// Arms that have one row of charts: at most as many as there are colors, the
// baseline first among all of them.
std::vector<std::vector<size_t>> ChartGroups(const Study& study) {
  std::vector<std::vector<size_t>> groups;
  for (size_t arm = 0; arm < study.arms.size(); ++arm) {
    if (arm == study.baseline) continue;
    if (groups.empty() || groups.back().size() == kMostSeries) {
      groups.push_back({study.baseline});
    }
    groups.back().push_back(arm);
  }
  if (groups.empty()) groups.push_back({study.baseline});
  return groups;
}

// The arm's curve: at each epoch the mean over those runs that measured it.
Series ArmSeries(const std::string& name,
                 const std::vector<std::optional<RunSummary>>& runs,
                 double EpochRecord::*field) {
  std::map<double, std::vector<double>> epochs;
  for (const auto& run : runs) {
    if (!run.has_value()) continue;
    for (const EpochRecord& record : run->epochs) {
      if (!Measured(record.*field)) continue;
      epochs[static_cast<double>(record.epoch)].push_back(record.*field);
    }
  }
  Series series = {name, {}};
  for (const auto& [epoch, values] : epochs) {
    series.points.emplace_back(epoch, Summarize(values).mean);
    if (values.size() < 2) continue;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    series.band.push_back({epoch, *low, *high});
  }
  return series;
}

std::string Charts(const Study& study, const StudyResults& results) {
  struct Curve {
    const char* title;
    const char* note;
    double EpochRecord::*field;
    bool from_zero;
    int decimals;
  };
  const Curve curves[] = {
      {"k-NN top-1, %", "Weighted vote of the nearest training images",
       &EpochRecord::knn_top1, false, 2},
      {"Loss", "Mean over pairs; −1 when every view predicts its partner",
       &EpochRecord::loss, false, 3},
      {"Feature std", "1: spread over the sphere; 0: collapsed",
       &EpochRecord::feature_std, true, 3},
      {"Effective rank", "Dimensions that the features use",
       &EpochRecord::effective_rank, true, 1},
  };
  std::string figures;
  for (const std::vector<size_t>& group : ChartGroups(study)) {
    std::string row;
    for (const Curve& curve : curves) {
      Chart chart;
      chart.title = curve.title;
      chart.note = curve.note;
      chart.from_zero = curve.from_zero;
      chart.decimals = curve.decimals;
      for (const size_t arm : group) {
        chart.series.push_back(
            ArmSeries(study.arms[arm].name, results[arm], curve.field));
      }
      row += RenderChart(chart);
    }
    if (row.empty()) continue;
    absl::StrAppend(&figures, "<div class=\"charts\">\n", row, "</div>\n");
  }
  if (figures.empty()) return "";
  return Section("Training",
                 "By epoch: the mean over seeds, shaded from the least to the "
                 "most. Point at the curves to read their values.",
                 figures);
}

std::string HtmlTable(const std::vector<std::string>& head,
                      const std::vector<std::vector<std::string>>& rows) {
  std::string html = "<div class=\"scroll\"><table><thead><tr>";
  for (const std::string& cell : head) {
    absl::StrAppend(&html, "<th scope=\"col\">", EscapeHtml(cell), "</th>");
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      absl::StrAppend(&html, c == 0 ? "<tr><th scope=\"row\">" : "<td>",
                      EscapeHtml(row[c]), c == 0 ? "</th>" : "</td>");
    }
    html += "</tr>\n";
  }
  return absl::StrCat(html, "</tbody></table></div>\n");
}

std::string Tables(const Study& study, const StudyTable& table) {
  std::vector<std::string> head = {"Arm", "Runs"};
  for (const Metric* metric : study.metrics) {
    head.emplace_back(metric->heading);
  }
  std::vector<std::vector<std::string>> means, differences;
  for (size_t arm = 0; arm < table.size(); ++arm) {
    const StudyRow& row = table[arm];
    std::vector<std::string> mean = {ArmLabel(study, table, arm),
                                     absl::StrCat(row.finished)};
    std::vector<std::string> difference = {study.arms[arm].name, "0"};
    for (size_t m = 0; m < study.metrics.size(); ++m) {
      const int decimals = study.metrics[m]->decimals;
      mean.push_back(SummaryCell(row.summaries[m], decimals));
      difference.push_back(DifferenceCell(row.differences[m], decimals));
      if (row.differences[m].n > 0) {
        difference[1] = absl::StrCat(row.differences[m].n);
      }
    }
    means.push_back(std::move(mean));
    if (arm != study.baseline) differences.push_back(std::move(difference));
  }
  std::string html = Section(
      "Results",
      "Mean and standard deviation over seeds, of the runs that have finished. "
      "k-NN and linear: top-1 accuracy in percent on the test images, from "
      "features that never saw a label. Std: 1 = spread over the whole sphere, "
      "0 = "
      "collapsed.",
      HtmlTable(head, means));
  if (differences.empty()) return html;
  head[0] = absl::StrCat("minus ", study.arms[study.baseline].name);
  head[1] = "Pairs";
  return absl::StrCat(html, Section("Differences", EscapeHtml(kDifferenceNote),
                                    HtmlTable(head, differences)));
}

std::string SettingsOfArms(const Study& study) {
  std::vector<Settings> all;
  for (const Arm& arm : study.arms) {
    Settings settings = {arm.name, {{"method", arm.config.method}}};
    VisitFields(arm.config, [&](const auto& value, const Field& field) {
      if (!field.from_config || field.name == "seed") return;
      settings.values.emplace_back(std::string(field.name), ValueText(value));
    });
    all.push_back(std::move(settings));
  }
  return SettingsSection(all);
}

std::string Repeat(const StudyPageData& data) {
  std::string links;
  for (const auto& [name, address] : data.runs) {
    absl::StrAppend(&links, links.empty() ? "" : " · ",
                    address.empty()
                        ? EscapeHtml(name)
                        : absl::StrCat("<a href=\"", EscapeHtml(address), "\">",
                                       EscapeHtml(name), "</a>"));
  }
  return Section("Runs", "Each is an ordinary run with a page of its own.",
                 absl::StrCat("<p>", links, "</p>\n")) +
         Section("To repeat it", "",
                 absl::StrCat("<pre>", EscapeHtml(data.command), "</pre>\n"));
}

}  // namespace

std::string RenderStudyPage(const StudyPageData& data) {
  const Study& study = *data.study;
  std::string header;
  if (!study.question.empty()) {
    absl::StrAppend(&header, "<p class=\"lead\">", EscapeHtml(study.question),
                    "</p>\n");
  }
  header += "<dl class=\"facts\">";
  for (const auto& [name, value] : data.facts) {
    absl::StrAppend(&header, "<div><dt>", EscapeHtml(name), "</dt><dd>",
                    EscapeHtml(value), "</dd></div>");
  }
  header += "</dl>\n";
  return Page(
      study.title, header,
      absl::StrCat(Tables(study, *data.table), Charts(study, *data.results),
                   SettingsOfArms(study), Repeat(data)));
}

}  // namespace gsg
