#ifndef GSG_TRAINERS_PROGRAMS_NPY_WRITER_H_
#define GSG_TRAINERS_PROGRAMS_NPY_WRITER_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gsg {

// Writes an array row by row in NumPy's .npy format, version 1.0 (NEP 1), for
// np.load, also with mmap_mode. How many rows there are need not be known
// beforehand, and none are kept in memory.
//
// The file is written beside `path` and renamed by Finish(); without Finish()
// nothing remains of it.
class NpyWriter {
 public:
  enum class Type { kFloat32, kInt64 };

  // An array of shape [rows, columns], or [rows] if `columns` is 0.
  // Errors: the file system's, naming the file.
  static absl::StatusOr<std::unique_ptr<NpyWriter>> Create(
      const std::string& path, Type type, int64_t columns);
  ~NpyWriter();

  NpyWriter(const NpyWriter&) = delete;
  NpyWriter& operator=(const NpyWriter&) = delete;

  // Appends whole rows, of the type that Create was told.
  // Errors: the file system's (the disk is full, ...), naming the file.
  absl::Status Append(absl::Span<const float> values);
  absl::Status Append(absl::Span<const int64_t> values);

  absl::Status Finish();

  int64_t rows() const { return rows_; }

 private:
  NpyWriter(std::string path, Type type, int64_t columns, std::FILE* file);

  absl::Status Write(const void* bytes, size_t size);
  absl::Status AppendRows(Type type, const void* values, size_t count,
                          size_t value_size);
  std::string Header() const;

  const std::string path_;
  const std::string partial_;
  const Type type_;
  const int64_t columns_;
  std::FILE* file_;
  int64_t rows_ = 0;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_NPY_WRITER_H_
