// Labels while typing, in the browser's own list; without scripts the form works as it is.
const field = document.querySelector("input[data-suggest]");
if (field) {
  const list = document.createElement("datalist");
  list.id = "suggested";
  field.after(list);
  let asked = 0, timer = 0;
  const suggest = async () => {
    const turn = ++asked;
    const address = new URL(field.dataset.suggest, location.href);
    address.searchParams.set("q", field.value);
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok || turn !== asked) return;
    const [, labels, kinds, pages] = await answer.json();
    list.replaceChildren(...labels.map((label, position) => {
      const option = new Option(kinds[position], label);
      option.dataset.page = pages[position];
      return option;
    }));
  };
  field.addEventListener("input", (event) => {
    const chosen = [...list.options].find((option) => option.value === field.value);
    if (chosen && event.inputType !== "insertText" && event.inputType !== "deleteContentBackward") {
      location.assign(chosen.dataset.page);
      return;
    }
    clearTimeout(timer);
    if (field.value.trim()) timer = setTimeout(suggest, 120);
  });
}
