#include "trainers/report/html.h"

#include <cmath>

#include "gtest/gtest.h"

namespace gsg {
namespace {

TEST(EscapeHtmlTest, EscapesContentAndAttributes) {
  EXPECT_EQ(EscapeHtml("<a href=\"x\">R&D's</a>"),
            "&lt;a href=&quot;x&quot;&gt;R&amp;D&#39;s&lt;/a&gt;");
  EXPECT_EQ(EscapeHtml("T-shirt/top – ½"), "T-shirt/top – ½");
}

TEST(FormatNumberTest, ReadsAsInPrint) {
  EXPECT_EQ(FormatNumber(-0.91234, 2), "−0.91");
  EXPECT_EQ(FormatNumber(-0.001, 2), "0.00");
  EXPECT_EQ(FormatNumber(999.6, 0), "1,000");
  EXPECT_EQ(FormatNumber(1234567.25, 1), "1,234,567.2");
  EXPECT_EQ(FormatNumber(-123, 0), "−123");
  EXPECT_EQ(FormatNumber(2.5e9, 1), "2.5e+09");
  EXPECT_EQ(FormatNumber(0.0123, -2), "0.012");
  EXPECT_EQ(FormatNumber(1.23e-6, -2), "1.2e−6");
  EXPECT_EQ(FormatNumber(0, -2), "0");
  EXPECT_EQ(FormatNumber(NAN, 1), "–");
  EXPECT_EQ(FormatNumber(-INFINITY, 1), "–");
}

TEST(SvgTest, TenthsWithoutATrailingZero) {
  EXPECT_EQ(Svg(12), "12");
  EXPECT_EQ(Svg(12.34), "12.3");
  EXPECT_EQ(Svg(0), "0");
  EXPECT_EQ(Svg(-3.06), "-3.1");
}

}  // namespace
}  // namespace gsg
