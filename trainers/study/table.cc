#include "trainers/study/table.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "trainers/base/json.h"
#include "trainers/config/values.h"
#include "trainers/run/epoch_record.h"
#include "trainers/study/metric.h"
#include "trainers/study/statistics.h"
#include "trainers/study/study.h"

namespace gsg {

const char kDifferenceNote[] =
    "Differences are paired by seed; in brackets their 95 % interval, mean ∓ "
    "t(n−1) · s/√n by Student's t. An interval that holds 0 shows no "
    "difference; of many intervals one in twenty misses by chance.";

namespace {

using Cells = std::vector<std::string>;

constexpr absl::string_view kDash = "–";

std::string Signed(double value, int decimals) {
  std::string text = absl::StrFormat("%+.*f", decimals, value);
  if (text.find_first_of("123456789") == text.npos) text[0] = '+';
  return absl::StrReplaceAll(text, {{"-", "−"}});
}

// Columns on a terminal: code points of UTF-8.
size_t Width(absl::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (c & 0xC0) != 0x80; });
}

// Aligned columns, the first to the left and the others to the right.
std::string Aligned(const std::vector<Cells>& rows) {
  std::vector<size_t> widths(rows[0].size(), 0);
  for (const Cells& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], Width(row[c]));
    }
  }
  std::string text;
  for (const Cells& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string blanks(widths[c] - Width(row[c]), ' ');
      absl::StrAppend(&text, c == 0 ? "" : "   ", c == 0 ? row[c] : blanks,
                      c == 0 ? blanks : row[c]);
    }
    text += '\n';
  }
  return text;
}

std::string MarkdownTable(const std::vector<Cells>& rows) {
  std::string text;
  for (size_t r = 0; r < rows.size(); ++r) {
    text += "|";
    for (const std::string& cell : rows[r]) {
      absl::StrAppend(&text, " ", absl::StrReplaceAll(cell, {{"|", "\\|"}}),
                      " |");
    }
    text += "\n";
    if (r > 0) continue;
    text += "|---|";
    for (size_t c = 1; c < rows[r].size(); ++c) text += "---:|";
    text += "\n";
  }
  return text;
}

Cells Headings(const Study& study, absl::string_view first) {
  Cells cells = {std::string(first), "n"};
  for (const Metric* metric : study.metrics) {
    cells.emplace_back(metric->heading);
  }
  return cells;
}

std::vector<Cells> MeanRows(const Study& study, const StudyTable& table) {
  std::vector<Cells> rows = {Headings(study, "")};
  for (size_t arm = 0; arm < table.size(); ++arm) {
    Cells cells = {ArmLabel(study, table, arm),
                   absl::StrCat(table[arm].finished)};
    for (size_t m = 0; m < study.metrics.size(); ++m) {
      cells.push_back(
          SummaryCell(table[arm].summaries[m], study.metrics[m]->decimals));
    }
    rows.push_back(std::move(cells));
  }
  return rows;
}

std::vector<Cells> DifferenceRows(const Study& study, const StudyTable& table) {
  std::vector<Cells> rows = {
      Headings(study, absl::StrCat("minus ", study.arms[study.baseline].name))};
  for (size_t arm = 0; arm < table.size(); ++arm) {
    if (arm == study.baseline) continue;
    int64_t pairs = 0;
    Cells cells = {study.arms[arm].name, ""};
    for (size_t m = 0; m < study.metrics.size(); ++m) {
      const Difference& difference = table[arm].differences[m];
      pairs = std::max(pairs, difference.n);
      cells.push_back(DifferenceCell(difference, study.metrics[m]->decimals));
    }
    cells[1] = absl::StrCat(pairs);
    rows.push_back(std::move(cells));
  }
  return rows;
}

