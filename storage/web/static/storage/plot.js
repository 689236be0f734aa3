// What all our charts have in common, on uPlot. Two kinds:
//
//   new Band(place, {zone, unit, words, columns, gaps, span, limit?, finer?})
//     Power: columns = [times, highest, lowest, mean]; null breaks the line. `gaps`: [[from, to]] that are hatched.
//     `limit`: a labelled line. `finer(from, to)`: an address with finer columns, asked once a zoom has come to rest.
//   new Bars(place, {unit, decimals, words, buckets, layers, fine?})
//     Energy or money: buckets = [{from, to, label, name, estimated}], layers = [{name, mark, values, below?}], stacked in
//     their order; null is not known. `mark` is a token of tokens.css (base, peak, off-peak, bleu-hc ...). An estimate is
//     an outline. `fine`: an address for each bucket, opened by Enter or a double click.
//
// `place` is <div class="chart" data-chart tabindex="0" role="application" aria-label="...">; the line that reads single values
// is the nearest [data-readout] of its figure (`place.closest("[data-figure]")`, else the page). Times are seconds since 1970.
// Mouse: wheel zooms, shift and wheel moves, a drag zooms to what it spans, a double click shows everything again. Touch:
// two fingers zoom and move, one reads. Keys: left and right read (shift: in large steps), + and - zoom, page up and down
// move, Escape shows everything. `plot.pair(other)` lets two charts of the same length share the cursor and the scale.

const TOP = 1.1; // room above the highest value
const REST = 350; // ms after the last zoom until finer points are asked for
const STEP = 0.8; // of one turn of the wheel
const HATCH = 10; // px between two lines of the hatching
const INSET = 0.1; // of a bar's width that stays empty on either side

export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function language() {
  return document.documentElement.lang;
}

export class Plot {
  constructor(place, given) {
    this.place = place;
    this.given = given;
    this.view = null; // what is zoomed to; null: everything
    this.partner = null;
    this.number = new Intl.NumberFormat(language(), { maximumFractionDigits: given.decimals ?? 0 });
    this.readout = (place.closest("[data-figure]") ?? document).querySelector("[data-readout]");
    this.legend = this.readout.textContent;
    this.draw();
    new ResizeObserver(() => this.plot.setSize(this.size())).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    place.addEventListener("keydown", (event) => this.key(event));
  }

  // --- what a kind of chart says of itself ---
  data() { throw new Error("a kind of chart has data"); }
  series() { return this.data().map(() => ({})); }
  full() { return this.given.span; }
  bottom() { return 0; }
  top() { return 100; }
  behind() {}
  before() {}
  text() { return this.legend; }
  count() { return this.data()[0].length; }

