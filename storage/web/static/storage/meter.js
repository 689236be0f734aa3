// Brings the sheet of a meter to life: every value is there already, this replaces those that change.
import "./copy.js";
import { listen } from "./listen.js";
import "./refresh.js";
import { findRows, showRows } from "./rows.js";

const given = JSON.parse(document.getElementById("meter-script").textContent);
const pill = document.querySelector("[data-pill]");
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const state = { age: given.age, since: performance.now(), online: given.online };
const find = findRows(given.words.found);

function showAge() {
  const seconds = state.age + (performance.now() - state.since) / 1000;
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? UNITS.at(-1);
  const age = given.ages[unit].replace("{n}", Math.floor(seconds / length));
  const look = state.online === false ? "silent" : seconds >= given.stale ? "stale" : "live";
  const text = { silent: `${given.words.silent} · ${age}`, stale: age, live: given.words.live }[look];
  const place = pill.querySelector("[data-pill-text]");
  if (place.textContent !== text) place.textContent = text;
  pill.dataset.state = look;
}

listen(given.live, {
  status: (news) => {
    state.online = news.online;
    showAge();
  },
  reading: (news) => {
    Object.assign(state, { age: news.age, since: performance.now(), online: news.online });
    showRows(news.rows, news.whole_table);
    find();
    showAge();
  },
});
showAge();
setInterval(showAge, 500);
