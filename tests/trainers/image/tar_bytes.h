// Tar archives for tests.

#ifndef GSG_TESTS_TRAINERS_IMAGE_TAR_BYTES_H_
#define GSG_TESTS_TRAINERS_IMAGE_TAR_BYTES_H_

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace gsg {

// A member's header and content, filled up to blocks. magic: ustar's, GNU's or
// that of neither.
inline std::string TarFile(absl::string_view name, absl::string_view content,
                           char type = '0',
                           absl::string_view magic = {"ustar\00000", 8}) {
  std::string header(512, '\0');
  const auto put = [&](size_t at, absl::string_view text) {
    header.replace(at, text.size(), text.data(), text.size());
  };
  put(0, name);
  put(100, "0000644");
  put(124, absl::StrFormat("%011o", content.size()));
  put(136, "00000000000");
  put(148, "        ");
  header[156] = type;
  put(257, magic);
  int sum = 0;
  for (const char c : header) sum += static_cast<uint8_t>(c);
  put(148, absl::StrFormat("%06o", sum));
  header[154] = '\0';
  const std::string fill((512 - content.size() % 512) % 512, '\0');
  return absl::StrCat(header, content, fill);
}

// A record of an extended header.
inline std::string PaxRecord(absl::string_view key, absl::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (rest + absl::StrCat(length).size() != length) ++length;
  return absl::StrCat(length, " ", key, "=", value, "\n");
}

inline std::string TarEnd() { return std::string(1024, '\0'); }

inline std::vector<uint8_t> ToBytes(const std::string& text) {
  return {text.begin(), text.end()};
}

}  // namespace gsg

#endif  // GSG_TESTS_TRAINERS_IMAGE_TAR_BYTES_H_
