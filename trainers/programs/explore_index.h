// What explore leaves for search: index.json in its output folder.

#ifndef GSG_TRAINERS_PROGRAMS_EXPLORE_INDEX_H_
#define GSG_TRAINERS_PROGRAMS_EXPLORE_INDEX_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gsg {

inline constexpr char kIndexFile[] = "index.json";
// The features that explore computed, below its output folder.
inline constexpr char kIndexFeatures[] = "features.npy";

// Where the features of an index are from. Paths are absolute.
struct IndexInfo {
  std::string checkpoint;  // of the network; empty: features were given
  uint32_t checksum = 0;   // of that file, by ChecksumOf
  bool released = false;   // it is others' weights, not a run's checkpoint
  int64_t image_size = 0;  // that the network was shown
  std::string features;    // the file that was given, or empty
  std::string images;      // the folder or archives, or empty
  bool center = true;      // the mean of the features was subtracted
};

// CRC-32C of a file, by which a checkpoint that training has replaced is told
// from the one of the index, and a copy is not. Errors: ReadFile's.
absl::StatusOr<uint32_t> ChecksumOf(const std::string& path);

// Errors: kFailedPrecondition, saying what to do, if the network's file is
// another now; ReadFile's.
absl::Status CheckSameNetwork(const IndexInfo& info);

// Errors: the file system's.
absl::Status WriteIndexInfo(const std::string& folder, const IndexInfo& info);

// Errors: kNotFound if `folder` is not what explore wrote; kDataLoss if its
// index.json is not.
absl::StatusOr<IndexInfo> ReadIndexInfo(const std::string& folder);

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_EXPLORE_INDEX_H_
