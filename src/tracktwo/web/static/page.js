// What a page has more with scripts: buttons that copy, and a card about what a link leads to.
const { card, copy, copied } = document.body.dataset;

for (const code of document.querySelectorAll("code.copied")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = copy;
  button.setAttribute("aria-label", `${copy}: ${code.textContent}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = copied;
    setTimeout(() => { button.textContent = copy; }, 2000);
  });
  code.after(button);
}

const known = new Map();
let shown = null, timer = 0, leaving = 0, wanted = null;

const hide = () => {
  clearTimeout(timer);
  clearTimeout(leaving);
  wanted?.removeAttribute("aria-describedby");
  wanted = null;
  shown?.remove();
  shown = null;
};

const line = (name, text, language, type) => {
  const element = document.createElement(name);
  element.textContent = text;
  if (language) element.lang = language;
  if (type) element.className = type;
  return element;
};

const show = async (link) => {
  const address = new URL(card, location.href);
  address.searchParams.set("iri", link.dataset.iri);
  if (!known.has(address.href)) known.set(address.href, fetch(address).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null));
  const said = await known.get(address.href);
  if (!said || wanted !== link) return;
  shown?.remove();
  shown = line("div", "", "", "card-shown");
  shown.id = "card-shown";
  shown.setAttribute("role", "tooltip");
  link.setAttribute("aria-describedby", shown.id);
  shown.append(line("strong", said.label, said.language), line("span", said.types.join(", "), "", "kind"));
  if (said.summary) shown.append(line("p", said.summary, said.summaryLanguage));
  document.body.append(shown);
  const box = link.getBoundingClientRect();
  const left = Math.min(box.left, document.documentElement.clientWidth - shown.offsetWidth - 8);
  shown.style.left = `${Math.max(8, left) + scrollX}px`;
  shown.style.top = `${box.bottom + scrollY + 6}px`;
};

// A card can be pointed at, and goes with Escape (WCAG 2.2, success criterion 1.4.13): it waits for the pointer to reach it.
const within = (element) => wanted?.contains(element) || shown?.contains(element);

const over = (event) => {
  if (within(event.target)) clearTimeout(leaving);
  const link = event.target.closest?.("main a[data-iri]");
  if (!link || link === wanted) return;
  hide();
  wanted = link;
  link.removeAttribute("title");
  timer = setTimeout(() => show(link), 250);
};

document.addEventListener("pointerover", (event) => { if (event.pointerType !== "touch") over(event); });
document.addEventListener("focusin", over);
document.addEventListener("pointerout", (event) => {
  if (!within(event.target) || within(event.relatedTarget)) return;
  clearTimeout(leaving);
  leaving = setTimeout(hide, 300);
});
document.addEventListener("focusout", hide);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
