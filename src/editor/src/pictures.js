// Pictures of an answer as SVG: bars, lines, a timeline, a network. Loaded when the first one is drawn.
//
// Colours come from the style sheet, so that they follow the scheme. Every mark has a name, the arrow keys go from mark
// to mark, and Enter follows its link; the table holds the same as text.

import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from "d3-force";
import { scaleBand, scaleLinear, scaleUtc } from "d3-scale";
import { line as path, symbol, symbolsFill } from "d3-shape";
import { isYears } from "./columns.js";
import { h, roving, s } from "./dom.js";
import { isBoolean, isDate, span } from "./terms.js";
import { amount, counted, day, moment, number, scaled, t } from "./words.js";

const MOST = { bar: 60, line: 5000, timeline: 120, network: 250 };
const FONT = "13px system-ui, sans-serif";
const CLASSES = 6;
const HUB = 4; // links of a node whose name comes before what is around it

const canvas = document.createElement("canvas").getContext("2d");
function width(text) {
  canvas.font = FONT;
  return canvas.measureText(text).width;
}
function fitted(text, room) {
  if (width(text) <= room) return text;
  let end = Math.max(1, Math.floor((text.length * room) / width(text)));
  while (end > 1 && width(`${text.slice(0, end)}…`) > room) end--;
  return `${text.slice(0, end).trimEnd()}…`;
}

const time = (term) => span(term.value);

/** How a term reads: as the labels have it, but dates in words. */
function called(term, labels) {
  if (isBoolean(term)) return ["true", "1"].includes(term.value) ? t("yes") : t("no");
  return isDate(term) ? day(term.value) : labels.text(term);
}

/** One thing that can be reached and read: a link where its term has a page. */
function mark(name, term, labels, ...shapes) {
  const page = labels.page(term);
  return s(page ? "a" : "g", { class: "mark", "aria-label": name, role: page ? undefined : "img", href: page || undefined }, s("title", {}, name), ...shapes);
}

function svg(wide, high, name, ...children) {
  return s("svg", { viewBox: `0 0 ${wide} ${high}`, width: wide, height: high, role: "group", "aria-label": name }, ...children);
}

/**
 * Draw `view` of an answer into `host`. `fields` names the columns; `labels` knows what IRIs are called.
 * Gives a sentence on what is shown.
 */
export async function draw(host, { view, answer, fields, labels }) {
  const rows = answer.rows.filter((row) => row[fields.x] && row[fields.y]);
  const used = rows.slice(0, MOST[view]);
  await labels.fetch(used.flatMap((row) => Object.values(fields).map((name) => row[name])).filter((term) => term?.type === "uri").map((term) => term.value));
  const room = Math.max(280, host.clientWidth);
  const drawn = { bar, line, timeline, network }[view](used, fields, labels, room);
  const readout = h("p", { class: "readout", "aria-hidden": "true" });
  const show = (event) => {
    const found = event.target.closest?.(".mark");
    if (found) readout.textContent = found.getAttribute("aria-label");
  };
  for (const kind of ["mouseover", "focusin"]) drawn.element.addEventListener(kind, show);
  host.replaceChildren(...[drawn.legend, drawn.element, readout].filter(Boolean));
  const marks = [...drawn.element.querySelectorAll(".mark")];
  roving(drawn.element, view === "network" ? marks.reverse() : marks); // the best linked first
  const left = answer.rows.length - rows.length;
  return [
    drawn.sentence,
    rows.length > used.length && t("Only the first {shown} of {total} rows are drawn.", { shown: number(used.length), total: number(rows.length) }),
    left > 0 && counted("{num} row lacks what the picture needs.", "{num} rows lack what the picture needs.", left),
    t("The table has it all as text."),
  ].filter(Boolean).join(" ");
}

function bar(rows, { x, y }, labels, room) {
  const bars = rows.map((row, index) => ({ index, text: called(row[x], labels), term: row[x], value: Number(row[y].value), shown: amount(row[y].value) }));
  const values = bars.map((one) => one.value);
  const [rowHigh, gap] = [26, 8];
  const left = Math.min(room * 0.42, Math.max(...bars.map((one) => width(one.text))) + 1);
  const right = Math.max(...bars.map((one) => width(one.shown))) + gap;
  const across = scaleLinear([Math.min(0, ...values), Math.max(0, ...values) || 1], [left + gap, room - right]);
  const down = scaleBand(bars.map((one) => one.index), [2, bars.length * rowHigh + 2]).paddingInner(0.28);
  const marks = bars.map((one) => {
    const middle = down(one.index) + down.bandwidth() / 2;
    const [from, to] = [across(0), across(one.value)].sort((a, b) => a - b);
    return mark(`${one.text}: ${one.shown}`, one.term, labels,
      s("rect", { class: "hit", x: 0, y: down(one.index), width: room, height: down.bandwidth() }),
      s("text", { x: left, y: middle, "text-anchor": "end", "dominant-baseline": "central" }, fitted(one.text, left)),
      s("rect", { class: "series-0", x: from, y: down(one.index), width: Math.max(1, to - from), height: down.bandwidth(), rx: 2 }),
      s("text", { class: "value", x: to + 5, y: middle, "dominant-baseline": "central" }, one.shown));
  });
  const high = bars.length * rowHigh + 4;
  const zero = s("line", { class: "axis", x1: across(0), x2: across(0), y1: 0, y2: high });
  return { element: svg(room, high, t("Bar chart: {y} by {x}", { x, y }), zero, ...marks), sentence: t("{y} of each {x}.", { x, y }) };
}

