#ifndef GSG_TESTS_TRAINERS_IMAGE_FILES_H_
#define GSG_TESTS_TRAINERS_IMAGE_FILES_H_

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace gsg {

using Bytes = std::vector<uint8_t>;

// A fresh, empty folder for the running test.
inline std::string TestFolder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) /
      (std::string(test->test_suite_name()) + "." + test->name());
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path.string();
}

inline void Write(const std::string& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(file.good()) << path;
}

// IDX: magic number 0x08 0x0N for N sizes, big-endian sizes, then `data`.
inline Bytes Idx(const std::vector<uint32_t>& sizes, const Bytes& data) {
  Bytes bytes = {0, 0, 8, static_cast<uint8_t>(sizes.size())};
  for (uint32_t size : sizes) {
    for (int shift : {24, 16, 8, 0}) {
      bytes.push_back(static_cast<uint8_t>(size >> shift));
    }
  }
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

// A CIFAR record: the labels, then pixels that all are `pixel` in R, and one
// and two more in G and B.
inline Bytes CifarRecord(const Bytes& labels, uint8_t pixel) {
  Bytes bytes = labels;
  for (int plane = 0; plane < 3; ++plane) {
    bytes.insert(bytes.end(), 32 * 32, static_cast<uint8_t>(pixel + plane));
  }
  return bytes;
}

}  // namespace gsg

#endif  // GSG_TESTS_TRAINERS_IMAGE_FILES_H_
