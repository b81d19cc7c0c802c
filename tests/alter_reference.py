"""Makes what Pillow, SciPy and OpenCV answer to the same alterations of one small picture: tests/data/alter/*.png.

python3 tests/alter_reference.py     (pillow 13.0.0, scipy 1.17.1, numpy 2.4.6, opencv-python-headless 5.0.0.93)
"""

import colorsys
import io
import math
import pathlib

import cv2
import numpy as np
from PIL import Image, ImageEnhance
from scipy.ndimage import gaussian_filter

out = pathlib.Path(__file__).parent / "data" / "alter"
out.mkdir(parents=True, exist_ok=True)
W, H = 64, 48
y, x = np.mgrid[0:H, 0:W].astype(np.float64)
picture = np.stack(
    [
        110 + 70 * np.sin(x / 9.0) + 30 * np.cos(y / 7.0),
        90 + 1.6 * x + 40 * (((x - 40) ** 2 + (y - 20) ** 2) < 90),
        200 - 2.4 * y + 25 * np.sin((x + y) / 5.0),
    ],
    axis=-1,
)
picture = np.clip(np.round(picture), 0, 255).astype(np.uint8)
image = Image.fromarray(picture)
image.save(out / "input.png")


def save(name, array):
    Image.fromarray(np.clip(np.round(np.asarray(array, dtype=np.float64)), 0, 255).astype(np.uint8)).save(out / f"{name}.png")


save("brightness", ImageEnhance.Brightness(image).enhance(1.3))
save("contrast", ImageEnhance.Contrast(image).enhance(0.7))
save("saturation", ImageEnhance.Color(image).enhance(1.4))
save("greyscale", image.convert("L").convert("RGB"))
save("gamma", 255 * (picture / 255.0) ** 1.6)


def turned(pixel, degrees):
    h, s, v = colorsys.rgb_to_hsv(*(pixel / 255.0))
    return np.array(colorsys.hsv_to_rgb((h + degrees / 360.0) % 1.0, s, v)) * 255


save("hue", np.apply_along_axis(lambda pixel: turned(pixel, 40.0), 2, picture))
save("flip_horizontal", image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
save("flip_vertical", image.transpose(Image.Transpose.FLIP_TOP_BOTTOM))
save("half", image.resize((W // 2, H // 2), Image.Resampling.BOX))
save("crop", image.crop((16, 12, 48, 36)))

# cv2 has pixel centres at whole numbers: the middle is at (side - 1) / 2.
middle = ((W - 1) / 2, (H - 1) / 2)


def affine(matrix):
    return cv2.warpAffine(picture, matrix, (W, H), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


save("rotate", affine(cv2.getRotationMatrix2D(middle, 30.0, 1.0)))
save("scale", affine(cv2.getRotationMatrix2D(middle, 0.0, 1.3)))
save("translate", affine(np.float64([[1, 0, 0.2 * W], [0, 1, -0.1 * H]])))
slant = math.tan(math.radians(15.0))
save("shear", affine(np.float64([[1, -slant, slant * middle[1]], [0, 1, 0]])))
# Corners of the whole picture lie half a pixel outside of its centres.
source = np.float32([(-0.5, -0.5), (W - 0.5, -0.5), (W - 0.5, H - 0.5), (-0.5, H - 0.5)])
moves = [(0.1, 0.05), (0.0, 0.1), (0.08, 0.02), (0.04, 0.0)]
signs = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
inner = np.float32([s + np.float32((m[0] * W * k[0], m[1] * H * k[1])) for s, m, k in zip(source, moves, signs)])
save(
    "perspective",
    cv2.warpPerspective(
        picture,
        cv2.getPerspectiveTransform(inner, source),
        (W, H),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    ),
)


def blurred(sigma):
    return np.stack([gaussian_filter(picture[..., c].astype(np.float64), sigma, mode="mirror", truncate=3.0) for c in range(3)], -1)


save("blur", blurred(1.5))
save("sharpen", picture + 0.8 * (picture - blurred(1.0)))
buffer = io.BytesIO()
image.save(buffer, "JPEG", quality=40, subsampling="4:2:0")
save("jpeg", Image.open(io.BytesIO(buffer.getvalue())).convert("RGB"))