/** Ticks with their lines and texts along the bottom. */
function axisAcross(scale, from, to, high, whole = false) {
  const count = Math.max(2, Math.floor((to - from) / 90));
  const ticks = scale.ticks(count).filter((tick) => !whole || Number.isInteger(tick));
  const format = whole ? String : ticks[0] instanceof Date ? moment : scaled(ticks);
  return ticks.flatMap((tick) => {
    const at = scale(tick);
    const text = format(tick);
    const half = width(text) / 2;
    const anchor = at - half < 0 ? "start" : at + half > to + 10 ? "end" : "middle";
    return [s("line", { class: "grid", x1: at, x2: at, y1: 0, y2: high }), s("text", { class: "tick", x: at, y: high + 16, "text-anchor": anchor }, text)];
  });
}

function line(rows, { x, y, by }, labels, room) {
  const years = rows.every((row) => /^-?\d{4,}$/.test(row[x].value) && row[x].datatype.endsWith("gYear")) || isYears(x, rows.map((row) => row[x]));
  const dated = !years && isDate(rows[0][x]);
  const points = rows.map((row) => ({ at: dated ? time(row[x]).start : Number(row[x].value), value: Number(row[y].value), row }));
  const groups = [...Map.groupBy?.(points, (one) => (by ? labels.text(one.row[by]) : "")) ?? grouped(points, (one) => (by ? labels.text(one.row[by]) : ""))].slice(0, 8);
  const high = Math.min(340, Math.max(220, room * 0.5));
  const extent = (list) => [Math.min(...list), Math.max(...list)];
  const [low, top] = extent(points.map((one) => one.value));
  const up = scaleLinear([Math.min(0, low), top === low ? top + 1 : top], [high - 4, 12]).nice();
  const ticks = up.ticks(5);
  const format = scaled(ticks);
  const left = Math.max(...ticks.map((tick) => width(format(tick)))) + 8;
  const across = (dated ? scaleUtc : scaleLinear)(extent(points.map((one) => one.at)), [left + 6, room - 10]);
  const draw = path((one) => across(one.at), (one) => up(one.value));
  const told = (term) => (dated ? day(term.value) : years ? term.value : amount(term.value));
  const lines = groups.flatMap(([name, list], index) => {
    list.sort((a, b) => a.at - b.at);
    const shape = symbol(symbolsFill[index % symbolsFill.length], 46)();
    return [
      s("path", { class: `line series-${index % CLASSES}`, d: draw(list) }),
      ...list.map((one) => mark(`${name ? `${name}, ` : ""}${told(one.row[x])}: ${amount(one.row[y].value)}`, null, labels, s("path", { class: `series-${index % CLASSES}`, d: shape, transform: `translate(${across(one.at)},${up(one.value)})` }))),
    ];
  });
  const grid = ticks.flatMap((tick) => [s("line", { class: "grid", x1: left, x2: room, y1: up(tick), y2: up(tick) }), s("text", { class: "tick", x: left - 4, y: up(tick), "text-anchor": "end", "dominant-baseline": "central" }, format(tick))]);
  const legend = by && h("ul", { class: "legend" }, groups.map(([name], index) => h("li", {}, s("svg", { width: 16, height: 16, viewBox: "-8 -8 16 16", "aria-hidden": "true" }, s("path", { class: `series-${index % CLASSES}`, d: symbol(symbolsFill[index % symbolsFill.length], 70)() })), name)));
  return { element: svg(room, high + 24, t("Line chart: {y} over {x}", { x, y }), ...grid, ...axisAcross(across, left, room - 10, high, years), ...lines), legend, sentence: t("{y} over {x}.", { x, y }) };
}

