// Lets the search work on pages that are opened as files: a browser then refuses to fetch the index and to start a
// worker. The index comes as a script, and the worker runs in a frame.
const localSearch = {
  index: null,

  open(base) {
    if (location.protocol !== "file:") return;
    window.__search = { index: new Promise((resolve) => { localSearch.index = resolve; }) };
    window.Worker = FrameWorker;
    const script = document.createElement("script");
    script.src = `${base}/search/search_index.js`;
    document.head.append(script);
  },
};

class FrameWorker extends EventTarget {
  constructor(url) {
    super();
    const frame = document.createElement("iframe");
    frame.hidden = true;
    frame.title = "search";
    frame.answer = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
    const loaded = new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
    frame.srcdoc = `<script>postMessage = (data) => frameElement.answer(data);</script><script src="${url}"></script>`;
    document.body.append(frame);
    this.send = (data) => loaded.then(() =>
        frame.contentWindow.dispatchEvent(new frame.contentWindow.MessageEvent("message", { data })));
  }

  postMessage(data) {
    this.send(data);
  }
}
