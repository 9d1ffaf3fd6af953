#include "trainers/programs/npy_writer.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/config.h"
#include "absl/log/check.h"
#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"

namespace gsg {
namespace {

#ifndef ABSL_IS_LITTLE_ENDIAN
#error "the header says that values are little-endian"
#endif

// The format wants a multiple of 64, and room here for the largest shape, so
// that the header can be written again when the number of rows is known.
constexpr size_t kHeaderSize = 128;
constexpr absl::string_view kMagic("\x93NUMPY\x01\x00", 8);

}  // namespace

absl::StatusOr<std::unique_ptr<NpyWriter>> NpyWriter::Create(
    const std::string& path, Type type, int64_t columns) {
  const std::string partial = absl::StrCat(path, ".partial");
  std::FILE* const file = std::fopen(partial.c_str(), "wb");
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
  }
  auto writer = absl::WrapUnique(new NpyWriter(path, type, columns, file));
  const std::string header = writer->Header();
  GSG_RETURN_IF_ERROR(writer->Write(header.data(), header.size()));
  return writer;
}

NpyWriter::NpyWriter(std::string path, Type type, int64_t columns,
                     std::FILE* file)
    : path_(std::move(path)),
      partial_(absl::StrCat(path_, ".partial")),
      type_(type),
      columns_(columns),
      file_(file) {}

NpyWriter::~NpyWriter() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::remove(partial_.c_str());
}

std::string NpyWriter::Header() const {
  std::string header =
      absl::StrCat("{'descr': '", type_ == Type::kFloat32 ? "<f4" : "<i8",
                   "', 'fortran_order': False, 'shape': (", rows_, ",");
  if (columns_ > 0) absl::StrAppend(&header, " ", columns_);
  absl::StrAppend(&header, "), }");
  const size_t length = kHeaderSize - kMagic.size() - 2;
  CHECK_LT(header.size(), length);
  header.resize(length - 1, ' ');
  header.push_back('\n');
  // Two bytes of length, the low one first.
  return absl::StrCat(kMagic, std::string(1, static_cast<char>(length)),
                      std::string(1, '\0'), header);
}

absl::Status NpyWriter::Write(const void* bytes, size_t size) {
  if (std::fwrite(bytes, 1, size, file_) == size) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
}

absl::Status NpyWriter::AppendRows(Type type, const void* values, size_t count,
                                   size_t value_size) {
  const size_t width = columns_ > 0 ? columns_ : 1;
  CHECK(type == type_ && count % width == 0)
      << count << " values for rows of " << width;
  rows_ += static_cast<int64_t>(count / width);
  return Write(values, count * value_size);
}

absl::Status NpyWriter::Append(absl::Span<const float> values) {
  return AppendRows(Type::kFloat32, values.data(), values.size(),
                    sizeof(float));
}

absl::Status NpyWriter::Append(absl::Span<const int64_t> values) {
  return AppendRows(Type::kInt64, values.data(), values.size(),
                    sizeof(int64_t));
}

absl::Status NpyWriter::Finish() {
  std::rewind(file_);
  const std::string header = Header();
  GSG_RETURN_IF_ERROR(Write(header.data(), header.size()));
  if (std::fflush(file_) != 0 || fsync(fileno(file_)) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
  }
  std::fclose(std::exchange(file_, nullptr));
  if (std::rename(partial_.c_str(), path_.c_str()) != 0) {
    const absl::Status status =
        absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
    std::remove(partial_.c_str());
    return status;
  }
  return absl::OkStatus();
}

}  // namespace gsg