/** `Map.groupBy` where a browser lacks it. */
function grouped(list, key) {
  const groups = new Map();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

function timeline(rows, { x, y, to }, labels, room) {
  const items = rows.map((row) => {
    const first = time(row[x]);
    const last = to && row[to] ? time(row[to]) : first;
    return { start: first.start, end: Math.max(last.end, first.end), long: (to && row[to]) || first.end - first.start > 40 * 86400000, text: labels.text(row[y]), term: row[y], when: to && row[to] && row[to].value !== row[x].value ? t("{from} to {to}", { from: day(row[x].value), to: day(row[to].value) }) : day(row[x].value) };
  }).sort((a, b) => a.start - b.start || a.end - b.end);
  const rowHigh = 28;
  const high = items.length * rowHigh + 6;
  const [from, until] = [Math.min(...items.map((one) => one.start)), Math.max(...items.map((one) => one.end))];
  const margin = (until - from || 86400000) * 0.02;
  const across = scaleUtc([from - margin, until + margin], [6, room - 6]);
  const marks = items.map((one, index) => {
    const middle = index * rowHigh + rowHigh / 2 + 3;
    const [start, end] = [across(one.start), one.long ? Math.max(across(one.end), across(one.start) + 4) : across(one.start)];
    const [after, before] = [room - end - 14, start - 14];
    const words = [`${one.text} (${one.when})`, one.text].find((text) => width(text) <= Math.max(after, before)) ?? one.text;
    const behind = width(words) <= after || after >= before;
    const shape = one.long
      ? s("rect", { class: "series-0", x: start, y: middle - 6, width: end - start, height: 12, rx: 3 })
      : s("circle", { class: "series-0", cx: start, cy: middle, r: 6 });
    const inside = one.long && Math.max(after, before) < Math.min(width(words), 120);
    const text = inside
      ? s("text", { class: "over", x: start + 4, y: middle, "dominant-baseline": "central" }, fitted(words, room - start - 8))
      : s("text", { x: behind ? end + 9 : start - 9, y: middle, "text-anchor": behind ? "start" : "end", "dominant-baseline": "central" }, fitted(words, Math.max(after, before)));
    return mark(`${one.when}: ${one.text}`, one.term, labels, s("rect", { class: "hit", x: 0, y: middle - rowHigh / 2, width: room, height: rowHigh }), shape, text);
  });
  return { element: svg(room, high + 24, t("Timeline: {y} by {x}", { x, y }), ...axisAcross(across, 6, room - 6, high), ...marks), sentence: counted("{num} entry in order of time.", "{num} entries in order of time.", items.length) };
}

function network(rows, { x, y, by }, labels, room) {
  const nodes = new Map();
  const node = (term) => {
    const key = `${term.type} ${term.value}`;
    if (!nodes.has(key)) nodes.set(key, { key, term, text: labels.text(term), degree: 0, to: [] });
    return nodes.get(key);
  };
  const edges = rows.filter((row) => row[x].type !== "literal" && row[y].type !== "literal").map((row) => {
    const [source, target] = [node(row[x]), node(row[y])];
    source.degree++;
    target.degree++;
    const name = by && row[by] ? labels.text(row[by]) : "";
    source.to.push(name ? `${name} ${target.text}` : target.text);
    return { source, target, name };
  });
  const list = [...nodes.values()];
  const small = list.length <= 40;
  const radius = (one) => 5 + Math.min(9, Math.sqrt(one.degree) * 1.4);
  const force = forceSimulation(list)
    .force("link", forceLink(edges).distance(small ? 95 : 55).strength(0.5))
    .force("charge", forceManyBody().strength(small ? -420 : -150))
    .force("x", forceX().strength(0.05))
    .force("y", forceY().strength(room < 600 ? 0.03 : 0.1))
    .force("collide", forceCollide((one) => radius(one) + (small ? 14 : 4)))
    .stop();
  force.tick(320); // all at once: nothing moves, and the same answer gives the same picture
  const [minX, maxX] = [Math.min(...list.map((one) => one.x)), Math.max(...list.map((one) => one.x))];
  const [minY, maxY] = [Math.min(...list.map((one) => one.y)), Math.max(...list.map((one) => one.y))];
  const [side, edge] = [Math.min(90, room * 0.16), 26];
  const narrow = room < 600;
  const high = narrow
    ? Math.max(380, list.length * 21) // what a narrow picture lacks in width it has in height, so that names have room
    : Math.round(Math.min(Math.max(300, list.length * 10, (maxY - minY) * Math.min(1.4, (room - 2 * side) / (maxX - minX || 1)) + 2 * edge), 640));
  const across = scaleLinear([minX, maxX], maxX > minX ? [side, room - side] : [room / 2, room / 2]);
  const down = scaleLinear([minY, maxY], maxY > minY ? [edge, high - edge] : [high / 2, high / 2]);
  const kinds = new Set(edges.map((edge) => edge.name));
  const arrow = s("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" }, s("path", { d: "M0,0 8,4 0,8z" }));
  const links = edges.flatMap(({ source, target, name }) => {
    if (source === target) return [];
    const [x1, y1, x2, y2] = [across(source.x), down(source.y), across(target.x), down(target.y)];
    const far = Math.hypot(x2 - x1, y2 - y1) || 1;
    const [cutA, cutB] = [radius(source) / far, (radius(target) + 2) / far];
    return [
      s("line", { class: "edge", "marker-end": "url(#arrow)", x1: x1 + (x2 - x1) * cutA, y1: y1 + (y2 - y1) * cutA, x2: x2 - (x2 - x1) * cutB, y2: y2 - (y2 - y1) * cutB }, name && s("title", {}, `${source.text} ${name} ${target.text}`)),
      edges.length <= 24 && kinds.size > 1 && name && far > 70 && s("text", { class: "edge-name", x: (x1 + x2) / 2, y: (y1 + y2) / 2, "text-anchor": "middle", "dominant-baseline": "central" }, fitted(name, far - 30)),
    ];
  });
  const names = lettered(list.map((one) => ({ one, text: fitted(one.text, narrow ? 120 : 190), x: across(one.x), y: down(one.y), r: radius(one) })), room, high);
  list.sort((a, b) => a.degree - b.degree); // the best linked are drawn last, over what lies below their names
  const marks = list.map((one) => {
    const { text, at, hidden } = names.get(one);
    const some = one.to.slice(0, 6).join(", ");
    const reached = one.to.length > 6 ? t("{some} and {num} more", { some, num: number(one.to.length - 6) }) : some;
    return mark(reached ? `${one.text}: ${reached}` : one.text, one.term, labels,
      s("circle", { class: one.to.length ? "series-0" : "series-1", cx: across(one.x), cy: down(one.y), r: radius(one) }),
      s("text", { class: hidden ? "name rest" : "name", x: at.x, y: at.y, "text-anchor": at.anchor, "dominant-baseline": "central" }, text));
  });
  const unnamed = [...names.values()].filter((name) => name.hidden).length;
  const size = { nodes: counted("{num} node", "{num} nodes", list.length), links: counted("{num} link", "{num} links", edges.length) };
  const sentences = [
    `${size.nodes}, ${size.links}${kinds.size === 1 && by ? ` (${[...kinds][0]})` : ""}.`,
    unnamed && (matchMedia("(hover: none)").matches
      ? counted("There is no room for {num} name.", "There is no room for {num} names.", unnamed)
      : counted("{num} name for which there is no room shows when pointed at.", "{num} names for which there is no room show when pointed at.", unnamed)),
  ];
  return { element: svg(room, high, t("Network: {nodes}, {links}", size), s("defs", {}, arrow), ...links, ...marks), sentence: sentences.filter(Boolean).join(" ") };
}

