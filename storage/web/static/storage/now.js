// Brings the Now page to life: the server rendered every number, this replaces those that change.
import { Chart } from "./chart.js";
import { showRows } from "./rows.js";

const given = JSON.parse(document.getElementById("now-script").textContent);
const pill = document.querySelector("[data-pill]");
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const SAY_EVERY = 10_000; // ms between two announcements to a screen reader
const RETRY = [2_000, 30_000]; // ms; the browser itself only tries again after a broken stream, not after a refusal

const state = { age: given.age, since: performance.now(), online: given.online, said: 0, sentence: "" };

// --- how old the numbers are ---
function age() {
  return state.age + (performance.now() - state.since) / 1000;
}

function ageText(seconds) {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? UNITS.at(-1);
  return given.ages[unit].replace("{n}", Math.floor(seconds / length));
}

function showAge() {
  const seconds = age();
  const stale = seconds >= given.stale;
  const look = state.online === false ? "silent" : stale ? "stale" : "live";
  const text = {
    silent: `${given.words.silent} · ${ageText(seconds)}`,
    stale: ageText(seconds),
    live: given.words.live,
  }[look];
  const place = pill.querySelector("[data-pill-text]");
  if (place.textContent !== text) place.textContent = text;
  pill.dataset.state = look;
}

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
  showRows(news.rows, news.whole_table);
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

// --- the stream: only while somebody may look, because a browser has few connections to give ---
let source = null;
let retry = 0;

function rest() {
  clearTimeout(retry);
  source?.close();
}

function listen(delay = RETRY[0]) {
  rest();
  source = new EventSource(given.live);
  source.addEventListener("open", () => { delay = RETRY[0]; });
  source.addEventListener("status", (event) => {
    state.online = JSON.parse(event.data).online;
    showAge();
  });
  source.addEventListener("reading", (event) => {
    const news = JSON.parse(event.data);
    Object.assign(state, { age: news.age, since: performance.now(), online: news.online });
    showReading(news);
    showAge();
    say();
    chart?.add(...news.point);
  });
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return;
    retry = setTimeout(() => listen(Math.min(2 * delay, RETRY[1])), delay);
  });
}

const place = document.querySelector("[data-chart]");
const chart = place && window.uPlot ? new Chart(place, given) : null;
chart?.load();
document.querySelector(".meters [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
document.addEventListener("visibilitychange", () => {
  if (document.hidden) rest(); else listen();
  askInTime();
});
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
if (!document.hidden) listen();
showAge();
setInterval(() => { showAge(); askInTime(); }, 500);
