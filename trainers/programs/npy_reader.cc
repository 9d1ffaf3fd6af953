#include "trainers/programs/npy_reader.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace gsg {
namespace {

#ifndef ABSL_IS_LITTLE_ENDIAN
#error "values of the file are taken as they are"
#endif

constexpr absl::string_view kMagic("\x93NUMPY", 6);
// NumPy itself reads no more without being told to.
constexpr size_t kMaxHeader = 10000;

// What stands behind 'key': in the header, a Python dict.
std::string Find(const std::string& header, const std::string& key,
                 const char* value) {
  std::smatch match;
  const std::regex pattern("'" + key + "'\\s*:\\s*" + value);
  return std::regex_search(header, match, pattern) ? match[1].str() : "";
}

}  // namespace

absl::StatusOr<NpyRows> ReadNpy(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(path.c_str(), "rb"), &std::fclose);
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  }
  struct stat info;
  if (fstat(fileno(file.get()), &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is not a file of features (.npy)"));
  }
  const auto damaged = [&](absl::string_view what) {
    return absl::DataLossError(absl::StrCat(path, ": ", what));
  };
  unsigned char start[12] = {};
  const size_t begin = std::fread(start, 1, 10, file.get());
  if (begin < 10 ||
      absl::string_view(reinterpret_cast<char*>(start), 6) != kMagic) {
    return damaged("not a .npy file");
  }
  const int version = start[6];
  if (version < 1 || version > 3) {
    return damaged(absl::StrCat("version ", version, " of the .npy format; 1 ",
                                "to 3 are known"));
  }
  size_t length = start[8] + 256 * start[9];
  if (version > 1) {
    if (std::fread(start + 10, 1, 2, file.get()) != 2) {
      return damaged("cut off in its header");
    }
    length += (size_t{start[10]} << 16) + (size_t{start[11]} << 24);
  }
  if (length > kMaxHeader) return damaged("its header is absurdly long");
  std::string header(length, '\0');
  if (std::fread(header.data(), 1, length, file.get()) != length) {
    return damaged("cut off in its header");
  }

  const std::string type = Find(header, "descr", "'([^']*)'");
  const std::string order = Find(header, "fortran_order", "(True|False)");
  const std::string shape = Find(header, "shape", "\\(([^)]*)\\)");
  if (type != "<f4") {
    return absl::InvalidArgumentError(absl::StrCat(
        path, " holds values of type '", type,
        "'; features are float32 ('<f4'): in Python, np.save(file, "
        "array.astype(np.float32))"));
  }
  if (order != "False") {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     " has its values in columns (fortran_order); in Python, "
                     "np.save(file, np.ascontiguousarray(array))"));
  }
  const std::vector<std::string> sizes = absl::StrSplit(shape, ',');
  NpyRows result;
  if (sizes.size() != 2 || !absl::SimpleAtoi(sizes[0], &result.rows) ||
      !absl::SimpleAtoi(sizes[1], &result.columns)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has the shape (", shape,
                     "); features are a row for each image, (N, d)"));
  }
  if (result.rows < 1 || result.columns < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has the shape (", shape, "): it is empty"));
  }
  const int64_t bytes = info.st_size - std::ftell(file.get());
  if (result.rows > bytes / 4 / result.columns ||
      result.rows * result.columns * 4 != bytes) {
    return damaged(absl::StrCat("has ", bytes, " bytes of values; the shape (",
                                shape, ") takes another number"));
  }
  result.values.resize(result.rows * result.columns);
  if (std::fread(result.values.data(), 4, result.values.size(), file.get()) !=
      result.values.size()) {
    return damaged("cut off");
  }
  return result;
}

}  // namespace gsg