/**
 * Where each node's name goes: below, above or beside it, the best linked first; hidden where it would cover another.
 * The name of a hub may lie on the small circles around it, but of no other name.
 */
function lettered(places, room, high) {
  const circles = places.map(({ x, y, r }) => [x - r, y - r, x + r, y + r]);
  const taken = [];
  const names = new Map();
  const meets = ([a, b, c, d]) => ([e, f, g, i]) => a < g && c > e && b < i && d > f;
  for (const { one, text, x, y, r } of [...places].sort((a, b) => b.one.degree - a.one.degree)) {
    const wide = width(text);
    const within = Math.min(Math.max(x, wide / 2 + 2), room - wide / 2 - 2);
    const choices = [
      { x: within, y: y + r + 10, anchor: "middle", left: within - wide / 2 },
      { x: within, y: y - r - 10, anchor: "middle", left: within - wide / 2 },
      { x: x + r + 4, y, anchor: "start", left: x + r + 4 },
      { x: x - r - 4, y, anchor: "end", left: x - r - 4 - wide },
    ].map((at) => ({ at, box: [at.left - 2, at.y - 8, at.left + wide + 2, at.y + 8] }))
      .filter(({ box: [a, b, c, d] }) => a >= 0 && c <= room && b >= 0 && d <= high);
    const open = choices.filter(({ box }) => !taken.some(meets(box)));
    const covered = ({ box }) => circles.filter(meets(box)).length;
    const least = open.sort((a, b) => covered(a) - covered(b))[0];
    const free = least && (one.degree >= HUB || !covered(least)) ? least : undefined;
    if (free) taken.push(free.box);
    names.set(one, { text, hidden: !free, at: free?.at ?? { x: within, y: y + r + 10, anchor: "middle" } });
  }
  return names;
}
