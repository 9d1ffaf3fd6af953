// Numbers as files have them.

#ifndef GSG_TESTS_TRAINERS_RUN_LITTLE_ENDIAN_H_
#define GSG_TESTS_TRAINERS_RUN_LITTLE_ENDIAN_H_

#include <cstdint>
#include <string>

namespace gsg {

// The lowest `bytes` bytes, or zeros where there are no more.
inline std::string LittleEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    text.push_back(static_cast<char>(value & 0xff));
    value >>= 8;
  }
  return text;
}

}  // namespace gsg

#endif  // GSG_TESTS_TRAINERS_RUN_LITTLE_ENDIAN_H_
