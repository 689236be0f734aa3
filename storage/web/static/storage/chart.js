// The curve of apparent power: a band from lowest to highest, a line of means, hatching where nothing is known.
const RELOAD = 60_000; // ms: what the store wrote meanwhile replaces what was drawn live
const FIRST_RELOAD = 15_000;
const MOST = 2_000; // points, live ones included
const TOP = 1.1; // room above the highest value

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export class Chart {
  constructor(place, given) {
    this.place = place;
    this.given = given;
    this.columns = [[], [], [], []]; // time, highest, lowest, mean
    this.gaps = [];
    this.patience = 10;
    const language = document.documentElement.lang;
    this.number = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
    const time = { timeZone: given.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    this.clock = new Intl.DateTimeFormat(language, time);
    this.exact = new Intl.DateTimeFormat(language, { ...time, second: "2-digit" });
    this.readout = document.querySelector("[data-readout]");
    this.legend = this.readout.textContent;
    this.draw();
    new ResizeObserver(() => this.resize()).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    place.addEventListener("keydown", (event) => this.step(event));
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.load(); });
    setTimeout(() => this.load(), FIRST_RELOAD);
    setInterval(() => { if (!document.hidden) this.load(); }, RELOAD);
  }

  showMinutes(minutes) {
    this.given.minutes = minutes;
    this.columns = this.columns.map(() => []);
    this.gaps = [];
    this.plot.setData(this.columns);
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
    const live = this.columns[0].map((at, n) => [at, ...this.columns.slice(1).map((column) => column[n])]);
    this.columns = [found.t, found.high, found.low, found.mean];
    this.gaps = found.gaps;
    this.patience = found.patience;
    for (const [at, , , mean] of live) if (at > newest && mean !== null) this.append(at, mean);
    document.querySelector("[data-summary]").textContent = found.summary;
    const lines = document.querySelector("[data-slices]").rows;
    found.table.forEach((cells, n) => cells.forEach((text, m) => { lines[n].cells[m].textContent = text; }));
    this.show();
  }

  add(at, value) {
    if (value === null || at <= (this.columns[0].at(-1) ?? 0)) return;
    this.append(at, value);
    this.show();
  }

  append(at, value) {
    const before = this.columns[0].at(-1);
    if (before !== undefined && at - before > this.patience) {
      this.columns[0].push(before + 1);
      for (const column of this.columns.slice(1)) column.push(null);
    }
    this.columns[0].push(at);
    for (const column of this.columns.slice(1)) column.push(value);
  }

  show() {
    const oldest = Date.now() / 1000 - this.given.minutes * 60;
    const first = Math.max(this.columns[0].length - MOST, this.columns[0].findIndex((at) => at >= oldest));
    if (first > 0) this.columns = this.columns.map((column) => column.slice(first));
    this.plot.setData(this.columns);
  }

  // --- drawing ---
  draw() {
    this.plot?.destroy();
    const colours = Object.fromEntries(
      ["base", "band", "muted", "rule", "limit", "hatch"].map((name) => [name, token(name)]),
    );
    const font = `${token("caption")} ${token("font")}`;
    const axis = { stroke: colours.muted, font, grid: { stroke: colours.rule, width: 1 }, ticks: { show: false } };
    this.plot = new uPlot({
      ...this.size(),
      legend: { show: false },
      padding: [12, 20, 0, 0],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), this.given.zone),
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: {
        x: { time: true, range: () => this.window() },
        y: { range: (_, low, high) => [0, Math.max(100, (high ?? 0) * TOP)] },
      },
      axes: [
        { ...axis, size: 32, values: (_, splits) => splits.map((at) => this.clock.format(at * 1000)) },
        { ...axis, size: 60, values: (_, splits) => splits.map((value) => this.number.format(value)) },
      ],
      series: [
        {},
        { stroke: colours.band, width: 1, points: { show: false } },
        { stroke: colours.band, width: 1, points: { show: false } },
        { stroke: colours.base, width: 1.5, points: { show: false } },
      ],
      bands: [{ series: [1, 2], fill: colours.band }],
      hooks: {
        drawAxes: [(plot) => this.hatch(plot, colours.hatch)],
        draw: [(plot) => this.limit(plot, colours.limit, font)],
        setCursor: [(plot) => this.read(plot)],
      },
    }, this.columns, this.place);
  }

  size() {
    return { width: this.place.clientWidth, height: this.place.clientHeight };
  }

  resize() {
    this.plot.setSize(this.size());
  }

  window() {
    const end = Math.max(Date.now() / 1000, this.columns[0].at(-1) ?? 0);
    return [end - this.given.minutes * 60, end];
  }

  hatch(plot, colour) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    for (const [from, to] of this.gaps) {
      const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
      if (right <= left) continue;
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, bbox.top, right - left, bbox.height);
      ctx.clip();
      ctx.beginPath();
      for (let x = left - bbox.height; x < right; x += 10 * devicePixelRatio) {
        ctx.moveTo(x, bbox.top + bbox.height);
        ctx.lineTo(x + bbox.height, bbox.top);
      }
      ctx.stroke();
      ctx.restore();
    }
    ctx.restore();
  }

  limit(plot, colour, font) {
    const { limit, words } = this.given;
    if (limit === null || limit > plot.scales.y.max) return;
    const { ctx, bbox } = plot;
    const y = plot.valToPos(limit, "y", true);
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.font = font.replace(/^[\d.]+px/, (size) => `${parseFloat(size) * devicePixelRatio}px`);
    ctx.textAlign = "right";
    ctx.fillText(`${this.number.format(limit)} VA ${words.limit}`, bbox.left + bbox.width, y - 4 * devicePixelRatio);
    ctx.restore();
  }

  // --- reading single values ---
  read(plot) {
    const { idx } = plot.cursor;
    const [times, high, low] = this.columns;
    if (idx === null || idx === undefined || times[idx] === undefined) {
      this.readout.textContent = this.legend;
      return;
    }
    const time = this.exact.format(times[idx] * 1000);
    const value = low[idx] === null ? this.given.words.nothing
      : low[idx] === high[idx] ? `${this.number.format(high[idx])} VA`
      : `${this.number.format(low[idx])} – ${this.number.format(high[idx])} VA`;
    this.readout.textContent = `${time} · ${value}`;
  }

  step(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move || !this.columns[0].length) return;
    event.preventDefault();
    const last = this.columns[0].length - 1;
    const at = this.plot.cursor.idx ?? last + 1;
    const next = Math.min(last, Math.max(0, at + move * (event.shiftKey ? 20 : 1)));
    this.plot.setCursor({ left: this.plot.valToPos(this.columns[0][next], "x"), top: 0 });
  }
}
