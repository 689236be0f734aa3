// The curve of the last minutes on the Now page: what the store wrote, and live points at its end.
import { Band } from "./band.js";

const RELOAD = 60_000; // ms: what the store wrote meanwhile replaces what was drawn live
const MOST = 2_000; // points, live ones included
const FIRST_RELOAD = 15_000;

export class Chart extends Band {
  constructor(place, given) {
    super(place, { ...given, unit: "VA", columns: [[], [], [], []], gaps: [] });
    this.patience = 10;
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.load(); });
    setTimeout(() => this.load(), FIRST_RELOAD);
    setInterval(() => { if (!document.hidden) this.load(); }, RELOAD);
  }

  full() {
    const end = Math.max(Date.now() / 1000, this.given.columns[0].at(-1) ?? 0);
    return [end - this.given.minutes * 60, end];
  }

  showMinutes(minutes) {
    Object.assign(this.given, { minutes, columns: [[], [], [], []], gaps: [] });
    this.view = null;
    this.refresh();
    return this.load();
  }

  async load() {
    const { minutes } = this.given;
    let answer;
    try {
      answer = await fetch(`${this.given.curve}${minutes}`, { redirect: "manual" });
    } catch {
      return; // the pill says that nothing arrives
    }
    if (answer.type === "opaqueredirect") location.reload(); // the session ended: the login page comes
    if (!answer.ok) return;
    const found = await answer.json();
    if (minutes !== this.given.minutes) return; // it was switched meanwhile
    const newest = found.t.at(-1) ?? 0;
    const [times, ...rest] = this.given.columns;
    const live = times.map((at, n) => [at, ...rest.map((column) => column[n])]);
    this.given.columns = [found.t, found.high, found.low, found.mean];
    this.given.gaps = found.gaps;
    this.patience = found.patience;
    for (const [at, , , mean] of live) if (at > newest && mean !== null) this.append(at, mean);
    document.querySelector("[data-summary]").textContent = found.summary;
    const lines = document.querySelector("[data-slices]").rows;
    found.table.forEach((cells, n) => cells.forEach((text, m) => { lines[n].cells[m].textContent = text; }));
    this.show();
  }

  add(at, value) {
    if (value === null || at <= (this.given.columns[0].at(-1) ?? 0)) return;
    this.append(at, value);
    this.show();
  }

  append(at, value) {
    const [times, ...rest] = this.given.columns;
    const before = times.at(-1);
    if (before !== undefined && at - before > this.patience) {
      times.push(before + 1);
      for (const column of rest) column.push(null);
    }
    times.push(at);
    for (const column of rest) column.push(value);
  }

  show() {
    const oldest = Date.now() / 1000 - this.given.minutes * 60;
    const [times] = this.given.columns;
    const first = Math.max(times.length - MOST, times.findIndex((at) => at >= oldest));
    if (first > 0) this.given.columns = this.given.columns.map((column) => column.slice(first));
    this.refresh();
  }
}
