#ifndef GSG_TRAINERS_PROGRAMS_NPY_READER_H_
#define GSG_TRAINERS_PROGRAMS_NPY_READER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace gsg {

struct NpyRows {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<float> values;  // [rows, columns]
};

// Reads an array of float32 values in rows from a file in NumPy's .npy format,
// versions 1 to 3 (NEP 1): what `embed` writes, or np.save of a C-ordered
// array.
// Errors: the file system's; kInvalidArgument for another type (names the one
// it is, and how to convert it), order or number of dimensions, or an array
// without rows or columns; kDataLoss if the file is no .npy file, or has fewer
// or more values than its header says. All name the file.
absl::StatusOr<NpyRows> ReadNpy(const std::string& path);

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_NPY_READER_H_
