// The page's script: it keeps what the reader has chosen, asks the model, and
// shows the answer. It computes no bill and writes no sentence about one.
"use strict";
(() => {
const $ = id => document.getElementById(id);
const input = JSON.parse($("input").textContent);
const { Deployments: deployments, Usage: first, Styles: styles } = input;
const kinds = input.Kinds;

// make returns an element; whatever is text stays text.
function make(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children);
  return e;
}
const swatch = d => document.querySelector(`#choice input[value="${d}"]`).parentNode.querySelector("svg").cloneNode(true);

// What the reader moves. A slider without an upper end would be of no use, so
// the field beside it goes further; the first step of most sliders is nothing.
const fields = [
  { key: "rps", usage: "RequestsPerSecond", label: "Load", unit: "requests/s", low: 0.001, high: 10000, zero: true, least: 0, most: 1e6, into: $("load") },
  { key: "cpu", usage: "CPUMillis", label: "CPU time", unit: "ms", low: 0.1, high: 10000, least: 0.01, most: 900000 },
  { key: "wait", usage: "WaitMillis", label: "Waiting", unit: "ms", low: 1, high: 100000, zero: true, least: 0, most: 900000 },
  { key: "kb", usage: "ResponseKB", label: "Response", unit: "kB", low: 0.1, high: 100000, zero: true, least: 0, most: 1e6 },
  { key: "in", usage: "RequestKB", label: "Request", unit: "kB", low: 0.1, high: 100000, zero: true, least: 0, most: 1e6, more: true },
  { key: "reads", usage: "Reads", label: "S3 reads", unit: "/request", low: 0.01, high: 100, zero: true, least: 0, most: 1000, more: true },
  { key: "writes", usage: "Writes", label: "S3 writes", unit: "/request", low: 0.01, high: 100, zero: true, least: 0, most: 1000, more: true },
  { key: "lists", usage: "Lists", label: "S3 lists", unit: "/request", low: 0.01, high: 100, zero: true, least: 0, most: 1000, more: true },
  { key: "log", usage: "LogBytes", label: "Log", unit: "bytes/request", low: 1, high: 100000, zero: true, least: 0, most: 1e6, more: true },
  { key: "connection", usage: "RequestsPerConnection", label: "Requests", unit: "/connection", low: 1, high: 1000, least: 1, most: 1e6, more: true },
  { key: "discount", usage: "ComputeDiscount", label: "Discount", unit: "%, compute", low: 0, high: 90, least: 0, most: 90, linear: true, times: 100, more: true },
  { key: "hours", usage: "HoursPerDay", label: "Hours a day", unit: "h", low: 0, high: 24, linear: true, least: 0, most: 24 },
];
const steps = 1000;
function toSlider(f, value) {
  if (f.linear) return value / f.high * steps;
  if (value <= 0) return 0;
  return Math.min(steps, Math.max(1, 1 + (steps - 1) * Math.log(value / f.low) / Math.log(f.high / f.low)));
}
function fromSlider(f, position) {
  if (f.linear) return Math.round(position / steps * f.high * 2) / 2;
  if (f.zero && position < 1) return 0;
  return rounded(f.low * (f.high / f.low) ** (Math.max(0, position - 1) / (steps - 1)));
}
const shown = f => Number((state.usage[f.usage] * (f.times || 1)).toPrecision(12)); // no noise of the binary
const rounded = x => Number(x.toPrecision(3));

// The state, and the address that shares it: only what differs from the start.
const everything = deployments.map((_, d) => d);
let state;
function fresh() {
  return { usage: { ...first }, chosen: new Set(everything), closed: input.Closed, apart: true, open: new Set() };
}
function fromHash() {
  state = fresh();
  const query = new URLSearchParams(location.hash.slice(1));
  for (const f of fields) {
    const value = Number(query.get(f.key));
    if (query.get(f.key) && value >= f.least && value <= f.most) state.usage[f.usage] = value / (f.times || 1);
  }
  const known = key => query.getAll(key).map(id => deployments.findIndex(d => d.ID === id)).filter(d => d >= 0);
  for (const d of known("without")) state.chosen.delete(d);
  state.open = new Set(known("bill"));
  if (query.has("closed")) state.closed = query.get("closed") === "1";
  state.apart = !query.has("whole");
}
let written = location.hash;
function toHash() {
  const query = new URLSearchParams();
  for (const f of fields) if (state.usage[f.usage] !== first[f.usage]) query.set(f.key, shown(f));
  for (const d of everything) if (!state.chosen.has(d)) query.append("without", deployments[d].ID);
  for (const d of state.open) query.append("bill", deployments[d].ID);
  if (state.closed !== input.Closed) query.set("closed", state.closed ? "1" : "0");
  if (!state.apart) query.set("whole", "1");
  const hash = query.size ? "#" + query : "#";
  if (hash === written || hash === "#" && !written) return;
  written = hash;
  history.replaceState(null, "", hash);
}

// The model: WebAssembly, which answers JSON with JSON.
async function model() {
  const packed = Uint8Array.from(atob($("model").textContent), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const go = new Go();
  const { instance } = await WebAssembly.instantiate(await new Response(stream).arrayBuffer(), go.importObject);
  const answer = await new Promise((resolve, reject) => {
    globalThis.refdeployStart = resolve;
    go.run(instance).then(() => reject(new Error("the model ended")), reject);
  });
  const ask = (name, question) => {
    const reply = JSON.parse(answer(name, JSON.stringify(question)));
    if (reply.Error) throw new Error(reply.Error);
    return reply.Answer;
  };
  ask("load", input);
  return ask;
}

const question = (more = {}) => ({
  Usage: state.usage, Chosen: everything.filter(d => state.chosen.has(d)), Closed: state.closed, Apart: state.apart, Bills: [...state.open], ...more,
});

// What is shown.
let ask, over, chart;
function showRank() {
  const rank = ask("rank", question());
  $("h-rank").textContent = rank.Title;
  $("rank").replaceChildren(...rank.Rows.map(r => make("tr", { "data-d": r.Deployment, class: r.Place === "–" ? "out" : false },
    make("td", {}, r.Place),
    make("th", { scope: "row" }, swatch(r.Deployment), r.ID, ...(r.Notes || []).map(n => make("small", {}, n))),
    make("td", {}, r.Idle), make("td", {}, r.Load))));
  $("assumes").textContent = rank.Assumes;
  $("kinds").replaceChildren(...rank.Kinds.map(k => make("li", {}, make("i", { class: "k" + k }), kinds[k])));
  document.querySelector("#busy").previousSibling.textContent = rank.Busy;
  bars($("idle"), rank.Idle);
  bars($("busy"), rank.Load);
  for (const r of rank.Rows) document.querySelector(`.bill[data-d="${r.Deployment}"] summary b`).textContent = "$" + r.Load;
  for (const b of rank.Bills) {
    document.querySelector(`.bill[data-d="${b.Deployment}"] tbody`).replaceChildren(...b.Lines.map(l => make("tr", {},
      make("th", { scope: "row" }, l.Item), ...[l.Quantity, l.Price, l.USD, l.For, l.Of].map(text => make("td", {}, text)))));
  }
}
function bars(list, all) {
  list.replaceChildren(...all.map(b => {
    const track = make("span", { class: "track" });
    b.Width.forEach((width, k) => {
      if (!width) return;
      const part = make("i", { class: "k" + k }, make("span", {}, kinds[k]));
      part.style.setProperty("--w", width / 100);
      track.append(part);
    });
    track.append(make("b", {}, b.Total));
    return make("li", {}, make("span", { class: "name" }, b.ID), track);
  }));
}
function showOver() {
  over = ask("over", question());
  $("cheapest").replaceChildren(...over.Cheapest.map(text => make("li", {}, text)));
  $("apartNote").textContent = over.Apart;
  $("legend").replaceChildren(...over.Curves.map(c => make("li", {}, swatch(c.Deployment), make("b", {}, String(c.Deployment + 1)), make("span", {}, c.ID),
    ...(c.Note ? [make("small", {}, c.Note)] : []))));
  showTable();
  chart.draw(over);
  showChanges();
}
// What is folded away is filled when it is opened.
function showTable() {
  if (!$("asTable").open) return;
  const table = $("asTable").querySelector("table");
  table.tHead.rows[0].replaceChildren(table.tHead.rows[0].cells[0], ...over.Curves.map(c => make("th", { scope: "col" }, c.ID)));
  table.tBodies[0].replaceChildren(...over.Points.map(p => make("tr", {}, make("th", { scope: "row" }, p.Load), ...p.Cells.map(c => make("td", {}, c)))));
}
// All pairs are many: only for those who look.
let changesFor;
function showChanges() {
  clearTimeout(changesFor);
  if (!$("changes").open) return;
  changesFor = setTimeout(() => {
    const all = ask("changes", question());
    $("changes").querySelector("ul").replaceChildren(...(all.length ? all : ["No two do, over these loads."]).map(text => make("li", {}, text)));
  }, 100);
}
function showControls() {
  for (const f of fields) {
    const value = shown(f);
    if (document.activeElement !== f.number) f.number.value = value;
    f.number.removeAttribute("aria-invalid");
    f.slider.value = toSlider(f, value);
    f.slider.setAttribute("aria-valuetext", `${value} ${f.unit}`);
  }
  for (const box of boxes) box.checked = state.chosen.has(Number(box.value));
  $("closed").checked = state.closed;
  $("apart").checked = state.apart;
  for (const e of document.querySelectorAll("#facts [data-d], .bill")) e.hidden = !state.chosen.has(Number(e.dataset.d));
  for (const e of document.querySelectorAll(".bill")) e.open = state.open.has(Number(e.dataset.d));
  document.body.classList.toggle("many", state.chosen.size > 4);
}
let hashLater;
function show(loadOnly) {
  showControls();
  showRank();
  if (loadOnly) chart.mark(); else showOver();
  const load = state.usage.RequestsPerSecond;
  [...$("cheapest").children].forEach((e, i) => e.classList.toggle("here", load > over.Bounds[i][0] && load <= over.Bounds[i][1]));
  clearTimeout(hashLater);
  hashLater = setTimeout(toHash, 150); // browsers bound how often it may change
}
// One redraw a frame, however fast the slider moves.
let waiting = false, waitingAll = false;
function change(all) {
  waitingAll ||= all;
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    const loadOnly = !waitingAll;
    waiting = waitingAll = false;
    show(loadOnly);
  });
}