std::string CsvText(absl::string_view text) {
  if (text.find_first_of(",\"\n") == text.npos) return std::string(text);
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

std::string CsvNumber(double value) {
  return std::isfinite(value) ? ValueText(value) : "";
}

// JSON has no NaN: null.
Json JsonNumber(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

}  // namespace

StudyTable Tabulate(const Study& study, const StudyResults& results) {
  StudyTable table(study.arms.size());
  for (size_t arm = 0; arm < table.size(); ++arm) {
    StudyRow& row = table[arm];
    for (const auto& run : results[arm]) {
      if (!run.has_value()) continue;
      ++row.finished;
      if (!run->epochs.empty() &&
          run->epochs.back().feature_std <
              study.arms[arm].config.collapse_threshold) {
        ++row.collapsed;
      }
    }
    for (const Metric* metric : study.metrics) {
      std::vector<double> values;
      for (const auto& run : results[arm]) {
        values.push_back(run.has_value() ? metric->of(*run) : kUnknown);
      }
      row.summaries.push_back(Summarize(values));
      row.values.push_back(std::move(values));
    }
  }
  for (StudyRow& row : table) {
    for (size_t m = 0; m < study.metrics.size(); ++m) {
      row.differences.push_back(
          PairedDifference(row.values[m], table[study.baseline].values[m]));
    }
  }
  return table;
}

std::string SummaryCell(const Summary& summary, int decimals) {
  if (summary.n == 0) return std::string(kDash);
  std::string text = absl::StrReplaceAll(
      absl::StrFormat("%.*f", decimals, summary.mean), {{"-", "−"}});
  if (summary.n > 1) {
    absl::StrAppendFormat(&text, " ± %.*f", decimals, summary.std);
  }
  return text;
}

std::string DifferenceCell(const Difference& difference, int decimals) {
  if (difference.n == 0) return std::string(kDash);
  std::string text = Signed(difference.mean, decimals);
  if (difference.n > 1) {
    absl::StrAppend(&text, " [", Signed(difference.low, decimals), ", ",
                    Signed(difference.high, decimals), "]");
  }
  return text;
}

std::string ArmLabel(const Study& study, const StudyTable& table, size_t arm) {
  const StudyRow& row = table[arm];
  if (row.collapsed == 0) return study.arms[arm].name;
  return absl::StrCat(study.arms[arm].name, " (", row.collapsed, " of ",
                      row.finished, " collapsed)");
}

std::string TableText(const Study& study, const StudyTable& table) {
  std::string text = Aligned(MeanRows(study, table));
  if (table.size() > 1) {
    absl::StrAppend(&text, "\n", Aligned(DifferenceRows(study, table)));
  }
  return text;
}

std::string TableMarkdown(const Study& study, const StudyTable& table) {
  std::string text = MarkdownTable(MeanRows(study, table));
  if (table.size() > 1) {
    absl::StrAppend(&text, "\n", MarkdownTable(DifferenceRows(study, table)),
                    "\n", kDifferenceNote, "\n");
  }
  return text;
}

std::string TableCsv(const Study& study, const StudyTable& table) {
  std::string text = "arm,metric,n,mean,std,difference,difference_n,low,high\n";
  for (size_t arm = 0; arm < table.size(); ++arm) {
    for (size_t m = 0; m < study.metrics.size(); ++m) {
      const Summary& s = table[arm].summaries[m];
      const Difference& d = table[arm].differences[m];
      const Cells cells = {CsvText(study.arms[arm].name),
                           CsvText(study.metrics[m]->name),
                           absl::StrCat(s.n),
                           CsvNumber(s.mean),
                           CsvNumber(s.std),
                           CsvNumber(d.mean),
                           absl::StrCat(d.n),
                           CsvNumber(d.low),
                           CsvNumber(d.high)};
      absl::StrAppend(&text, absl::StrJoin(cells, ","), "\n");
    }
  }
  return text;
}

std::string TableJson(const Study& study, const StudyTable& table) {
  Json json;
  json["title"] = study.title;
  json["seeds"] = study.seeds;
  json["baseline"] = study.arms[study.baseline].name;
  json["arms"] = Json::array();
  for (size_t arm = 0; arm < table.size(); ++arm) {
    const StudyRow& row = table[arm];
    Json entry;
    entry["name"] = study.arms[arm].name;
    entry["finished"] = row.finished;
    entry["collapsed"] = row.collapsed;
    for (size_t m = 0; m < study.metrics.size(); ++m) {
      Json metric;
      metric["values"] = Json::array();
      for (const double value : row.values[m]) {
        metric["values"].push_back(JsonNumber(value));
      }
      metric["mean"] = JsonNumber(row.summaries[m].mean);
      metric["std"] = JsonNumber(row.summaries[m].std);
      metric["difference"] = JsonNumber(row.differences[m].mean);
      metric["low"] = JsonNumber(row.differences[m].low);
      metric["high"] = JsonNumber(row.differences[m].high);
      entry[std::string(study.metrics[m]->name)] = std::move(metric);
    }
    json["arms"].push_back(std::move(entry));
  }
  return absl::StrCat(JsonText(json, 2), "\n");
}

}  // namespace gsg
