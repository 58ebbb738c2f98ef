// What anywidget runs in a notebook: the page in a frame of its own, which tells what was picked in it.

/** @param {{model: any, el: HTMLElement}} place */
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  const border = "border: 1px solid #c5cdd6; border-radius: 8px";
  frame.style.cssText = `width: 100%; height: ${model.get("height")}px; ${border}`;
  frame.srcdoc = model.get("page");
  const hear = (/** @type {MessageEvent} */ event) => {
    if (event.source !== frame.contentWindow || event.data?.kgraph !== "selection") return;
    model.set("selection", event.data.selection.map(String));
    model.save_changes();
  };
  window.addEventListener("message", hear);
  el.append(frame);
  return () => window.removeEventListener("message", hear);
}

export default { render };
