#include "trainers/image/unicode_form.h"

#include <string>

#include "gtest/gtest.h"

namespace gsg {
namespace {

// From Python's unicodedata.normalize("NFD", ...).
TEST(UnicodeFormTest, TakesCharactersApart) {
  EXPECT_EQ(Decomposed("plain name_1"), "plain name_1");
  EXPECT_EQ(Decomposed("caf\u00e9"), "cafe\u0301");
  EXPECT_EQ(Decomposed("cafe\u0301"), "cafe\u0301");
  EXPECT_EQ(Decomposed("\u1ec7"), "e\u0323\u0302");       // Vietnamese
  EXPECT_EQ(Decomposed("\ud55c"), "\u1112\u1161\u11ab");  // Hangul
  EXPECT_EQ(Decomposed("\uac00"), "\u1100\u1161");
  EXPECT_EQ(Decomposed("\u304c"), "\u304b\u3099");  // Hiragana
  EXPECT_EQ(Decomposed("\u0439"), "\u0438\u0306");  // Cyrillic
  EXPECT_EQ(Decomposed("\u212b"), "A\u030a");       // Angstrom
  EXPECT_EQ(Decomposed("\u732b \U0001F408"), "\u732b \U0001F408");
}

TEST(UnicodeFormTest, LeavesOtherBytesAlone) {
  for (const std::string bytes : {"caf\xe9", "\xc3", "\xe1\xba", "\xff\xfe"}) {
    EXPECT_EQ(Decomposed(bytes), bytes);
  }
}

}  // namespace
}  // namespace gsg
