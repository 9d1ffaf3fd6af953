#include "trainers/report/picture.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/status_macros.h"

// Static: another library in the same binary may bring its own copy.
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include "stb/stb_image_write.h"

namespace gsg {

absl::StatusOr<std::string> EncodePng(const Picture& picture) {
  if (picture.width < 1 || picture.height < 1 ||
      (picture.channels != 1 && picture.channels != 3)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "picture is ", picture.width, " x ", picture.height, " with ",
        picture.channels, " channels; need a positive size and 1 or 3"));
  }
  const int64_t bytes =
      int64_t{picture.width} * picture.height * picture.channels;
  if (static_cast<int64_t>(picture.pixels.size()) != bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "picture has ", picture.pixels.size(), " bytes; ", picture.width, " x ",
        picture.height, " x ", picture.channels, " needs ", bytes));
  }
  std::string png;
  const int written = stbi_write_png_to_func(
      [](void* context, void* data, int size) {
        static_cast<std::string*>(context)->append(
            static_cast<const char*>(data), size);
      },
      &png, picture.width, picture.height, picture.channels,
      picture.pixels.data(), picture.width * picture.channels);
  if (written == 0) {
    return absl::ResourceExhaustedError("no memory to compress a picture");
  }
  return png;
}

absl::StatusOr<std::string> PngDataUri(const Picture& picture) {
  GSG_ASSIGN_OR_RETURN(std::string png, EncodePng(picture));
  return absl::StrCat("data:image/png;base64,", absl::Base64Escape(png));
}

}  // namespace gsg