const boxes = [...document.querySelectorAll("#choice .boxes input")];
function controls() {
  for (const f of fields) {
    const box = f.into || (f.more ? $("more").lastChild : $("fields")).appendChild(make("div", { class: "field" }));
    f.slider = make("input", { type: "range", id: f.key, min: 0, max: steps, step: "any" });
    f.number = make("input", { type: "number", id: f.key + "-number", min: f.least, max: f.most, step: "any", "aria-label": `${f.label}, ${f.unit}` });
    box.append(make("label", { for: f.key }, f.label), f.slider, make("span", {}, f.number, f.unit));
    const set = value => { state.usage[f.usage] = value / (f.times || 1); change(f.key !== "rps"); };
    f.slider.addEventListener("input", () => set(fromSlider(f, Number(f.slider.value))));
    f.slider.addEventListener("keydown", event => {
      const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
      if (!by) return;
      event.preventDefault();
      set(fromSlider(f, Math.min(steps, Math.max(0, Number(f.slider.value) + by * steps / (f.linear ? 48 : 140)))));
    });
    f.number.addEventListener("input", () => {
      const value = Number(f.number.value);
      const good = f.number.value !== "" && value >= f.least && value <= f.most;
      if (good) set(value); else f.number.setAttribute("aria-invalid", "true");
    });
    f.number.addEventListener("blur", showControls);
  }
  for (const box of boxes) {
    box.addEventListener("change", () => {
      if (box.checked) state.chosen.add(Number(box.value)); else state.chosen.delete(Number(box.value));
      change(true);
    });
  }
  $("all").addEventListener("click", () => { state.chosen = new Set(everything); change(true); });
  $("none").addEventListener("click", () => { state.chosen.clear(); change(true); });
  $("reset").addEventListener("click", () => { state = fresh(); change(true); });
  for (const key of ["closed", "apart"]) $(key).addEventListener("change", () => { state[key] = $(key).checked; change(true); });
  $("closedLabel").hidden = !deployments.some(d => d.Closed);
  $("apartLabel").hidden = !deployments.some(d => d.Plan.Charges.some(c => c.Everyone));
  $("asTable").addEventListener("toggle", () => over && showTable());
  $("changes").addEventListener("toggle", showChanges);
  $("controls").addEventListener("submit", event => event.preventDefault());
  for (const e of document.querySelectorAll(".bill")) {
    const d = Number(e.dataset.d);
    const open = on => {
      if (on === state.open.has(d)) return;
      if (on) state.open.add(d); else state.open.delete(d);
      change(false);
    };
    e.querySelector("summary").addEventListener("click", event => { event.preventDefault(); open(!state.open.has(d)); });
    e.addEventListener("toggle", () => open(e.open)); // a search in the page opens it, too
  }
  addEventListener("hashchange", () => {
    if (location.hash === written) return;
    written = location.hash;
    fromHash();
    change(true);
  });
}

