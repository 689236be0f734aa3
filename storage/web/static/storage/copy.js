// Buttons that copy the text of a place: [data-copy="id"]. Without https a page has no clipboard: then it is selected.
function select(place) {
  const range = document.createRange();
  range.selectNodeContents(place);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

async function copy(place) {
  if (navigator.clipboard) return navigator.clipboard.writeText(place.textContent).then(() => true, () => false);
  select(place);
  return document.execCommand("copy");
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const place = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    if (await copy(place)) button.textContent = button.dataset.done;
    else select(place);
  });
}
