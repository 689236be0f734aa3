// What all our charts have in common, on uPlot: `Band` (band.js) is power, `Bars` (bars.js) is energy or money.
// `place` is <div class="chart" data-chart tabindex="0" role="application" aria-label="...">; the line that reads single values
// is the nearest [data-readout] of its figure (`place.closest("[data-figure]")`, else the page). Times are seconds since 1970.
// Mouse: wheel zooms, shift and wheel moves, a drag zooms to what it spans, a double click shows everything again. Touch:
// two fingers zoom and move, one reads. Keys: left and right read (shift: in large steps), + and - zoom, page up and down
// move, Escape shows everything. `plot.pair(other)` lets two charts of the same length share the cursor and the scale.

export const TOP = 1.1; // room above the highest value
const REST = 350; // ms after the last zoom until finer points are asked for
const STEP = 0.8; // of one turn of the wheel
const HATCH = 10; // px between two lines of the hatching

export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function language() {
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
