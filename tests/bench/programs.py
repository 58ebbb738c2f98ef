"""The programs that are timed: what stands beside kgraph, and what kgraph does inside Python.

Each is a text for `python -c`. Those that print seconds are measured by these, without their start.
"""

# The least that any reader of a `.keras` file must do: its JSON, and the header of each array.
FLOOR = """
import io, json, sys, zipfile
import h5py
class Part(io.RawIOBase):
    def __init__(self, file, start, size):
        self.file, self.start, self.size, self.place = file, start, size, 0
    def seekable(self): return True
    def readable(self): return True
    def tell(self): return self.place
    def seek(self, offset, whence=0):
        self.place = offset + (0, self.place, self.size)[whence]
        return self.place
    def readinto(self, buffer):
        self.file.seek(self.start + self.place)
        count = self.file.readinto(memoryview(buffer)[:max(0, self.size - self.place)])
        self.place += count
        return count
path = sys.argv[1]
with zipfile.ZipFile(path) as archive:
    json.loads(archive.read("config.json"))
    with archive.open("model.weights.h5") as member:
        start, size = member._orig_compress_start, member._orig_file_size
with open(path, "rb") as file:
    with h5py.File(Part(file, start, size), "r") as weights:
        def visit(name, one):
            if isinstance(one, h5py.Dataset):
                one.shape, one.dtype
        weights.visititems(visit)
"""
H5PY = "import h5py"
BARE = "pass"
SUMMARY = "import sys, keras; keras.models.load_model(sys.argv[1]).summary()"
PLOT = """
import sys, keras
model = keras.models.load_model(sys.argv[1])
try:
    keras.utils.plot_model(model, sys.argv[2], show_shapes=True)
except ValueError:  # the file is there; IPython, if it is installed, then refuses to show SVG
    pass
"""
KERAS_CUT = """
import sys, keras
model = keras.models.load_model(sys.argv[1])
keras.Model(model.inputs, model.get_layer(sys.argv[3]).output).save(sys.argv[2])
"""
BUILD = "import sys, keras; getattr(keras.applications, sys.argv[1])(weights=None).save(sys.argv[2])"
BUILD_OLD = (
    "import sys, tf_keras; getattr(tf_keras.applications, sys.argv[1])(weights=None).save(sys.argv[2])"
)
BY_HAND = """
import sys, keras
model = keras.applications.VGG19(weights=None)
model.load_weights(sys.argv[1])
model.save(sys.argv[2])
"""

_LIVE = """
import gc, random, sys
from time import process_time
import keras, kgraph
from kgraph import extract, read
model = keras.applications.NASNetLarge(weights=None)
names = [layer.name for layer in random.Random(0).sample(model.layers[1:], 20)]
def do():
    {}
do()
gc.collect()
start = process_time()
do()
print(process_time() - start)
"""
LIVE_READ = _LIVE.format("read(model)")
MODEL_TO_DOT = _LIVE.format("keras.utils.model_to_dot(model, show_shapes=True)")
LIVE_EXTRACT = _LIVE.format("extract(model, names)")
KERAS_MODEL = _LIVE.format("keras.Model(model.inputs, [model.get_layer(n).output for n in names])")

# One process for all files, and one for each.
EACH = """
import subprocess, sys
verb, *files = sys.argv[1:]
for file in files:
    subprocess.run([sys.executable, "-m", "kgraph", verb, file], capture_output=True)
"""

# A verb on a line of so many layers; `{}` is what it does with `graph`.
GROWTH = """
import gc, json, sys, tempfile
from pathlib import Path
from time import process_time
import h5py
import kgraph
from helpers.long_models import keras_file, line
verb, length = sys.argv[1], int(sys.argv[2])
with tempfile.TemporaryDirectory() as folder:
    path = keras_file(Path(folder), line("m", length))
    graph = kgraph.read(path)
    verbs = {
        "read": lambda: kgraph.read(path), "flatten": lambda: kgraph.flatten(graph),
        "select": lambda: kgraph.select(graph, "**"), "plan": lambda: kgraph.plan(graph, f"r{length - 1}"),
        "text": lambda: kgraph.to_text(graph), "JSON": lambda: kgraph.to_json(graph),
        "fold": lambda: kgraph.fold(graph),
    }
    gc.collect()
    gc.disable()
    start = process_time()
    verbs[verb]()
    print(process_time() - start)
"""
