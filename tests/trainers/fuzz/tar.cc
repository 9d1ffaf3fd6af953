// A tar archive's headers. Their checksums are put right first: otherwise
// hardly any change of a byte would get behind them.

#include "trainers/image/tar.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "tests/trainers/fuzz/check.h"
#include "tests/trainers/fuzz/temporary_file.h"

namespace {

// Of every block: a content's checksum does no harm.
void PutChecksumsRight(std::vector<uint8_t>* bytes) {
  for (size_t at = 0; at + 512 <= bytes->size(); at += 512) {
    uint8_t* block = bytes->data() + at;
    int sum = 0, others = 0;
    for (int i = 0; i < 512; ++i) {
      const bool own = i >= 148 && i < 156;
      sum += own ? ' ' : block[i];
      others += own ? 0 : block[i];
    }
    if (others == 0) continue;
    const std::string text = absl::StrFormat("%06o", sum);
    for (size_t i = 0; i < 6; ++i) block[148 + i] = text[i];
    block[154] = 0;
    block[155] = ' ';
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::vector<uint8_t> bytes(data + 1, data + size);
  if (data[0] % 2 == 0) PutChecksumsRight(&bytes);
  const gsg::TemporaryFile file(bytes.data(), bytes.size());
  const absl::StatusOr<gsg::Tar> tar = gsg::ListTar(file.path());
  if (!tar.ok()) return 0;
  const auto all = static_cast<int64_t>(bytes.size());
  for (const gsg::TarMember& member : tar->members) {
    GSG_FUZZ_CHECK(member.begin >= 512 && member.size >= 0);
    GSG_FUZZ_CHECK(member.size <= all && member.begin <= all - member.size);
    GSG_FUZZ_CHECK(member.text.size() <= 32);
    const std::string path = "/" + member.name + "/";
    GSG_FUZZ_CHECK(path.find("/../") == path.npos);
  }
  return 0;
}
