#include "trainers/report/comparison.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trainers/report/chart.h"
#include "trainers/report/html.h"
#include "trainers/report/page.h"
#include "trainers/report/settings.h"
#include "trainers/run/epoch_record.h"

namespace gsg {
namespace {

using Runs = std::vector<RunSummary>;

// The last measurement of k-NN during training, and when it was; NaN if none.
struct Watched {
  double knn_top1 = kUnknown;
  int64_t epoch = 0;
};
Watched LastWatched(const RunSummary& run) {
  for (auto record = run.epochs.rbegin(); record != run.epochs.rend();
       ++record) {
    if (Measured(record->knn_top1)) return {record->knn_top1, record->epoch};
  }
  return {};
}

// The score at the end, or of a run that has not come there what was measured
// on its way.
std::string KnnCell(const RunSummary& run) {
  const Watched watched = LastWatched(run);
  if (Measured(run.trained.knn_top1) || !Measured(watched.knn_top1)) {
    return ScoreCell(run.trained.knn_top1);
  }
  std::string cell = ScoreCell(watched.knn_top1);
  cell.insert(cell.rfind("</td>"),
              absl::StrCat("<small>after epoch ",
                           FormatNumber(static_cast<double>(watched.epoch), 0),
                           "</small>"));
  return cell;
}

std::vector<Settings> SettingsOf(const Runs& runs) {
  std::vector<Settings> settings;
  for (const RunSummary& run : runs) {
    settings.push_back({run.name, run.config});
  }
  return settings;
}

// Which run is ahead, if anything is measured, and on the same images.
std::string Headline(const Runs& runs) {
  if (SettingDiffers(SettingsOf(runs), "dataset")) return "";
  std::string html;
  const auto add = [&](double Scores::*score, absl::string_view by) {
    const RunSummary* best = nullptr;
    for (const RunSummary& run : runs) {
      if (!Measured(run.trained.*score)) continue;
      if (best == nullptr || run.trained.*score > best->trained.*score) {
        best = &run;
      }
    }
    if (best == nullptr) return;
    absl::StrAppend(&html, html.empty() ? "" : "; ", by, ", ",
                    EscapeHtml(best->name), " is ahead with <b>",
                    FormatNumber(best->trained.*score, 1), "&nbsp;%</b>");
  };
  add(&Scores::knn_top1, "By nearest neighbors");
  add(&Scores::linear_top1, "by a linear classifier");
  if (html.empty()) return "";
  return absl::StrCat("<p class=\"lead\">", html, ".</p>\n");
}

std::string ScoreTable(const Runs& runs) {
  std::string rows;
  for (size_t r = 0; r < runs.size(); ++r) {
    const RunSummary& run = runs[r];
    double seconds = 0;
    for (const EpochRecord& record : run.epochs) seconds += record.seconds;
    const auto epochs = static_cast<double>(run.epochs.size());
    absl::StrAppend(
        &rows, "<tr><th scope=\"row\">", ColoredName(runs[r].name, r),
        "</th><td>", FormatNumber(epochs, 0), "</td>", KnnCell(run),
        ScoreCell(run.trained.linear_top1), "<td>",
        FormatNumber(run.untrained.knn_top1, 2), "</td><td>",
        FormatNumber(epochs > 0 ? seconds / 60 : kUnknown, 1), "</td></tr>\n");
  }
  return Section(
      "Classification",
      "Top-1 accuracy in percent on the test images after the last epoch, from "
      "features that never saw a label. A dash: it was not measured. With an "
      "epoch: the run has not come to its end, and this is what was measured "
      "on "
      "its way, perhaps on fewer images.",
      absl::StrCat("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>"
                   "<th scope=\"col\">Run</th><th scope=\"col\">Epochs</th>"
                   "<th scope=\"col\">k-NN</th><th scope=\"col\">Linear</th>"
                   "<th scope=\"col\">k-NN untrained</th>"
                   "<th scope=\"col\">Minutes</th></tr></thead>\n<tbody>\n",
                   rows, "</tbody></table></div>\n"));
}

std::string AllSettings(const RunSummary& run) {
  if (run.config.empty()) return "";
  std::string rows;
  for (const auto& [name, value] : run.config) {
    absl::StrAppend(&rows, "<div><dt>", EscapeHtml(name), "</dt><dd>",
                    EscapeHtml(value), "</dd></div>");
  }
  return Section("Settings", "Those of this run.",
                 absl::StrCat("<dl class=\"config\">", rows, "</dl>\n"));
}

std::vector<Series> Curves(const Runs& runs, double EpochRecord::*field) {
  std::vector<Series> curves;
  for (const RunSummary& run : runs) {
    Series series = {run.name, {}};
    for (const EpochRecord& record : run.epochs) {
      series.points.emplace_back(static_cast<double>(record.epoch),
                                 record.*field);
    }
    curves.push_back(std::move(series));
  }
  return curves;
}

// Raw pixels score the same in every run on the same images.
std::vector<Reference> CommonBaseline(const Runs& runs) {
  for (const RunSummary& run : runs) {
    if (run.raw_pixels.knn_top1 != runs[0].raw_pixels.knn_top1) return {};
  }
  return {{"raw pixels", runs[0].raw_pixels.knn_top1}};
}

std::string Charts(const Runs& runs) {
  const std::vector<Chart> charts = {
      {"k-NN top-1, %", "Weighted vote of the nearest training images",
       Curves(runs, &EpochRecord::knn_top1), CommonBaseline(runs), false, 2},
      {"Loss",
       "Mean over pairs; −1 when every view predicts its partner",
       Curves(runs, &EpochRecord::loss),
       {},
       false,
       3},
      {"Feature std",
       "1: spread over the sphere; 0: collapsed",
       Curves(runs, &EpochRecord::feature_std),
       {},
       true,
       3},
      {"Effective rank",
       "Dimensions that the features use",
       Curves(runs, &EpochRecord::effective_rank),
       {},
       true,
       1},
      {"Learning rate",
       "Of the last step of an epoch",
       Curves(runs, &EpochRecord::lr),
       {},
       true,
       -2},
      {"Images per second",
       "",
       Curves(runs, &EpochRecord::images_per_second),
       {},
       true,
       0},
  };
  std::string figures;
  for (const Chart& chart : charts) figures += RenderChart(chart);
  if (figures.empty()) return "";
  return Section("Training",
                 "By epoch. Point at the curves to read their values.",
                 absl::StrCat("<div class=\"charts\">\n", figures, "</div>\n"));
}

}  // namespace

std::string RenderComparison(const std::vector<RunSummary>& runs) {
  return Page(
      runs.size() == 1 ? absl::StrCat("The run ", runs[0].name)
                       : absl::StrCat(runs.size(), " runs side by side"),
      runs.size() == 1 ? "" : Headline(runs),
      absl::StrCat(ScoreTable(runs), Charts(runs),
                   runs.size() == 1 ? AllSettings(runs[0])
                                    : SettingsSection(SettingsOf(runs))));
}

absl::Status WriteComparison(const std::string& path,
                             const std::vector<RunSummary>& runs) {
  return WritePage(path, RenderComparison(runs));
}

}  // namespace gsg
