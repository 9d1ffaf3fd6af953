// decode_image CHANNELS FILE...: for each file a line "HEIGHT WIDTH BITS" and
// the planes that our decoder makes of it, or a line "error: ...".

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/status/statusor.h"
#include "trainers/image/codec/image_file.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

absl::StatusOr<Image> Decode(const std::vector<uint8_t>& file,
                             ImageFileDecoder* decoder) {
  const absl::StatusOr<ImageSize> size = decoder->Open(file);
  if (!size.ok()) return size.status();
  return decoder->Decode(/*reduction=*/1);
}

void Print(const char* path, int channels) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<uint8_t> file((std::istreambuf_iterator<char>(in)),
                                  std::istreambuf_iterator<char>());
  ImageFileDecoder decoder(channels);
  const absl::StatusOr<Image> image = Decode(file, &decoder);
  if (!image.ok()) {
    std::printf("error: %s\n", std::string(image.status().message()).c_str());
    return;
  }
  const bool wide = image->chw16 != nullptr;
  std::printf("%d %d %d\n", image->height, image->width, wide ? 16 : 8);
  const size_t values = size_t{1} * channels * image->height * image->width;
  if (wide) {
    std::fwrite(image->chw16, 2, values, stdout);
  } else {
    std::fwrite(image->chw, 1, values, stdout);
  }
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  for (int i = 2; i < argc; ++i) gsg::Print(argv[i], std::atoi(argv[1]));
  return 0;
}