  // --- drawing ---
  draw() {
    this.plot?.destroy();
    const muted = token("muted");
    const font = `${token("caption")} ${token("font")}`;
    const axis = { stroke: muted, font, grid: { stroke: token("rule"), width: 1 }, ticks: { show: false } };
    this.font = font.replace(/^[\d.]+px/, (size) => `${parseFloat(size) * devicePixelRatio}px`);
    this.plot = new uPlot({
      ...this.size(),
      legend: { show: false },
      padding: [12, 20, 0, 0],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), this.given.zone),
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      scales: {
        x: { time: true, range: () => this.window() },
        y: { range: () => this.height() },
      },
      axes: [
        { ...axis, size: 32, ...this.across() },
        { ...axis, size: 60, values: (_, splits) => splits.map((value) => this.number.format(value)) },
      ],
      series: this.series(),
      bands: this.bands?.(),
      hooks: {
        drawAxes: [(plot) => this.behind(plot)],
        draw: [(plot) => this.before(plot)],
        setCursor: [(plot) => this.moved(plot)],
        setSelect: [(plot) => this.selected(plot)],
      },
    }, this.data(), this.place);
    const over = this.plot.over;
    over.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    over.addEventListener("dblclick", (event) => this.twice(event));
    this.fingers = new Map();
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) {
      over.addEventListener(kind, (event) => { if (event.pointerType === "touch") this.touch(event); });
    }
  }

  across() { return {}; }

  size() {
    return { width: this.place.clientWidth, height: this.place.clientHeight };
  }

  window() {
    return this.view ?? this.full();
  }

  height() {
    const [bottom, top] = [this.bottom(), this.top()];
    if (!this.partner) return [bottom, top];
    return [Math.min(bottom, this.partner.bottom()), Math.max(top, this.partner.top())];
  }

  refresh() {
    this.plot.setData(this.data());
  }

  pair(other) {
    this.partner = other;
    other.partner = this;
    this.refresh();
    other.refresh();
  }

  hatch(plot, from, to) {
    const { ctx, bbox } = plot;
    const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
    if (right <= left) return;
    ctx.save();
    ctx.strokeStyle = token("hatch");
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.rect(left, bbox.top, right - left, bbox.height);
    ctx.clip();
    ctx.beginPath();
    for (let x = left - bbox.height; x < right; x += HATCH * devicePixelRatio) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }

  // A line across at a value, with its name.
  line(plot, value, text) {
    if (value === null || value === undefined || value > plot.scales.y.max) return;
    const { ctx, bbox } = plot;
    const y = plot.valToPos(value, "y", true);
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = token("limit");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.font = this.font;
    ctx.textAlign = "right";
    ctx.fillText(text, bbox.left + bbox.width, y - 4 * devicePixelRatio);
    ctx.restore();
  }

  // --- zoom and move ---
  look(from, to) {
    const [first, last] = this.full();
    const length = Math.min(last - first, Math.max(to - from, this.least()));
    const start = Math.min(last - length, Math.max(first, from));
    this.view = length >= last - first ? null : [start, start + length];
    const [min, max] = this.window();
    this.plot.setScale("x", { min, max });
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rested(), REST);
  }

  least() { return 60; }
  rested() {}

  zoom(factor, around) {
    const [from, to] = this.window();
    const at = around ?? (from + to) / 2;
    this.look(at - (at - from) * factor, at + (to - at) * factor);
  }

  move(share) {
    const [from, to] = this.window();
    const by = (to - from) * share;
    this.look(from + by, to + by);
  }

  wheel(event) {
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!sideways && this.view === null && event.deltaY > 0) return; // nothing to zoom out of: the page scrolls
    event.preventDefault();
    if (sideways) this.move(Math.sign(event.deltaX || event.deltaY) * 0.1);
    else this.zoom(event.deltaY < 0 ? STEP : 1 / STEP, this.plot.posToVal(event.offsetX, "x"));
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width < 8) return;
    const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.look(from, to);
  }

  twice() {
    this.look(...this.full());
  }

  touch(event) {
    const fingers = this.fingers;
    const before = [...fingers.values()];
    if (event.type === "pointerdown") event.target.setPointerCapture?.(event.pointerId);
    if (event.type === "pointerup" || event.type === "pointercancel") {
      fingers.delete(event.pointerId);
      return;
    }
    if (event.type === "pointermove" && !fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event.offsetX);
    if (fingers.size === 1) this.plot.setCursor({ left: event.offsetX, top: 0 });
    if (fingers.size !== 2 || before.length !== 2) return;
    const after = [...fingers.values()];
    const spread = Math.max(10, Math.abs(after[0] - after[1]));
    const [from, to] = this.window();
    const perPixel = (to - from) / this.plot.over.clientWidth;
    const factor = Math.max(10, Math.abs(before[0] - before[1])) / spread;
    const middle = this.plot.posToVal((before[0] + before[1]) / 2, "x");
    const shift = ((before[0] + before[1]) - (after[0] + after[1])) / 2 * perPixel;
    this.look(middle - (middle - from) * factor + shift, middle + (to - middle) * factor + shift);
  }

  // --- reading single values ---
  moved(plot) {
    const { idx } = plot.cursor;
    const some = idx !== null && idx !== undefined && plot.cursor.left >= 0;
    const text = some ? this.text(idx) : this.legend;
    if (this.readout.textContent !== text) this.readout.textContent = text;
    if (!this.partner || this.leading) return;
    this.partner.leading = true; // or each would move the other for ever
    this.partner.point(some ? Math.min(idx, this.partner.count() - 1) : null);
    this.partner.leading = false;
  }

  point(index) {
    const left = index === null ? -10 : this.plot.valToPos(this.plot.data[0][index], "x");
    this.plot.setCursor({ left, top: index === null ? -10 : 0 });
  }

  key(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    const acts = {
      "+": () => this.zoom(STEP), "=": () => this.zoom(STEP), "-": () => this.zoom(1 / STEP),
      PageUp: () => this.move(-0.5), PageDown: () => this.move(0.5), Escape: () => this.look(...this.full()),
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in acts) {
      event.preventDefault();
      acts[event.key]();
    } else if (event.key in moves && this.count()) {
      event.preventDefault();
      event.stopPropagation(); // the arrow keys of the page itself turn its pages
      const last = this.count() - 1;
      const at = this.plot.cursor.left >= 0 ? this.plot.cursor.idx ?? last + 1 : last + 1;
      this.point(Math.min(last, Math.max(0, at + moves[event.key] * (event.shiftKey ? this.stride() : 1))));
    }
  }

  stride() { return 7; }
}

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

export class Bars extends Plot {
  data() {
    this.stack();
    return [this.given.buckets.map((bucket) => (bucket.from + bucket.to) / 2), this.sums];
  }

