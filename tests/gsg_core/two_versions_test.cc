// Two plugins with two versions of gsg_core in one process, with all symbols
// that they export visible to each other (RTLD_GLOBAL): each calls its own. The
// second version is a copy with one selection more and another minor version.
#include <dlfcn.h>

#include <string>

#include "gsg_core/version.h"
#include "gtest/gtest.h"
#include "tests/gsg_core/plugin.h"

#ifdef __SANITIZE_ADDRESS__
// Each plugin has an Abseil of its own beside the test's, of one version: the
// sanitizer would end the test for that, which is not what it is about.
extern "C" const char* __asan_default_options() {
  return "detect_odr_violation=0";
}
#endif

namespace {

PluginAnswer AnswerOf(const std::string& name) {
  const std::string path = "tests/gsg_core/" + name;
  void* plugin = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (plugin == nullptr) {
    ADD_FAILURE() << dlerror();
    return {};
  }
  const auto answer =
      reinterpret_cast<decltype(&GsgPlugin)>(dlsym(plugin, "GsgPlugin"));
  return answer();
}

TEST(TwoVersionsTest, EachPluginCallsItsOwn) {
  const PluginAnswer first = AnswerOf("plugin.so");
  const PluginAnswer second = AnswerOf("plugin_second.so");
  const PluginAnswer again = AnswerOf("plugin.so");
  ASSERT_NE(first.version, nullptr);
  ASSERT_NE(second.version, nullptr);

  EXPECT_STREQ(first.version, GSG_VERSION_STRING);
  EXPECT_STRNE(second.version, first.version);
  EXPECT_FALSE(first.knows_second);
  EXPECT_TRUE(second.knows_second);
  EXPECT_EQ(second.selections, first.selections + 1);
  EXPECT_EQ(again.selections, first.selections);
  EXPECT_LT(first.loss, 0);
  EXPECT_EQ(second.loss, first.loss);
  EXPECT_EQ(again.loss, first.loss);
}

}  // namespace
