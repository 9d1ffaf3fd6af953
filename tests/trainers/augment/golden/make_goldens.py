"""Writes goldens.h: what torchvision makes of formula images.

    python make_goldens.py > goldens.h
"""

import torch
import torchvision
import torchvision.transforms.functional as F

SIZE = 5  # output side of every case but kGray24Diagonal and kCentral*


def image(channels, height, width):
    """The test's FormulaImage, as ToTensor would give it."""
    c = torch.arange(channels).view(-1, 1, 1)
    y = torch.arange(height).view(1, -1, 1)
    x = torch.arange(width).view(1, 1, -1)
    byte = (60 * c + 23 * y + 31 * x + 7 * x * y + 5 * c * x * x) % 256
    return byte.to(torch.float32) / 255


def crop(img, box, size=SIZE):
    top, left, height, width = box
    return F.resized_crop(img, top, left, height, width, [size, size],
                          F.InterpolationMode.BILINEAR, antialias=True)


def emit(name, tensor):
    values = ["%.7ff" % value for value in tensor.flatten().tolist()]
    print("inline constexpr float %s[] = {" % name)
    for i in range(0, len(values), 5):
        print("    " + ", ".join(values[i:i + 5]) + ",")
    print("};\n")


def main():
    print("// Written by make_goldens.py with torch %s, torchvision %s." %
          (torch.__version__.split("+")[0],
           torchvision.__version__.split("+")[0]))
    print("""
#ifndef GSG_TESTS_TRAINERS_AUGMENT_GOLDEN_GOLDENS_H_
#define GSG_TESTS_TRAINERS_AUGMENT_GOLDEN_GOLDENS_H_

namespace gsg {
""")
    img = image(3, 12, 10)
    emit("kUpsample", crop(img, (2, 3, 3, 4)))
    emit("kDownsample", crop(img, (1, 0, 11, 9)))
    emit("kMixed", crop(img, (8, 1, 4, 9)))
    gray = crop(image(1, 28, 28), (3, 4, 25, 22), 24)
    emit("kGray24Diagonal", F.hflip(gray)[0].diagonal())

    # Evaluation with side 7: Resize(8), CenterCrop(7).
    for name, size in (("kCentralTall", (47, 30)), ("kCentralWide", (9, 20))):
        resized = F.resize(image(1, *size), 8, F.InterpolationMode.BILINEAR,
                           antialias=True)
        emit(name, F.center_crop(resized, 7))

    base = crop(img, (1, 2, 7, 6))
    emit("kBrightnessUp", F.adjust_brightness(base, 1.4))
    emit("kContrastDown", F.adjust_contrast(base, 0.6))
    emit("kContrastUp", F.adjust_contrast(base, 1.4))
    emit("kSaturationDown", F.adjust_saturation(base, 0.6))
    emit("kSaturationUp", F.adjust_saturation(base, 1.4))
    emit("kHueForward", F.adjust_hue(base, 0.4))
    emit("kHueBack", F.adjust_hue(base, -0.1))
    emit("kGamma", F.adjust_gamma(base, 1.5))
    emit("kGrayscale", F.rgb_to_grayscale(base, 3))
    emit("kBlur3", F.gaussian_blur(base, 3, 0.8))
    emit("kBlur5", F.gaussian_blur(base, 5, 1.7))
    emit("kSolarize", F.solarize(base, 0.5))

    # Everything at once, in two orders of the jitter.
    mean, std = [0.5, 0.4, 0.3], [0.25, 0.2, 0.5]
    x = F.adjust_hue(base, 0.1)
    x = F.adjust_contrast(x, 1.3)
    x = F.adjust_saturation(x, 0.7)
    x = F.adjust_brightness(x, 1.2)
    x = F.gaussian_blur(x, 3, 0.5)
    x = F.hflip(F.solarize(x, 0.5))
    emit("kComposed", F.normalize(x, mean, std))
    x = F.adjust_brightness(base, 0.8)
    x = F.adjust_saturation(x, 1.4)
    x = F.adjust_hue(x, -0.05)
    x = F.adjust_contrast(x, 0.7)
    x = F.adjust_gamma(x, 0.8)
    x = F.rgb_to_grayscale(x, 3)
    x = F.gaussian_blur(x, 3, 1.5)
    emit("kComposedGray", F.normalize(x, mean, std))

    gray = crop(image(1, 12, 10), (0, 3, 10, 7))
    x = F.adjust_brightness(F.adjust_contrast(gray, 0.7), 1.3)
    emit("kOneChannel", F.normalize(F.gaussian_blur(x, 3, 1.0), [0.3], [0.5]))

    print("}  // namespace gsg\n")
    print("#endif  // GSG_TESTS_TRAINERS_AUGMENT_GOLDEN_GOLDENS_H_")


if __name__ == "__main__":
    main()
