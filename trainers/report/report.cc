#include "trainers/report/report.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/report/chart.h"
#include "trainers/report/html.h"
#include "trainers/report/page.h"
#include "trainers/report/picture.h"
#include "trainers/report/scatter.h"

namespace gsg {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

absl::Status CheckLabel(int64_t label, const ReportData& data,
                        absl::string_view where) {
  if (label >= 0 && label < static_cast<int64_t>(data.classes.size())) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(where, " has label ", label, "; the report names ",
                   data.classes.size(), " classes"));
}

// ": 4.2 points above raw pixels, ..." by k-NN, or nothing.
std::string Differences(const ReportData& data) {
  std::vector<std::string> parts;
  for (const Score& baseline : data.baselines) {
    const double gain = data.trained.knn_top1 - baseline.knn_top1;
    if (!Measured(gain)) continue;
    parts.push_back(absl::StrCat(FormatNumber(std::abs(gain), 1), " points ",
                                 gain < 0 ? "below " : "above ",
                                 EscapeHtml(baseline.name)));
  }
  if (parts.empty()) return "";
  return absl::StrCat(": ", absl::StrJoin(parts, ", "));
}

std::string Headline(const ReportData& data) {
  std::vector<std::string> scores;
  if (Measured(data.trained.knn_top1)) {
    scores.push_back(absl::StrCat("<b>", FormatNumber(data.trained.knn_top1, 1),
                                  "&nbsp;%</b> of the "
                                  "test images by their nearest neighbors",
                                  Differences(data)));
  }
  if (Measured(data.trained.linear_top1)) {
    scores.push_back(absl::StrCat("<b>",
                                  FormatNumber(data.trained.linear_top1, 1),
                                  "&nbsp;%</b> with a linear classifier"));
  }
  if (scores.empty()) return "";
  std::string after;
  if (!data.epochs.empty()) {
    const int64_t epochs = data.epochs.back().epoch;
    after =
        absl::StrCat("After ", FormatNumber(static_cast<double>(epochs), 0),
                     epochs == 1 ? " epoch" : " epochs", " without labels, ");
  }
  return absl::StrCat("<p class=\"lead\">", after,
                      EscapeHtml(data.trained.name), " classifies ",
                      absl::StrJoin(scores, "; "), ".</p>\n");
}

// A paragraph. Flags and numbers with their percent sign stay on a line.
std::string Paragraph(const std::string& text, absl::string_view style) {
  std::vector<std::string> words = absl::StrSplit(
      absl::StrReplaceAll(EscapeHtml(text), {{" %", "&nbsp;%"}}), ' ');
  for (std::string& word : words) {
    if (absl::StrContains(word, "--")) {
      word = absl::StrCat("<span class=\"flag\">", word, "</span>");
    }
  }
  return absl::StrCat("<p class=\"", style, "\">", absl::StrJoin(words, " "),
                      "</p>\n");
}

std::string Words(const ReportData& data, bool first) {
  std::string html;
  for (const std::string& paragraph : data.words) {
    html += Paragraph(paragraph, first ? "lead" : "words");
    first = false;
  }
  if (!data.commands.empty()) {
    absl::StrAppend(&html,
                    "<pre class=\"commands\" tabindex=\"0\" "
                    "aria-label=\"Commands\">",
                    EscapeHtml(data.commands), "</pre>\n");
  }
  if (!data.after_commands.empty()) {
    html += Paragraph(data.after_commands, "words");
  }
  return html;
}

std::string FactList(const Facts& facts, absl::string_view style) {
  if (facts.empty()) return "";
  std::string html = absl::StrCat("<dl class=\"", style, "\">");
  for (const auto& [name, value] : facts) {
    absl::StrAppend(&html, "<div><dt>", EscapeHtml(name), "</dt><dd>",
                    EscapeHtml(value), "</dd></div>");
  }
  return html + "</dl>\n";
}

