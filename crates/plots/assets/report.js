// Draws each accuracy-cost chart from the JSON that lies in it, and answers mouse, touch and keyboard.
//
// All text from data reaches the page through textContent and setAttribute only, never as HTML.
(() => {
  'use strict';

  const SVG = 'http://www.w3.org/2000/svg';
  /** Room around the frame, in pixels. */
  const ROOM = { top: 14, right: 14, bottom: 46, left: 56 };
  /** Farther from every mark than this, in pixels, the pointer means none. */
  const REACH = 48;
  /** A mark wins over a curve that is nearer by no more than this. */
  const MARK_BONUS = 6;
  /** Below this width the readout is under the chart, where no finger hides it. */
  const NARROW = 620;
  const N_SHARES = 6;
  const MIXTURE_PIECES = 40;
  /** Prices are small: everything is shown per 1,000 queries. */
  const QUERIES = 1000;

  const svg = (name, attributes, parent) => put(document.createElementNS(SVG, name), attributes, parent);
  const html = (name, attributes, parent, text) => {
    const element = put(document.createElement(name), attributes, parent);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  function put(element, attributes, parent) {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    parent?.append(element);
    return element;
  }

  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const accuracyText = (accuracy) => accuracy.toFixed(4);
  const costText = (usd) => `$${significant(QUERIES * usd, 5)}`;
  /** A number without an exponent, as long as it has to be. */
  function significant(value, digits) {
    if (value === 0) return '0';
    const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
    return value.toFixed(Math.min(decimals, 12));
  }
  /** Close to 1 what is left counts: .99987 has as many digits there as .13 has. */
  function controlText(value) {
    if (value === 0 || value === 1) return String(value);
    const decimals = 2 - Math.floor(Math.log10(Math.min(value, 1 - value)));
    return value.toFixed(Math.min(Math.max(decimals, 4), 15));
  }

  /** Curves, then the LLMs, then the points to compare with: each a list of points that can be chosen. */
  function seriesOf(data) {
    const series = data.curves.map((curve) => ({
      ...curve,
      isCurve: true,
      isShown: curve.isShown,
      points: curve.points.map(([control, cost, accuracy, counts]) => ({ control, cost, accuracy, counts })),
    }));
    const marks = (name, key, points) => {
      if (points.length > 0) series.push({ name, key, points, isCurve: false, isShown: true });
    };
    const byCost = (a, b) => b.cost - a.cost;
    marks('Single LLMs', 'llm', data.llms.map(([name, cost, accuracy, label]) => ({ name, cost, accuracy, label })).sort(byCost));
    marks('Oracle and random LLM', 'reference',
      data.references.map(([name, cost, accuracy, says]) => ({ name, cost, accuracy, says })).sort(byCost));
    return series;
  }

  class Chart {
    constructor(root) {
      this.root = root;
      this.data = JSON.parse(root.querySelector('script').textContent);
      this.series = seriesOf(this.data);
      this.chosen = null;
      const costs = this.series.flatMap((series) => series.points.map((point) => point.cost));
      this.canBeLog = Math.min(...costs) > 0 && Math.max(...costs) > Math.min(...costs);
      this.isLog = this.data.isLog && this.canBeLog;

      this.bar = root.querySelector('.chart-bar');
      this.area = root.querySelector('.chart-area');
      this.buildBar();
      this.canvas = svg('svg', {
        tabindex: 0,
        role: 'application',
        'aria-roledescription': 'interactive chart',
        'aria-label': `${root.getAttribute('aria-label')}. Arrow keys left and right move along a curve, up and down change the curve.`,
      }, this.area);
      this.readout = html('div', { class: 'readout', role: 'status', 'aria-live': 'off' }, this.area);
      this.canvas.addEventListener('pointermove', (event) => this.point(event));
      this.canvas.addEventListener('pointerdown', (event) => this.point(event));
      // Whatever chose a point takes it back: a finger that was lifted leaves it to be read.
      this.canvas.addEventListener('pointerleave', () => {
        if (this.by === 'mouse') this.choose(null);
      });
      this.canvas.addEventListener('keydown', (event) => this.key(event));
      this.canvas.addEventListener('focus', () => {
        if (this.canvas.matches(':focus-visible') && !this.chosen) this.choose(this.start(), 'key');
      });
      this.canvas.addEventListener('blur', () => {
        if (this.by === 'key') this.choose(null);
      });
      const numbers = root.querySelector('details.numbers');
      numbers.addEventListener('toggle', () => this.fillNumbers(numbers), { once: true });
      this.draw();
      // The area's width follows the window's; its height is ours.
      new ResizeObserver(() => {
        if (this.area.clientWidth !== this.width) this.draw();
      }).observe(this.area);
    }

    buildBar() {
      const legend = html('div', { class: 'legend', role: 'group', 'aria-label': 'Shown in the chart' }, this.bar);
      for (const series of this.series) {
        const button = html('button', { type: 'button', 'aria-pressed': series.isShown }, legend);
        const sample = svg('svg', { viewBox: '0 0 26 10', width: 26, height: 10, 'aria-hidden': 'true' }, button);
        if (series.isCurve) svg('path', { ...lookOf(series), d: 'M1 5H25' }, sample);
        else drawMark(sample, series.key, 13, 5);
        html('bdi', {}, button, series.name);
        button.addEventListener('click', () => {
          series.isShown = !series.isShown;
          button.setAttribute('aria-pressed', series.isShown);
          this.chosen = null;
          this.draw();
        });
      }
      if (!this.canBeLog) return;
      const scale = html('div', { class: 'scale', role: 'group', 'aria-label': 'Scale of the cost axis' }, this.bar);
      const buttons = [false, true].map((isLog) => {
        const button = html('button', { type: 'button', 'aria-pressed': isLog === this.isLog }, scale, isLog ? 'log' : 'linear');
        button.addEventListener('click', () => {
          this.isLog = isLog;
          buttons.forEach((other, i) => other.setAttribute('aria-pressed', (i === 1) === isLog));
          this.draw();
        });
        return button;
      });
    }

    get shown() {
      return this.series.filter((series) => series.isShown);
    }

    draw() {
      this.width = this.area.clientWidth;
      this.isNarrow = this.width < NARROW;
      this.height = Math.round(Math.min(520, Math.max(300, this.width * 0.58)));
      this.area.classList.toggle('narrow', this.isNarrow);
      put(this.canvas, { viewBox: `0 0 ${this.width} ${this.height}`, width: this.width, height: this.height });
      this.canvas.replaceChildren();
      this.frame = { left: ROOM.left, top: ROOM.top, right: this.width - ROOM.right, bottom: this.height - ROOM.bottom };
      this.setScales();
      this.drawAxes();
      const plot = svg('g', {}, this.canvas);
      this.paths = new Map();
      // The first curve of the legend lies on top, but for solid ones, which would hide a dashed one that runs along with them.
      const order = (series) => (series.isMixture ? 0 : series.dash.length > 0 ? 2 : 1);
      const curves = this.shown.filter((series) => series.isCurve).reverse().sort((a, b) => order(a) - order(b));
      for (const series of curves) this.paths.set(series, this.drawCurve(plot, series));
      const marks = svg('g', {}, this.canvas);
      for (const series of this.shown) {
        if (!series.isCurve) for (const point of series.points) drawMark(marks, series.key, point.x, point.y);
      }
      if (!this.isNarrow) this.drawLabels(svg('g', { class: 'label' }, this.canvas));
      this.cursor = svg('g', { class: 'cursor' }, this.canvas);
      this.choose(this.chosen);
    }

    setScales() {
      // Over all series, shown or not: hiding one must not move the others.
      const points = this.series.flatMap((series) => series.points);
      const range = (values) => [Math.min(...values), Math.max(...values)];
      const [cheapest, dearest] = range(points.map((point) => QUERIES * point.cost));
      const [worst, best] = range(points.map((point) => point.accuracy));
      const { left, right, top, bottom } = this.frame;
      const pad = best > worst ? 0.05 * (best - worst) : 0.05;
      this.accuracies = [Math.max(0, worst - pad), Math.min(1, best + pad)];
      const [low, high] = this.accuracies;
      this.y = (accuracy) => bottom - ((accuracy - low) / (high - low)) * (bottom - top);
      if (this.isLog) {
        const room = (dearest / cheapest) ** 0.03;
        this.costs = [cheapest / room, dearest * room];
        const [from, to] = this.costs.map(Math.log);
        this.x = (cost) => left + ((Math.log(cost) - from) / (to - from)) * (right - left);
      } else {
        this.costs = [0, dearest > 0 ? 1.03 * dearest : 1];
        this.x = (cost) => left + (cost / this.costs[1]) * (right - left);
      }
      for (const point of points) {
        point.x = this.x(QUERIES * point.cost);
        point.y = this.y(point.accuracy);
      }
    }

    drawAxes() {
      const { left, right, top, bottom } = this.frame;
      const grid = svg('g', { class: 'grid' }, this.canvas);
      const texts = svg('g', { class: 'axis' }, this.canvas);
      const write = (text, attributes) => { svg('text', attributes, texts).textContent = text; };
      const maxTicks = Math.max(2, Math.floor((right - left) / 90));
      for (const [cost, text] of this.isLog ? logTicks(...this.costs, maxTicks) : linearTicks(...this.costs, maxTicks)) {
        const x = this.x(cost);
        svg('path', { d: `M${x.toFixed(1)} ${top}V${bottom}` }, grid);
        write(text, { x: x.toFixed(1), y: bottom + 17, 'text-anchor': 'middle' });
      }
      for (const [accuracy, text] of linearTicks(...this.accuracies, Math.max(2, Math.floor((bottom - top) / 60)))) {
        const y = this.y(accuracy);
        svg('path', { d: `M${left} ${y.toFixed(1)}H${right}` }, grid);
        write(text, { x: left - 8, y: (y + 4).toFixed(1), 'text-anchor': 'end' });
      }
      svg('path', { class: 'frame', d: `M${left} ${top}H${right}V${bottom}H${left}Z` }, grid);
      write('Cost per 1,000 queries, $', { class: 'title', x: (left + right) / 2, y: this.height - 8, 'text-anchor': 'middle' });
      const middle = (top + bottom) / 2;
      write('Accuracy', { class: 'title', x: 14, y: middle, 'text-anchor': 'middle', transform: `rotate(-90 14 ${middle})` });
    }

    drawCurve(parent, series) {
      const place = ({ x, y }) => `${x.toFixed(2)} ${y.toFixed(2)}`;
      const { points } = series;
      if (points.length === 1) return svg('circle', { ...lookOf(series), class: 'curve dot', cx: points[0].x, cy: points[0].y, r: 4 }, parent);
      // Between two corners a router can choose at random: a straight line in dollars, which a logarithmic axis bends.
      const bent = (to, i) => {
        if (i === 0 || !series.isMixture || !this.isLog) return [place(to)];
        const from = points[i - 1];
        return Array.from({ length: MIXTURE_PIECES }, (_, piece) => {
          const cost = from.cost * (to.cost / from.cost) ** ((piece + 1) / MIXTURE_PIECES);
          const share = to.cost === from.cost ? 1 : (cost - from.cost) / (to.cost - from.cost);
          return place({ x: this.x(QUERIES * cost), y: this.y(from.accuracy + share * (to.accuracy - from.accuracy)) });
        });
      };
      return svg('path', { ...lookOf(series), 'data-key': series.key, d: `M${points.flatMap(bent).join('L')}` }, parent);
    }

    /** Names of LLMs, each where it covers no mark and no other name; the readout has those that do not fit. */
    drawLabels(parent) {
      const marks = this.shown.filter((series) => !series.isCurve);
      const lines = this.shown.filter((series) => series.isCurve).flatMap((series) => series.points);
      const taken = marks.flatMap((series) => series.points.map(({ x, y }) => [x - 6, y - 6, x + 6, y + 6]));
      const { left, right, top, bottom } = this.frame;
      const meets = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
      for (const point of marks.flatMap((series) => series.points)) {
        const text = svg('text', {}, parent);
        text.textContent = point.label ?? point.name;
        const width = text.getComputedTextLength();
        const places = [[9, 4], [-9 - width, 4], [-width / 2, -9], [-width / 2, 18], [8, -7], [8, 15], [-8 - width, -7], [-8 - width, 15]];
        let best = null;
        for (const [dx, dy] of places) {
          const box = [point.x + dx - 2, point.y + dy - 11, point.x + dx + width + 2, point.y + dy + 4];
          if (box[0] < left || box[2] > right || box[1] < top || box[3] > bottom || taken.some((other) => meets(box, other))) continue;
          const cost = lines.filter(({ x, y }) => meets(box, [x - 2, y - 2, x + 2, y + 2])).length;
          if (!best || cost < best.cost) best = { box, cost, x: point.x + dx, y: point.y + dy };
        }
        if (!best) {
          text.remove();
          continue;
        }
        taken.push(best.box);
        put(text, { x: best.x.toFixed(1), y: best.y.toFixed(1) });
      }
    }

    point(event) {
      const box = this.canvas.getBoundingClientRect();
      const by = event.pointerType === 'mouse' ? 'mouse' : 'touch';
      this.choose(this.nearest(event.clientX - box.left, event.clientY - box.top), by);
    }

    nearest(x, y) {
      let best = null;
      for (const series of this.shown) {
        series.points.forEach((point, i) => {
          const distance = Math.hypot(point.x - x, point.y - y) - (series.isCurve ? 0 : MARK_BONUS);
          if (distance < REACH && (!best || distance < best.distance)) best = { series, i, distance };
        });
      }
      return best;
    }

    /** Where the keyboard begins: the middle of the first curve. */
    start() {
      const series = this.shown[0];
      return series ? { series, i: Math.floor(series.points.length / 2) } : null;
    }

    key(event) {
      const at = this.chosen ?? this.start();
      if (!at || event.altKey || event.ctrlKey || event.metaKey) return;
      const last = at.series.points.length - 1;
      const along = (i) => ({ series: at.series, i: Math.min(last, Math.max(0, i)) });
      const across = (step) => {
        const shown = this.shown;
        const series = shown[(shown.indexOf(at.series) + step + shown.length) % shown.length];
        const from = at.series.points[at.i];
        const distances = series.points.map((point) => Math.hypot(point.x - from.x, point.y - from.y));
        return { series, i: distances.indexOf(Math.min(...distances)) };
      };
      // Points run from the most accurate end to the cheapest one, but for a mixture's.
      const toRight = at.series.isMixture ? 1 : -1;
      const moves = {
        ArrowRight: () => along(at.i + toRight),
        ArrowLeft: () => along(at.i - toRight),
        PageUp: () => along(at.i + 10 * toRight),
        PageDown: () => along(at.i - 10 * toRight),
        ArrowUp: () => across(-1),
        ArrowDown: () => across(1),
        Home: () => along(toRight > 0 ? 0 : last),
        End: () => along(toRight > 0 ? last : 0),
        Escape: () => null,
      };
      if (!Object.hasOwn(moves, event.key)) return;
      event.preventDefault();
      this.choose(this.chosen || event.key === 'Escape' ? moves[event.key]() : at, 'key');
    }

    /** Chooses a point, or none; `by` says with what: mouse, touch or key. */
    choose(chosen, by = this.by) {
      this.chosen = chosen;
      this.by = by;
      for (const [series, path] of this.paths) path.classList.toggle('faded', chosen !== null && chosen.series.isCurve && chosen.series !== series);
      this.cursor.replaceChildren();
      this.readout.setAttribute('aria-live', by === 'key' ? 'polite' : 'off');
      this.readout.replaceChildren();
      this.readout.classList.toggle('empty', chosen === null);
      if (this.isNarrow) this.readout.removeAttribute('style');
      if (chosen === null) {
        if (this.isNarrow) html('p', { class: 'hint' }, this.readout, 'Touch the chart to read a point off it.');
        return;
      }
      const point = chosen.series.points[chosen.i];
      const { left, bottom } = this.frame;
      svg('path', { class: 'cross', d: `M${left} ${point.y.toFixed(1)}H${point.x.toFixed(1)}V${bottom}` }, this.cursor);
      const ring = chosen.series.isCurve ? { class: 'ring', style: `--c: ${chosen.series.color}` } : { class: 'ring' };
      svg('circle', { ...ring, cx: point.x.toFixed(1), cy: point.y.toFixed(1), r: 6 }, this.cursor);
      this.fillReadout(chosen.series, point);
      this.placeReadout(point);
    }

    fillReadout(series, point) {
      const head = html('p', { class: 'name' }, this.readout);
      if (series.isCurve) {
        const sample = svg('svg', { viewBox: '0 0 22 10', width: 22, height: 10, 'aria-hidden': 'true' }, head);
        svg('path', { ...lookOf(series), d: 'M1 5H21' }, sample);
      }
      html('bdi', {}, head, series.isCurve ? series.name : point.name);
      const list = html('dl', {}, this.readout);
      const say = (term, value) => { html('dt', {}, list, term); html('dd', {}, list, value); };
      if (series.control === 'lambda') say('Lambda', controlText(point.control));
      // JSON has no infinity: no threshold is one that no probability reaches.
      if (series.control === 'threshold') say('Threshold', point.control === null ? 'none' : controlText(point.control));
      say('Cost per 1,000 queries', costText(point.cost));
      say('Accuracy', accuracyText(point.accuracy));
      if (point.counts) this.fillShares(series, point.counts);
      else html('p', { class: 'says' }, this.readout, point.says ?? 'answers every prompt');
    }

    fillShares(series, counts) {
      const shares = this.sharesOf(series, counts);
      html('p', { class: 'says' }, this.readout, 'Share of the prompts');
      const list = html('ul', { class: 'shares' }, this.readout);
      const line = (name, share, className) => {
        const item = html('li', { class: className }, list);
        html('bdi', {}, item, name);
        html('span', { class: 'share' }, item, percent(share));
        html('span', { class: 'meter', style: `width: ${(100 * share).toFixed(1)}%` }, item);
      };
      // One line for a single LLM that is left over would be as long as its own.
      const nShown = shares.length === N_SHARES + 1 ? N_SHARES + 1 : N_SHARES;
      shares.slice(0, nShown).forEach(([name, share]) => line(name, share, 'llm'));
      const rest = shares.slice(nShown);
      if (rest.length > 0) line(`${rest.length} others`, rest.reduce((sum, [, share]) => sum + share, 0), 'rest');
    }

    /** LLMs with their shares, the largest first, of equal ones in the data set's order. */
    sharesOf(series, counts) {
      return counts
        .map(([model, count]) => [this.data.models[model], count / series.nPrompts])
        .sort((a, b) => b[1] - a[1]);
    }

    placeReadout(point) {
      if (this.isNarrow) return;
      const { offsetWidth: width, offsetHeight: height } = this.readout;
      const right = point.x + 18;
      const left = right + width <= this.width ? right : Math.max(0, point.x - 18 - width);
      const top = Math.max(0, Math.min(this.height - height, point.y - height / 2));
      this.readout.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
    }

    /** The same numbers as a table, for those who read rather than look; built when it is opened. */
    fillNumbers(details) {
      const table = html('table', {}, html('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Numbers of the chart' }, details));
      const header = html('tr', {}, html('thead', {}, table));
      for (const name of ['Curve or LLM', 'Lambda or threshold', 'Cost per 1,000 queries', 'Accuracy', 'Share of the prompts']) {
        html('th', { scope: 'col' }, header, name);
      }
      const body = html('tbody', {}, table);
      for (const series of this.series) {
        for (const point of series.points) {
          const row = html('tr', {}, body);
          html('bdi', {}, html('th', { scope: 'row' }, row), series.isCurve ? series.name : point.name);
          const control = point.control === null || point.control === undefined ? '' : controlText(point.control);
          html('td', { class: 'number' }, row, control);
          html('td', { class: 'number' }, row, costText(point.cost));
          html('td', { class: 'number' }, row, accuracyText(point.accuracy));
          const shares = point.counts ? this.sharesOf(series, point.counts) : [];
          html('td', {}, row, shares.map(([name, share]) => `${name} ${percent(share)}`).join(', '));
        }
      }
    }
  }

  function lookOf(series) {
    return { class: 'curve', style: `--c: ${series.color}; stroke-width: ${2.2 * series.width}; stroke-dasharray: ${series.dash.map((d) => 1.6 * d).join(' ') || 'none'}` };
  }

  function drawMark(parent, key, x, y) {
    if (key === 'llm') svg('circle', { class: 'mark', cx: x.toFixed(1), cy: y.toFixed(1), r: 3.5 }, parent);
    else svg('path', { class: 'mark hollow', d: `M${x.toFixed(1)} ${(y - 6).toFixed(1)}l1.8 4 4.4.5-3.3 2.9.9 4.3-3.8-2.2-3.8 2.2.9-4.3-3.3-2.9 4.4-.5z` }, parent);
  }

  function linearTicks(low, high, maxTicks) {
    const rough = (high - low) / maxTicks;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10);
    const decimals = Math.min(12, Math.max(0, -Math.floor(Math.log10(step)) + (Math.abs(step / 10 ** Math.floor(Math.log10(step)) - 2.5) < 0.01 ? 1 : 0)));
    const ticks = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-12); i += 1) ticks.push([i * step, (i * step).toFixed(decimals)]);
    return ticks;
  }

  function logTicks(low, high, maxTicks) {
    for (const steps of [[1, 2, 5], [1, 3], [1]]) {
      const ticks = [];
      for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
        for (const step of steps) {
          const cost = step * 10 ** power;
          if (cost >= low && cost <= high) ticks.push([cost, power < 0 ? cost.toFixed(-power) : String(step * 10 ** power)]);
        }
      }
      if (ticks.length <= maxTicks || (steps.length === 1 && ticks.length > 0)) return ticks;
    }
    // Less than a decade without a round number in it.
    return linearTicks(low, high, maxTicks);
  }

  document.querySelectorAll('.chart').forEach((root) => new Chart(root));
})();
