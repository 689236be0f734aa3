// The live stream of a page: open only while somebody may look, because a browser has few connections to give.
const RETRY = [2_000, 30_000]; // ms; the browser itself only tries again after a broken stream, not after a refusal

// `heard`: by the name of the event, what to do with its content.
export function listen(address, heard) {
  let source = null;
  let retry = 0;

  function rest() {
    clearTimeout(retry);
    source?.close();
  }

  function open(delay = RETRY[0]) {
    rest();
    source = new EventSource(address);
    source.addEventListener("open", () => { delay = RETRY[0]; });
    for (const [name, take] of Object.entries(heard)) {
      source.addEventListener(name, (event) => take(JSON.parse(event.data)));
    }
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return;
      retry = setTimeout(() => open(Math.min(2 * delay, RETRY[1])), delay);
    });
  }

  document.addEventListener("visibilitychange", () => { if (document.hidden) rest(); else open(); });
  if (!document.hidden) open();
}