std::string ScoreTable(const ReportData& data) {
  std::string rows;
  auto add = [&](const Score& score, absl::string_view style) {
    if (!Measured(score.knn_top1) && !Measured(score.linear_top1)) return;
    absl::StrAppend(&rows, "<tr class=\"", style, "\"><th scope=\"row\">",
                    EscapeHtml(score.name), "</th>", ScoreCell(score.knn_top1),
                    ScoreCell(score.linear_top1), "</tr>\n");
  };
  for (const Score& baseline : data.baselines) add(baseline, "baseline");
  add(data.trained, "trained");
  if (rows.empty()) return "";
  return Section(
      "Classification",
      absl::StrCat(
          "Top-1 accuracy in percent on all test images, from features "
          "that never saw a label.",
          data.watched.empty()
              ? ""
              : absl::StrCat(" During training, in the chart below, k-NN is "
                             "measured on ",
                             EscapeHtml(data.watched), ", and so differs.")),
      absl::StrCat("<div class=\"scroll\" tabindex=\"0\"><table "
                   "class=\"scores\"><thead><tr>"
                   "<th scope=\"col\">Features</th><th scope=\"col\">k-NN</th>"
                   "<th scope=\"col\">Linear</th></tr></thead>\n<tbody>\n",
                   rows, "</tbody></table></div>\n"));
}

Series Curve(const ReportData& data, std::string name,
             const std::function<double(const EpochRecord&)>& value) {
  Series series = {std::move(name), {}};
  for (const EpochRecord& record : data.epochs) {
    series.points.emplace_back(static_cast<double>(record.epoch),
                               value(record));
  }
  return series;
}

std::string Curves(const ReportData& data) {
  std::vector<Reference> baselines;
  for (const Score& baseline : data.baselines) {
    baselines.push_back({baseline.name, baseline.knn_top1});
  }
  auto curve = [&](double EpochRecord::*field) -> std::vector<Series> {
    return {
        Curve(data, "", [field](const EpochRecord& r) { return r.*field; })};
  };
  std::vector<Series> shares;
  const char* const pairs[] = {"11, 21", "11, 22", "12, 21", "12, 22"};
  for (size_t k = 0; k < 4; ++k) {
    shares.push_back(Curve(data, pairs[k], [k](const EpochRecord& record) {
      return ChosePairs(record) ? 100 * record.pair_share[k] : kUnknown;
    }));
  }
  const std::vector<Chart> charts = {
      {"k-NN top-1, %",
       absl::StrCat("Weighted vote of the nearest training images",
                    data.watched.empty() ? "" : ", on ", data.watched),
       curve(&EpochRecord::knn_top1), baselines, false, 2},
      {"Loss",
       "Mean over pairs; −1 when every view predicts its partner",
       curve(&EpochRecord::loss),
       {},
       false,
       4},
      {"Feature std",
       "1: spread over the sphere; 0: collapsed",
       curve(&EpochRecord::feature_std),
       {},
       true,
       3},
      {"Effective rank",
       "Dimensions that the features use",
       curve(&EpochRecord::effective_rank),
       {},
       true,
       1},
      {"Chosen pairs, %",
       "Which views of two images were the closest",
       shares,
       {{"even", 25}},
       false,
       1},
      {"Learning rate",
       "Of the last step of an epoch",
       curve(&EpochRecord::lr),
       {},
       true,
       -2},
      {"Images per second",
       "",
       curve(&EpochRecord::images_per_second),
       {},
       true,
       0},
  };
  std::string figures;
  for (const Chart& chart : charts) figures += RenderChart(chart);
  if (figures.empty()) return "";
  return Section("Training",
                 "By epoch. Point at a curve to read its values, or open them "
                 "as a table.",
                 absl::StrCat("<div class=\"charts\">\n", figures, "</div>\n"));
}

