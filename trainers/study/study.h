// A study: a question, the ways to train that might answer it (arms), and the
// seeds to train each with. docs/studies.md has the format of its file.

#ifndef GSG_TRAINERS_STUDY_STUDY_H_
#define GSG_TRAINERS_STUDY_STUDY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"
#include "trainers/study/metric.h"

namespace gsg {

using FieldValues = std::vector<std::pair<std::string, std::string>>;

struct Arm {
  std::string name;
  // What the trainer is told by flags, besides seed, threads and folders; the
  // program that is the method not among them.
  FieldValues flags;
  // The part of `flags` that the file says of this arm alone, method included.
  FieldValues differences;
  Config config;  // what the trainer makes of the flags, seed 0
};

struct Study {
  std::string title;
  std::string question;
  std::vector<Arm> arms;  // at least one; names and configs differ
  size_t baseline = 0;    // the arm that others are compared with
  std::vector<int64_t> seeds;
  std::vector<const Metric*> metrics;
};

// What the command line puts in place of the file's.
struct StudyOverrides {
  std::string recipe;          // empty: the file's
  FieldValues values;          // for all arms
  std::vector<int64_t> seeds;  // empty: the file's
};

// Parses the JSON of a study file and resolves every arm as the trainer will.
// Errors: kInvalidArgument naming the place ("arms[2] (max)"), the key or
// field, the value and what is allowed: a key or field that does not exist, a
// value of the wrong type or out of range, a field without effect in that arm,
// two arms of one name or one configuration.
absl::StatusOr<Study> ParseStudy(absl::string_view text,
                                 const StudyOverrides& overrides = {});

// Whole numbers, 0 or more, each once: "0,1,2". Errors: kInvalidArgument.
absl::StatusOr<std::vector<int64_t>> ParseSeeds(absl::string_view text);

// "field=value,field=value". Errors: kInvalidArgument.
absl::StatusOr<FieldValues> ParseFieldValues(absl::string_view text);

}  // namespace gsg

#endif  // GSG_TRAINERS_STUDY_STUDY_H_
