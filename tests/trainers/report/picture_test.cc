#include "trainers/report/picture.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#include "stb/stb_image.h"

namespace gsg {
namespace {

Picture Decode(const std::string& png) {
  Picture picture;
  uint8_t* pixels =
      stbi_load_from_memory(reinterpret_cast<const uint8_t*>(png.data()),
                            static_cast<int>(png.size()), &picture.width,
                            &picture.height, &picture.channels, 0);
  if (pixels == nullptr) {
    ADD_FAILURE() << "not a PNG: " << stbi_failure_reason();
    return picture;
  }
  picture.pixels.assign(
      pixels, pixels + picture.width * picture.height * picture.channels);
  stbi_image_free(pixels);
  return picture;
}

void ExpectRoundTrip(const Picture& picture) {
  const Picture decoded = Decode(*EncodePng(picture));
  EXPECT_EQ(decoded.width, picture.width);
  EXPECT_EQ(decoded.height, picture.height);
  EXPECT_EQ(decoded.channels, picture.channels);
  EXPECT_EQ(decoded.pixels, picture.pixels);
}

TEST(EncodePngTest, DecodesToTheSamePixels) {
  ExpectRoundTrip({3, 2, 1, {0, 1, 2, 253, 254, 255}});
  ExpectRoundTrip({1, 2, 3, {255, 0, 0, 0, 128, 255}});
  Picture photo = {32, 17, 3, {}};
  for (int i = 0; i < 32 * 17 * 3; ++i) {
    photo.pixels.push_back(static_cast<uint8_t>(i * i % 251));
  }
  ExpectRoundTrip(photo);
}

TEST(PngDataUriTest, HoldsThePng) {
  const Picture picture = {2, 1, 1, {7, 9}};
  const std::string uri = *PngDataUri(picture);
  absl::string_view rest = uri;
  ASSERT_TRUE(absl::ConsumePrefix(&rest, "data:image/png;base64,"));
  std::string png;
  ASSERT_TRUE(absl::Base64Unescape(rest, &png));
  EXPECT_EQ(Decode(png).pixels, picture.pixels);
}

TEST(EncodePngTest, NamesWhatIsWrong) {
  const absl::Status size = EncodePng({0, 2, 1, {}}).status();
  EXPECT_EQ(size.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(size.message(),
            "picture is 0 x 2 with 1 channels; need a positive size and 1 or "
            "3");
  EXPECT_EQ(EncodePng({1, 1, 2, {0, 0}}).status().message(),
            "picture is 1 x 1 with 2 channels; need a positive size and 1 or "
            "3");
  EXPECT_EQ(EncodePng({2, 2, 3, {1, 2}}).status().message(),
            "picture has 2 bytes; 2 x 2 x 3 needs 12");
}

}  // namespace
}  // namespace gsg