absl::StatusOr<std::string> Figure(const LabeledPicture& item,
                                   const ReportData& data,
                                   absl::string_view style,
                                   absl::string_view role) {
  GSG_RETURN_IF_ERROR(CheckLabel(item.label, data, role));
  GSG_ASSIGN_OR_RETURN(std::string uri, PngDataUri(item.picture));
  const std::string label = EscapeHtml(data.classes[item.label]);
  const std::string path = EscapeHtml(item.name);
  const std::string file =
      EscapeHtml(item.name.substr(item.name.find_last_of('/') + 1));
  // Without labels the file is all that is known of an image.
  const std::string caption =
      path.empty()     ? label
      : data.clustered ? file
                       : absl::StrCat(label, "<small>", file, "</small>");
  return absl::StrCat("<figure class=\"picture ", style, "\"",
                      path.empty() ? "" : absl::StrCat(" title=\"", path, "\""),
                      "><img src=\"", uri, "\" alt=\"", role, ": ", label,
                      path.empty() ? "" : absl::StrCat(", ", path),
                      "\"><figcaption>", caption, "</figcaption></figure>");
}

absl::StatusOr<std::string> Neighbors(const ReportData& data) {
  if (data.neighbors.empty()) return "";
  std::string rows;
  for (const NeighborRow& row : data.neighbors) {
    GSG_ASSIGN_OR_RETURN(std::string query,
                         Figure(row.query, data, "query",
                                data.clustered ? "Image" : "Test image"));
    absl::StrAppend(&rows, "<div class=\"row\">", query, "<div>");
    for (const LabeledPicture& neighbor : row.neighbors) {
      const bool wrong = !data.clustered && neighbor.label != row.query.label;
      GSG_ASSIGN_OR_RETURN(
          std::string figure,
          Figure(neighbor, data, wrong ? "wrong" : "right",
                 wrong ? "Neighbor of another class" : "Neighbor"));
      rows += figure;
    }
    rows += "</div></div>\n";
  }
  return Section(
      "Nearest neighbors",
      data.clustered
          ? "Images at the left, each with the others whose features are most "
            "alike, nearest first. Good features put the same things side by "
            "side."
          : "Test images at the left, each with the training images whose "
            "features are most alike, nearest first. Framed in red: another "
            "class.",
      rows);
}

absl::StatusOr<std::string> Map(const ReportData& data) {
  if (data.map.empty()) return "";
  for (const MapPoint& point : data.map) {
    GSG_RETURN_IF_ERROR(CheckLabel(point.label, data, "a map point"));
    if (!Measured(point.x) || !Measured(point.y)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a map point is at (", point.x, ", ", point.y, "); not finite"));
    }
  }
  return Section(
      "Map of the features",
      absl::StrCat(FormatNumber(static_cast<double>(data.map.size()), 0),
                   data.clustered ? " images" : " test images",
                   ", laid out by t-SNE so that neighbors in feature space "
                   "stay neighbors. ",
                   data.clustered
                       ? "Color is the cluster: groups that spherical k-means "
                         "finds in the same features."
                       : "Color is the class, which the layout never saw."),
      RenderScatter(data.map, data.classes));
}

}  // namespace

absl::StatusOr<std::string> RenderReport(const ReportData& data) {
  GSG_ASSIGN_OR_RETURN(std::string neighbors, Neighbors(data));
  GSG_ASSIGN_OR_RETURN(std::string map, Map(data));
  const std::string headline = Headline(data);
  return Page(
      data.title,
      absl::StrCat(headline, Words(data, headline.empty()),
                   FactList(data.summary, "facts")),
      absl::StrCat(ScoreTable(data), Curves(data), neighbors, map,
                   data.config.empty()
                       ? ""
                       : Section("Configuration", "Every setting of this run.",
                                 FactList(data.config, "config"))));
}

absl::Status WriteReport(const std::string& path, const ReportData& data) {
  GSG_ASSIGN_OR_RETURN(std::string page, RenderReport(data));
  return WritePage(path, page);
}

}  // namespace gsg
