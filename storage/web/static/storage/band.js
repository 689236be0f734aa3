// Power over time: a band from lowest to highest and the mean in it, so that no peak disappears.
// new Band(place, {zone, unit, words, columns, gaps, span, limit?, finer?}): columns = [times, highest, lowest, mean], null breaks
// the line; gaps = [[from, to]] are hatched; limit is a labelled line; finer(from, to) is an address with finer columns,
// asked once a zoom has come to rest.
import { Plot, TOP, language, token } from "./plot.js";

export class Band extends Plot {
  data() { return this.given.columns; }

  series() {
    const band = { stroke: token("band"), width: 1, points: { show: false } };
    return [{}, band, band, { stroke: token("base"), width: 1.5, points: { show: false } }];
  }

  bands() { return [{ series: [1, 2], fill: token("band") }]; }

  top() {
    return Math.max(100, TOP * this.given.columns[1].reduce((most, value) => Math.max(most, value ?? 0), 0));
  }

  across() {
    return { values: (_, splits) => splits.map((at) => this.clock(at)) };
  }

  clock(at, exact = false) {
    const [from, to] = this.window();
    const days = to - from > 2 * 86_400 ? { day: "numeric", month: "short" } : {};
    const time = !days.day || exact ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : {};
    const second = exact && to - from <= 2 * 3600 ? { second: "2-digit" } : {};
    return new Intl.DateTimeFormat(language(), { timeZone: this.given.zone, ...days, ...time, ...second }).format(at * 1000);
  }

  behind(plot) {
    for (const [from, to] of this.given.gaps) this.hatch(plot, from, to);
  }

  before(plot) {
    const { limit, unit, words } = this.given;
    if (limit) this.line(plot, limit, `${this.number.format(limit)} ${unit} ${words.limit}`);
  }

  text(index) {
    const { columns: [times, high, low], unit, words } = this.given;
    if (times[index] === undefined) return this.legend;
    const value = low[index] === null ? words.nothing
      : low[index] === high[index] ? `${this.number.format(high[index])} ${unit}`
      : `${this.number.format(low[index])} – ${this.number.format(high[index])} ${unit}`;
    return `${this.clock(times[index], true)} · ${value}`;
  }

  stride() { return 20; }

  // Finer points for what is zoomed to; the coarse ones again for everything.
  async rested() {
    if (!this.given.finer) return;
    this.whole ??= this.given.columns;
    if (this.view === null) {
      this.given.columns = this.whole;
      this.refresh();
      return;
    }
    const [from, to] = this.view.map(Math.round);
    const answer = await fetch(this.given.finer(from, to), { redirect: "manual" }).catch(() => null);
    if (!answer?.ok || this.view === null) return;
    const found = await answer.json();
    if (!found.t.length) return;
    this.given.columns = [found.t, found.high, found.low, found.mean];
    this.refresh();
  }
}
