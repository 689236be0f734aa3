// Energy or money as bars, stacked in the order of their layers.
// new Bars(place, {unit, decimals, words, buckets, layers, fine?}): buckets = [{from, to, label, name, estimated}], layers = [{name,
// mark, values, below?}], null is not known. `mark` is a token of tokens.css (base, peak, off-peak, bleu-hc ...). An estimate
// is an outline. fine = an address for each bucket, opened by Enter or a double click.
import { Plot, TOP, token } from "./plot.js";

const INSET = 0.1; // of a bar's width that stays empty on either side

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
