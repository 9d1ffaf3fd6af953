"""explore's page in a real browser: it is clicked, and what appears is read."""

import csv
import os
import tempfile
import unittest

from tests.trainers import training_run as tr
from tests.trainers.explore import browser
from tests.trainers.explore import explore_data
from tests.trainers.programs import program_run as pr

TABS = ("map", "duplicates", "outliers", "clusters", "labels", "find")


@unittest.skipUnless(browser.find(), browser.MISSING)
class BrowserTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.planted = explore_data.Planted()
        cls.output = tr.new_folder()
        pr.succeed("explore", "--features=" + cls.planted.features,
                   "--images=" + cls.planted.images, "--output=" + cls.output,
                   "--threads=1", "--clusters=3", "--duplicates=0.999")

    def open(self, **how):
        page = browser.Browser(
            browser.find(),
            tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"]), **how)
        self.addCleanup(page.close)
        page.open(os.path.join(self.output, "index.html"))
        return page

    def table(self, name):
        with open(os.path.join(self.output, name), newline="") as f:
            return list(csv.DictReader(f))

    def go(self, page, tab):
        page.click("#tab-" + tab)
        page.wait("!document.getElementById('view-%s').hidden" % tab)

    def fine(self, page):
        self.assertEqual(page.errors(), [])
        for url in page.requests():
            self.assertRegex(url, "^(file|data):")

    def test_the_map_shows_all_images_and_zooms(self):
        page = self.open()
        page.wait("canvas.dataset.visible == %d" % len(self.planted.names))
        self.assertIn("125 images in 3 clusters.", page.text("#summary"))
        self.assertEqual(page.count("#legend button"), 3)
        page.wait("canvas.dataset.pictures > 3")
        for _ in range(8):
            page.click("#zoom-in")
        page.wait("canvas.dataset.visible < 125")
        page.click("#zoom-fit")
        page.wait("canvas.dataset.visible == 125")
        page.click("#legend button", 1)
        page.wait("canvas.dataset.visible < 60")
        self.fine(page)

    def test_the_galleries_show_what_the_tables_say(self):
        page = self.open()
        self.go(page, "duplicates")
        groups = {row["group"] for row in self.table("duplicates.csv")}
        self.assertEqual(page.count("#view-duplicates .groups article"),
                         len(groups))
        self.assertIn("same pixels", page.text("#view-duplicates .groups"))
        self.go(page, "outliers")
        first = [page.run("document.querySelectorAll('#view-outliers .item')"
                          "[%d].title" % i) for i in range(3)]
        self.assertEqual(first, [row["file"] for row in
                                 self.table("outliers.csv")[:3]])
        self.assertEqual(set(first), set(self.planted.foreign))
        self.go(page, "clusters")
        self.assertEqual(page.count("#view-clusters article"), 3)
        typical = [row for row in self.table("clusters.csv")
                   if row["cluster"] == "1" and row["place"] == "1"]
        self.assertEqual(page.run(
            "document.querySelector('#view-clusters .item').title"),
            typical[0]["file"])
        shown = page.count("#view-clusters article:first-of-type .item")
        self.assertEqual(shown, 12)
        page.click("#view-clusters .more")
        self.assertEqual(
            page.count("#view-clusters article:first-of-type .item"), 24)
        self.go(page, "labels")
        wrong = page.run("Array.from(document.querySelectorAll("
                         "'#view-labels .item'),"
                         " e => e.title)")
        # Foreign images may look like any class.
        wrong = [name for name in wrong if name not in self.planted.foreign]
        self.assertEqual(set(wrong[:explore_data.WRONG]),
                         set(self.planted.wrong))
        self.fine(page)

    def test_thumbnails_are_those_of_the_sheets(self):
        page = self.open()
        self.go(page, "outliers")
        page.wait("document.querySelector('#view-outliers .thumb').style"
                  ".backgroundImage.includes('sheets/')")
        size = page.run("""new Promise((done) => {
          const image = new Image();
          image.onload = () => done(image.naturalWidth);
          image.src = document.querySelector("#view-outliers .thumb").style
            .backgroundImage.slice(5, -2);
        })""")
        self.assertEqual(size, 16 * 96)
        self.fine(page)

    def test_a_click_shows_the_neighbors_of_an_image(self):
        page = self.open()
        self.go(page, "labels")
        page.click("#view-labels .item")
        page.wait("detail.open")
        name = page.text("#detail-name")
        self.assertIn(name, self.planted.wrong)
        shown = page.run("Array.from(document.querySelectorAll("
                         "'#detail-neighbors .item'), e => e.title)")
        self.assertEqual(shown, [row["neighbor"] for row in
                                 self.table("neighbors.csv")
                                 if row["file"] == name])
        self.assertIn(self.planted.wrong[name], page.text("#detail-facts"))
        # The image itself, not its thumbnail.
        page.wait("document.querySelector('#detail-picture img').naturalWidth"
                  " >= 40")
        page.click("#detail-neighbors .item")
        page.wait("document.getElementById('detail-name').textContent == %r" %
                  shown[0])
        page.run("history.back()")
        page.wait("document.getElementById('detail-name').textContent == %r" %
                  name)
        page.key("ArrowRight")
        page.wait("document.getElementById('detail-name').textContent != %r" %
                  name)
        page.key("Escape")
        page.wait("!detail.open && location.hash == '#labels'")
        self.fine(page)

    def test_by_keyboard_alone(self):
        page = self.open()
        page.wait("canvas.dataset.visible == 125")
        page.key("Tab")
        self.assertEqual(page.run("document.activeElement.className"), "skip")
        page.key("Tab")
        self.assertEqual(page.run("document.activeElement.id"), "tab-map")
        for tab in TABS[1:] + TABS[:1]:
            page.key("ArrowRight")
            page.wait("document.activeElement.id == 'tab-%s'" % tab)
            page.wait("!document.getElementById('view-%s').hidden" % tab)
        for _ in range(10):
            page.key("Tab")
            if page.run("document.activeElement.id") == "canvas":
                break
        page.key("ArrowRight")
        first = page.text("#hint")
        self.assertIn(first, self.planted.names)
        page.key("ArrowRight")
        page.wait("hint.textContent && hint.textContent != %r" % first)
        name = page.text("#hint")
        page.key("Enter", "\r")
        page.wait("detail.open")
        self.assertEqual(page.text("#detail-name"), name)
        page.key("Escape")
        page.wait("!detail.open && document.activeElement.id == 'canvas'")
        self.fine(page)

    def test_another_threshold_can_be_tried(self):
        page = self.open()
        self.go(page, "duplicates")
        before = page.text(".histogram label")
        page.run("""(() => { const s = document.getElementById("threshold");
          s.value = 30; s.dispatchEvent(new Event("input")); })()""")
        self.assertNotEqual(page.text(".histogram label"), before)
        self.assertIn("--duplicates=0.4988", page.text(".histogram label"))
        self.assertGreater(page.count("#pairs > div"), 3)
        self.fine(page)

    def test_find_by_name(self):
        page = self.open()
        self.go(page, "find")
        page.click("#find-name")
        for letter in "-copy":
            page.key(letter, letter)
        page.wait("document.querySelectorAll('#view-find .item').length == 5")
        self.assertIn("5 images", page.text("#view-find [role=status]"))
        self.fine(page)

    def test_an_address_of_an_image_opens_it(self):
        page = self.open()
        page.open(os.path.join(self.output, "index.html") + "#image-7")
        page.wait("detail.open")
        self.assertEqual(page.text("#detail-name"), self.planted.names[7])
        self.fine(page)

    def test_it_fits_a_phone_and_the_dark(self):
        colors = set()
        for dark in (False, True):
            for width in (390, 1280):
                page = self.open(width=width, height=844, dark=dark)
                for tab in TABS:
                    self.go(page, tab)
                    self.assertLessEqual(page.run(
                        "document.documentElement.scrollWidth"), width, tab)
                page.run("location.hash = 'image-3'")
                page.wait("detail.open")
                self.assertLessEqual(page.run(
                    "detail.getBoundingClientRect().width"), width)
                contrast = page.run("""(() => {
                  const light = (color) => {
                    const [r, g, b] = color.match(/[\\d.]+/g).map((v) => {
                      v /= 255;
                      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
                    });
                    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
                  };
                  const a = light(getComputedStyle(note).color);
                  const b = light(getComputedStyle(document.body)
                                  .backgroundColor);
                  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                })()""")
                self.assertGreater(contrast, 4.5)
                colors.add(page.run("getComputedStyle(document.body)"
                                    ".backgroundColor"))
                self.fine(page)
        self.assertEqual(len(colors), 2)


if __name__ == "__main__":
    unittest.main()
