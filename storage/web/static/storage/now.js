// Brings the Now page to life: the server rendered every number, this replaces those that change.
import { Chart } from "./chart.js";
import { freshness } from "./freshness.js";
import { listen } from "./listen.js";

const given = JSON.parse(document.getElementById("now-script").textContent);
const SAY_EVERY = 10_000; // ms between two announcements to a screen reader

const state = { said: 0, sentence: "" };

// --- what the server sends ---
function showCells(cells) {
  for (const [key, text] of Object.entries(cells)) {
    for (const place of document.querySelectorAll(`[data-cell="${CSS.escape(key)}"]`)) {
      if (place.textContent !== text) place.textContent = text;
    }
  }
}

function showReading(news) {
  showCells(news.cells);
  if (news.cells.tariff !== undefined) askToday(); // another tariff: until when, at which price
  for (const [key, word] of Object.entries(news.marks)) {
    for (const place of document.querySelectorAll(`[data-mark="${CSS.escape(key)}"]`)) place.dataset.word = word;
  }
  for (const [key, there] of Object.entries(news.shown)) {
    for (const part of document.querySelectorAll(`[data-part="${CSS.escape(key)}"]`)) part.hidden = !there;
  }
  news.bars.forEach(showBar);
  if (news.cells.say !== undefined) state.sentence = news.cells.say;
}

function showBar(bar, number) {
  const drawing = document.querySelector(`[data-bar="${number}"]`);
  drawing.dataset.over = bar.over;
  drawing.querySelector(".bar-fill").setAttribute("width", bar.fill);
  for (const mark of drawing.querySelectorAll("[data-bar-mark]")) {
    const at = bar[mark.dataset.barMark] ?? -1;
    mark.setAttribute("x1", at);
    mark.setAttribute("x2", at);
  }
}

function say() {
  const place = document.querySelector("[data-say]");
  const now = performance.now();
  if (!state.sentence || now - state.said < SAY_EVERY || place.textContent === state.sentence) return;
  state.said = now;
  place.textContent = state.sentence;
}

// --- what changes by the minute: sums of today, asked for while somebody may look ---
const TODAY = 60_000; // ms
let asked = performance.now(); // the server rendered it just now

async function askToday() {
  if (performance.now() - asked < 5_000) return;
  asked = performance.now();
  try {
    const answer = await fetch(given.today, { redirect: "manual" });
    if (answer.ok) showCells((await answer.json()).cells);
  } catch {
    // the pill says that nothing arrives
  }
}

function askInTime() {
  if (!document.hidden && performance.now() - asked >= TODAY) askToday();
}

const place = document.querySelector("[data-chart]");
const chart = place && window.uPlot ? new Chart(place, given) : null;
chart?.load();
document.querySelector(".meters [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
document.addEventListener("visibilitychange", askInTime);
setInterval(askInTime, 500);
for (const choice of document.querySelectorAll("[data-minutes]")) {
  choice.addEventListener("click", (event) => {
    if (!chart || event.ctrlKey || event.metaKey || event.shiftKey) return; // without the chart it is a link
    event.preventDefault();
    for (const other of document.querySelectorAll("[data-minutes]")) other.removeAttribute("aria-current");
    choice.setAttribute("aria-current", "true");
    history.replaceState(null, "", choice.href);
    chart.showMinutes(Number(choice.dataset.minutes));
  });
}
const fresh = freshness(given);
listen(given.live, {
  status: fresh.status,
  reading: (news) => {
    showReading(news);
    fresh.reading(news);
    say();
    chart?.add(...news.point);
  },
});
