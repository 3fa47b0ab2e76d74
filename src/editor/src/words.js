// What the editor says, in the page's language. English is the key, as in the templates; the table of the page's own
// words stands beside its URLs. Without a table it speaks English.

const table = JSON.parse(document.querySelector("form.ask").dataset.words || "{}");
export const language = document.documentElement.lang || "en";

const forms = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);
const amounts = new Intl.NumberFormat(language, { maximumFractionDigits: 12, useGrouping: "min2" });
const days = new Intl.DateTimeFormat(language, { timeZone: "UTC", day: "numeric", month: "long", year: "numeric" });
const months = new Intl.DateTimeFormat(language, { timeZone: "UTC", month: "long" });
const shortMonths = new Intl.DateTimeFormat(language, { timeZone: "UTC", day: "numeric", month: "short" });
const clock = new Intl.DateTimeFormat(language, { timeZone: "UTC", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortClock = new Intl.DateTimeFormat(language, { timeZone: "UTC", hour: "2-digit", minute: "2-digit" });

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

/** A sentence, with values in place of its `{names}`. */
export const t = (text, values = {}) => filled(table[text] ?? text, values);

/** A sentence that counts: `{num}` is the count, which chooses its form. */
export const counted = (one, many, count, values = {}) =>
  filled(table[one]?.[forms.select(count)] ?? (count === 1 ? one : many), { num: number(count), ...values });

/** A sentence with elements in place of its `{names}`, as a list of both. */
export const pieces = (text, elements) => (table[text] ?? text).split(/\{(\w+)\}/).map((part, index) => (index % 2 ? elements[part] : part));

/** A count. */
export const number = (value) => numbers.format(value);

/** A number of the data in a picture: a year keeps its look, and what a decimal fraction would bend stays as it is. */
export function amount(lexical) {
  const size = Math.abs(Number(lexical));
  return size && (size >= 1e15 || size < 1e-6) ? lexical : amounts.format(Number(lexical));
}

/** Numbers beside an axis: as many digits for each as the step between them needs. */
export function scaled(ticks) {
  const step = Math.abs(ticks[1] - ticks[0]) || 1;
  if (step < 1e-9 || Math.max(...ticks.map(Math.abs)) >= 1e15) return String;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const format = new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: "min2" });
  return (tick) => format.format(tick);
}

/** A year, month, day or moment of XML Schema in words, as the site's pages write it; what is none of these as it is. */
export function day(lexical) {
  const [, year, month, ofMonth, time] = /^(\d{4,})(?:-(\d\d)(?:-(\d\d)(?:T(.+))?)?)?(?:Z|[+-]\d\d:\d\d)?$/.exec(lexical) ?? [];
  if (!year) return lexical;
  if (!month) return String(Number(year));
  const date = new Date(Date.UTC(2000, Number(month) - 1, Number(ofMonth ?? 1)));
  if (!ofMonth) return `${months.format(date)} ${Number(year)}`;
  const named = days.formatToParts(date).find((part) => part.type === "month").value;
  return `${Number(ofMonth)} ${named} ${Number(year)}${time ? `, ${time}` : ""}`;
}

/** A moment beside an axis: what is new at it, from the year down to the second. */
export function moment(date) {
  if (date.getUTCMilliseconds()) return amounts.format(date.getUTCSeconds() + date.getUTCMilliseconds() / 1000);
  if (date.getUTCSeconds()) return clock.format(date);
  if (date.getUTCHours() || date.getUTCMinutes()) return shortClock.format(date);
  if (date.getUTCDate() > 1) return shortMonths.format(date);
  return date.getUTCMonth() ? months.format(date) : String(date.getUTCFullYear());
}

/** A time as people say it. */
export const duration = (seconds) =>
  seconds < 0.9995
    ? t("{num} ms", { num: Math.max(1, Math.round(seconds * 1000)) })
    : t("{num} s", { num: new Intl.NumberFormat(language, { minimumFractionDigits: seconds < 10 ? 1 : 0, maximumFractionDigits: seconds < 10 ? 1 : 0 }).format(seconds) });
