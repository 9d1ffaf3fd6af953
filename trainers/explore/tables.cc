#include "trainers/explore/tables.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "trainers/explore/answers.h"

namespace gsg {
namespace {

absl::string_view CopyName(Copy copy) {
  switch (copy) {
    case Copy::kFirst:
      return "first";
    case Copy::kExact:
      return "exact";
    case Copy::kNear:
      return "near";
    case Copy::kTurned:
      return "turned";
    case Copy::kUnknown:
      return "unknown";
  }
  return "";
}

}  // namespace

std::string CsvValue(absl::string_view value) {
  if (value.find_first_of(",\"\r\n") == absl::string_view::npos) {
    return std::string(value);
  }
  return absl::StrCat("\"", absl::StrReplaceAll(value, {{"\"", "\"\""}}), "\"");
}

std::string DuplicatesCsv(const Answers& answers) {
  std::string csv = "file,group,cosine,copy\n";
  for (size_t g = 0; g < answers.duplicates.size(); ++g) {
    const std::vector<DuplicateGroup::Member>& members =
        answers.duplicates[g].members;
    for (size_t m = 0; m < members.size(); ++m) {
      absl::StrAppendFormat(&csv, "%s,%d,%.6f,%s\n",
                            CsvValue(answers.names[members[m].index]), g + 1,
                            members[m].cosine, CopyName(answers.copies[g][m]));
    }
  }
  return csv;
}

std::string OutliersCsv(const Answers& answers) {
  std::string csv = "rank,file,distance,factor\n";
  int64_t rank = 0;
  for (const int32_t i : answers.outliers.order) {
    absl::StrAppendFormat(
        &csv, "%d,%s,%.6f,%.4f\n", ++rank, CsvValue(answers.names[i]),
        answers.outliers.distance[i], answers.outliers.factor[i]);
  }
  return csv;
}

std::string ClustersCsv(const Answers& answers) {
  std::string csv = "file,cluster,distance,place\n";
  std::vector<int64_t> place(answers.names.size());
  for (const std::vector<int32_t>& members : answers.clusters.Members()) {
    int64_t next = 0;
    for (const int32_t i : members) place[i] = ++next;
  }
  for (size_t i = 0; i < answers.names.size(); ++i) {
    absl::StrAppendFormat(&csv, "%s,%d,%.6f,%d\n", CsvValue(answers.names[i]),
                          answers.clusters.cluster[i] + 1,
                          answers.clusters.distance[i], place[i]);
  }
  return csv;
}

std::string NeighborsCsv(const Answers& answers) {
  std::string csv = "file,rank,neighbor,cosine\n";
  for (int64_t i = 0; i < answers.neighbors.n; ++i) {
    const std::string name = CsvValue(answers.names[i]);
    for (int64_t k = 0; k < answers.neighbors.k; ++k) {
      absl::StrAppendFormat(&csv, "%s,%d,%s,%.6f\n", name, k + 1,
                            CsvValue(answers.names[answers.neighbors.of(i)[k]]),
                            answers.neighbors.cosines_of(i)[k]);
    }
  }
  return csv;
}

std::string LabelsCsv(const Answers& answers) {
  std::string csv = "file,folder,suggested,own,other,verdict\n";
  const auto add = [&](const std::vector<LabelVote>& votes,
                       absl::string_view verdict) {
    for (const LabelVote& vote : votes) {
      absl::StrAppendFormat(&csv, "%s,%s,%s,%.4f,%.4f,%s\n",
                            CsvValue(answers.names[vote.index]),
                            CsvValue(answers.folders.names[vote.label]),
                            CsvValue(answers.folders.names[vote.suggested]),
                            vote.own, vote.other, verdict);
    }
  };
  add(answers.labels.wrong, "wrong");
  add(answers.labels.border, "border");
  return csv;
}

}  // namespace gsg