  series() { return [{}, { show: true, paths: () => null, points: { show: false } }]; }

  full() {
    const { buckets } = this.given;
    return buckets.length ? [buckets[0].from, buckets.at(-1).to] : [0, 1];
  }

  least() { return 2 * (this.given.buckets[0].to - this.given.buckets[0].from); }

  // Heights above and below the line, once.
  stack() {
    if (this.sums) return;
    const { buckets, layers } = this.given;
    const sum = (index, below) => layers.reduce(
      (total, layer) => (Boolean(layer.below) === below ? total + (layer.values[index] ?? 0) : total), 0,
    );
    const known = (index) => layers.some((layer) => layer.values[index] !== null);
    this.sums = buckets.map((_, index) => (known(index) ? sum(index, false) : null));
    this.under = buckets.map((_, index) => sum(index, true));
  }

  top() {
    this.stack();
    return TOP * Math.max(0.01, ...this.sums.map((value) => value ?? 0));
  }

  bottom() {
    this.stack();
    return -TOP * Math.max(0, ...this.under);
  }

  across() {
    return {
      grid: { show: false },
      splits: () => {
        const [from, to] = this.window();
        const centres = this.data()[0].filter((at) => at >= from && at <= to);
        const widest = Math.max(...this.given.buckets.map((bucket) => bucket.label.length)) * 7 + 10;
        const every = Math.max(1, Math.ceil(centres.length * widest / Math.max(1, this.place.clientWidth - 80)));
        return centres.filter((_, index) => index % every === 0);
      },
      values: (_, splits) => splits.map((at) => this.bucketAt(at)?.label ?? ""),
    };
  }

  bucketAt(at) {
    return this.given.buckets.find((bucket) => at >= bucket.from && at < bucket.to);
  }

  before(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    this.given.buckets.forEach((bucket, index) => {
      if (this.sums[index] === null) this.hatch(plot, bucket.from, bucket.to);
      else this.bar(plot, bucket, index);
    });
    ctx.restore();
  }

  bar(plot, bucket, index) {
    const { ctx } = plot;
    const [left, right] = [bucket.from, bucket.to].map((at) => plot.valToPos(at, "x", true));
    const inset = Math.max(0.5, (right - left) * INSET);
    const ends = { above: 0, below: 0 };
    for (const layer of this.given.layers) {
      const value = layer.values[index];
      if (!value) continue;
      const side = layer.below ? "below" : "above";
      const from = ends[side];
      const to = from + (layer.below ? -value : value);
      ends[side] = to;
      const [y0, y1] = [from, to].map((at) => plot.valToPos(at, "y", true));
      this.block(ctx, layer.mark, left + inset, Math.min(y0, y1), right - left - 2 * inset, Math.abs(y1 - y0), bucket);
    }
  }

  block(ctx, mark, x, y, width, height, bucket) {
    const colour = token(mark) || token("base");
    ctx.fillStyle = colour;
    ctx.globalAlpha = bucket.estimated ? 0.35 : 1;
    ctx.fillRect(x, y, width, height);
    ctx.globalAlpha = 1;
    const edge = token(`${mark}-edge`);
    if (!edge && !bucket.estimated) return;
    ctx.strokeStyle = edge || colour;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(bucket.estimated ? [3 * devicePixelRatio, 2 * devicePixelRatio] : []);
    ctx.strokeRect(x + 0.5, y + 0.5, Math.max(0, width - 1), Math.max(0, height - 1));
    ctx.setLineDash([]);
  }

  text(index) {
    const { buckets, layers, unit, words } = this.given;
    const bucket = buckets[index];
    if (!bucket) return this.legend;
    if (this.sums[index] === null) return `${bucket.name} · ${words.nothing}`;
    const some = layers.filter((layer) => layer.values[index]);
    const parts = some.map((layer) => `${layer.name} ${this.number.format(layer.values[index])}`);
    const total = `${this.number.format(this.sums[index])} ${unit}`;
    const unsure = bucket.estimated ? ` (${words.estimated})` : "";
    return [bucket.name, `${total}${unsure}`, ...(some.length > 1 ? parts : [])].join(" · ");
  }

  twice(event) {
    const bucket = this.bucketAt(this.plot.posToVal(event.offsetX, "x"));
    if (this.view === null && bucket) this.open(bucket);
    else super.twice();
  }

  key(event) {
    if (event.key === "Enter" && this.plot.cursor.left >= 0) this.open(this.given.buckets[this.plot.cursor.idx]);
    else super.key(event);
  }

  open(bucket) {
    const address = bucket && this.given.fine?.[this.given.buckets.indexOf(bucket)];
    if (address) location.assign(address);
  }
}
