// The pill that says how old the numbers are, counting on by itself.
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

// `given`: age in seconds, online, stale (seconds), ages and words. What comes back takes the stream's news.
export function freshness(given) {
  const pill = document.querySelector("[data-pill]");
  const state = { age: given.age, since: performance.now(), online: given.online };

  function show() {
    const seconds = state.age + (performance.now() - state.since) / 1000;
    const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? UNITS.at(-1);
    const age = given.ages[unit].replace("{n}", Math.floor(seconds / length));
    const look = state.online === false ? "silent" : seconds >= given.stale ? "stale" : "live";
    const text = { silent: `${given.words.silent} · ${age}`, stale: age, live: given.words.live }[look];
    const place = pill.querySelector("[data-pill-text]");
    if (place.textContent !== text) place.textContent = text;
    pill.dataset.state = look;
  }

  show();
  setInterval(show, 500);
  return {
    status(news) {
      state.online = news.online;
      show();
    },
    reading(news) {
      Object.assign(state, { age: news.age, since: performance.now(), online: news.online });
      show();
    },
  };
}
