// Stands in for libFuzzer where there is none: runs the function under test on
// each file of the command line, and on what comes of it by cutting it off and
// by changing single bytes, the same every time.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

// At most so many places of an input are cut at, and so many changed.
constexpr size_t kPlaces = 200;

// In memory of exactly its size, so that a sanitizer sees a read behind it.
void Run(const std::string& input) {
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[input.size()]);
  input.copy(reinterpret_cast<char*>(copy.get()), input.size());
  LLVMFuzzerTestOneInput(copy.get(), input.size());
}

// Files named .hex hold hexadecimal digits, and comments behind #.
std::string Seed(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  if (!absl::EndsWith(path, ".hex")) return bytes;
  std::string digits;
  for (absl::string_view line : absl::StrSplit(bytes, '\n')) {
    for (const char c : line.substr(0, line.find('#'))) {
      if (!absl::ascii_isspace(c)) digits.push_back(c);
    }
  }
  std::string decoded;
  return absl::HexStringToBytes(digits, &decoded) ? decoded : "";
}

}  // namespace

int main(int argc, char** argv) {
  int64_t inputs = 1;
  Run("");
  for (int i = 1; i < argc; ++i) {
    const std::string seed = Seed(argv[i]);
    if (seed.empty()) {
      std::fprintf(stderr, "%s is missing, empty or not hexadecimal\n",
                   argv[i]);
      return 1;
    }
    Run(seed);
    ++inputs;
    const size_t step = seed.size() / kPlaces + 1;
    for (size_t at = 0; at < seed.size(); at += step) {
      Run(seed.substr(0, at));
      inputs += 3;
      for (const char change : {'\xff', '\x01'}) {
        std::string changed = seed;
        changed[at] ^= change;
        Run(changed);
      }
    }
  }
  std::printf("%lld inputs\n", static_cast<long long>(inputs));
  return argc > 1 ? 0 : 1;
}
