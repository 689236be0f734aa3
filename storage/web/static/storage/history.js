// Draws the charts of the page History; turns its pages by arrow keys and by a swipe beside the charts.
import { Band } from "./band.js";
import { Bars } from "./bars.js";

const SWIPE = 60; // px

const { zone, words, charts } = JSON.parse(document.getElementById("history-script").textContent);

function drawn(chart) {
  const place = document.getElementById(chart.place);
  const given = { ...chart, zone, words };
  if (chart.kind === "bars") return new Bars(place, given);
  given.finer = (from, to) => `${chart.finer}&from=${from}&to=${to}`;
  return new Band(place, given);
}

const plots = window.uPlot ? new Map(charts.map((chart) => [chart.place, drawn(chart)])) : new Map();
for (const kind of ["curve", "bars"]) {
  const [own, other] = [plots.get(`${kind}-own`), plots.get(`${kind}-other`)];
  if (own && other) own.pair(other);
}

function turn(where) {
  const link = document.querySelector(`[data-turn="${where}"]`);
  if (link) link.click();
}

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea, [data-chart], [role=region]") || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "ArrowLeft") turn("before");
  if (event.key === "ArrowRight") turn("after");
});

let start = null;
document.addEventListener("touchstart", (event) => {
  const [finger] = event.touches;
  start = event.touches.length === 1 && !event.target.closest("[data-chart], .wide") ? [finger.clientX, finger.clientY] : null;
}, { passive: true });
document.addEventListener("touchend", (event) => {
  if (!start) return;
  const [finger] = event.changedTouches;
  const [across, along] = [finger.clientX - start[0], finger.clientY - start[1]];
  if (Math.abs(across) > SWIPE && Math.abs(across) > 2 * Math.abs(along)) turn(across > 0 ? "before" : "after");
}, { passive: true });