// The chart: bills over the load. uPlot draws lines and axes; the labels at the
// lines' ends are buttons, so that a keyboard and a screen reader reach them.
function newChart(box) {
  // Asking for a color makes the browser work out all styles: once is enough.
  let colors = {};
  const color = name => colors[name] ??= getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const plain = x => x.toLocaleString("en-US", { maximumSignificantDigits: 3 });
  const marksEvery = 14;
  let active = null, zoomed = false, last, names;
  const label = make("span"), now = make("div", { class: "now" }, label);
  const ends = make("div", { class: "ends" });
  const buttons = deployments.map((d, i) => {
    const b = make("button", { type: "button", "data-d": i, hidden: true }, make("b", {}, `${i + 1} `), make("span", {}, d.ID));
    b.style.color = `var(--c${styles[i].Color})`;
    b.addEventListener("focus", () => read(i, state.usage.RequestsPerSecond));
    b.addEventListener("pointerenter", () => read(i, state.usage.RequestsPerSecond));
    b.addEventListener("click", () => read(i, state.usage.RequestsPerSecond));
    b.addEventListener("blur", () => focus(null));
    return b;
  });
  const splits = (u, axis, min, max) => {
    const wide = max / min > 200, all = [];
    const room = (axis ? u.bbox.height : u.bbox.width) / uPlot.pxRatio / Math.log10(max / min); // of a factor of ten
    const skip = wide && room < (axis ? 18 : 52) ? 2 : 1;
    for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++) {
      if (power % skip) continue;
      for (const digit of wide ? [1] : max / min > 12 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8]) {
        const at = digit * 10 ** power;
        if (at >= min * 0.999 && at <= max * 1.001) all.push(Number(at.toPrecision(6)));
      }
    }
    return all;
  };
  const axis = {
    stroke: () => color("--soft"), font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", splits, filter: (u, s) => s,
    grid: { stroke: () => color("--faint"), width: 1 }, ticks: { stroke: () => color("--line"), width: 1, size: 5 },
    values: (u, all) => all.map(plain),
  };
  const marks = d => (u, s) => {
    const path = new Path2D(), at = [];
    u.data[s].forEach((y, i) => { if (y >= u.scales.y.min && u.data[0][i] >= u.scales.x.min && u.data[0][i] <= u.scales.x.max && (i + d * 5) % marksEvery === 0) at.push(i); });
    for (const i of at) {
      const x = u.valToPos(u.data[0][i], "x", true), y = u.valToPos(u.data[s][i], "y", true);
      path.addPath(new Path2D(styles[d].Mark), new DOMMatrix().translate(x, y).scale(uPlot.pxRatio * 0.9));
    }
    return { stroke: path, fill: path };
  };
  const series = [{}];
  deployments.forEach((d, i) => {
    const stroke = () => color(`--c${styles[i].Color}`);
    series.push({ label: d.ID, scale: "y", width: 2, stroke, dash: styles[i].Dash, spanGaps: false,
      points: { show: true, paths: marks(i), stroke, fill: () => styles[i].Open ? color("--card") : stroke(), width: 1.3, filter: (u, s) => u.data[s].map((_, j) => j) } });
    series.push({ label: d.ID, scale: "y", width: 1.5, stroke, dash: [1, 5], cap: "round", spanGaps: false, alpha: 0.6, points: { show: false } });
  });
  const range = () => zoomed ? [last.Zoom[0], last.Zoom[1]] : [0.001, 10000];
  // Bills below a dollar decide nothing, and would take half of the chart.
  const yRange = u => {
    const [from, to] = range();
    let low = Infinity, high = 0;
    for (const c of last.Curves) {
      c.USD.forEach((y, i) => {
        if (last.Loads[i] < from || last.Loads[i] > to) return;
        low = Math.min(low, y);
        high = Math.max(high, y);
      });
    }
    low = Math.max(1, low); high = Math.max(low * 1.5, high);
    if (zoomed) return [low / 1.15, high * 1.15];
    return [10 ** Math.floor(Math.log10(low) + 1e-9), high * 1.3];
  };
  const narrow = () => box.clientWidth < 560;
  let gutter = 40;
  const u = new uPlot({
    width: Math.max(200, box.clientWidth), height: box.clientHeight,
    padding: [10, () => gutter, 0, 0], legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: { x: { time: false, distr: 3, range: () => last ? range() : [0.001, 10000] }, y: { distr: 3, range: v => last && last.Curves.length ? yRange(v) : [1, 1000] } },
    axes: [{ ...axis, label: "requests a second", size: 36, labelSize: 20 }, { ...axis, label: "US dollars a month", size: 58, labelSize: 20 }],
    series,
    hooks: { draw: [place], setCursor: [hover] },
  }, [[0.001, 10000], ...series.slice(1).map(() => [null, null])], box);
  u.over.append(now);
  ends.append(make("span"), ...buttons);
  box.querySelector(".u-wrap").append(ends);

  // Labels stand beside their lines' ends, and give way to each other.
  function place() {
    if (!last) return;
    const ratio = uPlot.pxRatio, top = u.bbox.top / ratio, height = u.bbox.height / ratio, right = (u.bbox.left + u.bbox.width) / ratio;
    const [, to] = range(), gap = 16;
    const at = last.Curves.map(c => {
      let i = last.Loads.length - 1;
      while (i > 0 && last.Loads[i] > to * 1.0001) i--;
      const y = u.valToPos(Math.max(c.USD[i], u.scales.y.min), "y");
      return { d: c.Deployment, end: Math.min(height, Math.max(0, y)), y: 0 };
    }).sort((a, b) => a.end - b.end);
    at.forEach((l, i) => { l.y = Math.max(l.end, i ? at[i - 1].y + gap : 0); });
    let floor = height;
    for (const l of [...at].reverse()) { l.y = Math.min(l.y, floor); floor = l.y - gap; }
    const lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const l of at) {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", `M${right + 1} ${top + l.end}L${right + 12} ${top + l.y}`);
      lines.append(path);
      buttons[l.d].style.left = right + 11 + "px";
      buttons[l.d].style.top = top + l.y + "px";
    }
    ends.firstChild.replaceWith(lines);
    mark();
  }
  function mark() {
    const load = state.usage.RequestsPerSecond, [from, to] = range();
    now.hidden = !(load >= from && load <= to);
    now.style.left = u.valToPos(load, "x") + "px";
    now.classList.toggle("left", u.valToPos(load, "x") > u.bbox.width / uPlot.pxRatio - 120);
    label.textContent = `${plain(load)} requests/s`;
    if (active !== null && buttons[active] === document.activeElement) say(active, load);
  }
  function focus(d) {
    if (d === active) return;
    active = d;
    series.forEach((_, s) => {
      if (!s) return;
      const own = Math.floor((s - 1) / 2) === d, base = s % 2 ? 1 : 0.6;
      u.series[s].alpha = d === null || own ? base : base * 0.25;
      u.series[s].width = own && s % 2 ? 3.5 : s % 2 ? 2 : 1.5;
    });
    u.redraw(false);
  }
  const say = (d, load) => { $("readout").textContent = ask("total", question({ Usage: { ...state.usage, RequestsPerSecond: load }, Bills: [d] })); };
  function read(d, load) {
    focus(d);
    say(d, load);
  }
  function hover() {
    const { left, top } = u.cursor;
    if (!last || left < 0 || !last.Curves.length) { if (active !== null && buttons[active] !== document.activeElement) focus(null); return; }
    const load = rounded(u.posToVal(left, "x"));
    let i = last.Loads.findIndex(x => x >= load);
    if (i < 0) i = last.Loads.length - 1;
    let best = null, near = 40;
    for (const c of last.Curves) {
      const away = c.USD[i] > 0 ? Math.abs(u.valToPos(c.USD[i], "y") - top) : Infinity;
      if (away < near) { best = c.Deployment; near = away; }
    }
    if (best !== null) read(best, load); else focus(null);
  }
  // A press, or a drag, chooses the load.
  const press = event => {
    if (!(event.buttons & 1)) return;
    const x = event.clientX - u.over.getBoundingClientRect().left;
    const [from, to] = range();
    state.usage.RequestsPerSecond = Math.min(to, Math.max(from, rounded(u.posToVal(x, "x"))));
    change(false);
  };
  u.over.addEventListener("pointerdown", event => { u.over.setPointerCapture(event.pointerId); press(event); });
  u.over.addEventListener("pointermove", press);
  box.addEventListener("keydown", event => {
    const across = { ArrowRight: 1, ArrowLeft: -1 }[event.key], along = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!across && !along) return;
    event.preventDefault();
    if (across) {
      const load = state.usage.RequestsPerSecond || 0.001;
      state.usage.RequestsPerSecond = rounded(Math.min(10000, Math.max(0.001, load * 10 ** (across / (event.shiftKey ? 5 : 20)))));
      change(false);
      return;
    }
    const shown = buttons.filter(b => !b.hidden).sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top));
    shown[(shown.indexOf(document.activeElement) + along + shown.length) % shown.length].focus();
  });
  // uPlot counts dashes in dots of the screen, of which a phone has three.
  function dashes() {
    series.forEach((own, s) => { if (s) u.series[s].dash = own.dash.map(length => length * uPlot.pxRatio); });
  }
  function resize() {
    if (!box.clientWidth) return;
    dashes();
    box.classList.toggle("narrow", narrow());
    gutter = 18 + Math.max(16, ...buttons.map(b => b.offsetWidth));
    u.setSize({ width: box.clientWidth, height: box.clientHeight });
  }
  new ResizeObserver(resize).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colors = {}; u.redraw(false); });
  $("zoom").addEventListener("click", () => {
    zoomed = !zoomed;
    $("zoom").setAttribute("aria-pressed", zoomed);
    $("zoom").textContent = zoomed ? "Show all loads" : "Zoom to where the winner changes";
    fill();
  });
  function fill() {
    const data = [last.Loads];
    for (const d of everything) {
      const c = last.Curves.find(c => c.Deployment === d);
      const end = c && c.End || Infinity;
      data.push(last.Loads.map((x, i) => c && x <= end && c.USD[i] > 0 ? c.USD[i] : null));
      data.push(last.Loads.map((x, i) => c && x >= end && c.USD[i] > 0 ? c.USD[i] : null));
    }
    u.setData(data);
  }
  // Paper has no dark side, and a width of its own.
  const paper = on => {
    document.documentElement.toggleAttribute("data-paper", on);
    colors = {};
    box.style.width = on ? "660px" : "";
    box.style.height = on ? "380px" : "";
    resize();
  };
  addEventListener("beforeprint", () => paper(true));
  addEventListener("afterprint", () => paper(false));

  return {
    mark,
    draw(answer) {
      last = answer;
      $("zoom").disabled = answer.Cheapest.length < 2;
      const shown = answer.Curves.map(c => c.Deployment).join();
      if (shown !== names) buttons.forEach((b, d) => { b.hidden = !answer.Curves.some(c => c.Deployment === d); });
      fill();
      if (shown !== names) resize();
      names = shown;
    },
  };
}

async function start() {
  fromHash();
  ask = await model();
  controls();
  for (const id of ["load", "controls", "tools", "figure", "changes"]) $(id).hidden = false;
  $("asTable").open = false;
  chart = newChart($("chart"));
  show(false);
  document.documentElement.dataset.ready = "";
}
start().catch(error => {
  $("failed").textContent = `The page cannot follow your changes here, and shows the load it was written for: ${error.message}`;
  $("failed").hidden = false;
});
})();
