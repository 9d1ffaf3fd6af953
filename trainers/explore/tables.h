// The answers as tables: CSV by RFC 4180, UTF-8 as the names are, one header
// line, a full stop for the decimal point.

#ifndef GSG_TRAINERS_EXPLORE_TABLES_H_
#define GSG_TRAINERS_EXPLORE_TABLES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "trainers/explore/answers.h"

namespace gsg {

// A value, quoted if it has to be.
std::string CsvValue(absl::string_view value);

// file,group,cosine,copy: groups are numbered from 1; the cosine is the one to
// the group's first, whose copy is "first"; others are "exact" (the same
// pixels), "near", "turned" (by 90 degrees or more, or mirrored), or "unknown"
// where no pixels were looked at.
std::string DuplicatesCsv(const Answers& answers);

// rank,file,distance,factor: the most unusual first (outliers.h).
std::string OutliersCsv(const Answers& answers);

// file,cluster,distance,place: clusters are numbered from 1; the distance is
// 1 - cosine to the center; place 1 is the cluster's most typical image.
std::string ClustersCsv(const Answers& answers);

// file,rank,neighbor,cosine: k lines an image, the nearest first.
std::string NeighborsCsv(const Answers& answers);

// file,folder,suggested,own,other,verdict: labels.h's shares; verdict is
// "wrong" or "border".
std::string LabelsCsv(const Answers& answers);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_TABLES_H_
