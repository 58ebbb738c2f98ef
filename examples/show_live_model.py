"""A live model: its graph, what it reads and makes call by call, and a picture, without saving it.

python examples/show_live_model.py
"""

import keras
from keras import layers

import kgraph

left, right = keras.Input((8,), name="left"), keras.Input((8,), name="right")
tower = keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(2)], name="tower")
distance = layers.Subtract(name="distance")([tower(left), tower(right)])
model = keras.Model([left, right], distance, name="siamese")

graph = kgraph.read(model)
print(kgraph.to_text(graph, width=100))
for node in graph.nodes:
    print(node.layer, "reads", [str(t) for t in node.inputs.values()], "makes", node.outputs[0].shape)

with open("siamese.svg", "wb") as file:
    file.write(kgraph.render(kgraph.to_dot(graph), "svg"))
print("wrote siamese.svg")
