"""A folder of images → features on disk → who looks like whom, and a linear probe, with plain NumPy.

python examples/image_features.py                            images drawn here, random weights, works offline
python examples/image_features.py --weights imagenet FOLDER  yours, a folder for each kind; Keras downloads

Writes features.zarr, mobilenet.keras and, if it draws them, the folder drawn_images. Started again, it goes
on where it was stopped, and makes nothing twice.
"""

import argparse
from pathlib import Path

import keras
import numpy as np
import zarr

import kgraph

SIZE = 96
KINDS = ("stripes", "rings", "dots", "checks")


def draw(folder, each=40):
    """Pictures of four kinds, in sizes, colours and places by chance, with noise."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    for kind in KINDS:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            wave, place, turn = random.uniform(30, 50), random.uniform(0.3, 0.7, 2), random.uniform(0, np.pi)
            far = np.hypot(y - place[0], x - place[1])
            shade = {
                "stripes": np.sin(wave * (np.cos(turn) * x + np.sin(turn) * y)),
                "rings": np.sin(wave * far),
                "dots": np.sin(wave * x) + np.sin(wave * y) - 0.8,
                "checks": np.sign(np.sin(wave * x) * np.sin(wave * y)),
            }[kind]
            colours = random.uniform([[20], [170]], [[80], [230]], (2, 3))
            mixed = np.where(shade[..., None] > 0, colours[0], colours[1])
            pixels = np.clip(mixed + random.normal(0, 12, mixed.shape), 0, 255)
            keras.utils.save_img(folder / kind / f"{number:03d}.png", pixels, scale=False)


def neighbours(vectors):
    """For each row, which other one points most nearly the same way, and the cosine between them."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = cosines.argmax(axis=1)
    return nearest, cosines[np.arange(len(unit)), nearest]


def probe(vectors, kinds, share=0.75):
    """How many of the rows that it has not seen a linear map by ridge regression puts in their kind."""
    names, labels = np.unique(kinds, return_inverse=True)
    order = np.random.default_rng(0).permutation(len(vectors))
    seen, unseen = np.split(order, [int(share * len(order))])
    mean, deviation = vectors[seen].mean(axis=0), vectors[seen].std(axis=0)
    scaled = (vectors - mean) / (deviation + 1e-3 * deviation.max())
    x = np.c_[scaled, np.ones(len(vectors))].astype("float64")
    gram = x[seen] @ x[seen].T + 10 * np.eye(len(seen))
    weights = x[seen].T @ np.linalg.solve(gram, np.eye(len(names))[labels[seen]])
    return float(((x[unseen] @ weights).argmax(axis=1) == labels[unseen]).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", help="images in a folder for each kind; default: drawn ones")
    parser.add_argument("--weights", choices=["imagenet"], help="default: random")
    arguments = parser.parse_args()
    folder = Path(arguments.folder or "drawn_images")
    if arguments.folder is None:
        draw(folder)
    if not Path("mobilenet.keras").exists():
        keras.utils.set_random_seed(0)
        model = keras.applications.MobileNetV2(weights=arguments.weights, input_shape=(SIZE, SIZE, 3))
        model.save("mobilenet.keras")

    queries = {"early": "block_3_expand_relu", "middle": "block_10_expand_relu", "last": "out_relu"}
    preprocess = "keras.applications.mobilenet_v2"
    kgraph.features("mobilenet.keras", queries, folder, "features.zarr", preprocess=preprocess, pool="avg")

    features = zarr.open_group("features.zarr", mode="r")
    rows = features["row"][:]
    kinds = np.array([row.partition("/")[0] for row in rows])
    print(f"{len(rows)} images of {len(set(kinds))} kinds")
    print(f"{'':8}{'channels':>10}{'nearest of its kind':>22}{'linear probe':>15}")
    for key in queries:
        vectors = features[key][:]
        nearest, _ = neighbours(vectors)
        alike = (kinds[nearest] == kinds).mean()
        print(f"{key:8}{vectors.shape[1]:10}{alike:22.1%}{probe(vectors, kinds):15.1%}")
    print("\nnearest neighbours by `early`")
    nearest, cosines = neighbours(features["early"][:])
    for row in range(0, len(rows), max(1, len(rows) // 8)):
        print(f"  {rows[row]:24} {rows[nearest[row]]:24} {cosines[row]:.4f}")


if __name__ == "__main__":
    main()
