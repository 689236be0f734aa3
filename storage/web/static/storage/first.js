// Waits for the very first reading, then shows the page that it makes possible.
const source = new EventSource(document.querySelector("[data-live]").dataset.live);
source.addEventListener("reading", () => {
  source.close();
  location.reload();
});
source.addEventListener("error", () => {
  if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 10_000); // refused, not broken
});
